//! Squall: deterministic simulation testing for consensus. (docs follow)

pub mod clock;
pub mod expectation;
pub mod nemesis;
pub mod panics;
pub mod recovery;
pub mod run;
pub mod scenario;
pub mod setup;
pub mod situations;
pub mod sweep;
pub mod systems;
pub mod verdict;
pub mod workloads;

use std::sync::LazyLock;

/// The tool's name and version, as it stands in traces.
pub const TOOL: &str = concat!("squall ", env!("CARGO_PKG_VERSION"));

/// The names that scenarios may use: all properties that a run is held against, and all fault classes.
pub fn known() -> scenario::Known<'static> {
    static PROPERTIES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let online = checker::properties::PROPERTIES.iter().map(|property| property.name);
        online.chain([run::LINEARIZABLE, recovery::RECOVERS]).collect()
    });
    static FAULT_CLASSES: LazyLock<Vec<&str>> =
        LazyLock::new(|| simulator::FaultClass::ALL.iter().map(|class| class.name()).collect());
    scenario::Known {
        properties: &PROPERTIES,
        fault_classes: &FAULT_CLASSES,
    }
}
