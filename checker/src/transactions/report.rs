//! What a check of transactions says: the verdict, and each anomaly by its name with the reason in a sentence or two.

use super::database::{Database, OperationSource, START};
use super::graph::Edge;
use super::level::Level;
use crate::history::{Atom, OperationId};

/// What one transaction alone shows to be wrong.
#[derive(Clone, Debug)]
pub(super) struct Direct {
    pub(super) kind: DirectKind,
    pub(super) txn: u32,
    pub(super) key: u32,
    pub(super) value: Option<Atom>,
    pub(super) other: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DirectKind {
    Aborted(OperationSource),
    Intermediate,
    Unwritten,
    Future,
    Duplicate,
    Orders,
    Internal,
}

impl DirectKind {
    /// Whether a level forbids it.
    pub(super) fn is_forbidden(self, level: Level) -> bool {
        self != DirectKind::Internal || level > Level::ReadCommitted
    }

    fn name(self) -> &'static str {
        match self {
            DirectKind::Aborted(_) => "G1a",
            DirectKind::Intermediate => "G1b",
            DirectKind::Unwritten => "unwritten-read",
            DirectKind::Future => "future-read",
            DirectKind::Duplicate => "duplicate-elements",
            DirectKind::Orders => "incompatible-order",
            DirectKind::Internal => "internal",
        }
    }

    fn about(self) -> &'static str {
        match self {
            DirectKind::Aborted(_) => "aborted read",
            DirectKind::Intermediate => "intermediate read",
            DirectKind::Unwritten => "a value that nobody wrote",
            DirectKind::Future => "a read of its own later write",
            DirectKind::Duplicate => "an item that is there twice",
            DirectKind::Orders => "two orders of one list",
            DirectKind::Internal => "a transaction contradicts itself",
        }
    }
}

/// Something that a level forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// The name in the literature: `G0`, `G1a`, `G1b`, `G1c`, `G-single`, `G2-item`, with `-process` or `-realtime` where the order of a
    /// client or real time is part of it; `internal`, `incompatible-order` and the like for what Elle calls so.
    pub name: &'static str,
    /// The same in words: `dirty write`, `lost update`, `write skew`.
    pub about: &'static str,
    /// The transactions, in the order of the cycle.
    pub transactions: Vec<OperationId>,
    /// Why each comes before the next, and the last before the first: `ww`, `wr`, `rw`, `process`, `realtime`, `seen`; empty where there is no
    /// cycle.
    pub edges: Vec<&'static str>,
    /// The reason.
    pub sentence: String,
}

impl Direct {
    pub(super) fn anomaly(&self, database: &Database<'_>) -> Anomaly {
        let history = database.history;
        let txn = said(database, self.txn);
        let key = database.name(self.key);
        let value = self
            .value
            .map_or_else(String::new, |value| history.value(value).to_string());
        let other = self.other.map(|other| said(database, other)).unwrap_or_default();
        let sentence = match self.kind {
            DirectKind::Aborted(source) => {
                let failed = database.failed(source);
                let interval = history.clock().interval(failed.call, failed.returned);
                format!(
                    "{txn} read {value} at key {key}, which only a transaction of client {} {interval} wrote that failed.",
                    failed.client
                )
            }
            DirectKind::Intermediate => {
                format!("{txn} read {value} at key {key}, which {other} overwrote itself before it ended.")
            }
            DirectKind::Unwritten => format!("{txn} read {value} at key {key}, which no transaction wrote."),
            DirectKind::Future => format!("{txn} read {value} at key {key} before it wrote that itself."),
            DirectKind::Duplicate => format!("{txn} read {value} twice in the list at key {key}."),
            DirectKind::Orders if self.other == Some(self.txn) || self.value.is_some() => {
                format!(
                    "{txn} read the items that {other} appended to key {key} in another order than it appended them."
                )
            }
            DirectKind::Orders => format!(
                "{txn} and {other} read two lists at key {key}, neither of which is the beginning of the other; items of a list never move."
            ),
            DirectKind::Internal => format!(
                "{txn} read something at key {key} that contradicts what it had read or written there itself before."
            ),
        };
        let transactions = [Some(self.txn), self.other].into_iter().flatten();
        let transactions = transactions.filter_map(|txn| database.txns[txn as usize].id);
        Anomaly {
            name: self.kind.name(),
            about: self.kind.about(),
            transactions: transactions.collect(),
            edges: Vec::new(),
            sentence,
        }
    }
}

/// `` `txn …` by client 3 [1, 4] ``
fn said(database: &Database<'_>, txn: u32) -> String {
    let history = database.history;
    match database.txns[txn as usize].id {
        None => "the start".to_owned(),
        Some(id) => {
            let operation = history.operation(id);
            let interval = match operation.returned {
                Some(_) => history.clock().interval(operation.call, operation.returned),
                None => format!("[{}, …]", history.clock().time(operation.call)),
            };
            format!("`{}` by client {} {interval}", history.describe(id), operation.client)
        }
    }
}

/// A cycle of transactions: each with why it comes before the next.
pub(super) type Cycle = Vec<(u32, Edge)>;

fn name_of(cycle: &Cycle) -> (&'static str, &'static str) {
    let count = |is: fn(&Edge) -> bool| cycle.iter().filter(|(_, edge)| is(edge)).count();
    let rw = count(|edge| matches!(edge, Edge::ReadWrite(_)));
    let wr = count(|edge| matches!(edge, Edge::WriteRead(_)));
    let is_seen = count(|edge| matches!(edge, Edge::Seen(..))) > 0;
    let (is_session, is_real) = (
        count(|edge| *edge == Edge::Session) > 0,
        count(|edge| *edge == Edge::RealTime) > 0,
    );
    let of = |plain, session, real| match (is_session, is_real) {
        (_, true) => real,
        (true, false) => session,
        (false, false) => plain,
    };
    if is_seen {
        return if is_session {
            ("causal", "a causal dependency that was not seen")
        } else {
            ("fractured-read", "part of a transaction was seen, and part not")
        };
    }
    match (rw, wr) {
        (0, 0) => (of("G0", "G0-process", "G0-realtime"), "dirty write"),
        (0, _) => (of("G1c", "G1c-process", "G1c-realtime"), "circular information flow"),
        (1, _) => {
            let keys = cycle.iter().filter_map(|(_, edge)| match edge {
                Edge::ReadWrite(key) | Edge::WriteWrite(key) => Some(*key),
                _ => None,
            });
            let mut keys: Vec<u32> = keys.collect();
            keys.dedup();
            let is_lost = cycle.len() == 2 && wr == 0 && keys.len() == 1 && !is_session && !is_real;
            let about = match (is_lost, is_session || is_real) {
                (true, _) => "lost update",
                (false, true) => "stale read",
                (false, false) => "read skew",
            };
            (of("G-single", "G-single-process", "G-single-realtime"), about)
        }
        _ => {
            let keys = cycle.iter().filter_map(|(_, edge)| match edge {
                Edge::ReadWrite(key) => Some(*key),
                _ => None,
            });
            let mut keys: Vec<u32> = keys.collect();
            keys.sort_unstable();
            keys.dedup();
            let about = match (cycle.len(), keys.len(), is_session || is_real) {
                (2, 1, false) => "lost update",
                (2, _, false) => "write skew",
                _ => "anti-dependency cycle",
            };
            (of("G2-item", "G2-item-process", "G2-item-realtime"), about)
        }
    }
}

/// The anomaly that a cycle is.
pub(super) fn anomaly_of(database: &Database<'_>, cycle: &Cycle) -> Anomaly {
    let (name, about) = name_of(cycle);
    let label = |place: usize| format!("T{}", place + 1);
    let mut sentence = String::new();
    for (place, &(txn, _)) in cycle.iter().enumerate() {
        sentence += &format!("{} is {}. ", label(place), said(database, txn));
    }
    let mut whys = Vec::new();
    for (place, &(_, edge)) in cycle.iter().enumerate() {
        let (from, to) = (label(place), label((place + 1) % cycle.len()));
        let why = match edge {
            Edge::WriteWrite(key) => format!("{to} wrote key {} after it", database.name(key)),
            Edge::WriteRead(key) => format!("{to} read at key {} what it wrote", database.name(key)),
            Edge::ReadWrite(key) => format!("it read key {} without what {to} wrote there", database.name(key)),
            Edge::Session => format!("{to} came later from the same client"),
            Edge::RealTime => format!("it had returned before {to} began"),
            Edge::Seen(key, reader) => format!(
                "{} had seen {from} and still read key {} as {to} left it",
                said(database, reader),
                database.name(key)
            ),
            Edge::Step => "it is the start".to_owned(),
        };
        whys.push(format!("{from} is before {to}, because {why}"));
    }
    sentence += &whys.join("; ");
    sentence += ": a contradiction.";
    let ids = cycle.iter().filter(|(txn, _)| *txn != START);
    Anomaly {
        name,
        about,
        transactions: ids.filter_map(|&(txn, _)| database.txns[txn as usize].id).collect(),
        edges: cycle
            .iter()
            .map(|(_, edge)| match edge {
                Edge::WriteWrite(_) => "ww",
                Edge::WriteRead(_) => "wr",
                Edge::ReadWrite(_) => "rw",
                Edge::Session => "process",
                Edge::RealTime => "realtime",
                Edge::Seen(..) => "seen",
                Edge::Step => "start",
            })
            .collect(),
        sentence,
    }
}

/// A cycle that could not be made short enough to be told within the budget: some of those that are in it.
pub(super) fn unshown(database: &Database<'_>, txns: impl Iterator<Item = u32>) -> Anomaly {
    let ids: Vec<OperationId> = txns.filter_map(|txn| database.txns[txn as usize].id).take(8).collect();
    Anomaly {
        name: "cycle",
        about: "a cycle of dependencies",
        transactions: ids,
        edges: Vec::new(),
        sentence: "Transactions depend on each other in a circle; a short one could not be found within the budget."
            .to_owned(),
    }
}

/// Every order of the writes was tried.
pub(super) fn no_order() -> Anomaly {
    Anomaly {
        name: "no-order",
        about: "no order of the writes",
        transactions: Vec::new(),
        edges: Vec::new(),
        sentence: "Every order of the transactions that wrote one register was tried, and none explains what was read."
            .to_owned(),
    }
}
