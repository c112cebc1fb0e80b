//! The systems of this program: what is known of each without running it. A system is registered once, under its name, and stays.

use super::System;
use super::bug::{NotPlanted, PlantedBug, UnknownBug};
use crate::scenario::{Builtin, Known, Model, Scenario, UnknownScenario, nearest};
use crate::situations::Situation;
use std::sync::RwLock;

/// What is known of a system.
#[derive(Debug)]
pub struct Info {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Which workloads it serves, the usual one first.
    pub models: &'static [Model],
    /// The situations that its runs can reach.
    pub situations: Vec<Situation>,
    /// The properties of a replicated log that its observations can break.
    pub log_properties: Vec<&'static str>,
    /// The properties of its own, each with what it demands.
    pub own_properties: Vec<(&'static str, &'static str)>,
    /// The built-in scenarios that it is run under.
    pub scenarios: Vec<Builtin>,
    /// Its planted bugs.
    pub bugs: &'static [PlantedBug],
    /// What can be switched on like a planted bug, and is listed nowhere.
    pub drills: &'static [PlantedBug],
    /// Documented bugs that are not planted, and why.
    pub not_planted: &'static [NotPlanted],
    /// The names that its scenarios may use.
    pub known: Known,
}

static SYSTEMS: RwLock<Vec<&'static Info>> = RwLock::new(Vec::new());

/// Registers what is known of a system under its name. Gives what is known already if there is one of that name.
pub fn register<S: System>(system: &S) -> &'static Info {
    let mut systems = SYSTEMS.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(info) = systems.iter().find(|info| info.name == system.name()) {
        return info;
    }
    let info: &'static Info = Box::leak(Box::new(Info::of(system)));
    systems.push(info);
    info
}

/// All systems of this program, the default one first.
pub fn all() -> Vec<&'static Info> {
    SYSTEMS
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clone()
}

/// The system that is meant where none is named: the first that was registered.
///
/// # Panics
/// When this program has registered none.
pub fn default() -> &'static Info {
    let first = all().first().copied();
    first
        .expect("a program registers its systems before it reads a scenario: see `squall::main` and `squall::register`")
}

/// The system of this name.
///
/// # Errors
/// When this program has none.
pub fn find(name: &str) -> Result<&'static Info, UnknownSystem> {
    let systems = all();
    let found = systems.iter().find(|info| info.name == name).copied();
    found.ok_or_else(|| UnknownSystem {
        name: name.chars().take(64).collect(),
        known: systems.iter().map(|info| info.name).collect(),
    })
}

/// The system of a scenario.
///
/// # Panics
/// When this program has registered none of that name, which a scenario that was read by it never names.
pub fn of(scenario: &Scenario) -> &'static Info {
    find(scenario.known.system).unwrap_or_else(|error| panic!("{error}"))
}

fn known_of(name: &str) -> Option<Known> {
    find(name).ok().map(|info| info.known)
}

/// No system of this program is called that.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this program has no system \"{name}\": it has {}", known.join(", "))]
pub struct UnknownSystem {
    /// The name that was asked for.
    pub name: String,
    /// Those that there are.
    pub known: Vec<&'static str>,
}

impl Info {
    fn of<S: System>(system: &S) -> Self {
        let mut situations = system.situations();
        situations.extend(system.sometimes().iter().copied().map(Situation::declare));
        let own_properties: Vec<(&'static str, &'static str)> = system
            .properties()
            .iter()
            .map(|property| (property.name, property.about))
            .collect();
        let settings = system.settings();
        let log_properties = system.log_properties();
        let mut properties = log_properties.clone();
        properties.extend(own_properties.iter().map(|(name, _)| *name));
        properties.extend([crate::verdict::LINEARIZABLE, crate::verdict::RECOVERS]);
        let leak = |names: Vec<&'static str>| -> &'static [&'static str] { Box::leak(names.into_boxed_slice()) };
        let known = Known {
            system: system.name(),
            systems: known_of,
            models: system.models(),
            properties: leak(properties),
            fault_classes: leak(simulator::FaultClass::ALL.iter().map(|class| class.name()).collect()),
            situations: leak(situations.iter().map(|situation| situation.name()).collect()),
            swarm_classes: leak(crate::swarm::CLASSES.iter().map(|class| class.name).collect()),
            message_kinds: system.message_kinds(),
            settings,
            setting_names: leak(
                std::iter::once("name")
                    .chain(settings.iter().map(|setting| setting.name))
                    .collect(),
            ),
            has_log_settings: system.has_log_settings(),
            client_connections: system.has_client_connections(),
        };
        let builtin = |(name, text)| Builtin::new(name, text);
        Self {
            name: system.name(),
            about: system.about(),
            models: system.models(),
            situations,
            log_properties,
            own_properties,
            scenarios: system.scenarios().into_iter().map(builtin).collect(),
            bugs: system.bugs(),
            drills: system.drills(),
            not_planted: system.not_planted(),
            known,
        }
    }

    /// Finds a planted bug by its id or its name, in any case.
    ///
    /// # Errors
    /// When there is none of that name in this build.
    pub fn bug(&self, name: &str) -> Result<&'static PlantedBug, UnknownBug> {
        let found = self.bugs.iter().chain(self.drills).find(|bug| bug.is_called(name));
        let is_named = |bug: &&NotPlanted| bug.id.eq_ignore_ascii_case(name) || bug.name.eq_ignore_ascii_case(name);
        found.ok_or_else(|| UnknownBug {
            name: name.to_owned(),
            system: self.name,
            planted: self.bugs.len(),
            not_planted: self.not_planted.iter().find(is_named).copied(),
        })
    }

    /// The built-in scenario of this name.
    ///
    /// # Errors
    /// [`UnknownScenario`] with the nearest name, if there is none.
    pub fn scenario(&self, name: &str) -> Result<&Builtin, UnknownScenario> {
        let found = self.scenarios.iter().find(|builtin| builtin.name == name);
        found.ok_or_else(|| {
            let names: Vec<&'static str> = self.scenarios.iter().map(|builtin| builtin.name).collect();
            UnknownScenario {
                name: name.chars().take(64).collect(),
                nearest: nearest(name, &names),
            }
        })
    }
}
