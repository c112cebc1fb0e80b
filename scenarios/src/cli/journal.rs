//! The journal of a sweep: `journal.jsonl` in its folder, from which `squall sweep --resume DIR` goes on.
//!
//! The first line says what is swept; each line after that is a [`Record`]. A line is written in one piece, and one that tells of a failure
//! is on the disk before anybody is told. The last line may be torn, by a kill or a full disk, and is dropped. A journal of another
//! sweep, or of another build, is refused: its counts would be added to runs that have nothing to do with them.

use super::error::CliError;
use super::output::{self, notice};
use super::subject::Subject;
use super::{Global, artefacts};
use crate::TOOL;
use crate::scenario;
use crate::sweep::isolate::Limits;
use crate::sweep::journal::Record;
use crate::sweep::{Begun, Seeds};
use crate::system;
use crate::whole::{self, Appended};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// The name of the file.
const NAME: &str = "journal.jsonl";
/// What becomes of the journal of a sweep that did not end, when another sweep is begun in its folder.
const PREVIOUS: &str = "journal.previous.jsonl";
/// The schema of the first line.
const SCHEMA: &str = "squall-journal/1";
/// Longest line, in bytes.
const LINE_MAX: u64 = 64 << 20;

/// What a sweep is: the first line of its journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `squall-journal/1`.
    schema: String,
    /// What wrote it, with its version.
    tool: String,
    /// The hash of the binary: another one may run the same seeds otherwise.
    build: String,
    /// The scenarios.
    scenarios: Vec<Swept>,
    /// The seeds of each.
    pub seeds: Seeds,
    /// The planted bug's id.
    bug: Option<String>,
    /// Every so many seeds run twice.
    pub verify_every: u64,
    /// After so many signatures it ends.
    pub max_fail: usize,
    /// Whether runs have processes of their own, and the limits of each.
    pub isolated: Option<Limits>,
}

/// A scenario of a sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Swept {
    /// As it was named: a built-in name or a path.
    name: String,
    /// As it was run, overrides applied.
    toml: String,
    /// The hash of that.
    hash: String,
    /// The overrides.
    set: Vec<(String, String)>,
}

fn hash(bytes: &[u8]) -> String {
    format!("{:016x}", xxh3_64(bytes))
}

/// The hash of this binary; the same text for all if it cannot be read. A binary may be large, so it is read in pieces.
pub fn build() -> String {
    let hashed = || -> io::Result<String> {
        let mut binary = File::open(std::env::current_exe()?)?;
        let (mut hasher, mut piece) = (Xxh3Default::new(), vec![0; 1 << 16]);
        loop {
            match binary.read(&mut piece)? {
                0 => return Ok(format!("{:016x}", hasher.digest())),
                length => hasher.update(&piece[..length]),
            }
        }
    };
    hashed().unwrap_or_else(|_| "unknown".to_owned())
}

impl Header {
    /// Of a sweep that is about to begin.
    pub fn new(
        subjects: &[Subject],
        seeds: &Seeds,
        (verify_every, max_fail): (u64, usize),
        isolated: Option<Limits>,
    ) -> Self {
        let swept = |subject: &Subject| {
            let toml = subject.scenario.to_toml();
            Swept {
                name: subject.name.clone(),
                hash: hash(toml.as_bytes()),
                toml,
                set: subject.set.clone(),
            }
        };
        Self {
            schema: SCHEMA.to_owned(),
            tool: TOOL.to_owned(),
            build: build(),
            scenarios: subjects.iter().map(swept).collect(),
            seeds: seeds.clone(),
            bug: subjects
                .iter()
                .find_map(|subject| subject.bug)
                .map(|bug| bug.id.to_owned()),
            verify_every,
            max_fail,
            isolated,
        }
    }

    /// What it says is swept.
    ///
    /// # Errors
    /// When a scenario of it is none.
    pub fn subjects(&self) -> Result<Vec<Subject>, CliError> {
        let known = super::system().known;
        let subject = |swept: &Swept| {
            // A swarm has its overrides applied again to what a seed draws.
            let scenario = scenario::parse(&swept.name, &swept.toml, &swept.set, &known)?;
            let bug = self
                .bug
                .as_deref()
                .map(|bug| system::of(&scenario).bug(bug))
                .transpose()?;
            Ok(Subject {
                name: swept.name.clone(),
                scenario,
                set: swept.set.clone(),
                bug,
                isolated: self.isolated,
                warnings: Vec::new(),
            })
        };
        self.scenarios.iter().map(subject).collect()
    }

    /// The first thing in which a sweep is another one than this.
    fn difference(&self, other: &Self) -> Option<String> {
        let names = |header: &Self| {
            let names: Vec<&str> = header.scenarios.iter().map(|swept| &*swept.name).collect();
            names.join(", ")
        };
        if names(self) != names(other) {
            return Some(format!("of the scenarios {}, and not {}", names(other), names(self)));
        }
        let mut pairs = self.scenarios.iter().zip(&other.scenarios);
        if let Some((swept, _)) = pairs.find(|(one, other)| one.hash != other.hash || one.set != other.set) {
            return Some(format!("of another scenario `{}`: its settings are others", swept.name));
        }
        let bug = |header: &Self| header.bug.clone().unwrap_or_else(|| "none".to_owned());
        let seeds = |header: &Self| match &header.seeds {
            Seeds::Range { first, count } => format!("{count} from {first} up"),
            Seeds::List(seeds) => format!("a list of {}", seeds.len()),
        };
        let isolated = |header: &Self| {
            header
                .isolated
                .map_or_else(|| "off".to_owned(), |limits| limits.to_string())
        };
        type Said<'a> = &'a dyn Fn(&Header) -> String;
        let all: [(&str, Said<'_>); 5] = [
            ("with the planted bug", &bug),
            ("of the seeds", &seeds),
            ("with --verify-determinism", &|header| {
                format!("1/{}", header.verify_every)
            }),
            ("with --max-fail", &|header| header.max_fail.to_string()),
            ("with --isolate", &isolated),
        ];
        if self.seeds != other.seeds && seeds(self) == seeds(other) {
            return Some("of other seeds".to_owned());
        }
        let differs = all.into_iter().find(|(_, of)| of(self) != of(other));
        differs.map(|(what, of)| format!("{what} {}, and not {}", of(other), of(self)))
    }
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// `None` once it could not be written.
    file: Option<Appended>,
}

impl Journal {
    /// Begins the journal of a sweep in a folder. If that cannot be done it is said, and the sweep goes on without.
    pub fn begin(folder: &Path, header: &Header, global: &Global) -> Self {
        let path = folder.join(NAME);
        let file = output::spared(|| Self::begun(folder, &path, header, global));
        let file = file.map_err(|error| output::lost(&error)).ok();
        Self { path, file }
    }

    fn begun(folder: &Path, path: &Path, header: &Header, global: &Global) -> Result<Appended, CliError> {
        let unwritable = |error| CliError::NotAdded {
            path: path.to_owned(),
            error,
        };
        artefacts::folder(folder)?;
        if let Ok(old) = File::open(path) {
            old.try_lock_shared().map_err(|error| busy(path, error))?;
            if !has_ended(old) {
                let previous = folder.join(PREVIOUS);
                whole::rename(path, &previous).map_err(unwritable)?;
                notice(
                    global,
                    &format_args!(
                        "{} is of a sweep that did not end: kept as {}",
                        path.display(),
                        previous.display()
                    ),
                );
            }
        }
        let line = line_of(header);
        whole::write(path, line.as_bytes()).map_err(unwritable)?;
        let file = Appended::open(path).map_err(unwritable)?;
        file.file().try_lock().map_err(|error| busy(path, error))?;
        Ok(file)
    }

    /// Takes up the journal in a folder: what it is of, and how far it is. `wanted` is what the command line says is swept, if it says
    /// so.
    ///
    /// # Errors
    /// When there is none, it cannot be read, or it is of another sweep or another build.
    pub fn resume(folder: &Path) -> Result<(Self, Header, Begun), CliError> {
        let path = folder.join(NAME);
        let unreadable = |error| CliError::Unreadable {
            path: path.clone(),
            error,
        };
        // Opened first: two may not go on at once.
        if !path.exists() {
            return Err(CliError::BadFile {
                path: folder.to_owned(),
                what: format!("there is no {NAME} in it: name the --out folder of a sweep"),
            });
        }
        let file = Appended::open(&path).map_err(unreadable)?;
        file.file().try_lock().map_err(|error| busy(&path, error))?;
        let (header, begun, length) = read(&path)?;
        // What is torn at the end is not to be continued.
        file.file().set_len(length).map_err(unreadable)?;
        let file = Some(file);
        Ok((Self { path, file }, header, begun))
    }

    /// Whether a sweep is the one that a journal is of.
    ///
    /// # Errors
    /// When it is not, with the first difference.
    pub fn refuse_another(&self, header: &Header, wanted: &Header) -> Result<(), CliError> {
        match wanted.difference(header) {
            None => Ok(()),
            Some(difference) => Err(CliError::BadFile {
                path: self.path.clone(),
                what: format!(
                    "it is the journal of another sweep, {difference}; leave out what it says itself, or begin anew with --out"
                ),
            }),
        }
    }

    /// Adds a record. If that cannot be done it is said once, and the sweep goes on.
    pub fn add(&mut self, record: &Record) {
        let Some(file) = &mut self.file else { return };
        let added = output::spared(|| {
            let line = line_of(record);
            let mut added = file.add(line.as_bytes());
            if record.is_finding() {
                added = added.and_then(|()| file.sync());
            }
            let path = self.path.clone();
            added.map_err(|error| CliError::NotAdded { path, error })
        });
        if let Err(error) = added {
            self.file = None;
            output::lost(&error);
        }
    }
}

fn line_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a journal's lines are JSON: their keys are texts") + "\n"
}

pub fn busy(path: &Path, error: TryLockError) -> CliError {
    match error {
        TryLockError::WouldBlock => CliError::BadFile {
            path: path.to_owned(),
            what: "another squall is writing to it: choose another, or wait for its end".to_owned(),
        },
        TryLockError::Error(error) => CliError::NotAdded {
            path: path.to_owned(),
            error,
        },
    }
}

/// Whether a sweep has ended by itself, so that its journal is of no more use.
fn has_ended(file: File) -> bool {
    let mut last = String::new();
    for line in BufReader::new(file).lines() {
        match line {
            Ok(line) => last = line,
            Err(_) => return false,
        }
    }
    matches!(serde_json::from_str(&last), Ok(Record::End))
}

/// What a journal says, and the length of that without a torn last line.
fn read(path: &Path) -> Result<(Header, Begun, u64), CliError> {
    let bad = |number: u64, what: String| CliError::BadFile {
        path: path.to_owned(),
        what: format!("line {number}: {what}"),
    };
    let unreadable = |error: io::Error| CliError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let (mut number, mut length) = (0, 0);
    let mut head: Option<(Header, Begun)> = None;
    loop {
        let mut line = Vec::new();
        number += 1;
        let read = (&mut reader)
            .take(LINE_MAX)
            .read_until(b'\n', &mut line)
            .map_err(unreadable)?;
        if line.last() != Some(&b'\n') {
            if read as u64 == LINE_MAX {
                return Err(bad(number, format!("it is longer than {LINE_MAX} bytes")));
            }
            break;
        }
        length += read as u64;
        match &mut head {
            None => {
                let header = header(&line).map_err(|what| bad(number, what))?;
                let begun = Begun::new(header.scenarios.len());
                head = Some((header, begun));
            }
            Some((_, begun)) => {
                let record = serde_json::from_slice(&line)
                    .map_err(|error| bad(number, format!("it is no record of a sweep: {error}")))?;
                begun.add(record).map_err(|gap| bad(number, gap.to_string()))?;
            }
        }
    }
    match head {
        Some((header, begun)) => Ok((header, begun, length)),
        None => Err(bad(
            1,
            "it is cut off: nothing of the sweep was written down".to_owned(),
        )),
    }
}

/// The first line, of this very build.
fn header(line: &[u8]) -> Result<Header, String> {
    #[derive(Deserialize)]
    struct Writer {
        schema: String,
        tool: String,
    }
    let no_journal = |error| format!("this is no journal of a sweep: {error}");
    let writer: Writer = serde_json::from_slice(line).map_err(no_journal)?;
    if writer.schema != SCHEMA || writer.tool != TOOL {
        return Err(format!(
            "it was written by {} as {}, and this is {TOOL} with {SCHEMA}: resume it with that version",
            writer.tool, writer.schema
        ));
    }
    let header: Header = serde_json::from_slice(line).map_err(no_journal)?;
    if header.build != build() {
        return Err(
            "it was written by another build of squall, whose runs may be others: begin anew with --out".to_owned(),
        );
    }
    if header
        .scenarios
        .iter()
        .any(|swept| swept.hash != hash(swept.toml.as_bytes()))
    {
        return Err("a scenario in it has been changed".to_owned());
    }
    Ok(header)
}
