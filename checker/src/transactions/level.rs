//! The levels of isolation, what each asks for, and the graph that decides it.

use std::fmt;
use std::str::FromStr;

use super::database::{Database, START};
use super::graph::{Edge, Graph};
use super::infer::{Dependency, Inferred};

/// A level of isolation, from the weakest to the strongest; each forbids what those before it do, but for the order of a client, which
/// only [`Causal`](Self::Causal) and the `strong-session` ones look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nobody reads what failed or was not final, and no cycle of writes and reads of what was written (Adya 1999, PL-2: no G0, G1).
    ReadCommitted,
    /// And whoever sees one write of a transaction sees all (Bailis et al. 2014; Biswas and Enea 2019).
    ReadAtomic,
    /// And whoever sees a transaction sees all that it depended on, by reads and by the order of its client (Biswas and Enea 2019).
    Causal,
    /// All reads are of one moment, and of two transactions that write one key one ends before the other begins (Adya 1999, PL-SI; Cerone
    /// and Gotsman 2018, without the order of clients).
    SnapshotIsolation,
    /// And the order of each client is kept.
    StrongSessionSnapshotIsolation,
    /// There is one order (Papadimitriou 1979; Adya 1999, PL-3).
    Serializable,
    /// And it keeps the order of each client.
    StrongSessionSerializable,
    /// And it keeps real time.
    StrictSerializable,
}

impl Level {
    /// All of them.
    pub const ALL: [Level; 8] = [
        Level::ReadCommitted,
        Level::ReadAtomic,
        Level::Causal,
        Level::SnapshotIsolation,
        Level::StrongSessionSnapshotIsolation,
        Level::Serializable,
        Level::StrongSessionSerializable,
        Level::StrictSerializable,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Level::ReadCommitted => "read-committed",
            Level::ReadAtomic => "read-atomic",
            Level::Causal => "causal",
            Level::SnapshotIsolation => "snapshot-isolation",
            Level::StrongSessionSnapshotIsolation => "strong-session-snapshot-isolation",
            Level::Serializable => "serializable",
            Level::StrongSessionSerializable => "strong-session-serializable",
            Level::StrictSerializable => "strict-serializable",
        }
    }

    /// Whether a transaction has two moments, when it reads and when it writes.
    pub(super) fn is_snapshot(self) -> bool {
        matches!(self, Level::SnapshotIsolation | Level::StrongSessionSnapshotIsolation)
    }

    /// Whether versions that were read must not be overwritten before.
    pub(super) fn has_anti_dependencies(self) -> bool {
        self >= Level::SnapshotIsolation
    }

    fn has_sessions(self) -> bool {
        matches!(
            self,
            Level::Causal | Level::StrongSessionSnapshotIsolation | Level::StrongSessionSerializable
        )
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of a level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no level of isolation is called {0:?}")]
pub struct NoLevel(String);

impl FromStr for Level {
    type Err = NoLevel;

    fn from_str(text: &str) -> Result<Self, NoLevel> {
        let level = Level::ALL.into_iter().find(|level| level.name() == text);
        level.ok_or_else(|| NoLevel(text.to_owned()))
    }
}

/// How transactions are nodes: one each, or one for when it reads (even) and one for when it writes (odd).
#[derive(Clone, Copy, Debug)]
pub(super) struct Nodes {
    pub(super) is_snapshot: bool,
}

impl Nodes {
    pub(super) fn begin(self, txn: u32) -> u32 {
        if self.is_snapshot { 2 * txn } else { txn }
    }

    pub(super) fn end(self, txn: u32) -> u32 {
        if self.is_snapshot { 2 * txn + 1 } else { txn }
    }

    /// Where an edge leaves a transaction and where it comes to another one.
    pub(super) fn ends(self, from: u32, to: u32, edge: Edge) -> (u32, u32) {
        match edge {
            Edge::ReadWrite(_) => (self.begin(from), self.end(to)),
            _ => (self.end(from), self.begin(to)),
        }
    }

    pub(super) fn count(self, txns: usize) -> usize {
        if self.is_snapshot { 2 * txns } else { txns }
    }

    /// The transaction of a node, if it is one of a transaction.
    pub(super) fn txn(self, node: u32, txns: usize) -> Option<u32> {
        let txn = if self.is_snapshot { node / 2 } else { node };
        ((txn as usize) < txns && (node as usize) < self.count(txns)).then_some(txn)
    }
}

/// The graph of what must come before what at `level`, as far as it is known.
pub(super) fn graph(database: &Database<'_>, inferred: &Inferred, level: Level) -> (Graph, Nodes) {
    let nodes = Nodes {
        is_snapshot: level.is_snapshot(),
    };
    let txns = database.txns.len();
    let mut graph = Graph::new(nodes.count(txns));
    if nodes.is_snapshot {
        for txn in 0..txns as u32 {
            graph.add(nodes.begin(txn), nodes.end(txn), Edge::Step);
        }
    }
    let takes = |edge: Edge| level.has_anti_dependencies() || !matches!(edge, Edge::ReadWrite(_));
    for dependency in &inferred.dependencies {
        match dependency {
            &Dependency::One(from, to, edge) if takes(edge) => {
                let (from, to) = if from == to {
                    continue;
                } else {
                    nodes.ends(from, to, edge)
                };
                graph.add(from, to, edge);
            }
            Dependency::All(from, to, edge) if takes(*edge) => {
                let between = graph.node();
                for &from in from {
                    graph.add(nodes.ends(from, START, *edge).0, between, Edge::Step);
                }
                for &to in to {
                    graph.add(between, nodes.ends(START, to, *edge).1, *edge);
                }
            }
            _ => {}
        }
    }
    if level.has_sessions() {
        sessions(database, inferred, |from, to| {
            let (from, to) = nodes.ends(from, to, Edge::Session);
            graph.add(from, to, Edge::Session);
        });
    }
    if level == Level::StrictSerializable {
        real_time(database, inferred, &mut graph);
    }
    (graph, nodes)
}

/// Each client's transactions, one after another. What has an unknown outcome comes after what the client did before, and before nothing.
pub(super) fn sessions(database: &Database<'_>, inferred: &Inferred, mut edge: impl FnMut(u32, u32)) {
    let mut order: Vec<u32> = committed(inferred).collect();
    order.sort_by_key(|&txn| {
        let txn = &database.txns[txn as usize];
        (txn.client, txn.call, txn.returned)
    });
    let mut before: Option<u32> = None;
    for txn in order {
        let of = |txn: u32| &database.txns[txn as usize];
        before = before.filter(|&before| of(before).client == of(txn).client);
        if let Some(before) = before {
            edge(before, txn);
        }
        if of(txn).returned.is_some() {
            before = Some(txn);
        }
    }
}

pub(super) fn committed(inferred: &Inferred) -> impl Iterator<Item = u32> {
    let is_committed = |&txn: &u32| inferred.is_committed[txn as usize];
    (START + 1..inferred.is_committed.len() as u32).filter(is_committed)
}

/// What had returned before what began: by a chain of nodes, one for each return, so that there are no more edges than transactions.
fn real_time(database: &Database<'_>, inferred: &Inferred, graph: &mut Graph) {
    let of = |txn: u32| &database.txns[txn as usize];
    let mut returns: Vec<(u64, u32)> = committed(inferred)
        .filter_map(|txn| of(txn).returned.map(|returned| (returned, txn)))
        .collect();
    returns.sort_unstable();
    let mut calls: Vec<(u64, u32)> = committed(inferred).map(|txn| (of(txn).call, txn)).collect();
    calls.sort_unstable();
    let (mut next, mut last) = (0, None);
    for (call, txn) in calls {
        while let Some(&(returned, earlier)) = returns.get(next).filter(|&&(returned, _)| returned < call) {
            let _ = returned;
            let node = graph.node();
            if let Some(last) = last {
                graph.add(last, node, Edge::Step);
            }
            graph.add(earlier, node, Edge::Step);
            last = Some(node);
            next += 1;
        }
        if let Some(last) = last {
            graph.add(last, txn, Edge::RealTime);
        }
    }
}
