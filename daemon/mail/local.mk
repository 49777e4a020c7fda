# daemon/mail/: the mail process, the parse worker, the Maildir writer. Never
# the store.
noinst_LIBRARIES += libkithmail.a
libkithmail_a_SOURCES = \
	daemon/mail/delivery.c daemon/mail/delivery.h \
	daemon/mail/engine.c daemon/mail/engine.h daemon/mail/engine_private.h \
	daemon/mail/incoming.c daemon/mail/incoming.h \
	daemon/mail/session.c daemon/mail/session.h daemon/mail/session_private.h \
	daemon/mail/session_data.c daemon/mail/session_envelope.c \
	daemon/mail/transport.c daemon/mail/transport.h
libkithmail_a_SOURCES += \
	daemon/mail/smtp_client.c daemon/mail/smtp_client.h \
	daemon/mail/smtp_client_greet.c daemon/mail/smtp_client_private.h \
	daemon/mail/smtp_dial.c daemon/mail/smtp_dial.h \
	daemon/mail/smtp_login.c daemon/mail/smtp_login.h \
	daemon/mail/smtp_pool.c daemon/mail/smtp_pool.h
libkithmail_a_SOURCES += \
	daemon/mail/mail.c \
	daemon/mail/maildir.c daemon/mail/maildir.h daemon/mail/maildir_role.c \
	daemon/mail/maildir_transport.c daemon/mail/maildir_transport.h \
	daemon/mail/parse.c \
	daemon/mail/parse_service.c daemon/mail/parse_service.h
