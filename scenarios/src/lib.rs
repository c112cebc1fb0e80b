//! Squall: deterministic simulation testing for consensus.
//!
//! This crate puts the three pillars together: services on `raft-core` ([`systems`]) run as processes of the `simulator`'s world
//! under faults drawn from a scenario ([`scenario`], [`setup`], [`nemesis`]), with clients and operators ([`workloads`]), while the
//! `checker` looks on ([`run`]). Many runs are a [`sweep`]; how
//! long it takes to find a planted bug is measured by [`bugs`]. The `squall` binary is the command line to it.
//!
//! ```
//! use scenarios::run::{RunOptions, run};
//! use scenarios::scenario;
//!
//! let calm = scenario::find("calm").expect("a built-in scenario");
//! let settings = [("time.chaos".to_owned(), "2s".to_owned())];
//! let calm = scenario::parse(calm.name, calm.text, &settings, &scenarios::known())?;
//! let report = run(&calm, 7, RunOptions::default());
//! assert_eq!(report.failure, None);
//! assert_eq!(report.digest, run(&calm, 7, RunOptions::default()).digest, "one seed is one run");
//! # Ok::<(), scenario::ScenarioError>(())
//! ```

pub mod budget;
pub mod bugs;
pub mod capsule;
pub mod check;
pub mod clock;
pub mod expectation;
pub mod explain;
pub mod explore;
pub mod export;
pub mod knobs;
pub mod nemesis;
pub mod panics;
pub mod plain;
pub mod recovery;
pub mod run;
pub mod scenario;
pub mod setup;
pub mod shrink;
pub mod situations;
pub mod swarm;
pub mod sweep;
pub mod systems;
pub mod timeline;
pub mod verdict;
pub mod view;
pub mod whole;
pub mod workloads;

use std::sync::LazyLock;

/// The tool's name and version, as it stands in traces.
pub const TOOL: &str = concat!("squall ", env!("CARGO_PKG_VERSION"));

/// The names that scenarios may use: all properties that a run is held against, all fault classes and all situations.
pub fn known() -> scenario::Known<'static> {
    static PROPERTIES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let online = checker::properties::PROPERTIES.iter().map(|property| property.name);
        online.chain([run::LINEARIZABLE, recovery::RECOVERS]).collect()
    });
    static FAULT_CLASSES: LazyLock<Vec<&str>> =
        LazyLock::new(|| simulator::FaultClass::ALL.iter().map(|class| class.name()).collect());
    static SWARM_CLASSES: LazyLock<Vec<&str>> =
        LazyLock::new(|| swarm::CLASSES.iter().map(|class| class.name).collect());
    scenario::Known {
        properties: &PROPERTIES,
        fault_classes: &FAULT_CLASSES,
        situations: &situations::Situation::NAMES,
        swarm_classes: &SWARM_CLASSES,
    }
}
