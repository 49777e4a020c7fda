# tools/
bin_PROGRAMS += kith-deliver
kith_deliver_SOURCES = tools/kith-deliver.c
kith_deliver_LDADD = $(KITHDAEMON_LIBS)
AM_CPPFLAGS += -DKITHD_PATH='"$(sbindir)/kithd"'
bin_PROGRAMS += kithctl
kithctl_SOURCES = tools/kithctl.c tools/kithctl.h tools/kithctl_link.c \
	tools/kithctl_print.c tools/kithctl_words.c
kithctl_LDADD = $(KITHDAEMON_LIBS)
