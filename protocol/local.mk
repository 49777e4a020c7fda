# protocol/: bytes <-> meaning. No sockets, no store, no clock, no globals.
noinst_LIBRARIES += libkithprotocol.a
libkithprotocol_a_SOURCES = \
	protocol/buffer.c protocol/buffer.h protocol/span.h protocol/utf8.c \
	protocol/utf8.h
# tokens
libkithprotocol_a_SOURCES += \
	protocol/token_text.c protocol/token_text.h
# addresses and MIME (with it link: $(ETPAN_LIBS) $(IDN2_LIBS))
libkithprotocol_a_SOURCES += \
	protocol/address.c protocol/address.h protocol/address_list.c \
	protocol/charset.c protocol/charset.h protocol/digest_compose.c \
	protocol/digest_compose.h protocol/html_text.c protocol/html_text.h \
	protocol/mail_auth.c protocol/mail_auth.h protocol/mail_class.c \
	protocol/mail_class.h protocol/mail_command.c \
	protocol/mail_command.h protocol/mail_compose.c \
	protocol/mail_compose.h protocol/mail_decision.c \
	protocol/mail_decision.h protocol/mail_recipient.c \
	protocol/mail_report.c protocol/mail_report.h \
	protocol/mail_summary.c protocol/mail_summary.h \
	protocol/mail_summary_wire.c protocol/mail_text.c \
	protocol/mail_text.h protocol/mask.c protocol/mask.h \
	protocol/mime.c protocol/mime.h protocol/mime_tree.c \
	protocol/own_text.c protocol/own_text.h protocol/own_text_words.h \
	protocol/words.c protocol/words.h protocol/words_param.c
# lines, articles as bytes, news
libkithprotocol_a_SOURCES += \
	protocol/article.c protocol/article.h protocol/article_check.c \
	protocol/article_check.h protocol/cancel.c protocol/cancel.h \
	protocol/date.c protocol/date.h \
	protocol/dot.c protocol/dot.h protocol/header.c protocol/header.h \
	protocol/line.c protocol/line.h protocol/mbox.c protocol/mbox.h \
	protocol/msgid.c protocol/msgid.h protocol/newsgroup.c \
	protocol/newsgroup.h protocol/nntp.c protocol/nntp.h protocol/nntp_reply.c \
	protocol/nntp_reply.h \
	protocol/overview.c protocol/overview.h protocol/range.c \
	protocol/range.h protocol/references.c protocol/references.h \
	protocol/wildmat.c protocol/wildmat.h protocol/wildmat_legacy.c \
	protocol/wildmat_legacy.h
# SMTP and LMTP
libkithprotocol_a_SOURCES += \
	protocol/smtp.h protocol/smtp_command.c protocol/smtp_path.c \
	protocol/smtp_reply.c
