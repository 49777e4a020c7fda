# daemon/community/: what the community means.
noinst_LIBRARIES += libkithcommunity.a
libkithcommunity_a_SOURCES =
# people: spaces, members, rights, logins, tokens
libkithcommunity_a_SOURCES += daemon/community/admin.h
libkithcommunity_a_SOURCES += daemon/community/admin_op.c
libkithcommunity_a_SOURCES += daemon/community/admin_op.h
libkithcommunity_a_SOURCES += daemon/community/auth.c
libkithcommunity_a_SOURCES += daemon/community/auth.h
libkithcommunity_a_SOURCES += daemon/community/community.c
libkithcommunity_a_SOURCES += daemon/community/community.h
libkithcommunity_a_SOURCES += daemon/community/expiry.c
libkithcommunity_a_SOURCES += daemon/community/journal.c
libkithcommunity_a_SOURCES += daemon/community/journal.h
libkithcommunity_a_SOURCES += daemon/community/kinds.c
libkithcommunity_a_SOURCES += daemon/community/kinds.h
libkithcommunity_a_SOURCES += daemon/community/members.c
libkithcommunity_a_SOURCES += daemon/community/members.h
libkithcommunity_a_SOURCES += daemon/community/members_address.c
libkithcommunity_a_SOURCES += daemon/community/peers.c
libkithcommunity_a_SOURCES += daemon/community/peers.h
libkithcommunity_a_SOURCES += daemon/community/ports.h
libkithcommunity_a_SOURCES += daemon/community/removal.h
libkithcommunity_a_SOURCES += daemon/community/rights.c
libkithcommunity_a_SOURCES += daemon/community/rights.h
libkithcommunity_a_SOURCES += daemon/community/spaces.c
libkithcommunity_a_SOURCES += daemon/community/spaces.h
libkithcommunity_a_SOURCES += daemon/community/subscriptions.c
libkithcommunity_a_SOURCES += daemon/community/subscriptions.h
libkithcommunity_a_SOURCES += daemon/community/timers.c
libkithcommunity_a_SOURCES += daemon/community/timers.h
libkithcommunity_a_SOURCES += daemon/community/token.c
libkithcommunity_a_SOURCES += daemon/community/token.h
libkithcommunity_a_SOURCES += daemon/community/verifier.c
# articles: the door, mail on its way
libkithcommunity_a_SOURCES += daemon/community/draft.h
libkithcommunity_a_SOURCES += daemon/community/intake.h
libkithcommunity_a_SOURCES += daemon/community/jobs.h
libkithcommunity_a_SOURCES += daemon/community/mail_item.h
libkithcommunity_a_SOURCES += daemon/community/reason.h
# tickets, digests, commands by mail
libkithcommunity_a_SOURCES += daemon/community/digest.h
libkithcommunity_a_SOURCES += daemon/community/ticket.h
