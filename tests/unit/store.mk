# tests/unit/store, and the store's bench (make tests/bench/store_bench)
EXTRA_PROGRAMS += tests/bench/store_bench
tests_bench_store_bench_SOURCES = tests/bench/store_bench.c
tests_bench_store_bench_LDADD = libkithstore.a $(DB_LIBS) $(PROTOBUF_C_LIBS)
