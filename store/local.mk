# store/: Berkeley DB. The only folder that includes <db.h>.
noinst_LIBRARIES += libkithstore.a
libkithstore_a_SOURCES = \
	store/admin.h store/append.c store/append.h store/article.c \
	store/article.h store/article_head.c store/backup.c store/body.c \
	store/cache.c store/cache.h store/cache_table.c store/cache_table.h \
	store/check.c store/check.h store/check_msgids.c store/check_readers.c \
	store/check_segments.c store/checksum.c store/compact.c store/env.c \
	store/extent.c store/extent.h store/extent_kept.c store/flusher.c store/inbox.c \
	store/keeper.c store/keys.c store/known.c store/known.h \
	store/logs.c store/logs.h store/memo.c store/memo.h \
	store/meta_rows.c store/meta_rows.h store/msgid.c \
	store/msgid.h store/msgid_insert.c \
	store/overview.c store/overview.h store/overview_block.c \
	store/private.h store/queue.c store/records.c store/region.c \
	store/region.h store/room.c store/row.c \
	store/segment.c store/segment.h store/segment_log.c store/sequence.c \
	store/sequence.h store/siphash.c store/siphash.h store/states.c \
	store/stats.c store/store.h store/sweep.c store/system.c store/txn.c \
	store/use.c store/use.h store/view.c store/writer.c store/young.c \
	store/young.h store/young_rows.c store/young_table.c \
	store/young_table.h
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
