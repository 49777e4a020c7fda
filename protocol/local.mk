# protocol/: bytes <-> meaning. No sockets, no store, no clock, no globals.
noinst_LIBRARIES += libkithprotocol.a
libkithprotocol_a_SOURCES = \
	protocol/buffer.c protocol/buffer.h protocol/span.h
# tokens
libkithprotocol_a_SOURCES += protocol/token_text.c protocol/token_text.h
# addresses and MIME (with it link: $(ETPAN_LIBS) $(IDN2_LIBS))
libkithprotocol_a_SOURCES += protocol/charset.c protocol/charset.h
libkithprotocol_a_SOURCES += protocol/words.c protocol/words_param.c \
	protocol/words.h
libkithprotocol_a_SOURCES += protocol/address.c protocol/address_list.c \
	protocol/address.h
libkithprotocol_a_SOURCES += protocol/mime.c protocol/mime_tree.c \
	protocol/mime.h
libkithprotocol_a_SOURCES += protocol/html_text.c protocol/html_text.h
libkithprotocol_a_SOURCES += protocol/own_text.c protocol/own_text.h \
	protocol/own_text_words.h
libkithprotocol_a_SOURCES += protocol/mail_text.c protocol/mail_text.h
libkithprotocol_a_SOURCES += protocol/mail_report.c protocol/mail_report.h
libkithprotocol_a_SOURCES += protocol/mail_auth.c protocol/mail_auth.h
libkithprotocol_a_SOURCES += protocol/mail_class.c protocol/mail_class.h
libkithprotocol_a_SOURCES += protocol/mail_summary.c protocol/mail_summary_wire.c \
	protocol/mail_summary.h
libkithprotocol_a_SOURCES += protocol/mask.c protocol/mask.h
libkithprotocol_a_SOURCES += protocol/mail_compose.c protocol/mail_compose.h
libkithprotocol_a_SOURCES += protocol/digest_compose.c protocol/digest_compose.h
libkithprotocol_a_SOURCES += protocol/mail_command.c protocol/mail_recipient.c \
	protocol/mail_command.h
# lines, articles as bytes, news
libkithprotocol_a_SOURCES += protocol/line.c protocol/line.h
libkithprotocol_a_SOURCES += protocol/dot.c protocol/dot.h
libkithprotocol_a_SOURCES += protocol/header.c protocol/header.h
libkithprotocol_a_SOURCES += protocol/article.c protocol/article.h
libkithprotocol_a_SOURCES += protocol/article_check.c protocol/article_check.h
libkithprotocol_a_SOURCES += protocol/msgid.c protocol/msgid.h
libkithprotocol_a_SOURCES += protocol/references.c protocol/references.h
libkithprotocol_a_SOURCES += protocol/newsgroup.c protocol/newsgroup.h
libkithprotocol_a_SOURCES += protocol/date.c protocol/date.h
libkithprotocol_a_SOURCES += protocol/wildmat.c protocol/wildmat.h
libkithprotocol_a_SOURCES += protocol/range.c protocol/range.h
libkithprotocol_a_SOURCES += protocol/overview.c protocol/overview.h
libkithprotocol_a_SOURCES += protocol/nntp.c protocol/nntp.h
libkithprotocol_a_SOURCES += protocol/mbox.c protocol/mbox.h
# SMTP and LMTP
libkithprotocol_a_SOURCES += protocol/smtp.h protocol/smtp_command.c
libkithprotocol_a_SOURCES += protocol/smtp_path.c protocol/smtp_reply.c
