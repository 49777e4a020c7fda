# daemon/feed/: the feed process, a client of other news servers. Never the store.
noinst_LIBRARIES += libkithfeed.a
libkithfeed_a_SOURCES = \
	daemon/feed/client.c daemon/feed/client.h \
	daemon/feed/endpoint.c daemon/feed/endpoint.h \
	daemon/feed/feed.c daemon/feed/feed.h \
	daemon/feed/login.c daemon/feed/login.h \
	daemon/feed/missed.c daemon/feed/missed.h \
	daemon/feed/numbers.c daemon/feed/numbers.h daemon/feed/pull.c daemon/feed/push.c \
	daemon/feed/push_impl.h daemon/feed/push_offer.c
