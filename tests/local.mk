# tests/: each part says in its own .mk what it builds.
if HAVE_CMOCKA
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
