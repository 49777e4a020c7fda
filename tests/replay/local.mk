# tests/replay: scenarios, each one a test.
check_PROGRAMS += tests/replay/replay
tests_replay_replay_SOURCES = tests/replay/replay.c tests/replay/world.c \
	tests/replay/world.h daemon/core_mail.c daemon/core_parse.c
tests_replay_replay_LDADD = libkithnews.a libkithcommunity.a libkithmail.a \
	libkithdaemon.a libkithstore.a libkithprotocol.a $(KITH_ALL_LIBS)

REPLAY_SCENARIOS = \
	tests/replay/bounces-and-retry.scn tests/replay/digest.scn \
	tests/replay/hidden-names.scn \
	tests/replay/list-and-news.scn tests/replay/loops.scn \
	tests/replay/moderation.scn tests/replay/rights-change.scn \
	tests/replay/subscribe.scn \
	tests/replay/ticket.scn tests/replay/ticket-crosspost.scn \
	tests/replay/ticket-poison.scn \
	tests/replay/ticket-reply-all.scn \
	tests/replay/ticket-safety.scn
TESTS += $(REPLAY_SCENARIOS)
EXTRA_DIST += $(REPLAY_SCENARIOS)
