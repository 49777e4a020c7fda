# tests/fuzz/: one target per parser, fuzz_THING.c, and its corpus in
# corpus/THING/. `make check` replays the corpora through driver.c.
#
# To fuzz in earnest: in a build folder of its own
#     .../configure CC=clang --disable-hardening \
#         CFLAGS='-g -O1 -fsanitize=fuzzer-no-link,address,undefined'
#     make FUZZ_ENGINE=-fsanitize=fuzzer FUZZ_DRIVER= fuzz-targets
#     ./fuzz_line -max_total_time=60 NEW-INPUTS .../tests/fuzz/corpus/line
# FUZZ_ENGINE is what the targets are linked with, FUZZ_DRIVER the object that
# has main() (none with an engine that brings its own).
FUZZ_ENGINE =
FUZZ_DRIVER = libkithfuzz.a
EXTRA_DIST += tests/fuzz/corpus
check_LIBRARIES += libkithfuzz.a
libkithfuzz_a_SOURCES = tests/fuzz/driver.c
FUZZ_LINK = $(FUZZ_DRIVER) libkithprotocol.a $(FUZZ_ENGINE)

fuzz_targets =
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)
.PHONY: fuzz-targets
fuzz-targets: $(fuzz_targets)

# Per target three lines:
#     fuzz_targets += fuzz_thing
#     fuzz_thing_SOURCES = tests/fuzz/fuzz_thing.c
#     fuzz_thing_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_token_text
fuzz_token_text_SOURCES = tests/fuzz/fuzz_token_text.c
fuzz_token_text_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_line
fuzz_line_SOURCES = tests/fuzz/fuzz_line.c
fuzz_line_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_dot
fuzz_dot_SOURCES = tests/fuzz/fuzz_dot.c
fuzz_dot_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_article
fuzz_article_SOURCES = tests/fuzz/fuzz_article.c
fuzz_article_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_cancel
fuzz_cancel_SOURCES = tests/fuzz/fuzz_cancel.c
fuzz_cancel_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_msgid
fuzz_msgid_SOURCES = tests/fuzz/fuzz_msgid.c
fuzz_msgid_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_news
fuzz_news_SOURCES = tests/fuzz/fuzz_news.c
fuzz_news_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_nntp_reply
fuzz_nntp_reply_SOURCES = tests/fuzz/fuzz_nntp_reply.c
fuzz_nntp_reply_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_mbox
fuzz_mbox_SOURCES = tests/fuzz/fuzz_mbox.c
fuzz_mbox_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_smtp_command
fuzz_smtp_command_SOURCES = tests/fuzz/fuzz_smtp_command.c
fuzz_smtp_command_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_smtp_reply
fuzz_smtp_reply_SOURCES = tests/fuzz/fuzz_smtp_reply.c
fuzz_smtp_reply_LDADD = $(FUZZ_LINK)

fuzz_targets += fuzz_store_rows
fuzz_store_rows_SOURCES = tests/fuzz/fuzz_store_rows.c
fuzz_store_rows_LDADD = $(FUZZ_DRIVER) libkithstore.a $(DB_LIBS) \
	$(PROTOBUF_C_LIBS) $(FUZZ_ENGINE)

# addresses and MIME
FUZZ_MIME_LINK = $(FUZZ_DRIVER) libkithprotocol.a $(ETPAN_LIBS) $(IDN2_LIBS) \
	$(FUZZ_ENGINE)

fuzz_targets += fuzz_address
fuzz_address_SOURCES = tests/fuzz/fuzz_address.c
fuzz_address_LDADD = $(FUZZ_MIME_LINK)

fuzz_targets += fuzz_words
fuzz_words_SOURCES = tests/fuzz/fuzz_words.c
fuzz_words_LDADD = $(FUZZ_MIME_LINK)

fuzz_targets += fuzz_mime
fuzz_mime_SOURCES = tests/fuzz/fuzz_mime.c
fuzz_mime_LDADD = $(FUZZ_MIME_LINK)

fuzz_targets += fuzz_summary
fuzz_summary_SOURCES = tests/fuzz/fuzz_summary.c
fuzz_summary_LDADD = $(FUZZ_MIME_LINK)

fuzz_targets += fuzz_summary_wire
fuzz_summary_wire_SOURCES = tests/fuzz/fuzz_summary_wire.c
fuzz_summary_wire_LDADD = $(FUZZ_MIME_LINK)

fuzz_targets += fuzz_dsn
fuzz_dsn_SOURCES = tests/fuzz/fuzz_dsn.c
fuzz_dsn_LDADD = $(FUZZ_MIME_LINK)

fuzz_targets += fuzz_own_text
fuzz_own_text_SOURCES = tests/fuzz/fuzz_own_text.c
fuzz_own_text_LDADD = $(FUZZ_MIME_LINK)
# a whole NNTP session, with a store behind it
fuzz_targets += fuzz_news_session
fuzz_news_session_SOURCES = tests/fuzz/fuzz_news_session.c $(news_fixture)
fuzz_news_session_LDADD = $(FUZZ_DRIVER) $(NEWS_LIBS) $(FUZZ_ENGINE)
# logins, with members to log in
fuzz_targets += fuzz_sasl
fuzz_sasl_SOURCES = tests/fuzz/fuzz_sasl.c $(news_fixture)
fuzz_sasl_LDADD = $(FUZZ_DRIVER) $(NEWS_LIBS) $(FUZZ_ENGINE)
# between processes, and from the administrator
FUZZ_DAEMON_LINK = $(FUZZ_DRIVER) $(KITHDAEMON_LIBS) $(FUZZ_ENGINE)
fuzz_targets += fuzz_config
fuzz_config_SOURCES = tests/fuzz/fuzz_config.c
fuzz_config_LDADD = $(FUZZ_DAEMON_LINK)

fuzz_targets += fuzz_ipc
fuzz_ipc_SOURCES = tests/fuzz/fuzz_ipc.c
fuzz_ipc_LDADD = $(FUZZ_DAEMON_LINK)

fuzz_targets += fuzz_control
fuzz_control_SOURCES = tests/fuzz/fuzz_control.c
fuzz_control_LDADD = $(FUZZ_DAEMON_LINK)

fuzz_targets += fuzz_feed_login
fuzz_feed_login_SOURCES = tests/fuzz/fuzz_feed_login.c
fuzz_feed_login_LDADD = $(FUZZ_DRIVER) libkithfeed.a $(KITHDAEMON_LIBS) \
	$(GSASL_LIBS) $(FUZZ_ENGINE)

fuzz_targets += fuzz_numbers
fuzz_numbers_SOURCES = tests/fuzz/fuzz_numbers.c
fuzz_numbers_LDADD = $(FUZZ_DRIVER) libkithfeed.a libkithprotocol.a \
	$(FUZZ_ENGINE)

fuzz_targets += fuzz_deflate
fuzz_deflate_SOURCES = tests/fuzz/fuzz_deflate.c $(test_client)
fuzz_deflate_LDADD = $(FUZZ_DAEMON_LINK)
