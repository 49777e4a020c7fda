# daemon/: kithd.
sbin_PROGRAMS += kithd
kithd_SOURCES = \
	daemon/clock.h daemon/config.h daemon/ipc.h daemon/log.h daemon/loop.h \
	daemon/main.c daemon/messages.h daemon/stream.h
kithd_LDADD =
