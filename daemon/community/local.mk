# daemon/community/: what the community means.
noinst_LIBRARIES += libkithcommunity.a
# kithctl: what an admin asks
libkithcommunity_a_SOURCES = \
	daemon/community/admin.c daemon/community/admin.h \
	daemon/community/admin_article.c \
	daemon/community/admin_digest.c daemon/community/admin_held.c \
	daemon/community/admin_list.c daemon/community/admin_list.h \
	daemon/community/admin_member.c daemon/community/admin_op.c \
	daemon/community/admin_op.h daemon/community/admin_password.c \
	daemon/community/admin_password.h daemon/community/admin_peer.c \
	daemon/community/admin_peer.h \
	daemon/community/admin_peer_options.c \
	daemon/community/admin_peer_show.c \
	daemon/community/admin_pull.c \
	daemon/community/admin_queue.c daemon/community/admin_space.c \
	daemon/community/admin_space.h \
	daemon/community/admin_space_compact.c \
	daemon/community/admin_space_list.c \
	daemon/community/admin_space_remove.c \
	daemon/community/admin_subscription.c \
	daemon/community/admin_subscription.h \
	daemon/community/admin_subscription_import.c \
	daemon/community/admin_system.c daemon/community/admin_text.c \
	daemon/community/admin_ticket.c daemon/community/admin_ticket.h \
	daemon/community/admin_ticket_reply.c \
	daemon/community/admin_words.c daemon/community/admin_words.h
# the context, and what everything rests on
libkithcommunity_a_SOURCES += \
	daemon/community/community.c daemon/community/community.h \
	daemon/community/expiry.c daemon/community/history.c \
	daemon/community/journal.c \
	daemon/community/journal.h daemon/community/kinds.c \
	daemon/community/kinds.h daemon/community/ports.h \
	daemon/community/reason.c daemon/community/reason.h \
	daemon/community/texts.c daemon/community/texts.h \
	daemon/community/timers.c daemon/community/timers.h
# people and spaces
libkithcommunity_a_SOURCES += \
	daemon/community/auth.c daemon/community/auth.h \
	daemon/community/auth_account.c daemon/community/auth_delay.c \
	daemon/community/auth_delay.h daemon/community/auth_private.h \
	daemon/community/auth_turn.c \
	daemon/community/locks.c daemon/community/locks.h \
	daemon/community/members.c daemon/community/members.h \
	daemon/community/members_address.c daemon/community/peers.c \
	daemon/community/peers.h daemon/community/rights.c \
	daemon/community/rights.h daemon/community/roster.c \
	daemon/community/roster.h daemon/community/sasl.c \
	daemon/community/sasl.h daemon/community/sasl_plain.c \
	daemon/community/sasl_private.h daemon/community/sasl_scram.c \
	daemon/community/sight.c daemon/community/sight.h \
	daemon/community/space_arrays.c daemon/community/space_arrays.h \
	daemon/community/spaces.c \
	daemon/community/spaces.h daemon/community/subscriptions.c \
	daemon/community/subscriptions.h daemon/community/token.c \
	daemon/community/token.h daemon/community/verifier.c
# articles and mail on their way in
libkithcommunity_a_SOURCES += \
	daemon/community/cancel.c daemon/community/cancel.h \
	daemon/community/cancel_own.c daemon/community/cancel_key.c daemon/community/cancel_private.h \
	daemon/community/cancel_store.c daemon/community/cancel_wait.c \
	daemon/community/draft.c daemon/community/draft.h \
	daemon/community/draft_build.c daemon/community/draft_build.h \
	daemon/community/draft_fit.c \
	daemon/community/draft_id.c daemon/community/draft_mail.c \
	daemon/community/draft_news.c daemon/community/draft_store.c \
	daemon/community/draft_thread.c daemon/community/draft_trace.c \
	daemon/community/held.c daemon/community/held.h \
	daemon/community/intake.h daemon/community/intake_excerpt.c \
	daemon/community/intake_import.c daemon/community/intake_mail.c \
	daemon/community/intake_news.c daemon/community/intake_post.c \
	daemon/community/intake_private.h daemon/community/mail_action.c \
	daemon/community/mail_command.c daemon/community/mail_command.h \
	daemon/community/mail_hand_on.c daemon/community/mail_hand_on.h \
	daemon/community/mail_item.h daemon/community/mail_moderate.c \
	daemon/community/mail_moderate_list.c \
	daemon/community/mail_owner.c daemon/community/mail_postmaster.c \
	daemon/community/moderation.c daemon/community/moderation.h \
	daemon/community/moderation_ask.c daemon/community/moderation_ask.h \
	daemon/community/moderation_list.c daemon/community/moderation_list.h \
	daemon/community/meta.c daemon/community/meta.h \
	daemon/community/removal.c daemon/community/removal.h \
	daemon/community/retention.c daemon/community/retention.h \
	daemon/community/retention_slice.c
# mail on its way out
libkithcommunity_a_SOURCES += \
	daemon/community/bounce.c daemon/community/bounce.h \
	daemon/community/complaint.c daemon/community/complaint.h \
	daemon/community/digest.c daemon/community/digest.h \
	daemon/community/digest_render.c daemon/community/digest_state.c \
	daemon/community/jobs.c \
	daemon/community/jobs.h daemon/community/jobs_add.c \
	daemon/community/jobs_body.c daemon/community/jobs_chunk.c \
	daemon/community/jobs_commit.c daemon/community/jobs_private.h \
	daemon/community/jobs_progress.c daemon/community/jobs_retry.c \
	daemon/community/list_copy.c daemon/community/list_copy.h \
	daemon/community/list_headers.c daemon/community/notice.c \
	daemon/community/notice.h
# other news servers
libkithcommunity_a_SOURCES += \
	daemon/community/endpoint_text.c daemon/community/endpoint_text.h \
	daemon/community/feeds.c daemon/community/feeds.h \
	daemon/community/feeds_copy.c daemon/community/feeds_header.c \
	daemon/community/feeds_peer.c \
	daemon/community/feeds_private.h \
	daemon/community/feeds_progress.c daemon/community/feeds_walk.c \
	daemon/community/pulls.c daemon/community/pulls.h \
	daemon/community/pulls_private.h daemon/community/pulls_round.c
# support
libkithcommunity_a_SOURCES += \
	daemon/community/ticket.c daemon/community/ticket.h \
	daemon/community/ticket_bounce.c \
	daemon/community/ticket_intake.c daemon/community/ticket_mail.c \
	daemon/community/ticket_private.h
