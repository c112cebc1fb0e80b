use super::{BINARY, command, file, folder, squall};
use std::process::Command;

#[test]
fn the_seed_is_printed_before_anything_else_and_again_in_the_replay_line() {
    let run = squall(&["run", "calm", "--seed", "0x3f7", "--set", "cluster.nodes=[3, 5]"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.err, "seed 0x00000000000003f7  calm\n");
    assert!(run.out.starts_with("PASS 0x00000000000003f7  calm\n"), "{}", run.out);
    let replay = "squall run calm --seed 0x00000000000003f7 --set 'cluster.nodes=[3, 5]'\n";
    assert!(run.out.ends_with(replay), "{}", run.out);
    assert!(!run.out.contains('\x1b'), "no colours where there is no terminal");
    assert!(
        squall(&["run", "calm", "--seed", "1", "--color", "always"])
            .out
            .contains('\x1b')
    );
}

#[test]
fn without_a_seed_there_is_a_fresh_one() {
    let seed = || squall(&["run", "calm", "--format", "json"]).json()["seed"].clone();
    assert_ne!(seed(), seed());
}

#[test]
fn json_is_one_document_with_the_seed_as_a_text() {
    let run = squall(&["run", "storm", "--seed", "18446744073709551615", "--format", "json"]);
    let json = run.json();
    assert_eq!(json["schema"], "squall-run/1");
    assert_eq!(json["seed"], "0xffffffffffffffff");
    assert_eq!(
        (&json["verdict"], &json["failure"]),
        (&"pass".into(), &serde_json::Value::Null)
    );
    assert_eq!(json["digest"].as_str().unwrap().len(), 64);
    assert!(json["faults"]["loss"].as_u64().unwrap() > 0);
}

#[test]
fn a_trace_is_run_again_from_its_header_alone() {
    let folder = folder("trace");
    // The scenario file is gone when the trace is replayed.
    let scenario = file(
        "trace-scenario",
        "mine.toml",
        "schema = \"squall-scenario/1\"\nname = \"mine\"\n",
    );
    for name in ["plain.jsonl", "small.jsonl.zst"] {
        let trace = folder.join(name);
        let trace = trace.to_str().unwrap();
        std::fs::write(&scenario, "schema = \"squall-scenario/1\"\nname = \"mine\"\n").unwrap();
        let args = [
            "run",
            &scenario,
            "--seed",
            "5",
            "--set",
            "time.chaos=1s",
            "--set",
            "network.loss=5%",
        ];
        let run = command()
            .args(args)
            .args(["--bug", "d7", "--trace", trace])
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        std::fs::remove_file(&scenario).unwrap();
        let again = squall(&["replay", trace]);
        assert_eq!(again.code, Some(0), "{again:?}");
        assert!(again.out.contains("comparison  same digest"), "{}", again.out);
        assert!(again.out.contains("--set network.loss=5% --bug D7\n"), "{}", again.out);
    }
}

#[test]
fn a_trace_that_does_not_come_out_again_names_the_first_event_that_differs() {
    let path = folder("different").join("trace.jsonl");
    let trace = path.to_str().unwrap();
    squall(&[
        "run",
        "calm",
        "--seed",
        "5",
        "--set",
        "time.chaos=500ms",
        "--trace",
        trace,
    ]);
    let text = std::fs::read_to_string(trace).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = lines.len() - 1;
    let mut footer: serde_json::Value = serde_json::from_str(&lines[last]).unwrap();
    footer["digest"] = "00".into();
    lines[last] = footer.to_string();
    lines[12] = lines[12].replacen("\"t\":", "\"t\":9", 1);
    std::fs::write(trace, lines.join("\n")).unwrap();
    let again = squall(&["replay", trace]);
    assert_eq!(again.code, Some(103), "{again:?}");
    assert!(
        again.out.contains("comparison  different digest: the trace has 00\n"),
        "{}",
        again.out
    );
    assert!(again.out.contains("after 11 equal events:"), "{}", again.out);
    let json = squall(&["replay", trace, "--format", "json"]).json();
    assert_eq!(json["comparison"]["same"], false);
}

#[test]
fn a_seed_is_replayed_as_it_was_run() {
    let digest = |args: &[&str]| squall(args).json()["digest"].clone();
    let run = digest(&["run", "pauses", "--seed", "9", "--format", "json"]);
    assert_eq!(digest(&["replay", "0x9", "pauses", "--format", "json"]), run);
}

#[test]
fn the_history_of_a_run_passes_the_check_and_a_broken_one_does_not() {
    let path = folder("history").join("history.jsonl");
    let history = path.to_str().unwrap();
    squall(&["run", "storm", "--seed", "1", "--history", history]);
    let good = squall(&["check", history, "--model", "kv"]);
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.out.starts_with("linearizable: "), "{}", good.out);

    let stale = "{\"client\":1,\"op\":\"write\",\"key\":\"x\",\"value\":\"a\",\"call\":1,\"return\":2}\n\
                 {\"client\":1,\"op\":\"read\",\"key\":\"x\",\"call\":3,\"return\":4,\"output\":\"\"}\n";
    std::fs::write(history, stale).unwrap();
    let bad = squall(&["check", history, "--model", "kv"]);
    assert_eq!(bad.code, Some(100), "{bad:?}");
    assert!(bad.out.starts_with("not linearizable: 2 operations"), "{}", bad.out);
    let json = squall(&["check", history, "--model", "kv", "--format", "json"]).json();
    assert_eq!(
        (&json["verdict"], &json["exit_code"]),
        (&"not-linearizable".into(), &100.into())
    );
    let open = squall(&["check", history, "--model", "kv", "--budget", "0"]);
    let says_less = open.out.contains("could not be shown within the budget");
    assert!(
        open.code == Some(100) && says_less,
        "the verdict stays, and says less: {open:?}"
    );

    let nemesis = "{:process 0 :type :invoke :f :write :value 1}\n{:process :nemesis :type :info :f :start-cut :value nil}\n\
                   {:process 0 :type :ok :f :write :value 1}\n{:process 1 :type :invoke :f :read :value nil}\n\
                   {:process 1 :type :ok :f :read :value 2}\n{:process :nemesis :type :info :f :stop-cut :value nil}\n";
    let edn = &format!("{history}.edn");
    std::fs::write(edn, nemesis).unwrap();
    let json = squall(&["check", edn, "--model", "register", "--format", "json"]).json();
    let expected = serde_json::json!([{"name": "start-cut", "from": 2, "until": 6}]);
    assert_eq!(json["refusal"]["disturbances"], expected, "{json}");

    let level = |level: &str| squall(&["check", history, "--model", "kv", "--consistency", level]);
    assert_eq!(level("stale:0").code, Some(100));
    assert_eq!(
        level("stale:1").code,
        Some(0),
        "the write returned one before the read was called"
    );
    let sequential = level("sequential");
    assert_eq!(sequential.code, Some(100), "{sequential:?}");
    assert!(
        sequential.out.starts_with("not sequentially consistent: 2 operations"),
        "{}",
        sequential.out
    );
    let other_client = stale.replace("{\"client\":1,\"op\":\"read\"", "{\"client\":2,\"op\":\"read\"");
    std::fs::write(history, other_client).unwrap();
    assert_eq!(
        level("sequential").code,
        Some(0),
        "to another client the write may not have happened yet"
    );
    assert_eq!(level("stale:x").code, Some(2));
}

#[test]
fn a_run_that_is_expected_to_fail_passes_when_it_does() {
    let base = [
        "run",
        "storm",
        "--seed",
        "0",
        "--set",
        "expect.verdict=safety-violation",
    ];
    let failing = squall(&[&base[..], &["--bug", "D1"]].concat());
    assert_eq!(failing.code, Some(0), "{failing:?}");
    assert!(failing.out.contains("as expected: "), "{}", failing.out);
    let passing = squall(&base);
    assert_eq!(passing.code, Some(98), "{passing:?}");
    assert!(
        passing.out.contains("expectation/no-safety-violation"),
        "{}",
        passing.out
    );
}

#[test]
fn a_property_that_is_not_listed_fails_no_run() {
    // Of a service online, and of its clients afterwards.
    for (bug, property) in [("D1", "committed-durable"), ("A1", "linearizable")] {
        let broken = |listed: &str| {
            let set = format!("expect.properties=[\"monotonic-term\"{listed}]");
            let out = folder(&format!("listed-{property}"));
            let args = [
                "sweep",
                "storm",
                "--seeds",
                "0..5",
                "--max-fail",
                "0",
                "--format",
                "json",
                "--bug",
                bug,
            ];
            let args = [&args[..], &["--set", &set, "--out", out.to_str().unwrap()]].concat();
            let json = squall(&args).json();
            assert_eq!(json["total"]["runs"], 5);
            if listed.is_empty() {
                // The runs went on to the end of the faults, 25 s each.
                assert!(json["total"]["simulated_ms"].as_u64().unwrap() >= 125_000, "{json}");
            }
            let failures = json["failures"].as_array().unwrap();
            failures.iter().any(|group| group["failure"]["property"] == property)
        };
        assert!(broken(&format!(", \"{property}\"")), "{property}");
        assert!(!broken(""), "{property}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let code = folder("pipe").join("code");
    let script = r#"{ sleep 0.3; "$0" list properties; echo $? > "$1"; } | true"#;
    let output = Command::new("sh")
        .args(["-c", script, BINARY])
        .arg(&code)
        .output()
        .unwrap();
    assert_eq!(std::fs::read_to_string(&code).unwrap(), "0\n", "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}
