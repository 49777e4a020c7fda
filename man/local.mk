# man/
dist_man_MANS += man/kith.7 man/kith-protocol.7 man/kithd.8 man/kithctl.8 \
	man/kithd.conf.5 man/kith-deliver.8 man/kith-import.8
