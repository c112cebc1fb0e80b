//! The arguments of `squall check`.

use checker::history::{Clock, History, Keys, OwnedValue};
use checker::linearizability::Options;
use checker::transactions::Level;
use clap::{Args, ValueEnum};
use std::fmt;
use std::path::PathBuf;

const EXAMPLES: &str = "\
The format is told by the content: JSON Lines or an array of the same objects, Jepsen's events as EDN or JSON, or Jepsen's log. A refusal shows the first operation that cannot be placed, the
smallest part of the history that is impossible already, the reason, and the moment. A history of which nothing succeeded says nothing,
and is inconclusive. A Jepsen file leaves out what failed, reads of nil and the nemesis; how much that was is counted.

A line of JSON Lines is one operation, with times on one clock and `return` null where the outcome is unknown; other fields are passed over:
  {\"client\":1,\"op\":\"write\",\"key\":\"r\",\"value\":1,\"call\":4,\"return\":8}
  {\"client\":2,\"op\":\"read\",\"key\":\"r\",\"output\":1,\"call\":5,\"return\":9}
  {\"client\":2,\"op\":\"cas\",\"key\":\"r\",\"from\":1,\"to\":2,\"ok\":true,\"call\":10,\"return\":12}
  {\"client\":1,\"op\":\"txn\",\"key\":null,\"value\":[[\"r\",\"x\"],[\"w\",\"y\",3],[\"append\",\"z\",4]],\"output\":[null],\"call\":13,\"return\":15}

Examples:
  squall check history.jsonl --model auto
  squall check jepsen.edn --model cas-register --initial null --svg why.svg
  squall check bank.jsonl --model bank --initial '[[\"a\",100],[\"b\",100]]'
  squall check orders.jsonl --model orders --initial '\"placed\"'
  squall check independent.edn --model cas-register --keys in-value
  squall check history.jsonl --model kv --witness order.json
  squall check history.jsonl --model kv --verify order.json
  squall check followers.jsonl --model kv --consistency stale:5000000
  squall check append.edn --model transactions --consistency serializable
  zcat big.jsonl.gz | squall check - --model register --initial 0 --budget 100000000";

/// The name that lets the tool guess the model.
pub(super) const AUTO: &str = "auto";

/// Arguments of `squall check`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// The history; `-` for standard input, and a name that ends in .zst is compressed
    pub(super) history: String,
    /// What the system was meant to be (`squall list models`), or `auto`: the first that all operations fit
    #[arg(long)]
    pub(super) model: String,
    /// What an object holds at the start, as JSON: null, 5, "five" (with its quotes), or a list
    #[arg(long, value_name = "JSON")]
    pub(super) initial: Option<OwnedValue>,
    /// Where the keys of a Jepsen file are; JSON Lines name them
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = KeysIn::Auto)]
    pub(super) keys: KeysIn,
    /// What the times of the history count; `auto`: nanoseconds where the last of them is a millisecond at least. Only how they are shown
    #[arg(long, value_enum, value_name = "UNIT", default_value_t = Unit::Auto)]
    pub(super) unit: Unit,
    /// How consistent it must be: `linearizable`, `sequential` (each client's own order, no real time), or `stale:BOUND`: reads may
    /// be answered as up to so much earlier, in the unit of the history. Transactions may be asked for `read-committed`, `read-atomic`,
    /// `causal`, `snapshot-isolation`, `serializable` or `strict-serializable`, and, with the order of each client, for
    /// `strong-session-snapshot-isolation`, `strong-session-serializable`
    #[arg(long, value_name = "LEVEL", default_value = "linearizable", value_parser = consistency)]
    pub(super) consistency: Consistency,
    /// Most steps of the search; then the verdict is unknown
    #[arg(long, value_name = "STEPS", default_value_t = Options::default().steps_max)]
    pub(super) budget: u64,
    /// Write the order that was found to this file
    #[arg(long, value_name = "FILE")]
    pub(super) witness: Option<PathBuf>,
    /// Do not search: verify the order in this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["witness", "svg", "budget", "consistency"])]
    pub(super) verify: Option<PathBuf>,
    /// Draw a refusal into this file
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
}

/// Where the keys of a Jepsen file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum KeysIn {
    /// In the values if reads are invoked as `[key nil]`, as `jepsen.independent` does
    Auto,
    /// Each `:value` is `[key value]`
    InValue,
    /// Each `:value` is the value of one object
    None,
}

impl From<KeysIn> for Keys {
    fn from(keys: KeysIn) -> Self {
        match keys {
            KeysIn::Auto => Keys::Auto,
            KeysIn::InValue => Keys::InValue,
            KeysIn::None => Keys::None,
        }
    }
}

/// What the times of a history count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Unit {
    Auto,
    Ns,
    Us,
    Ms,
    /// Nothing: they are shown as they stand
    None,
}

impl Unit {
    pub(super) fn clock(self, history: &History) -> Clock {
        match self {
            Unit::Auto => Clock::guess(history.latest()),
            Unit::Ns => Clock::Nanoseconds,
            Unit::Us => Clock::Microseconds,
            Unit::Ms => Clock::Milliseconds,
            Unit::None => Clock::Counter,
        }
    }
}

/// What is asked of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consistency {
    Linearizable,
    Sequential,
    /// Reads may be this much behind, in the unit of the history's times.
    Stale(u64),
    /// Of transactions.
    Isolation(Level),
}

fn consistency(text: &str) -> Result<Consistency, String> {
    match (text, text.strip_prefix("stale:").map(str::parse)) {
        ("linearizable", _) => Ok(Consistency::Linearizable),
        ("sequential", _) => Ok(Consistency::Sequential),
        (_, Some(Ok(bound))) => Ok(Consistency::Stale(bound)),
        (_, Some(Err(error))) => Err(format!(
            "the bound of stale:BOUND is an unsigned integer in the unit of the history's times: {error}"
        )),
        (level, None) => level.parse().map(Consistency::Isolation).map_err(|_| {
            let levels = Level::ALL.map(Level::name).join(", ");
            format!("there are linearizable, sequential, stale:BOUND, and of transactions {levels}")
        }),
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linearizable => f.write_str("linearizable"),
            Self::Sequential => f.write_str("sequential"),
            Self::Stale(bound) => write!(f, "stale:{bound}"),
            Self::Isolation(level) => level.fmt(f),
        }
    }
}
