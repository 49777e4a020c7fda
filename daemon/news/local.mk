# daemon/news/: NNTP. A session, and a file per family of commands.
noinst_LIBRARIES += libkithnews.a
libkithnews_a_SOURCES = daemon/news/news.h
