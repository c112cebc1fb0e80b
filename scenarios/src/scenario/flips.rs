//! Which settings of a cluster an upgrade flips: type, reading, writing.

use super::Result;
use super::error::Misfit;
use super::section::{Section, unknown_word};

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

/// A set of [`Flip`]s, not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flips(u8);

impl Flips {
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
        return Ok(Flips((1 << ALL.len()) - 1));
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
