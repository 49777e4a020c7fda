# tests/unit/community
