# tests/unit/mail
