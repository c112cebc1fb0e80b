//! What a sweep of a scenario must show, each with its rate: what `[expect]` names, and whatever the scenario switches on.

use super::Rate;
use crate::scenario::{Fault, FaultKind, Fires, Scenario, When};
use crate::situations::Situation;
use simulator::FaultClass;

/// Something that must come about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// What.
    pub what: What,
    /// In how many of the runs at least.
    pub rate: Rate,
}

/// What must come about in a sweep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Faults of a class.
    Class(FaultClass),
    /// A situation.
    Situation(Situation),
    /// The `[[fault]]` of this number has an effect.
    Fault(usize),
}

impl What {
    /// Its name: of the class, of the situation, or the number of the fault.
    pub fn name(self) -> String {
        match self {
            Self::Class(class) => class.name().to_owned(),
            Self::Situation(situation) => situation.name().to_owned(),
            Self::Fault(number) => format!("fault {number}"),
        }
    }
}

/// The rate of a fault that strikes by the clock.
pub const BY_CLOCK: Rate = Rate::one_in(2);
/// The rate of any other fault: one that waits for a situation, for a disk operation, for a kind of message.
pub const OTHERWISE: Rate = Rate::one_in(10);
/// The rate of what befalls unsynced writes: a crash must come while there are some.
const OF_UNSYNCED: u32 = 20;
/// Between two messages, and two syncs, no more time passes than this, while clients work.
const BETWEEN_MESSAGES_NS: u64 = 100_000_000;
const BETWEEN_SYNCS_NS: u64 = 500_000_000;

/// All that is due. What a `[swarm]` switches on is for its seeds to draw, so of that only what `[expect]` names is.
pub fn due(scenario: &Scenario) -> Vec<Due> {
    let mut all: Vec<Due> = Vec::new();
    let expect = &scenario.expect;
    for expected in expect.fired.iter().flatten() {
        if let Some(class) = FaultClass::from_name(&expected.name) {
            let rate = expected.rate.unwrap_or(Rate::NAMED);
            let what = What::Class(class);
            all.push(Due { what, rate });
        }
    }
    for expected in &expect.reach {
        if let Some(situation) = Situation::from_name(&expected.name) {
            let rate = expected.rate.unwrap_or(Rate::NAMED);
            let what = What::Situation(situation);
            all.push(Due { what, rate });
        }
    }
    if scenario.swarm.is_some() {
        return all;
    }
    for (class, rate) in switched_on(scenario) {
        let what = What::Class(class);
        if all.iter().all(|due| due.what != what) {
            all.push(Due { what, rate });
        }
    }
    for (number, fault) in scenario.faults.iter().enumerate() {
        let what = What::Fault(number);
        let rate = match fault.fires {
            Fires::Off => continue,
            Fires::At(rate) => rate,
            Fires::Derived => rate_of(fault, scenario.time.chaos_ns),
        };
        all.push(Due { what, rate });
    }
    all
}

/// How often a fault has an effect at all, where the scenario does not say so.
fn rate_of(fault: &Fault, chaos_ns: u64) -> Rate {
    let is_brief = fault.kind.lasts().is_some_and(|lasts| lasts.max_ns < 10_000_000);
    // What must wait for something else to show.
    let waits = matches!(
        fault.kind,
        FaultKind::Disk(_)
            | FaultKind::Wipe { .. }
            | FaultKind::Hold { .. }
            | FaultKind::CrashAtDisk { .. }
            | FaultKind::ReplayOld { .. }
    );
    match fault.when {
        When::Every(pause) if pause.max_ns.saturating_mul(4) <= chaos_ns && !is_brief && !waits => BY_CLOCK,
        When::At { .. } | When::Every(_) | When::Reached(_) => OTHERWISE,
    }
}

/// So many of a million runs, at least one and at most half.
fn share(millionths: u64) -> Rate {
    let of = millionths.clamp(1, 500_000) as u32;
    if of == 500_000 {
        return BY_CLOCK;
    }
    Rate { of, runs: 1_000_000 }
}

/// What befalls each of `count` things with a chance of so many millionths comes about in half of the runs in which it is likely
/// to, or in proportionally fewer.
fn each(ppm: u32, count: u64) -> Rate {
    share(u64::from(ppm).saturating_mul(count) / 2)
}

/// The classes that the sections of a scenario switch on, apart from its faults.
fn switched_on(scenario: &Scenario) -> Vec<(FaultClass, Rate)> {
    let Scenario {
        network,
        disk,
        clock,
        cluster,
        ..
    } = scenario;
    let links = &network.links;
    let pause = scenario.workload.think.max_ns;
    let messages = scenario.time.chaos_ns / (BETWEEN_MESSAGES_NS + pause);
    let syncs = scenario.time.chaos_ns / (BETWEEN_SYNCS_NS + pause);
    let unsynced = |ppm: u32| share(u64::from(ppm) / u64::from(OF_UNSYNCED));
    let ratios = [
        (FaultClass::Loss, network.loss_ppm, each(network.loss_ppm, messages)),
        (
            FaultClass::Duplicate,
            network.duplicate_ppm,
            each(network.duplicate_ppm, messages),
        ),
        (
            FaultClass::Reorder,
            network.reorder_ppm,
            each(network.reorder_ppm, messages / 4),
        ),
        (
            FaultClass::DelayTail,
            network.tail_ppm,
            each(network.tail_ppm, messages),
        ),
        (
            FaultClass::SlowLink,
            links.slow_ppm,
            share(u64::from(links.slow_ppm) / 2),
        ),
        (FaultClass::HugeDelay, links.huge_ppm, each(links.huge_ppm, messages)),
        (
            FaultClass::Corrupt,
            links.corrupt_ppm,
            each(links.corrupt_ppm, messages),
        ),
        (FaultClass::SlowSync, disk.slow_ppm, each(disk.slow_ppm, syncs)),
        (FaultClass::SyncError, disk.error_ppm, each(disk.error_ppm, syncs)),
        (FaultClass::TornWrite, disk.torn_ppm, unsynced(disk.torn_ppm)),
        (
            FaultClass::ReorderedWrite,
            disk.reorder_ppm,
            unsynced(disk.reorder_ppm / 4),
        ),
        (FaultClass::ClockDrift, clock.drift_max_ppm, BY_CLOCK),
    ];
    let mut all: Vec<(FaultClass, Rate)> = ratios
        .into_iter()
        .filter(|(_, ppm, _)| *ppm > 0)
        .map(|(class, _, rate)| (class, rate))
        .collect();
    let others = [
        (FaultClass::FarLatency, links.shape != crate::scenario::Shape::Uniform),
        (FaultClass::Bandwidth, links.bandwidth.is_some()),
        (FaultClass::ClockOffset, clock.offset_max_ns > 0),
        (FaultClass::SlowApply, cluster.apply.max_ns > 0),
    ];
    all.extend(
        others
            .into_iter()
            .filter(|(_, is_on)| *is_on)
            .map(|(class, _)| (class, Rate::NAMED)),
    );
    all
}
