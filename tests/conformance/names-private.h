/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The suite is a static library, and so a part of somebody else's program: what its files share has
 * a prefix there, or it could clash with that program's own names. Here the names stay short. (The
 * test "examples" sees to it that none is missing.) */

#pragma once

/* answer.c */
#define answer_cb job_conformance_answer_cb
#define answer_clear job_conformance_answer_clear
#define answer_wait job_conformance_answer_wait
#define await_cancelled job_conformance_await_cancelled
#define iterate_ready job_conformance_iterate_ready

/* calls.c */
#define call_cancel job_conformance_call_cancel
#define call_close job_conformance_call_close
#define call_complete job_conformance_call_complete
#define call_dequeue job_conformance_call_dequeue
#define call_dequeue_by_id job_conformance_call_dequeue_by_id
#define call_enqueue job_conformance_call_enqueue
#define call_enqueue_many job_conformance_call_enqueue_many
#define call_fail job_conformance_call_fail
#define call_get_info job_conformance_call_get_info
#define call_heartbeat job_conformance_call_heartbeat
#define call_lease_complete job_conformance_call_lease_complete
#define call_lease_fail job_conformance_call_lease_fail
#define call_lease_heartbeat job_conformance_call_lease_heartbeat
#define call_lease_list_dependencies job_conformance_call_lease_list_dependencies
#define call_lease_release job_conformance_call_lease_release
#define call_list job_conformance_call_list
#define call_list_damaged job_conformance_call_list_damaged
#define call_list_leases job_conformance_call_list_leases
#define call_lookup_token job_conformance_call_lookup_token
#define call_move_damaged job_conformance_call_move_damaged
#define call_release job_conformance_call_release
#define call_wait job_conformance_call_wait

/* child.c */
#define child_finish job_conformance_child_finish
#define child_hold job_conformance_child_hold
#define child_kill job_conformance_child_kill
#define child_read_line job_conformance_child_read_line
#define child_start job_conformance_child_start

/* fixture.c */
#define fixture_close job_conformance_fixture_close
#define fixture_open job_conformance_fixture_open
#define fixture_reopen job_conformance_fixture_reopen
#define fixture_step job_conformance_fixture_step

/* kill.c */
#define child_die_at_opening job_conformance_child_die_at_opening
#define child_enqueue_until_killed job_conformance_child_enqueue_until_killed
#define child_work_until_killed job_conformance_child_work_until_killed

/* short-forms.c */
#define assert_ids job_conformance_assert_ids
#define assert_none job_conformance_assert_none
#define assert_reason job_conformance_assert_reason
#define assert_state job_conformance_assert_state
#define count_leases job_conformance_count_leases
#define ids_in_state job_conformance_ids_in_state
#define must_add job_conformance_must_add
#define must_add_after job_conformance_must_add_after
#define must_add_with_attempts job_conformance_must_add_with_attempts
#define must_add_with_priority job_conformance_must_add_with_priority
#define must_cancel job_conformance_must_cancel
#define must_complete job_conformance_must_complete
#define must_dequeue job_conformance_must_dequeue
#define must_dequeue_job job_conformance_must_dequeue_job
#define must_enqueue job_conformance_must_enqueue
#define must_fail job_conformance_must_fail
#define must_get_info job_conformance_must_get_info
#define must_release job_conformance_must_release
#define must_run job_conformance_must_run
#define new_dependent job_conformance_new_dependent
#define new_id job_conformance_new_id
#define new_spec job_conformance_new_spec
#define snapshot job_conformance_snapshot

/* storage.c */
#define child_meet_a_full_disk job_conformance_child_meet_a_full_disk
#define child_meet_a_torn_write job_conformance_child_meet_a_torn_write

/* store-check.c */
#define store_apply job_conformance_store_apply
#define store_assert_all job_conformance_store_assert_all
#define store_assert_job job_conformance_store_assert_job
#define store_assert_some job_conformance_store_assert_some
#define store_checkpoint job_conformance_store_checkpoint
#define store_close job_conformance_store_close
#define store_count_damage job_conformance_store_count_damage
#define store_open job_conformance_store_open

/* store-kill.c */
#define store_remove_folder job_conformance_store_remove_folder
#define store_test_kills job_conformance_store_test_kills

/* store-story.c */
#define story_clear job_conformance_story_clear
#define story_init job_conformance_story_init
#define story_next job_conformance_story_next
#define story_next_job job_conformance_story_next_job
