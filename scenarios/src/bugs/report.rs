//! What the trials of one bug come to: how often it was found, by what, and the quantiles of what that took.

use super::{Finding, Trial};
use crate::recovery::RECOVERS;
use crate::run::LINEARIZABLE;
use crate::system::PlantedBug;
use serde::Serialize;

/// The trials of one bug, in the order of their ranges.
#[derive(Clone, Debug, Serialize)]
pub struct BugReport {
    /// The bug.
    pub bug: &'static PlantedBug,
    /// With every property.
    pub trials: Vec<Trial>,
    /// With linearizability only.
    pub blind: Vec<Trial>,
}

/// A quantile over trials of which some are censored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "value")]
pub enum Quantile {
    /// This much.
    Exactly(u64),
    /// The trial at this rank is censored: more than what it had used when it ended.
    MoreThan(u64),
}

impl BugReport {
    pub(super) fn new(bug: &'static PlantedBug) -> Self {
        Self {
            bug,
            trials: Vec::new(),
            blind: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, _range: u64, blind: bool, trial: Trial) {
        let trials = if blind { &mut self.blind } else { &mut self.trials };
        let at = trials.partition_point(|other| other.first_seed < trial.first_seed);
        trials.insert(at, trial);
    }

    /// In how many trials it was found.
    pub fn times_found(&self) -> usize {
        found(&self.trials).count()
    }

    /// In how many blind trials it was found.
    pub fn times_found_blind(&self) -> usize {
        found(&self.blind).count()
    }

    /// Whether a client could have seen it: a history without a linearization, or a cluster that does not recover.
    pub fn is_visible(&self) -> bool {
        let outside = |finding: &Finding| [LINEARIZABLE, RECOVERS].contains(&finding.property.as_str());
        found(&self.blind).any(|finding| finding.property == LINEARIZABLE) || found(&self.trials).any(outside)
    }

    /// The finding that most trials share with others: the first of the most frequent pair of scenario and property.
    pub fn typical(&self) -> Option<&Finding> {
        let alike = |one: &Finding, other: &Finding| one.scenario == other.scenario && one.property == other.property;
        let count = |finding: &Finding| found(&self.trials).filter(|other| alike(finding, other)).count();
        // Of equals the first one, which `max_by_key` would give from behind.
        found(&self.trials).rev().max_by_key(|finding| count(finding))
    }

    /// The `percent`-quantile of the runs up to the detection, each of a seed of its own; `None` without trials.
    pub fn runs(&self, percent: usize) -> Option<Quantile> {
        quantile(&self.trials, percent, |trial| trial.runs)
    }

    /// The same of processor time, in microseconds.
    pub fn cpu_us(&self, percent: usize) -> Option<Quantile> {
        quantile(&self.trials, percent, |trial| trial.cpu_us)
    }

    /// The same of the blind trials.
    pub fn blind_cpu_us(&self, percent: usize) -> Option<Quantile> {
        quantile(&self.blind, percent, |trial| trial.cpu_us)
    }
}

/// The median over bugs of the median processor time to the detection, in microseconds; bugs that were not found in half of
/// their trials come last. `None` without bugs.
pub fn median_of_medians<'a>(reports: impl IntoIterator<Item = &'a BugReport>) -> Option<Quantile> {
    let place = |quantile: &Quantile| match *quantile {
        Quantile::Exactly(value) => (false, value),
        Quantile::MoreThan(value) => (true, value),
    };
    let mut medians: Vec<Quantile> = reports.into_iter().filter_map(|report| report.cpu_us(50)).collect();
    medians.sort_by_key(place);
    medians.get(medians.len().div_ceil(2).checked_sub(1)?).copied()
}

fn found(trials: &[Trial]) -> impl DoubleEndedIterator<Item = &Finding> {
    trials.iter().filter_map(|trial| trial.found.as_ref())
}

/// By nearest rank, with every censored trial behind all others.
fn quantile(trials: &[Trial], percent: usize, of: impl Fn(&Trial) -> u64) -> Option<Quantile> {
    let mut values: Vec<(bool, u64)> = trials.iter().map(|trial| (trial.found.is_none(), of(trial))).collect();
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).map(|(censored, value)| match censored {
        true => Quantile::MoreThan(*value),
        false => Quantile::Exactly(*value),
    })
}
