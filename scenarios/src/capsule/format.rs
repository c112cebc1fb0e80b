//! The file of a capsule: JSON with a schema, read strictly. What is wrong is told with its place and what to do.

use super::{Capsule, Course, FAULTS_MAX, Origin, Recorded};
use crate::operation::Operation;
use crate::operation::objects::Call;
use crate::scenario::{self, Flip, Flips, Model, Scenario, ScenarioError};
use crate::setup::Draw;
use crate::system::{self, UnknownBug};
use crate::workloads::script::Script;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use simulator::decision::DECISIONS_MAX;
use simulator::{FaultAction, FaultError, Topic};

/// The format that this version reads and writes.
pub const SCHEMA: &str = "squall-capsule/1";
/// Longest file, in bytes.
pub const BYTES_MAX: usize = 256 << 20;
/// Most operations of all clients together.
const OPERATIONS_MAX: usize = 1_000_000;

/// Why a text is no capsule.
#[derive(Debug, thiserror::Error)]
pub enum CapsuleError {
    /// It is too long.
    #[error("{bytes} bytes are too many: a capsule has at most {BYTES_MAX}; is this the right file?")]
    TooLong {
        /// How many there are.
        bytes: usize,
    },
    /// It is no JSON, or not of this form.
    #[error("{0}; `squall schema capsule` prints the form, and `squall shrink` writes such files")]
    Json(#[from] serde_json::Error),
    /// It is of another version.
    #[error("`schema` is `{found}`, and this version reads `{SCHEMA}`: make the capsule anew from its seed")]
    Version {
        /// What the file says.
        found: String,
    },
    /// Its scenario is none.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// Its scenario leaves something to be drawn.
    #[error("`scenario`: {what} would be drawn by a seed, and a capsule has none: {remedy}")]
    Open {
        /// What.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Its bug is not planted in this build.
    #[error("`bug`: {0}")]
    Bug(#[from] UnknownBug),
    /// A fault does not fit.
    #[error("`course.{list}[{index}]`: {error}")]
    Fault {
        /// `faults` or `losses`.
        list: &'static str,
        /// Its index, from 0.
        index: usize,
        /// What is wrong.
        error: FaultError,
    },
    /// An operation or a list of them does not fit.
    #[error("`course.{place}`: {what}")]
    Course {
        /// Where.
        place: String,
        /// What is wrong, and what to do.
        what: String,
    },
}

/// The file, key by key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    origin: Origin,
    bug: Option<String>,
    outcome: Recorded,
    scenario: String,
    course: Course,
}

#[derive(Deserialize)]
struct Head {
    schema: String,
}

impl Capsule {
    /// Reads a capsule; `source` is what errors call it.
    ///
    /// # Errors
    /// The first thing that is wrong. Arbitrary text never panics, and what is read can be run.
    pub fn parse(source: &str, text: &str) -> Result<Self, CapsuleError> {
        if text.len() > BYTES_MAX {
            return Err(CapsuleError::TooLong { bytes: text.len() });
        }
        let head: Head = serde_json::from_str(text)?;
        if head.schema != SCHEMA {
            let found = head.schema.chars().take(60).collect();
            return Err(CapsuleError::Version { found });
        }
        let file: File = serde_json::from_str(text)?;
        let name = format!("`scenario` of {source}");
        let scenario = scenario::parse(&name, &file.scenario, &[], &system::default().known)?;
        closed(&scenario)?;
        fits(&file.course, &scenario)?;
        Ok(Self {
            origin: file.origin,
            bug: file
                .bug
                .as_deref()
                .map(|bug| system::of(&scenario).bug(bug))
                .transpose()?,
            scenario,
            course: file.course,
            outcome: file.outcome,
        })
    }

    /// Whether a file with it could be read: nothing is left to be drawn, and its course names only what there is.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn check(&self) -> Result<(), CapsuleError> {
        closed(&self.scenario)?;
        fits(&self.course, &self.scenario)
    }

    /// The capsule as a file that [`parse`](Self::parse) reads back to an equal value.
    pub fn to_json(&self) -> String {
        let file = File {
            schema: SCHEMA.to_owned(),
            origin: self.origin.clone(),
            bug: self.bug.map(|bug| bug.id.to_owned()),
            outcome: self.outcome.clone(),
            scenario: self.scenario.to_toml(),
            course: self.course.clone(),
        };
        serde_json::to_string_pretty(&file).expect("a capsule is JSON: its keys are texts") + "\n"
    }
}

/// Nothing in a capsule's scenario is left to be drawn.
fn closed(scenario: &Scenario) -> Result<(), CapsuleError> {
    let open = |what, remedy| Err(CapsuleError::Open { what, remedy });
    let mut fixed = scenario.clone();
    Draw::new(scenario, 0).fix(&mut fixed);
    if fixed.cluster != scenario.cluster || fixed.workload != scenario.workload {
        return open("a list of choices", "write one value in place of each list");
    }
    if !scenario.faults.is_empty() {
        return open("a `[[fault]]`", "list what it does in `course.faults`, and remove it");
    }
    if scenario.swarm.is_some() {
        return open("a `[swarm]`", "write out what it draws, and remove the section");
    }
    Ok(())
}

/// The course names only what there is.
fn fits(course: &Course, scenario: &Scenario) -> Result<(), CapsuleError> {
    let draw = Draw::new(scenario, 0);
    let (nodes, clients) = (draw.all_nodes(), draw.clients);
    let actors = clients + u16::from(scenario.operator.is_some()) + scenario.orders.len() as u16;
    let wrong = |place: &str, what: String| {
        Err(CapsuleError::Course {
            place: place.to_owned(),
            what,
        })
    };
    if course.faults.len() > FAULTS_MAX || course.operations() > OPERATIONS_MAX {
        return wrong(
            "faults",
            format!("at most {FAULTS_MAX} faults and {OPERATIONS_MAX} operations"),
        );
    }
    let check = |list, actions: &mut dyn Iterator<Item = &FaultAction>| {
        let mut checked = actions.enumerate();
        checked.try_for_each(|(index, action)| {
            let fault = |error| CapsuleError::Fault { list, index, error };
            action.check(nodes, actors).map_err(fault)
        })
    };
    check("faults", &mut course.faults.iter().map(|strike| &strike.action))?;
    check("losses", &mut course.losses.iter())?;
    if course.clients.len() > usize::from(clients) {
        return wrong(
            "clients",
            format!("{} lists for {clients} clients: remove some", course.clients.len()),
        );
    }
    for (client, tasks) in course.clients.iter().enumerate() {
        for (number, task) in tasks.tasks.iter().enumerate() {
            if let Some(what) = misfit(&task.operation, scenario.workload.model, draw.keys) {
                return wrong(&format!("clients[{client}].tasks[{number}]"), what);
            }
        }
    }
    for (number, task) in course.orders.iter().flat_map(|orders| &orders.tasks).enumerate() {
        if !is_order(&task.operation, nodes) {
            let what = format!("an operator changes members, transfers or campaigns, among {nodes} nodes from 0");
            return wrong(&format!("orders.tasks[{number}]"), what);
        }
    }
    let has_leases = scenario.cluster.lease_drift_ppm.largest().is_some();
    if has_leases && course.flips.is_some_and(|flips| flips.has(Flip::CheckQuorum)) {
        let what = "`check-quorum` takes from some voters what `cluster.lease` rests on: remove one of the two";
        return wrong("flips", what.to_owned());
    }
    if course.decisions.len() > DECISIONS_MAX {
        return wrong("decisions", format!("at most {DECISIONS_MAX}"));
    }
    Ok(())
}

fn is_order(operation: &Operation, nodes: u16) -> bool {
    match operation {
        Operation::Change { voters, learners } => {
            !voters.is_empty() && voters.iter().chain(learners).all(|node| *node < nodes)
        }
        Operation::Transfer { to } => *to < nodes,
        Operation::Campaign => true,
        _ => false,
    }
}

/// Why a client of this model can't ask for this.
fn misfit(operation: &Operation, model: Model, keys: u16) -> Option<String> {
    let (key, fits) = match operation {
        Operation::Read { key }
        | Operation::Write { key, .. }
        | Operation::Cas { key, .. }
        | Operation::Append { key, .. } => (key, model.is_of_texts()),
        Operation::Call { key, call } => (key, is_of(call, model)),
        Operation::Change { .. }
        | Operation::Join { .. }
        | Operation::Leave { .. }
        | Operation::Transfer { .. }
        | Operation::Campaign => {
            return Some("this is an operator's order: put it into `course.orders`".to_owned());
        }
    };
    if !fits {
        return Some(format!("this is no operation of the model `{}`", model.name()));
    }
    let keys = Script::keys_max(model, keys);
    (*key >= keys).then(|| format!("key {key} is beyond the {keys} that `workload.keys` stands for"))
}

fn is_of(call: &Call, model: Model) -> bool {
    let of = match call {
        Call::Counter(_) => Model::Counter,
        Call::Set(_) => Model::Set,
        Call::Queue(_) => Model::Queue,
        Call::Stack(_) => Model::Stack,
        Call::PriorityQueue(_) => Model::PriorityQueue,
        Call::List(_) => Model::AppendList,
        Call::Log(_) => Model::EventLog,
        Call::Registers(_) => Model::Transactions,
        Call::Bank(_) => Model::Bank,
        Call::Lock(_) => Model::Lock,
        Call::Order(_) => Model::Orders,
    };
    of == model
}

/// The form as a JSON Schema (draft 2020-12). Actions and operations are described as far as their kind: the reader knows more.
pub fn json_schema() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let topics: Vec<&str> = Topic::ALL.iter().map(|(name, _)| *name).collect();
    let topics = format!("^({})( [nc][0-9]+(>[nc][0-9]+)?)?$", topics.join("|"));
    let object = |properties: Value, optional: &[&str]| {
        let keys = properties.as_object().into_iter().flat_map(|keys| keys.keys());
        let required: Vec<&String> = keys.filter(|key| !optional.contains(&key.as_str())).collect();
        json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
    };
    let action = json!({ "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } } });
    let operation = json!({ "type": "object", "required": ["op"], "properties": { "op": { "type": "string" } } });
    let tasks = object(
        json!({ "tasks": { "type": "array", "items": { "$ref": "#/$defs/task" } }, "rest": count }),
        &["rest"],
    );
    let size = ["nodes", "clients", "faults", "operations", "decisions", "events"];
    let size: serde_json::Map<String, Value> = size.iter().map(|key| ((*key).to_owned(), count.clone())).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "A Squall capsule: one run as data",
        "$defs": {
            "task": object(json!({ "pause": count, "operation": operation }), &[]),
            "tasks": tasks,
            "strike": object(json!({ "at": count, "after": count, "action": action }), &["after"]),
        },
        "type": "object",
        "additionalProperties": false,
        "required": ["schema", "origin", "bug", "outcome", "scenario", "course"],
        "properties": {
            "schema": { "const": SCHEMA },
            "origin": object(json!({
                "tool": { "type": "string" },
                "scenario": { "type": "string" },
                "seed": { "type": "string", "pattern": "^0x[0-9a-f]{16}$" },
                "size": object(Value::Object(size), &[]),
            }), &[]),
            "bug": { "type": ["string", "null"] },
            "outcome": object(json!({
                "verdict": { "enum": ["pass", "fail"] },
                "signature": { "type": ["string", "null"] },
                "message": { "type": ["string", "null"] },
                "judged": object(json!({
                    "event": count,
                    "time": count,
                    "nodes": { "type": "array", "items": count },
                    "entries": { "type": "array", "items": count },
                    "operations": { "type": "array", "items": count },
                }), &[]),
                "digest": { "type": "string" },
                "events": count,
                "end": count,
                "marks": object(json!({ "every": count, "digests": { "type": "string" } }), &[]),
            }), &["message", "judged", "marks"]),
            "scenario": { "type": "string", "description": "A scenario file of one choice each, without faults and swarm." },
            "course": object(json!({
                "faults": { "type": "array", "items": { "$ref": "#/$defs/strike" } },
                "losses": { "type": "array", "items": action },
                "clients": { "type": "array", "items": { "$ref": "#/$defs/tasks" } },
                "orders": { "$ref": "#/$defs/tasks" },
                "damageable": { "type": "array", "items": count },
                "flips": { "type": "array", "minItems": 1, "items": { "enum": Flips::ALL.names() } },
                "decisions": {
                    "type": "object",
                    "propertyNames": { "pattern": topics },
                    "additionalProperties": {
                        "type": "array",
                        "items": { "type": "array", "items": count, "minItems": 2, "maxItems": 3 },
                    },
                },
            }), &["losses", "orders", "damageable", "flips", "decisions"]),
        },
    })
}
