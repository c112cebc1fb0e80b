//! Runs that failed once through a fault of ours, each with what it was: in the core, in the simulator, in the service, in the
//! glue or in a checker. Where the fault has a test of its own, that one is named; here the whole run has to pass.
//!
//! A seed keeps its meaning only as long as nothing draws differently. What a run shows is then no more than another run does,
//! and its line may go.

use squall::run::{RunOptions, run};
use squall::scenario;

/// Scenario, seed, what was wrong.
const ONCE_FAILED: [(&str, u64, &str); 16] = [
    (
        "swarm",
        0x3085,
        "core: a follower that had lost an entry and held one of an earlier term was never fed again",
    ),
    (
        "swarm",
        0x9893,
        "simulator: a timer that was given up on a frozen clock left a phantom before the later ones",
    ),
    (
        "swarm",
        0x7088,
        "service: a record that vouches was taken for durable with the sync before it",
    ),
    ("swarm", 0x4cea, "glue: an observer's clock did not begin at the boot"),
    (
        "swarm",
        0x2c43,
        "checker: no-disruption forgot the pre-votes of a term when a late one of a later term came",
    ),
    ("swarm", 0x6034, "checker: the same"),
    (
        "swarm",
        0x2a48,
        "checker: leads-until-removed refused a leader that woke from a pause and heard no quorum",
    ),
    (
        "single-server-change",
        0xa6a,
        "glue: a configuration that took the index of another was not told (tests of the observer)",
    ),
    (
        "swarm",
        0x5af4a,
        "core: a node that had lost entries took an older version of them for what it had lost (tests of the storage)",
    ),
    (
        "swarm",
        0x6a750,
        "core: a node stood for election by order right after it had answered a leader with a lease (tests of the leadership)",
    ),
    (
        "swarm",
        0x494ad,
        "simulator: what a misdirected write had put in the wrong place decayed before anything vouched for it",
    ),
    (
        "swarm",
        0x793b2,
        "glue: the time for catching up took no account of a window that an upgrade had closed",
    ),
    (
        "swarm",
        0x5304b,
        "plan: nodes stayed away for ever without which nobody could win (tests of the recovery)",
    ),
    (
        "swarm",
        0x99b3d,
        "service: its log file only grew, until the disk was full (tests of the log file)",
    ),
    (
        "swarm",
        0xc6cc9,
        "glue: a node that had stopped of its own accord was taken for lost, and came back",
    ),
    (
        "swarm",
        0xcfffa,
        "glue: the time for catching up took no account of values that are too large to go together (tests of the recovery)",
    ),
];

#[test]
fn what_failed_once_passes() {
    for (name, seed, wrong) in ONCE_FAILED {
        let scenario = raft_kv::find(name).unwrap_or_else(|error| panic!("{error}"));
        let scenario = scenario::parse(name, scenario.text, &[], &raft_kv::known());
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        let report = run(&scenario, seed, RunOptions::default());
        assert!(
            report.failure.is_none(),
            "{name} fails again with seed {seed:#x} (once, {wrong}): {:?}",
            report.failure
        );
    }
}
