//! What a command runs: a scenario with its overrides and perhaps a planted bug. Owns finding and reading it, and the one
//! line that runs a seed of it again.

use super::error::CliError;
use super::{Global, files, isolate, output, seed};
use crate::capsule::Capsule;
use crate::scenario::{self, Builtin, Scenario};
use crate::sweep::isolate::{Limits, PROCESS};
use crate::system::{self, PlantedBug};
use crate::verdict::Failure;
use clap::Args;
use std::fmt::Write;
use std::path::Path;

/// The scenario that is run when none is named.
pub const DEFAULT: &str = "storm";

/// What changes a scenario.
#[derive(Args, Clone, Debug, Default)]
pub struct Changes {
    /// Change a setting of the scenario: a dotted path and a value, as in `cluster.nodes=5`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_override)]
    pub set: Vec<(String, String)>,
    /// Switch on a planted bug (`squall list bugs`)
    #[arg(long, value_name = "NAME")]
    pub bug: Option<String>,
}

fn parse_override(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, as in cluster.nodes=5".to_owned()),
    }
}

/// Where overrides of a swarm leave nothing of what its file expects, says so.
fn expects_nothing(scenario: &Scenario, set: &[(String, String)]) -> Option<String> {
    let expect = &scenario.expect;
    let is_changed = set.iter().any(|(path, _)| path.starts_with("swarm."));
    let is_said = set.iter().any(|(path, _)| path.starts_with("expect"));
    let is_empty = expect.reach.is_empty() && expect.fired.iter().flatten().next().is_none();
    (scenario.swarm.is_some() && is_changed && is_empty && !is_said).then(|| {
        format!(
            "nothing that `{}` expects is held against the runs: its rates are those of its own [swarm]; name what must come about \
             with --set 'expect.fired=[{{ name = \"crash\", rate = \"1/50\" }}]'",
            scenario.name
        )
    })
}

/// A scenario that is ready to run.
#[derive(Clone, Debug)]
pub struct Subject {
    /// As the user named it: a built-in name or a path.
    pub name: String,
    /// The scenario, overrides applied.
    pub scenario: Scenario,
    /// The overrides.
    pub set: Vec<(String, String)>,
    /// The planted bug.
    pub bug: Option<&'static PlantedBug>,
    /// What each run may use, if it has a process of its own.
    pub isolated: Option<Limits>,
    /// What the scenario switches on and can have no effect, each with its place and a remedy.
    pub warnings: Vec<String>,
}

impl Subject {
    /// Finds and reads a scenario: what ends in `.toml` or has a `/` is a path, everything else a built-in name.
    ///
    /// # Errors
    /// When there is no such scenario or bug, or the scenario is invalid.
    pub fn load(name: &str, changes: &Changes) -> Result<Self, CliError> {
        let is_path = name.contains('/') || Path::new(name).extension().is_some_and(|extension| extension == "toml");
        let text = if is_path {
            files::scenario(Path::new(name))?
        } else {
            super::system().scenario(name)?.text.to_owned()
        };
        let scenario = scenario::parse(name, &text, &changes.set, &super::system().known)?;
        let bug = changes
            .bug
            .as_deref()
            .map(|bug| system::of(&scenario).bug(bug))
            .transpose()?;
        let idle = scenario::idle(&scenario);
        let warnings = idle
            .iter()
            .map(|idle| idle.located(name, &text, &changes.set).to_string());
        let warnings = warnings.chain(expects_nothing(&scenario, &changes.set)).collect();
        Ok(Self {
            name: name.to_owned(),
            scenario,
            set: changes.set.clone(),
            bug,
            isolated: None,
            warnings,
        })
    }

    /// What a capsule runs.
    pub fn of_capsule(capsule: &Capsule) -> Self {
        Self {
            name: capsule.origin.scenario.clone(),
            scenario: capsule.scenario.clone(),
            set: Vec::new(),
            bug: capsule.bug,
            isolated: None,
            warnings: Vec::new(),
        }
    }

    /// All that are named, or all built-in ones.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_all(names: &[String], changes: &Changes) -> Result<Vec<Self>, CliError> {
        if names.is_empty() {
            let load = |builtin: &Builtin| Self::load(builtin.name, changes);
            return super::system().scenarios.iter().map(load).collect();
        }
        names.iter().map(|name| Self::load(name, changes)).collect()
    }

    /// Says on standard error what of the scenario can have no effect.
    pub fn warn(&self, global: &Global) {
        for warning in &self.warnings {
            output::notice(global, &format_args!("warning: {warning}"));
        }
    }

    /// The file that it was read from; `None` for a built-in one.
    pub fn file(&self) -> Option<String> {
        super::system().scenario(&self.name).is_err().then(|| self.name.clone())
    }

    /// The line that runs a seed again, to be copied into a shell.
    pub fn replay_line(&self, of: u64) -> String {
        format!(
            "squall run {} --seed {}{}",
            quoted(&self.name),
            seed::shown(of),
            self.changes_line()
        )
    }

    /// The line that runs a seed again which failed so: with a process of its own if it harms the one that it runs in.
    pub fn replay_of(&self, of: u64, failure: &Failure) -> String {
        let isolated = self.isolated.filter(|_| failure.property == PROCESS);
        self.replay_line(of) + &isolated.map(isolate::options_of).unwrap_or_default()
    }

    /// The part of a line that changes the scenario, with a space before it if there is one.
    pub fn changes_line(&self) -> String {
        let mut line = String::new();
        for (key, value) in &self.set {
            let _ = write!(line, " --set {}", quoted(&format!("{key}={value}")));
        }
        if let Some(bug) = self.bug {
            let _ = write!(line, " --bug {}", bug.id);
        }
        line
    }
}

impl Changes {
    /// The planted bug.
    ///
    /// # Errors
    /// When this build has none of that name.
    pub fn bug(&self) -> Result<Option<&'static PlantedBug>, CliError> {
        Ok(self.bug.as_deref().map(|bug| super::system().bug(bug)).transpose()?)
    }
}

/// As one word for a POSIX shell.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./=:@%+,-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_line_holds_all_that_is_not_default() {
        let set = vec![("cluster.nodes".to_owned(), "[3, 5]".to_owned())];
        let changes = Changes {
            set,
            bug: Some("halfquorum".to_owned()),
        };
        let subject = Subject::load("calm", &changes).unwrap();
        assert_eq!(
            subject.replay_line(1015),
            "squall run calm --seed 0x00000000000003f7 --set 'cluster.nodes=[3, 5]' --bug Q1"
        );
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(quoted("a/b.toml"), "a/b.toml");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$(x)"), "'$(x)'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn an_override_needs_a_key_and_keeps_later_equal_signs() {
        assert_eq!(parse_override("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        assert!(parse_override("a.b").is_err());
        assert!(parse_override("=5").is_err());
    }
}
