//! Squall: deterministic simulation testing for consensus. (docs follow)

pub mod nemesis;
pub mod scenario;
pub mod setup;
pub mod systems;
pub mod workloads;
