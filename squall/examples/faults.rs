//! The table of faults, as `squall/FAULTS.md` keeps it: what each class counts, what sets it off, which tests show it happen
//! and not happen, and which scenarios fail when it never fires.
//!
//! ```sh
//! cargo run -p squall-cli --example faults > squall/FAULTS.md
//! ```

use raft_kv::builtin;
use simulator::FaultClass;
use squall::knobs::knobs;
use squall::scenario::{Scenario, parse};
use squall::swarm::CLASSES;
use std::fmt::Write;

/// A test in `simulator/src/world/tests` that shows a class happen.
pub const fn shown_by(class: FaultClass) -> &'static str {
    match class {
        FaultClass::Loss => "loss_loses",
        FaultClass::Duplicate => "duplicates_arrive_twice",
        FaultClass::Reorder => "reordered_messages_are_overtaken",
        FaultClass::DelayTail => "a_long_tail_delays_and_holds_up_its_link",
        FaultClass::Partition | FaultClass::OneWayPartition => "cuts_block_the_directions_that_they_name",
        FaultClass::IsolatePrimary => "isolating_the_primary_is_counted_only_if_it_was_the_primary",
        FaultClass::FarLatency => "long_tailed_and_bimodal_links_have_far_latencies",
        FaultClass::SlowLink => "a_slow_link_multiplies_its_latency",
        FaultClass::HugeDelay => "huge_delays_are_overtaken_and_end_at_their_bound",
        FaultClass::Bandwidth | FaultClass::Overflow => {
            "a_narrow_link_makes_messages_wait_and_drops_what_its_queue_cannot_hold"
        }
        FaultClass::Clog => "a_clogged_link_delivers_everything_later_and_in_order",
        FaultClass::Hold => "chosen_messages_are_held_by_kind_and_number_and_may_come_back_reversed",
        FaultClass::Replay => "old_messages_come_again",
        FaultClass::Corrupt => "damaged_frames_are_refused_unless_the_codec_is_blind",
        FaultClass::Crash => "messages_for_a_crashed_node_are_dropped_and_its_timer_dies",
        FaultClass::Restart => "a_restarted_node_is_not_restarted_by_the_end_of_an_earlier_crash",
        FaultClass::Pause => "what_a_paused_node_missed_it_handles_in_order_when_it_goes_on",
        FaultClass::LostWrite | FaultClass::TornWrite => "what_was_synced_survives_and_the_rest_does_not",
        FaultClass::KeptWrite => "unsynced_writes_may_be_kept_too",
        FaultClass::ReorderedWrite => "with_reordering_a_crash_may_keep_a_later_write_and_lose_an_earlier_one",
        FaultClass::SlowSync => "syncs_complete_in_the_order_of_their_calls",
        FaultClass::DiskStall => "a_stalled_disk_completes_nothing_and_then_everything_in_order",
        FaultClass::SyncError => "syncs_fail_by_chance_as_often_as_the_ratio_says_until_the_world_is_healed",
        FaultClass::DiskFull => "a_full_disk_takes_no_more_until_there_is_space_and_overwrites_what_it_has",
        FaultClass::LyingSync => "what_a_lying_sync_covers_is_lost_at_a_crash_unless_an_honest_sync_follows",
        FaultClass::BitRot => "bits_rot_only_where_they_have_settled",
        FaultClass::UnreadableSector => "an_unreadable_sector_reads_as_zeros_and_says_so",
        FaultClass::MisdirectedWrite => "a_misdirected_write_lands_on_other_bytes_and_its_place_keeps_what_it_held",
        FaultClass::ClockOffset => "a_clock_that_starts_ahead_reads_later_and_goes_at_the_true_rate",
        FaultClass::ClockDrift => "a_clock_that_drifts_reaches_its_deadline_sooner_or_later",
        FaultClass::ClockStep => "timers_follow_the_clock_of_their_node",
        FaultClass::ClockFreeze | FaultClass::ClockLeap => {
            "a_clock_that_stands_still_holds_its_timer_up_unless_it_leaps"
        }
        FaultClass::DiskCrash | FaultClass::CutWrite => {
            "the_power_fails_between_any_two_disk_operations_and_in_the_middle_of_one"
        }
        FaultClass::CrashLoop => "a_loop_crashes_as_often_as_it_says_and_healing_ends_it",
        FaultClass::Wipe => "a_node_whose_disk_was_taken_away_is_told_so_or_never_comes_back",
        FaultClass::Upgrade => {
            "an_upgrade_starts_a_process_with_another_version_and_so_does_one_of_a_node_that_is_down"
        }
        FaultClass::SlowApply => "work_is_done_in_order_and_takes_time_until_the_faults_end",
    }
}

/// The tests that show that nothing of any class happens where all of them are off: of messages, and of disks.
pub const OFF: [&str; 2] = [
    "without_faults_nothing_is_exposed",
    "with_no_fault_of_disks_nothing_happens_to_them",
];

/// The whole file.
pub fn file() -> String {
    let scenarios: Vec<Scenario> = builtin()
        .iter()
        .map(|of| parse(of.name, of.text, &[], &raft_kv::known()).expect("a built-in scenario is valid"))
        .collect();
    let mut text = "# Faults\n\n\
        What can be done to a cluster, class by class. `squall list faults` says the same. Each class counts its effects, not its\n\
        intentions. In brackets: the kind of value, and the default; every setting is described in full by `squall list settings`\n\
        and `squall schema scenario`.\n\n\
        A sweep of the scenarios in the last column fails when the class never fires in it (`[expect] fired`); `swarm` names all\n\
        classes. This file is written by `cargo run -p squall-cli --example faults`, and a test compares the two.\n\n\
        | class | what is counted | what sets it off | shown by the test | must fire in |\n|---|---|---|---|---|\n"
        .to_owned();
    for class in FaultClass::ALL {
        let must = |scenario: &&Scenario| {
            let mut fired = scenario.expect.fired.iter().flatten();
            fired.any(|expected| expected.name == class.name())
        };
        let must: Vec<&str> = scenarios.iter().filter(must).map(|of| of.name.as_str()).collect();
        let (name, about) = (class.name(), class.about());
        let knobs = knobs(class).replace('|', "\\|");
        let _ = writeln!(
            text,
            "| `{name}` | {about} | {knobs} | `{}` | {} |",
            shown_by(class),
            must.join(", ")
        );
    }
    let _ = write!(
        text,
        "\nThat nothing of all this happens where it is off: `{}`, `{}`, and for the service `none_of_them_happens_where_it_is_off`.\n\n\
         ## What a swarm draws from\n\n\
         Each seed of a scenario with `[swarm]` has each of these classes on or off, and draws how hard it strikes.\n\n\
         | class | what it does |\n|---|---|\n",
        OFF[0], OFF[1]
    );
    for class in CLASSES {
        let _ = writeln!(text, "| `{}` | {} |", class.name, class.about);
    }
    text
}

fn main() {
    print!("{}", file());
}
