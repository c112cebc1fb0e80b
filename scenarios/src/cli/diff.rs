//! `squall diff`: two traces, or two files of digests, and where they part.

use super::error::CliError;
use super::files::TraceReader;
use super::output::{self, BAD, DIM, GOOD};
use super::{Done, Global, exit, files};
use crate::timeline::{cut_short, place};
use crate::verdict::FailureKind;
use anstyle::Style;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json};
use simulator::TraceEvent;
use simulator::trace::format::{TraceError, TraceFooter, TraceHeader};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Exit code 0 if they are the same, 103 if they are not, 98 if a trace is cut short before they part.

A file whose lines are `SCENARIO SEED DIGEST`, as `squall/tests/digests.txt`, is compared line by line.

Examples:
  squall diff before.jsonl.zst after.jsonl.zst
  squall diff before.jsonl after.jsonl --context 20
  squall diff squall/tests/digests.txt /tmp/digests.txt";

/// Most characters of a value that are shown.
const DETAIL: usize = 110;
/// Most characters of a name that are shown.
const NAME: usize = 40;
/// Most runs with other digests that are listed, and most differences between headers, or between two events.
const LISTED: usize = 20;

/// Arguments of `squall diff`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DiffArgs {
    /// A trace (compressed or not), or a file of digests
    a: PathBuf,
    /// What it is compared with
    b: PathBuf,
    /// How many events are shown before and after the first that differs
    #[arg(long, value_name = "EVENTS", default_value_t = 6, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    context: u16,
}

/// Carries out `squall diff`.
pub fn diff(args: &DiffArgs, global: &Global) -> Done {
    let result = match (read(&args.a)?, read(&args.b)?) {
        (Side::Trace(a), Side::Trace(b)) => traces(args.context.into(), *a, *b)?,
        (Side::Digests(a), Side::Digests(b)) => digests(&a, &b),
        _ => {
            let what = "one file is a trace and the other a list of digests: give two of one sort".to_owned();
            return Err(CliError::Usage(what));
        }
    };
    let (line, code) = match result.0.same {
        Some(true) => ("SAME", exit::PASSED),
        Some(false) => ("DIFFERENT", FailureKind::NonDeterminism.exit_code()),
        None => ("INCONCLUSIVE", FailureKind::Inconclusive.exit_code()),
    };
    output::verdict(global, &result.0, line, || result.1);
    Ok(code)
}

enum Side {
    Trace(Box<TraceReader>),
    Digests(BTreeMap<String, String>),
}

/// A file whose first line is no JSON may be a list of digests.
fn read(path: &Path) -> Result<Side, CliError> {
    let error = match TraceReader::open(path) {
        Ok(trace) => return Ok(Side::Trace(Box::new(trace.however_cut()))),
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
    /// Whether there is no difference; null where a trace is cut short before there is one.
    same: Option<bool>,
    /// Equal events before the first difference, or equal lines in all.
    equal: usize,
    /// The first event that differs, of each; null where a trace has ended.
    events: Option<(Value, Value)>,
    /// The fields in which these differ, or the runs whose digests do.
    differing: Vec<String>,
    /// What of the headers and footers differs: its name, and both values.
    described: Vec<(String, Value, Value)>,
    /// How much more of them differs than `described` lists.
    described_left_out: usize,
    /// Where each trace ends, in a sentence, if it is cut short.
    cut_short: [Option<String>; 2],
}

/// What is shown of one trace at the place where it parts from another.
struct Shown {
    /// The first event that differs and those after it; empty if the trace has ended.
    events: Vec<TraceEvent>,
    header: TraceHeader,
    footer: TraceFooter,
    /// Where it ends, if it is cut short.
    cut_short: Option<String>,
}

/// Reads both traces side by side, and keeps what is shown of them.
fn traces(context: usize, mut a: TraceReader, mut b: TraceReader) -> Result<(DiffResult, String), CliError> {
    let (mut equal, mut before) = (0, VecDeque::new());
    let mut first = loop {
        let (one, other) = (a.next_line()?, b.next_line()?);
        let (Some(one), Some(other)) = (one, other) else {
            break (one.map(parsed), other.map(parsed));
        };
        if one != other {
            let (one, other) = (parsed(one), parsed(other));
            if one != other {
                break (Some(one), Some(other));
            }
        }
        equal += 1;
        if context > 0 {
            if before.len() == context {
                before.pop_front();
            }
            before.push_back(one.to_owned());
        }
    };
    let before: Vec<TraceEvent> = before.iter().map(|line| parsed(line)).collect();
    let a = shown(first.0.take(), context, a)?;
    let b = shown(first.1.take(), context, b)?;
    Ok(told(equal, &before, &a, &b))
}

/// The event of a line that is known to be one.
fn parsed(line: &str) -> TraceEvent {
    TraceEvent::of_line(line).expect("the reader has seen that it is an event")
}

fn shown(first: Option<TraceEvent>, context: usize, mut trace: TraceReader) -> Result<Shown, CliError> {
    let mut events: Vec<TraceEvent> = first.into_iter().collect();
    while !events.is_empty()
        && events.len() < context
        && let Some(event) = trace.next_event()?
    {
        events.push(event);
    }
    while trace.next_line()?.is_some() {}
    let last = trace.last_seq();
    let (header, footer) = trace.ends()?;
    Ok(Shown {
        events,
        header,
        cut_short: cut_short(&footer, last),
        footer,
    })
}

fn told(equal: usize, before: &[TraceEvent], a: &Shown, b: &Shown) -> (DiffResult, String) {
    let (one, other) = (a.events.first(), b.events.first());
    let mut described = described(a, b);
    // Where one is cut short before it parts from the other, nobody knows whether it would.
    let is_open = one.is_none() && a.cut_short.is_some() || other.is_none() && b.cut_short.is_some();
    let parts = !is_open && (one.is_some() || other.is_some());
    let verdict = |(name, ..): &&(String, Value, Value)| name != "tool";
    let same = !parts && !described.iter().any(|one| verdict(&one));
    let same = (!(same && is_open)).then_some(same);
    let described_left_out = described.len().saturating_sub(LISTED);
    described.truncate(LISTED);
    let value = |event: Option<&TraceEvent>| event.map_or(Value::Null, json_of);
    let differing = match (one, other) {
        (Some(one), Some(other)) => differing(&json_of(one), &json_of(other)),
        _ => Vec::new(),
    };
    let mut text = String::new();
    for (name, a, b) in &described {
        let _ = writeln!(
            text,
            "{:<12} {BAD}-{BAD:#} {}\n{:<12} {GOOD}+{GOOD:#} {}",
            cut(name, NAME),
            brief(a),
            "",
            brief(b)
        );
    }
    if described_left_out > 0 {
        let _ = writeln!(
            text,
            "and {described_left_out} more lines of what the traces say of their runs"
        );
    }
    for (which, sentence) in [("first", &a.cut_short), ("second", &b.cut_short)] {
        if let Some(sentence) = sentence {
            let _ = writeln!(text, "{which}: {sentence}");
        }
    }
    if parts {
        let _ = writeln!(text, "{equal} equal events, then");
        text.push_str(&side_by_side(before, a, b));
        if !differing.is_empty() {
            let more = differing.len().saturating_sub(LISTED);
            let mut names: Vec<String> = differing.iter().take(LISTED).map(|name| cut(name, NAME)).collect();
            if more > 0 {
                names.push(format!("{more} more"));
            }
            let _ = writeln!(text, "They differ in {}.", names.join(", "));
        }
        let _ = writeln!(
            text,
            "{BAD}DIFFERENT{BAD:#} from event {} on",
            one.or(other).map_or(0, |event| event.seq)
        );
    } else if same.is_none() {
        let _ = writeln!(
            text,
            "{BAD}INCONCLUSIVE{BAD:#} the {equal} events that both have are equal"
        );
    } else if same == Some(true) {
        let _ = writeln!(
            text,
            "{GOOD}SAME{GOOD:#} {equal} events, digest {}",
            cut(&a.footer.digest, DETAIL)
        );
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
        described_left_out,
        cut_short: [a.cut_short.clone(), b.cut_short.clone()],
    };
    (result, text)
}

fn json_of(event: &TraceEvent) -> Value {
    serde_json::to_value(event).expect("a trace event is JSON")
}

/// What of the headers and the footers differs, leaf by leaf; of texts that both have, line by line.
fn described(a: &Shown, b: &Shown) -> Vec<(String, Value, Value)> {
    let whole = |trace: &Shown| {
        let mut all = BTreeMap::new();
        let header = serde_json::to_value(&trace.header).expect("a header is JSON");
        let footer = json!({ "verdict": trace.footer.verdict, "digest": trace.footer.digest, "end": trace.footer.end });
        leaves("", &header, &mut all);
        if a.cut_short.is_none() && b.cut_short.is_none() {
            leaves("", &footer, &mut all);
        }
        all
    };
    let (one, other) = (whole(a), whole(b));
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let mut changed = Vec::new();
    for name in names.into_iter().filter(|name| one.get(*name) != other.get(*name)) {
        let lines = |all: &BTreeMap<String, Value>| Some(all.get(name)?.as_str()?.lines().map(str::to_owned).collect());
        let texts: (Option<Vec<String>>, Option<Vec<String>>) = (lines(&one), lines(&other));
        match texts {
            (Some(one), Some(other)) if one.len() > 1 || other.len() > 1 => {
                let line = |lines: &[String], at: usize| lines.get(at).map_or(Value::Null, |line| line.as_str().into());
                let differ = (0..one.len().max(other.len())).filter(|at| one.get(*at) != other.get(*at));
                changed.extend(differ.map(|at| (format!("{name}:{}", at + 1), line(&one, at), line(&other, at))));
            }
            _ => {
                let get = |all: &BTreeMap<String, Value>| all.get(name).map_or(Value::Null, summed_up);
                changed.push((name.clone(), get(&one), get(&other)));
            }
        }
    }
    changed
}

/// A value; of a text of many lines, how many they are.
fn summed_up(value: &Value) -> Value {
    match value.as_str().map(|text| text.lines().count()) {
        Some(lines) if lines > 1 => format!("({lines} lines)").into(),
        _ => value.clone(),
    }
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
fn side_by_side(before: &[TraceEvent], a: &Shown, b: &Shown) -> String {
    let mut rows = vec![];
    let mut add = |mark: &'static str, style: Style, events: &[TraceEvent]| {
        rows.extend(events.iter().map(|event| (mark, style, cells(event))));
    };
    add(" ", DIM, before);
    add("-", BAD, &a.events);
    add("+", GOOD, &b.events);
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
        if trace.events.is_empty() {
            let _ = writeln!(text, "{mark} (this trace ends)");
        }
    }
    text
}

/// Number, time, place, kind, cause and the rest of an event.
fn cells(event: &TraceEvent) -> [String; 6] {
    let mut fields = event.fields.to_map();
    let mut kind = cut(&event.kind, NAME);
    if let Some(Value::String(sort)) = fields.remove("type") {
        let _ = write!(kind, " {}", cut(&sort, NAME));
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
    let words = fields.iter().map(|(name, value)| format!("{name}={value}"));
    // More fields than fit are not looked at.
    cut(&words.take(DETAIL).collect::<Vec<_>>().join(" "), DETAIL)
}

fn brief(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| cut(&value.to_string(), DETAIL), |text| cut(text, DETAIL))
}

/// At most so many characters on one line: what a file says must not lay out the page.
fn cut(text: &str, most: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(most)
        .map(|c| if is_layout(c) { ' ' } else { c })
        .collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a character is not shown itself but changes how others are: control characters, and what turns the direction of writing.
fn is_layout(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
    let names: Vec<String> = differing.iter().take(LISTED).map(|run| cut(run, DETAIL)).collect();
    let width = names.iter().map(|run| run.chars().count()).max().unwrap_or(0);
    for (run, name) in differing.iter().zip(&names) {
        let (one, other) = (shown(a.get(run)), shown(b.get(run)));
        let _ = writeln!(text, "{name:<width$}  {BAD}{one:<16}{BAD:#}  {GOOD}{other}{GOOD:#}");
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
        same: Some(differing.is_empty()),
        equal,
        events: None,
        differing,
        described: Vec::new(),
        described_left_out: 0,
        cut_short: [None, None],
    };
    (result, text)
}
