//! What is said of a run, held against what there was.

use super::held::{Core, Faults, Held, Look, Seen};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use simulator::trace::format::Trace;
use squall::explain::{self, Explanation, NodeThen, Question};
use squall::export::{self, Format};
use squall::run::{RunOptions, RunReport, run};
use squall::scenario::Scenario;
use squall::system::PlantedBug;
use squall::timeline::state::{self, NodeLife};
use squall::timeline::{Timeline, faults};
use squall::verdict::FailureKind;
use squall::view;
use std::collections::BTreeSet;
use std::io::Read as _;

/// Whether a run fails for a property or a panic, and not for want of time.
#[cfg_attr(not(feature = "bugs"), expect(dead_code, reason = "only planted bugs fail"))]
pub fn fails(scenario: &Scenario, seed: u64, bug: &'static PlantedBug) -> bool {
    let options = RunOptions {
        bug: Some(bug),
        ..RunOptions::default()
    };
    run(scenario, seed, options).failure.is_some()
}

/// Every word that is wrong.
pub fn wrong(report: &RunReport, seen: &Seen, scenario: &str, thorough: bool) -> Vec<String> {
    let trace = Trace {
        header: report.trace_header(scenario),
        events: report.trace.clone(),
        footer: report.trace_footer(),
    };
    let timeline = Timeline::new(&trace);
    let mut told = Told {
        report,
        seen,
        timeline: &timeline,
        wrong: Vec::new(),
    };
    if report.trace_left_out > 0 {
        told.wrong
            .push(format!("{} events were left out of the trace", report.trace_left_out));
        return told.wrong;
    }
    let lives = state::lives(&timeline);
    told.every_step(&lives);
    told.faults();
    told.failure();
    told.explained(None);
    if thorough {
        for part in 1..4 {
            let look = seen.looks.get(seen.looks.len() * part / 4);
            told.explained(look);
        }
        told.page(&trace);
        told.exported(&trace);
    }
    told.wrong
}

struct Told<'t> {
    report: &'t RunReport,
    seen: &'t Seen,
    timeline: &'t Timeline<'t>,
    wrong: Vec<String>,
}

impl Told<'_> {
    fn say(&mut self, what: String) {
        if self.wrong.len() < 50 {
            self.wrong.push(what);
        }
    }

    /// The last line of the trace that was told by the end of a step.
    fn row(&self, look: &Look) -> usize {
        let after = self
            .timeline
            .events
            .partition_point(|event| (event.t, event.seq) <= (look.time, look.until));
        after.saturating_sub(1)
    }

    fn every_step(&mut self, lives: &[NodeLife]) {
        for look in &self.seen.looks {
            let Some((node, Some(held))) = &look.node else { continue };
            if look.crashed {
                continue;
            }
            let row = self.row(look);
            let life = &lives[*node];
            let log = life.log_at(row).cloned().unwrap_or_default();
            let members = life.members_at(row).cloned().unwrap_or_default();
            let state = life.state_at(row);
            let said = Said {
                stand: state.stand.name().to_owned(),
                paused: state.paused,
                term: state.term,
                vote: state.vote,
                commit: state.commit,
                applied: state.applied,
                last: state.last,
                snapshot: Some(state.snapshot),
                spans: std::iter::once((log.start.term, log.start.index))
                    .chain(log.terms.iter().copied())
                    .collect(),
                from: log.start.index.max(1),
            };
            let mut wrong = said.against(held);
            if let Some(core) = &held.core {
                let set = |list: &[u64]| list.iter().copied().collect::<BTreeSet<u64>>();
                let (voters, outgoing) = (set(&members.voters), set(&members.outgoing));
                let all = &(&voters | &outgoing) | &set(&members.learners);
                if members.index != core.members.0 || voters != core.members.1 || outgoing != core.members.2 {
                    wrong.push(format!("members {members:?} are {:?}", core.members));
                }
                if !outgoing.is_empty() || all != core.members.3 {
                    let missing: Vec<_> = core.members.3.symmetric_difference(&all).collect();
                    if !missing.is_empty() {
                        wrong.push(format!("members {members:?} are {:?}", core.members));
                    }
                }
            }
            wrong
                .into_iter()
                .for_each(|what| self.say(format!("event {}, n{node}: {what}", look.seq)));
        }
    }

    fn faults(&mut self) {
        let bands = faults::bands(self.timeline);
        let looks = self
            .seen
            .looks
            .iter()
            .filter_map(|look| Some((look, look.faults.as_ref()?)));
        let mut wrong = Vec::new();
        for (look, held) in looks {
            let row = self.row(look);
            let mut said = Faults::default();
            for band in bands.iter().filter(|band| band.is_in_force(row)) {
                let lanes = band.lanes.iter().copied();
                match &*band.kind {
                    "crash" => said.down.extend(lanes),
                    "pause" => said.paused.extend(lanes),
                    "network" => said.network = true,
                    "cut" => said.cut.extend(pairs(&band.label)),
                    _ => {}
                }
            }
            // Who has stopped of its own accord is down, and that is no fault.
            let own = held
                .down
                .difference(&said.down)
                .copied()
                .filter(|node| self.stopped_itself(*node, row));
            said.down.extend(own.collect::<Vec<_>>());
            if said != *held {
                wrong.push(format!("event {}: the faults {said:?} are {held:?}", look.seq));
            }
        }
        wrong.into_iter().for_each(|what| self.say(what));
    }

    /// Whether the node stopped of its own accord when it stopped last, up to this line.
    fn stopped_itself(&self, node: usize, row: usize) -> bool {
        let events = self.timeline.events[..=row].iter().rev();
        let mut stops = events.filter(|event| event.node.map(usize::from) == Some(node));
        stops
            .find(|event| matches!(&*event.kind, "crash" | "exit"))
            .is_some_and(|event| event.kind == "exit")
    }

    /// The failing event is the one at which the run stopped, or the return of the operation that has no place.
    fn failure(&mut self) {
        let violated = self.timeline.violated();
        let Some(failure) = &self.report.failure else {
            if violated.is_some() {
                self.say("a run that passed has a violation".to_owned());
            }
            return;
        };
        let Some(event) = failure.event else {
            if violated.is_some() {
                self.say("a failure of no event has a violation".to_owned());
            }
            return;
        };
        let Some(violated) = violated else {
            return self.say("the violation is not in the trace".to_owned());
        };
        let nodes: Vec<u64> = failure.nodes.iter().map(|node| u64::from(*node)).collect();
        if (violated.event, Some(violated.at)) != (event, failure.time)
            || (&violated.nodes, &violated.entries, &violated.operations)
                != (&nodes, &failure.entries, &failure.operations)
        {
            self.say(format!("{violated:?} is not {failure:?}"));
        }
        let last = self.seen.looks.last().expect("a run has steps");
        let of_clients = failure.property == squall::run::LINEARIZABLE;
        let at_rest = failure.signature == "committed-durable/copies-lost";
        if of_clients || at_rest {
            return;
        }
        if (last.seq, last.time) != (event, violated.at) {
            self.say(format!("the run stopped at {} and not at {event}: {failure}", last.seq));
        }
        let node = last.node.as_ref().map(|(node, _)| *node as u32);
        if node != failure.node || failure.nodes.first().copied() != node {
            self.say(format!(
                "the run stopped at a step of {node:?} and not of {:?}",
                failure.node
            ));
        }
    }

    /// What each node was at the latest when an event was over.
    fn nodes_at(&self, until: u64) -> Vec<Option<&Held>> {
        let mut nodes: Vec<Option<&Held>> = vec![None; self.timeline.nodes()];
        let mut open = vec![false; nodes.len()];
        for look in self.seen.looks.iter().rev().skip_while(|look| look.seq > until) {
            let Some((node, held)) = &look.node else { continue };
            if look.crashed && nodes[*node].is_none() {
                open[*node] = true;
            }
            if let (Some(held), None) = (held, nodes[*node]) {
                nodes[*node] = Some(held);
            }
        }
        // Who panicked was in the middle of something: of that no look was taken.
        let panicked = self
            .report
            .failure
            .as_ref()
            .is_some_and(|failure| failure.kind == FailureKind::Panic);
        let last = self.timeline.events.iter().rev().find_map(|event| event.node);
        if let Some(node) = last.filter(|_| panicked) {
            open[usize::from(node)] = true;
        }
        nodes
            .into_iter()
            .zip(open)
            .map(|(held, open)| held.filter(|_| !open))
            .collect()
    }

    /// `explain` of the failure or the end, or of the event of a look.
    fn explained(&mut self, look: Option<&Look>) {
        let question = Question {
            at: look.map(|look| look.until),
            last: 3,
        };
        let Ok(told) = explain::explain(self.timeline, question) else {
            return;
        };
        let failed_at = self.report.failure.as_ref().and_then(|failure| failure.event);
        let Some(moment) = &told.moment else {
            return self.say("no moment is explained".to_owned());
        };
        if look.is_none()
            && let (Some(failure), Some(event)) = (&self.report.failure, failed_at)
        {
            let at = moment.t;
            if Some(at) != failure.time || moment.seq > event {
                self.say(format!("event {} is explained, and {failure} failed", moment.seq));
            }
            if let Some(node) = failure.node
                && failure.signature != "committed-durable/copies-lost"
                && (moment.place != format!("n{node}") || moment.seq != event)
            {
                self.say(format!(
                    "#{} {} is explained, and {failure} failed",
                    moment.seq, moment.place
                ));
            }
            if let Ok((chain, _)) = explain::why(self.timeline, event)
                && chain.last().map(|last| last.seq) != Some(moment.seq)
            {
                self.say(format!("--why ends at {:?}, the story at {}", chain.last(), moment.seq));
            }
        }
        let until = match (look, failed_at) {
            (Some(look), _) => look.seq,
            (None, Some(event)) => event,
            (None, None) => u64::MAX,
        };
        self.explained_nodes(&told, until);
    }

    fn explained_nodes(&mut self, told: &Explanation, until: u64) {
        let held = self.nodes_at(until);
        let mut wrong = Vec::new();
        for (node, (said, held)) in told.nodes.iter().zip(&held).enumerate() {
            let Some(held) = held else { continue };
            // Who was paused goes on when all faults end, and that is no step of its own; each step and the faults tell of pauses.
            let said = Said {
                paused: held.paused,
                ..Said::of(said)
            };
            let found = said.against(held);
            wrong.extend(
                found
                    .into_iter()
                    .map(|what| format!("explain at {until}, n{node}: {what}")),
            );
        }
        let leaders: BTreeSet<String> = (0..held.len())
            .filter(|node| {
                held[*node]
                    .and_then(|held| held.core.as_ref())
                    .is_some_and(|core| core.role == "leader")
            })
            .map(|node| format!("n{node}"))
            .collect();
        for remark in &told.remarks {
            if remark == "nobody leads" || remark.contains(" leads") || remark.contains(" nodes lead: ") {
                let said: BTreeSet<String> = remark
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .filter(|word| word.strip_prefix('n').is_some_and(|rest| rest.parse::<u16>().is_ok()))
                    .map(str::to_owned)
                    .collect();
                if said != leaders && held.iter().all(Option::is_some) {
                    wrong.push(format!("explain at {until}: {remark:?}, and {leaders:?} lead"));
                }
            }
            if remark.contains(" of term ") && remark.contains("entry") {
                if self.report.failure.is_none() {
                    wrong.push(format!("a divergence of a run that passed: {remark}"));
                } else if let Some(what) = differs(remark, &held) {
                    wrong.push(what);
                }
            }
        }
        wrong.into_iter().for_each(|what| self.say(what));
    }

    /// The page: each node where it opens, and what it says of the clients.
    fn page(&mut self, trace: &Trace) {
        let page = view::page(trace, view::SIZE_MAX);
        let data = page_data(&page.html);
        let mut wrong = Vec::new();
        let whole = page.shown == page.events;
        let failed_at = self.report.failure.as_ref().and_then(|failure| failure.event);
        if let Some(focus) = data["focus"].as_u64().filter(|_| whole) {
            let event = self.timeline.events[focus as usize];
            let until = failed_at.unwrap_or(u64::MAX);
            let judged = failed_at.is_none_or(|at| event.seq >= at);
            // A failure that is no event's leaves the page to open at the end.
            let is_timed = failed_at.is_some();
            let time = self.report.failure.as_ref().and_then(|failure| failure.time);
            if is_timed && (!judged || Some(event.t) != time) {
                wrong.push(format!(
                    "the page opens at {}, and the run failed at {failed_at:?}",
                    event.seq
                ));
            }
            for (node, held) in self.nodes_at(until).into_iter().enumerate() {
                let (Some(held), Some(said)) = (held, Said::of_page(&data["lives"][node], focus)) else {
                    continue;
                };
                let said = Said {
                    paused: held.paused,
                    ..said
                };
                let found = said.against(held);
                wrong.extend(
                    found
                        .into_iter()
                        .map(|what| format!("page at {}, n{node}: {what}", event.seq)),
                );
            }
        }
        let refused = self
            .report
            .failure
            .as_ref()
            .is_some_and(|failure| failure.property == squall::run::LINEARIZABLE && failure.event.is_some());
        if refused == data["refusal"].is_null() {
            wrong.push(format!(
                "the page shows {}, and the run's verdict is {refused}",
                data["refusal"]
            ));
        }
        let verdict = data["linearizability"].as_str().unwrap_or_default();
        if self.report.failure.is_none() && !verdict.is_empty() && !verdict.ends_with(": linearizable") {
            wrong.push(format!("a run that passed is {verdict}"));
        }
        wrong.into_iter().for_each(|what| self.say(what));
    }

    /// Perfetto's counters, and the history as Jepsen's.
    fn exported(&mut self, trace: &Trace) {
        let written = |format| {
            let mut out = Vec::new();
            export::write(trace, format, None, &mut out).map(|()| String::from_utf8(out).expect("text"))
        };
        let perfetto: Value = serde_json::from_str(&written(Format::Perfetto).expect("it is written")).expect("JSON");
        let mut wrong = Vec::new();
        let (mut at, mut last) = (0_usize, vec![None; self.timeline.nodes()]);
        for event in perfetto["traceEvents"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|event| event["ph"] == "C")
        {
            let node = event["pid"].as_u64().unwrap_or(1) as usize - 1;
            last[node] = Some((event["args"]["term"].as_u64(), event["args"]["commit"].as_u64()));
            at += 1;
        }
        for (node, held) in self.nodes_at(u64::MAX).into_iter().enumerate() {
            let core = held.and_then(|held| held.core.as_ref());
            if let (Some(core), Some(said)) = (core, last[node])
                && said != (Some(core.term), Some(core.commit))
            {
                wrong.push(format!(
                    "perfetto's last counter of n{node} of {at} is {said:?}, it was {} and {}",
                    core.term, core.commit
                ));
            }
        }
        let mermaid = written(Format::Mermaid).expect("it is written");
        let shows = mermaid.contains(": VIOLATION ");
        let of_node = self
            .report
            .failure
            .as_ref()
            .is_some_and(|failure| failure.node.is_some());
        if shows != of_node {
            wrong.push(format!(
                "mermaid shows a violation: {shows}, there is one of a node: {of_node}"
            ));
        }
        wrong.into_iter().for_each(|what| self.say(what));
    }
}

/// What is said of a node.
#[derive(Debug)]
struct Said {
    stand: String,
    paused: bool,
    term: u64,
    vote: Option<u64>,
    commit: u64,
    applied: u64,
    last: u64,
    snapshot: Option<u64>,
    /// Terms with the last index of each, ascending; term 0 for what nobody knows.
    spans: Vec<(u64, u64)>,
    /// Of the entries before this one nothing is said.
    from: u64,
}

impl Said {
    fn of(said: &NodeThen) -> Self {
        Self {
            stand: said.stand.to_owned(),
            paused: said.paused,
            term: said.term,
            vote: said.vote,
            commit: said.commit,
            applied: said.applied,
            last: said.last,
            snapshot: None,
            spans: said.log.iter().map(|(term, _, last)| (*term, *last)).collect(),
            from: said.log.first().map_or(u64::MAX, |(_, first, _)| *first),
        }
    }

    /// As the page shows it at a row.
    fn of_page(life: &Value, row: u64) -> Option<Self> {
        const STANDS: [&str; 6] = ["absent", "follower", "pre-candidate", "candidate", "leader", "crashed"];
        let rows = life["row"].as_array()?;
        let at = rows
            .iter()
            .rposition(|from| from.as_u64().is_some_and(|from| from <= row))?;
        let number = |column: &str| life[column][at].as_u64();
        let logs = life["logs"].as_array()?;
        let log = logs
            .iter()
            .rev()
            .find(|log| log[0].as_u64().is_some_and(|from| from <= row));
        let spans = log.and_then(|log| log[1].as_array()).into_iter().flatten();
        let spans: Vec<(u64, u64)> = spans
            .filter_map(|span| Some((span[0].as_u64()?, span[1].as_u64()?)))
            .collect();
        Some(Self {
            stand: (*STANDS.get(number("stand")? as usize)?).to_owned(),
            paused: number("paused")? == 1,
            term: number("term")?,
            vote: number("vote"),
            commit: number("commit")?,
            applied: number("applied")?,
            last: number("last")?,
            snapshot: number("snapshot"),
            spans,
            from: 1,
        })
    }

    fn term_at(&self, index: u64) -> Option<u64> {
        self.spans
            .iter()
            .find(|(_, last)| index <= *last)
            .map(|(term, _)| *term)
            .filter(|term| *term > 0)
    }

    /// What is wrong with it.
    fn against(&self, held: &Held) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.paused != held.paused {
            wrong.push(format!("paused {} is {}", self.paused, held.paused));
        }
        let Some(core) = &held.core else {
            if self.stand != "crashed" && self.stand != "absent" {
                wrong.push(format!("it is a {}, and down", self.stand));
            }
            return wrong;
        };
        let mut same = |what: &str, said: &dyn std::fmt::Debug, is: &dyn std::fmt::Debug| {
            let (said, is) = (format!("{said:?}"), format!("{is:?}"));
            if said != is {
                wrong.push(format!("{what} {said} is {is}"));
            }
        };
        same("role", &self.stand, &core.role);
        same("term", &self.term, &core.term);
        same("vote", &self.vote, &core.vote);
        same("commit", &self.commit, &core.commit);
        same("applied", &self.applied, &core.applied);
        same("last entry", &self.last, &core.last());
        if let Some(snapshot) = self.snapshot {
            same("snapshot", &snapshot, &core.snapshot);
        }
        let ends = self.spans.last().map_or(core.last(), |(_, last)| *last);
        for index in self.from.min(core.last() + 1)..=core.last().max(ends) {
            let (said, is) = (self.term_at(index), core.term_at(index));
            if said != is {
                wrong.push(format!(
                    "entry {index} of term {said:?} is {is:?} ({:?} of {:?})",
                    self.spans, core.start
                ));
                break;
            }
        }
        wrong
    }
}

/// The links between nodes that a cut's words say are cut.
fn pairs(label: &str) -> Vec<(usize, usize)> {
    let (from, to, one_way) = match (label.split_once('∥'), label.split_once('⇥')) {
        (Some((from, to)), _) => (from, to, false),
        (None, Some((from, to))) => (from, to, true),
        (None, None) => return Vec::new(),
    };
    let nodes = |side: &str| -> Vec<usize> {
        side.split_whitespace()
            .filter_map(|word| word.strip_prefix('n')?.parse().ok())
            .collect()
    };
    let (from, to) = (nodes(from), nodes(to));
    let there = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
    let back = there.clone().filter(|_| !one_way).map(|(from, to)| (to, from));
    there.chain(back).filter(|(from, to)| from != to).collect()
}

/// Whether what is remarked of two logs is not so.
fn differs(remark: &str, held: &[Option<&Held>]) -> Option<String> {
    let words: Vec<&str> = remark.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let nodes: Vec<usize> = words
        .iter()
        .filter_map(|word| word.strip_prefix('n')?.parse().ok())
        .collect();
    let after = |name: &str| -> Vec<u64> {
        let pairs = words.windows(2).filter(|pair| pair[0] == name);
        pairs.filter_map(|pair| pair[1].parse().ok()).collect()
    };
    let (entry, terms) = (*after("entry").first()?, after("term"));
    let core = |node: usize| -> Option<&Core> { held.get(*nodes.get(node)?)?.as_ref()?.core.as_ref() };
    for (node, term) in terms.iter().enumerate() {
        if let Some(core) = core(node)
            && core.term_at(entry) != Some(*term)
        {
            return Some(format!(
                "{remark:?}: entry {entry} of the other is {:?}",
                core.term_at(entry)
            ));
        }
    }
    let committed = |node: usize| core(node).is_none_or(|core| core.commit >= entry);
    let both = !remark.contains("not committed");
    (committed(0) != both && core(0).is_some() || !committed(1)).then(|| format!("{remark:?} is not so"))
}

fn page_data(html: &str) -> Value {
    let between = |before: &str, after: &str| {
        html.split_once(before)
            .and_then(|(_, rest)| rest.split_once(after))
            .map(|(text, _)| text)
    };
    let base64: String = serde_json::from_str(between(r#"id="data">"#, "</script>").expect("data")).expect("a text");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&STANDARD.decode(base64).expect("base64")[..])
        .read_to_string(&mut text)
        .expect("gzip");
    serde_json::from_str(&text).expect("JSON")
}
