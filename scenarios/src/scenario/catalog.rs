//! The built-in scenarios: the files of `catalog/`, embedded in the binary. They are written in the users' format and are
//! read by the users' path; nothing about them is special but that they can be named without a path.

use super::nearest::nearest;
use super::{document, read, section::Section};
use std::sync::LazyLock;

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

/// From the gentlest to the harshest.
const FILES: &[(&str, &str)] = files![
    "calm",
    "lossy-network",
    "slow-links",
    "narrow-links",
    "clogged-links",
    "old-messages",
    "bit-flips",
    "link-flap",
    "flapping-partition",
    "leader-isolation",
    "one-way-links",
    "even-split",
    "partial-partition",
    "three-groups",
    "clients-cut-off",
    "follower-reads",
    "transfer-under-load",
    "transfer-cut",
    "vote-then-cut",
    "crash-torn-disks",
    "disk-full",
    "failing-disks",
    "decaying-disks",
    "lying-disks",
    "rolling-restart",
    "power-loss",
    "upgrade-restart",
    "minority-lost",
    "stale-node",
    "append-before-sync",
    "crash-at-disk",
    "crash-loop",
    "wiped-disks",
    "replaced-nodes",
    "rolling-upgrade",
    "pre-vote-upgrade",
    "slow-apply",
    "figure-eight",
    "quiet-leader-death",
    "pauses",
    "clock-skew",
    "frozen-clocks",
    "lease-reads",
    "lease-wide-drift",
    "lease-half-spent",
    "snapshot-catch-up",
    "snapshot-under-fire",
    "snapshot-over-tail",
    "membership-churn",
    "single-server-change",
    "disjoint-swap",
    "joint-under-fire",
    "counter-retries",
    "set-snapshots",
    "queue-crashes",
    "stack-one-way",
    "priority-queue-pauses",
    "list-divergence",
    "event-log-power-loss",
    "transactions-partition",
    "bank-sagas",
    "lock-fencing",
    "orders-transitions",
    "gusts",
    "storm",
    "swarm",
];

static CATALOG: LazyLock<Vec<Builtin>> = LazyLock::new(|| {
    let about = |text| {
        let document = document::read(text).ok()?;
        read::about(&Section::top(&document)).ok()
    };
    let builtin = |(name, text)| Builtin {
        name,
        about: about(text).expect("a built-in scenario is a valid document (a test parses them all)"),
        text,
    };
    FILES.iter().copied().map(builtin).collect()
});

/// All built-in scenarios, from the gentlest to the harshest.
pub fn builtin() -> &'static [Builtin] {
    &CATALOG
}

/// The built-in scenario of this name.
///
/// # Errors
///
/// [`UnknownScenario`] with the nearest name, if there is none.
pub fn find(name: &str) -> Result<&'static Builtin, UnknownScenario> {
    builtin()
        .iter()
        .find(|builtin| builtin.name == name)
        .ok_or_else(|| UnknownScenario {
            name: super::error::shown(name),
            nearest: nearest(name, &FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
        })
}
