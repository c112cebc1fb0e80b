//! What travels: requests and responses between clients and nodes, Raft messages between nodes, and how each is folded
//! into the digest of a run.

use super::frame;
use raft_core::{Body, Configuration, Content, Entry, Message, Stamp as Round};
use serde::Serialize;
use simulator::{Payload, Stamp, Stream};
use squall::operation::{Operation, Reply};

/// One attempt at an operation. All attempts at one operation carry the same session and sequence number, by which the
/// service recognises repetitions (thesis, section 6.3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Request {
    /// The client's session.
    pub session: u32,
    /// Number of the operation within the session, from 1 on.
    pub sequence: u64,
    /// What is wanted.
    pub operation: Operation,
}

/// The answer to a [`Request`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Response {
    /// The operation that it answers.
    pub sequence: u64,
    /// The answer.
    pub reply: Reply,
    /// Index of the last log entry in the state that answered, by which the checker can look for an order.
    pub applied: u64,
}

/// A Raft message on the simulated wire.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct Envelope(pub Message);

impl Payload for Envelope {
    fn kind(&self) -> &'static str {
        self.0.body.name()
    }

    fn size(&self) -> u64 {
        frame::size(&self.0)
    }

    fn damaged(&self, stream: &mut Stream) -> Option<Self> {
        frame::damaged(&self.0, stream).map(Self)
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.u64(self.0.term);
        match &self.0.body {
            Body::PreVote { last } => words(stamp, 1, &[last.term, last.index]),
            Body::PreVoteReply { granted } => words(stamp, 2, &[u64::from(*granted)]),
            Body::RequestVote { last, transfer } => words(stamp, 3, &[last.term, last.index, u64::from(*transfer)]),
            Body::VoteReply { granted } => words(stamp, 4, &[u64::from(*granted)]),
            Body::AppendEntries {
                prev,
                entries,
                commit,
                quiesce,
                stamp: Round { round, session },
            } => {
                words(
                    stamp,
                    5,
                    &[entries.len() as u64, prev.term, prev.index, *commit, *round, *session],
                );
                stamp.bool(*quiesce);
                entries.iter().for_each(|entry| stamp_entry(stamp, entry));
            }
            Body::AppendAccepted {
                match_index,
                amnesia,
                stamp: Round { round, session },
            } => {
                let tag = if *amnesia { 14 } else { 6 };
                words(stamp, tag, &[*match_index, *round, *session]);
            }
            Body::AppendRejected {
                prev_index,
                hint,
                lost,
                stamp: Round { round, session },
            } => {
                words(
                    stamp,
                    7,
                    &[*prev_index, hint.term, hint.index, u64::from(*lost), *round, *session],
                );
            }
            Body::InstallSnapshot {
                last,
                configuration,
                offset,
                total,
                chunk,
                stamp: Round { round, session },
            } => {
                words(stamp, 8, &[last.term, last.index, *offset, *total, *round, *session]);
                stamp_configuration(stamp, configuration);
                stamp.bytes(chunk);
            }
            Body::SnapshotProgress {
                last,
                received,
                stamp: Round { round, session },
            } => {
                words(stamp, 9, &[last.term, last.index, *received, *round, *session]);
            }
            Body::TimeoutNow => words(stamp, 10, &[]),
            Body::ReadIndex { read } => words(stamp, 11, &[*read]),
            Body::ReadIndexReply { read, index } => {
                words(stamp, 12, &[*read]);
                stamp.option_u64(*index);
            }
        }
    }
}

fn words(stamp: &mut Stamp<'_>, tag: u8, words: &[u64]) {
    stamp.u8(tag);
    words.iter().for_each(|word| stamp.u64(*word));
}

fn stamp_configuration(stamp: &mut Stamp<'_>, configuration: &Configuration) {
    let Configuration {
        voters,
        outgoing,
        learners,
        learners_next,
    } = configuration;
    for list in [voters, outgoing, learners, learners_next] {
        stamp.u64(list.len() as u64);
        list.iter().for_each(|id| stamp.u64(id.0));
    }
}

fn stamp_entry(stamp: &mut Stamp<'_>, entry: &Entry) {
    stamp.u64(entry.term);
    match &entry.content {
        Content::Noop => {}
        Content::Command(payload) => stamp.bytes(payload),
        Content::Configuration(configuration) => stamp_configuration(stamp, configuration),
    }
}

impl Payload for Request {
    fn kind(&self) -> &'static str {
        match &self.operation {
            Operation::Read { .. } => "read",
            Operation::Write { .. } => "write",
            Operation::Cas { .. } => "cas",
            Operation::Append { .. } => "append",
            Operation::Call { call, .. } => call.name(),
            Operation::Change { .. } | Operation::Join { .. } | Operation::Leave { .. } => "change",
            Operation::Transfer { .. } => "transfer",
            Operation::Campaign => "campaign",
        }
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.u64(u64::from(self.session));
        stamp.u64(self.sequence);
        match &self.operation {
            Operation::Read { key } => stamp.u64(u64::from(*key)),
            Operation::Write { key, value } => {
                stamp.u64(1 << 16 | u64::from(*key));
                stamp.bytes(value.as_bytes());
            }
            Operation::Cas { key, from, to } => {
                stamp.u64(2 << 16 | u64::from(*key));
                stamp.bytes(from.as_bytes());
                stamp.bytes(to.as_bytes());
            }
            Operation::Append { key, value } => {
                stamp.u64(3 << 16 | u64::from(*key));
                stamp.bytes(value.as_bytes());
            }
            Operation::Change { voters, learners } => {
                stamp.u64(4 << 16 | voters.len() as u64);
                voters.iter().chain(learners).for_each(|id| stamp.u64(u64::from(*id)));
            }
            Operation::Transfer { to } => stamp.u64(5 << 16 | u64::from(*to)),
            Operation::Campaign => stamp.u64(6 << 16),
            Operation::Call { key, call } => {
                stamp.u64(7 << 16 | u64::from(*key));
                stamp.bytes(&call.bytes());
            }
            Operation::Join { node, learner } => {
                stamp.u64((8 + u64::from(*learner)) << 16 | u64::from(*node));
            }
            Operation::Leave { node } => stamp.u64(10 << 16 | u64::from(*node)),
        }
    }
}

impl Payload for Response {
    fn kind(&self) -> &'static str {
        match self.reply {
            Reply::Value { .. } => "value",
            Reply::Done => "done",
            Reply::Swapped { .. } => "swapped",
            Reply::Answer { .. } => "answer",
            Reply::NotLeader { .. } => "not-leader",
            Reply::Unknown => "unknown",
            Reply::Refused => "refused",
        }
    }

    fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.u64(self.sequence);
        match &self.reply {
            Reply::Value { value } => stamp.bytes(value.as_bytes()),
            Reply::Done => stamp.u64(1),
            Reply::Swapped { swapped } => stamp.u64(2 | u64::from(*swapped) << 8),
            Reply::NotLeader { leader } => stamp.u64(3 | leader.map_or(0, |id| u64::from(id) + 1) << 8),
            Reply::Unknown => stamp.u64(4),
            Reply::Refused => stamp.u64(5),
            Reply::Answer { answer } => {
                stamp.u64(6);
                stamp.bytes(&answer.bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MESSAGE_KINDS;
    use super::*;
    use raft_core::{Mark, NodeId};

    #[test]
    fn every_kind_of_message_is_named() {
        let (last, stamp) = (Mark::default(), Round { round: 0, session: 0 });
        let append = |entries| Body::AppendEntries {
            prev: last,
            entries,
            commit: 0,
            quiesce: false,
            stamp,
        };
        let noop = Entry {
            index: 1,
            term: 1,
            content: Content::Noop,
        };
        let bodies = [
            Body::PreVote { last },
            Body::PreVoteReply { granted: true },
            Body::RequestVote { last, transfer: false },
            Body::VoteReply { granted: true },
            append(vec![]),
            append(vec![noop]),
            Body::AppendAccepted {
                match_index: 0,
                stamp,
                amnesia: false,
            },
            Body::AppendRejected {
                prev_index: 0,
                hint: last,
                lost: false,
                stamp,
            },
            Body::InstallSnapshot {
                last,
                configuration: Box::default(),
                offset: 0,
                total: 0,
                chunk: vec![].into(),
                stamp,
            },
            Body::SnapshotProgress {
                last,
                received: 0,
                stamp,
            },
            Body::TimeoutNow,
            Body::ReadIndex { read: 0 },
            Body::ReadIndexReply { read: 0, index: None },
        ];
        let kind = |body| {
            Envelope(Message {
                from: NodeId(0),
                to: NodeId(1),
                term: 1,
                body,
            })
            .kind()
        };
        assert_eq!(bodies.map(kind), MESSAGE_KINDS);
    }
}
