//! Client sessions for exactly-once (thesis, section 6.3): a table that belongs to the state machine, beside the core. It is
//! replicated by being changed only when entries are applied, and part of every snapshot by being serialised with the rest.
//!
//! A client numbers its operations. Whatever was applied under a number is remembered with its response until the client
//! uses the next number, so that a command that was proposed twice takes effect once and is answered alike.

use crate::types::Index;
use alloc::collections::BTreeMap;

/// Names a client's session.
pub type SessionId = u64;

/// The sessions of all clients, each with its latest response. Times are log indexes: every replica forgets the same
/// sessions at the same entry.
///
/// ```
/// use raft_core::sessions::{Admission, Sessions};
///
/// let mut sessions = Sessions::new(Some(100));
/// sessions.open(7, 1);
/// assert_eq!(sessions.admit(7, 1, 2), Admission::New);
/// sessions.record(7, 1, "done", 2);
/// assert_eq!(sessions.admit(7, 1, 3), Admission::Repeated(&"done"));
/// sessions.expire(200);
/// assert_eq!(sessions.admit(7, 2, 200), Admission::Unknown);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sessions<R> {
    sessions: BTreeMap<SessionId, Session<R>>,
    /// A session that was not used for more entries than this is forgotten.
    lifetime: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Session<R> {
    /// The entry that used it last.
    used: Index,
    /// The number of its latest operation; 0 before the first.
    sequence: u64,
    response: Option<R>,
}

/// What to do with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission<'a, R> {
    /// Apply it, then [`Sessions::record`] its response.
    New,
    /// It was applied before: answer this, change nothing.
    Repeated(&'a R),
    /// The client has gone on to a later operation: nobody waits; change nothing.
    Stale,
    /// The session was never opened or is forgotten. Whether the command was applied before can't be known: change
    /// nothing, and refuse it.
    Unknown,
}

impl<R> Sessions<R> {
    /// No sessions. One that no entry uses for `lifetime` entries is forgotten by [`expire`](Self::expire).
    #[must_use]
    pub fn new(lifetime: Option<u64>) -> Self {
        Self {
            sessions: BTreeMap::new(),
            lifetime,
        }
    }

    /// The entry at `index` opens a session, unless there is one of this name.
    pub fn open(&mut self, id: SessionId, index: Index) {
        self.sessions.entry(id).or_insert(Session {
            used: index,
            sequence: 0,
            response: None,
        });
    }

    /// What to do with operation `sequence`, at least 1, of a session, in the entry at `index`.
    pub fn admit(&mut self, id: SessionId, sequence: u64, index: Index) -> Admission<'_, R> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Admission::Unknown;
        };
        session.used = index;
        match &session.response {
            Some(response) if sequence == session.sequence => Admission::Repeated(response),
            _ if sequence > session.sequence => Admission::New,
            _ => Admission::Stale,
        }
    }

    /// The operation was applied. Returns the response that it replaces.
    pub fn record(&mut self, id: SessionId, sequence: u64, response: R, index: Index) -> Option<R> {
        let session = self.sessions.get_mut(&id)?;
        debug_assert!(sequence > session.sequence, "an operation is applied once");
        (session.used, session.sequence) = (index, sequence);
        session.response.replace(response)
    }

    /// Forgets, at the entry at `index`, the sessions whose lifetime is over. Every replica must call it at the same entries.
    pub fn expire(&mut self, index: Index) {
        if let Some(lifetime) = self.lifetime {
            self.sessions
                .retain(|_, session| index.saturating_sub(session.used) <= lifetime);
        }
    }

    /// Number and response of a session's latest operation.
    #[must_use]
    pub fn latest(&self, id: SessionId) -> Option<(u64, &R)> {
        let session = self.sessions.get(&id)?;
        session.response.as_ref().map(|response| (session.sequence, response))
    }

    /// How many sessions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thesis_6_3_a_command_that_is_applied_twice_takes_effect_once() {
        let mut sessions = Sessions::new(None);
        sessions.open(1, 1);
        assert_eq!(sessions.admit(1, 1, 2), Admission::New);
        sessions.record(1, 1, 'a', 2);
        assert_eq!(sessions.admit(1, 1, 3), Admission::Repeated(&'a'));
        assert_eq!(sessions.admit(1, 2, 4), Admission::New);
        assert_eq!(sessions.record(1, 2, 'b', 4), Some('a'));
        assert_eq!(sessions.admit(1, 1, 5), Admission::Stale);
        assert_eq!(sessions.latest(1), Some((2, &'b')));
    }

    #[test]
    fn thesis_6_3_sessions_expire_by_log_time_and_are_refused_then() {
        let mut sessions = Sessions::new(Some(10));
        sessions.open(1, 1);
        sessions.open(2, 5);
        sessions.expire(12);
        assert_eq!(sessions.admit(1, 1, 12), Admission::<()>::Unknown);
        assert_eq!(sessions.admit(2, 1, 12), Admission::New);
        sessions.open(1, 13);
        assert_eq!(sessions.admit(1, 1, 13), Admission::New);
        assert_eq!(sessions.len(), 2);
    }
}
