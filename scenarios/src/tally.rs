//! What many runs of one scenario come to, added up.

use crate::run::RunReport;
use crate::situations::Situations;
use simulator::Exposure;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// All runs of one scenario.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs, without the second ones that verify determinism.
    pub runs: u64,
    /// Runs that did not end as the scenario expects.
    pub failed: u64,
    /// Runs that were done twice and compared.
    pub verified: u64,
    /// Events handled.
    pub events: u64,
    /// True time, in nanoseconds.
    pub simulated_ns: u128,
    /// Operations that clients started.
    pub operations: u64,
    /// Of those, how many have an unknown outcome.
    pub unknown_outcomes: u64,
    /// Log entries committed.
    pub committed: u64,
    /// The digests of all runs, folded in the order of their jobs: sweeps with equal ones did the same, run by run.
    pub digests: u64,
    /// How often each fault fired.
    pub exposure: Exposure,
    /// How often each situation was reached.
    pub situations: Situations,
    /// The slowest of the runs to each [`Milestone`](crate::recovery::Milestone) after the faults, in thousandths of the longest
    /// election timeout.
    pub slowest: [u64; 4],
    /// In how many runs each fault fired.
    pub runs_with_fault: Exposure,
    /// In how many runs each situation was reached.
    pub runs_with_situation: Situations,
    /// In how many runs each `[[fault]]` had an effect; empty where each seed draws faults of its own.
    pub runs_with_effect: Vec<u64>,
}

impl Tally {
    /// Of one run, which is judged elsewhere.
    pub fn of(report: &RunReport) -> Self {
        Self {
            runs: 1,
            failed: 0,
            verified: 0,
            events: report.events,
            simulated_ns: report.end.0.into(),
            operations: report.operations as u64,
            unknown_outcomes: report.unknown_outcomes as u64,
            committed: report.committed,
            digests: xxh3_64(&report.digest.0),
            exposure: report.exposure.clone(),
            situations: report.situations,
            slowest: report.recovered,
            runs_with_fault: report.exposure.present(),
            runs_with_situation: report.situations.present(),
            runs_with_effect: report.effective.iter().map(|had| u64::from(*had)).collect(),
        }
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        self.runs += other.runs;
        self.failed += other.failed;
        self.verified += other.verified;
        self.events += other.events;
        self.simulated_ns += other.simulated_ns;
        self.operations += other.operations;
        self.unknown_outcomes += other.unknown_outcomes;
        self.committed += other.committed;
        self.digests = xxh3_64_with_seed(&other.digests.to_le_bytes(), self.digests);
        self.exposure.merge(&other.exposure);
        self.situations.merge(&other.situations);
        for (slowest, other) in self.slowest.iter_mut().zip(other.slowest) {
            *slowest = (*slowest).max(other);
        }
        self.runs_with_fault.merge(&other.runs_with_fault);
        self.runs_with_situation.merge(&other.runs_with_situation);
        let faults = self.runs_with_effect.len().max(other.runs_with_effect.len());
        self.runs_with_effect.resize(faults, 0);
        for (runs, more) in self.runs_with_effect.iter_mut().zip(&other.runs_with_effect) {
            *runs += more;
        }
    }
}
