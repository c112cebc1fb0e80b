//! The Protocol Buffers schema, as `prost` derives it; `raft.proto` beside this file is the same for other languages.
//! Field numbers are for ever: a field that goes away leaves its number unused. What the fields mean is said in
//! `message.rs` and `types.rs`; what goes with what, in `convert.rs`.

use alloc::vec::Vec;
use bytes::Bytes;

#[derive(Clone, PartialEq, prost::Message)]
pub struct Message {
    #[prost(uint64, tag = "1")]
    pub from: u64,
    #[prost(uint64, tag = "2")]
    pub to: u64,
    #[prost(uint64, tag = "3")]
    pub term: u64,
    #[prost(oneof = "Body", tags = "4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15")]
    pub body: Option<Body>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Body {
    #[prost(message, tag = "4")]
    PreVote(PreVote),
    #[prost(message, tag = "5")]
    PreVoteReply(VoteReply),
    #[prost(message, tag = "6")]
    RequestVote(RequestVote),
    #[prost(message, tag = "7")]
    VoteReply(VoteReply),
    #[prost(message, tag = "8")]
    AppendEntries(AppendEntries),
    #[prost(message, tag = "9")]
    AppendAccepted(AppendAccepted),
    #[prost(message, tag = "10")]
    AppendRejected(AppendRejected),
    #[prost(message, tag = "11")]
    InstallSnapshot(InstallSnapshot),
    #[prost(message, tag = "12")]
    SnapshotProgress(SnapshotProgress),
    #[prost(message, tag = "13")]
    TimeoutNow(Nothing),
    #[prost(message, tag = "14")]
    ReadIndex(ReadIndex),
    #[prost(message, tag = "15")]
    ReadIndexReply(ReadIndexReply),
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Nothing {}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Mark {
    #[prost(uint64, tag = "1")]
    pub term: u64,
    #[prost(uint64, tag = "2")]
    pub index: u64,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Stamp {
    #[prost(uint64, tag = "1")]
    pub round: u64,
    #[prost(uint64, tag = "2")]
    pub session: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Configuration {
    #[prost(uint64, repeated, tag = "1")]
    pub voters: Vec<u64>,
    #[prost(uint64, repeated, tag = "2")]
    pub outgoing: Vec<u64>,
    #[prost(uint64, repeated, tag = "3")]
    pub learners: Vec<u64>,
    #[prost(uint64, repeated, tag = "4")]
    pub learners_next: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct PreVote {
    #[prost(message, optional, tag = "1")]
    pub last: Option<Mark>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct RequestVote {
    #[prost(message, optional, tag = "1")]
    pub last: Option<Mark>,
    #[prost(bool, tag = "2")]
    pub transfer: bool,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct VoteReply {
    #[prost(bool, tag = "1")]
    pub granted: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AppendEntries {
    #[prost(message, optional, tag = "1")]
    pub prev: Option<Mark>,
    #[prost(message, repeated, tag = "2")]
    pub entries: Vec<Entry>,
    #[prost(uint64, tag = "3")]
    pub commit: u64,
    #[prost(bool, tag = "4")]
    pub quiesce: bool,
    #[prost(message, optional, tag = "5")]
    pub stamp: Option<Stamp>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct AppendAccepted {
    #[prost(uint64, tag = "1")]
    pub match_index: u64,
    #[prost(message, optional, tag = "2")]
    pub stamp: Option<Stamp>,
    #[prost(bool, tag = "3")]
    pub amnesia: bool,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct AppendRejected {
    #[prost(uint64, tag = "1")]
    pub prev_index: u64,
    #[prost(message, optional, tag = "2")]
    pub hint: Option<Mark>,
    #[prost(bool, tag = "3")]
    pub lost: bool,
    #[prost(message, optional, tag = "4")]
    pub stamp: Option<Stamp>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct InstallSnapshot {
    #[prost(message, optional, tag = "1")]
    pub last: Option<Mark>,
    #[prost(message, optional, tag = "2")]
    pub configuration: Option<Configuration>,
    #[prost(uint64, tag = "3")]
    pub offset: u64,
    #[prost(uint64, tag = "4")]
    pub total: u64,
    #[prost(bytes = "bytes", tag = "5")]
    pub chunk: Bytes,
    #[prost(message, optional, tag = "6")]
    pub stamp: Option<Stamp>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct SnapshotProgress {
    #[prost(message, optional, tag = "1")]
    pub last: Option<Mark>,
    #[prost(uint64, tag = "2")]
    pub received: u64,
    #[prost(message, optional, tag = "3")]
    pub stamp: Option<Stamp>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ReadIndex {
    #[prost(uint64, tag = "1")]
    pub read: u64,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct ReadIndexReply {
    #[prost(uint64, tag = "1")]
    pub read: u64,
    #[prost(uint64, optional, tag = "2")]
    pub index: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Entry {
    #[prost(uint64, tag = "1")]
    pub index: u64,
    #[prost(uint64, tag = "2")]
    pub term: u64,
    #[prost(oneof = "Content", tags = "3, 4, 5")]
    pub content: Option<Content>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Content {
    #[prost(message, tag = "3")]
    Noop(Nothing),
    #[prost(bytes = "bytes", tag = "4")]
    Command(Bytes),
    #[prost(message, tag = "5")]
    Configuration(Configuration),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Snapshot {
    #[prost(message, optional, tag = "1")]
    pub last: Option<Mark>,
    #[prost(message, optional, tag = "2")]
    pub configuration: Option<Configuration>,
    #[prost(bytes = "bytes", tag = "3")]
    pub data: Bytes,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct HardState {
    #[prost(uint64, tag = "1")]
    pub term: u64,
    #[prost(uint64, optional, tag = "2")]
    pub voted_for: Option<u64>,
}
