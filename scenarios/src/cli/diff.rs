//! `squall diff`: two traces, or two files of digests, and where they part.

use super::error::CliError;
use super::output::{self, BAD, DIM, GOOD};
use super::{Done, Global, exit, files};
use anstyle::Style;
use clap::Args;
use scenarios::timeline::place;
use scenarios::verdict::FailureKind;
use serde::Serialize;
use serde_json::{Map, Value, json};
use simulator::TraceEvent;
use simulator::trace::format::{Trace, TraceError};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Exit code 0 if they are the same, 103 if they are not.

A file whose lines are `SCENARIO SEED DIGEST`, as `scenarios/tests/digests.txt`, is compared line by line.

Examples:
  squall diff before.jsonl.zst after.jsonl.zst
  squall diff before.jsonl after.jsonl --context 20
  squall diff scenarios/tests/digests.txt /tmp/digests.txt";

/// Most bytes of a line that are shown.
const DETAIL: usize = 110;
/// Most runs with other digests that are listed.
const LISTED: usize = 20;

/// Arguments of `squall diff`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DiffArgs {
    /// A trace (a name that ends in .zst is compressed), or a file of digests
    a: PathBuf,
    /// What it is compared with
    b: PathBuf,
    /// How many events are shown before and after the first that differs
    #[arg(long, value_name = "EVENTS", default_value_t = 6)]
    context: usize,
}

/// Carries out `squall diff`.
pub fn diff(args: &DiffArgs, global: &Global) -> Done {
    let result = match (read(&args.a)?, read(&args.b)?) {
        (Side::Trace(a), Side::Trace(b)) => traces(args, &a, &b),
        (Side::Digests(a), Side::Digests(b)) => digests(&a, &b),
        _ => {
            let what = "one file is a trace and the other a list of digests: give two of one sort".to_owned();
            return Err(CliError::Usage(what));
        }
    };
    output::result(global, &result.0, || result.1)?;
    Ok(if result.0.same {
        exit::PASSED
    } else {
        FailureKind::NonDeterminism.exit_code()
    })
}

enum Side {
    Trace(Box<Trace>),
    Digests(BTreeMap<String, String>),
}

/// A file whose first line is no JSON may be a list of digests.
fn read(path: &Path) -> Result<Side, CliError> {
    let error = match files::trace(path) {
        Ok(trace) => return Ok(Side::Trace(Box::new(trace))),
        Err(error) => error,
    };
    let is_other = matches!(&error, CliError::Trace { error, .. } if matches!(**error, TraceError::Header { .. }));
    match is_other
        .then(|| files::scenario(path).ok().and_then(|text| listed(&text)))
        .flatten()
    {
        Some(digests) => Ok(Side::Digests(digests)),
        None => Err(error),
    }
}

/// The digests of a list by run; `None` if a line is none.
fn listed(text: &str) -> Option<BTreeMap<String, String>> {
    let run = |line: &str| {
        let (run, digest) = line.rsplit_once(' ')?;
        // Many runs folded into one digest are a shorter number.
        let number = digest.strip_prefix("0x").unwrap_or(digest);
        let is_digest = [16, 64].contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| (run.to_owned(), digest.to_owned()))
    };
    let digests: Option<BTreeMap<_, _>> = text.lines().filter(|line| !line.trim().is_empty()).map(run).collect();
    digests.filter(|digests| !digests.is_empty())
}

/// The document of `squall diff`.
#[derive(Debug, Serialize)]
struct DiffResult {
    /// `squall-diff/1`.
    schema: &'static str,
    /// Whether there is no difference.
    same: bool,
    /// Equal events before the first difference, or equal lines in all.
    equal: usize,
    /// The first event that differs, of each; null where a trace has ended.
    events: Option<(Value, Value)>,
    /// The fields in which these differ, or the runs whose digests do.
    differing: Vec<String>,
    /// What of the headers and footers differs: its name, and both values.
    described: Vec<(String, Value, Value)>,
}

fn traces(args: &DiffArgs, a: &Trace, b: &Trace) -> (DiffResult, String) {
    let pairs = a.events.iter().zip(&b.events);
    let equal = pairs.take_while(|(a, b)| a == b).count();
    let (one, other) = (a.events.get(equal), b.events.get(equal));
    let described = described(a, b);
    let parts = one.is_some() || other.is_some();
    let verdict = |(name, ..): &&(String, Value, Value)| name != "tool";
    let same = !parts && !described.iter().any(|one| verdict(&one));
    let value = |event: Option<&TraceEvent>| event.map_or(Value::Null, json_of);
    let differing = match (one, other) {
        (Some(one), Some(other)) => differing(&json_of(one), &json_of(other)),
        _ => Vec::new(),
    };
    let mut text = String::new();
    for (name, a, b) in &described {
        let _ = writeln!(
            text,
            "{name:<12} {BAD}-{BAD:#} {}\n{:<12} {GOOD}+{GOOD:#} {}",
            brief(a),
            "",
            brief(b)
        );
    }
    if parts {
        let _ = writeln!(text, "{equal} equal events, then");
        text.push_str(&side_by_side(a, b, equal, args.context));
        if !differing.is_empty() {
            let _ = writeln!(text, "They differ in {}.", differing.join(", "));
        }
        let _ = writeln!(
            text,
            "{BAD}DIFFERENT{BAD:#} from event {} on",
            one.or(other).map_or(0, |event| event.seq)
        );
    } else if same {
        let _ = writeln!(text, "{GOOD}SAME{GOOD:#} {equal} events, digest {}", a.footer.digest);
    } else {
        let _ = writeln!(text, "{BAD}DIFFERENT{BAD:#} though all {equal} events are equal");
    }
    let result = DiffResult {
        schema: "squall-diff/1",
        same,
        equal,
        events: parts.then(|| (value(one), value(other))),
        differing,
        described,
    };
    (result, text)
}

fn json_of(event: &TraceEvent) -> Value {
    serde_json::to_value(event).expect("a trace event is JSON")
}

/// What of the headers and the footers differs, leaf by leaf.
fn described(a: &Trace, b: &Trace) -> Vec<(String, Value, Value)> {
    let whole = |trace: &Trace| {
        let mut all = BTreeMap::new();
        let header = serde_json::to_value(&trace.header).expect("a header is JSON");
        let footer = json!({ "verdict": trace.footer.verdict, "digest": trace.footer.digest, "end": trace.footer.end });
        leaves("", &header, &mut all);
        leaves("", &footer, &mut all);
        all
    };
    let (one, other) = (whole(a), whole(b));
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let get = |all: &BTreeMap<String, Value>, name: &String| all.get(name).cloned().unwrap_or(Value::Null);
    let changed = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
    changed
        .map(|name| (name.clone(), get(&one, name), get(&other, name)))
        .collect()
}

/// The paths of a document to its values.
fn leaves(path: &str, value: &Value, all: &mut BTreeMap<String, Value>) {
    let deeper = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| leaves(&deeper(name), value, all)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| leaves(&deeper(&index.to_string()), value, all));
        }
        Value::String(text) if text.contains('\n') => {
            for (number, line) in (1..).zip(text.lines()) {
                all.insert(format!("{path}:{number}"), line.into());
            }
        }
        leaf => {
            all.insert(path.to_owned(), leaf.clone());
        }
    }
}

/// The fields in which two events differ.
fn differing(one: &Value, other: &Value) -> Vec<String> {
    let (mut a, mut b) = (BTreeMap::new(), BTreeMap::new());
    leaves("", one, &mut a);
    leaves("", other, &mut b);
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    names
        .into_iter()
        .filter(|name| a.get(*name) != b.get(*name))
        .cloned()
        .collect()
}

/// The last equal events, then those of either side, in columns.
fn side_by_side(a: &Trace, b: &Trace, equal: usize, context: usize) -> String {
    let after = |trace: &Trace| {
        (
            equal,
            trace.events.len().min(equal.saturating_add(context).max(equal + 1)),
        )
    };
    let ((from, a_to), (_, b_to)) = (after(a), after(b));
    let mut rows = vec![];
    let mut add = |mark: &'static str, style: Style, events: &[TraceEvent]| {
        rows.extend(events.iter().map(|event| (mark, style, cells(event))));
    };
    add(" ", DIM, &a.events[equal.saturating_sub(context)..equal]);
    add("-", BAD, &a.events[from.min(a_to)..a_to]);
    add("+", GOOD, &b.events[from.min(b_to)..b_to]);
    let widths: Vec<usize> = (0..5)
        .map(|column| {
            rows.iter()
                .map(|(.., cells)| cells[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (mark, style, [seq, time, place, kind, cause, detail]) in &rows {
        let line = format!(
            "{seq:>0$}  {time:>1$}  {place:<2$}  {kind:<3$}  {cause:>4$}  {detail}",
            widths[0], widths[1], widths[2], widths[3], widths[4]
        );
        let _ = writeln!(text, "{style}{mark} {}{style:#}", line.trim_end());
    }
    for (mark, trace) in [("-", a), ("+", b)] {
        if trace.events.len() == equal {
            let _ = writeln!(text, "{mark} (this trace ends)");
        }
    }
    text
}

/// Number, time, place, kind, cause and the rest of an event.
fn cells(event: &TraceEvent) -> [String; 6] {
    let mut fields = event.fields.clone();
    let mut kind = event.kind.to_string();
    if let Some(Value::String(sort)) = fields.remove("type") {
        let _ = write!(kind, " {sort}");
    }
    [
        format!("#{}", event.seq),
        format!("{}.{:06} ms", event.t / 1_000_000, event.t % 1_000_000),
        place(event).map_or_else(|| "–".to_owned(), |place| place.to_string()),
        kind,
        event.cause.map_or_else(String::new, |cause| format!("by #{cause}")),
        words(&fields),
    ]
}

fn words(fields: &Map<String, Value>) -> String {
    let words: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = words.join(" ");
    match text.char_indices().nth(DETAIL) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

fn brief(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(DETAIL)
        .collect();
    if line.chars().count() < text.chars().count() {
        format!("{line}…")
    } else {
        line
    }
}

fn digests(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> (DiffResult, String) {
    let runs: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differing: Vec<String> = runs
        .iter()
        .filter(|run| a.get(**run) != b.get(**run))
        .map(|run| (*run).clone())
        .collect();
    let equal = runs.len() - differing.len();
    let mut text = String::new();
    let shown = |digest: Option<&String>| digest.map_or("(not there)".to_owned(), |digest| digest[..16].to_owned());
    let width = differing
        .iter()
        .take(LISTED)
        .map(|run| run.chars().count())
        .max()
        .unwrap_or(0);
    for run in differing.iter().take(LISTED) {
        let (one, other) = (shown(a.get(run)), shown(b.get(run)));
        let _ = writeln!(text, "{run:<width$}  {BAD}{one:<16}{BAD:#}  {GOOD}{other}{GOOD:#}");
    }
    if differing.len() > LISTED {
        let _ = writeln!(text, "and {} more", differing.len() - LISTED);
    }
    let _ = match differing.is_empty() {
        true => writeln!(text, "{GOOD}SAME{GOOD:#} {equal} digests"),
        false => writeln!(
            text,
            "{BAD}DIFFERENT{BAD:#} {} of {} digests",
            differing.len(),
            runs.len()
        ),
    };
    let result = DiffResult {
        schema: "squall-diff/1",
        same: differing.is_empty(),
        equal,
        events: None,
        differing,
        described: Vec::new(),
    };
    (result, text)
}
