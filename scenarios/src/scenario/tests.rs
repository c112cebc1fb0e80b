//! Whole scenarios: what the defaults are, what overrides do, and that no text makes the reader panic. The wording of
//! errors is in `tests/`.

mod alternatives;
mod cluster;
mod contradictions;
mod errors;
mod faults;
mod removals;

use super::*;
use crate::raft_kv::{builtin, find};
use proptest::prelude::*;

/// Stand-ins for the lists that the rest of the project keeps.
pub(super) const KNOWN: Known = Known {
    system: "raft-kv",
    systems: |_| None,
    models: crate::raft_kv::MODELS,
    message_kinds: &crate::raft_kv::MESSAGE_KINDS,
    settings: &[],
    setting_names: &["name"],
    has_log_settings: true,
    client_connections: false,
    properties: &["election-safety", "log-matching", "linearizable"],
    fault_classes: &[
        "loss",
        "duplicate",
        "reorder",
        "delay-tail",
        "partition",
        "one-way-partition",
        "isolate-primary",
        "crash",
        "restart",
        "lost-write",
        "torn-write",
        "kept-write",
        "pause",
        "clock-offset",
        "clock-drift",
        "clock-step",
        "slow-sync",
        "reordered-write",
        "disk-stall",
        "sync-error",
        "disk-full",
        "lying-sync",
        "bit-rot",
        "unreadable-sector",
        "misdirected-write",
    ],
    situations: &crate::situations::Situation::NAMES,
    swarm_classes: &["crash", "loss"],
};

const HEAD: &str = "schema = \"squall-scenario/1\"\nname = \"mine\"\n";

fn read(text: &str) -> Scenario {
    parse("mine.toml", text, &[], &KNOWN).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn overridden(text: &str, overrides: &[(&str, &str)]) -> std::result::Result<Scenario, ScenarioError> {
    let overrides: Vec<_> = overrides
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    parse("mine.toml", text, &overrides, &KNOWN)
}

const MS: u64 = 1_000_000;

#[test]
fn two_lines_are_a_scenario_and_the_rest_is_default() {
    let scenario = read(HEAD);
    assert_eq!(scenario.cluster.nodes, Choice::one(3));
    assert_eq!(
        scenario.cluster.election,
        DurationRange {
            min_ns: 150 * MS,
            max_ns: 300 * MS
        }
    );
    assert_eq!(scenario.cluster.max_bytes_per_append, Choice::one(65_536));
    assert_eq!(
        scenario.time,
        Timing {
            chaos_ns: 20_000 * MS,
            settle_ns: 10_000 * MS,
            max_events: Timing::MAX_EVENTS,
            max_time_ns: Timing::MAX_TIME_NS,
        }
    );
    assert_eq!(scenario.network.tail_max_ns, 100 * MS);
    assert_eq!(scenario.disk.lost_ppm, 500_000);
    assert_eq!(scenario.workload.mix.total(), 10);
    assert_eq!(scenario.expect.properties, KNOWN.properties);
    assert_eq!(scenario.expect.fired, None);
    assert_eq!(scenario.about, "");
    assert!(scenario.faults.is_empty());
}

#[test]
fn lists_are_choices_and_one_value_is_a_choice_of_one() {
    let scenario = read(&format!(
        "{HEAD}[cluster]\nnodes = [5, 3, 3]\npre_vote = [true, false]\n"
    ));
    assert_eq!(scenario.cluster.nodes.options(), [5, 3, 3]);
    assert_eq!(scenario.cluster.nodes.pick(1), 3);
    assert_eq!(
        (scenario.cluster.nodes.smallest(), scenario.cluster.nodes.largest()),
        (3, 5)
    );
    assert_eq!(scenario.cluster.pre_vote.options(), [true, false]);
    assert_eq!(scenario.cluster.max_inflight.options(), [16]);
}

#[test]
fn each_kind_of_fault_is_read_with_its_settings() {
    let every = "every = \"2s..4s\"\n";
    let fault = |keys: &str| read(&format!("{HEAD}[[fault]]\n{every}{keys}")).faults[0].kind;
    let lasts = DurationRange {
        min_ns: 500 * MS,
        max_ns: 1_000 * MS,
    };
    let lasting = |keys: &str| fault(&format!("for = \"500ms..1s\"\n{keys}"));
    assert_eq!(
        lasting("kind = \"partition\"\nsplit = \"even\"\nclients = true"),
        FaultKind::Partition {
            lasts,
            split: Split::Even,
            clients: true
        }
    );
    assert_eq!(
        lasting("kind = \"isolate\"\ntarget = \"leader\""),
        FaultKind::Isolate {
            target: Target::Leader,
            lasts,
            clients: false,
            keeps: 0
        }
    );
    assert_eq!(
        lasting("kind = \"one-way\"\ntarget = \"n2\"\ndirection = \"in\""),
        FaultKind::OneWay {
            target: Target::Node(2),
            direction: Direction::In,
            lasts,
            clients: false
        }
    );
    assert_eq!(
        lasting("kind = \"crash\"\ntarget = \"backup\"\nmax_down = 2"),
        FaultKind::Crash {
            target: Target::Backup,
            lasts,
            max_down: Some(2)
        }
    );
    assert_eq!(
        lasting("kind = \"pause\""),
        FaultKind::Pause {
            target: Target::Any,
            lasts
        }
    );
    assert_eq!(
        fault("kind = \"clock-step\"\nby = \"-500ms..1s\""),
        FaultKind::ClockStep {
            target: Target::Any,
            by: OffsetRange {
                min_ns: -500_000_000,
                max_ns: 1_000_000_000
            }
        }
    );
    assert_eq!(
        lasting("kind = \"clock-drift\"\ndrift = \"500ppm\""),
        FaultKind::ClockDrift {
            target: Target::Any,
            drift_max_ppm: 500,
            lasts
        }
    );
    let gap = DurationRange { min_ns: 0, max_ns: 0 };
    assert_eq!(
        lasting("kind = \"rolling-restart\"\ngap = \"0ms\""),
        FaultKind::RollingRestart { lasts, gap }
    );
    assert_eq!(lasting("kind = \"power-loss\""), FaultKind::PowerLoss { lasts });
    assert_eq!(lasting("kind = \"cut-clients\""), FaultKind::CutClients { lasts });
}

#[test]
fn a_fault_waits_for_a_situation() {
    let fault = |keys: &str| {
        let text = format!("{HEAD}[[fault]]\nkind = \"crash\"\nfor = \"1s\"\n{keys}\n");
        parse("mine.toml", &text, &[], &KNOWN)
    };
    let read =
        fault("when = \"two-leaders\"\ntarget = \"observed\"\nprobability = \"5%\"\nafter = \"0ms..7ms\"\nlimit = 3");
    let read = read.unwrap().faults[0];
    let trigger = Trigger {
        situation: "two-leaders",
        probability_ppm: 50_000,
        after: DurationRange {
            min_ns: 0,
            max_ns: 7 * MS,
        },
        limit: 3,
    };
    assert_eq!(
        (read.when, read.kind.target()),
        (When::Reached(trigger), Some(Target::Observed))
    );
    let refused = |keys: &str| fault(keys).unwrap_err().to_string();
    for (keys, says) in [
        ("when = \"two-leader\"", "two-leaders"),
        ("when = \"two-leaders\"\nat = \"1s\"", "are both given"),
        ("at = \"1s\"\nlimit = 2", "belongs to `when`"),
        ("at = \"1s\"\ntarget = \"observed\"", "no situation is"),
    ] {
        assert!(refused(keys).contains(says), "{}", refused(keys));
    }
}

#[test]
fn a_fault_strikes_once_or_again_and_again() {
    let when = |key: &str| read(&format!("{HEAD}[[fault]]\nkind = \"power-loss\"\nfor = \"1s\"\n{key}")).faults[0].when;
    assert_eq!(when("at = \"3s\""), When::At { ns: 3_000 * MS });
    assert_eq!(
        when("every = \"1s\""),
        When::Every(DurationRange {
            min_ns: 1_000 * MS,
            max_ns: 1_000 * MS
        })
    );
}

#[test]
fn half_of_the_nodes_may_be_down_where_a_crash_does_not_say() {
    let max_down: Vec<u32> = (1..=7).map(|nodes| FaultKind::max_down_of(None, nodes)).collect();
    assert_eq!(max_down, [1, 1, 1, 2, 2, 3, 3]);
    assert_eq!(FaultKind::max_down_of(Some(5), 3), 5);
}

#[test]
fn overrides_replace_and_add() {
    let text = format!("{HEAD}[cluster]\nnodes = 3\n[[fault]]\nkind = \"crash\"\nevery = \"1s\"\nfor = \"1s\"\n");
    let scenario = overridden(
        &text,
        &[
            ("cluster.nodes", "[3, 5]"),
            ("cluster.nodes", "7"),
            ("fault.0.every", "2s..4s"),
            ("fault.0.target", "n6"),
            ("workload.sticky", "[true, false]"),
            ("workload.mix.read", "1"),
            ("network.loss", "\"1%\""),
        ],
    )
    .unwrap();
    assert_eq!(scenario.cluster.nodes, Choice::one(7));
    assert_eq!(
        scenario.faults[0].when,
        When::Every(DurationRange {
            min_ns: 2_000 * MS,
            max_ns: 4_000 * MS
        })
    );
    assert_eq!(scenario.faults[0].kind.target(), Some(Target::Node(6)));
    assert_eq!(scenario.workload.sticky.options(), [true, false]);
    assert_eq!(
        scenario.workload.mix,
        Mix {
            read: 1,
            write: 0,
            cas: 0,
            append: 0
        }
    );
    assert_eq!(scenario.network.loss_ppm, 10_000);
}

#[test]
fn every_builtin_scenario_is_valid_and_named_after_its_file() {
    assert!(builtin().len() >= 12);
    for builtin in builtin() {
        let scenario =
            parse(builtin.name, builtin.text, &[], &crate::raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name, builtin.name);
        assert_eq!(scenario.about, builtin.about);
        assert!(
            scenario.about.len() > 100,
            "{} says too little about itself",
            builtin.name
        );
        let chaos = scenario.time.chaos_ns / 1_000_000_000;
        // Clients that think for long make few events, so that such a scenario may last for minutes.
        let unhurried = scenario.workload.think.min_ns >= 100_000_000;
        let longest = if unhurried { 180 } else { 25 };
        // A swarm may draw many short runs instead.
        let shortest = if scenario.swarm.is_some() { 3 } else { 5 };
        assert!(
            (shortest..=longest).contains(&chaos),
            "{} lasts {chaos} s",
            builtin.name
        );
        // A fault that must fire in nearly every run strikes at least once even when its longest pause is drawn.
        for fault in &scenario.faults {
            let first = match fault.when {
                When::At { ns } => ns,
                When::Every(pause) => pause.max_ns,
                // How soon a situation comes about is not for the file to say.
                When::Reached(_) => 0,
            };
            let name = fault.kind.name();
            assert!(
                first * 10 <= scenario.time.chaos_ns * 6,
                "{}: {name} may strike too late",
                builtin.name
            );
            assert!(
                scenario.expect.fired.is_some(),
                "{} has faults and does not say which must fire",
                builtin.name
            );
        }
        if let Some(operator) = scenario.operator {
            assert!(
                operator.every.max_ns * 10 <= scenario.time.chaos_ns * 6,
                "{}: the first order may come too late",
                builtin.name
            );
        }
    }
}

#[test]
fn every_file_of_the_catalogue_is_built_in() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../systems/raft-kv/scenarios");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the catalogue can be read")
        .map(|entry| {
            entry
                .expect("an entry of the catalogue")
                .file_name()
                .into_string()
                .expect("a plain name")
        })
        .collect();
    files.sort();
    let mut names: Vec<String> = builtin()
        .iter()
        .map(|builtin| format!("{}.toml", builtin.name))
        .collect();
    names.sort();
    assert_eq!(files, names);
}

#[test]
fn a_builtin_is_found_by_name_and_a_typo_is_understood() {
    assert_eq!(find("storm").map(|builtin| builtin.name), Ok("storm"));
    let error = find("lossy-netwrok").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no built-in scenario is called \"lossy-netwrok\": did you mean \"lossy-network\"?; \
         `squall list scenarios` shows them all, and a path that ends in .toml names a file"
    );
    assert_eq!(find("hurricane-of-the-century").unwrap_err().nearest, None);
}

#[test]
fn a_written_scenario_reads_back() {
    for builtin in builtin() {
        let scenario = parse(builtin.name, builtin.text, &[], &crate::raft_kv::known()).unwrap();
        let text = scenario.to_toml();
        let again = parse("written", &text, &[], &crate::raft_kv::known()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again, scenario, "{text}");
        assert_eq!(again.to_toml(), text);
    }
}

/// A file of the catalogue with a few stretches replaced by scraps of the format.
fn mutated() -> impl Strategy<Value = String> {
    let scrap = prop_oneof![
        "[a-z_.=\\[\\]{}\"'0-9 \n-]{0,12}",
        prop::sample::select(vec![
            "= []",
            "[[fault]]",
            "[cluster]",
            "\"1ms..10ms\"",
            "-9223372036854775808",
            "99999999999999999999",
            "true",
            "\"\u{b5}s\"",
            "= {}",
            "\n",
            "\u{0}",
            "\"n99999999999\"",
            "1.5",
            "[[[[",
            "2s..1s",
            "\"off\"",
            "[operator]",
            "lease = \"2%\"\n",
            "\nspares = 4\n",
            "\"-5%\"",
        ])
        .prop_map(str::to_owned),
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0_usize..20, scrap), 1..4);
    (
        prop::sample::select(builtin().iter().map(|builtin| builtin.text).collect::<Vec<_>>()),
        edits,
    )
        .prop_map(|(text, edits)| {
            let mut characters: Vec<char> = text.chars().collect();
            for (place, removed, scrap) in edits {
                let start = place.index(characters.len() + 1);
                let end = (start + removed).min(characters.len());
                characters.splice(start..end, scrap.chars());
            }
            characters.into_iter().collect()
        })
}

/// Reads, renders the error, and holds what can be said of every outcome.
fn survives(text: &str, overrides: &[(String, String)]) {
    match parse("any.toml", text, overrides, &KNOWN) {
        Ok(scenario) => {
            let again = parse("written", &scenario.to_toml(), &[], &KNOWN);
            assert_eq!(again.unwrap_or_else(|error| panic!("{error}")), scenario);
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.starts_with("any.toml"), "{message}");
            assert!(message.contains("\n"), "{message}");
            assert!(message.len() < 4_000, "{message}");
            if let Place::Text {
                line,
                column,
                byte,
                indent,
                width,
                ..
            } = error.place()
            {
                assert!(*line >= 1 && *column > *indent && *byte <= text.len() && *width >= 1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        survives(&text, &[]);
    }

    #[test]
    fn a_mutated_file_never_panics_and_what_is_accepted_reads_back(text in mutated()) {
        survives(&text, &[]);
    }

    #[test]
    fn arbitrary_overrides_never_panic(
        path in prop_oneof!["[a-z0-9_.]{0,20}", "(cluster|fault|workload|network|operator)(\\.[0-9])?\\.(nodes|spares|lease|quiesce|every|mix|mix\\.(read|change)|latency|kind)"],
        value in prop_oneof![any::<String>(), "[0-9a-z.\\[\\]{}\", -]{0,12}"],
    ) {
        survives(find("storm").unwrap().text, &[(path, value)]);
    }
}

#[test]
fn nesting_without_end_is_refused() {
    for text in [
        "[".repeat(20_000),
        format!("x = {}", "[".repeat(20_000)),
        "a.".repeat(20_000),
        "x={y=".repeat(20_000),
    ] {
        survives(&text, &[]);
        survives(HEAD, &[("cluster".to_owned(), text.clone()), ("a".repeat(10), text)]);
    }
    survives(HEAD, &[("a.".repeat(20_000) + "a", "1".to_owned())]);
}
