//! The log in memory (paper, figure 2 and section 5.3). It knows nothing of disks (see `writes`) nor of who is leader.

use crate::bugs::{Planted, bug};
use crate::types::{Content, Entry, Index, Mark, Term};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The entries after `start` up to `last_index`, without gaps, terms never decreasing. What came before was compacted.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The entry just before the first; zero if nothing was compacted.
    start: Mark,
    /// The entry of index `i` stands at `i - start.index - 1`.
    entries: VecDeque<Entry>,
    pub(crate) planted: Planted,
}

/// What [`Log::merge`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Merged {
    /// The first entry that was removed because it conflicted.
    pub truncated: Option<Index>,
    /// The first entry that was appended.
    pub appended: Option<Index>,
    /// The log is the leader's up to here.
    pub verified: Index,
}

impl Log {
    pub(crate) fn restore(start: Mark, entries: Vec<Entry>) -> Self {
        let contiguous = entries
            .iter()
            .zip(start.index + 1..)
            .all(|(entry, index)| entry.index == index);
        assert!(contiguous, "a restored log must go on after its start without gaps");
        assert!(
            entries.is_sorted_by_key(|entry| entry.term),
            "terms in a restored log must never decrease"
        );
        assert!(
            entries.first().is_none_or(|entry| entry.term >= start.term),
            "nor after its start"
        );
        Self {
            start,
            entries: entries.into(),
            planted: Planted::default(),
        }
    }

    #[cfg(feature = "bugs")]
    pub(crate) fn planted(&self) -> Planted {
        self.planted
    }

    /// The entry just before the first; zero if nothing was compacted.
    #[must_use]
    pub fn start(&self) -> Mark {
        self.start
    }

    /// Index of the last entry, or of the start if there is none.
    #[must_use]
    pub fn last_index(&self) -> Index {
        self.start.index + self.entries.len() as Index
    }

    /// Term of the entry at `index`, that of the start included; `None` before and past the end.
    #[must_use]
    pub fn term(&self, index: Index) -> Option<Term> {
        if index == self.start.index {
            return Some(self.start.term);
        }
        self.entry(index).map(|entry| entry.term)
    }

    fn position(&self, index: Index) -> Option<usize> {
        usize::try_from(index.checked_sub(self.start.index + 1)?).ok()
    }

    /// The entry at `index`, if there is one.
    #[must_use]
    pub fn entry(&self, index: Index) -> Option<&Entry> {
        self.entries.get(self.position(index)?)
    }

    /// The entries from index `from` to the end; none past the end.
    ///
    /// # Panics
    /// When some of them were compacted.
    pub fn from(&self, from: Index) -> impl ExactSizeIterator<Item = &Entry> {
        let at = self
            .position(from)
            .expect("entries are asked for that were not compacted");
        self.entries.range(at.min(self.entries.len())..)
    }

    /// The entries from `from` on that fit into one message, and their bytes: at most `entries_max`, and at most `bytes_max`
    /// bytes of commands unless the first alone is larger.
    pub(crate) fn batch(&self, from: Index, entries_max: usize, bytes_max: usize) -> (Vec<Entry>, usize) {
        let entries = self.from(from);
        let mut batch = Vec::with_capacity(entries.len().min(entries_max));
        let mut bytes = 0;
        for entry in entries.take(entries_max) {
            let size = entry.content.size();
            if bytes + size > bytes_max && !batch.is_empty() {
                if bug!(self, BatchGap) {
                    continue;
                }
                break;
            }
            bytes += size;
            batch.push(entry.clone());
        }
        (batch, bytes)
    }

    /// The mark that a voter compares (paper, section 5.4.1), as if the log ended at `index`.
    pub(crate) fn mark(&self, index: Index) -> Mark {
        let term = self.term(index).expect("a mark is asked for an entry that is there");
        Mark { term, index }
    }

    /// The mark of the last entry.
    #[must_use]
    pub fn last(&self) -> Mark {
        self.mark(self.last_index())
    }

    /// Appends a leader's new entry and returns its index.
    pub(crate) fn append(&mut self, term: Term, content: Content) -> Index {
        let index = self.last_index() + 1;
        self.push(Entry { index, term, content });
        index
    }

    fn push(&mut self, entry: Entry) {
        assert_eq!(entry.index, self.last_index() + 1, "an entry follows on the last one");
        let last_term = self.entries.back().map_or(self.start.term, |last| last.term);
        debug_assert!(entry.term >= last_term, "terms in a log never decrease");
        self.entries.push_back(entry);
    }

    /// Takes over a leader's `entries`, which follow on `prev_index`, where the logs agree. What is there already is
    /// left alone; a conflicting entry goes with all that follow it (paper, section 5.3, figure 2: AppendEntries 3 and 4).
    pub(crate) fn merge(&mut self, prev_index: Index, entries: Vec<Entry>) -> Merged {
        let verified = prev_index + entries.len() as Index;
        let (mut truncated, mut appended) = (None, None);
        if bug!(self, TruncateUnconditionally) && self.last_index() > prev_index {
            truncated = Some(prev_index + 1);
            self.truncate(prev_index + 1);
        }
        for entry in entries {
            match self.term(entry.index) {
                Some(term) if term == entry.term => continue,
                Some(_) if bug!(self, AppendWithoutTruncate) => {
                    truncated.get_or_insert(entry.index);
                    appended.get_or_insert(entry.index);
                    let at = self.position(entry.index).expect("the entry that conflicts is there");
                    self.entries[at] = entry;
                    continue;
                }
                Some(_) => {
                    truncated = Some(entry.index);
                    self.truncate(entry.index);
                }
                None => {}
            }
            appended.get_or_insert(entry.index);
            self.push(entry);
        }
        Merged {
            truncated,
            appended,
            verified,
        }
    }

    fn truncate(&mut self, from: Index) {
        let at = self.position(from).expect("only entries that are there are truncated");
        self.entries.truncate(at);
    }

    /// Forgets the entries up to `index`.
    pub(crate) fn compact(&mut self, index: Index) {
        if index > self.start.index {
            let start = self.mark(index);
            let at = self.position(index).expect("after the start");
            self.entries.drain(..=at);
            self.start = start;
        }
    }

    /// Begins anew after `start`: a snapshot stands for all that was here and more.
    pub(crate) fn reset(&mut self, start: Mark) {
        self.entries.clear();
        self.start = start;
    }

    /// The last entry, at most at `index`, whose term is at most `term`: beyond it this log cannot agree with one that has
    /// `term` at `index`. Both sides of a refused `AppendEntries` use it, so that each round trip skips whole terms (paper,
    /// end of section 5.3). The start at the least.
    #[must_use]
    pub fn agreement_bound(&self, Mark { term, index }: Mark) -> Mark {
        let end = index.min(self.last_index()).saturating_sub(self.start.index) as usize;
        let (front, back) = self.entries.as_slices();
        let below = |entries: &[Entry]| entries.partition_point(|entry| entry.term <= term);
        let bound = match below(front) {
            whole if whole == front.len() => whole + below(back),
            part => part,
        };
        self.mark(self.start.index + bound.min(end) as Index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(terms: &[Term]) -> Log {
        let mut log = Log::default();
        for term in terms {
            log.append(*term, Content::Noop);
        }
        log
    }

    fn entries(first: Index, terms: &[Term]) -> Vec<Entry> {
        let entry = |(term, index): (&Term, Index)| Entry {
            index,
            term: *term,
            content: Content::Noop,
        };
        terms.iter().zip(first..).map(entry).collect()
    }

    fn terms(log: &Log) -> Vec<Term> {
        log.from(1).map(|entry| entry.term).collect()
    }

    #[test]
    fn section_5_3_a_conflicting_entry_goes_with_all_that_follow_it() {
        let mut follower = log(&[1, 1, 2, 2, 2]);
        let merged = follower.merge(2, entries(3, &[3]));
        assert_eq!(
            merged,
            Merged {
                truncated: Some(3),
                appended: Some(3),
                verified: 3
            }
        );
        assert_eq!(terms(&follower), [1, 1, 3]);
    }

    #[test]
    fn section_5_3_an_old_request_does_not_remove_what_came_after_it() {
        let mut follower = log(&[1, 1, 1, 1]);
        let merged = follower.merge(1, entries(2, &[1]));
        assert_eq!(
            merged,
            Merged {
                truncated: None,
                appended: None,
                verified: 2
            }
        );
        assert_eq!(terms(&follower), [1, 1, 1, 1]);
    }

    #[test]
    fn section_5_3_backtracking_skips_whole_terms() {
        // The follower of figure 7 (f): the leader's entry before the new ones is (10, term 6).
        let follower = log(&[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]);
        let leader = log(&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6]);
        let hint = follower.agreement_bound(Mark { term: 6, index: 10 });
        assert_eq!(hint, Mark { term: 3, index: 10 });
        assert_eq!(leader.agreement_bound(hint), Mark { term: 1, index: 3 });
    }

    #[test]
    fn a_batch_obeys_both_limits_but_always_moves() {
        let mut log = Log::default();
        for _ in 0..4 {
            log.append(1, Content::Command([0; 10].as_slice().into()));
        }
        let batch = |from, entries_max, bytes_max| {
            let (entries, bytes) = log.batch(from, entries_max, bytes_max);
            (entries.len(), bytes)
        };
        assert_eq!(batch(1, 3, 1000), (3, 30));
        assert_eq!(batch(1, 4, 20), (2, 20));
        assert_eq!(batch(2, 4, 1), (1, 10));
        assert_eq!(batch(5, 4, 1), (0, 0));
    }

    #[test]
    fn a_compacted_log_goes_on_after_its_start() {
        let mut log = log(&[1, 1, 2, 3]);
        log.compact(3);
        assert_eq!((log.start(), log.last_index()), (Mark { term: 2, index: 3 }, 4));
        assert_eq!(
            (log.term(2), log.term(3), log.term(4), log.term(5)),
            (None, Some(2), Some(3), None)
        );
        assert_eq!(
            log.agreement_bound(Mark { term: 1, index: 9 }),
            log.start(),
            "never before the start"
        );
        log.reset(Mark { term: 5, index: 9 });
        assert_eq!((log.last_index(), log.append(5, Content::Noop)), (9, 10));
    }
}
