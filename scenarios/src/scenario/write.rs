//! From a [`Scenario`] back to a file: every key with its value, so that the text stands without the defaults.

use super::alternatives::Alternatives;
use super::links;
use super::quantity::{DURATION, Family, RATIO, SIZE, format, format_range};
use super::rate::Expected;
use super::read::{CLIENT_LINKS, DAMAGES, LASTINGS, MODELS, VERDICTS};
use super::read_cluster::CODECS;
use super::spec::{Choice, DurationRange, Operator, Order, Scenario, ScriptedOrder, Timing};
use super::write_fault::write_fault;
use super::{OFF, SCHEMA, setting};
use std::fmt::{Display, Write};

impl Scenario {
    /// The scenario as a file that [`parse`](super::parse) reads back to an equal value. Comments of the file that it came
    /// from are gone, and defaults are spelled out.
    pub fn to_toml(&self) -> String {
        let mut out = Writer::new(&self.alternatives);
        out.text("schema", SCHEMA);
        out.text("name", &self.name);
        out.text("about", &self.about);
        out.section("[system]");
        out.text(setting::NAME, self.known.system);
        for (_, setting, value) in self.settings.each(&self.known) {
            out.raw(setting.name, setting.written(value));
        }
        self.write_world(&mut out);
        self.write_workload(&mut out);
        let header = if self.orders.is_empty() {
            "[operator]"
        } else {
            "[[operator]]"
        };
        if let Some(operator) = &self.operator {
            write_operator(&mut out, header, operator);
        }
        self.orders.iter().for_each(|order| write_order(&mut out, order));
        for fault in &self.faults {
            write_fault(&mut out, fault);
        }
        out.section("[recovery]");
        out.text("lasting", word(&LASTINGS, &self.recovery.lasting));
        out.raw("elect", self.recovery.elect);
        out.raw("converge", self.recovery.converge);
        out.raw("serve", self.recovery.serve);
        out.raw("durable", self.recovery.durable);
        if let Some(swarm) = &self.swarm {
            out.section("[swarm]");
            out.ratio("share", swarm.share_ppm);
            if let Some(classes) = &swarm.classes {
                out.texts("classes", classes);
            }
        }
        out.section("[expect]");
        out.texts("properties", &self.expect.properties);
        if let Some(fired) = &self.expect.fired {
            out.expected("fired", fired);
        }
        out.expected("reach", &self.expect.reach);
        if !self.expect.never.is_empty() {
            out.texts("never", &self.expect.never);
            out.duration("never_from", self.expect.never_from_ns);
        }
        out.text("verdict", word(&VERDICTS, &self.expect.verdict));
        out.raw("online", self.expect.online);
        out.text
    }

    fn write_world(&self, out: &mut Writer<'_>) {
        let Self {
            cluster,
            time,
            network,
            disk,
            clock,
            ..
        } = self;
        out.section("[cluster]");
        out.choice("nodes", &cluster.nodes, u32::to_string);
        out.choice("spares", &cluster.spares, u32::to_string);
        if self.known.has_log_settings {
            out.choice("pre_vote", &cluster.pre_vote, bool::to_string);
            out.choice("check_quorum", &cluster.check_quorum, bool::to_string);
            out.choice("lease", &cluster.lease_drift_ppm, |ppm| or_off(&RATIO, *ppm));
            out.choice("priorities", &cluster.priorities, bool::to_string);
            out.choice("quiesce", &cluster.quiesce_ns, |ns| or_off(&DURATION, *ns));
            out.choice("follower_reads", &cluster.follower_reads, bool::to_string);
        }
        out.durations("election", cluster.election);
        out.duration("heartbeat", cluster.heartbeat_ns);
        if self.known.has_log_settings {
            out.choice(
                "max_entries_per_append",
                &cluster.max_entries_per_append,
                u32::to_string,
            );
            out.choice("max_bytes_per_append", &cluster.max_bytes_per_append, size);
            out.choice("max_inflight", &cluster.max_inflight, u32::to_string);
            out.choice("snapshot_threshold", &cluster.snapshot_threshold, u32::to_string);
            out.choice("snapshot_tail", &cluster.snapshot_tail, u32::to_string);
            out.choice("snapshot_chunk", &cluster.snapshot_chunk_bytes, size);
        }
        out.durations("apply", cluster.apply);
        if self.known.has_log_settings {
            out.choice("codec", &cluster.codec, |codec| quoted(word(&CODECS, codec)));
        }
        out.section("[time]");
        out.duration("chaos", time.chaos_ns);
        out.duration("settle", time.settle_ns);
        if time.max_events != Timing::MAX_EVENTS {
            out.raw("max_events", time.max_events);
        }
        if time.max_time_ns != Timing::MAX_TIME_NS {
            out.duration("max_time", time.max_time_ns);
        }
        out.section("[network]");
        out.durations("latency", network.latency);
        out.ratio("tail", network.tail_ppm);
        out.duration("tail_max", network.tail_max_ns);
        out.ratio("loss", network.loss_ppm);
        out.ratio("duplicate", network.duplicate_ppm);
        out.duration("duplicate_delay", network.duplicate_delay_ns);
        out.ratio("reorder", network.reorder_ppm);
        out.duration("reorder_delay", network.reorder_delay_ns);
        out.durations("client_latency", network.client_latency);
        out.text("clients", word(&CLIENT_LINKS, &network.client_connections));
        links::write(out, &network.links);
        out.section("[disk]");
        out.durations("sync", disk.sync);
        out.ratio("slow", disk.slow_ppm);
        out.duration("slow_max", disk.slow_max_ns);
        out.ratio("lost", disk.lost_ppm);
        out.ratio("torn", disk.torn_ppm);
        out.ratio("reorder", disk.reorder_ppm);
        out.ratio("error", disk.error_ppm);
        out.duration("rot_age", disk.rot_age_ns);
        out.raw("distrust", disk.distrust);
        out.section("[budget]");
        out.text("damage", word(&DAMAGES, &self.budget.damage));
        out.section("[clock]");
        out.duration("offset", clock.offset_max_ns);
        out.ratio("drift", clock.drift_max_ppm);
    }

    fn write_workload(&self, out: &mut Writer<'_>) {
        let workload = &self.workload;
        out.section("[workload]");
        out.text("model", word(&MODELS, &workload.model));
        out.choice("clients", &workload.clients, u32::to_string);
        out.choice("keys", &workload.keys, u32::to_string);
        let texts = workload.model.is_of_texts();
        let mix = workload.mix;
        if texts {
            let weights = [
                ("read", mix.read),
                ("write", mix.write),
                ("cas", mix.cas),
                ("append", mix.append),
            ];
            out.weights("mix", &weights);
        }
        out.durations("think", workload.think);
        out.duration("timeout", workload.timeout_ns);
        out.choice("operations", &workload.operations, u32::to_string);
        if texts {
            out.choice("value_bytes", &workload.value_bytes, size);
        }
        out.choice("sticky", &workload.sticky, bool::to_string);
    }
}

fn write_operator(out: &mut Writer<'_>, header: &str, operator: &Operator) {
    let mix = operator.mix;
    let weights = [
        ("change", mix.change),
        ("replace", mix.replace),
        ("transfer", mix.transfer),
        ("campaign", mix.campaign),
        ("single", mix.single),
    ];
    out.section(header);
    out.durations("every", operator.every);
    out.weights("mix", &weights);
    out.raw("min_voters", operator.min_voters);
    out.duration("timeout", operator.timeout_ns);
}

fn write_order(out: &mut Writer<'_>, scripted: &ScriptedOrder) {
    let name = |node: &u16| format!("n{node}");
    let names = |nodes: &[u16]| nodes.iter().map(name).collect::<Vec<_>>();
    out.section("[[operator]]");
    out.duration("at", scripted.at_ns);
    match &scripted.order {
        Order::Add(node) => out.text("add", &name(node)),
        Order::AddLearner(node) => out.text("add_learner", &name(node)),
        Order::Remove(node) => out.text("remove", &name(node)),
        Order::Transfer(node) => out.text("transfer", &name(node)),
        Order::Campaign(node) => out.text("campaign", &name(node)),
        Order::Members { voters, learners } => {
            out.texts("members", &names(voters));
            out.texts("learners", &names(learners));
        }
    }
    out.duration("timeout", scripted.timeout_ns);
}

pub(super) struct Writer<'a> {
    text: String,
    /// What precedes the keys of the section in a path: `network.`, `fault.0.`.
    prefix: String,
    /// The header of the last section that may come several times, and how many of it there were.
    repeated: (String, usize),
    alternatives: &'a [Alternatives],
}

impl<'a> Writer<'a> {
    fn new(alternatives: &'a [Alternatives]) -> Self {
        Self {
            text: String::new(),
            prefix: String::new(),
            repeated: (String::new(), 0),
            alternatives,
        }
    }

    pub(super) fn section(&mut self, header: &str) {
        let name = header.trim_matches(['[', ']']);
        self.prefix = if header.starts_with("[[") {
            if self.repeated.0 != name {
                self.repeated = (name.to_owned(), 0);
            }
            self.repeated.1 += 1;
            format!("{name}.{}.", self.repeated.1 - 1)
        } else {
            format!("{name}.")
        };
        writeln!(self.text, "\n{header}").expect("writing to a string succeeds");
    }

    /// Writes a value, or the list that stands for it.
    pub(super) fn raw(&mut self, key: &str, value: impl Display) {
        let value = self.value(key, value);
        writeln!(self.text, "{key} = {value}").expect("writing to a string succeeds");
    }

    /// The value of a key of this section as it is written.
    fn value(&self, key: &str, value: impl Display) -> String {
        let is_it = |setting: &&Alternatives| setting.path.strip_prefix(&self.prefix) == Some(key);
        match self.alternatives.iter().find(is_it) {
            Some(setting) => format!("[{}]", setting.options.join(", ")),
            None => value.to_string(),
        }
    }

    /// Writes a table of weights in one line.
    fn weights(&mut self, key: &str, weights: &[(&str, u32)]) {
        let weight =
            |(name, weight): &(&str, u32)| format!("{name} = {}", self.value(&format!("{key}.{name}"), weight));
        let weights: Vec<String> = weights.iter().map(weight).collect();
        self.raw(key, format!("{{ {} }}", weights.join(", ")));
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.raw(key, quoted(value));
    }

    pub(super) fn texts(&mut self, key: &str, values: &[String]) {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        self.raw(key, format!("[{}]", values.join(", ")));
    }

    fn expected(&mut self, key: &str, all: &[Expected]) {
        let one = |expected: &Expected| match expected.rate {
            None => quoted(&expected.name),
            Some(rate) => format!("{{ name = {}, rate = \"{rate}\" }}", quoted(&expected.name)),
        };
        let all: Vec<String> = all.iter().map(one).collect();
        self.raw(key, format!("[{}]", all.join(", ")));
    }

    pub(super) fn duration(&mut self, key: &str, ns: u64) {
        self.text(key, &format(&DURATION, ns.into()));
    }

    pub(super) fn durations(&mut self, key: &str, range: DurationRange) {
        self.text(key, &format_range(&DURATION, range.min_ns.into(), range.max_ns.into()));
    }

    pub(super) fn ratio(&mut self, key: &str, ppm: u32) {
        self.text(key, &format(&RATIO, ppm.into()));
    }

    pub(super) fn size_or_off(&mut self, key: &str, bytes: Option<u64>) {
        self.raw(key, or_off(&SIZE, bytes));
    }

    pub(super) fn choice<T: Copy + Ord>(&mut self, key: &str, choice: &Choice<T>, format: impl Fn(&T) -> String) {
        let options: Vec<String> = choice.options().iter().map(format).collect();
        match &options[..] {
            [single] => self.raw(key, single),
            options => self.raw(key, format!("[{}]", options.join(", "))),
        }
    }
}

pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn size(bytes: &u64) -> String {
    quoted(&format(&SIZE, (*bytes).into()))
}

fn or_off<T: Into<i128>>(family: &'static Family, value: Option<T>) -> String {
    quoted(&value.map_or_else(|| OFF.to_owned(), |value| format(family, value.into())))
}

/// The word that stands for `meaning`.
pub(super) fn word<T: PartialEq>(words: &[(&'static str, T)], meaning: &T) -> &'static str {
    words
        .iter()
        .find(|(_, other)| other == meaning)
        .map(|(word, _)| *word)
        .expect("every meaning has its word")
}
