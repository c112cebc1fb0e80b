use super::{BINARY, command, folder, squall};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const TWO: [&str; 6] = ["sweep", "calm", "storm", "--seeds", "0..20", "--quiet"];

fn without_time(mut json: Value) -> Value {
    let time = json["time"].take();
    assert!(
        time["cpu_ms"].as_u64().is_some() && time["wall_ms"].as_u64().is_some(),
        "{time}"
    );
    json
}

/// Carries out a line that was printed, as a shell would.
fn shell(line: &str) -> super::Called {
    let bin = Path::new(BINARY).parent().unwrap();
    let script = r#"PATH="$0:$PATH"; export PATH; eval "$1""#;
    Command::new("sh")
        .args(["-c", script])
        .arg(bin)
        .arg(line)
        .output()
        .unwrap()
        .into()
}

#[test]
fn the_report_is_the_same_for_any_number_of_threads() {
    let out = folder("threads");
    let sweep = |jobs: &str, more: &[&str]| {
        let args = [&TWO[..], &["-j", jobs, "--format", "json", "--bug", "E7"], more].concat();
        let called = command().args(args).arg("--out").arg(&out).output().unwrap();
        let called = super::Called::from(called);
        assert_eq!(called.code, Some(100), "{called:?}");
        without_time(called.json())
    };
    for more in [&["--max-fail", "0"][..], &["--max-fail", "2"], &[]] {
        assert_eq!(sweep("1", more), sweep("2", more), "{more:?}");
    }
}

#[test]
fn a_sweep_without_failures_counts_and_passes() {
    let sweep = squall(&[&TWO[..], &["--format", "json", "--verify-determinism", "1/7"]].concat());
    assert_eq!(sweep.code, Some(0), "{sweep:?}");
    assert_eq!(sweep.err, "", "quiet");
    let json = sweep.json();
    assert_eq!(
        (&json["verdict"], &json["failures"]),
        (&"pass".into(), &Value::Array(Vec::new()))
    );
    assert_eq!(
        (&json["total"]["runs"], &json["total"]["verified"]),
        (&40.into(), &6.into())
    );
    assert_eq!(json["scenarios"][0]["name"], "calm");
    assert!(json["scenarios"][1]["faults"]["crash"].as_u64().unwrap() > 20);
    let text = squall(&TWO).out;
    assert!(
        text.contains("Fault classes") && text.contains("runs and ") && text.ends_with("PASS 40 runs\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn a_planted_bug_is_found_grouped_kept_and_replayed_by_the_printed_line() {
    let out = folder("bug");
    let out_text = out.to_str().unwrap();
    let args = ["--bug", "E7", "--max-fail", "0", "--format", "json", "--out", out_text];
    let sweep = squall(&[&TWO[..], &args].concat());
    assert_eq!(sweep.code, Some(100), "{sweep:?}");
    let json = sweep.json();
    let groups = json["failures"].as_array().unwrap();
    let counted: u64 = groups.iter().map(|group| group["count"].as_u64().unwrap()).sum();
    assert_eq!(json["total"]["failed"], counted);
    assert!(
        counted > groups.len() as u64,
        "several runs share a signature: {groups:?}"
    );

    for group in groups {
        let signature = group["signature"].as_str().unwrap();
        let artefacts = out.join("failures").join(signature.replace('/', "--"));
        assert_eq!(group["artefacts"], artefacts.to_str().unwrap());
        let summary = std::fs::read_to_string(artefacts.join("summary.md")).unwrap();
        let page = std::fs::read_to_string(artefacts.join("view.html")).unwrap();
        assert!(
            page.contains(&format!("verdict   {signature}\n")),
            "the page is of this failure"
        );
        let replay = group["replay"].as_str().unwrap();
        assert!(summary.contains(signature) && summary.contains(replay), "{summary}");
        assert!(summary.contains("ended in the same way"), "{summary}");

        let again = shell(replay);
        assert_eq!(again.code, Some(100), "{again:?}");
        assert!(again.out.contains(&format!("  {signature}  ")), "{again:?}");
        let again = squall(&["replay", artefacts.join("trace.jsonl.zst").to_str().unwrap()]);
        assert_eq!(again.code, Some(100), "{again:?}");
        assert!(again.out.contains("comparison  same"), "{again:?}");
        let history = squall(&[
            "check",
            artefacts.join("history.jsonl").to_str().unwrap(),
            "--model",
            "kv",
        ]);
        assert!(matches!(history.code, Some(0 | 100)), "{history:?}");
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(kept, json);
}

#[test]
fn a_sweep_stops_at_the_first_signature() {
    let out = folder("stops");
    let args = ["--bug", "E7", "--format", "json", "--out", out.to_str().unwrap()];
    let json = squall(&[&TWO[..], &args].concat()).json();
    assert_eq!(
        (&json["stopped_early"], json["failures"].as_array().unwrap().len()),
        (&true.into(), 1)
    );
}

#[test]
fn what_is_expected_and_never_comes_about_is_inconclusive_once_it_is_no_accident() {
    let out = folder("never-reached");
    let sweep = |seeds| {
        let args = [
            "sweep",
            "calm",
            "--set",
            "cluster.nodes=1",
            "--set",
            "expect.reach=[{ name = \"two-candidates\", rate = \"1/2\" }]",
            "--seeds",
            seeds,
            "--out",
            out.to_str().unwrap(),
        ];
        squall(&args)
    };
    let few = sweep("0..19");
    assert_eq!(few.code, Some(0), "too few runs to tell");
    assert!(
        few.out
            .contains("two-candidates did not come about in 19 runs; 20 runs would tell"),
        "{}",
        few.out
    );
    assert!(few.out.contains("PASS 19 runs; thin coverage: 1 thing"), "{}", few.out);
    let silent = sweep("0..20");
    assert_eq!(silent.code, Some(98), "{silent:?}");
    assert!(
        silent.out.contains("situation-never-reached/two-candidates"),
        "{}",
        silent.out
    );
    assert!(
        !silent.out.contains("FAIL 0 of"),
        "the headline says why: {}",
        silent.out
    );
    assert!(
        silent.out.contains("FAIL 1 thing that must come about never did"),
        "{}",
        silent.out
    );
    assert!(
        silent
            .out
            .lines()
            .any(|line| line.starts_with("two-candidates") && line.ends_with('!')),
        "{}",
        silent.out
    );
}

#[test]
fn what_can_have_no_effect_is_warned_of_in_its_place_and_fails_a_sweep() {
    let text = "schema = \"squall-scenario/1\"\nname = \"torn\"\n[disk]\ntorn = \"20%\"\n[time]\nchaos = \"200ms\"\n";
    let path = super::file("idle", "torn.toml", text);
    let run = squall(&["run", &path, "--seed", "1"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.err.contains(":4:8: `disk.torn` can have no effect"), "{}", run.err);
    let sweep = squall(&[
        "sweep",
        &path,
        "--seeds",
        "0..2",
        "--out",
        folder("idle-sweep").to_str().unwrap(),
    ]);
    assert_eq!(sweep.code, Some(98), "{sweep:?}");
    assert!(sweep.out.contains("fault-never-fired/torn-write"), "{}", sweep.out);
}

#[test]
fn a_time_limit_ends_a_sweep_that_has_no_end() {
    // Should the limit not hold, `timeout` ends what would run for ever.
    let args = ["20", BINARY, "sweep", "--time", "300ms", "--format", "json"];
    let sweep = super::Called::from(Command::new("timeout").args(args).output().unwrap());
    assert_eq!(sweep.code, Some(0), "{sweep:?}");
    let json = sweep.json();
    let runs = |index: usize| json["scenarios"][index]["runs"].as_u64().unwrap();
    assert!(runs(0) > 0 && runs(0) - runs(11) <= 1, "scenarios take turns: {json}");
}

#[test]
fn an_interruption_keeps_what_was_found() {
    let out = folder("interrupted");
    let script = r#""$0" sweep calm --time 60s --out "$1" --format json & pid=$!
        until [ -e "$1/journal.jsonl" ]; do sleep 0.05; done
        kill -INT $pid; wait $pid"#;
    let output = Command::new("bash")
        .args(["-c", script, BINARY])
        .arg(&out)
        .output()
        .unwrap();
    let called = super::Called::from(output);
    assert_eq!(called.code, Some(130), "{called:?}");
    let json = called.json();
    assert_eq!(
        (&json["verdict"], &json["interrupted"]),
        (&"interrupted".into(), &true.into())
    );
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(kept, json);
}

/// Nothing in these faults is amiss when the file is read: in the first moments nobody leads, snapshots are taken long after the end, and
/// an operator who never hands the leadership over sends no such message.
const DEAD: &str = "\
schema = \"squall-scenario/1\"
name = \"dead\"
[cluster]
nodes = 3
snapshot_threshold = 100000
[time]
chaos = \"400ms\"
[workload]
clients = 1
keys = 1
[operator]
every = \"100ms\"
mix = { campaign = 1 }
[[fault]]
kind = \"pause\"
target = \"leader\"
at = \"1ms\"
for = \"10ms\"
[[fault]]
kind = \"hold\"
message = \"install-snapshot\"
every = \"100ms\"
for = \"50ms\"
[[fault]]
kind = \"clock-step\"
by = \"1ms..2ms\"
when = \"transfer-received\"
[[fault]]
kind = \"crash\"
target = \"any\"
every = \"50ms..100ms\"
for = \"20ms\"
";

#[test]
fn a_class_that_never_strikes_is_noticed_by_the_sweep_itself() {
    let path = super::file("dead", "dead.toml", DEAD);
    let out = folder("dead-sweep");
    let sweep = |seeds| {
        let args = ["sweep", &path, "--seeds", seeds, "--verify-determinism", "off"];
        squall(&[&args[..], &["--format", "json", "--out", out.to_str().unwrap()]].concat())
    };
    let few = sweep("0..131");
    assert_eq!(few.code, Some(0), "{few:?}");
    let missing = few.json()["thin_coverage"][0]["missing"].clone();
    let missing: Vec<String> = missing
        .as_array()
        .unwrap()
        .iter()
        .map(|missing| missing["what"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(missing, ["fault 0", "fault 1", "fault 2"]);
    let all = sweep("0..132");
    assert_eq!(all.code, Some(98), "{all:?}");
    let json = all.json();
    assert_eq!(json["total"]["failed"], 0, "no run failed by itself");
    let groups = json["failures"].as_array().unwrap();
    let signatures: Vec<&str> = groups
        .iter()
        .map(|group| group["signature"].as_str().unwrap())
        .collect();
    assert_eq!(
        signatures,
        [
            "fault-never-fired/fault-0-pause",
            "fault-never-fired/fault-1-hold",
            "fault-never-fired/fault-2-clock-step"
        ]
    );
}

/// A planted bug that fails in the second phase, after a run that is longer than what a story and a page are made of unasked.
#[cfg(feature = "bugs")]
const LONG: [&str; 10] = [
    "sweep",
    "storm",
    "--bug",
    "E12",
    "--set",
    "time.chaos=110s",
    "--seeds",
    "0..1",
    "--shrink-time",
    "10m",
];

#[cfg(feature = "bugs")]
#[test]
fn a_failure_with_a_long_trace_has_the_story_and_the_page_of_the_smaller_run() {
    let out = folder("long");
    let sweep = |more: &[&str]| {
        let sweep = squall(&[&LONG[..], &["--out", out.to_str().unwrap()], more].concat());
        assert_eq!(sweep.code, Some(102), "{sweep:?}");
        sweep
    };
    let shrunk = sweep(&["--shrink", "first"]);
    assert!(!shrunk.err.contains("too long"), "{}", shrunk.err);
    let failures: Vec<_> = std::fs::read_dir(out.join("failures")).unwrap().collect();
    assert_eq!(failures.len(), 1);
    let failure = failures[0].as_ref().unwrap().path();
    let read = |name: &str| std::fs::read_to_string(failure.join(name)).unwrap();
    let page = read("view.html");
    assert!(page.contains("capsule.json"), "the page is of the capsule");
    assert!(read("explained.txt").contains("recovers/elect-no-leader"));
    assert!(read("summary.md").contains("of the smaller run in `capsule.json`"));
    // The trace itself is whole.
    let trace = failure.join("trace.jsonl.zst");
    let again = squall(&["replay", trace.to_str().unwrap()]);
    assert!(again.out.contains("comparison  same"), "{again:?}");

    let plain = sweep(&["--shrink", "off"]);
    let line = plain.err.lines().find(|line| line.contains("the trace is too long"));
    let line = line.unwrap_or_else(|| panic!("{}", plain.err));
    assert!(
        line.contains(&format!("`squall explain {}`", trace.display())),
        "{line}"
    );
    for name in ["view.html", "explained.txt"] {
        assert!(!failure.join(name).exists(), "{name} is of another run");
    }
}
