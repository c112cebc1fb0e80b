//! What a message that reaches a node tells it of leaders and candidates. Owns which messages those are; what the node may make
//! of them is left to the checkers.

use super::members::node_index;
use checker::properties::Observation;
use raft_core::{Body, Message, Raft};

/// What the core will hear in `message` when it gets it next, at `clock`. A node whose storage has failed is deaf.
pub(super) fn heard(message: &Message, raft: &Raft, clock: u64) -> Option<Observation<'static>> {
    let term = message.term;
    match message.body {
        _ if raft.has_failed() => None,
        Body::AppendEntries { .. } | Body::InstallSnapshot { .. } if term >= raft.term() => {
            Some(Observation::LeaderHeard { term, clock })
        }
        Body::RequestVote { transfer: false, .. } if term > raft.term() => Some(Observation::VoteAsked { term, clock }),
        Body::PreVoteReply { granted: true } => {
            let from = node_index(message.from);
            Some(Observation::PreVoteReceived { term, from })
        }
        _ => None,
    }
}
