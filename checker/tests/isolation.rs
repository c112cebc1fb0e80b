//! Levels of isolation against brute force: on tiny histories every order of the transactions is tried by the definition of the level.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use checker::history::{History, Op, Output, OwnedValue};
use checker::transactions::{Level, Verdict, check};
use support::draws::Draws;

/// A step of a transaction: a key, and what was written or appended, or read.
#[derive(Clone, Debug)]
enum Step {
    Read(usize, Vec<i64>),
    /// Of a register; what was there before is gone.
    Write(usize, i64),
    Append(usize, i64),
}

#[derive(Clone, Debug)]
struct Txn {
    client: u32,
    call: u64,
    returned: u64,
    /// Of unknown outcome; then reads say nothing.
    is_unknown: bool,
    steps: Vec<Step>,
}

type State = BTreeMap<usize, Vec<i64>>;

/// Transactions of a database that is more or less isolated: each reads at one moment and writes at another, and now and then an answer is bent.
fn draw(seed: u64, are_lists: bool) -> Vec<Txn> {
    let mut draws = Draws::new(seed);
    let count = 2 + draws.below(4) as usize;
    let keys = 1 + draws.below(3) as usize;
    let bend = [0, 0, 60, 250][draws.below(4) as usize];
    let mut txns = Vec::new();
    let mut serial = 0;
    for _ in 0..count {
        let call = draws.below(12);
        let lasts = 1 + draws.below(6);
        let mut steps = Vec::new();
        for _ in 0..1 + draws.below(3) {
            let key = draws.below(keys as u64) as usize;
            serial += 1;
            steps.push(match draws.below(2) {
                0 => Step::Read(key, Vec::new()),
                _ if are_lists => Step::Append(key, serial),
                _ => Step::Write(key, serial),
            });
        }
        txns.push(Txn {
            client: 0,
            call,
            returned: call + lasts,
            is_unknown: draws.below(8) == 0,
            steps,
        });
    }
    // Clients take turns; who overlaps is another client.
    txns.sort_by_key(|txn| txn.call);
    let mut free: Vec<u64> = Vec::new();
    for txn in &mut txns {
        let client = free.iter().position(|&end| end <= txn.call).unwrap_or_else(|| {
            free.push(0);
            free.len() - 1
        });
        free[client] = txn.returned;
        txn.client = client as u32;
    }
    // What each does, at its moments.
    let mut moments: Vec<(u64, usize, bool)> = Vec::new();
    for (index, txn) in txns.iter().enumerate() {
        let span = txn.returned - txn.call;
        let begin = txn.call + draws.below(span + 1);
        let end = begin + draws.below(txn.returned - begin + 1);
        moments.push((begin, index, false));
        moments.push((end, index, true));
    }
    moments.sort();
    let mut states: Vec<State> = vec![State::new()];
    let mut begun: BTreeMap<usize, State> = BTreeMap::new();
    for (_, index, is_end) in moments {
        if !is_end {
            let stale = if draws.below(6) == 0 {
                draws.below(states.len() as u64) as usize
            } else {
                states.len() - 1
            };
            begun.insert(index, states[stale].clone());
            continue;
        }
        let mut seen = begun.remove(&index).expect("it has begun");
        let mut state = states.last().expect("the first").clone();
        for step in &mut txns[index].steps {
            match step {
                Step::Read(key, read) => {
                    *read = seen.get(key).cloned().unwrap_or_default();
                    if draws.per_mille(bend) {
                        let other = &states[draws.below(states.len() as u64) as usize];
                        *read = other.get(key).cloned().unwrap_or_default();
                        // Perhaps what was not final, or not there.
                        match draws.below(4) {
                            0 => drop(read.pop()),
                            1 => read.push(1 + draws.below(serial as u64) as i64),
                            _ => {}
                        }
                        if !are_lists {
                            read.truncate(1);
                        }
                    }
                }
                &mut Step::Append(key, value) => {
                    seen.entry(key).or_default().push(value);
                    state.entry(key).or_default().push(value);
                }
                &mut Step::Write(key, value) => {
                    seen.insert(key, vec![value]);
                    state.insert(key, vec![value]);
                }
            }
        }
        if !txns[index].is_unknown || draws.below(2) == 0 {
            states.push(state);
        }
    }
    txns
}

fn history(txns: &[Txn], are_lists: bool) -> History {
    let text = |name: &str| OwnedValue::Text(name.to_owned());
    let integer = |value: i64| OwnedValue::Integer(value);
    let mut history = History::new();
    for txn in txns {
        let access = |step: &Step| {
            OwnedValue::List(match step {
                Step::Read(key, _) => vec![text("r"), integer(*key as i64)],
                Step::Write(key, value) => vec![text("w"), integer(*key as i64), integer(*value)],
                Step::Append(key, value) => vec![text("append"), integer(*key as i64), integer(*value)],
            })
        };
        let asked = OwnedValue::List(txn.steps.iter().map(access).collect());
        let id = history.invoke(txn.client, txn.call, Op::txn(None::<i64>, asked.as_value()));
        let answer = |step: &Step| match step {
            Step::Read(_, read) if are_lists => Some(OwnedValue::List(read.iter().copied().map(integer).collect())),
            Step::Read(_, read) => Some(read.last().copied().map_or(OwnedValue::Null, integer)),
            Step::Write(..) | Step::Append(..) => None,
        };
        if !txn.is_unknown {
            let answer = OwnedValue::List(txn.steps.iter().filter_map(answer).collect());
            history.complete(id, txn.returned, Output::Value(answer.as_value()));
        }
    }
    history
}

/// All orders of what may have happened, tried one after another.
struct Brute<'t> {
    txns: &'t [Txn],
    level: Level,
}

impl Brute<'_> {
    fn holds(&self) -> bool {
        let unknown: Vec<usize> = (0..self.txns.len())
            .filter(|&index| self.txns[index].is_unknown)
            .collect();
        (0..1u32 << unknown.len()).any(|chosen| {
            let left_out = |index: usize| {
                unknown
                    .iter()
                    .position(|&one| one == index)
                    .is_some_and(|place| chosen >> place & 1 == 0)
            };
            let there: Vec<usize> = (0..self.txns.len()).filter(|&index| !left_out(index)).collect();
            if self.level >= Level::Serializable {
                self.one_by_one(&there, &mut Vec::new(), &State::new())
            } else if self.level >= Level::SnapshotIsolation {
                self.snapshots(&there, &mut Vec::new(), &mut BTreeMap::new(), &State::new())
            } else {
                self.by_commits(&there)
            }
        })
    }

    fn has_sessions(&self) -> bool {
        matches!(
            self.level,
            Level::Causal | Level::StrongSessionSnapshotIsolation | Level::StrongSessionSerializable
        )
    }

    /// Whether `one` must come before `other` by the order of clients or real time.
    fn precedes(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.txns[one], &self.txns[other]);
        let is_session = self.has_sessions() && one.client == other.client && one.call < other.call;
        let is_real = self.level == Level::StrictSerializable && one.returned < other.call;
        !one.is_unknown && (is_session || is_real)
    }

    /// The state after `txn` in `state`, of which it has seen `seen`; `None` when it has read something else.
    fn after(&self, txn: usize, seen: &State, state: &State) -> Option<State> {
        let (mut seen, mut state) = (seen.clone(), state.clone());
        for step in &self.txns[txn].steps {
            match step {
                Step::Read(key, read) => {
                    let is_right = seen.get(key).map_or(&[][..], Vec::as_slice) == read.as_slice();
                    if !is_right && !self.txns[txn].is_unknown {
                        return None;
                    }
                }
                &Step::Append(key, value) => {
                    seen.entry(key).or_default().push(value);
                    state.entry(key).or_default().push(value);
                }
                &Step::Write(key, value) => {
                    seen.insert(key, vec![value]);
                    state.insert(key, vec![value]);
                }
            }
        }
        Some(state)
    }

    fn one_by_one(&self, there: &[usize], done: &mut Vec<usize>, state: &State) -> bool {
        if done.len() == there.len() {
            return true;
        }
        for &next in there {
            let is_free = !done.contains(&next)
                && there
                    .iter()
                    .all(|&other| done.contains(&other) || other == next || !self.precedes(other, next));
            if let Some(after) = is_free.then(|| self.after(next, state, state)).flatten() {
                done.push(next);
                if self.one_by_one(there, done, &after) {
                    return true;
                }
                done.pop();
            }
        }
        false
    }

    fn writes(&self, txn: usize) -> BTreeSet<usize> {
        let key = |step: &Step| match step {
            Step::Read(..) => None,
            Step::Write(key, _) | Step::Append(key, _) => Some(*key),
        };
        self.txns[txn].steps.iter().filter_map(key).collect()
    }

    /// Each transaction begins and ends; what has ended since one began must not have written what it writes.
    fn snapshots(
        &self,
        there: &[usize],
        ended: &mut Vec<usize>,
        begun: &mut BTreeMap<usize, (State, usize)>,
        state: &State,
    ) -> bool {
        if ended.len() == there.len() {
            return true;
        }
        for &next in there {
            if ended.contains(&next) {
                continue;
            }
            if let Some((seen, since)) = begun.get(&next).cloned() {
                let is_alone = ended[since..]
                    .iter()
                    .all(|&other| self.writes(other).is_disjoint(&self.writes(next)));
                if let Some(after) = is_alone.then(|| self.after(next, &seen, state)).flatten() {
                    ended.push(next);
                    if self.snapshots(there, ended, begun, &after) {
                        return true;
                    }
                    ended.pop();
                }
            } else if there
                .iter()
                .all(|&other| ended.contains(&other) || other == next || !self.precedes(other, next))
            {
                begun.insert(next, (state.clone(), ended.len()));
                if self.snapshots(there, ended, begun, state) {
                    return true;
                }
                begun.remove(&next);
            }
        }
        false
    }

    /// Whether there is an order of commits that the axioms of the level allow (Biswas and Enea 2019).
    fn by_commits(&self, there: &[usize]) -> bool {
        permutations(there).any(|order| self.is_allowed(&order))
    }

    fn is_allowed(&self, order: &[usize]) -> bool {
        let place = |txn: usize| order.iter().position(|&one| one == txn).expect("it is there");
        // What each has read of others: a key, who wrote it (none: the start), and how much of the list there was.
        let mut views: Vec<(usize, usize, Option<usize>, usize)> = Vec::new();
        for &txn in order {
            if self.txns[txn].is_unknown {
                continue;
            }
            let mut own: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
            let mut before: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
            for step in &self.txns[txn].steps {
                match step {
                    &Step::Write(key, value) => drop(own.insert(key, vec![value])),
                    &Step::Append(key, value) => own.entry(key).or_default().push(value),
                    Step::Read(key, read) => {
                        let Some(outside) = self.outside(*key, read, &own, &before) else {
                            return false;
                        };
                        let Some(outside) = outside else { continue };
                        before.insert(*key, outside.clone());
                        let Some(writer) = self.wrote_last(order, txn, *key, &outside) else {
                            return false;
                        };
                        views.push((txn, *key, writer, outside.len()));
                    }
                }
            }
        }
        // A list has what was appended by the commits up to its writer, in their order.
        let seen = |one: usize, other: usize| {
            let direct = |one: usize, other: usize| {
                views
                    .iter()
                    .any(|&(txn, _, writer, _)| txn == other && writer == Some(one))
                    || self.level == Level::Causal && self.precedes(one, other)
            };
            if self.level == Level::Causal {
                let mut reached = vec![one];
                let mut next = 0;
                while next < reached.len() {
                    for &to in order {
                        if direct(reached[next], to) && !reached.contains(&to) {
                            reached.push(to);
                        }
                    }
                    next += 1;
                }
                one != other && reached.contains(&other)
            } else {
                direct(one, other)
            }
        };
        for &(txn, key, writer, _) in &views {
            if writer.is_some_and(|writer| place(writer) >= place(txn)) {
                return false;
            }
            if self.level == Level::ReadCommitted {
                continue;
            }
            for &other in order {
                let writes = other != txn && Some(other) != writer && self.writes(other).contains(&key);
                let is_before = writer.is_some_and(|writer| place(other) < place(writer));
                if writes && seen(other, txn) && !is_before {
                    return false;
                }
            }
        }
        if self.has_sessions() {
            let kept = |&one: &usize| {
                order
                    .iter()
                    .all(|&other| !self.precedes(one, other) || place(one) < place(other))
            };
            return order.iter().all(kept);
        }
        true
    }

    /// What a read has seen of others: `None` where it contradicts what the transaction itself did; `Some(None)`: nothing new.
    fn outside(
        &self,
        key: usize,
        read: &[i64],
        own: &BTreeMap<usize, Vec<i64>>,
        before: &BTreeMap<usize, Vec<i64>>,
    ) -> Option<Option<Vec<i64>>> {
        let is_register = self
            .txns
            .iter()
            .any(|txn| txn.steps.iter().any(|step| matches!(step, Step::Write(..))));
        let strict = self.level > Level::ReadCommitted;
        if is_register {
            return match own.get(&key) {
                Some(own) if own == read => Some(None),
                Some(_) if strict => None,
                _ => match before.get(&key) {
                    Some(before) if before == read => Some(None),
                    Some(_) if strict => None,
                    _ => Some(Some(read.to_vec())),
                },
            };
        }
        let own = own.get(&key).cloned().unwrap_or_default();
        let outside = if read.ends_with(&own) {
            read[..read.len() - own.len()].to_vec()
        } else if strict {
            return None;
        } else {
            let kept = read
                .iter()
                .rposition(|item| !own.contains(item))
                .map_or(0, |place| place + 1);
            read[..kept].to_vec()
        };
        match before.get(&key) {
            Some(before) if *before == outside => Some(None),
            Some(_) if strict => None,
            _ => Some(Some(outside)),
        }
    }

    /// Who wrote the version `read` of `key` last, within the order of commits; the start wrote the empty one. `None`: nobody did.
    fn wrote_last(&self, order: &[usize], reader: usize, key: usize, read: &[i64]) -> Option<Option<usize>> {
        let Some(&last) = read.last() else {
            return Some(None);
        };
        let mut held: Vec<i64> = Vec::new();
        for &txn in order {
            let mut is_writer = false;
            for step in &self.txns[txn].steps {
                match *step {
                    Step::Write(other, value) if other == key => {
                        held = vec![value];
                        is_writer = true;
                    }
                    Step::Append(other, value) if other == key => {
                        held.push(value);
                        is_writer = true;
                    }
                    _ => {}
                }
            }
            if is_writer && held.last() == Some(&last) {
                return (held == read && txn != reader).then_some(Some(txn));
            }
        }
        None
    }
}

fn permutations(items: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let mut all = vec![Vec::new()];
    for &item in items {
        all = all
            .into_iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, item);
                    longer
                })
            })
            .collect();
    }
    all.into_iter()
}

/// How many histories of each level hold.
fn compare(seeds: std::ops::Range<u64>) {
    for are_lists in [true, false] {
        let mut held = [0u64; 8];
        let mut unknown = 0;
        for seed in seeds.clone() {
            let txns = draw(seed, are_lists);
            let history = history(&txns, are_lists);
            for (place, level) in Level::ALL.into_iter().enumerate() {
                let report = check(&history, &[], level, 1_000_000).expect("transactions");
                let brute = Brute { txns: &txns, level }.holds();
                held[place] += u64::from(brute);
                let verdict = match &report.verdict {
                    Verdict::Consistent => true,
                    Verdict::Inconsistent(anomalies) => {
                        assert!(!anomalies.is_empty() && anomalies.iter().all(|one| !one.sentence.is_empty()));
                        false
                    }
                    Verdict::Unknown(_) => {
                        unknown += 1;
                        continue;
                    }
                };
                assert_eq!(
                    verdict, brute,
                    "{level}, seed {seed}, lists {are_lists}: {txns:#?}\n{:?}",
                    report.verdict
                );
            }
        }
        let named: Vec<(&str, u64)> = Level::ALL.into_iter().map(Level::name).zip(held).collect();
        println!(
            "lists {are_lists}: of {} held {named:?}, unknown {unknown}",
            seeds.end - seeds.start
        );
        // Every level holds of some and not of others, and the weaker ones of more.
        assert!(held.iter().all(|&count| count > 0 && count < seeds.end - seeds.start));
        assert!(held[0] > held[1] && held[1] > held[2] && held[3] > held[5] && held[5] > held[7]);
    }
}

#[test]
fn every_level_says_what_every_order_says() {
    compare(0..400);
}

/// `make fuzz-checker` runs it.
#[test]
#[ignore = "it takes long: `make fuzz-checker`"]
fn every_level_says_what_every_order_says_of_a_hundred_thousand_histories() {
    compare(1 << 32..(1 << 32) + 50_000);
}
