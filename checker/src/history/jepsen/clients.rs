//! Which client a process is: its number, or one that is given to its name.

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

/// Who acts in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Process<'f> {
    Number(i64),
    Name(&'f str),
}

/// The clients of a file. A number is that client's number; a name gets the number that it ends in, or the next that is free.
#[derive(Debug, Default)]
pub(super) struct Clients {
    named: HashMap<String, u32, FxBuildHasher>,
    taken: HashSet<u32, FxBuildHasher>,
}

impl Clients {
    /// `None`: the number is none of a client.
    pub(super) fn number(&mut self, process: Process<'_>) -> Option<u32> {
        match process {
            Process::Number(number) => {
                let number = u32::try_from(number).ok()?;
                if !self.named.is_empty() && self.named.values().any(|&taken| taken == number) {
                    // A name has it already, so it counts as a name of its own.
                    return Some(self.named(&number.to_string(), None));
                }
                if self.taken.len() < NUMBERS_KEPT_MAX {
                    self.taken.insert(number);
                }
                Some(number)
            }
            Process::Name(name) => {
                let start = name.trim_end_matches(|end: char| end.is_ascii_digit()).len();
                Some(self.named(name, name[start..].parse().ok()))
            }
        }
    }

    fn named(&mut self, name: &str, wanted: Option<u32>) -> u32 {
        if let Some(&number) = self.named.get(name) {
            return number;
        }
        let number = wanted
            .filter(|number| !self.taken.contains(number))
            .or_else(|| (0..u32::MAX).find(|number| !self.taken.contains(number)))
            .expect("fewer names than numbers");
        self.taken.insert(number);
        self.named.insert(name.to_owned(), number);
        number
    }
}

/// Most numbers of processes that are kept, so that a name does not get one of them.
const NUMBERS_KEPT_MAX: usize = 1 << 20;
