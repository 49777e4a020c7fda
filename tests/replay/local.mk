# tests/replay/local
