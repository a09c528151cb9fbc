//! What every store promises, one function a promise. Each takes a function that opens an empty store, and
//! moves that store's clock.

pub(crate) mod batches;
pub(crate) mod bench;
pub(crate) mod claims;
pub(crate) mod enqueues;
pub(crate) mod handled;
pub(crate) mod hooks;
pub(crate) mod leases;
pub(crate) mod lives;
pub(crate) mod names;
pub(crate) mod orders;
pub(crate) mod people;
pub(crate) mod replays;
pub(crate) mod seals;
pub(crate) mod settlements;
pub(crate) mod tenants;

pub(crate) use bench::{Bench, HOOKED, clock};

/// Makes a test of every promise, for the store that `$open` opens. Where there is none, nothing is tested.
macro_rules! suite {
    ($open:expr) => {
        suite! { $open, true }
    };
    ($open:expr, $is_there:expr) => {
        suite! { @all $open, $is_there;
            enqueues: an_enqueued_message_is_stored_as_it_was_given;
            enqueues: a_message_for_later_has_its_time_from_then_on;
            enqueues: a_key_that_is_stored_already_stores_nothing;
            enqueues: a_business_key_is_free_again_once_its_message_is_delivered;
            enqueues: a_business_key_of_another_lane_is_another_key;
            enqueues: a_business_key_stays_taken_for_a_window_after_its_message_was_delivered;
            enqueues: only_a_message_that_had_its_business_key_keeps_it_for_a_window;
            claims: a_message_is_claimed_once;
            claims: a_message_is_not_claimed_before_its_time;
            claims: the_next_message_of_a_lane_that_is_due_is_told;
            claims: no_more_is_claimed_than_was_asked_for;
            claims: a_message_past_its_deadline_is_parked_and_not_claimed;
            claims: higher_priorities_go_first_until_lower_ones_have_waited;
            claims: a_paused_lane_gives_nothing_and_others_do;
            claims: a_workers_pause_shortens_no_other_pause;
            orders: of_one_key_only_the_first_is_claimed;
            orders: a_head_that_waits_for_its_retry_holds_its_key;
            orders: a_dead_head_holds_its_key_or_is_stepped_over;
            orders: a_head_that_is_replayed_while_a_later_one_is_leased_waits_for_it;
            orders: many_replayed_messages_of_one_key_keep_their_order;
            orders: an_edited_message_has_the_turn_of_the_one_that_it_replaces;
            orders: a_backlog_of_few_keys_hides_no_other_key_and_no_message_without_one;
            tenants: a_tenant_has_no_more_under_way_than_its_limit;
            tenants: without_a_limit_tenants_are_claimed_as_they_come;
            tenants: a_message_without_a_tenant_is_not_limited;
            tenants: tenants_with_fewer_under_way_go_first;
            tenants: a_backlog_of_one_tenant_hides_no_others;
            tenants: a_backlog_of_one_tenants_order_keys_hides_no_others;
            tenants: claims_at_once_keep_a_tenants_limit;
            tenants: an_edited_message_is_of_the_same_tenant;
            settlements: a_failure_is_tried_again_at_its_time_until_attempts_are_used_up;
            settlements: a_retry_past_the_deadline_is_none;
            settlements: a_snooze_is_no_attempt;
            settlements: an_accepted_job_is_polled_without_using_attempts;
            settlements: a_success_counts_however_late_it_is_told;
            settlements: a_failure_that_is_told_late_changes_nothing;
            settlements: a_success_that_is_told_twice_is_one;
            settlements: an_answer_is_kept_up_to_its_cap;
            settlements: each_attempt_is_recorded_with_what_it_came_to;
            settlements: a_batch_is_settled_one_by_one;
            settlements: a_message_that_is_gone_fails_no_other_of_its_batch;
            leases: a_lease_that_is_over_is_taken_back_as_unknown;
            leases: a_lease_that_is_extended_is_not_taken_back;
            leases: a_message_that_ends_every_worker_is_parked_after_its_attempts;
            leases: a_reaper_works_in_pages_until_nothing_is_left;
            leases: two_reapers_take_a_lease_back_once;
            leases: what_an_attempt_came_to_replaces_that_it_was_unknown;
            hooks: a_function_that_fails_is_repeated_and_the_call_is_not;
            hooks: a_function_that_panics_fails;
            hooks: a_function_that_fails_every_time_parks_the_message_with_its_answer;
            hooks: a_function_runs_for_a_success_that_is_told_after_people_gave_it_up;
            hooks: a_late_success_brings_nothing_back_to_a_message_that_was_erased;
            hooks: a_message_that_the_provider_has_done_is_not_edited;
            hooks: a_function_runs_for_a_success_that_is_told_late;
            handled: a_message_that_is_only_handled_uses_up_attempts_and_has_a_deadline;
            handled: a_message_that_is_only_handled_is_called_off_between_attempts_for_good;
            handled: of_two_workers_only_the_one_with_the_lease_handles_a_message;
            handled: what_a_function_said_when_it_failed_is_recorded_without_secrets;
            batches: a_batch_is_claimed_again_whole_with_its_key_and_its_request;
            batches: the_key_of_a_batch_ends_at_one_time_for_all_of_it;
            batches: a_batch_has_the_order_of_enqueueing_at_first_and_when_it_is_repeated;
            batches: a_message_that_may_have_been_done_is_claimed_alone_and_of_no_batch;
            batches: a_batch_of_which_one_is_erased_has_no_request_any_more;
            batches: a_batch_waits_for_those_of_it_that_are_with_a_worker;
            batches: a_batch_of_which_one_is_called_off_is_known_to_be_incomplete;
            batches: a_batch_has_no_more_than_was_asked_for_and_one_of_each_order_key;
            people: dead_letters_are_found_by_lane_reason_and_page;
            names: a_message_is_found_by_each_of_its_names_and_by_no_other;
            names: messages_are_found_and_counted_by_status_by_error_and_by_how_their_keys_begin;
            people: a_double_click_replays_once;
            replays: two_people_who_replay_a_thousand_dead_letters_send_each_again_once;
            people: a_replay_starts_anew_with_the_same_key;
            people: a_key_that_the_provider_has_forgotten_is_replayed_only_by_force;
            people: a_replay_keeps_what_is_known_of_its_key;
            people: a_replay_sends_a_failed_job_again_and_asks_for_one_that_may_go_on;
            people: an_edited_message_is_a_new_one_with_a_new_key;
            people: only_waiting_messages_are_cancelled_and_only_dead_ones_discarded;
            people: an_erased_message_keeps_its_history_and_is_not_replayed;
            people: a_message_is_found_as_it_stands;
            people: old_messages_are_pruned_and_dead_ones_are_not;
            people: a_lane_is_counted_as_it_is;
            seals: what_is_sealed_is_stored_unreadable_and_read_as_it_was;
            seals: an_answer_is_sealed_and_cut_to_its_cap_when_it_is_read;
            seals: a_key_that_changes_opens_what_it_sealed;
            seals: what_no_key_opens_stays_sealed_until_it_is_back;
            seals: the_bytes_of_another_message_are_not_opened;
            seals: business_and_order_keys_work_on_what_is_sealed;
            seals: an_edited_message_is_sealed_and_an_erased_one_is_empty;
            seals: the_request_of_a_batch_is_sealed;
            seals: a_seal_that_fails_accepts_nothing;
            lives: every_life_of_a_message_is_that_of_the_machine;
        }
    };
    (@all $open:expr, $is_there:expr; $($part:ident: $promise:ident;)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                if !$is_there {
                    return;
                }
                $crate::suite::$part::$promise(&|hook| Box::pin($open(hook))).await;
            }
        )+
    };
}
