//! In which order a trial runs what: scenarios by their shares, or what a search chooses.
//!
//! A trial knows nothing of its bug. Each scenario has a *share* of the events of a trial, and the next run is one of the scenario
//! that is furthest below its share; so many short runs stand beside few long ones, and which they are depends on events, which
//! are the same on every machine, and never on times.

use crate::explore::{Candidate, Outcome, Search, Strategy};
use crate::scenario::Scenario;
use std::collections::VecDeque;

/// Where the runs of a trial come from.
pub(super) enum Source<'a> {
    /// From shares of scenarios.
    Shares(Shares),
    /// From a search, a generation at a time: what is to be run, and what was.
    Search {
        search: Box<Search<'a>>,
        coming: VecDeque<Candidate>,
        done: Vec<(Candidate, Vec<u64>)>,
        wants_states: bool,
    },
}

/// Events for which the scenarios with the largest shares run before the others begin, divided by the share.
const AHEAD: u64 = 2_500;

/// What each scenario has had of its share.
pub(super) struct Shares {
    /// Events so far divided by the share, and the next seed.
    scenarios: Vec<(u64, u64)>,
    shares: Vec<u64>,
}

impl<'a> Source<'a> {
    /// From this seed on; by shares if there is no strategy.
    pub fn new(scenarios: &'a [Scenario], strategy: Option<Strategy>, first_seed: u64) -> Self {
        match strategy {
            Some(strategy) => Self::Search {
                search: Box::new(Search::new(scenarios, strategy, first_seed)),
                coming: VecDeque::new(),
                done: Vec::new(),
                wants_states: strategy == Strategy::Coverage,
            },
            None => Self::Shares(Shares {
                // What has a large share begins: nobody waits until all others have had a turn.
                scenarios: scenarios
                    .iter()
                    .map(|scenario| (AHEAD / share(&scenario.name), first_seed))
                    .collect(),
                shares: scenarios.iter().map(|scenario| share(&scenario.name)).collect(),
            }),
        }
    }

    /// Whether the states of a run are asked for.
    pub fn wants_states(&self) -> bool {
        matches!(self, Self::Search { wants_states: true, .. })
    }

    /// What to run next.
    pub fn next(&mut self) -> Candidate {
        match self {
            Self::Shares(shares) => shares.next(),
            Self::Search {
                search, coming, done, ..
            } => {
                if coming.is_empty() {
                    for (candidate, states) in done.drain(..) {
                        search.learn(candidate, &states);
                    }
                    coming.extend(search.generation());
                }
                coming.pop_front().expect("a generation is not empty")
            }
        }
    }

    /// It was run, and nothing found.
    pub fn passed(&mut self, candidate: Candidate, outcome: Outcome) {
        match self {
            Self::Shares(shares) => shares.spent(candidate.scenario, outcome.events),
            Self::Search { done, .. } => done.push((candidate, outcome.states)),
        }
    }
}

impl Shares {
    fn next(&mut self) -> Candidate {
        let furthest = (0..self.scenarios.len()).min_by_key(|index| self.scenarios[*index].0);
        let scenario = furthest.expect("a plan has scenarios");
        let seed = &mut self.scenarios[scenario].1;
        let candidate = Candidate::of_seed(scenario, *seed);
        *seed = seed.wrapping_add(1);
        candidate
    }

    fn spent(&mut self, scenario: usize, events: u64) {
        // A run without events has had its turn too.
        self.scenarios[scenario].0 += events.max(1).div_ceil(self.shares[scenario]);
    }
}

/// The share of a scenario. The short swarm finds most, and gets about a third of all events.
fn share(name: &str) -> u64 {
    match name {
        "gusts" => 30,
        "swarm" => 4,
        _ => 1,
    }
}
