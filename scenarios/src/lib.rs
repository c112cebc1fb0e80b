//! Squall: deterministic simulation testing for consensus. (docs follow)

pub mod nemesis;
pub mod run;
pub mod scenario;
pub mod setup;
pub mod situations;
pub mod systems;
pub mod verdict;
pub mod workloads;

/// The tool's name and version, as it stands in traces.
pub const TOOL: &str = concat!("squall ", env!("CARGO_PKG_VERSION"));
