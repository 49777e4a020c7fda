# tests/unit: the mail process
mail_tests = test_smtp
check_PROGRAMS += $(mail_tests)
TESTS += $(mail_tests)

test_smtp_SOURCES = tests/unit/test_smtp.c
test_smtp_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
