//! Which properties are held: all, or those that were asked for.
//!
//! Owns the choice and its error. What a property says, and in which order they are asked, is left to the others.

use super::PROPERTIES;
use super::violation::Verdict;

/// A name that no property has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no property is called `{name}`; the properties are {}", names())]
pub struct UnknownProperty {
    /// The name as it was given.
    pub name: String,
}

fn names() -> String {
    let names: Vec<&str> = PROPERTIES.iter().map(|property| property.name).collect();
    names.join(", ")
}

/// The properties that are held: bit `i` stands for `PROPERTIES[i]`.
#[derive(Clone, Copy, Debug)]
pub struct Judged(u32);

impl Judged {
    pub const ALL: Self = Self(u32::MAX);

    pub fn of(names: &[&str]) -> Result<Self, UnknownProperty> {
        let mut bits = 0;
        for name in names {
            bits |= bit(name).ok_or_else(|| UnknownProperty {
                name: (*name).to_owned(),
            })?;
        }
        Ok(Self(bits))
    }

    /// Whether the property of this name is held.
    pub fn holds(self, name: &str) -> bool {
        bit(name).is_some_and(|bit| self.0 & bit != 0)
    }

    /// The verdict, as far as it is about a property that is held.
    #[inline]
    pub fn pass(self, verdict: Verdict) -> Verdict {
        match verdict {
            Err(violation) if self.holds(violation.property) => Err(violation),
            _ => Ok(()),
        }
    }
}

fn bit(name: &str) -> Option<u32> {
    const { assert!(PROPERTIES.len() <= 32, "the properties fit the bits") };
    PROPERTIES
        .iter()
        .position(|property| property.name == name)
        .map(|place| 1 << place)
}
