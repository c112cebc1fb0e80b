//! The Raft consensus algorithm as a pure state machine: no clock, no socket, no thread, no file, no global randomness.
//!
//! One sentence is the whole contract: **after each [`Raft::handle`], drain [`Raft::poll_output`] to `None`, and come back
//! at [`Raft::next_deadline`].** What happens outside goes in as [`Input`], with the node's own clock; what must be done
//! comes out as [`Output`]. The core never blocks, never calls back and allocates only for entries.
//!
//! A cluster of one, driven by hand:
//!
//! ```
//! use raft_core::{Config, DurableState, Input, NodeId, Outcome, Output, Raft, RequestId, Role, Time};
//!
//! let config = Config::new(NodeId(1), vec![NodeId(1)], 7);
//! let mut raft = Raft::restore(config, DurableState::default(), Time(0)).expect("a valid configuration");
//! let mut inputs = vec![Input::Timeout];
//! let mut proposed = false;
//! loop {
//!     let Some(input) = inputs.pop() else { break };
//!     let now = raft.next_deadline().unwrap_or(Time(0)); // the core never goes back
//!     raft.handle(now, input);
//!     while let Some(output) = raft.poll_output() {
//!         match output {
//!             Output::Send(_) => unreachable!("there is nobody to talk to"),
//!             Output::Persist(write) => inputs.push(Input::Persisted(write.id)), // after the fsync, in earnest
//!             Output::Apply(entry) => inputs.push(Input::Applied(entry.index)),
//!             Output::Restore(_) | Output::TakeSnapshot { .. } => unreachable!("no snapshots were asked for"),
//!             Output::Answer(answer) => assert_eq!(answer.outcome, Outcome::Committed { index: 2, term: 1 }),
//!         }
//!     }
//!     if raft.status().role == Role::Leader && !proposed {
//!         proposed = true;
//!         inputs.push(Input::Propose { id: RequestId(1), payload: b"hello".as_slice().into() });
//!     }
//! }
//! assert_eq!(raft.status().applied, 2); // the leader's no-op and the command
//! ```
//!
//! # The path of a message
//!
//! `handle` → `raft` (the rules for all servers: terms) → `election`, `replication`, `snapshot`, `read`, `transfer`,
//! `membership` or `liveness` (the rule of the message or of the time) → `log` (what is in memory), `writes` (what is on the
//! disk), `progress` (what a follower has), `configuration` and `quorum` (who decides) → `commit` → the outbox → `poll_output`.
//! Each guard of the algorithm stands in one place, under the name that the paper gives it:
//!
//! | guard | where | source |
//! |---|---|---|
//! | the term moves, the vote is forgotten | `Raft::adopt_term` | figure 2 |
//! | one vote in a term | `Raft::may_vote_for`, `Raft::grant_vote` | section 5.2 |
//! | only an up-to-date candidate gets it | `Raft::up_to_date` | section 5.4.1 |
//! | nothing is said before it is durable | `Raft::reply_after_hard_state`, `Raft::acknowledge`, `Writes` | figure 2 |
//! | entries follow where the logs agree | `Raft::on_append_entries`, `Log::merge` | section 5.3 |
//! | commit by counting, own term only | `Raft::advance_leader_commit` | section 5.4.2 |
//! | commit no further than verified | `Raft::learn_commit` | figure 2 |
//! | `match_index` never decreases | `Progress::accepted` | figure 2 |
//! | a read waits for a quorum | `Raft::start_round_if_due`, `Reads` | thesis, section 6.4 |
//! | a lease counts from when it was asked for | `Raft::lease_until` | thesis, section 6.4.1 |
//! | no candidate is heard while a leader is | `Raft::ignores`, `Raft::leader_alive` | thesis, section 4.2.3 |
//! | the configuration in force is the log's last | `Configurations::active` | thesis, section 4.1 |
//! | one change at a time, none before an own commit | `Raft::refuses_change` | thesis, chapter 4 |
//! | a joint configuration is left when committed | `Raft::configuration_committed` | thesis, section 4.3 |
//! | a snapshot is durable before the log goes | `Raft::compact_if_due` | section 7 |
//! | who may have forgotten a promise makes none | `Raft::remembers`, `Raft::echo`, `Progress::vouched_for` | module `storage` |
//! | a stale snapshot is not installed | `Raft::on_install_snapshot` | section 7 |
//!
//! "The paper" is Ongaro and Ousterhout, *In Search of an Understandable Consensus Algorithm* (extended version, 2014);
//! "the thesis" is Ongaro, *Consensus: Bridging Theory and Practice* (2014).

#![no_std]

extern crate alloc;

mod bugs;
#[cfg(feature = "serde")]
mod bytes;
mod commit;
mod config;
mod configuration;
mod election;
mod io;
mod liveness;
mod log;
mod membership;
mod message;
mod progress;
pub mod quorum;
mod raft;
mod random;
mod read;
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
mod reads;
mod replication;
pub mod sessions;
mod snapshot;
mod status;
mod storage;
mod transfer;
mod types;
#[cfg(feature = "wire")]
pub mod wire;
mod writes;

#[cfg(feature = "bugs")]
pub use bugs::Bug;
pub use config::{Config, ConfigError};
pub use configuration::{Configuration, Members};
pub use io::{Answer, Input, Outcome, Output, Persist, Refusal};
pub use log::Log;
pub use message::{Body, Message, Stamp};
pub use progress::{Pace, Progress};
pub use raft::{Raft, Role};
pub use status::Status;
pub use types::{
    Content, DurableState, Entry, HardState, Index, Mark, NodeId, Payload, RequestId, Snapshot, Term, Time, WriteId,
};
