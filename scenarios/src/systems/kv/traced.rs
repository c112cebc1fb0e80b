//! What the trace tells of a server's core.

use super::node::Ctx;
use raft_core::{HardState, Raft, Role};
use serde_json::json;

/// What the trace tells of a core when it changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traced {
    role: Role,
    hard_state: HardState,
    last_index: u64,
    commit: u64,
}

impl Traced {
    pub(super) fn of(raft: &Raft) -> Self {
        Self {
            role: raft.role(),
            hard_state: raft.hard_state(),
            last_index: raft.log().last_index(),
            commit: raft.commit_index(),
        }
    }

    /// Adds what changed since the last input to the trace.
    pub(super) fn tell_changes(&mut self, raft: &Raft, ctx: &mut Ctx<'_>) {
        let after = Self::of(raft);
        let before = std::mem::replace(self, after);
        let (term, vote) = (after.hard_state.term, after.hard_state.voted_for);
        if (after.role, term) != (before.role, before.hard_state.term) {
            ctx.trace("role", || json!({ "role": after.role, "term": term }));
        }
        if vote != before.hard_state.voted_for {
            ctx.trace("vote", || json!({ "term": term, "candidate": vote }));
        }
        if after.last_index < before.last_index {
            ctx.trace(
                "truncate",
                || json!({ "last": after.last_index, "was": before.last_index }),
            );
        } else if after.last_index > before.last_index {
            let term = raft.log().term(after.last_index);
            ctx.trace(
                "append",
                || json!({ "last": after.last_index, "was": before.last_index, "term": term }),
            );
        }
        if after.commit != before.commit {
            ctx.trace("commit", || json!({ "index": after.commit, "was": before.commit }));
        }
    }
}
