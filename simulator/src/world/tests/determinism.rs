//! One seed is one run, whatever is watched and wherever it is forked.

use super::*;
use crate::digest::Digest;

fn digest_of(config: WorldConfig) -> Digest {
    let mut world = storm(config);
    world.run_until(at(2_500));
    assert!(world.steps() > 1_000, "a storm of {} steps is no storm", world.steps());
    assert_eq!(world.halted(), None);
    world.digest()
}

#[test]
fn the_same_seed_is_the_same_run_and_another_is_another() {
    assert_eq!(digest_of(stormy(1)), digest_of(stormy(1)));
    assert_ne!(digest_of(stormy(1)), digest_of(stormy(2)));
}

#[test]
fn recording_a_trace_changes_nothing() {
    let mut recorded = stormy(3);
    recorded.trace = true;
    assert_eq!(digest_of(recorded), digest_of(stormy(3)));
}

#[test]
fn steps_are_the_same_with_and_without_a_trace() {
    let mut recorded = stormy(3);
    recorded.trace = true;
    let (mut with, mut without) = (storm(recorded), storm(stormy(3)));
    while with.now() < at(500) {
        assert_eq!(with.step(), without.step());
    }
    assert!(without.take_trace().is_empty());
}

#[test]
fn a_clone_goes_on_as_the_original() {
    let mut original = storm(stormy(4));
    original.run_until(at(777));
    let mut clone = original.clone();
    original.run_until(at(2_500));
    assert_ne!(original.digest(), clone.digest());
    clone.run_until(at(2_500));
    assert_eq!(original.digest(), clone.digest());
    assert_eq!(original.exposure(), clone.exposure());
}

#[test]
fn stepping_and_running_are_the_same() {
    let (mut stepped, mut ran) = (storm(stormy(5)), storm(stormy(5)));
    while stepped.step_until(at(300)).is_some() {}
    for millis in 0..=300 {
        ran.run_until(at(millis));
    }
    assert_eq!((stepped.digest(), stepped.now()), (ran.digest(), ran.now()));
}

#[test]
fn the_digest_tells_what_was_said_and_written() {
    let digest = |word, byte| {
        // Said and written at the boot, so that no request carries them into the digest.
        let ops = vec![Op::Say(NodeId(1), word), Op::Write(0, vec![byte])];
        let setups = vec![Setup { ops, primary: false }, Setup::default()];
        let mut world = World::<Probe, Teller>::new(config(1), setups, vec![]);
        world.run_until(at(10));
        world.digest()
    };
    assert_eq!(digest(1, 1), digest(1, 1));
    assert_ne!(digest(1, 1), digest(2, 1));
    assert_ne!(digest(1, 1), digest(1, 2));
}

/// When each of ten nodes hears the word that node 0 says to it at its boot.
fn hearing_times(config: WorldConfig) -> Vec<Option<LocalTime>> {
    let ops = (1..=10).map(|node| Op::Say(NodeId(node), 1)).collect();
    let mut setups = vec![Setup { ops, primary: false }];
    setups.resize(11, Setup::default());
    let mut world = World::<Probe, Teller>::new(config, setups, vec![]);
    world.run_until(at(1_000));
    (1..=10)
        .map(|node| seen(&world, node).first().map(|(time, _)| *time))
        .collect()
}

#[test]
fn a_fault_that_is_switched_on_shifts_no_draws_of_another() {
    let mut calm = config(9);
    calm.network.latency = crate::latency::Latency::uniform(Duration(0), ms(15));
    let times = hearing_times(calm.clone());
    assert!(times.iter().all(Option::is_some));
    let mut faulty = calm.clone();
    (faulty.disk.lost, faulty.disk.torn) = (Ratio::ZERO, Ratio::from_percent(50));
    plan(
        &mut faulty,
        500,
        FaultAction::Pause {
            target: Target::Random,
            resume_after: None,
        },
    );
    assert_eq!(hearing_times(faulty), times);
    // Loss takes words away and leaves the others where they were.
    calm.network.loss = Ratio::from_percent(50);
    let fewer = hearing_times(calm);
    let lost = fewer.iter().filter(|time| time.is_none()).count();
    assert!((1..10).contains(&lost), "{lost}");
    assert!(
        fewer
            .iter()
            .zip(times)
            .all(|(after, before)| after.is_none() || *after == before)
    );
}

#[test]
fn each_event_of_a_trace_names_an_earlier_cause() {
    let mut config = stormy(6);
    config.trace = true;
    let mut world = storm(config);
    world.run_until(at(2_500));
    let events = world.take_trace();
    let mut kinds = std::collections::BTreeMap::new();
    for event in &events {
        assert!(event.cause.is_none_or(|cause| cause < event.seq), "{event:?}");
        kinds.insert(event.seq, event.kind.clone());
    }
    assert_eq!(kinds.len(), events.len(), "numbers are unique");
    assert!(events.is_sorted_by_key(|event| (event.t, event.seq)));
    let cause_kind = |event: &TraceEvent| event.cause.map(|cause| kinds[&cause].as_ref());
    for event in &events {
        match event.kind.as_ref() {
            "deliver" | "request" | "response" | "drop" | "duplicate" => assert_eq!(cause_kind(event), Some("send")),
            "sync" | "sync-fails" | "sync-lies" => assert_eq!(cause_kind(event), Some("sync-start")),
            "worked" => assert_eq!(cause_kind(event), Some("work")),
            "restart" => assert_eq!(cause_kind(event), Some("crash")),
            "kept" | "lost" | "torn" => assert!(matches!(cause_kind(event), Some("crash" | "sync-fails"))),
            "seen" => assert!(matches!(
                cause_kind(event),
                Some("deliver" | "timer" | "sync" | "sync-failed" | "request" | "worked")
            )),
            _ => {}
        }
    }
    let all: std::collections::BTreeSet<_> = kinds.into_values().collect();
    for kind in [
        "boot",
        "send",
        "deliver",
        "request",
        "response",
        "duplicate",
        "drop",
        "timer",
        "write",
        "discard",
        "sync-start",
        "sync",
        "kept",
        "lost",
        "torn",
        "crash",
        "restart",
        "pause",
        "resume",
        "clock",
        "cut",
        "mend",
        "seen",
        "tell",
    ] {
        assert!(all.contains(kind), "no {kind} in {all:?}");
    }
}
