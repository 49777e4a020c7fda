# tests/unit/community
check_LIBRARIES += libkithcommunitytest.a
libkithcommunitytest_a_SOURCES = tests/unit/community_fixture.c \
	tests/unit/community_fixture.h tests/unit/community_kithctl.c
libkithcommunitytest_a_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
COMMUNITY_TEST_LINK = libkithcommunitytest.a libkithcommunity.a libkithstore.a \
	$(KITHDAEMON_LIBS) $(DB_LIBS) $(PROTOBUF_C_LIBS) $(ETPAN_LIBS) \
	$(IDN2_LIBS) $(GSASL_LIBS) $(CMOCKA_LIBS)

community_tests = test_auth_delay test_community test_token_text
check_PROGRAMS += $(community_tests)
TESTS += $(community_tests)
test_auth_delay_SOURCES = tests/unit/test_auth_delay.c
test_auth_delay_LDADD = libkithcommunity.a $(CMOCKA_LIBS)
test_community_SOURCES = tests/unit/test_community.c
test_community_LDADD = $(COMMUNITY_TEST_LINK)
test_token_text_SOURCES = tests/unit/test_token_text.c
test_token_text_LDADD = libkithprotocol.a $(CMOCKA_LIBS)

# the doors and the way out
flow_rig = tests/unit/flow_rig.c tests/unit/flow_rig.h
flow_tests = test_bounce test_feeds test_feeds_time test_intake test_jobs \
	test_moderation test_injection test_retention test_threads test_walks \
	test_withdrawal
check_PROGRAMS += $(flow_tests)
TESTS += $(flow_tests)
far_rig = tests/unit/far_rig.c tests/unit/far_rig.h $(flow_rig)
test_feeds_SOURCES = tests/unit/test_feeds.c $(far_rig)
test_feeds_LDADD = $(COMMUNITY_TEST_LINK)
test_feeds_time_SOURCES = tests/unit/test_feeds_time.c $(far_rig)
test_feeds_time_LDADD = $(COMMUNITY_TEST_LINK)
test_bounce_SOURCES = tests/unit/test_bounce.c $(flow_rig)
test_bounce_LDADD = $(COMMUNITY_TEST_LINK)
test_moderation_SOURCES = tests/unit/test_moderation.c $(flow_rig)
test_moderation_LDADD = $(COMMUNITY_TEST_LINK)
test_walks_SOURCES = tests/unit/test_walks.c $(flow_rig)
test_walks_LDADD = $(COMMUNITY_TEST_LINK)
test_walks_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=store_walk
test_threads_SOURCES = tests/unit/test_threads.c $(flow_rig)
test_threads_LDADD = $(COMMUNITY_TEST_LINK)
test_threads_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=store_msgid_get
test_withdrawal_SOURCES = tests/unit/test_withdrawal.c $(flow_rig)
test_withdrawal_LDADD = $(COMMUNITY_TEST_LINK)
test_injection_SOURCES = tests/unit/test_injection.c $(flow_rig)
test_injection_LDADD = $(COMMUNITY_TEST_LINK)
test_intake_SOURCES = tests/unit/test_intake.c $(flow_rig)
test_intake_LDADD = $(COMMUNITY_TEST_LINK)
test_jobs_SOURCES = tests/unit/test_jobs.c $(flow_rig)
test_jobs_LDADD = $(COMMUNITY_TEST_LINK)
test_retention_SOURCES = tests/unit/test_retention.c $(flow_rig)
test_retention_LDADD = $(COMMUNITY_TEST_LINK)
