# store/: Berkeley DB. The only folder that includes <db.h>.
noinst_LIBRARIES += libkithstore.a
libkithstore_a_SOURCES = \
	store/admin.h store/article.c store/article.h store/article_head.c \
	store/backup.c store/check.c store/check.h store/check_readers.c \
	store/checksum.c \
	store/body.c store/bundle.c store/bundle.h store/cache.c store/cache.h \
	store/cache_table.c store/cache_table.h \
	store/compact.c store/env.c store/flusher.c store/inbox.c \
	store/keeper.c store/keys.c store/memo.c store/memo.h store/msgid.c \
	store/msgid.h store/msgid_insert.c \
	store/overview.c store/overview.h store/overview_block.c \
	store/private.h store/queue.c store/records.c store/room.c store/row.c \
	store/sequence.c store/sequence.h store/siphash.c store/siphash.h \
	store/states.c store/stats.c store/store.h store/system.c store/txn.c \
	store/view.c store/writer.c
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
	@# its initializers cast const away, in whoever uses them
	@sed '1i #pragma GCC system_header' $@ > $@.tmp && mv $@.tmp $@
