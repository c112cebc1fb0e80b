//! Squall: deterministic simulation testing, for any sans-IO system.
//!
//! A [system](system::System) runs as processes of the `simulator`'s world under faults drawn from a scenario ([`scenario`], [`setup`],
//! [`nemesis`]), with clients and operators ([`workloads`]), while the `checker` looks on ([`mod@run`]). Many runs are a [`sweep`]; a failing
//! one is a [`capsule`], made smaller by [`mod@shrink`], told by [`mod@explain`] and shown by [`view`]; how long it takes to find a planted bug is
//! measured by [`bugs`]. [`main`] is the whole command line, and [`check!`] a property test.
//!
//! A system of one's own, complete: every node answers for itself, which is no register at all, and a sweep finds that out.
//!
//! ```
//! use serde::Serialize;
//! use squall::prelude::*;
//! use squall::run::{RunOptions, run};
//! use std::collections::BTreeMap;
//!
//! /// What clients ask, and what they are told: the number of the operation, the key, and the value.
//! #[derive(Clone, Debug, Serialize)]
//! struct Ask(u64, Key, Option<Value>);
//!
//! #[derive(Clone, Debug, Serialize)]
//! struct Told(u64, Option<Value>);
//!
//! impl Payload for Ask {}
//! impl Payload for Told {}
//!
//! struct Alone(BTreeMap<Key, Value>);
//!
//! impl Process for Alone {
//!     type Config = ();
//!     type Message = Never;
//!     type Request = Ask;
//!     type Response = Told;
//!
//!     fn boot(_: &(), _: &DiskImage<'_>, _: &mut Context<'_, Self>) -> Self {
//!         Self(BTreeMap::new())
//!     }
//!
//!     fn on_message(&mut self, _: NodeId, message: Never, _: &mut Context<'_, Self>) {
//!         match message {}
//!     }
//!
//!     fn on_request(&mut self, client: ClientId, Ask(number, key, write): Ask, ctx: &mut Context<'_, Self>) {
//!         let read = write.is_none().then(|| self.0.get(&key).cloned().unwrap_or_default());
//!         self.0.extend(write.map(|value| (key, value)));
//!         ctx.respond(client, Told(number, read));
//!     }
//! }
//!
//! struct NoRegister;
//!
//! impl System for NoRegister {
//!     type Process = Alone;
//!
//!     fn name(&self) -> &'static str {
//!         "no-register"
//!     }
//!
//!     fn models(&self) -> &'static [Model] {
//!         &[Model::Register]
//!     }
//!
//!     fn boot(&self, _: &Cluster<'_>, _: NodeId) {}
//!
//!     fn request(&self, operation: Operation, attempt: Attempt) -> Option<Ask> {
//!         match operation {
//!             Operation::Read { key } => Some(Ask(attempt.sequence, key, None)),
//!             Operation::Write { key, value } => Some(Ask(attempt.sequence, key, Some(value))),
//!             _ => None,
//!         }
//!     }
//!
//!     fn answer(&self, Told(number, read): Told) -> Answer {
//!         Answer::new(number, read.map_or(Reply::Done, |value| Reply::Value { value }))
//!     }
//! }
//!
//! let system = squall::register(NoRegister);
//! let partitions = system.scenario("partitions")?;
//! let partitions = squall::scenario::parse(partitions.name, partitions.text, &[], &system.known)?;
//! let report = run(&partitions, 7, RunOptions::default());
//! assert_eq!(report.failure.expect("clients see that nodes disagree").signature, "linearizable/register");
//! let again = run(&partitions, 7, RunOptions::default());
//! assert_eq!(report.digest, again.digest, "one seed is one run");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod budget;
pub mod bugs;
pub mod capsule;
pub mod check;
mod cli;
pub mod clock;
pub mod course;
pub mod draw;
pub mod expectation;
pub mod explain;
pub mod explore;
pub mod export;
pub mod knobs;
pub mod nemesis;
pub mod operation;
pub mod panics;
pub mod plain;
pub mod prelude;
pub mod records;
pub mod recovery;
pub mod run;
pub mod scenario;
pub mod setup;
pub mod shrink;
pub mod situations;
pub mod swarm;
pub mod sweep;
pub mod system;
pub mod tally;
pub mod timeline;
pub mod timers;
pub mod verdict;
pub mod view;
pub mod whole;
pub mod workloads;

#[cfg(test)]
extern crate self as squall;

/// The engine's own tests run it under a system: that of `systems/raft-kv`, compiled into the test build, as tests of a crate cannot
/// depend on a crate that depends on theirs.
#[cfg(test)]
#[allow(dead_code, unused_imports, reason = "the tests use a part of it")]
#[path = "../../systems/raft-kv/src/lib.rs"]
mod raft_kv;

pub use checker;
pub use simulator;

/// The tool's name and version, as it stands in traces.
pub const TOOL: &str = concat!("squall ", env!("CARGO_PKG_VERSION"));

pub use run::register;

/// A system that was made known to this program: what [`main`] takes.
#[derive(Clone, Copy, Debug)]
pub struct Registered(&'static system::Info);

impl<S: system::System> From<S> for Registered {
    fn from(system: S) -> Self {
        Self(register(system))
    }
}

impl Registered {
    /// What is known of it.
    pub fn info(self) -> &'static system::Info {
        self.0
    }
}

/// The whole command line for these systems, of which the first is the one that is meant where none is named: what a program's `main`
/// is made of. See [`system::System`] for an example.
///
/// # Panics
/// When there is no system.
pub fn main(systems: impl IntoIterator<Item = Registered>) -> std::process::ExitCode {
    let first = systems.into_iter().fold(None, |first, system| first.or(Some(system)));
    assert!(first.is_some(), "a program has at least one system");
    cli::main()
}
