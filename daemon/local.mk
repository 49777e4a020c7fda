# daemon/: kithd.
sbin_PROGRAMS += kithd
kithd_SOURCES = daemon/main.c
kithd_LDADD =
