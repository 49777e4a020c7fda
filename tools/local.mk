# tools/
bin_PROGRAMS += kith-deliver
kith_deliver_SOURCES = tools/kith-deliver.c
kith_deliver_LDADD = $(KITHDAEMON_LIBS)
