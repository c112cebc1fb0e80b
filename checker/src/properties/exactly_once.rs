//! Exactly once: a command of a session is carried out at one place of the log, and gets one answer (Raft §8; thesis §6.3).
//!
//! Remembers, for each command, the entry at which it was carried out, on whichever node that was seen first, and its
//! answer. The log is one (`state-machine-safety`), so a second place is a second effect, on the same node or on another;
//! a node that restarts and replays its log carries it out at the same place. Memory: one map entry for each command.
//! What the effect was is left to `state-determinism`.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::PropertyInfo;
use super::ghost::Ghost;
use super::violation::{Step, Verdict};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "exactly-once",
    about: "a command of a session is carried out at one place of the log, and always gets the same answer",
    source: "Raft section 8; thesis section 6.3",
};

/// What became of a command.
#[derive(Clone, Copy, Debug)]
struct Command {
    /// Index of the entry at which it was carried out; `None` while only repetitions were seen.
    effect: Option<u64>,
    reply: u64,
}

/// One command of a session, as a node processed it.
#[derive(Clone, Copy, Debug)]
pub struct Processed {
    pub session: u32,
    pub sequence: u64,
    pub effect: bool,
    pub reply: u64,
}

/// What became of every command.
#[derive(Clone, Debug, Default)]
pub struct ExactlyOnce {
    /// By (session, sequence). For look-up only.
    commands: HashMap<(u32, u64), Command, FxBuildHasher>,
}

impl ExactlyOnce {
    /// The state machine of this step's node processed a command, in the entry that it applied last.
    pub fn processed(&mut self, ghost: &Ghost, step: Step, processed: Processed) -> Verdict {
        let index = ghost.node(step.node).applied;
        let Processed {
            session,
            sequence,
            effect,
            reply,
        } = processed;
        let command = self
            .commands
            .entry((session, sequence))
            .or_insert(Command { effect: None, reply });
        if effect {
            command.effect.get_or_insert(index);
        }
        let answer = command.reply;
        let (rule, what) = match command.effect {
            Some(first) if effect && first != index => (
                "carried-out-twice",
                format!("carried it out, which was done at entry {first}"),
            ),
            Some(first) if !effect && first == index => (
                "effect-lost",
                "took it for a repetition, and another node carried it out".to_owned(),
            ),
            _ if reply != answer => (
                "answer-differs",
                format!("answered {reply:016x}, and before it was {answer:016x}"),
            ),
            _ => return Ok(()),
        };
        let message = format!(
            "node {} processed command {sequence} of session {session} at entry {index}: it {what}.",
            step.node
        );
        let first = command.effect;
        let violation = step.broken(INFO.name, rule, message).at_index(index);
        Err(violation.about_entries(first).with_command(session, sequence))
    }
}
