# tests/unit: lines, articles as bytes, news
protocol_tests = test_buffer test_line test_dot test_header test_article test_msgid \
	test_cancel test_newsgroup test_date test_wildmat test_overview test_nntp test_nntp_reply \
	test_mbox
check_PROGRAMS += $(protocol_tests)
TESTS += $(protocol_tests)

test_buffer_SOURCES = tests/unit/test_buffer.c
test_buffer_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_line_SOURCES = tests/unit/test_line.c
test_line_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_dot_SOURCES = tests/unit/test_dot.c
test_dot_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_header_SOURCES = tests/unit/test_header.c
test_header_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_article_SOURCES = tests/unit/test_article.c
test_article_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_msgid_SOURCES = tests/unit/test_msgid.c
test_msgid_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_cancel_SOURCES = tests/unit/test_cancel.c
test_cancel_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_newsgroup_SOURCES = tests/unit/test_newsgroup.c
test_newsgroup_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_date_SOURCES = tests/unit/test_date.c
test_date_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_wildmat_SOURCES = tests/unit/test_wildmat.c
test_wildmat_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_overview_SOURCES = tests/unit/test_overview.c
test_overview_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_nntp_SOURCES = tests/unit/test_nntp.c
test_nntp_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_nntp_reply_SOURCES = tests/unit/test_nntp_reply.c
test_nntp_reply_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
test_mbox_SOURCES = tests/unit/test_mbox.c
test_mbox_LDADD = libkithprotocol.a $(CMOCKA_LIBS)
