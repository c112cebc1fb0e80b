//! Transactions at every level of isolation, from read committed to strict serialisability.
//!
//! Owns the way from a history of transactions to a [`Report`]. `database` brings the transactions into a form, `infer` says what their answers
//! show, `level` makes a graph of that, `seen` adds what follows below snapshots and `polygraph` with `schedule` what follows for
//! registers, whose versions nobody knows the order of; `graph` and `cycles` find the shortest cycle, and `report` has the words.
//!
//! What a level asks for is in [`Level`]. The verdict is exact where every value is written once to a key: for lists it takes linear time at
//! all levels (but a number for each client at *causal*); for registers it does below snapshots, and from there on the problem is
//! NP-complete, with a budget whose end says *unknown*. A refusal names the anomaly as the literature does, and shows the transactions of the
//! shortest cycle. A transaction that failed did not happen; one of unknown outcome did if somebody has read from it.
//!
//! ```
//! use checker::history::History;
//! use checker::transactions::{Level, Verdict, check};
//!
//! let skew = br#"{"client":1,"op":"txn","key":null,"value":[["r","x"],["append","y",1]],"output":[[]],"call":1,"return":8}
//! {"client":2,"op":"txn","key":null,"value":[["r","y"],["append","x",2]],"output":[[]],"call":2,"return":9}
//! "#;
//! let history = History::read(&skew[..])?;
//! assert!(matches!(check(&history, &[], Level::SnapshotIsolation, 1_000)?.verdict, Verdict::Consistent));
//! let report = check(&history, &[], Level::Serializable, 1_000)?;
//! let Verdict::Inconsistent(anomalies) = report.verdict else { panic!("it is write skew") };
//! assert_eq!((anomalies[0].name, anomalies[0].about), ("G2-item", "write skew"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cycles;
mod database;
mod graph;
mod infer;
mod level;
mod polygraph;
mod report;
mod schedule;
mod seen;

use crate::history::{History, Operation, OperationId, OwnedValue};
use crate::models::{Misfit, Sequential, Transactions};

pub use level::{Level, NoLevel};
pub use report::Anomaly;

use database::{Database, START, Unfit};
use graph::{Edge, Graph};
use infer::Inferred;
use level::Nodes;
use polygraph::{Outcome, Steps};

/// Most anomalies of one report.
const ANOMALIES_MAX: usize = 8;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The level holds.
    Consistent,
    /// It does not: at most eight anomalies, the worst first.
    Inconsistent(Vec<Anomaly>),
    /// Why nothing can be said.
    Unknown(String),
}

/// What [`check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was asked for.
    pub level: Level,
    /// Transactions in the history.
    pub transactions: usize,
    /// Of those, how many have an unknown outcome.
    pub unknown_outcomes: usize,
    /// How many took effect and returned.
    pub succeeded: usize,
    /// Keys of the database.
    pub keys: usize,
    /// The answer.
    pub verdict: Verdict,
}

/// Checks the transactions of `history`, whose registers hold what `initial` says at the start, with at most `steps` steps of search.
///
/// # Errors
///
/// When an operation is no transaction.
pub fn check(
    history: &History,
    initial: &[(OwnedValue, OwnedValue)],
    level: Level,
    steps: u64,
) -> Result<Report, Misfit> {
    let model = Transactions::default();
    for id in history.ids() {
        let operation = history.operation(id);
        if let Some(what) = model.misfit(history, operation.op, operation.output) {
            return Err(Misfit::new(history, id, Sequential::name(&model), what));
        }
    }
    let all = history.ids().map(|id| (id, history.operation(id)));
    let database = Database::new(history, initial, all);
    let verdict = match decide(&database, level, steps) {
        Decision::Order(_) => Verdict::Consistent,
        Decision::Impossible(anomalies) => Verdict::Inconsistent(anomalies),
        Decision::Unknown(why) => Verdict::Unknown(why),
    };
    let (unknown_outcomes, succeeded) = history.outcomes();
    Ok(Report {
        level,
        transactions: history.len(),
        unknown_outcomes,
        succeeded,
        keys: database.keys.len(),
        verdict,
    })
}

/// An order in which the operations, of which `known` tells all that is known, may have taken effect one after another in real time, or
/// those that contradict each other; `None`: nobody can tell within `steps`.
pub(crate) fn strict_order(
    history: &History,
    initial: &[(OwnedValue, OwnedValue)],
    known: impl Iterator<Item = (OperationId, Operation)>,
    steps: u64,
) -> Option<Result<Vec<OperationId>, Vec<OperationId>>> {
    let database = Database::new(history, initial, known);
    match decide(&database, Level::StrictSerializable, steps) {
        Decision::Order(order) => {
            let ids = order.into_iter().filter_map(|txn| database.txns[txn as usize].id);
            Some(Ok(ids.collect()))
        }
        Decision::Impossible(anomalies) => Some(Err(anomalies.into_iter().next()?.transactions)),
        Decision::Unknown(_) => None,
    }
}

enum Decision {
    /// The transactions in an order that keeps all that is known.
    Order(Vec<u32>),
    Impossible(Vec<Anomaly>),
    Unknown(String),
}

fn decide(database: &Database<'_>, level: Level, steps: u64) -> Decision {
    let inferred = match infer::infer(database) {
        Ok(inferred) => inferred,
        Err(Unfit(why)) => return Decision::Unknown(why),
    };
    let direct: Vec<Anomaly> = inferred
        .direct
        .iter()
        .filter(|direct| direct.kind.is_forbidden(level))
        .take(ANOMALIES_MAX)
        .map(|direct| direct.anomaly(database))
        .collect();
    if !direct.is_empty() {
        return Decision::Impossible(direct);
    }
    let (mut graph, nodes) = level::graph(database, &inferred, level);
    match level {
        Level::ReadCommitted => {}
        Level::ReadAtomic => seen::add_atomic(database, &inferred, &mut graph),
        Level::Causal => {
            let too_many =
                "there are too many clients for the clocks of causal consistency; check a part of the history";
            let added = seen::add_causal(database, &inferred, &mut graph);
            let Some(()) = added else {
                return Decision::Unknown(too_many.to_owned());
            };
        }
        _ if level.is_snapshot() && inferred.unread.iter().any(|unread| unread.len() > 1) => {
            return unread(database, &inferred, graph, nodes, steps);
        }
        _ if inferred.has_registers(database) => {
            return registers(database, &inferred, graph, nodes, steps);
        }
        _ => {}
    }
    acyclic(database, &inferred, &graph, nodes)
}

/// Whether all that is known has an order.
fn acyclic(database: &Database<'_>, inferred: &Inferred, graph: &Graph, nodes: Nodes) -> Decision {
    let sorted = graph.sorted();
    let txns = database.txns.len();
    let components = match sorted.order() {
        Ok(order) => {
            let ends = order.into_iter().filter_map(|node| {
                let txn = nodes.txn(node, txns)?;
                let counts = nodes.end(txn) == node && txn != START && inferred.is_committed[txn as usize];
                counts.then_some(txn)
            });
            return Decision::Order(ends.collect());
        }
        Err(components) => components,
    };
    let mut cycles: Vec<report::Cycle> = components
        .iter()
        .take(ANOMALIES_MAX)
        .filter_map(|component| cycles::shortest(&sorted, component, nodes, txns))
        .collect();
    cycles.sort_by_key(Vec::len);
    let mut anomalies: Vec<Anomaly> = cycles.iter().map(|cycle| report::anomaly_of(database, cycle)).collect();
    anomalies.sort_by_key(|anomaly| anomaly.name);
    if anomalies.is_empty() {
        // It is known that there is a cycle, and not which.
        anomalies.push(report::unshown(
            database,
            components.iter().flatten().filter_map(|&node| nodes.txn(node, txns)),
        ));
    }
    Decision::Impossible(anomalies)
}

/// Snapshots, where several transactions appended to a list what nobody has read: perhaps in the order in which they returned.
fn unread(database: &Database<'_>, inferred: &Inferred, graph: Graph, nodes: Nodes, steps: u64) -> Decision {
    if !inferred.has_registers(database) {
        let mut guessed = graph.clone();
        for (key, unread) in inferred.unread.iter().enumerate() {
            let mut order = unread.clone();
            order.sort_by_key(|&txn| {
                let txn = &database.txns[txn as usize];
                (txn.returned.unwrap_or(u64::MAX), txn.call)
            });
            for pair in order.windows(2) {
                let edge = Edge::WriteWrite(key as u32);
                let (from, to) = nodes.ends(pair[0], pair[1], edge);
                guessed.add(from, to, edge);
            }
        }
        if let decision @ Decision::Order(_) = acyclic(database, inferred, &guessed, nodes) {
            return decision;
        }
    }
    registers(database, inferred, graph, nodes, steps)
}

fn registers(database: &Database<'_>, inferred: &Inferred, mut graph: Graph, nodes: Nodes, steps: u64) -> Decision {
    match polygraph::decide(database, inferred, &mut graph, nodes, &mut Steps(steps)) {
        Outcome::Order(order) => Decision::Order(order.into_iter().filter(|&txn| txn != START).collect()),
        Outcome::Cycle => acyclic(database, inferred, &graph, nodes),
        Outcome::None => Decision::Impossible(vec![report::no_order()]),
        Outcome::Unknown(why) => Decision::Unknown(why.to_owned()),
    }
}
