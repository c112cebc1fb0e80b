//! The scenario file format, and the catalogue of built-in scenarios.
//!
//! A scenario is a TOML file that says which cluster runs in which world, what its clients do, which faults strike and
//! what must hold. [`parse`] turns it into a [`Scenario`]: typed, bounded, complete with defaults. Reading is strict: a
//! key that nobody knows, a number without its unit or a value out of bounds is a [`ScenarioError`] that shows the line
//! and says what to write instead.
//!
//! ```toml
//! schema = "squall-scenario/1"
//! name = "leader-crash"
//!
//! [cluster]
//! nodes = [3, 5]              # a list may stand for any single value: each seed draws one
//!
//! [network]
//! latency = "1ms..10ms"       # ranges of durations are drawn per use; both ends are included
//! loss = "0.5%"
//!
//! [[fault]]
//! kind = "crash"
//! target = "leader"
//! every = "2s..4s"
//! for = "500ms..1s"
//! ```
//!
//! The reader's path is the data's path: text → `document` (a tree with places, overrides applied) → `read`,
//! `read_cluster` and `read_fault` (sections, through the typed access of `section`) → `spec` and `fault` (the types) → `write` (back to text).
//! This module owns the format and depends on nothing else of the project: names that only the rest knows, of properties
//! and fault classes, come in as [`Known`]. It draws nothing and runs nothing.

mod alternatives;
mod catalog;
mod disk_fault;
mod document;
mod error;
mod fault;
mod feasible;
mod flips;
mod idle;
mod links;
mod named;
mod nearest;
mod pace;
mod quantity;
mod rate;
mod read;
mod read_cluster;
mod read_fault;
mod read_operator;
mod rerated;
mod schema;
mod section;
mod setting;
mod spec;
#[cfg(test)]
mod tests;
mod write;
mod write_fault;

pub use alternatives::Alternatives;
pub use catalog::{Builtin, FOR_ANY_SYSTEM, UnknownScenario};
pub use disk_fault::{DiskKind, RotForm};
pub use error::{Place, Problem, ScenarioError};
pub use fault::{Direction, Fault, FaultKind, Fires, Identity, Side, Split, Target, Thaw, Trigger, When};
pub use flips::{Flip, Flips};
pub use idle::{Idle, idle};
pub use links::{Links, Shape};
pub use named::{CutLinks, Groups};
pub use nearest::nearest;
pub use pace::Pace;
pub use quantity::QuantityError;
pub use rate::{Expected, Rate};
pub use schema::{Form, Key, json_schema, keys};
pub use setting::{Setting, SettingValue, Settings};
pub use spec::{
    Budget, Choice, Clock, Cluster, Codec, Damage, Disk, DurationRange, Expect, Lasting, Mix, Model, Network,
    OffsetRange, Operator, Order, OrderMix, Recovery, Scenario, ScriptedOrder, Swarm, Timing, Verdict, Workload,
};

use error::Misfit;

/// The format that this version reads and writes.
pub const SCHEMA: &str = "squall-scenario/1";
/// Longest text of a scenario, in bytes.
pub const MAX_TEXT: usize = 256 * 1024;
/// Most `[[fault]]` sections of a scenario.
pub const MAX_FAULTS: usize = 64;
/// Most orders at given times.
pub const MAX_ORDERS: usize = 64;
/// Most values in one list of choices.
pub const MAX_CHOICES: usize = 32;

/// What switches a setting off that is a quantity otherwise.
const OFF: &str = "off";

type Result<T> = std::result::Result<T, Misfit>;

/// What a scenario may name, as its system says: the values of its words that are defined elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The system's name: the value of `system`.
    pub system: &'static str,
    /// What another system of this program admits, if there is one of that name.
    pub systems: fn(&str) -> Option<Known>,
    /// The workloads that the system serves: the values of `workload.model`, and its default first.
    pub models: &'static [Model],
    /// Properties that can be checked: the values of `expect.properties`, and its default.
    pub properties: &'static [&'static str],
    /// Classes of faults whose firing is counted: the values of `expect.fired`.
    pub fault_classes: &'static [&'static str],
    /// Situations that are counted: the values of `expect.reach`, and of a fault's `when`.
    pub situations: &'static [&'static str],
    /// Classes of faults that a swarm draws from: the values of `swarm.classes`.
    pub swarm_classes: &'static [&'static str],
    /// The kinds of messages between nodes: the values of a hold's `message`.
    pub message_kinds: &'static [&'static str],
    /// The settings of the system: the keys of `[system]` beside `name`.
    pub settings: &'static [Setting],
    /// The keys of `[system]`.
    pub setting_names: &'static [&'static str],
    /// Whether the system is a replicated log with a leader, and `[cluster]` has the settings of one.
    pub has_log_settings: bool,
    /// Whether clients speak with nodes over connections, where `network.clients` does not say so.
    pub client_connections: bool,
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.system == other.system
    }
}

impl Eq for Known {}

/// Reads and checks a scenario. `source_name` is what errors call it: the path of the file, or the built-in's name.
///
/// `overrides` are applied to the document before it is checked, in order: a dotted path (`cluster.nodes`,
/// `workload.mix.read`, `fault.0.every`) and a value, which is read as TOML where it is TOML (`5`, `true`, `[1, 4]`) and
/// is a text otherwise (`2s..4s`).
///
/// # Errors
///
/// The first problem found, with its place and its remedy. Arbitrary text and overrides never panic.
///
/// # Examples
///
/// ```
/// use squall::scenario::{Known, Model, parse};
///
/// let known = Known {
///     system: "mine",
///     systems: |_| None,
///     models: &[Model::Kv],
///     properties: &["linearizable"],
///     fault_classes: &["crash"],
///     situations: &[],
///     swarm_classes: &[],
///     message_kinds: &[],
///     settings: &[],
///     setting_names: &["name"],
///     has_log_settings: false,
///     client_connections: true,
/// };
/// let overrides = [("cluster.nodes".to_owned(), "5".to_owned())];
/// let text = "schema = \"squall-scenario/1\"\nname = \"calm\"\n";
/// let scenario = parse("calm", text, &overrides, &known)?;
/// assert_eq!(scenario.cluster.nodes.options(), [5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn parse(
    source_name: &str,
    text: &str,
    overrides: &[(String, String)],
    known: &Known,
) -> std::result::Result<Scenario, ScenarioError> {
    let scenario = || {
        if text.len() > MAX_TEXT {
            let problem = Problem::TooLong {
                bytes: text.len(),
                max: MAX_TEXT,
            };
            return Err(Misfit::new(document::Mark::Whole, problem));
        }
        let mut document = document::read(text)?;
        let is_of_swarm = |path: &str| path.split('.').next() == Some("swarm");
        let sets_swarm = overrides.iter().any(|(path, _)| is_of_swarm(path));
        let is_swarm = document.get("swarm").is_some() || sets_swarm;
        let of_file = sets_swarm.then(|| document.clone());
        for (index, (path, value)) in overrides.iter().enumerate() {
            // The faults of a swarm are there once they are drawn.
            if !(is_swarm && path.starts_with("fault.")) {
                document::set(&mut document, index, path, value)?;
            }
        }
        let mut scenario = alternatives::read(&mut document, known)?;
        if let Some(swarm) = &mut scenario.swarm {
            let last = overrides.iter().filter(|(path, _)| !is_of_swarm(path));
            swarm.overrides = last.cloned().collect();
        }
        if let Some(document) = of_file {
            // Where it has a mistake that an override mends, its rates are of no swarm.
            let swarm = read::swarm(&section::Section::top(&document), known).ok().flatten();
            rerated::rerate(&mut scenario, swarm.as_ref(), overrides);
        }
        Ok(scenario)
    };
    scenario().map_err(|misfit| ScenarioError::new(source_name, text, overrides, misfit))
}
