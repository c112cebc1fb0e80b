//! The state machine: a map of texts, a map of other objects, and the table of client sessions (thesis, section 6.3), with a hash of the whole that
//! is kept up to date at each change.

use super::bugs::{Place, ServiceBug, planted};
use super::protocol::Request;
use raft_core::sessions::{Admission, Sessions};
use serde::{Deserialize, Serialize};
use squall::operation::objects::{Answer, Call, Object};
use squall::operation::{Key, Operation, Reply, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A command as it stands in the replicated log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Command<'a> {
    session: u32,
    sequence: u64,
    #[serde(borrow)]
    update: Update<'a>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Update<'a> {
    Write { key: Key, value: &'a str },
    Cas { key: Key, from: &'a str, to: &'a str },
    Append { key: Key, value: &'a str },
    Call { key: Key, call: Cow<'a, Call> },
}

impl<'a> Command<'a> {
    /// The command of a request; none for reads and orders, which are not commands.
    pub fn of(request: &'a Request) -> Option<Self> {
        let update = match &request.operation {
            Operation::Read { .. }
            | Operation::Change { .. }
            | Operation::Join { .. }
            | Operation::Leave { .. }
            | Operation::Transfer { .. }
            | Operation::Campaign => {
                return None;
            }
            Operation::Write { key, value } => Update::Write { key: *key, value },
            Operation::Cas { key, from, to } => Update::Cas { key: *key, from, to },
            Operation::Append { key, value } => Update::Append { key: *key, value },
            Operation::Call { call, .. } if call.is_query() => return None,
            Operation::Call { key, call } => Update::Call {
                key: *key,
                call: Cow::Borrowed(call),
            },
        };
        Some(Self {
            session: request.session,
            sequence: request.sequence,
            update,
        })
    }

    /// The same without its condition.
    pub(super) fn unconditional(self) -> Self {
        let update = match self.update {
            Update::Cas { key, to, .. } => Update::Write { key, value: to },
            other => other,
        };
        Self { update, ..self }
    }

    /// Its bytes in the log.
    pub fn encode(&self) -> Arc<[u8]> {
        postcard::to_allocvec(self)
            .expect("a command of texts and numbers can be encoded")
            .into()
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When the bytes are no command; they came out of the replicated log, so it is damaged.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, BadCommand> {
        postcard::from_bytes(bytes).map_err(|_| BadCommand { bytes: bytes.len() })
    }
}

/// A log entry that holds no command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadCommand {
    bytes: usize,
}

impl fmt::Display for BadCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a log entry of {} bytes is not a command of the key-value store",
            self.bytes
        )
    }
}

impl std::error::Error for BadCommand {}

/// A snapshot that holds no store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadSnapshot {
    bytes: usize,
}

impl fmt::Display for BadSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a snapshot of {} bytes is not a key-value store", self.bytes)
    }
}

impl std::error::Error for BadSnapshot {}

/// The replicated state. Equal histories of commands give equal stores and equal hashes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Store {
    values: BTreeMap<Key, Value>,
    objects: BTreeMap<Key, Object>,
    sessions: Sessions<Reply>,
    /// The exclusive or of a hash of each value, each object and each session.
    hash: u64,
    #[serde(skip)]
    bug: Option<Place>,
    /// The node's own time, which nothing may depend on; only a planted bug looks at it.
    #[serde(skip)]
    pub(super) clock: u64,
}

/// What became of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The answer, that of the first time for a repetition; `None` if the session has moved on and nobody waits for it.
    pub reply: Option<Reply>,
    /// Whether it took effect now.
    pub effect: bool,
}

impl Default for Store {
    fn default() -> Self {
        // Sessions live as long as the simulated clients, who never come back after a pause without end.
        Self {
            values: BTreeMap::new(),
            objects: BTreeMap::new(),
            sessions: Sessions::new(None),
            hash: 0,
            bug: None,
            clock: 0,
        }
    }
}

impl Store {
    /// The same with a planted bug.
    pub(super) fn with_bug(self, bug: Option<Place>) -> Self {
        Self { bug, ..self }
    }

    /// Applies the command of the entry at `index`, exactly once: a repetition changes nothing.
    pub fn apply(&mut self, command: &Command<'_>, index: u64) -> Applied {
        let (session, sequence) = (u64::from(command.session), command.sequence);
        if sequence == 1 {
            self.sessions.open(session, index);
        }
        match self.sessions.admit(session, sequence, index) {
            _ if planted!(self.bug, DedupeAtProposeOnly) => return self.apply_again(command, index),
            Admission::Repeated(reply) => {
                let reply = reply.clone();
                return Applied {
                    reply: Some(self.fresh(&command.update).unwrap_or(reply)),
                    effect: false,
                };
            }
            Admission::Stale => {
                return Applied {
                    reply: None,
                    effect: false,
                };
            }
            Admission::New => {}
            // The client has given up its first operation before any attempt at it arrived: its session begins here.
            Admission::Unknown => self.sessions.open(session, index),
        }
        let reply = self.update(&command.update);
        if let Some((earlier, reply)) = self.sessions.latest(session) {
            self.hash ^= hash_session(command.session, earlier, reply);
        }
        self.hash ^= hash_session(command.session, sequence, &reply);
        self.sessions.record(session, sequence, reply.clone(), index);
        Applied {
            reply: Some(reply),
            effect: true,
        }
    }

    /// X4: what a repeated command would answer now, if that planted bug is on.
    fn fresh(&self, update: &Update<'_>) -> Option<Reply> {
        match *update {
            Update::Cas { key, from, .. } if planted!(self.bug, DedupeReturnsFresh) => {
                let swapped = *self.get(key) == *from;
                Some(Reply::Swapped { swapped })
            }
            _ => None,
        }
    }

    /// X1: carries a command out without asking whether it was before.
    fn apply_again(&mut self, command: &Command<'_>, index: u64) -> Applied {
        let session = u64::from(command.session);
        self.sessions.open(session, index);
        let reply = self.update(&command.update);
        if self
            .sessions
            .latest(session)
            .is_none_or(|(latest, _)| latest < command.sequence)
        {
            self.sessions.record(session, command.sequence, reply.clone(), index);
        }
        Applied {
            reply: Some(reply),
            effect: true,
        }
    }

    /// The answer that an operation of a session got, if it is the session's latest.
    pub(super) fn answered(&self, session: u32, sequence: u64) -> Option<Reply> {
        let (latest, reply) = self.sessions.latest(u64::from(session))?;
        (latest == sequence).then(|| reply.clone())
    }

    fn update(&mut self, update: &Update<'_>) -> Reply {
        match *update {
            Update::Write { key, value } => {
                self.set(key, value.into());
                Reply::Done
            }
            Update::Cas { key, from, to } => {
                let swapped = *self.get(key) == *from;
                if swapped {
                    self.set(key, to.into());
                }
                Reply::Swapped { swapped }
            }
            Update::Append { key, value } => {
                let clock = match planted!(self.bug, NondeterministicApply) {
                    true => (self.clock / 1_000_000 % 10).to_string(),
                    false => String::new(),
                };
                self.set(key, [&*self.get(key), value, &clock].concat().into());
                Reply::Done
            }
            Update::Call { key, ref call } => Reply::Answer {
                answer: self.call(key, call),
            },
        }
    }

    fn set(&mut self, key: Key, value: Value) {
        self.hash ^= hash_value(key, &value);
        if let Some(earlier) = self.values.insert(key, value) {
            self.hash ^= hash_value(key, &earlier);
        }
    }

    fn call(&mut self, key: Key, call: &Call) -> Answer {
        let seed = u64::from(key) + (1 << 32);
        if let Some(object) = self.objects.get(&key) {
            self.hash ^= object.hash(seed);
        }
        let object = self.objects.entry(key).or_insert_with(|| Object::new(call));
        let answer = object.apply(call);
        self.hash ^= object.hash(seed);
        answer
    }

    /// What an object answers to a call that leaves it as it is.
    pub fn query(&self, key: Key, call: &Call) -> Answer {
        match self.objects.get(&key) {
            Some(object) => object.query(call),
            None => Object::new(call).query(call),
        }
    }

    /// The value of a key; empty if it has none.
    pub fn get(&self, key: Key) -> Value {
        self.values.get(&key).cloned().unwrap_or_else(|| Value::from(""))
    }

    /// The whole, sessions included, for a snapshot.
    pub fn encode(&self) -> Arc<[u8]> {
        let without_sessions;
        let store = match planted!(self.bug, SnapshotWithoutSessions) {
            true => {
                without_sessions = Self {
                    sessions: Sessions::new(None),
                    ..self.clone()
                };
                &without_sessions
            }
            false => self,
        };
        postcard::to_allocvec(store)
            .expect("a store of texts and numbers can be encoded")
            .into()
    }

    /// Reads a snapshot back.
    ///
    /// # Errors
    /// When the bytes are no store.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadSnapshot> {
        postcard::from_bytes(bytes).map_err(|_| BadSnapshot { bytes: bytes.len() })
    }

    /// Hash of values and sessions.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

fn hash_value(key: Key, value: &str) -> u64 {
    xxh3_64_with_seed(value.as_bytes(), u64::from(key) + 1)
}

fn hash_session(id: u32, sequence: u64, reply: &Reply) -> u64 {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&id.to_le_bytes());
    bytes[4..12].copy_from_slice(&sequence.to_le_bytes());
    bytes[12..].copy_from_slice(&code(reply).to_le_bytes());
    xxh3_64_with_seed(&bytes, 0)
}

/// A number for each answer that a command can get.
pub fn code(reply: &Reply) -> u64 {
    match reply {
        Reply::Swapped { swapped } => 1 + u64::from(*swapped),
        Reply::Answer { answer } => answer.code(),
        _ => 0,
    }
}

impl Command<'_> {
    /// The session and the number of the operation.
    pub fn operation(&self) -> (u32, u64) {
        (self.session, self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(session: u32, sequence: u64, operation: Operation) -> Request {
        Request {
            session,
            sequence,
            operation,
        }
    }

    fn append(value: &str) -> Operation {
        Operation::Append {
            key: 1,
            value: value.into(),
        }
    }

    fn apply(store: &mut Store, request: &Request) -> Option<Reply> {
        let bytes = Command::of(request).expect("an update").encode();
        store
            .apply(&Command::decode(&bytes).expect("what was encoded"), 1)
            .reply
    }

    #[test]
    fn a_repeated_command_takes_effect_once_and_gets_the_first_reply() {
        let mut store = Store::default();
        let cas = Operation::Cas {
            key: 1,
            from: "".into(),
            to: "a".into(),
        };
        assert_eq!(
            apply(&mut store, &request(1, 1, cas.clone())),
            Some(Reply::Swapped { swapped: true })
        );
        assert_eq!(apply(&mut store, &request(2, 1, append("b"))), Some(Reply::Done));
        let hash = store.hash();
        assert_eq!(
            apply(&mut store, &request(1, 1, cas)),
            Some(Reply::Swapped { swapped: true })
        );
        assert_eq!(apply(&mut store, &request(2, 1, append("b"))), Some(Reply::Done));
        assert_eq!((&*store.get(1), store.hash()), ("ab", hash));
    }

    #[test]
    fn a_command_that_the_session_has_left_behind_is_ignored() {
        let mut store = Store::default();
        apply(&mut store, &request(1, 2, append("b")));
        assert_eq!(apply(&mut store, &request(1, 1, append("a"))), None);
        assert_eq!(&*store.get(1), "b");
    }

    #[test]
    fn the_hash_is_a_function_of_the_state() {
        let (mut one, mut other) = (Store::default(), Store::default());
        apply(&mut one, &request(1, 1, append("x")));
        apply(&mut one, &request(2, 1, append("")));
        apply(&mut other, &request(2, 1, append("")));
        assert_ne!(one.hash(), other.hash());
        apply(&mut other, &request(1, 1, append("x")));
        assert_eq!(one.hash(), other.hash());
    }

    #[test]
    fn bytes_that_are_no_command_are_refused() {
        assert!(Command::decode(&[0xff; 3]).is_err());
    }
}
