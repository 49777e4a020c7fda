# store/: Berkeley DB. The only folder that includes <db.h>.
noinst_LIBRARIES += libkithstore.a
libkithstore_a_SOURCES = \
	store/admin.h store/article.h store/msgid.h store/overview.h \
	store/sequence.h store/store.h
nodist_libkithstore_a_SOURCES = store/records.pb-c.c store/records.pb-c.h
# protoc-c's output does not know kith's warnings
store/records.pb-c.o: AM_CFLAGS = $(KITH_HARDEN) $(PROTOBUF_C_CFLAGS)
EXTRA_DIST += store/records.proto
BUILT_SOURCES += store/records.pb-c.h
CLEANFILES += store/records.pb-c.c store/records.pb-c.h

store/records.pb-c.c: store/records.pb-c.h
	@test -f $@ || { rm -f $<; $(MAKE) $<; }
store/records.pb-c.h: $(srcdir)/store/records.proto
	$(AM_V_GEN)$(MKDIR_P) store && $(PROTOC_C) -I$(srcdir) --c_out=. \
		$(srcdir)/store/records.proto
