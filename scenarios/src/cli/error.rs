//! What can go wrong with a command before there is a verdict, and the exit code of each.

use super::exit;
use crate::capsule::{CapsuleError, MakingError};
use crate::scenario::{Place, ScenarioError, UnknownScenario};
use crate::system::UnknownBug;
use checker::history::HistoryError;
use checker::linearizability::CheckError;
use simulator::trace::format::TraceError;
use std::io;
use std::path::PathBuf;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The scenario is invalid, by its text or by a `--set`.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// No built-in scenario is called that.
    #[error(transparent)]
    UnknownScenario(#[from] UnknownScenario),
    /// No planted bug is called that.
    #[error("{0}; `squall list bugs` shows them")]
    UnknownBug(#[from] UnknownBug),
    /// No system of this program is called that.
    #[error(transparent)]
    UnknownSystem(#[from] crate::system::UnknownSystem),
    /// A file cannot be read.
    #[error("{}: cannot be read: {error}; check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file or folder to write to cannot be made.
    #[error("{}: cannot be created: {error}; choose a path that can be written", path.display())]
    NotCreatable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Writing broke off.
    #[error("{}: cannot be written: {error}; there is no new file, and an older one is as it was", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Nothing could be added to a file.
    #[error("{}: nothing can be added to it: {error}", path.display())]
    NotAdded {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A scenario file is no text or too long.
    #[error("{}: {what}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A trace is invalid.
    #[error("{}: {error}", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: Box<TraceError>,
    },
    /// A capsule is invalid.
    #[error("{}: {error}", path.display())]
    Capsule {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: Box<CapsuleError>,
    },
    /// A seed makes no capsule.
    #[error("seed {seed}: {error}")]
    NoCapsule {
        /// The seed.
        seed: String,
        /// What stands in the way.
        error: Box<MakingError>,
    },
    /// A history is invalid.
    #[error("{path}: {error}")]
    History {
        /// The file.
        path: String,
        /// What is wrong.
        error: Box<HistoryError>,
    },
    /// A history does not fit the model, or the model is unknown.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// Something on the command line that is neither.
    #[error("{0}")]
    Usage(String),
    /// Nothing to run.
    #[error("{0}")]
    Nothing(String),
    /// A process of our own cannot be started.
    #[error("no process can be started for this: {0}")]
    NoProcess(io::Error),
    /// What goes with a failure could not be made.
    #[error("{signature}: not all of its trace, page and smallest capsule could be made: {why}; the failure stands")]
    NotKept {
        /// The failure's.
        signature: String,
        /// What stood in the way.
        why: String,
    },
    /// Standard output broke.
    #[error("standard output cannot be written: {0}")]
    Stdout(io::Error),
    /// Signals cannot be caught.
    #[error("Ctrl-C and other signals cannot be caught: {0}")]
    Signal(io::Error),
    /// A panic that nobody caught closer to it.
    #[error("squall itself panicked, as told above: a fault of the tool, and no word about the code under test")]
    OurPanic,
}

impl CliError {
    /// The code to exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Scenario(error) if matches!(error.place(), Place::Override(_)) => exit::USAGE,
            Self::UnknownScenario(_)
            | Self::UnknownBug(_)
            | Self::UnknownSystem(_)
            | Self::Usage(_)
            | Self::Check(CheckError::Model(_)) => exit::USAGE,
            Self::Scenario(_)
            | Self::Unreadable { .. }
            | Self::NotCreatable { .. }
            | Self::BadFile { .. }
            | Self::Trace { .. }
            | Self::Capsule { .. }
            | Self::History { .. }
            | Self::Check(CheckError::Misfit(_)) => exit::BAD_FILE,
            Self::NoCapsule { error, .. } if matches!(**error, MakingError::Scenario(_)) => exit::USAGE,
            Self::Nothing(_) => exit::NOTHING,
            Self::NoCapsule { .. }
            | Self::Unwritable { .. }
            | Self::NotAdded { .. }
            | Self::Stdout(_)
            | Self::Signal(_)
            | Self::NoProcess(_)
            | Self::NotKept { .. } => exit::TROUBLE,
            Self::OurPanic => exit::OUR_PANIC,
        }
    }
}
