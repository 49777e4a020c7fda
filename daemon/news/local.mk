# daemon/news/: NNTP. A session, and a file per family of commands.
noinst_LIBRARIES += libkithnews.a
libkithnews_a_SOURCES = \
	daemon/news/active.c daemon/news/active.h \
	daemon/news/cmd_article.c daemon/news/cmd_auth.c \
	daemon/news/cmd_compress.c \
	daemon/news/cmd_feed.c daemon/news/cmd_group.c daemon/news/cmd_hdr.c \
	daemon/news/cmd_list.c daemon/news/cmd_list_text.c \
	daemon/news/cmd_new.c daemon/news/cmd_over.c daemon/news/cmd_post.c \
	daemon/news/cmd_sasl.c daemon/news/cmd_session.c \
	daemon/news/column.c daemon/news/column.h daemon/news/commands.c \
	daemon/news/commands.h daemon/news/continuation.h \
	daemon/news/copy.c daemon/news/copy.h \
	daemon/news/crossposts.c daemon/news/crossposts.h \
	daemon/news/directory.c \
	daemon/news/directory.h daemon/news/feed.c \
	daemon/news/feed.h daemon/news/flight.c daemon/news/flight.h \
	daemon/news/groups.c daemon/news/groups.h \
	daemon/news/locate.c daemon/news/locate.h daemon/news/login.c \
	daemon/news/login.h daemon/news/made.c daemon/news/made.h \
	daemon/news/news.h daemon/news/pace.c daemon/news/pace.h \
	daemon/news/place.c daemon/news/place.h \
	daemon/news/post.c daemon/news/post.h daemon/news/rows.c \
	daemon/news/rows.h daemon/news/server.c daemon/news/server.h \
	daemon/news/session.c daemon/news/session.h \
	daemon/news/session_state.c daemon/news/spot.c daemon/news/spot.h \
	daemon/news/wire.c daemon/news/wire.h \
	daemon/news/wire_read.c \
	daemon/news/timeout.c \
	daemon/news/timeout.h daemon/news/xref.c daemon/news/xref.h
