//! `squall explain`: a failure in words.

use super::output::{self, BAD, DIM, GOOD, WIDTH, indented, labelled, wrapped};
use super::signals;
use super::when::{self, Effort, Whose};
use super::{Done, Global, exit, replay, run, seed, sweep};
use crate::cli::error::CliError;
use crate::explain::{self, Columns, Explanation, LEGEND, NoSuchEvent, NodeThen, Question, Sentence};
use crate::timeline::{Timeline, seconds as time};
use anstream::adapter::strip_str;
use clap::Args;
use serde::Serialize;
use simulator::trace::format::Trace;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Without options: what was violated, the state of every node then, how it came to that, and the last events of each node.

Examples:
  squall explain target/squall/failures/read-freshness--stale-read/trace.jsonl.zst
  squall explain small.capsule.json
  squall explain trace.jsonl --at 4182         the same, of another moment
  squall explain trace.jsonl --why 4182        the causes of one event, back to the first
  squall explain trace.jsonl --columns --legend --last 20
  squall explain trace.jsonl --when            from which moment on it could no longer be avoided";

/// How many of the last events of each node stand in the columns, if nobody says.
const LAST: usize = 6;

/// Arguments of `squall explain`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// A trace (compressed or not), or a capsule (.json), which is carried out for it
    #[arg(value_name = "TRACE|CAPSULE")]
    trace: PathBuf,
    /// Explain this event instead of the failure
    #[arg(long, value_name = "SEQ")]
    at: Option<u64>,
    /// Only the chain of causes of this event, back to the first
    #[arg(long, value_name = "SEQ", conflicts_with_all = ["at", "columns"])]
    why: Option<u64>,
    /// Fork the run at moments before the failure, follow random futures of each, and say from when on all of them fail
    #[arg(long, conflicts_with_all = ["at", "why", "columns"])]
    when: bool,
    /// With --when: how many futures of each moment
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000), requires = "when")]
    futures: u32,
    /// With --when: begin no future after this time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = seed::parse_time, requires = "when")]
    time: Duration,
    /// With --when: how much later than the run itself a future may fail, in simulated time
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = seed::parse_time, requires = "when")]
    within: Duration,
    /// With --when: threads; as many as there are processors if not given
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), requires = "when")]
    jobs: Option<u16>,
    /// Only the last events of each node, in columns
    #[arg(long)]
    columns: bool,
    /// Say what the marks in the columns mean
    #[arg(long)]
    legend: bool,
    /// How many of the last events of each node stand in the columns
    #[arg(long, value_name = "EVENTS", default_value_t = LAST as u16, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    last: u16,
}

/// Carries out `squall explain`.
pub fn explain(args: &ExplainArgs, global: &Global) -> Done {
    let trace = run::trace_of(&args.trace)?;
    let timeline = Timeline::new(&trace);
    if args.when {
        return inevitable(args, &timeline, global);
    }
    if let Some(seq) = args.why {
        let (chain, more) = explain::why(&timeline, seq).map_err(|error| wrong("--why", &error))?;
        let why = Why {
            schema: "squall-why/1",
            chain,
            more,
        };
        output::result(global, &why, || why.text())?;
        return Ok(exit::PASSED);
    }
    let question = Question {
        at: args.at,
        last: args.last.into(),
    };
    let explanation = explain::explain(&timeline, question).map_err(|error| wrong("--at", &error))?;
    output::result(global, &explanation, || {
        let columns = columns(&explanation.columns, args.legend);
        if args.columns {
            columns
        } else {
            text(&explanation) + &columns
        }
    })?;
    Ok(exit::PASSED)
}

/// A trace in words, for a file.
pub fn told(trace: &Trace) -> String {
    let question = Question { at: None, last: LAST };
    let explanation = explain::explain(&Timeline::new(trace), question).expect("no event was asked for");
    let whole = text(&explanation) + &columns(&explanation.columns, true);
    strip_str(&whole).to_string()
}

fn inevitable(args: &ExplainArgs, timeline: &Timeline<'_>, global: &Global) -> Done {
    let Some(failed_at) = explain::failed_at(timeline) else {
        let why = timeline.cut_short().unwrap_or_else(|| "this run passed".to_owned());
        return Err(CliError::Usage(format!("--when asks of a failure, and {why}")));
    };
    let header = &timeline.trace.header;
    let whose = match replay::capsule_of(&args.trace, header)? {
        Some(capsule) => Whose::Capsule(Box::new(capsule)),
        None => {
            let (subject, seed) = replay::recorded(&args.trace, header)?;
            Whose::Seed(Box::new(subject), seed)
        }
    };
    let effort = Effort {
        futures: args.futures,
        time: args.time,
        slack: u64::try_from(args.within.as_nanos()).unwrap_or(u64::MAX),
        jobs: args.jobs.map_or_else(sweep::processors, usize::from),
    };
    let when = when::when(&whose, timeline, failed_at, effort, global)?;
    output::result(global, &when, || when.text())?;
    Ok(signals::ended_early().unwrap_or(exit::PASSED))
}

fn wrong(option: &str, error: &NoSuchEvent) -> CliError {
    CliError::Usage(format!("{option}: {error}"))
}

/// The document of `squall explain --why`.
#[derive(Debug, Serialize)]
struct Why {
    /// `squall-why/1`.
    schema: &'static str,
    /// First cause first.
    chain: Vec<Sentence>,
    /// Whether it goes back further.
    more: bool,
}

impl Why {
    fn text(&self) -> String {
        let more = if self.more { "… and what caused that\n" } else { "" };
        format!("{more}{}", sentences(&self.chain))
    }
}

fn text(explanation: &Explanation) -> String {
    let mut text = head(explanation);
    if let Some(moment) = &explanation.moment {
        let _ = writeln!(
            text,
            "\n{DIM}The nodes{DIM:#} at {}, event {}",
            time(moment.t),
            moment.seq
        );
        text += &nodes(&explanation.nodes);
        text += &indented(&explanation.remarks.join("\n"), 2);
    }
    let _ = writeln!(text, "\n{DIM}How it came to this{DIM:#}");
    if explanation.story_left_out > 0 {
        let _ = writeln!(text, "  ({} earlier events are left out)", explanation.story_left_out);
    }
    text += &sentences(&explanation.story);
    let _ = writeln!(text, "\n{DIM}The last events of each node{DIM:#}");
    text
}

/// What was violated, and in which run.
fn head(explanation: &Explanation) -> String {
    let mut text = String::new();
    let run = format!("{}  {}", explanation.seed, explanation.scenario);
    let cut_short = explanation.cut_short.as_deref().map_or_else(String::new, |cut_short| {
        indented(&wrapped(cut_short, WIDTH - 5).join("\n"), 5)
    });
    let Some(property) = &explanation.property else {
        let mark = match cut_short.is_empty() {
            true => format!("{GOOD}PASS{GOOD:#}"),
            false => format!("{BAD}CUT SHORT{BAD:#}"),
        };
        return format!("{mark} {run}\n{cut_short}");
    };
    let _ = writeln!(text, "{BAD}FAIL{BAD:#} {run}  {BAD}{}{BAD:#}", explanation.verdict);
    text += &cut_short;
    if let Some(message) = &explanation.message {
        text += &indented(&paragraphs(message, WIDTH - 5), 5);
    }
    if let Some(about) = property.about {
        let source = property
            .source
            .map_or_else(String::new, |source| format!(" ({source})"));
        let rule = format!("{}: {about}{source}", property.name);
        text.push('\n');
        text += &labelled("property", &[wrapped(&rule, WIDTH - 14).join("\n            ")]);
    }
    if let Some(bug) = &explanation.bug {
        text += &labelled("planted", &[wrapped(bug, WIDTH - 14).join("\n            ")]);
    }
    if let Some(operations) = &explanation.operations {
        text.push('\n');
        text += &indented(operations, 2);
    }
    text
}

/// Each line wrapped for itself.
fn paragraphs(text: &str, width: usize) -> String {
    let lines: Vec<String> = text.lines().flat_map(|line| wrapped(line, width)).collect();
    lines.join("\n")
}

fn nodes(nodes: &[NodeThen]) -> String {
    let head = [
        "  node",
        "role",
        "log by terms",
        "term",
        "vote",
        "commit",
        "applied",
        "last",
    ];
    let mut table = output::Table::new(3, head);
    for node in nodes {
        let spans = node.log.iter().map(|(term, first, last)| {
            let term = if *term == 0 { "?".to_owned() } else { format!("T{term}") };
            if first == last {
                format!("{term}:{last}")
            } else {
                format!("{term}:{first}–{last}")
            }
        });
        let spans: Vec<String> = spans.collect();
        let cut = node.log.first().is_some_and(|(_, first, _)| *first > 1);
        table.row([
            format!("  {}", node.node),
            format!("{}{}", node.stand, if node.paused { ", paused" } else { "" }),
            format!("{}{}", if cut { "… " } else { "" }, spans.join(" ")),
            node.term.to_string(),
            node.vote.map_or_else(|| "–".to_owned(), |vote| format!("n{vote}")),
            node.commit.to_string(),
            node.applied.to_string(),
            node.last.to_string(),
        ]);
    }
    table.text()
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// One line or more for each: when, which event, where, what.
pub fn sentences(sentences: &[Sentence]) -> String {
    let width = |text: &dyn Fn(&Sentence) -> String| sentences.iter().map(|one| text(one).len()).max().unwrap_or(0);
    let (times, seqs) = (width(&|one| time(one.t)), width(&|one| one.seq.to_string()));
    let places = width(&|one| one.place.clone());
    let indent = times + seqs + places + 9;
    let mut text = String::new();
    for one in sentences {
        let lines = wrapped(&one.text, (WIDTH + 20).saturating_sub(indent).max(40));
        let _ = writeln!(
            text,
            "  {DIM}{:>times$}  #{:<seqs$}{DIM:#}  {:<places$}  {}",
            time(one.t),
            one.seq,
            one.place,
            lines.join(&format!("\n{:indent$}", ""))
        );
    }
    text
}

/// One line for each: when, which event, the cell of its node, what.
fn columns(columns: &Columns, legend: bool) -> String {
    let mut text = String::new();
    if legend {
        text += &indented(LEGEND, 2);
    }
    let cells = columns.lines.iter().map(|line| line.cell.chars().count());
    let cell = cells.chain(columns.nodes.iter().map(String::len)).max().unwrap_or(1);
    let (times, seqs) = (
        columns.lines.iter().map(|line| time(line.t).len()).max().unwrap_or(0),
        columns
            .lines
            .iter()
            .map(|line| line.seq.to_string().len())
            .max()
            .unwrap_or(0),
    );
    let names: Vec<String> = columns.nodes.iter().map(|node| format!("{node:<cell$}")).collect();
    let indent = times + seqs + 5;
    let _ = writeln!(text, "{DIM}{:indent$}  {}{DIM:#}", "", names.join("  ").trim_end());
    let room = (WIDTH + 20)
        .saturating_sub(indent + (cell + 2) * columns.nodes.len() + 2)
        .max(30);
    for line in &columns.lines {
        let shown = |node: usize| {
            if node == line.node {
                format!("{:<cell$}", line.cell)
            } else {
                format!("{:<cell$}", "·")
            }
        };
        let cells: Vec<String> = (0..columns.nodes.len()).map(shown).collect();
        let _ = writeln!(
            text,
            "  {DIM}{:>times$}  #{:<seqs$}{DIM:#}  {}  {}",
            time(line.t),
            line.seq,
            cells.join("  "),
            cut(&line.text, room)
        );
    }
    text
}
