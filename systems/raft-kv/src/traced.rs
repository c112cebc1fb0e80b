//! What the trace tells of a server: all that its core does to its term, its vote, its log and its members, in the vocabulary of the
//! tools.
//!
//! Told are the changes, as the core makes them; what a node recovered when it started is told in full. So a reader knows at each event
//! what the node held, and has to guess nothing.

use super::node::Ctx;
use raft_core::{Configuration, HardState, Index, Log, Mark, Output, Raft, Role};
use simulator::trace::events::{
    Append, Commit, Compact, Configured, Install, Lease, LogHeld, LogMark, Part, Recovered, Snapshot, Stand, Truncate,
    Vote, spans,
};

/// What the trace has said of a core so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traced {
    role: Role,
    hard_state: HardState,
    last_index: Index,
    start: Index,
    snapshot: Index,
    commit: Index,
    configuration: Index,
    lease_until: Option<u64>,
}

impl Traced {
    fn of(raft: &Raft) -> Self {
        Self {
            role: raft.role(),
            hard_state: raft.hard_state(),
            last_index: raft.log().last_index(),
            start: raft.log().start().index,
            snapshot: snapshot(raft).index,
            commit: raft.commit_index(),
            configuration: raft.configuration().0,
            lease_until: raft.lease_until().map(|until| until.0),
        }
    }

    /// Tells what a core has started with.
    pub(super) fn booted(raft: &Raft, applied: Index, ctx: &mut Ctx<'_>) -> Self {
        let HardState { term, voted_for } = raft.hard_state();
        ctx.tell(|| Recovered {
            term,
            vote: voted_for.map(|candidate| candidate.0),
            snapshot: snapshot(raft),
            log: held(raft.log()),
            commit: raft.commit_index(),
            applied,
        });
        // A node begins as a follower; that goes without saying, and whatever else it takes itself for does not.
        if raft.role() != Role::Follower {
            let role = part(raft.role());
            ctx.tell(|| Stand { role, term });
        }
        configured(raft, ctx);
        Self::of(raft)
    }

    /// Tells what the core has changed when it said `outputs`, before those are carried out.
    pub(super) fn handled(&mut self, raft: &Raft, outputs: &[Output], ctx: &mut Ctx<'_>) {
        let after = Self::of(raft);
        let before = std::mem::replace(self, after);
        let HardState { term, voted_for } = after.hard_state;
        if (after.role, term) != (before.role, before.hard_state.term) {
            let role = part(after.role);
            ctx.tell(|| Stand { role, term });
        }
        let is_entered = term != before.hard_state.term;
        // That a vote is none in a new term goes without saying.
        if (voted_for != before.hard_state.voted_for || is_entered) && (voted_for.is_some() || !is_entered) {
            let candidate = voted_for.map(|candidate| candidate.0);
            ctx.tell(|| Vote { term, candidate });
        }
        let rolled_back = log_changed((before, after), raft, outputs, ctx);
        if after.commit != before.commit {
            let (index, was) = (after.commit, before.commit);
            ctx.tell(|| Commit { index, was });
        }
        if after.configuration != before.configuration || rolled_back.is_some_and(|from| from <= after.configuration) {
            configured(raft, ctx);
        }
        if after.lease_until != before.lease_until {
            let until = after.lease_until;
            ctx.tell(|| Lease { until });
        }
    }
}

/// Tells what became of the log in memory. Gives the first entry that was replaced, if there is one.
fn log_changed((before, now): (Traced, Traced), raft: &Raft, outputs: &[Output], ctx: &mut Ctx<'_>) -> Option<Index> {
    let restored = outputs.iter().rev().find_map(|output| match output {
        Output::Restore(snapshot) => Some(snapshot.last),
        _ => None,
    });
    if let Some(Mark { term, index }) = restored {
        let log = raft.log();
        ctx.tell(|| Install {
            index,
            term,
            log: held(log),
        });
        return Some(0);
    }
    let (mut last, mut replaced) = (before.last_index, None);
    for output in outputs {
        let Output::Persist(persist) = output else { continue };
        if let Some(from) = persist.truncate.filter(|from| *from <= last) {
            let was = std::mem::replace(&mut last, from - 1);
            ctx.tell(|| Truncate { last: from - 1, was });
            replaced = Some(replaced.map_or(from, |earlier: Index| earlier.min(from)));
        }
        if let (Some(first), Some(end)) = (persist.entries.first(), persist.entries.last()) {
            let was = std::mem::replace(&mut last, end.index);
            ctx.tell(|| Append {
                last: end.index,
                was,
                terms: spans(first.index, persist.entries.iter().map(|entry| entry.term)),
            });
        }
    }
    if now.snapshot != before.snapshot {
        let bytes = raft.snapshot().map_or(0, |snapshot| snapshot.data.len() as u64);
        let LogMark { index, term } = snapshot(raft);
        ctx.tell(|| Snapshot { index, term, bytes });
    }
    if now.start != before.start {
        let Mark { index, term } = raft.log().start();
        ctx.tell(|| Compact { index, term });
    }
    replaced
}

fn configured(raft: &Raft, ctx: &mut Ctx<'_>) {
    let (index, configuration) = raft.configuration();
    ctx.tell(|| {
        let ids = |list: &[raft_core::NodeId]| list.iter().map(|id| id.0).collect();
        let Configuration {
            voters,
            outgoing,
            learners,
            learners_next,
        } = configuration;
        // Voters that are to become learners vote until then, and are among the outgoing ones.
        let learners = learners
            .iter()
            .chain(learners_next.iter().filter(|_| outgoing.is_empty()));
        Configured {
            index,
            voters: ids(voters),
            outgoing: ids(outgoing),
            learners: learners.map(|id| id.0).collect(),
        }
    });
}

fn snapshot(raft: &Raft) -> LogMark {
    let last = raft.snapshot().map_or_else(Mark::default, |snapshot| snapshot.last);
    mark(last)
}

fn mark(Mark { term, index }: Mark) -> LogMark {
    LogMark { index, term }
}

fn held(log: &Log) -> LogHeld {
    LogHeld::new(
        mark(log.start()),
        log.from(log.start().index + 1).map(|entry| entry.term),
    )
}

fn part(role: Role) -> Part {
    match role {
        Role::Follower => Part::Follower,
        Role::PreCandidate => Part::PreCandidate,
        Role::Candidate => Part::Candidate,
        Role::Leader => Part::Leader,
    }
}
