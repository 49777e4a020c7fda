# tests/unit/store, and the store's bench, built with them so that it builds
check_PROGRAMS += tests/bench/store_bench tests/bench/store_fill
tests_bench_store_bench_SOURCES = tests/bench/store_bench.c
tests_bench_store_bench_LDADD = libkithstore.a $(DB_LIBS) $(PROTOBUF_C_LIBS)
tests_bench_store_fill_SOURCES = tests/bench/store_fill.c
tests_bench_store_fill_LDADD = libkithstore.a $(DB_LIBS) $(PROTOBUF_C_LIBS)

check_LIBRARIES += libkithstoretest.a
libkithstoretest_a_SOURCES = tests/unit/store_fixture.c \
	tests/unit/store_fixture.h
libkithstoretest_a_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
STORE_TEST_LINK = libkithstoretest.a libkithstore.a $(DB_LIBS) \
	$(PROTOBUF_C_LIBS) $(CMOCKA_LIBS)

store_tests = test_store_young test_store_logs test_store_writer test_store_view test_store_records \
	test_store_article test_store_extent test_store_meta_rows test_store_segment test_store_overview test_store_msgid \
	test_store_cache test_store_region test_store_admin test_store_compact \
	test_store_fault
check_PROGRAMS += $(store_tests)
TESTS += $(store_tests)
test_store_logs_SOURCES = tests/unit/test_store_logs.c
test_store_logs_LDADD = $(STORE_TEST_LINK)
test_store_young_SOURCES = tests/unit/test_store_young.c
test_store_young_LDADD = $(STORE_TEST_LINK)
test_store_writer_SOURCES = tests/unit/test_store_writer.c
test_store_writer_LDADD = $(STORE_TEST_LINK)
test_store_view_SOURCES = tests/unit/test_store_view.c
test_store_view_LDADD = $(STORE_TEST_LINK)
test_store_records_SOURCES = tests/unit/test_store_records.c
test_store_records_LDADD = $(STORE_TEST_LINK)
test_store_article_SOURCES = tests/unit/test_store_article.c
test_store_article_LDADD = $(STORE_TEST_LINK)
test_store_meta_rows_SOURCES = tests/unit/test_store_meta_rows.c
test_store_meta_rows_LDADD = $(STORE_TEST_LINK)
test_store_extent_SOURCES = tests/unit/test_store_extent.c
test_store_extent_LDADD = $(STORE_TEST_LINK)
test_store_segment_SOURCES = tests/unit/test_store_segment.c
test_store_segment_LDADD = $(STORE_TEST_LINK)
test_store_overview_SOURCES = tests/unit/test_store_overview.c
test_store_overview_LDADD = $(STORE_TEST_LINK)
test_store_msgid_SOURCES = tests/unit/test_store_msgid.c
test_store_msgid_LDADD = $(STORE_TEST_LINK)
test_store_cache_SOURCES = tests/unit/test_store_cache.c
test_store_cache_LDADD = $(STORE_TEST_LINK)
test_store_region_SOURCES = tests/unit/test_store_region.c
test_store_region_LDADD = $(STORE_TEST_LINK)
test_store_admin_SOURCES = tests/unit/test_store_admin.c
test_store_admin_LDADD = $(STORE_TEST_LINK)
test_store_compact_SOURCES = tests/unit/test_store_compact.c
test_store_compact_LDADD = $(STORE_TEST_LINK)
test_store_fault_SOURCES = tests/unit/test_store_fault.c
test_store_fault_LDADD = $(STORE_TEST_LINK)
