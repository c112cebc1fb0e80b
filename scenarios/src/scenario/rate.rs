//! How often something comes about: in at least so many of so many runs. Integers only.

use super::document::{Mark, Node, Value};
use super::error::{Misfit, shown};
use super::quantity::{self, RATIO};
use super::section::{Section, wrong_type};
use super::{OFF, Result};
use std::fmt;

/// In at least `of` of `runs` runs, on the average: 1 of 1,000,000 up to all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At least one, and at most `runs`.
    pub of: u32,
    /// At most 1,000,000.
    pub runs: u32,
}

/// Most runs of a rate, and of a hundred per cent.
const RUNS_MAX: u32 = 1_000_000;

impl Rate {
    /// That of a class or situation which `[expect]` names without one: a hundred runs tell.
    pub const NAMED: Self = Self::one_in(7);

    /// In one of so many runs, at least.
    ///
    /// # Panics
    ///
    /// If `runs` is 0 or above a million.
    pub const fn one_in(runs: u32) -> Self {
        assert!(runs > 0 && runs <= RUNS_MAX, "a rate is of 1 to 1,000,000 runs");
        Self { of: 1, runs }
    }

    fn from_text(text: &str) -> Option<Self> {
        let (of, runs) = match text.split_once('/') {
            Some((of, runs)) => (of.trim().parse().ok()?, runs.trim().parse().ok()?),
            None => (u32::try_from(quantity::parse(&RATIO, text).ok()?).ok()?, RUNS_MAX),
        };
        (of > 0 && of <= runs && runs <= RUNS_MAX).then_some(Self { of, runs })
    }
}

/// As it is written: `1/50`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.of, self.runs)
    }
}

/// Something that is expected over a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The name of a fault class or a situation.
    pub name: String,
    /// In how many runs at least; `None` where the scenario leaves that to the default.
    pub rate: Option<Rate>,
}

/// Reads a rate; `path` is what a message calls it.
pub(super) fn rate(node: &Node, path: &str) -> Result<Rate> {
    let example = "\"1/50\"";
    let Value::Text(text) = &node.value else {
        return Err(wrong_type(node, path, "a rate in double quotes", example));
    };
    Rate::from_text(text).ok_or_else(|| {
        let what = format!("`{path}` is \"{}\", which is no rate", shown(text));
        let remedy = "write a share of the runs such as \"1/50\" or \"2%\": above zero, and of at most 1,000,000 runs";
        Misfit::unfit(node.mark, what, remedy)
    })
}

/// Reads a rate or "off".
pub(super) fn rate_or_off(node: &Node, path: &str) -> Result<Option<Rate>> {
    match &node.value {
        Value::Text(text) if text == OFF => Ok(None),
        _ => rate(node, path).map(Some),
    }
}

/// Reads one entry of `expect.fired` or `expect.reach`: a name, or a name with its rate.
pub(super) fn expected<'n>(node: &'n Node, path: &str, example: &str) -> Result<(&'n str, Mark, Option<Rate>)> {
    match &node.value {
        Value::Text(name) => Ok((name, node.mark, None)),
        Value::Table(table) => {
            let prefix = format!("{path}.");
            let title = format!("an entry of `{path}`");
            let section = Section::of(node, &prefix, &title, "{ name = \"crash\", rate = \"1/50\" }")?;
            section.only(&["name", "rate"])?;
            let rate = table.get("rate").map(|node| rate(node, &section.path("rate")));
            let Some(named) = table.get("name") else {
                return Err(section.missing("name", "name = \"crash\""));
            };
            let Value::Text(name) = &named.value else {
                return Err(wrong_type(named, &section.path("name"), "a text", "\"crash\""));
            };
            Ok((name, named.mark, rate.transpose()?))
        }
        _ => Err(wrong_type(
            node,
            path,
            "a list of texts, or of { name = ..., rate = ... }",
            example,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_share_of_the_runs() {
        assert_eq!(Rate::from_text("1/50"), Some(Rate::one_in(50)));
        assert_eq!(Rate::from_text(" 3 / 4 "), Some(Rate { of: 3, runs: 4 }));
        assert_eq!(
            Rate::from_text("2%"),
            Some(Rate {
                of: 20_000,
                runs: 1_000_000
            })
        );
        for text in [
            "",
            "0/5",
            "6/5",
            "1/0",
            "1/1000001",
            "-1/5",
            "1/5/6",
            "0%",
            "101%",
            "often",
            "1",
        ] {
            assert_eq!(Rate::from_text(text), None, "{text:?}");
        }
        assert_eq!(
            Rate::from_text("7/9").map(|rate| rate.to_string()),
            Some("7/9".to_owned())
        );
    }
}
