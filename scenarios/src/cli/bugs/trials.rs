//! The trials of a measurement as a file: each is a line as soon as it has ended, and `--resume` goes on after them.
//!
//! The first line says what is measured. A file of another measurement, or of another build, is refused: its times would be put beside
//! those of other runs. The last line may be torn, by a kill or a full disk, and is dropped.

use super::super::error::CliError;
use super::super::{journal, output};
use crate::TOOL;
use crate::bugs::{Ended, Plan};
use crate::explore::Strategy;
use crate::whole::{self, Appended};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// The schema of the first line.
const SCHEMA: &str = "squall-trials/1";
/// Longest line, in bytes.
const LINE_MAX: u64 = 16 << 20;

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    schema: String,
    tool: String,
    /// The hash of the binary.
    build: String,
    bugs: Vec<String>,
    /// The scenarios' names, and the hash of each.
    scenarios: Vec<(String, String)>,
    strategy: Option<Strategy>,
    budget_us: u64,
    /// None if there are no blind trials.
    blind_budget_us: Option<u64>,
    runs: u64,
    ranges: u64,
}

impl Header {
    fn new(plan: &Plan<'_>) -> Self {
        let scenario = |scenario: &crate::scenario::Scenario| {
            let hash = xxh3_64(scenario.to_toml().as_bytes());
            (scenario.name.clone(), format!("{hash:016x}"))
        };
        Self {
            schema: SCHEMA.to_owned(),
            tool: TOOL.to_owned(),
            build: journal::build(),
            bugs: plan.bugs.iter().map(|bug| bug.id.to_owned()).collect(),
            scenarios: plan.scenarios.iter().map(scenario).collect(),
            strategy: plan.strategy,
            budget_us: super::run::micros(plan.budget),
            blind_budget_us: plan.blind.then(|| super::run::micros(plan.blind_budget)),
            runs: plan.runs,
            ranges: plan.ranges,
        }
    }

    /// In what another measurement differs from this, if it does.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let differs = [
            (self.schema != other.schema, "of another version of the format"),
            (
                self.tool != other.tool || self.build != other.build,
                "by another build of squall, whose runs may be others",
            ),
            (self.bugs != other.bugs, "of other bugs"),
            (self.scenarios != other.scenarios, "of other scenarios"),
            (self.strategy != other.strategy, "with another --strategy"),
            (self.budget_us != other.budget_us, "with another --budget"),
            (self.blind_budget_us != other.blind_budget_us, "with other blind trials"),
            (self.runs != other.runs, "with other --runs"),
            (self.ranges != other.ranges, "with other --ranges"),
        ];
        differs.into_iter().find(|(differs, _)| *differs).map(|(_, what)| what)
    }
}

/// A file that trials are written to.
pub struct Trials {
    path: PathBuf,
    /// `None` once it could not be written.
    file: Option<Appended>,
}

impl Trials {
    /// Begins a file; one that is there is not touched.
    ///
    /// # Errors
    /// When there is one, or none can be made.
    pub fn begin(path: &Path, plan: &Plan<'_>) -> Result<Self, CliError> {
        whole::write_new(path, line_of(&Header::new(plan)).as_bytes()).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => CliError::BadFile {
                path: path.to_owned(),
                what: "it is there already: go on with it by --resume, or name another".to_owned(),
            },
            _ => not_added(path, error),
        })?;
        Self::open(path)
    }

    /// Takes up a file: the trials in it.
    ///
    /// # Errors
    /// When it cannot be read, or is of another measurement.
    pub fn resume(path: &Path, plan: &Plan<'_>) -> Result<(Self, Vec<Ended>), CliError> {
        let bad = |number: usize, what: String| CliError::BadFile {
            path: path.to_owned(),
            what: format!("line {number}: {what}"),
        };
        let unreadable = |error| CliError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
        let (mut known, mut length) = (Vec::new(), 0);
        for number in 1.. {
            let mut line = Vec::new();
            (&mut reader)
                .take(LINE_MAX)
                .read_until(b'\n', &mut line)
                .map_err(unreadable)?;
            if line.last() != Some(&b'\n') {
                if line.len() as u64 == LINE_MAX {
                    return Err(bad(number, format!("it is longer than {LINE_MAX} bytes")));
                }
                if number == 1 {
                    return Err(bad(
                        1,
                        "it is cut off: nothing of a measurement was written down".to_owned(),
                    ));
                }
                break;
            }
            length += line.len() as u64;
            if number == 1 {
                let header: Header = serde_json::from_slice(&line)
                    .map_err(|error| bad(1, format!("these are no trials of `squall bugs run`: {error}")))?;
                if let Some(difference) = Header::new(plan).difference(&header) {
                    return Err(bad(
                        1,
                        format!("it is a measurement {difference}: give the same arguments, or begin anew with --out"),
                    ));
                }
            } else {
                let ended =
                    serde_json::from_slice(&line).map_err(|error| bad(number, format!("it is no trial: {error}")))?;
                known.push(ended);
            }
        }
        let trials = Self::open(path)?;
        if let Some(file) = &trials.file {
            // What is torn at the end is not to be continued.
            file.file().set_len(length).map_err(unreadable)?;
        }
        Ok((trials, known))
    }

    fn open(path: &Path) -> Result<Self, CliError> {
        let file = Appended::open(path).map_err(|error| not_added(path, error))?;
        file.file().try_lock().map_err(|error| journal::busy(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
        })
    }

    /// Adds a trial. If that cannot be done it is said once, and the measurement goes on.
    pub fn add(&mut self, ended: &Ended) {
        let Some(file) = &mut self.file else { return };
        let added = output::spared(|| {
            let added = file.add(line_of(ended).as_bytes()).and_then(|()| file.sync());
            added.map_err(|error| not_added(&self.path, error))
        });
        if let Err(error) = added {
            self.file = None;
            output::lost(&error);
        }
    }
}

fn not_added(path: &Path, error: io::Error) -> CliError {
    CliError::NotAdded {
        path: path.to_owned(),
        error,
    }
}

fn line_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("trials are JSON: their keys are texts") + "\n"
}
