//! A key-value service with client sessions on `raft-core`.
//!
//! A request goes through [`node`] into the core; what is committed goes through [`store`], the state machine; what must
//! be durable goes through [`storage`] into the [`log_file`] on the disk; and what happens is told to the checkers by [`observe`].
//! [`system`](mod@system) says to Squall's engine what it has to know of all this, and [`RaftKv`] is the system.

mod backlog;
mod bugs;
mod config;
pub mod frame;
mod hearing;
pub mod log_file;
mod members;
mod mutations;
pub mod node;
pub mod observe;
pub mod protocol;
mod recovery;
mod scenarios;
pub mod storage;
pub mod store;
pub mod system;
mod traced;

pub use config::NodeConfig;
pub use node::KvNode;
pub use protocol::{Envelope, Request, Response};
pub use system::{MESSAGE_KINDS, MODELS, RaftKv};

use squall::scenario::{Builtin, Known, UnknownScenario};
use squall::system::{Info, PlantedBug, UnknownBug};
use std::sync::OnceLock;

/// The service as a system of this program: registered with its first use, and known from then on.
pub fn info() -> &'static Info {
    static INFO: OnceLock<&'static Info> = OnceLock::new();
    INFO.get_or_init(|| squall::register(RaftKv))
}

/// What its scenarios may name.
pub fn known() -> Known {
    info().known
}

/// Its built-in scenarios, from the gentlest to the harshest.
pub fn builtin() -> &'static [Builtin] {
    &info().scenarios
}

/// The built-in scenario of this name.
///
/// # Errors
/// With the nearest name, if there is none.
pub fn find(name: &str) -> Result<&'static Builtin, UnknownScenario> {
    info().scenario(name)
}

/// The planted bug of this id or name.
///
/// # Errors
/// When there is none of that name in this build.
pub fn bug(name: &str) -> Result<&'static PlantedBug, UnknownBug> {
    info().bug(name)
}
