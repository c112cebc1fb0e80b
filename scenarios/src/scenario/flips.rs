//! Which settings of a cluster an upgrade flips: type, reading, writing.

use super::Result;
use super::error::Misfit;
use super::section::{Section, unknown_word};
use serde::{Deserialize, Serialize};

/// A setting that an upgrade flips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flip {
    /// `pre-vote`: on or off.
    PreVote,
    /// `check-quorum`: on or off.
    CheckQuorum,
    /// `batches`: one entry and 256 bytes in an append, or 64 entries and 64 KiB.
    Batches,
    /// `window`: one append that waits for an answer, or 16.
    Window,
    /// `compression`: frames are compressed, or not; `cluster.codec`.
    Compression,
}

const ALL: [(&str, Flip); 5] = [
    ("pre-vote", Flip::PreVote),
    ("check-quorum", Flip::CheckQuorum),
    ("batches", Flip::Batches),
    ("window", Flip::Window),
    ("compression", Flip::Compression),
];

/// A set of [`Flip`]s, not empty; in JSON a list of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Flips(u8);

/// A list of names that is no set of [`Flip`]s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlipsError {
    /// It is empty.
    #[error("an upgrade that flips no setting: name one, or leave `flips` out where there is no upgrade")]
    Empty,
    /// It has a name that is none.
    #[error("`{0}` is no setting that an upgrade flips: write one or more of {names}", names = Flips::ALL.names().join(", "))]
    Unknown(String),
}

impl TryFrom<Vec<String>> for Flips {
    type Error = FlipsError;

    fn try_from(names: Vec<String>) -> std::result::Result<Self, FlipsError> {
        let is_known = |name: &String| ALL.iter().any(|(known, _)| known == name);
        if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
            return Err(FlipsError::Unknown(unknown.chars().take(60).collect()));
        }
        let listed = |flip| {
            ALL.iter()
                .any(|(name, known)| *known == flip && names.iter().any(|of| of == name))
        };
        Self::of(listed).ok_or(FlipsError::Empty)
    }
}

impl From<Flips> for Vec<String> {
    fn from(flips: Flips) -> Self {
        flips.names()
    }
}

impl Flips {
    /// All of them.
    pub const ALL: Self = Self((1 << ALL.len()) - 1);

    /// Those of all that a predicate picks; `None` if it picks none.
    pub fn of(mut picks: impl FnMut(Flip) -> bool) -> Option<Self> {
        let picked = ALL.into_iter().filter(|(_, flip)| picks(*flip));
        let bits = picked.fold(0, |bits, (_, flip)| bits | 1 << flip as u8);
        (bits != 0).then_some(Self(bits))
    }

    /// Whether a setting is among them.
    pub fn has(self, flip: Flip) -> bool {
        self.0 >> flip as u8 & 1 == 1
    }

    /// The names of those in the set.
    pub fn names(self) -> Vec<String> {
        let picked = ALL.into_iter().filter(|(_, flip)| self.has(*flip));
        picked.map(|(name, _)| name.to_owned()).collect()
    }
}

/// Reads the key `flips`; all of them if it is absent.
pub fn read(section: &Section<'_>) -> Result<Flips> {
    let Some(words) = section.words("flips", "[\"pre-vote\", \"batches\"]")? else {
        return Ok(Flips::ALL);
    };
    let mut bits = 0;
    for (word, mark) in words {
        let Some((_, flip)) = ALL.into_iter().find(|(name, _)| *name == word) else {
            return Err(unknown_word(
                mark,
                &section.path("flips"),
                word,
                &ALL.map(|(name, _)| name),
            ));
        };
        bits |= 1 << flip as u8;
    }
    if bits == 0 {
        return Err(Misfit::unfit(
            section.mark_of(&["flips"]),
            format!("`{}` is an empty list", section.path("flips")),
            "name a setting that changes, or leave `flips` out for all of them",
        ));
    }
    Ok(Flips(bits))
}
