# daemon/: kithd. What its processes stand on is a library, so that tests and
# the replay harness link it too.
AM_CPPFLAGS += -DKITH_CONFIG_FILE='"$(sysconfdir)/kith/kithd.conf"'
noinst_LIBRARIES += libkithdaemon.a
libkithdaemon_a_SOURCES = \
	daemon/clock.c daemon/clock.h daemon/config.c daemon/config.h \
	daemon/config_read.c daemon/config_rows.h daemon/control.c \
	daemon/control.h daemon/control_impl.h daemon/control_request.c \
	daemon/dial.c daemon/dial.h \
	daemon/ipc.c daemon/ipc.h daemon/ipc_frame.c daemon/ipc_frame.h \
	daemon/log.c daemon/log.h daemon/loop.c daemon/loop.h \
	daemon/messages.h daemon/parent.c daemon/parent.h \
	daemon/parent_child.c daemon/parent_files.c daemon/parent_files.h \
	daemon/parent_impl.h daemon/parent_listen.c daemon/parent_listen.h \
	daemon/resolve.c daemon/role.c daemon/role.h \
	daemon/role_start.c daemon/sandbox.c daemon/sandbox.h \
	daemon/sasl_binding.c daemon/sasl_binding.h daemon/stream.c \
	daemon/stream.h daemon/stream_deflate.c daemon/stream_impl.h \
	daemon/stream_input.c daemon/stream_output.c daemon/stream_pair.c \
	daemon/stream_queue.c daemon/stream_queue.h daemon/stream_socket.c \
	daemon/stream_timer.c daemon/stream_tls.c daemon/tls.c daemon/tls.h
# what a program needs behind libkithdaemon.a
KITHDAEMON_LIBS = libkithdaemon.a libkithprotocol.a $(EVENT_LIBS) \
	$(OPENSSL_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS) \
	$(ZLIB_LIBS)

sbin_PROGRAMS += kithd
kithd_SOURCES = daemon/main.c daemon/core.c daemon/core_feed.c \
	daemon/core_feed.h daemon/core_listen.c \
	daemon/core_listen.h daemon/core_mail.c daemon/core_mail.h \
	daemon/core_parse.c daemon/core_restore.c
kithd_LDADD = libkithnews.a libkithcommunity.a libkithfeed.a libkithmail.a \
	libkithdaemon.a \
	libkithstore.a libkithprotocol.a $(EVENT_LIBS) $(OPENSSL_LIBS) \
	$(CONFUSE_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS) $(PROTOBUF_C_LIBS) \
	$(ETPAN_LIBS) $(IDN2_LIBS) $(GSASL_LIBS) $(ZLIB_LIBS) $(DB_LIBS)

# not by config.status, which would leave ${prefix} in the path
daemon/kithd.service: $(srcdir)/daemon/kithd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) daemon && \
		sed 's|[@]sbindir@|$(sbindir)|' $(srcdir)/daemon/kithd.service.in >$@
EXTRA_DIST += daemon/kithd.service.in
CLEANFILES += daemon/kithd.service
if HAVE_SYSTEMD
systemdsystemunit_DATA = daemon/kithd.service
endif
