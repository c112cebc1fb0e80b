//! What a sweep says of things that have not come about in so few runs that their absence says nothing.

use crate::cli::output::{WIDTH, grouped, indented, wrapped};
use crate::scenario::Scenario;
use crate::sweep::SweepReport;
use serde::Serialize;

/// Most scenarios that are named one by one.
const SHOWN_MAX: usize = 8;
/// Most things that are named of one scenario.
const NAMES_MAX: usize = 12;

/// What has not come about in the runs of one scenario.
#[derive(Debug, Serialize)]
pub(super) struct Thin {
    /// The scenario.
    scenario: String,
    /// Its runs.
    runs: u64,
    /// What, each with the rate that is expected of it and the runs that would tell.
    missing: Vec<Missing>,
}

#[derive(Debug, Serialize)]
struct Missing {
    /// A fault class, a situation, or the number of a `[[fault]]`.
    what: String,
    /// In which share of the runs it is expected at least.
    rate: String,
    /// From so many runs on, its absence would be a finding.
    enough_runs: u64,
}

impl Thin {
    /// Of all scenarios of which something is missing.
    pub(super) fn of<'a>(report: &SweepReport, scenarios: impl Iterator<Item = &'a Scenario>) -> Vec<Self> {
        let rows = scenarios.zip(&report.thin).zip(&report.scenarios);
        let thin = rows.filter(|((_, thin), _)| !thin.is_empty());
        let of =
            |((scenario, thin), tally): ((&'a Scenario, &Vec<crate::expectation::Thin>), &crate::sweep::Tally)| Self {
                scenario: scenario.name.clone(),
                runs: tally.runs,
                missing: thin
                    .iter()
                    .map(|thin| Missing {
                        what: thin.what.clone(),
                        rate: thin.rate.to_string(),
                        enough_runs: thin.enough,
                    })
                    .collect(),
            };
        thin.map(of).collect()
    }

    /// So many runs would be enough for all that is missing.
    fn enough(&self) -> u64 {
        self.missing
            .iter()
            .map(|missing| missing.enough_runs)
            .max()
            .unwrap_or(0)
    }

    fn line(&self) -> String {
        let names: Vec<&str> = self
            .missing
            .iter()
            .take(NAMES_MAX)
            .map(|missing| missing.what.as_str())
            .collect();
        let more = match self.missing.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "{}: {}{more} did not come about in {}; {} would tell",
            self.scenario,
            names.join(", "),
            runs(self.runs),
            runs(self.enough())
        )
    }
}

/// In words, as lines; empty if nothing is missing.
pub(super) fn text(all: &[Thin]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut text =
        "Thin coverage: what is expected and has not come about, in too few runs to say anything\n".to_owned();
    for thin in all.iter().take(SHOWN_MAX) {
        text += &indented(&wrapped(&thin.line(), WIDTH - 2).join("\n"), 2);
    }
    if all.len() > SHOWN_MAX {
        let enough = all.iter().map(Thin::enough).max().unwrap_or(0);
        let more = all.len() - SHOWN_MAX;
        text += &indented(
            &format!("and {more} more scenarios; {} of each would tell for all", runs(enough)),
            2,
        );
    }
    text + "\n"
}

/// As the end of the verdict's line.
pub(super) fn note(all: &[Thin]) -> String {
    let missing: usize = all.iter().map(|thin| thin.missing.len()).sum();
    let enough = all.iter().map(Thin::enough).max().unwrap_or(0);
    match missing {
        0 => String::new(),
        1 => format!(
            "; thin coverage: 1 thing that is expected has not come about, {} would tell",
            runs(enough)
        ),
        _ => format!(
            "; thin coverage: {missing} things that are expected have not come about, {} of each scenario would tell",
            runs(enough)
        ),
    }
}

fn runs(count: u64) -> String {
    format!("{} run{}", grouped(count), if count == 1 { "" } else { "s" })
}
