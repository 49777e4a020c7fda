# tests/unit/mime: what mail means
mime_tests = test_address test_own_text test_mail_summary test_mail_compose \
	test_mail_command
check_PROGRAMS += $(mime_tests)
TESTS += $(mime_tests)
MIME_TEST_LIBS = libkithprotocol.a $(ETPAN_LIBS) $(IDN2_LIBS) $(CMOCKA_LIBS)
test_address_SOURCES = tests/unit/test_address.c
test_address_LDADD = $(MIME_TEST_LIBS)
test_own_text_SOURCES = tests/unit/test_own_text.c
test_own_text_LDADD = $(MIME_TEST_LIBS)
test_mail_summary_SOURCES = tests/unit/test_mail_summary.c
test_mail_summary_LDADD = $(MIME_TEST_LIBS)
test_mail_compose_SOURCES = tests/unit/test_mail_compose.c
test_mail_compose_LDADD = $(MIME_TEST_LIBS)
test_mail_command_SOURCES = tests/unit/test_mail_command.c
test_mail_command_LDADD = $(MIME_TEST_LIBS)
