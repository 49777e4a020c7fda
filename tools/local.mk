# tools/
bin_PROGRAMS += kith-deliver
kith_deliver_SOURCES = tools/kith-deliver.c
kith_deliver_LDADD = $(KITHDAEMON_LIBS)
AM_CPPFLAGS += -DKITHD_PATH='"$(sbindir)/kithd"'
bin_PROGRAMS += kithctl
kithctl_SOURCES = tools/kithctl.c tools/kithctl.h tools/kithctl_link.c \
	tools/kithctl_print.c tools/kithctl_words.c
kithctl_LDADD = $(KITHDAEMON_LIBS)

EXTRA_DIST += tools/quickstart tools/demo/spaces.batch \
	tools/demo/help.mbox tools/demo/news.mbox tools/demo/staff.mbox \
	tools/demo/talk.mbox tools/demo/news-live.article \
	tools/demo/talk-answer.eml tools/demo/talk-live.eml \
	tools/demo/ticket-1.eml tools/demo/ticket-2.eml \
	tools/demo/ticket-3.eml tools/demo/ticket-4.article \
	tools/demo/ticket-5.eml tools/demo/ticket-6.eml \
	tools/demo/ticket-new.eml

bin_PROGRAMS += kith-import
kith_import_SOURCES = tools/kith-import.c tools/kithctl.h tools/kithctl_link.c
kith_import_LDADD = $(KITHDAEMON_LIBS)
