//! Read atomic and causal consistency: who has seen a transaction has seen all of it, and, for the second, all that it depended on.
//!
//! After Biswas and Enea 2019: if a transaction reads a key from one that wrote it, every other one that wrote the key and that it has seen
//! comes before that. Both levels hold if that, and all that is known, has no cycle. As in AWDIT (Møldrup and Pavlogiannis 2025), of each
//! client only the last transaction that wrote the key and was seen has to be looked at.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::database::{Database, START};
use super::graph::{Edge, Graph};
use super::infer::{Dependency, Inferred, View};
use super::level::{committed, sessions};

/// Most numbers that the clocks of causal consistency take: a number for each transaction and client.
const CLOCKS_MAX: usize = 1 << 27;

/// Adds that `earlier`, which `view` has seen, is before the writer that it has read from.
fn add(graph: &mut Graph, inferred: &Inferred, view: &View, earlier: u32, is_list: bool) {
    let View {
        txn,
        key,
        writer,
        length,
    } = *view;
    if earlier == writer || earlier == txn {
        return;
    }
    let Some(place) = inferred.places.get(&(key, earlier)) else {
        return;
    };
    if is_list && place.last <= length {
        return;
    }
    graph.add(earlier, writer, Edge::Seen(key, txn));
    if writer == START {
        graph.add(START, earlier, Edge::Step);
    }
}

/// Adds what follows for read atomic.
pub(super) fn add_atomic(database: &Database<'_>, inferred: &Inferred, graph: &mut Graph) {
    for views in inferred.views.chunk_by(|one, other| one.txn == other.txn) {
        for view in views {
            for seen in views {
                if seen.writer != START {
                    add(graph, inferred, view, seen.writer, database.is_list[view.key as usize]);
                }
            }
        }
    }
}

/// What one session wrote of a key: the session, and of each write its place in that and its transaction.
type Written = (u32, Vec<(u32, u32)>);

/// Adds what follows for causal consistency. `None`: there are too many clients. What was read in a circle is left to the graph.
pub(super) fn add_causal(database: &Database<'_>, inferred: &Inferred, graph: &mut Graph) -> Option<()> {
    let txns = database.txns.len();
    // The session of each transaction and its place in that; one of unknown outcome is a session of its own, as nothing comes after it.
    let mut session = vec![(u32::MAX, 0u32); txns];
    let mut before = vec![START; txns];
    sessions(database, inferred, |from, to| before[to as usize] = from);
    let mut lengths: Vec<u32> = Vec::new();
    let mut by_client: Vec<u32> = committed(inferred).collect();
    by_client.sort_by_key(|&txn| {
        let txn = &database.txns[txn as usize];
        (txn.client, txn.call, txn.returned)
    });
    for &txn in &by_client {
        let earlier = before[txn as usize];
        let is_last = database.txns[txn as usize].returned.is_none();
        session[txn as usize] = if earlier == START || is_last {
            lengths.push(1);
            (lengths.len() as u32 - 1, 0)
        } else {
            let of = session[earlier as usize].0;
            lengths[of as usize] += 1;
            (of, lengths[of as usize] - 1)
        };
    }
    let width = lengths.len();
    if txns.checked_mul(width).is_none_or(|numbers| numbers > CLOCKS_MAX) {
        return None;
    }
    // What happened before.
    let mut happened = Graph::new(txns);
    for (txn, &earlier) in before.iter().enumerate() {
        if earlier != START {
            happened.add(earlier, txn as u32, Edge::Session);
        }
    }
    for dependency in &inferred.dependencies {
        if let &Dependency::One(from, to, edge @ Edge::WriteRead(_)) = dependency
            && from != START
        {
            happened.add(from, to, edge);
        }
    }
    let sorted = happened.sorted();
    let Ok(order) = sorted.order() else {
        return Some(());
    };
    let mut writers: HashMap<u32, Vec<Written>, FxBuildHasher> = HashMap::default();
    for &txn in &by_client {
        let (of, place) = session[txn as usize];
        for key in keys_written(database, inferred, txn) {
            let sessions = writers.entry(key).or_default();
            match sessions.last_mut() {
                Some((last, places)) if *last == of => places.push((place, txn)),
                _ => sessions.push((of, vec![(place, txn)])),
            }
        }
    }
    let mut first = vec![0usize; txns + 1];
    for view in &inferred.views {
        first[view.txn as usize + 1] += 1;
    }
    for txn in 0..txns {
        first[txn + 1] += first[txn];
    }
    let mut clocks = vec![0u32; txns * width];
    for &txn in &order {
        let at = txn as usize * width;
        for view in &inferred.views[first[txn as usize]..first[txn as usize + 1]] {
            for (of, places) in writers.get(&view.key).into_iter().flatten() {
                let seen = clocks[at + *of as usize];
                let count = places.partition_point(|&(place, _)| place < seen);
                if count > 0 {
                    let (_, earlier) = places[count - 1];
                    add(graph, inferred, view, earlier, database.is_list[view.key as usize]);
                }
            }
        }
        if session[txn as usize].0 == u32::MAX {
            continue;
        }
        let (of, place) = session[txn as usize];
        for &(later, _) in sorted.after(txn) {
            let later = later as usize * width;
            for column in 0..width {
                clocks[later + column] = clocks[later + column].max(clocks[at + column]);
            }
            let own = &mut clocks[later + of as usize];
            *own = (*own).max(place + 1);
        }
    }
    Some(())
}

fn keys_written(database: &Database<'_>, inferred: &Inferred, txn: u32) -> Vec<u32> {
    use super::database::Did;
    let written = database.steps(txn).iter().filter_map(|&did| match did {
        Did::Read(..) => None,
        Did::Write(key, _) | Did::Append(key, _) => Some(key),
    });
    let mut keys: Vec<u32> = written.filter(|&key| inferred.has_written(key, txn)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
