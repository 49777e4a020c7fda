# tests/: each part says in its own .mk what it builds; what runs from the
# source tree goes into the tarball as it is.
EXTRA_DIST += tests/run tests/lint tests/packages tests/RFC3977 \
	tests/RFC4642 tests/RFC4643 tests/RFC4644 tests/RFC5537 tests/RFC6048 \
	tests/RFC8054 tests/RFC8315 \
	tests/fuzz/run tests/tsan.supp \
	tests/bench/bench.h tests/bench/limitd.c tests/bench/mkcorpus.c \
	tests/bench/news.py tests/bench/scale.py tests/bench/servers.py \
	tests/bench/nntpload.c tests/bench/run tests/bench/smtpload.c \
	tests/bench/smtpsink.c tests/bench/store_bench.c \
	tests/bench/store_fill.c \
	tests/crash/conftest.py tests/crash/test_crash.py \
	tests/system/conftest.py tests/system/inn.py tests/system/kith.py \
	tests/system/test_bad_days.py tests/system/test_compress.py \
	tests/system/test_feeds.py tests/system/test_feeds_bad.py \
	tests/system/test_feeds_inn.py \
	tests/system/test_pull_public_inbox.py \
	tests/system/test_quickstart.py \
	tests/system/test_kithctl.py \
	tests/system/test_tls.py tests/system/test_logins.py \
	tests/system/leafnode.py tests/system/pan.py tests/system/sanitizers.py \
	tests/system/screen.py \
	tests/system/thunderbird.py \
	tests/system/test_mail.py tests/system/test_news.py \
	tests/system/test_newsreaders.py \
	tests/system/test_operations.py \
	tests/system/test_processes.py tests/system/test_retention.py tests/system/test_rules.py \
	tests/system/test_subscribe.py \
	tests/system/test_support.py
if HAVE_CMOCKA
test_client = tests/client.c tests/client.h
include tests/unit/store.mk
include tests/unit/protocol.mk
include tests/unit/mime.mk
include tests/unit/daemon.mk
include tests/unit/news.mk
include tests/unit/mail.mk
include tests/unit/community.mk
include tests/replay/local.mk
include tests/fuzz/local.mk
endif
