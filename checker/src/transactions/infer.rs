//! What the answers of transactions show: whose versions each has read, in which order the versions of a list came, and what nothing can
//! excuse.
//!
//! The inference of Elle (Kingsbury and Alvaro 2020). A list tells the order of its versions: the longest read has it, and every other must
//! be a beginning of that. What nobody has read was appended after all that somebody has. Of registers only the writer of what was read is
//! known. Values are taken to be written once; where that is not so, nothing is said.

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use super::database::{Database, Did, START, Unfit, Writer};
use super::graph::Edge;
use super::report::{Direct, DirectKind};
use crate::history::Atom;

/// A version that a transaction has read and that it did not write itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) txn: u32,
    pub(super) key: u32,
    /// Who wrote it.
    pub(super) writer: u32,
    /// Of a list: how many items it had.
    pub(super) length: u32,
}

/// Dependencies between transactions.
#[derive(Clone, Debug)]
pub(super) enum Dependency {
    One(u32, u32, Edge),
    /// Each of the first comes before each of the second.
    All(Vec<u32>, Vec<u32>, Edge),
}

/// What is known.
#[derive(Default)]
pub(super) struct Inferred {
    pub(super) direct: Vec<Direct>,
    pub(super) dependencies: Vec<Dependency>,
    /// By transaction.
    pub(super) views: Vec<View>,
    /// Whether a transaction took effect.
    pub(super) is_committed: Vec<bool>,
    /// Of each register the transactions that wrote it; empty for a list.
    pub(super) writers: Vec<Vec<u32>>,
    /// What became of what a transaction wrote to a key.
    pub(super) places: HashMap<(u32, u32), Place, FxBuildHasher>,
    /// Of each list the transactions that appended something that nobody has read.
    pub(super) unread: Vec<Vec<u32>>,
    /// The longest read of each list, and who has read as much.
    longest: Vec<(u32, Vec<u32>)>,
}

/// What became of what a transaction wrote to one key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// Where in its list the last item stands, from 1; `u32::MAX`: nobody has read it, or it is a register.
    pub(super) last: u32,
    /// How many of its items somebody has read.
    read: u32,
}

impl Inferred {
    /// Whether there are registers of which the order of the writes has to be found.
    pub(super) fn has_registers(&self, database: &Database<'_>) -> bool {
        let reads_start = |view: &View| view.writer == START && !database.is_list[view.key as usize];
        self.writers.iter().any(|writers| writers.len() > 1) || self.views.iter().any(reads_start)
    }

    /// Whether `txn` wrote `key`.
    pub(super) fn has_written(&self, key: u32, txn: u32) -> bool {
        self.places.contains_key(&(key, txn))
    }
}

struct Seen<'d> {
    txn: u32,
    items: &'d [Atom],
}

/// What is at hand of one key within a transaction.
struct Local<'d> {
    key: u32,
    /// The last value that it wrote.
    own: Option<Atom>,
    /// The version that it has read.
    read: Option<Atom>,
    items: Option<&'d [Atom]>,
    /// What it appended since, or from the beginning.
    appended: Vec<Atom>,
}

pub(super) fn infer(database: &Database<'_>) -> Result<Inferred, Unfit> {
    let mut inferred = Inferred {
        is_committed: database.txns.iter().map(|txn| txn.returned.is_some()).collect(),
        writers: vec![Vec::new(); database.keys.len()],
        longest: vec![(START, Vec::new()); database.keys.len()],
        ..Inferred::default()
    };
    let mut lists: Vec<Vec<Seen<'_>>> = database.keys.iter().map(|_| Vec::new()).collect();
    let mut views: Vec<View> = Vec::new();
    for txn in 1..database.txns.len() as u32 {
        read(database, txn, &mut inferred, &mut lists, &mut views)?;
    }
    for (key, seen) in lists.iter().enumerate() {
        if database.is_list[key] {
            order(database, key as u32, seen, &mut inferred, &mut views)?;
        }
    }
    // What an unknown outcome has written and somebody has read has happened.
    views.sort_by_key(|view| view.txn);
    inferred.views = views;
    for txn in 1..database.txns.len() as u32 {
        if !inferred.is_committed[txn as usize] {
            continue;
        }
        for &did in database.steps(txn) {
            match did {
                Did::Read(..) => {}
                Did::Write(key, _) if database.is_list[key as usize] => {
                    return Err(Unfit(format!(
                        "key {} is both written and appended to",
                        database.name(key)
                    )));
                }
                Did::Write(key, _) => {
                    inferred.places.entry((key, txn)).or_default().last = u32::MAX;
                    let writers = &mut inferred.writers[key as usize];
                    if writers.last() != Some(&txn) {
                        writers.push(txn);
                    }
                }
                Did::Append(key, _) => {
                    inferred.places.entry((key, txn)).or_default();
                }
            }
        }
    }
    unread(database, &mut inferred);
    for index in 0..inferred.views.len() {
        let View { txn, key, writer, .. } = inferred.views[index];
        inferred
            .dependencies
            .push(Dependency::One(writer, txn, Edge::WriteRead(key)));
    }
    Ok(inferred)
}

/// What one transaction has read.
fn read<'d>(
    database: &'d Database<'_>,
    txn: u32,
    inferred: &mut Inferred,
    lists: &mut [Vec<Seen<'d>>],
    views: &mut Vec<View>,
) -> Result<(), Unfit> {
    let mut locals: Vec<Local<'d>> = Vec::new();
    for &did in database.steps(txn) {
        let (Did::Read(key, _) | Did::Write(key, _) | Did::Append(key, _)) = did;
        let place = locals.iter().position(|local| local.key == key).unwrap_or_else(|| {
            locals.push(Local {
                key,
                own: None,
                read: None,
                items: None,
                appended: Vec::new(),
            });
            locals.len() - 1
        });
        let local = &mut locals[place];
        match did {
            Did::Write(_, value) => local.own = Some(value),
            Did::Append(_, value) => local.appended.push(value),
            Did::Read(_, value) if database.is_list[key as usize] => {
                let items = match value {
                    Atom::List(list) => database.history.list(list),
                    Atom::Null => &[],
                    _ => {
                        return Err(Unfit(format!(
                            "key {} is a list, and was read as {}",
                            database.name(key),
                            database.history.value(value)
                        )));
                    }
                };
                read_list(txn, local, items, inferred, lists);
            }
            Did::Read(_, value) => read_register(database, txn, local, value, inferred, views)?,
        }
    }
    Ok(())
}

fn read_list<'d>(
    txn: u32,
    local: &mut Local<'d>,
    items: &'d [Atom],
    inferred: &mut Inferred,
    lists: &mut [Vec<Seen<'d>>],
) {
    let own = &local.appended[..];
    let is_own_kept = items.ends_with(own);
    let outside = if is_own_kept {
        &items[..items.len() - own.len()]
    } else {
        let rest = items
            .iter()
            .rposition(|item| !own.contains(item))
            .map_or(0, |place| place + 1);
        &items[..rest]
    };
    if !is_own_kept || local.items.is_some_and(|before| before != outside) {
        inferred.direct.push(Direct {
            kind: DirectKind::Internal,
            txn,
            key: local.key,
            value: None,
            other: None,
        });
    }
    if local.items != Some(outside) {
        lists[local.key as usize].push(Seen { txn, items: outside });
    }
    local.items = Some(outside);
}

fn read_register(
    database: &Database<'_>,
    txn: u32,
    local: &mut Local<'_>,
    value: Atom,
    inferred: &mut Inferred,
    views: &mut Vec<View>,
) -> Result<(), Unfit> {
    let key = local.key;
    let mut direct = |kind, other| {
        inferred.direct.push(Direct {
            kind,
            txn,
            key,
            value: Some(value),
            other,
        });
    };
    if local.own == Some(value) || local.own.is_none() && local.read == Some(value) {
        return Ok(());
    }
    if local.own.is_some() || local.read.is_some() {
        direct(DirectKind::Internal, None);
    }
    if local.own.is_none() {
        local.read = Some(value);
    }
    let writer = match (database.writer(key, value), database.is_initial(key, value)) {
        (None, true) => START,
        (None, false) => {
            direct(DirectKind::Unwritten, None);
            return Ok(());
        }
        (Some(Writer::Failed(source)), false) => {
            direct(DirectKind::Aborted(source), None);
            return Ok(());
        }
        (Some(Writer::Txn { txn: writer, .. }), false) if writer == txn => {
            // Its own, and not the last or not yet written.
            if local.own.is_none() {
                direct(DirectKind::Future, None);
            }
            return Ok(());
        }
        (Some(Writer::Txn { txn: writer, is_last }), false) => {
            if !is_last {
                direct(DirectKind::Intermediate, Some(writer));
            }
            writer
        }
        _ => return Err(several(database, key, value)),
    };
    inferred.is_committed[writer as usize] = true;
    views.push(View {
        txn,
        key,
        writer,
        length: 0,
    });
    Ok(())
}

fn several(database: &Database<'_>, key: u32, value: Atom) -> Unfit {
    Unfit(format!(
        "several transactions may have written {} to key {}; whose was read is not known, so write each value once",
        database.history.value(value),
        database.name(key)
    ))
}

/// The order of the versions of a list.
fn order(
    database: &Database<'_>,
    key: u32,
    seen: &[Seen<'_>],
    inferred: &mut Inferred,
    views: &mut Vec<View>,
) -> Result<(), Unfit> {
    let Some(longest) = seen.iter().max_by_key(|seen| seen.items.len()) else {
        return Ok(());
    };
    let direct = |inferred: &mut Inferred, kind, txn, value, other| {
        inferred.direct.push(Direct {
            kind,
            txn,
            key,
            value,
            other,
        });
    };
    let mut once: HashSet<Atom, FxBuildHasher> = HashSet::default();
    let start = database.initial_items(key);
    // The writer of each version, from that of the start.
    let mut writers = vec![START];
    for (place, &item) in longest.items.iter().enumerate() {
        if !once.insert(item) {
            direct(inferred, DirectKind::Duplicate, longest.txn, Some(item), None);
        }
        let writer = match database.writer(key, item) {
            _ if place < start => {
                if !database.is_initial_item(key, place, item) {
                    direct(inferred, DirectKind::Unwritten, longest.txn, Some(item), None);
                }
                START
            }
            None => {
                direct(inferred, DirectKind::Unwritten, longest.txn, Some(item), None);
                START
            }
            Some(Writer::Failed(source)) => {
                direct(inferred, DirectKind::Aborted(source), longest.txn, Some(item), None);
                START
            }
            Some(Writer::Several) => return Err(several(database, key, item)),
            Some(Writer::Txn { txn, .. }) => {
                inferred.is_committed[txn as usize] = true;
                let place = place as u32 + 1;
                let found: &mut Place = inferred.places.entry((key, txn)).or_default();
                found.last = place;
                found.read += 1;
                txn
            }
        };
        writers.push(writer);
    }
    inferred.longest[key as usize].0 = *writers.last().expect("the start is there");
    own_order(database, key, longest, &writers, inferred);
    for pair in writers.windows(2) {
        if pair[0] != pair[1] {
            inferred
                .dependencies
                .push(Dependency::One(pair[0], pair[1], Edge::WriteWrite(key)));
        }
    }
    for read in seen {
        let length = read.items.len();
        if longest.items[..length] != *read.items {
            direct(inferred, DirectKind::Orders, read.txn, None, Some(longest.txn));
            continue;
        }
        if length < start {
            direct(inferred, DirectKind::Orders, read.txn, None, Some(longest.txn));
        }
        let writer = writers[length];
        if let Some(&last) = read.items.last()
            && let Some(Writer::Txn { is_last: false, .. }) = database.writer(key, last)
            && writer != read.txn
        {
            direct(inferred, DirectKind::Intermediate, read.txn, Some(last), Some(writer));
        }
        if writer == read.txn {
            direct(inferred, DirectKind::Future, read.txn, read.items.last().copied(), None);
            continue;
        }
        views.push(View {
            txn: read.txn,
            key,
            writer,
            length: length as u32,
        });
        if length + 1 == writers.len() {
            inferred.longest[key as usize].1.push(read.txn);
        }
        if let Some(&next) = writers.get(length + 1) {
            inferred
                .dependencies
                .push(Dependency::One(read.txn, next, Edge::ReadWrite(key)));
        }
    }
    Ok(())
}

/// What one transaction appended stands in the order in which it did.
fn own_order(database: &Database<'_>, key: u32, longest: &Seen<'_>, writers: &[u32], inferred: &mut Inferred) {
    let mut next: HashMap<u32, usize, FxBuildHasher> = HashMap::default();
    for (&item, &writer) in longest.items.iter().zip(&writers[1..]) {
        if writer == START {
            continue;
        }
        let appended = database.steps(writer).iter().filter_map(|&did| match did {
            Did::Append(other, value) if other == key => Some(value),
            _ => None,
        });
        let place = appended.clone().position(|value| value == item).unwrap_or(0);
        let due = next.entry(writer).or_default();
        if place != *due {
            inferred.direct.push(Direct {
                kind: DirectKind::Orders,
                txn: longest.txn,
                key,
                value: Some(item),
                other: Some(writer),
            });
        }
        *due = place + 1;
    }
}

/// What nobody has read came after all that somebody has.
fn unread(database: &Database<'_>, inferred: &mut Inferred) {
    let mut unread: Vec<Vec<u32>> = vec![Vec::new(); database.keys.len()];
    for txn in 1..database.txns.len() as u32 {
        if !inferred.is_committed[txn as usize] {
            continue;
        }
        for &did in database.steps(txn) {
            let Did::Append(key, _) = did else { continue };
            if unread[key as usize].last() == Some(&txn) {
                continue;
            }
            let of_key = |did: &&Did| matches!(did, Did::Append(other, _) if *other == key);
            let appended = database.steps(txn).iter().filter(of_key).count();
            let place = inferred.places.entry((key, txn)).or_default();
            if (place.read as usize) < appended {
                place.last = u32::MAX;
                unread[key as usize].push(txn);
            }
        }
    }
    let longest = std::mem::take(&mut inferred.longest);
    for (key, (unread, (writer, last))) in unread.iter().zip(longest).enumerate() {
        if unread.is_empty() {
            continue;
        }
        let key = key as u32;
        let mut depend = |from: Vec<u32>, to: Vec<u32>, edge| {
            if !from.is_empty() && !to.is_empty() {
                inferred.dependencies.push(Dependency::All(from, to, edge));
            }
        };
        if writer != START {
            let after = unread.iter().copied().filter(|&txn| txn != writer).collect();
            depend(vec![writer], after, Edge::WriteWrite(key));
        }
        // Who has read the last version and appends himself is before all others that append.
        let readers: HashSet<u32, FxBuildHasher> = last.iter().copied().collect();
        let (both, others): (Vec<u32>, Vec<u32>) = unread.iter().partition(|txn| readers.contains(*txn));
        let edge = Edge::ReadWrite(key);
        depend(last.clone(), others, edge);
        let appends: HashSet<u32, FxBuildHasher> = both.iter().copied().collect();
        let only: Vec<u32> = last.iter().copied().filter(|txn| !appends.contains(txn)).collect();
        depend(only, both.clone(), edge);
        // Two of them exclude each other; of many, it is enough to say so of the first and each other one.
        for &txn in both.iter().skip(1) {
            depend(vec![both[0]], vec![txn], edge);
            depend(vec![txn], vec![both[0]], edge);
        }
    }
    inferred.unread = unread;
}
