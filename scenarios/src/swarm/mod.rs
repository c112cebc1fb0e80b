//! Swarm testing: each seed of a scenario with `[swarm]` draws a scenario of its own (Groce et al., "Swarm Testing", 2012).
//!
//! What everybody has on all the time hides what only shows without it. So each seed draws which *classes* of faults are on at all
//! (`classes`), how hard they strike, and *masks* (`masks`): settings of the cluster and habits of the clients under which bugs show
//! that the usual ones cover. What comes out is an ordinary scenario without `[swarm]`, as data: it is printed, it is in the trace,
//! and overrides are applied to it last.
//!
//! Each class and each mask draws from a stream of its own, so that one more class shifts no other. Combinations that are outside
//! of what Raft promises are not drawn; each says why where it is left out.

mod classes;
mod draws;
mod masks;
#[cfg(test)]
mod tests;

pub use classes::CLASSES;

use crate::scenario::{self, Choice, FaultKind, Flip, Flips, Scenario, ScenarioError, Swarm, When};
use draws::Draws;
use simulator::{Ratio, Stream};
use std::borrow::Cow;

/// The scenario that a seed runs: the given one, with one value of each list that stands for a value, and for one with `[swarm]` what
/// the seed draws from it.
///
/// # Errors
/// When an override does not fit what was drawn, for example one of a fault that this seed does not have.
pub fn resolve(scenario: &Scenario, seed: u64) -> Result<Cow<'_, Scenario>, ScenarioError> {
    let chosen = scenario.of_seed(seed)?;
    let Some(swarm) = &scenario.swarm else {
        return Ok(chosen);
    };
    let mut drawn = draw(&chosen, swarm, seed);
    if swarm.overrides.is_empty() {
        return Ok(Cow::Owned(drawn));
    }
    keep_removals_harmless(&mut drawn, &swarm.overrides);
    // A fault that comes too late in every case is drawn all the same, and no scenario that is read may have one: at its earliest
    // it comes in the last moment.
    let last = drawn.time.chaos_ns - 1;
    for fault in &mut drawn.faults {
        if let When::Every(pause) = &mut fault.when {
            pause.min_ns = pause.min_ns.min(last);
        }
    }
    let name = format!("{} as drawn by seed {seed:#018x}", scenario.name);
    let overridden = scenario::parse(&name, &drawn.to_toml(), &swarm.overrides, &scenario.known)?;
    Ok(Cow::Owned(overridden.of_seed(seed)?.into_owned()))
}

/// Where an override takes away the pre-vote that is drawn wherever members change, the quorum check stays on instead: without either,
/// a node that missed its removal may disturb for ever (Raft thesis, section 4.2.3).
fn keep_removals_harmless(drawn: &mut Scenario, overrides: &[(String, String)]) {
    let sets_pre_vote = overrides
        .iter()
        .any(|(path, value)| path == "cluster.pre_vote" && value.trim() != "true");
    if !sets_pre_vote || drawn.operator.is_none() {
        return;
    }
    drawn.cluster.check_quorum = Choice::one(true);
    for fault in &mut drawn.faults {
        if let FaultKind::Upgrade { flips, .. } = &mut fault.kind
            && let Some(others) = Flips::of(|flip| flips.has(flip) && flip != Flip::CheckQuorum)
        {
            *flips = others;
        }
    }
}

fn draw(scenario: &Scenario, swarm: &Swarm, seed: u64) -> Scenario {
    let mut drawn = scenario.clone();
    drawn.swarm = None;
    let mut on: Vec<&str> = Vec::new();
    for (index, class) in CLASSES.iter().enumerate() {
        let allowed = swarm
            .classes
            .as_ref()
            .is_none_or(|listed| listed.iter().any(|name| name == class.name));
        let is_drawn = Stream::new(seed, "swarm-class", index as u64).chance(Ratio::from_ppm(swarm.share_ppm));
        if allowed && is_drawn {
            on.push(class.name);
        }
    }
    let mut draws = Draws::new(seed, "swarm-masks", 0);
    let mask = masks::apply(&mut drawn, &on, &mut draws, &mut Draws::new(seed, "swarm-masks", 1));
    for (index, class) in CLASSES.iter().enumerate().filter(|(_, class)| on.contains(&class.name)) {
        let mut draws = Draws::new(seed, "swarm", index as u64);
        draws.mask = mask;
        (class.apply)(&mut drawn, &mut draws);
    }
    let known = drawn.known;
    if !known.has_log_settings {
        drawn.cluster.without_log_settings(&scenario.cluster);
    }
    for (at, setting) in known.settings.iter().enumerate() {
        if let Some(value) = setting.draw(seed) {
            drawn.settings.set(at, value);
        }
    }
    drawn
}

/// What a seed drew, for people: each setting that differs from the scenario's own, and each fault, as a line.
pub fn difference(base: &Scenario, drawn: &Scenario) -> Vec<String> {
    let (before, after) = (base.to_toml(), drawn.to_toml());
    let own: Vec<(&str, &str)> = lines(&before);
    let is_new = |line: &&(&str, &str)| line.0 == FAULT || !own.contains(line);
    let mut said: Vec<String> = Vec::new();
    for (section, line) in lines(&after).iter().filter(is_new) {
        match *section {
            FAULT if line.starts_with("kind") => said.push(format!("fault {line}")),
            FAULT => {
                if let Some(last) = said.last_mut() {
                    last.push_str(", ");
                    last.push_str(line);
                }
            }
            section => said.push(format!("{}.{line}", section.trim_matches(['[', ']']))),
        }
    }
    said
}

const FAULT: &str = "[[fault]]";

/// Each line of a scenario's file with its section.
fn lines(text: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('[') {
            section = line;
        } else if !section.is_empty() && section != "[expect]" {
            lines.push((section, line));
        }
    }
    lines
}
