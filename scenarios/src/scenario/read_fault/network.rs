//! Faults of the network: their keys and settings.

use super::{Kind, lasts, target};
use crate::scenario::Result;
use crate::scenario::fault::{Direction, FaultKind, Split};
use crate::scenario::section::Section;
use crate::scenario::spec::Cluster;

pub const KINDS: [Kind; 4] = [
    ("partition", &["kind", "at", "every", "for", "split", "clients"]),
    ("cut-clients", &["kind", "at", "every", "for"]),
    ("isolate", &["kind", "at", "every", "for", "target", "clients", "keeps"]),
    (
        "one-way",
        &["kind", "at", "every", "for", "target", "direction", "clients"],
    ),
];

pub const SPLITS: [(&str, Split); 6] = [
    ("random", Split::Random),
    ("even", Split::Even),
    ("minority", Split::Minority),
    ("thirds", Split::Thirds),
    ("ring", Split::Ring),
    ("bridge", Split::Bridge),
];
pub const DIRECTIONS: [(&str, Direction); 3] =
    [("any", Direction::Any), ("in", Direction::In), ("out", Direction::Out)];

/// Reads the settings of a kind; `None` if it is not one of these.
pub fn settings(section: &Section<'_>, kind: &str, cluster: &Cluster) -> Result<Option<FaultKind>> {
    let target = || target(section, cluster);
    let lasts = || lasts(section);
    let clients = || section.flag("clients", false);
    Ok(Some(match kind {
        "partition" => FaultKind::Partition {
            lasts: lasts()?,
            split: section.word("split", Split::Random, &SPLITS)?,
            clients: clients()?,
        },
        "cut-clients" => FaultKind::CutClients { lasts: lasts()? },
        "isolate" => FaultKind::Isolate {
            target: target()?,
            lasts: lasts()?,
            clients: clients()?,
            keeps: section.count("keeps", 0, 0..=6)?,
        },
        "one-way" => FaultKind::OneWay {
            target: target()?,
            direction: section.word("direction", Direction::Any, &DIRECTIONS)?,
            lasts: lasts()?,
            clients: clients()?,
        },
        _ => return Ok(None),
    }))
}
