# daemon/: kithd.
sbin_PROGRAMS += kithd
kithd_SOURCES = \
	daemon/clock.h daemon/config.h daemon/ipc.h daemon/log.h daemon/loop.h \
	daemon/control.h daemon/main.c daemon/messages.h daemon/role.h \
	daemon/sandbox.h daemon/stream.h daemon/tls.h
kithd_LDADD =
