//! `squall explain`: a failure in words.

use super::{folder, squall};

/// The trace of a stale read, by the planted bug L2.
fn stale(test: &str) -> String {
    let path = folder(test).join("trace.jsonl.zst");
    let path = path.to_str().unwrap().to_owned();
    let arguments = [
        "run",
        "leader-isolation",
        "--seed",
        "1",
        "--bug",
        "L2",
        "--trace",
        &path,
    ];
    assert_eq!(squall(&arguments).code, Some(100));
    path
}

#[test]
fn a_stale_read_is_explained_in_words_and_as_json() {
    let trace = stale("explain-words");
    let told = squall(&["explain", &trace, "--legend"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    for part in [
        "FAIL 0x0000000000000001  leader-isolation  read-freshness/stale-read",
        "property    read-freshness: a read is answered from a state that holds all that was committed",
        "planted     L2: ",
        "2 nodes lead: ",
        "becomes leader of term 8 with the votes of ",
        "breaks read-freshness",
        "f follower   p pre-candidate",
    ] {
        assert!(told.out.contains(part), "{part}\n{}", told.out);
    }
    assert!(told.out.lines().all(|line| line.chars().count() <= 130), "{}", told.out);
    let json = squall(&["explain", &trace, "--format", "json"]).json();
    assert_eq!(json["schema"], "squall-explain/1");
    assert_eq!(json["property"]["name"], "read-freshness");
    assert_eq!(json["nodes"].as_array().unwrap().len(), 5);
    assert_eq!(
        json["moment"]["seq"],
        json["story"].as_array().unwrap().last().unwrap()["seq"]
    );
    assert!(!json["columns"]["lines"].as_array().unwrap().is_empty());
}

#[test]
fn another_moment_one_cause_and_columns_alone() {
    let trace = stale("explain-options");
    let whole = squall(&["explain", &trace, "--format", "json"]).json();
    let told = |what: &str| {
        let mut story = whole["story"].as_array().unwrap().iter();
        let found = story.find(|one| one["text"].as_str().unwrap().contains(what));
        found.unwrap_or_else(|| panic!("{what}: {whole:#}"))["seq"].clone()
    };
    let cut = told("the network is cut: ");
    let json = squall(&["explain", &trace, "--at", &cut.to_string(), "--format", "json"]).json();
    assert_eq!(json["moment"]["seq"], cut, "the cut that isolates a leader");
    let failing = told("breaks read-freshness");
    let why = squall(&["explain", &trace, "--why", &failing.to_string(), "--format", "json"]).json();
    let chain = why["chain"].as_array().unwrap();
    assert_eq!(
        (&why["schema"], &chain.last().unwrap()["seq"]),
        (&"squall-why/1".into(), &failing)
    );
    // The violation says as data what the sentences say.
    assert_eq!(
        (&whole["violation"]["event"], &whole["moment"]["seq"]),
        (&failing, &failing)
    );
    let place = format!("n{}", whole["violation"]["nodes"][0]);
    assert_eq!(whole["moment"]["place"], place);
    let columns = squall(&["explain", &trace, "--columns", "--last", "2"]);
    assert!(columns.out.trim_start().starts_with("n0 "), "{}", columns.out);
    assert!(columns.out.contains("L8!"), "{}", columns.out);
    assert!(!columns.out.contains("How it came"), "{}", columns.out);
}

#[test]
fn what_cannot_be_explained_is_refused_with_a_remedy() {
    let trace = stale("explain-refused");
    for option in ["--at", "--why"] {
        let refused = squall(&["explain", &trace, option, "99999999"]);
        assert_eq!(refused.code, Some(2));
        assert!(
            refused
                .err
                .contains("has no event 99999999: its events are numbered 1 to "),
            "{}",
            refused.err
        );
    }
    assert_eq!(squall(&["explain", "/no/such/trace"]).code, Some(3));
    assert_eq!(squall(&["explain", &trace, "--last", "0"]).code, Some(2));
    assert_eq!(squall(&["explain", &trace, "--why", "1", "--columns"]).code, Some(2));
}

#[test]
fn the_moment_from_which_a_failure_is_inevitable_is_found_by_forking() {
    let trace = stale("explain-when");
    let arguments = [
        "explain",
        &trace,
        "--when",
        "--futures",
        "4",
        "--time",
        "5m",
        "--within",
        "50ms",
    ];
    let when = squall(&[&arguments[..], &["--format", "json"]].concat()).json();
    assert_eq!(when["schema"], "squall-when/1");
    let checkpoints = when["checkpoints"].as_array().unwrap();
    let (first, last) = (&checkpoints[0], checkpoints.last().unwrap());
    assert!(first["same"].as_u64() < first["futures"].as_u64(), "{when}");
    assert_eq!((&last["same"], &last["futures"]), (&4.into(), &4.into()), "{when}");
    let (avoidable, inevitable) = (when["avoidable_until"].as_u64(), when["inevitable_from"].as_u64());
    assert!(
        avoidable < inevitable && inevitable < when["failed_at"].as_u64(),
        "{when}"
    );
    assert!(!when["between"].as_array().unwrap().is_empty(), "{when}");
    let other = ["-j", "1", "--format", "json"];
    assert_eq!(
        squall(&[&arguments[..], &other].concat()).json(),
        when,
        "whatever the number of threads"
    );
    assert_eq!(squall(&["explain", &trace, "--futures", "4"]).code, Some(2));
}

#[test]
fn a_capsule_is_explained_looked_at_and_forked_as_its_trace_is() {
    let folder = folder("explain-capsule");
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (capsule, trace) = (at("stale.capsule.json"), at("stale.jsonl"));
    let arguments = [
        "run",
        "leader-isolation",
        "--seed",
        "1",
        "--bug",
        "L2",
        "--capsule",
        &capsule,
    ];
    assert_eq!(squall(&arguments).code, Some(100));
    assert_eq!(
        squall(&["replay", &capsule, "--trace", &trace]).code,
        Some(0),
        "reproduced"
    );
    let explained = |of: &str| squall(&["explain", of, "--format", "json"]).json();
    let told = explained(&capsule);
    assert_eq!(told["verdict"], "read-freshness/stale-read");
    assert_eq!(told, explained(&trace));
    assert_eq!(squall(&["view", &capsule]).code, Some(0));
    assert!(folder.join("stale.html").exists());
    let when = ["--when", "--futures", "2", "--within", "50ms", "--format", "json"];
    let when = squall(&[&["explain", &capsule][..], &when].concat()).json();
    let last = when["checkpoints"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["same"], &last["futures"]), (&2.into(), &2.into()), "{when}");
}
