//! `squall list`: what there is to choose from.

use super::output::{self, Table, WIDTH, wrapped};
use super::{Done, Global, exit};
use crate::knobs::knobs;
use crate::recovery::RECOVERS;
use crate::run::LINEARIZABLE;
use crate::scenario::{self, Key};
use crate::system;
use checker::models::MODELS;
use checker::properties::{PROPERTIES, PropertyInfo};
use clap::{Args, ValueEnum};
use serde::Serialize;
use simulator::FaultClass;

/// Arguments of `squall list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    what: Subject,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Subject {
    /// The built-in scenarios
    Scenarios,
    /// The systems under test of this program, the one first that is meant where none is named
    Systems,
    /// The models that a history can be checked against
    Models,
    /// The properties that every run is held against
    Properties,
    /// The classes of faults, and what is counted of each
    Faults,
    /// Every key of a scenario file, with its bounds and default
    Settings,
    /// The situations that a run may reach, for `[expect] reach` and for faults that strike `when` one is reached
    Situations,
    /// The planted bugs of this build
    Bugs,
}

/// One line of a list: the document of `squall list` is an array of these.
#[derive(Debug, Serialize)]
struct Item {
    /// The name to use.
    name: String,
    /// What it is.
    about: String,
    /// Paper, thesis or specification, for properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    /// What in a scenario sets it off, for faults.
    #[serde(skip_serializing_if = "Option::is_none")]
    knobs: Option<&'static str>,
}

impl Item {
    fn new(name: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            about: about.into(),
            source: None,
            knobs: None,
        }
    }
}

/// Carries out `squall list`.
pub fn list(args: &ListArgs, global: &Global) -> Done {
    let items = match args.what {
        Subject::Scenarios => super::system()
            .scenarios
            .iter()
            .map(|of| Item::new(of.name, of.about.clone()))
            .collect(),
        Subject::Systems => system::all()
            .into_iter()
            .map(|system| Item::new(system.name, system.about))
            .collect(),
        Subject::Models => MODELS.iter().map(|model| Item::new(model.name, model.about)).collect(),
        Subject::Properties => properties(),
        Subject::Faults => FaultClass::ALL
            .iter()
            .map(|class| Item {
                knobs: Some(knobs(*class)),
                ..Item::new(class.name(), class.about())
            })
            .collect(),
        Subject::Settings => settings(),
        Subject::Situations => super::system()
            .situations
            .iter()
            .map(|situation| Item::new(situation.name(), situation.about()))
            .collect(),
        Subject::Bugs => return super::bugs::list(global),
    };
    output::result(global, &items, || text(&items))?;
    Ok(exit::PASSED)
}

/// Each key of a scenario, with its form and default.
fn settings() -> Vec<Item> {
    let known = &super::system().known;
    let said = |key: Key| {
        let default = match key.default.as_str() {
            "" => String::new(),
            default => format!("; default {default}"),
        };
        let own = known
            .settings
            .iter()
            .find(|setting| key.path.strip_prefix("system.") == Some(setting.name));
        let about = own.map_or_else(String::new, |setting| format!("{}; ", setting.about));
        Item::new(key.path, format!("{about}{}{default}", key.form.described()))
    };
    scenario::keys(known).into_iter().map(said).collect()
}

fn properties() -> Vec<Item> {
    let system = super::system();
    let is_fed = |property: &&PropertyInfo| system.log_properties.contains(&property.name);
    let online = PROPERTIES.iter().filter(is_fed).map(|property| Item {
        source: Some(property.source),
        ..Item::new(property.name, property.about)
    });
    let own = system
        .own_properties
        .iter()
        .map(|(name, about)| Item::new(*name, *about));
    let of_clients = Item {
        source: Some("Herlihy and Wing 1990"),
        ..Item::new(LINEARIZABLE, "what the clients saw has a linearization")
    };
    let recovers = Item::new(
        RECOVERS,
        "once the faults end, the cluster elects, converges and serves within `time.settle`",
    );
    online.chain(own).chain([of_clients, recovers]).collect()
}

fn text(items: &[Item]) -> String {
    let names = items.iter().map(|item| item.name.chars().count()).max().unwrap_or(0);
    let mut table = Table::new(2, ["name", "about"]);
    for item in items {
        let source = item.source.map_or_else(String::new, |source| format!(" ({source})"));
        let mut lines = wrapped(&format!("{}{source}", item.about), WIDTH - names - 2);
        lines.extend(
            item.knobs
                .iter()
                .flat_map(|knobs| wrapped(&format!("set by {knobs}"), WIDTH - names - 2)),
        );
        for (line, part) in lines.into_iter().enumerate() {
            table.row([if line == 0 { item.name.as_str() } else { "" }, &part]);
        }
    }
    table.text()
}
