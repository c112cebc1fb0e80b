//! What a reader of histories made of a file beside the operations: what it left out, and how it took the values.
//!
//! Owns the counts and their words. A reader that leaves something out says so here, so that a verdict is never about less than it
//! seems to be.

use std::collections::BTreeMap;
use std::fmt;

use super::Operation;

/// Most names of fields that were passed over that are kept.
const PASSED_NAMES_MAX: usize = 16;

/// What a history was made of. Nothing was left out of JSON Lines, or of a history that was built by calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Whether the values of the file were `[key value]`, and each key is an object of its own.
    pub has_keys_in_values: bool,
    /// Reads that returned nil, transactions' single reads among them: what they saw is not known, so they constrain nothing.
    pub nil_reads: usize,
    /// Versions of registers, `[version value]`, which are not checked.
    pub versions: usize,
    /// Events of processes without a number, the nemesis: they are no operations.
    pub nemesis_events: usize,
    /// Operations that failed, so did not happen; in the order of the file.
    pub failed: Vec<Operation>,
    /// Fields that say nothing about an operation, so were passed over.
    pub passed_fields: usize,
    /// How many of them had each name; of sixteen names at most.
    pub passed_names: BTreeMap<String, usize>,
}

impl Import {
    /// Counts a field that was passed over.
    pub(super) fn pass(&mut self, name: &str) {
        self.passed_fields += 1;
        if let Some(count) = self.passed_names.get_mut(name) {
            *count += 1;
        } else if self.passed_names.len() < PASSED_NAMES_MAX {
            self.passed_names.insert(name.to_owned(), 1);
        }
    }

    /// Whether anything of the file is not among the operations.
    pub fn leaves_out(&self) -> bool {
        self.nil_reads + self.versions + self.nemesis_events + self.failed.len() > 0
    }
}

/// What was left out, as `2 failed operations, 1 read of nil`; empty when that is nothing.
impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.failed.len(), "failed operation", "failed operations"),
            (self.nil_reads, "read of nil", "reads of nil"),
            (self.versions, "version of a value", "versions of values"),
            (self.nemesis_events, "event of the nemesis", "events of the nemesis"),
        ];
        let mut separator = "";
        for (count, one, many) in counts {
            if count > 0 {
                write!(f, "{separator}{count} {}", if count == 1 { one } else { many })?;
                separator = ", ";
            }
        }
        Ok(())
    }
}
