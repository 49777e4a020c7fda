# protocol/: bytes <-> meaning. No sockets, no store, no clock, no globals.
noinst_LIBRARIES += libkithprotocol.a
libkithprotocol_a_SOURCES = \
	protocol/buffer.c protocol/buffer.h protocol/span.h
