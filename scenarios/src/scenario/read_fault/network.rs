//! Faults of the network: their keys and settings.

use super::{Kind, lasts, target};
use crate::scenario::Result;
use crate::scenario::error::Misfit;
use crate::scenario::fault::{Direction, FaultKind, Side, Split};
use crate::scenario::named;
use crate::scenario::read::{HOUR, millis};
use crate::scenario::section::Section;
use crate::scenario::spec::Cluster;

pub const KINDS: [Kind; 10] = [
    ("partition", &["kind", "at", "every", "for", "split", "clients"]),
    ("cut-clients", &["kind", "at", "every", "for"]),
    ("cut-links", &["kind", "at", "every", "for", "links"]),
    ("isolate", &["kind", "at", "every", "for", "target", "clients", "keeps"]),
    (
        "one-way",
        &["kind", "at", "every", "for", "target", "direction", "clients"],
    ),
    ("clog", &["kind", "at", "every", "for", "target", "side", "clients"]),
    ("clog-link", &["kind", "at", "every", "for"]),
    ("swizzle-clog", &["kind", "at", "every", "for", "gap"]),
    (
        "hold",
        &[
            "kind", "at", "every", "for", "target", "side", "message", "skip", "count", "reversed",
        ],
    ),
    ("replay-old", &["kind", "at", "every", "messages"]),
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
pub const SIDES: [(&str, Side); 3] = [("both", Side::Both), ("in", Side::In), ("out", Side::Out)];

/// Reads the settings of a kind; `None` if it is not one of these.
pub fn settings(
    section: &Section<'_>,
    kind: &str,
    cluster: &Cluster,
    kinds: &'static [&'static str],
) -> Result<Option<FaultKind>> {
    let target = || target(section, cluster);
    let lasts = || lasts(section);
    let clients = || section.flag("clients", false);
    Ok(Some(match kind {
        "partition" => FaultKind::Partition {
            lasts: lasts()?,
            split: section.word_or("split", Split::Random, &SPLITS, "n0 n1 | n2", |node, path, text| {
                let first = text.split(['|', ' ', ',']).find(|name| !name.is_empty());
                let is_node = |name: &str| name.strip_prefix('n').is_some_and(|rest| rest.parse::<u32>().is_ok());
                let is_named = text.contains('|') || first.is_some_and(is_node);
                is_named.then(|| named::groups(node, path, text, cluster).map(Split::Named))
            })?,
            clients: clients()?,
        },
        "cut-clients" => FaultKind::CutClients { lasts: lasts()? },
        "cut-links" => FaultKind::CutLinks {
            links: named::cut_links(section, cluster)?,
            lasts: lasts()?,
        },
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
        "clog" => FaultKind::Clog {
            target: target()?,
            side: section.word("side", Side::Both, &SIDES)?,
            lasts: lasts()?,
            clients: clients()?,
        },
        "clog-link" => FaultKind::ClogLink { lasts: lasts()? },
        "swizzle-clog" => FaultKind::SwizzleClog {
            lasts: lasts()?,
            gap: section.durations("gap", millis(10, 200), 0..=HOUR)?,
        },
        "hold" => FaultKind::Hold {
            target: target()?,
            side: section.word("side", Side::Out, &SIDES)?,
            message: message(section, kinds)?,
            skip: section.count("skip", 0, 0..=1_000_000)?,
            count: section.count("count", 1, 1..=1_000_000)?,
            lasts: lasts()?,
            reversed: section.flag("reversed", false)?,
        },
        "replay-old" => FaultKind::ReplayOld {
            messages: section.count("messages", 5, 1..=1_000)?,
        },
        _ => return Ok(None),
    }))
}

/// One of the kinds of messages that the system names.
fn message(section: &Section<'_>, kinds: &'static [&'static str]) -> Result<Option<&'static str>> {
    if let (true, Some(node)) = (kinds.is_empty(), section.get("message")) {
        let what = format!(
            "`{}` names a kind of message, and the system names none",
            section.path("message")
        );
        return Err(Misfit::unfit(
            node.mark,
            what,
            "leave it out: messages of every kind are held",
        ));
    }
    let named: Vec<(&'static str, Option<&'static str>)> = kinds.iter().map(|kind| (*kind, Some(*kind))).collect();
    section.word("message", None, &named)
}
