# tests/fuzz/local
