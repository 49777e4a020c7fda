# tests/unit/news
