# daemon/mail/
