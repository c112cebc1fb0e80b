//! From a document to a [`Scenario`]: every section with its keys, defaults and bounds, and what must hold between them.
//!
//! Owns all sections except the cluster (`read_cluster.rs`), who gives it orders (`read_operator.rs`) and the faults (`read_fault.rs`). Leaves the checks of a single value to `section.rs`.

use super::document::{Mark, Node, Table, Value};
use super::error::{Misfit, Problem, shown};
use super::fault::{FaultKind, Identity, When};
use super::pace::Pace;
use super::quantity::{self, DURATION};
use super::section::{Section, is_kebab_case, unknown_word, wrong_type};
use super::spec::{
    Budget, Clock, Cluster, Damage, Disk, DurationRange, Expect, Lasting, Mix, Model, Network, Scenario, Swarm, Timing,
    Verdict, Workload,
};
use super::{Known, MAX_FAULTS, Result, SCHEMA, feasible, links, read_cluster, read_fault, read_operator, setting};

pub(super) const NANOSECOND: u64 = 1;
pub(super) const MICROSECOND: u64 = 1_000 * NANOSECOND;
pub(super) const MILLISECOND: u64 = 1_000 * MICROSECOND;
pub(super) const SECOND: u64 = 1_000 * MILLISECOND;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;

/// All of a whole, in parts per million.
pub(super) const WHOLE: u32 = 1_000_000;
pub(super) const KIB: u64 = 1 << 10;
pub(super) const MIB: u64 = 1 << 20;

pub(super) const VERDICTS: [(&str, Verdict); 4] = [
    ("pass", Verdict::Pass),
    ("safety-violation", Verdict::SafetyViolation),
    ("liveness-violation", Verdict::LivenessViolation),
    ("inconclusive", Verdict::Inconclusive),
];
pub(super) const DAMAGES: [(&str, Damage); 2] = [("minority", Damage::Minority), ("unlimited", Damage::Unlimited)];
pub(super) const LASTINGS: [(&str, Lasting); 4] = [
    ("none", Lasting::None),
    ("down", Lasting::Down),
    ("cut", Lasting::Cut),
    ("any", Lasting::Any),
];
/// How clients speak with nodes: whether over connections.
pub(super) const CLIENT_LINKS: [(&str, bool); 2] = [("connections", true), ("datagrams", false)];
pub(super) const MODELS: [(&str, Model); 13] = Model::ALL;

/// Reads and checks the whole document.
pub fn scenario(document: &Table, known: &Known) -> Result<Scenario> {
    let top = Section::top(document);
    // First of all: a file for another version may differ in anything else.
    schema(&top)?;
    top.only(&[
        "schema", "name", "about", "system", "cluster", "time", "network", "disk", "budget", "clock", "workload",
        "operator", "fault", "recovery", "expect", "swarm",
    ])?;
    let (name, about) = (name(&top)?, about(&top)?);
    let (known, settings) = setting::system(&top, known)?;
    let known = &known;
    let cluster = read_cluster::cluster(top.child("cluster", "cluster.", "[cluster]")?, known)?;
    let network = network(top.child("network", "network.", "[network]")?, known)?;
    let disk = disk(top.child("disk", "disk.", "[disk]")?)?;
    let pace = Pace::of(&cluster, &network, &disk);
    feasible::elections(&top, &cluster, &pace)?;
    let time = feasible::time(&top.child("time", "time.", "[time]")?, &pace)?;
    let faults = faults(&top, &cluster, &time, known)?;
    let (operator, orders) = read_operator::operators(&top, &cluster, &time)?;
    let expect = expect(top.child("expect", "expect.", "[expect]")?, &faults, known)?;
    let removals = feasible::Removals {
        cluster: &cluster,
        faults: &faults,
        operator: operator.as_ref(),
        orders: &orders,
        verdict: expect.verdict,
    };
    feasible::removals(&top, &removals)?;
    Ok(Scenario {
        known: *known,
        settings,
        name,
        about,
        budget: budget(top.child("budget", "budget.", "[budget]")?)?,
        clock: clock(top.child("clock", "clock.", "[clock]")?)?,
        workload: workload(top.child("workload", "workload.", "[workload]")?, known)?,
        operator,
        orders,
        recovery: feasible::recovery(&top.child("recovery", "recovery.", "[recovery]")?, &cluster, &pace)?,
        expect,
        faults,
        swarm: swarm(&top, known)?,
        alternatives: Vec::new(),
        network,
        disk,
        cluster,
        time,
    })
}

/// The text of `about` alone, for a list of scenarios; empty if there is none.
pub fn about(top: &Section<'_>) -> Result<String> {
    const LONGEST: usize = 2_000;
    let Some((text, mark)) = top.text("about", "\"What the scenario is for\"")? else {
        return Ok(String::new());
    };
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if folded.chars().count() > LONGEST {
        let what = format!("`about` is {} characters long", folded.chars().count());
        return Err(Misfit::unfit(
            mark,
            what,
            format!("say it in at most {LONGEST}, and the rest in comments"),
        ));
    }
    Ok(folded)
}

fn schema(top: &Section<'_>) -> Result<()> {
    let example = "schema = \"squall-scenario/1\" as the first line";
    match top.text("schema", "\"squall-scenario/1\"")? {
        None => Err(top.missing("schema", example)),
        Some((SCHEMA, _)) => Ok(()),
        Some((other, mark)) => Err(Misfit::new(
            mark,
            Problem::Schema {
                found: shown(other),
                supported: SCHEMA,
            },
        )),
    }
}

fn name(top: &Section<'_>) -> Result<String> {
    const LONGEST: usize = 64;
    let Some((name, mark)) = top.text("name", "\"leader-isolation\"")? else {
        return Err(top.missing("name", "name = \"my-scenario\" near the top"));
    };
    if !is_kebab_case(name) || name.len() > LONGEST {
        let remedy = format!(
            "write lower-case letters and digits joined by single hyphens, a letter first, at most {LONGEST} in all, \
             such as \"leader-isolation\""
        );
        return Err(Misfit::unfit(
            mark,
            format!("\"{}\" cannot be the name of a scenario", shown(name)),
            remedy,
        ));
    }
    Ok(name.to_owned())
}

fn network(section: Section<'_>, known: &Known) -> Result<Network> {
    section.only(&[
        "latency",
        "tail",
        "tail_max",
        "loss",
        "duplicate",
        "duplicate_delay",
        "reorder",
        "reorder_delay",
        "client_latency",
        "clients",
        "shape",
        "slow_links",
        "slow_factor",
        "huge",
        "huge_max",
        "bandwidth",
        "queue",
        "queue_bytes",
        "corrupt",
    ])?;
    let delays = 0..=10 * MINUTE;
    let latency = section.durations("latency", millis(1, 10), 0..=MINUTE)?;
    Ok(Network {
        latency,
        tail_ppm: section.ratio("tail", 0, 0..=WHOLE)?,
        tail_max_ns: longest(&section, "tail_max", "latency", latency, 10 * MINUTE)?,
        loss_ppm: section.ratio("loss", 0, 0..=WHOLE)?,
        duplicate_ppm: section.ratio("duplicate", 0, 0..=WHOLE)?,
        duplicate_delay_ns: section.duration("duplicate_delay", 100 * MILLISECOND, delays.clone())?,
        reorder_ppm: section.ratio("reorder", 0, 0..=WHOLE)?,
        reorder_delay_ns: section.duration("reorder_delay", 50 * MILLISECOND, delays)?,
        client_latency: section.durations("client_latency", millis(1, 5), 0..=MINUTE)?,
        client_connections: section.word("clients", known.client_connections, &CLIENT_LINKS)?,
        links: links::read(&section)?,
    })
}

fn disk(section: Section<'_>) -> Result<Disk> {
    section.only(&[
        "sync", "slow", "slow_max", "lost", "torn", "reorder", "error", "rot_age", "distrust",
    ])?;
    let sync = section.durations("sync", millis(0, 1), 0..=10 * SECOND)?;
    let disk = Disk {
        sync,
        slow_ppm: section.ratio("slow", 0, 0..=WHOLE)?,
        slow_max_ns: longest(&section, "slow_max", "sync", sync, MINUTE)?,
        lost_ppm: section.ratio("lost", WHOLE / 2, 0..=WHOLE)?,
        torn_ppm: section.ratio("torn", 0, 0..=WHOLE)?,
        reorder_ppm: section.ratio("reorder", 0, 0..=WHOLE)?,
        error_ppm: section.ratio("error", 0, 0..=WHOLE)?,
        rot_age_ns: section.duration("rot_age", SECOND, 0..=MINUTE)?,
        distrust: section.flag("distrust", false)?,
    };
    if disk.lost_ppm + disk.torn_ppm > WHOLE {
        return Err(Misfit::unfit(
            section.mark_of(&["torn", "lost"]),
            format!(
                "`disk.lost` ({}) and `disk.torn` ({}) add up to more than 100%",
                ratio(disk.lost_ppm),
                ratio(disk.torn_ppm)
            ),
            "lower one of them: each unsynced write is lost, torn or kept",
        ));
    }
    Ok(disk)
}

fn budget(section: Section<'_>) -> Result<Budget> {
    section.only(&["damage"])?;
    Ok(Budget {
        damage: section.word("damage", Damage::Minority, &DAMAGES)?,
    })
}

fn clock(section: Section<'_>) -> Result<Clock> {
    section.only(&["offset", "drift"])?;
    Ok(Clock {
        offset_max_ns: section.duration("offset", 0, 0..=HOUR)?,
        drift_max_ppm: section.ratio("drift", 0, 0..=WHOLE / 10)?,
    })
}

fn workload(section: Section<'_>, known: &Known) -> Result<Workload> {
    section.only(&[
        "model",
        "clients",
        "keys",
        "mix",
        "think",
        "timeout",
        "operations",
        "value_bytes",
        "sticky",
    ])?;
    let served: Vec<(&'static str, Model)> = known.models.iter().map(|model| (model.name(), *model)).collect();
    let model = section.word("model", known.models[0], &served)?;
    for key in ["mix", "value_bytes"] {
        if let Some(node) = section.get(key).filter(|_| !model.is_of_texts()) {
            let what = format!(
                "`workload.{key}` is of the models kv and register, and the model here is {}",
                model.name()
            );
            let texts = known.models.iter().find(|model| model.is_of_texts());
            let or = texts.map_or_else(String::new, |model| format!(", or write model = \"{}\"", model.name()));
            return Err(Misfit::unfit(node.mark, what, format!("remove `{key}`{or}")));
        }
    }
    Ok(Workload {
        model,
        clients: section.counts("clients", 4, 1..=64)?,
        keys: section.counts("keys", 5, 1..=1_024)?,
        mix: section
            .get("mix")
            .map_or(Ok(usual_mix(model)), |node| mix(node, model))?,
        think: section.durations("think", millis(10, 100), 0..=MINUTE)?,
        timeout_ns: section.duration("timeout", SECOND, MILLISECOND..=10 * MINUTE)?,
        operations: section.counts("operations", 500, 1..=100_000)?,
        value_bytes: section.sizes("value_bytes", 8, 1..=64 * KIB)?,
        sticky: section.flags("sticky", false)?,
    })
}

/// The weights where a scenario gives none.
fn usual_mix(model: Model) -> Mix {
    let is_register = model == Model::Register;
    Mix {
        read: 4,
        write: 3,
        cas: if is_register { 0 } else { 2 },
        append: u32::from(!is_register),
    }
}

fn mix(node: &Node, model: Model) -> Result<Mix> {
    let example = "mix = { read = 4, write = 3, cas = 2, append = 1 }";
    let section = Section::of(node, "workload.mix.", "`workload.mix`", example)?;
    section.only(&["read", "write", "cas", "append"])?;
    let weight = |key| section.count(key, 0, 0..=1_000);
    let mix = Mix {
        read: weight("read")?,
        write: weight("write")?,
        cas: weight("cas")?,
        append: weight("append")?,
    };
    if model == Model::Register && mix.cas + mix.append > 0 {
        let what = "`workload.mix` asks for compare-and-sets or appends, and a register has reads and writes alone";
        return Err(Misfit::unfit(
            node.mark,
            what,
            "leave `cas` and `append` out, or give them weight 0",
        ));
    }
    if mix.total() == 0 {
        let remedy = "give at least one kind of operation a weight, such as { read = 1, write = 1 }";
        return Err(Misfit::unfit(node.mark, "`workload.mix` leaves nothing to do", remedy));
    }
    Ok(mix)
}

fn faults(top: &Section<'_>, cluster: &Cluster, time: &Timing, known: &Known) -> Result<Vec<super::Fault>> {
    let Some(node) = top.get("fault") else {
        return Ok(Vec::new());
    };
    let Value::List(items) = &node.value else {
        return Err(wrong_type(
            node,
            "fault",
            "a list of sections",
            "[[fault]] above the keys of each",
        ));
    };
    if items.len() > MAX_FAULTS {
        let what = format!("there are {} [[fault]] sections", items.len());
        return Err(Misfit::unfit(node.mark, what, format!("keep at most {MAX_FAULTS}")));
    }
    let read = |(index, item)| {
        let fault = read_fault::fault(item, index, cluster, time, known)?;
        let FaultKind::Wipe {
            identity: Identity::New,
            ..
        } = fault.kind
        else {
            return Ok(fault);
        };
        if top.get("operator").is_some() {
            return Ok(fault);
        }
        Err(Misfit::unfit(
            item.mark,
            format!(
                "[[fault]] {index} wipes nodes that come back under a new name, and nobody gives the cluster orders"
            ),
            "add an [operator] section, who removes the old name and adds the new one, or write identity = \"old\"",
        ))
    };
    items.iter().enumerate().map(read).collect()
}

/// Reads `[swarm]`, if it is there.
pub fn swarm(top: &Section<'_>, known: &Known) -> Result<Option<Swarm>> {
    if top.get("swarm").is_none() {
        return Ok(None);
    }
    let section = top.child("swarm", "swarm.", "[swarm]")?;
    section.only(&["share", "classes"])?;
    Ok(Some(Swarm {
        share_ppm: section.ratio("share", 400_000, 1..=WHOLE)?,
        classes: named(&section, "classes", known.swarm_classes, "[\"crash\", \"loss\"]")?,
        overrides: Vec::new(),
    }))
}

/// A list of names that are all among `known`.
fn named(section: &Section<'_>, key: &str, known: &[&str], example: &str) -> Result<Option<Vec<String>>> {
    let Some(words) = section.words(key, example)? else {
        return Ok(None);
    };
    let check = |(word, mark): (&str, Mark)| {
        if known.contains(&word) {
            Ok(word.to_owned())
        } else {
            Err(unknown_word(mark, &section.path(key), word, known))
        }
    };
    words.into_iter().map(check).collect::<Result<Vec<_>>>().map(Some)
}

fn expect(section: Section<'_>, faults: &[super::Fault], known: &Known) -> Result<Expect> {
    section.only(&[
        "properties",
        "fired",
        "reach",
        "never",
        "never_from",
        "verdict",
        "online",
    ])?;
    let strikes = faults.iter().filter_map(|fault| match fault.when {
        When::At { ns } => Some(ns),
        When::Every(pause) => Some(pause.min_ns),
        When::Reached(_) => None,
    });
    let never = named(&section, "never", known.situations, "[\"two-leaders\"]")?.unwrap_or_default();
    let never_from_ns = section.duration("never_from", strikes.min().unwrap_or(0), 0..=HOUR)?;
    if never.is_empty() && section.get("never_from").is_some() {
        return Err(Misfit::unfit(
            section.mark_of(&["never_from"]),
            "`expect.never_from` says from when on, and `expect.never` names nothing",
            "name situations in `never`, or remove `never_from`",
        ));
    }
    let all = || known.properties.iter().map(|&name| name.to_owned()).collect();
    Ok(Expect {
        properties: named(&section, "properties", known.properties, "[\"election-safety\"]")?.unwrap_or_else(all),
        fired: section.expected("fired", known.fault_classes, "[\"crash\"]")?,
        reach: section
            .expected("reach", known.situations, "[\"two-leaders\"]")?
            .unwrap_or_default(),
        never_from_ns: if never.is_empty() { 0 } else { never_from_ns },
        never,
        verdict: section.word("verdict", Verdict::Pass, &VERDICTS)?,
        online: section.flag("online", true)?,
    })
}

/// The end of a long tail: by default ten times the largest usual value `usual` of `of`, and never below it.
fn longest(section: &Section<'_>, key: &str, of: &str, usual: DurationRange, limit: u64) -> Result<u64> {
    let end = section.duration(key, (usual.max_ns * 10).min(limit), 0..=limit)?;
    if end < usual.max_ns {
        return Err(Misfit::unfit(
            section.mark_of(&[key, of]),
            format!(
                "`{}` is {}, less than the largest `{of}`, {}",
                section.path(key),
                duration(end),
                duration(usual.max_ns)
            ),
            format!("raise `{key}` or lower `{of}`"),
        ));
    }
    Ok(end)
}

pub(super) fn millis(min: u64, max: u64) -> DurationRange {
    DurationRange {
        min_ns: min * MILLISECOND,
        max_ns: max * MILLISECOND,
    }
}

pub(super) fn duration(ns: u64) -> String {
    quantity::format(&DURATION, i128::from(ns))
}

pub(super) fn ratio(ppm: u32) -> String {
    quantity::format(&quantity::RATIO, i128::from(ppm))
}
