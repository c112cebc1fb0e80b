//! Log Matching: if two logs have an entry of the same index and term, they are equal up to there (Raft figure 3, §5.3).
//!
//! Remembers the hash chain of every entry that any log ever held, in memory or on a disk, also when that entry has since
//! been removed: one leader creates an entry, once, so the chain at an index and term is decided for ever.
//! An index rarely sees more than one term, so a dense table holds the latest term of each index, and what a later term
//! pushed out goes to a map. Memory: 16 bytes for each index, and one map entry for each entry that lost its place to
//! another term; no more than the entries that the run created.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::PropertyInfo;
use super::ghost::Mark;
use super::violation::{Step, Verdict, Violation};

pub const INFO: PropertyInfo = PropertyInfo {
    name: "log-matching",
    about: "two logs that hold an entry of the same index and term are equal up to it, in memory and on disk",
    source: "Raft figure 3 and section 5.3; etcd and CCF LogMatchingInv",
};

/// The hash chain at every index and term ever seen.
#[derive(Clone, Debug, Default)]
pub struct LogMatching {
    /// The highest term seen at each index; index `i` is at `i - 1`.
    latest: Vec<Mark>,
    /// (index, term) → chain, for all lower terms. For look-up only.
    older: HashMap<(u64, u64), u64, FxBuildHasher>,
}

impl LogMatching {
    /// A log of this step's node is about to hold, at `index`, the entry of `mark`. Indices come without holes: each is
    /// at most one above the highest seen before.
    pub fn appended(&mut self, step: Step, index: u64, mark: Mark) -> Verdict {
        let offset = usize::try_from(index - 1).expect("a log that is held in memory has an index that fits it");
        let Some(latest) = self.latest.get_mut(offset) else {
            assert!(
                offset == self.latest.len(),
                "log-matching sees indices without holes, as index-order checked"
            );
            self.latest.push(mark);
            return Ok(());
        };
        if *latest == mark {
            return Ok(());
        }
        let chain = if latest.term == mark.term {
            latest.chain
        } else if latest.term < mark.term {
            self.older.insert((index, latest.term), latest.chain);
            *latest = mark;
            mark.chain
        } else {
            *self.older.entry((index, mark.term)).or_insert(mark.chain)
        };
        if chain == mark.chain {
            Ok(())
        } else {
            Err(mismatch(step, index, mark.term))
        }
    }
}

#[cold]
fn mismatch(step: Step, index: u64, term: u64) -> Box<Violation> {
    let message = format!(
        "node {} holds entry {index} of term {term} with another content, or another log before it, than a log that held \
         an entry of that index and term before.",
        step.node
    );
    step.broken(INFO.name, "other-log", message)
        .in_term(term)
        .at_index(index)
}
