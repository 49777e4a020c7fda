# tests/replay: scenarios, each one a test; COVERAGE says which situation is where.
check_PROGRAMS += tests/replay/replay
tests_replay_replay_SOURCES = tests/replay/replay.c tests/replay/replay.h \
	tests/replay/replay_mail.c tests/replay/compose.c \
	tests/replay/compose.h tests/replay/world.c \
	tests/replay/world.h daemon/core_mail.c daemon/core_parse.c \
	$(test_client)
tests_replay_replay_LDADD = libkithnews.a libkithcommunity.a libkithmail.a \
	libkithdaemon.a libkithstore.a libkithprotocol.a $(KITH_ALL_LIBS)

REPLAY_SCENARIOS = \
	tests/replay/another-community.scn \
	tests/replay/bad-input.scn \
	tests/replay/bounces-and-retry.scn \
	tests/replay/complaint.scn tests/replay/crosspost.scn \
	tests/replay/digest-readers.scn tests/replay/digest.scn \
	tests/replay/cancel.scn tests/replay/expiry.scn \
	tests/replay/fan-out-large.scn \
	tests/replay/hidden-names.scn \
	tests/replay/internal.scn \
	tests/replay/kept-answers.scn \
	tests/replay/moderation-flood.scn \
	tests/replay/list-and-news.scn \
	tests/replay/lists-in-a-ring.scn \
	tests/replay/loops.scn \
	tests/replay/mail-without-anything.scn \
	tests/replay/moderated-crosspost.scn \
	tests/replay/moderated-news.scn \
	tests/replay/moderation-by-hand.scn \
	tests/replay/moderation-by-list.scn \
	tests/replay/moderation.scn \
	tests/replay/no-echo.scn \
	tests/replay/one-thread.scn \
	tests/replay/renamed-address.scn \
	tests/replay/reports-of-a-space.scn \
	tests/replay/retry-for-days.scn \
	tests/replay/rights-change.scn \
	tests/replay/same-id.scn \
	tests/replay/space-removed.scn \
	tests/replay/staff-authentication.scn \
	tests/replay/subscribe-by-mail.scn \
	tests/replay/subscribe.scn \
	tests/replay/thread-conflict.scn \
	tests/replay/ticket-automatic-mail.scn \
	tests/replay/ticket-content.scn \
	tests/replay/ticket-crosspost.scn \
	tests/replay/ticket-poison.scn \
	tests/replay/ticket-reopened.scn \
	tests/replay/ticket-reply-all.scn \
	tests/replay/ticket-safety.scn \
	tests/replay/ticket-staff.scn \
	tests/replay/ticket-threads.scn \
	tests/replay/ticket.scn
TESTS += $(REPLAY_SCENARIOS)
EXTRA_DIST += $(REPLAY_SCENARIOS) tests/replay/COVERAGE
