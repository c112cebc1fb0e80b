//! Planted bugs: names and finding them. What is wrong in the code, and where, is the system's own.

use serde::Serialize;
use std::fmt;

/// A planted bug of a system: one guard removed, or one expression replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct PlantedBug {
    /// Its short name in the catalogue.
    pub id: &'static str,
    /// Its long name.
    pub name: &'static str,
    /// What is wrong.
    pub about: &'static str,
    /// The documented bugs behind it, as numbered in the collection that the catalogue was drawn from.
    pub origin: &'static str,
    /// The property that it breaks, often with others; `None` for a control, which is expected to break nothing.
    pub breaks: Option<&'static str>,
    /// What brings it to light.
    pub exposed_by: &'static str,
    /// What hides it.
    pub masked_by: &'static str,
}

impl PlantedBug {
    /// A bug that is called and known by `id` alone.
    pub const fn new(id: &'static str, about: &'static str, breaks: Option<&'static str>) -> Self {
        Self {
            id,
            name: id,
            about,
            origin: "",
            breaks,
            exposed_by: "",
            masked_by: "",
        }
    }

    /// Whether it is expected to break anything; a control is not.
    pub fn is_harmful(&self) -> bool {
        self.breaks.is_some()
    }

    /// Whether this is its id or its name, in any case.
    pub fn is_called(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name) || self.name.eq_ignore_ascii_case(name)
    }
}

/// A documented bug that is not planted, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct NotPlanted {
    /// Its short name.
    pub id: &'static str,
    /// Its long name.
    pub name: &'static str,
    /// Why it has no place in this code, or what it would take.
    pub reason: &'static str,
}

/// No planted bug is called that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownBug {
    pub(super) name: String,
    pub(super) system: &'static str,
    pub(super) planted: usize,
    pub(super) not_planted: Option<NotPlanted>,
}

impl fmt::Display for UnknownBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            system,
            planted,
            not_planted,
        } = self;
        match not_planted {
            _ if *planted == 0 => write!(
                f,
                "this build of the system `{system}` has no planted bugs: build it with its cargo feature for them, if it has one"
            ),
            Some(bug) => write!(f, "the bug {} ({}) is not planted: {}", bug.id, bug.name, bug.reason),
            None => write!(f, "there is no planted bug '{name}'; there are {planted}"),
        }
    }
}

impl std::error::Error for UnknownBug {}
