//! Scenarios that come with a system, embedded in the binary. They are written in the users' format and are read by the users' path;
//! nothing about them is special but that they can be named without a path.

use super::{document, read, section::Section};

/// A scenario that comes with the binary.
#[derive(Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Its name: that of the file, and the one in the file.
    pub name: &'static str,
    /// What it is for, in one paragraph: the `about` of the file.
    pub about: String,
    /// The file.
    pub text: &'static str,
}

/// A name that no built-in scenario has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no built-in scenario is called \"{name}\"{}; `squall list scenarios` shows them all, and a path that ends in .toml \
     names a file",
    nearest.map_or_else(String::new, |nearest| format!(": did you mean \"{nearest}\"?"))
)]
pub struct UnknownScenario {
    /// The name that was asked for, shortened to fit a line.
    pub name: String,
    /// The name that was probably meant.
    pub nearest: Option<&'static str>,
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("../../catalog/", $name, ".toml")))),+] };
}

/// Scenarios for any system, name and text of each, from the gentlest to the harshest: the files of `catalog/`. They ask for nothing that only
/// some systems have, and destroy nothing that a disk has vouched for.
pub const FOR_ANY_SYSTEM: &[(&str, &str)] = files![
    "calm",
    "bad-network",
    "unlike-links",
    "partitions",
    "halves",
    "one-way",
    "flapping-nodes",
    "clients-apart",
    "old-messages",
    "crashes",
    "power-loss",
    "crash-in-a-write",
    "failing-disks",
    "rolling-restart",
    "pauses",
    "clocks",
    "storm",
];

impl Builtin {
    /// A scenario that comes with a system.
    ///
    /// # Panics
    /// When the text is no document of the format: a program's own scenarios are read in its tests.
    pub fn new(name: &'static str, text: &'static str) -> Self {
        let about = document::read(text).and_then(|document| read::about(&Section::top(&document)));
        Self {
            name,
            about: about.unwrap_or_else(|_| panic!("the built-in scenario `{name}` is no valid document")),
            text,
        }
    }
}
