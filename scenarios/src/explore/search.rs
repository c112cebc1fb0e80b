//! What to run next: the strategies.
//!
//! A search gives candidates in *generations* of fixed size, all of them drawn before any is judged, and learns from them in
//! their order. So what it tries depends on its first seed and on what the runs did, never on who ran them how fast.

use super::plan::{self, Bounds, Strike};
use crate::nemesis;
use crate::scenario::Scenario;
use crate::setup::Draw;
use crate::swarm;
use serde::{Deserialize, Serialize};
use simulator::{PlannedFault, Stream, Time};
use std::collections::BTreeSet;

/// Candidates of a generation.
pub const GENERATION: usize = 32;
/// Most runs that are kept to be changed.
const KEPT: usize = 1_024;
/// Most strikes of a plan that is bounded in delays.
const DEPTH: u64 = 6;

/// How candidates are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Seeds, one after the other.
    Random,
    /// Few strikes, at random times: most bugs need a few events in the right order, and the fewer there are the likelier is any
    /// given order of them. After the probabilistic concurrency testing of Burckhardt et al. (2010), whose priority changes
    /// are here messages that are held, and strikes of the scenario.
    Pct,
    /// Runs that reached states which no run before had reached are kept, and their faults changed.
    Coverage,
}

impl Strategy {
    /// All, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Random, Self::Pct, Self::Coverage];

    /// Its name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Pct => "pct",
            Self::Coverage => "coverage",
        }
    }

    /// What it does, in one line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Random => "seeds, one after the other",
            Self::Pct => "few strikes and delays at random times",
            Self::Coverage => "what reaches new states is run again with other faults",
        }
    }
}

/// A run to be made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Candidate {
    /// The scenario, as an index of the search's.
    pub scenario: usize,
    /// The seed.
    pub seed: u64,
    /// The faults by the clock, unless they are those that the seed draws.
    pub plan: Option<Vec<PlannedFault>>,
    /// Whether faults that wait for situations are left out.
    pub without_triggers: bool,
    /// Which kept run it was made from.
    #[serde(skip)]
    parent: Option<usize>,
}

impl Candidate {
    /// A seed as it is.
    pub fn of_seed(scenario: usize, seed: u64) -> Self {
        Self {
            scenario,
            seed,
            plan: None,
            without_triggers: false,
            parent: None,
        }
    }
}

/// A run that is worth changing.
#[derive(Clone, Debug)]
struct Kept {
    scenario: usize,
    seed: u64,
    plan: Vec<PlannedFault>,
    bounds: Bounds,
    /// States that it was the first to reach.
    new_states: u64,
    /// How often it was changed, and how many new states that gave.
    tried: u64,
}

/// A search over scenarios, from a first seed on.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    scenarios: &'a [Scenario],
    strategy: Strategy,
    stream: Stream,
    next_seed: u64,
    next_scenario: usize,
    seen: BTreeSet<u64>,
    kept: Vec<Kept>,
}

impl<'a> Search<'a> {
    /// Over at least one scenario.
    pub fn new(scenarios: &'a [Scenario], strategy: Strategy, first_seed: u64) -> Self {
        assert!(!scenarios.is_empty(), "a search has a scenario");
        Self {
            scenarios,
            strategy,
            stream: Stream::new(first_seed, "explore", 0),
            next_seed: first_seed,
            next_scenario: 0,
            seen: BTreeSet::new(),
            kept: Vec::new(),
        }
    }

    /// States seen so far.
    pub fn seen(&self) -> usize {
        self.seen.len()
    }

    /// Runs that are kept to be changed.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// The next candidates.
    pub fn generation(&mut self) -> Vec<Candidate> {
        (0..GENERATION).map(|_| self.candidate()).collect()
    }

    fn candidate(&mut self) -> Candidate {
        match self.strategy {
            Strategy::Random => self.fresh(),
            Strategy::Pct => self.few_strikes(),
            // Half of the budget finds new beginnings.
            Strategy::Coverage if self.kept.is_empty() || self.stream.below(2) == 0 => self.fresh(),
            Strategy::Coverage => self.changed(),
        }
    }

    /// The next seed of the next scenario.
    fn fresh(&mut self) -> Candidate {
        let (scenario, seed) = (self.next_scenario, self.next_seed);
        self.next_scenario = (scenario + 1) % self.scenarios.len();
        if self.next_scenario == 0 {
            self.next_seed = seed.wrapping_add(1);
        }
        Candidate::of_seed(scenario, seed)
    }

    /// The next seed with a few strikes, half of them its own at other times, half of them messages that are held.
    fn few_strikes(&mut self) -> Candidate {
        let mut candidate = self.fresh();
        let Some((plan, bounds)) = drawn(&self.scenarios[candidate.scenario], candidate.seed) else {
            return candidate;
        };
        let at_start = |strike: &Strike| strike[0].at == Time(0);
        let (mut chosen, drawn): (Vec<Strike>, Vec<Strike>) = plan::strikes(&plan).into_iter().partition(at_start);
        for _ in 0..self.stream.range(1, DEPTH) {
            let own = self.stream.pick(&drawn).cloned();
            let strike = match own {
                Some(mut strike) if self.stream.below(2) == 0 => {
                    plan::place(&mut strike, bounds, &mut self.stream);
                    strike
                }
                _ => plan::held(bounds, &mut self.stream),
            };
            chosen.push(strike);
        }
        candidate.plan = Some(plan::together(chosen));
        candidate.without_triggers = true;
        candidate
    }

    /// A kept run with its faults changed; the best of three, by the states that it gave for each time it was tried.
    fn changed(&mut self) -> Candidate {
        let drawn: [usize; 3] = std::array::from_fn(|_| self.stream.below(self.kept.len() as u64) as usize);
        let worth = |index: &usize| (self.kept[*index].new_states << 16) / (1 + self.kept[*index].tried);
        let parent = drawn.into_iter().max_by_key(worth).expect("there are three");
        let kept = &mut self.kept[parent];
        kept.tried += 1;
        Candidate {
            scenario: kept.scenario,
            seed: kept.seed,
            plan: Some(plan::mutated(&kept.plan, kept.bounds, &mut self.stream)),
            without_triggers: false,
            parent: Some(parent),
        }
    }

    /// Learns the states that a candidate reached, in any order. Gives how many of them are new.
    pub fn learn(&mut self, candidate: Candidate, states: &[u64]) -> u64 {
        if self.strategy != Strategy::Coverage {
            return 0;
        }
        let new_states = states.iter().filter(|state| self.seen.insert(**state)).count() as u64;
        if let Some(parent) = candidate.parent {
            self.kept[parent].new_states += new_states;
        }
        if new_states == 0 {
            return 0;
        }
        let Some((plan, bounds)) = drawn(&self.scenarios[candidate.scenario], candidate.seed) else {
            return new_states;
        };
        let kept = Kept {
            scenario: candidate.scenario,
            seed: candidate.seed,
            plan: candidate.plan.unwrap_or(plan),
            bounds,
            new_states,
            tried: 0,
        };
        if self.kept.len() < KEPT {
            self.kept.push(kept);
        } else {
            let index = self.stream.below(KEPT as u64) as usize;
            self.kept[index] = kept;
        }
        new_states
    }
}

/// The plan that a seed draws, and what may be changed of it; `None` where it draws no scenario that fits the overrides.
fn drawn(scenario: &Scenario, seed: u64) -> Option<(Vec<PlannedFault>, Bounds)> {
    let scenario = swarm::resolve(scenario, seed).ok()?;
    let draw = Draw::new(&scenario, seed);
    let bounds = Bounds {
        nodes: draw.all_nodes(),
        end: Time(scenario.time.chaos_ns),
        message_kinds: scenario.known.message_kinds,
    };
    Some((nemesis::plan(&scenario, &draw, seed), bounds))
}
