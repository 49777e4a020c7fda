# protocol/: bytes <-> meaning. No sockets, no store, no clock, no globals.
noinst_LIBRARIES += libkithprotocol.a
libkithprotocol_a_SOURCES = \
	protocol/buffer.c protocol/buffer.h protocol/span.h
# tokens
libkithprotocol_a_SOURCES += protocol/token_text.c protocol/token_text.h
# addresses and MIME
libkithprotocol_a_SOURCES += protocol/charset.h
libkithprotocol_a_SOURCES += protocol/words.h
libkithprotocol_a_SOURCES += protocol/address.h
libkithprotocol_a_SOURCES += protocol/mime.h
libkithprotocol_a_SOURCES += protocol/mail_report.h
libkithprotocol_a_SOURCES += protocol/mail_auth.h
libkithprotocol_a_SOURCES += protocol/mail_summary.h
libkithprotocol_a_SOURCES += protocol/mask.h
libkithprotocol_a_SOURCES += protocol/mail_compose.h
libkithprotocol_a_SOURCES += protocol/digest_compose.h
libkithprotocol_a_SOURCES += protocol/mail_command.h
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
