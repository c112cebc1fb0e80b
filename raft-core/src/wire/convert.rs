//! The core's own types, to the schema and back. A value that is its type's default (mark 0, no stamp, no members) is left
//! out, and what is left out is read as the default. What the core could not bear, more voters in one set than
//! [`Configuration::VOTERS_MAX`], is refused here; whether a message makes sense is the core's own question.

use super::error::WireError;
use super::frame::Kind;
use super::scan::{self, Shape};
use super::schema;
use crate::configuration::Configuration;
use crate::message::{Body, Message, Stamp};
use crate::types::{Content, Entry, HardState, Mark, NodeId, Payload, Snapshot};
use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;

// What the module's documentation promises for each item: a list of them grows by doubling, so it may exist three times over
// while it grows, and once more as the core's own type.
const _: () = assert!(3 * size_of::<schema::Entry>() + 2 * size_of::<Entry>() < 1024);

/// How a type travels. Nobody outside can name this trait, so nobody can implement [`super::Wire`].
pub trait Coded: Sized {
    /// Its name in the header of a frame.
    const KIND: Kind;
    /// What it is in the schema.
    type Schema: prost::Message + Default;
    /// The same, for the walk before it is decoded.
    fn shape() -> &'static Shape;
    /// Shares the bytes of commands and snapshots.
    fn to_schema(&self) -> Self::Schema;
    /// Copies the bytes of commands and snapshots into allocations of their own, so that they do not hold the buffer.
    fn from_schema(schema: Self::Schema) -> Result<Self, WireError>;
    /// Entries and node ids in it, as [`scan::check`] counts them.
    fn items(&self) -> usize;
}

impl Coded for Message {
    const KIND: Kind = Kind::Message;
    type Schema = schema::Message;

    fn shape() -> &'static Shape {
        &scan::MESSAGE
    }

    fn to_schema(&self) -> schema::Message {
        schema::Message {
            from: self.from.0,
            to: self.to.0,
            term: self.term,
            body: Some(body_to_schema(&self.body)),
        }
    }

    fn from_schema(message: schema::Message) -> Result<Self, WireError> {
        Ok(Self {
            from: NodeId(message.from),
            to: NodeId(message.to),
            term: message.term,
            body: body_from_schema(message.body.ok_or(missing("Message.body"))?)?,
        })
    }

    fn items(&self) -> usize {
        match &self.body {
            Body::AppendEntries { entries, .. } => entries.iter().map(|entry| 1 + entry.items()).sum(),
            Body::InstallSnapshot { configuration, .. } => ids(configuration),
            _ => 0,
        }
    }
}

impl Coded for Entry {
    const KIND: Kind = Kind::Entry;
    type Schema = schema::Entry;

    fn shape() -> &'static Shape {
        &scan::ENTRY
    }

    fn to_schema(&self) -> schema::Entry {
        schema::Entry {
            index: self.index,
            term: self.term,
            content: Some(match &self.content {
                Content::Noop => schema::Content::Noop(schema::Nothing {}),
                Content::Command(payload) => schema::Content::Command(share(payload)),
                Content::Configuration(configuration) => {
                    schema::Content::Configuration(configuration_to_schema(configuration))
                }
            }),
        }
    }

    fn from_schema(entry: schema::Entry) -> Result<Self, WireError> {
        let content = match entry.content.ok_or(missing("Entry.content"))? {
            schema::Content::Noop(_) => Content::Noop,
            schema::Content::Command(bytes) => Content::Command(Payload::from(&bytes[..])),
            schema::Content::Configuration(configuration) => {
                Content::Configuration(Box::new(configuration_from_schema(Some(configuration))?))
            }
        };
        Ok(Self {
            index: entry.index,
            term: entry.term,
            content,
        })
    }

    fn items(&self) -> usize {
        match &self.content {
            Content::Configuration(configuration) => ids(configuration),
            Content::Noop | Content::Command(_) => 0,
        }
    }
}

impl Coded for Snapshot {
    const KIND: Kind = Kind::Snapshot;
    type Schema = schema::Snapshot;

    fn shape() -> &'static Shape {
        &scan::SNAPSHOT
    }

    fn to_schema(&self) -> schema::Snapshot {
        schema::Snapshot {
            last: mark_to_schema(self.last),
            configuration: some_configuration(&self.configuration),
            data: share(&self.data),
        }
    }

    fn from_schema(snapshot: schema::Snapshot) -> Result<Self, WireError> {
        Ok(Self {
            last: mark_from_schema(snapshot.last),
            configuration: configuration_from_schema(snapshot.configuration)?,
            data: Payload::from(&snapshot.data[..]),
        })
    }

    fn items(&self) -> usize {
        ids(&self.configuration)
    }
}

impl Coded for HardState {
    const KIND: Kind = Kind::HardState;
    type Schema = schema::HardState;

    fn shape() -> &'static Shape {
        &scan::HARD_STATE
    }

    fn to_schema(&self) -> schema::HardState {
        schema::HardState {
            term: self.term,
            voted_for: self.voted_for.map(|id| id.0),
        }
    }

    fn from_schema(state: schema::HardState) -> Result<Self, WireError> {
        Ok(Self {
            term: state.term,
            voted_for: state.voted_for.map(NodeId),
        })
    }

    fn items(&self) -> usize {
        0
    }
}

fn body_to_schema(body: &Body) -> schema::Body {
    use schema::Body as To;
    match body {
        Body::PreVote { last } => To::PreVote(schema::PreVote {
            last: mark_to_schema(*last),
        }),
        Body::PreVoteReply { granted } => To::PreVoteReply(schema::VoteReply { granted: *granted }),
        Body::RequestVote { last, transfer } => To::RequestVote(schema::RequestVote {
            last: mark_to_schema(*last),
            transfer: *transfer,
        }),
        Body::VoteReply { granted } => To::VoteReply(schema::VoteReply { granted: *granted }),
        Body::AppendEntries {
            prev,
            entries,
            commit,
            quiesce,
            stamp,
        } => To::AppendEntries(schema::AppendEntries {
            prev: mark_to_schema(*prev),
            entries: entries.iter().map(Coded::to_schema).collect(),
            commit: *commit,
            quiesce: *quiesce,
            stamp: stamp_to_schema(*stamp),
        }),
        Body::AppendAccepted {
            match_index,
            amnesia,
            stamp,
        } => To::AppendAccepted(schema::AppendAccepted {
            match_index: *match_index,
            amnesia: *amnesia,
            stamp: stamp_to_schema(*stamp),
        }),
        Body::AppendRejected {
            prev_index,
            hint,
            lost,
            stamp,
        } => To::AppendRejected(schema::AppendRejected {
            prev_index: *prev_index,
            hint: mark_to_schema(*hint),
            lost: *lost,
            stamp: stamp_to_schema(*stamp),
        }),
        Body::InstallSnapshot {
            last,
            configuration,
            offset,
            total,
            chunk,
            stamp,
        } => To::InstallSnapshot(schema::InstallSnapshot {
            last: mark_to_schema(*last),
            configuration: some_configuration(configuration),
            offset: *offset,
            total: *total,
            chunk: share(chunk),
            stamp: stamp_to_schema(*stamp),
        }),
        Body::SnapshotProgress { last, received, stamp } => To::SnapshotProgress(schema::SnapshotProgress {
            last: mark_to_schema(*last),
            received: *received,
            stamp: stamp_to_schema(*stamp),
        }),
        Body::TimeoutNow => To::TimeoutNow(schema::Nothing {}),
        Body::ReadIndex { read } => To::ReadIndex(schema::ReadIndex { read: *read }),
        Body::ReadIndexReply { read, index } => To::ReadIndexReply(schema::ReadIndexReply {
            read: *read,
            index: *index,
        }),
    }
}

fn body_from_schema(body: schema::Body) -> Result<Body, WireError> {
    use schema::Body as From;
    Ok(match body {
        From::PreVote(body) => Body::PreVote {
            last: mark_from_schema(body.last),
        },
        From::PreVoteReply(body) => Body::PreVoteReply { granted: body.granted },
        From::RequestVote(body) => Body::RequestVote {
            last: mark_from_schema(body.last),
            transfer: body.transfer,
        },
        From::VoteReply(body) => Body::VoteReply { granted: body.granted },
        From::AppendEntries(body) => Body::AppendEntries {
            prev: mark_from_schema(body.prev),
            entries: body
                .entries
                .into_iter()
                .map(Coded::from_schema)
                .collect::<Result<_, _>>()?,
            commit: body.commit,
            quiesce: body.quiesce,
            stamp: stamp_from_schema(body.stamp),
        },
        From::AppendAccepted(body) => Body::AppendAccepted {
            match_index: body.match_index,
            amnesia: body.amnesia,
            stamp: stamp_from_schema(body.stamp),
        },
        From::AppendRejected(body) => Body::AppendRejected {
            prev_index: body.prev_index,
            hint: mark_from_schema(body.hint),
            lost: body.lost,
            stamp: stamp_from_schema(body.stamp),
        },
        From::InstallSnapshot(body) => Body::InstallSnapshot {
            last: mark_from_schema(body.last),
            configuration: Box::new(configuration_from_schema(body.configuration)?),
            offset: body.offset,
            total: body.total,
            chunk: Payload::from(&body.chunk[..]),
            stamp: stamp_from_schema(body.stamp),
        },
        From::SnapshotProgress(body) => Body::SnapshotProgress {
            last: mark_from_schema(body.last),
            received: body.received,
            stamp: stamp_from_schema(body.stamp),
        },
        From::TimeoutNow(_) => Body::TimeoutNow,
        From::ReadIndex(body) => Body::ReadIndex { read: body.read },
        From::ReadIndexReply(body) => Body::ReadIndexReply {
            read: body.read,
            index: body.index,
        },
    })
}

fn mark_to_schema(mark: Mark) -> Option<schema::Mark> {
    let Mark { term, index } = mark;
    (mark != Mark::default()).then_some(schema::Mark { term, index })
}

fn mark_from_schema(mark: Option<schema::Mark>) -> Mark {
    mark.map_or_else(Mark::default, |schema::Mark { term, index }| Mark { term, index })
}

fn stamp_to_schema(stamp: Stamp) -> Option<schema::Stamp> {
    let Stamp { round, session } = stamp;
    (stamp != Stamp::default()).then_some(schema::Stamp { round, session })
}

fn stamp_from_schema(stamp: Option<schema::Stamp>) -> Stamp {
    stamp.map_or_else(Stamp::default, |schema::Stamp { round, session }| Stamp {
        round,
        session,
    })
}

fn some_configuration(configuration: &Configuration) -> Option<schema::Configuration> {
    (ids(configuration) > 0).then(|| configuration_to_schema(configuration))
}

fn configuration_to_schema(configuration: &Configuration) -> schema::Configuration {
    let list = |ids: &[NodeId]| ids.iter().map(|id| id.0).collect();
    schema::Configuration {
        voters: list(&configuration.voters),
        outgoing: list(&configuration.outgoing),
        learners: list(&configuration.learners),
        learners_next: list(&configuration.learners_next),
    }
}

fn configuration_from_schema(configuration: Option<schema::Configuration>) -> Result<Configuration, WireError> {
    let configuration = configuration.unwrap_or_default();
    let found = configuration.voters.len().max(configuration.outgoing.len());
    if found > Configuration::VOTERS_MAX {
        return Err(WireError::TooManyVoters { found });
    }
    let list = |ids: Vec<u64>| ids.into_iter().map(NodeId).collect();
    Ok(Configuration {
        voters: list(configuration.voters),
        outgoing: list(configuration.outgoing),
        learners: list(configuration.learners),
        learners_next: list(configuration.learners_next),
    })
}

fn ids(configuration: &Configuration) -> usize {
    let Configuration {
        voters,
        outgoing,
        learners,
        learners_next,
    } = configuration;
    voters.len() + outgoing.len() + learners.len() + learners_next.len()
}

fn share(payload: &Payload) -> Bytes {
    Bytes::from_owner(payload.clone())
}

fn missing(field: &'static str) -> WireError {
    WireError::Missing { field }
}
