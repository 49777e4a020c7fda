# tests/unit: daemon/news over memory pairs, with a real store
news_fixture = tests/unit/news_fixture.c tests/unit/news_fixture.h $(test_client)
news_check = tests/unit/news_check.c tests/unit/news_check.h $(news_fixture)
NEWS_LIBS = libkithnews.a libkithcommunity.a libkithstore.a libkithdaemon.a \
	libkithprotocol.a $(KITH_ALL_LIBS)
news_tests = test_news_table test_news_reader test_news_long test_news_post \
	test_news_feed test_news_tls test_news_protocol test_news_numbers \
	test_news_fields test_news_columns test_news_lists \
	test_news_flight test_news_full
check_PROGRAMS += $(news_tests)
TESTS += $(news_tests)
test_news_table_SOURCES = tests/unit/test_news_table.c
test_news_table_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_reader_SOURCES = tests/unit/test_news_reader.c $(news_check)
test_news_reader_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_long_SOURCES = tests/unit/test_news_long.c $(news_check)
test_news_long_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_post_SOURCES = tests/unit/test_news_post.c $(news_check)
test_news_post_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_feed_SOURCES = tests/unit/test_news_feed.c $(news_check)
test_news_feed_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_tls_SOURCES = tests/unit/test_news_tls.c $(news_check) \
	tests/unit/certificate.c tests/unit/certificate.h
test_news_tls_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_protocol_SOURCES = tests/unit/test_news_protocol.c $(news_check)
test_news_protocol_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_numbers_SOURCES = tests/unit/test_news_numbers.c $(news_check)
test_news_numbers_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_fields_SOURCES = tests/unit/test_news_fields.c $(news_check)
test_news_fields_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_columns_SOURCES = tests/unit/test_news_columns.c $(news_check)
test_news_columns_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_lists_SOURCES = tests/unit/test_news_lists.c $(news_check)
test_news_lists_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_flight_SOURCES = tests/unit/test_news_flight.c
test_news_flight_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_full_SOURCES = tests/unit/test_news_full.c $(news_check)
test_news_full_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
# logins and what lies between
news_channel_tests = test_news_sasl test_news_compress test_news_limits
check_PROGRAMS += $(news_channel_tests)
TESTS += $(news_channel_tests)
test_news_compress_SOURCES = tests/unit/test_news_compress.c $(news_check) \
	tests/unit/certificate.c tests/unit/certificate.h
test_news_compress_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_limits_SOURCES = tests/unit/test_news_limits.c $(news_check) \
	tests/unit/certificate.c tests/unit/certificate.h
test_news_limits_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
test_news_sasl_SOURCES = tests/unit/test_news_sasl.c $(news_check) \
	tests/unit/certificate.c tests/unit/certificate.h
test_news_sasl_LDADD = $(NEWS_LIBS) $(CMOCKA_LIBS)
