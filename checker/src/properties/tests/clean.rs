//! Correct clusters under arbitrary schedules break nothing; with one guard taken out, the properties notice.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};

use super::cluster::{Cluster, Flaw};

/// A schedule from a seed, by SplitMix64: the same on every machine.
fn schedule(seed: u64, steps: u64) -> impl Iterator<Item = (u8, u8, u16)> {
    (0..steps).map(move |step| {
        let mut bits = (seed << 32 | step).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [choice, node, low, high, ..] = (bits ^ bits >> 31).to_le_bytes();
        (choice, node, u16::from_le_bytes([low, high]))
    })
}

/// The signature of the first violation of a run, or the number of entries that it committed.
fn run(size: u32, flaw: Flaw, steps: impl Iterator<Item = (u8, u8, u16)>) -> Result<u64, String> {
    let mut cluster = Cluster::new(size, flaw);
    for (choice, node, detail) in steps {
        cluster
            .step(choice, node, detail)
            .map_err(|violation| violation.signature())?;
    }
    cluster.at_rest().map_err(|violation| violation.signature())?;
    Ok(cluster.committed())
}

/// What `flaw` breaks in some runs, each once.
fn noticed(flaw: Flaw, runs: u64) -> Vec<String> {
    let mut signatures: Vec<String> = (0..runs)
        .filter_map(|seed| run(3 + seed as u32 % 3, flaw, schedule(seed, 3_000)).err())
        .collect();
    signatures.sort();
    signatures.dedup();
    signatures
}

#[test]
fn correct_clusters_break_nothing_and_make_progress() {
    let mut committed = 0;
    for seed in 0..150 {
        let size = 1 + seed as u32 % 5;
        committed += run(size, Flaw::None, schedule(seed, 3_000)).unwrap_or_else(|signature| {
            panic!("a correct cluster of {size} breaks {signature} under schedule {seed}");
        });
    }
    assert!(
        committed > 3_000,
        "the schedules of this test commit too little to mean anything: {committed}"
    );
}

#[test]
fn every_missing_guard_is_noticed() {
    for (flaw, property) in [
        (Flaw::VotesForAnyLog, "leader-completeness"),
        (Flaw::VotesBeforeSync, "one-durable-vote"),
        (Flaw::AcksBeforeSync, "committed-durable"),
        (Flaw::CommitsAnyTerm, "commit-own-term"),
        (Flaw::AppendsUnverified, "log-matching"),
        (Flaw::TruncatesAlways, "committed-immutable"),
        (Flaw::AppliesNodeNumber, "state-determinism"),
    ] {
        let signatures = noticed(flaw, 40);
        let found = signatures.iter().any(|signature| signature.starts_with(property));
        assert!(found, "{flaw:?} should break {property}, and breaks {signatures:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_schedules_of_correct_clusters_break_nothing(
        size in 1u32..6,
        steps in vec(any::<(u8, u8, u16)>(), 0..1_500),
    ) {
        run(size, Flaw::None, steps.into_iter()).unwrap();
    }
}
