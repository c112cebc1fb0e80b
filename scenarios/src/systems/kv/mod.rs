//! A key-value service with client sessions on `raft-core`.
//!
//! A request goes through [`node`] into the core; what is committed goes through [`store`], the state machine; what must
//! be durable goes through [`storage`] into the [`log_file`] on the disk; and what happens is told to the checkers by [`observe`].

mod backlog;
pub mod bugs;
mod config;
pub mod frame;
mod hearing;
pub mod log_file;
mod members;
mod mutations;
pub mod node;
pub mod objects;
pub mod observe;
pub mod protocol;
pub mod storage;
pub mod store;
mod traced;

pub use bugs::{PlantedBug, UnknownBug};
pub use config::NodeConfig;
pub use node::KvNode;
pub use observe::Told;
pub use protocol::{Envelope, Key, Operation, Reply, Request, Response, Value};
