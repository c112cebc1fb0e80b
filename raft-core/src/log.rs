//! The log in memory (paper, figure 2 and section 5.3). It knows nothing of disks (see `writes`) nor of who is leader.

use crate::message::LastEntry;
use crate::types::{Content, Entry, Index, Term};
use alloc::vec::Vec;

/// Entries 1 to `last_index`, without gaps, terms never decreasing.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The entry of index `i` stands at `i - 1`.
    entries: Vec<Entry>,
}

/// What [`Log::merge`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Merged {
    /// The first entry that was removed because it conflicted.
    pub truncated: Option<Index>,
    /// The log is the leader's up to here.
    pub verified: Index,
}

impl Log {
    pub(crate) fn restore(entries: Vec<Entry>) -> Self {
        let contiguous = entries.iter().zip(1..).all(|(entry, index)| entry.index == index);
        assert!(
            contiguous,
            "a restored log must hold the indexes from 1 on without gaps"
        );
        assert!(
            entries.is_sorted_by_key(|entry| entry.term),
            "terms in a restored log must never decrease"
        );
        Self { entries }
    }

    /// Index of the last entry; 0 if there is none.
    #[must_use]
    pub fn last_index(&self) -> Index {
        self.entries.len() as Index
    }

    /// Term of the entry at `index`: 0 at index 0, `None` past the end.
    #[must_use]
    pub fn term(&self, index: Index) -> Option<Term> {
        match index {
            0 => Some(0),
            _ => self.entry(index).map(|entry| entry.term),
        }
    }

    /// The entry at `index`, if there is one.
    #[must_use]
    pub fn entry(&self, index: Index) -> Option<&Entry> {
        self.entries.get(usize::try_from(index.checked_sub(1)?).ok()?)
    }

    /// The entries from index `from` (at least 1) to the end; empty past the end.
    #[must_use]
    pub fn from(&self, from: Index) -> &[Entry] {
        assert!(from > 0, "the first entry has index 1");
        self.entries.get(from as usize - 1..).unwrap_or(&[])
    }

    /// The entries from `from` on that fit into one message: at most `entries_max`, and at most `bytes_max` bytes of
    /// commands unless the first alone is larger.
    #[must_use]
    pub fn batch(&self, from: Index, entries_max: usize, bytes_max: usize) -> &[Entry] {
        let rest = self.from(from);
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            bytes += entry.content.len();
            bytes <= bytes_max
        };
        let count = rest.iter().take(entries_max).take_while(fits).count();
        &rest[..count.max(1).min(rest.len())]
    }

    /// The mark that a voter compares (paper, section 5.4.1), as if the log ended at `index`.
    pub(crate) fn mark(&self, index: Index) -> LastEntry {
        let term = self.term(index).expect("a mark is asked for an entry that is there");
        LastEntry { term, index }
    }

    /// The mark of the last entry.
    pub(crate) fn last(&self) -> LastEntry {
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
        debug_assert!(entry.term >= self.last().term, "terms in a log never decrease");
        self.entries.push(entry);
    }

    /// Takes over a leader's `entries`, which follow on `prev_index`, where the logs agree. What is there already is
    /// left alone; a conflicting entry goes with all that follow it (paper, section 5.3, figure 2: AppendEntries 3 and 4).
    pub(crate) fn merge(&mut self, prev_index: Index, entries: Vec<Entry>) -> Merged {
        let verified = prev_index + entries.len() as Index;
        let mut truncated = None;
        for entry in entries {
            match self.term(entry.index) {
                Some(term) if term == entry.term => continue,
                Some(_) => {
                    truncated = Some(entry.index);
                    self.entries.truncate(entry.index as usize - 1);
                }
                None => {}
            }
            self.push(entry);
        }
        Merged { truncated, verified }
    }

    /// The largest index, at most `index`, whose term is at most `term`: beyond it this log cannot agree with one that
    /// has `term` at `index`. Both sides of a refused `AppendEntries` use it, so that each round trip skips whole terms
    /// (paper, end of section 5.3).
    #[must_use]
    pub fn agreement_bound(&self, index: Index, term: Term) -> LastEntry {
        let end = index.min(self.last_index());
        let bound = self.entries[..end as usize].partition_point(|entry| entry.term <= term);
        self.mark(bound as Index)
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
        log.from(1).iter().map(|entry| entry.term).collect()
    }

    #[test]
    fn section_5_3_a_conflicting_entry_goes_with_all_that_follow_it() {
        let mut follower = log(&[1, 1, 2, 2, 2]);
        let merged = follower.merge(2, entries(3, &[3]));
        assert_eq!(
            merged,
            Merged {
                truncated: Some(3),
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
        let hint = follower.agreement_bound(10, 6);
        assert_eq!(hint, LastEntry { term: 3, index: 10 });
        assert_eq!(
            leader.agreement_bound(hint.index, hint.term),
            LastEntry { term: 1, index: 3 }
        );
    }

    #[test]
    fn a_batch_obeys_both_limits_but_always_moves() {
        let mut log = Log::default();
        for _ in 0..4 {
            log.append(1, Content::Command([0; 10].as_slice().into()));
        }
        assert_eq!(log.batch(1, 3, 1000).len(), 3);
        assert_eq!(log.batch(1, 4, 20).len(), 2);
        assert_eq!(log.batch(2, 4, 1).len(), 1);
        assert!(log.batch(5, 4, 1).is_empty());
    }
}
