# tests/unit: the mail process
mail_tests = test_delivery test_lmtp_session test_mail_tls test_smtp \
	test_smtp_client
check_PROGRAMS += $(mail_tests)
TESTS += $(mail_tests)

MAIL_TEST_LIBS = libkithmail.a $(KITHDAEMON_LIBS) $(CMOCKA_LIBS)
mail_rig = tests/unit/mail_rig.c tests/unit/mail_rig.h $(test_client)

test_lmtp_session_SOURCES = tests/unit/test_lmtp_session.c $(mail_rig)
test_lmtp_session_LDADD = $(MAIL_TEST_LIBS)
test_smtp_SOURCES = tests/unit/test_smtp.c
test_smtp_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_smtp_client_SOURCES = tests/unit/test_smtp_client.c
test_smtp_client_LDADD = $(MAIL_TEST_LIBS)
test_delivery_SOURCES = tests/unit/test_delivery.c $(mail_rig)
test_delivery_LDADD = $(MAIL_TEST_LIBS)
test_mail_tls_SOURCES = tests/unit/test_mail_tls.c $(mail_rig) \
	tests/unit/certificate.c tests/unit/certificate.h
test_mail_tls_LDADD = $(MAIL_TEST_LIBS)

# the feed process
check_PROGRAMS += test_feed_role
TESTS += test_feed_role
test_feed_role_SOURCES = tests/unit/test_feed_role.c
test_feed_role_LDADD = libkithfeed.a $(KITHDAEMON_LIBS) $(GSASL_LIBS) \
	$(CMOCKA_LIBS)
check_PROGRAMS += test_feed_login
TESTS += test_feed_login
test_feed_login_SOURCES = tests/unit/test_feed_login.c
test_feed_login_LDADD = libkithfeed.a $(KITHDAEMON_LIBS) $(GSASL_LIBS) \
	$(CMOCKA_LIBS)
