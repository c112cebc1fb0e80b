//! From one `[[fault]]` to a [`Fault`]: which keys belong to which kind, when a fault strikes, and what several kinds share.
//!
//! The settings of each kind are read in the modules below, one for each domain.

mod clock;
mod disk;
mod network;
mod process;
mod when;

pub(super) use clock::THAWS;
pub(super) use disk::ROT_FORMS;
pub(super) use network::{DIRECTIONS, SIDES, SPLITS};
pub(super) use process::IDENTITIES;

use super::document::Node;
use super::error::{Misfit, Problem, shown};
use super::fault::{Fault, FaultKind, Fires, Target, When};
use super::nearest::nearest;
use super::read::{HOUR, MICROSECOND};
use super::section::{Section, unknown_word};
use super::spec::{Cluster, DurationRange, Timing};
use super::{Known, Result};

/// A kind of fault with its keys.
type Kind = (&'static str, &'static [&'static str]);

/// Every kind, in the order of the documentation.
fn kinds() -> impl Iterator<Item = Kind> {
    network::KINDS
        .into_iter()
        .chain(process::KINDS)
        .chain(disk::KINDS)
        .chain(clock::KINDS)
}

/// The names of all kinds.
pub(super) fn kind_names() -> impl Iterator<Item = &'static str> {
    kinds().map(|(kind, _)| kind)
}

/// The keys that every kind has beside its own.
const OF_ALL: [&str; 5] = {
    let [when, probability, after, limit] = when::OF_TRIGGERS;
    [when, probability, after, limit, "fires"]
};

/// Reads the fault of this index, counted from 0.
pub fn fault(node: &Node, index: usize, cluster: &Cluster, time: &Timing, known: &Known) -> Result<Fault> {
    let (prefix, title) = (format!("fault.{index}."), format!("[[fault]] {index}"));
    let section = Section::of(node, &prefix, &title, "[[fault]] above the keys of each")?;
    let Some((word, mark)) = section.text("kind", "\"crash\"")? else {
        return Err(section.missing("kind", "kind = \"crash\", or another kind of fault"));
    };
    let Some((kind, keys)) = kinds().find(|(kind, _)| *kind == word) else {
        let known: Vec<&str> = kinds().map(|(kind, _)| kind).collect();
        return Err(unknown_word(mark, &section.path("kind"), word, &known));
    };
    own_keys(&section, kind, keys)?;
    let when = when::when(&section, time, known)?;
    let kind = settings(&section, kind, cluster, known)?;
    if kind.target() == Some(Target::Observed) && !matches!(when, When::Reached(_)) {
        return Err(Misfit::unfit(
            section.mark_of(&["target"]),
            format!("`{}` is \"observed\", and no situation is", section.path("target")),
            "write `when` with a situation in place of `at` or `every`, or another target",
        ));
    }
    let fires = match section.rate_or_off("fires")? {
        None => Fires::Derived,
        Some(None) => Fires::Off,
        Some(Some(rate)) => Fires::At(rate),
    };
    Ok(Fault { when, kind, fires })
}

fn settings(section: &Section<'_>, kind: &str, cluster: &Cluster, known: &Known) -> Result<FaultKind> {
    if let Some(kind) = network::settings(section, kind, cluster, known.message_kinds)? {
        return Ok(kind);
    }
    for domain in [process::settings, disk::settings, clock::settings] {
        if let Some(kind) = domain(section, kind, cluster)? {
            return Ok(kind);
        }
    }
    unreachable!("a kind of fault, `{kind}`, is known and nothing reads it")
}

/// Refuses keys that the kind does not have: those of other kinds by naming these, the rest as unknown.
fn own_keys(section: &Section<'_>, kind: &'static str, keys: &'static [&'static str]) -> Result<()> {
    let foreign = kinds().flat_map(|(_, others)| others).filter(|key| !keys.contains(key));
    for &key in foreign {
        if let Some(mark) = section.key_mark(key) {
            let kinds = kinds()
                .filter(|(_, others)| others.contains(&key))
                .map(|(name, _)| name)
                .collect();
            return Err(Misfit::new(
                mark,
                Problem::ForeignKey {
                    key,
                    kind,
                    kinds,
                    known: keys,
                },
            ));
        }
    }
    section.only_and(keys, &OF_ALL)
}

fn lasts(section: &Section<'_>) -> Result<DurationRange> {
    let none = DurationRange { min_ns: 0, max_ns: 0 };
    let lasts = section.durations("for", none, MICROSECOND..=HOUR)?;
    if lasts == none {
        return Err(section.missing("for", "for = \"500ms..2s\", how long it lasts"));
    }
    Ok(lasts)
}

fn target(section: &Section<'_>, cluster: &Cluster) -> Result<Target> {
    let Some((word, mark)) = section.text("target", "\"leader\"")? else {
        return Ok(Target::Any);
    };
    let path = section.path("target");
    match word {
        "leader" => return Ok(Target::Leader),
        "backup" => return Ok(Target::Backup),
        "any" => return Ok(Target::Any),
        "observed" => return Ok(Target::Observed),
        _ => {}
    }
    let digits = word
        .strip_prefix('n')
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let Some(number) = digits.filter(|digits| *digits == "0" || !digits.starts_with(['0', '+']) && !digits.is_empty())
    else {
        let known = ["leader", "backup", "any", "observed"];
        let problem = Problem::UnknownWord {
            path,
            word: shown(word),
            nearest: nearest(word, &known).map(str::to_owned),
            known: ["leader", "backup", "any", "observed", "n0, n1, ... for one node"]
                .map(str::to_owned)
                .to_vec(),
        };
        return Err(Misfit::new(mark, problem));
    };
    let fewest = cluster.nodes.smallest();
    number
        .parse()
        .ok()
        .filter(|number| *number < fewest)
        .map(Target::Node)
        .ok_or_else(|| {
            let word = shown(word);
            let what = format!("`{path}` is \"{word}\", but `cluster.nodes` may be {fewest} and numbers start at 0");
            Misfit::unfit(mark, what, format!("write one of \"n0\" to \"n{}\"", fewest - 1))
        })
}
