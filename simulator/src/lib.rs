//! A seeded, single-threaded world in which any sans-IO protocol runs, and much goes wrong.
//!
//! Implement [`Process`] for a protocol and [`Client`] for who uses it, make a [`World`], and step through it: one seed is one
//! run, and the same seed is the same run, to the last event, on every machine. The world loses, delays, duplicates and
//! reorders messages, cuts links, tears disks, bends clocks, and kills and pauses processes; it knows nothing of what they do.
//!
//! # Ping-pong
//!
//! A complete protocol: node 0 pings node 1, which counts the pings on its disk before it answers. Half of the messages
//! are lost, and node 1 is killed on the way.
//!
//! ```
#![doc = include_str!("../examples/ping_pong.rs")]
//! ```
//!
//! A larger one, two-phase commit with a variant that is wrong in one place and is found by a sweep over seeds, is
//! `tests/two_phase_commit.rs`.
//!
//! # What lies where
//!
//! | module | is |
//! |---|---|
//! | [`time`], [`id`], [`random`], [`latency`] | points and spans of virtual time, endpoints, named random streams, distributions |
//! | [`decision`] | what chance decides, written down and given back under keys of its own |
//! | [`process`], [`client`] | the two traits, and the contexts through which a process or a client acts |
//! | [`network`], [`disk`], [`clock`] | links and cuts, volatile writes and what crashes leave of them, offset and drift |
//! | [`fault`], [`exposure`] | faults as data, and how often each class of them really hit something |
//! | [`config`], [`world`], [`step`] | what a world is made of, the world itself, and what it tells its observer |
//! | [`digest`], [`trace`] | one value that equal runs share; the whole story, each event with its cause |
//!
//! # Determinism
//!
//! There is one thread, one queue ordered by `(time, ticket)`, and one source of chance, split into named streams
//! ([`random`]). Nothing reads the machine's clock, iterates an unordered map, or decides by a float. A process must do
//! likewise; [`World::digest`] shows when one does not.

pub mod client;
pub mod clock;
pub mod config;
pub mod decision;
pub mod digest;
pub mod disk;
mod event;
pub mod exposure;
pub mod fault;
pub mod id;
mod kernel;
pub mod latency;
pub mod network;
pub mod process;
mod queue;
pub mod random;
mod serialized;
pub mod step;
pub mod time;
mod timer;
pub mod trace;
pub mod world;

pub use client::{Client, ClientContext, ClientOf, NoClient};
pub use clock::{Clock, ClockConfig};
pub use config::{ConfigError, WorldConfig};
pub use decision::{Chance, Decisions, Place, Subject, Topic, Whom};
pub use digest::{Digest, Stamp};
pub use disk::{DiskConfig, DiskError, DiskFault, DiskImage, SyncToken};
pub use exposure::{Exposure, FaultClass};
pub use fault::{Applied, FaultAction, FaultError, Held, OneWay, PlannedFault, Target};
pub use id::{ClientId, ClientIds, Endpoint, NodeId, NodeIds};
pub use latency::Latency;
pub use network::{CutId, DropReason, LinkConfig, NetworkConfig, Shape};
pub use process::{Context, Never, Payload, Process};
pub use random::{Ratio, Stream};
pub use step::{Halt, SkipReason, Step, StepKind};
pub use time::{Duration, LocalTime, Time};
pub use trace::{EventLine, Fields, TraceEvent, TraceSink};
pub use world::World;
