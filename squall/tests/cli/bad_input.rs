//! Every class of bad input: the code, and that the text names the place and what to do.

use super::{Called, file, folder, squall};

#[track_caller]
fn refused(called: &Called, code: i32, texts: &[&str]) {
    assert_eq!(called.code, Some(code), "{called:?}");
    assert_eq!(called.out, "", "errors go to standard error");
    for text in texts {
        assert!(called.err.contains(text), "{text:?} is missing in\n{}", called.err);
    }
}

fn scenario(test: &str, lines: &str) -> Called {
    let text = format!("schema = \"squall-scenario/1\"\nname = \"mine\"\n{lines}\n");
    squall(&["run", &file(test, "mine.toml", text)])
}

#[test]
fn a_scenario_with_a_wrong_type_unit_range_or_key() {
    refused(
        &scenario("type", "[cluster]\nnodes = \"many\""),
        3,
        &["mine.toml:4:9", "cluster.nodes"],
    );
    refused(
        &scenario("unit", "[network]\nlatency = \"10\""),
        3,
        &["mine.toml:4:", "has no unit", "1ms..10ms"],
    );
    refused(&scenario("range", "[cluster]\nnodes = 99"), 3, &["mine.toml:4:9", "99"]);
    refused(
        &scenario("key", "[netwrok]\nloss = \"1%\""),
        3,
        &["mine.toml:3:", "network"],
    );
    refused(&scenario("toml", "[cluster"), 3, &["mine.toml:3", "not TOML"]);
}

#[test]
fn a_scenario_that_is_missing_binary_or_huge() {
    refused(
        &squall(&["run", "no/such.toml"]),
        3,
        &["no/such.toml: cannot be read", "check the path"],
    );
    refused(
        &squall(&["run", &file("binary-scenario", "a.toml", [b'a', b'\n', 0xff])]),
        3,
        &["line 2 (byte 2)", "UTF-8"],
    );
    let huge = vec![b'#'; 300 * 1024];
    refused(
        &squall(&["run", &file("huge-scenario", "a.toml", huge)]),
        3,
        &["a.toml"],
    );
    let huge = vec![0xff; 300 * 1024];
    refused(
        &squall(&["run", &file("huge-binary", "a.toml", huge)]),
        3,
        &["at most 262144 bytes"],
    );
    refused(
        &squall(&["run", folder("a-folder.toml").to_str().unwrap()]),
        3,
        &["a-folder.toml"],
    );
}

#[test]
fn names_and_overrides_that_nobody_knows() {
    refused(
        &squall(&["run", "strom"]),
        2,
        &["strom", "did you mean \"storm\"", "squall list scenarios"],
    );
    refused(&squall(&["sweep", "calm", "strom"]), 2, &["did you mean"]);
    refused(&squall(&["run", "--bug", "E99"]), 2, &["E99", "squall list bugs"]);
    refused(&squall(&["run", "--set", "cluster.nodes=99"]), 2, &["cluster.nodes"]);
    refused(&squall(&["run", "--set", "cluster.nods=3"]), 2, &["cluster.nods"]);
    refused(&squall(&["run", "--set", "nodes"]), 2, &["KEY=VALUE"]);
}

#[test]
fn seeds_that_do_not_parse() {
    refused(
        &squall(&["run", "--seed", "xyz"]),
        2,
        &["this is no seed", "write a decimal number"],
    );
    refused(
        &squall(&["run", "--seed", "0x1_0000_0000_0000_0000"]),
        2,
        &["larger than any seed"],
    );
    refused(&squall(&["sweep", "--seeds", "9..5"]), 2, &["ends before it begins"]);
    refused(&squall(&["sweep", "--seeds", "1..x"]), 2, &["this is no seed"]);
    refused(&squall(&["sweep", "--time", "60"]), 2, &["60s"]);
    refused(&squall(&["sweep", "-j", "0"]), 2, &["1..=1024"]);
    refused(&squall(&["sweep", "--verify-determinism", "often"]), 2, &["1/N"]);
    refused(&squall(&["sweep", "--seeds", "5..5"]), 4, &["nothing to run"]);
    refused(&squall(&["replay", "no-such-file"]), 2, &["neither a file nor a seed"]);
}

#[test]
fn histories_that_are_truncated_empty_huge_or_binary() {
    let check = |test: &str, content: &[u8]| squall(&["check", &file(test, "h.jsonl", content), "--model", "kv"]);
    let line = br#"{"client":1,"op":"read","key":"x","call":1,"return":2,"output":""}"#;
    refused(
        &check("truncated", &line[..40]),
        3,
        &["h.jsonl: at line 1, column ", "cut off"],
    );
    refused(
        &check("empty", b""),
        3,
        &["h.jsonl: the history is empty", "check that"],
    );
    refused(
        &check("binary", &[0x28, 0xb5, 0xff, 0xfd, 0]),
        3,
        &["h.jsonl: at line 1"],
    );
    // As a file begins that zstd or gzip has compressed.
    for start in [&[0x28, 0xb5, 0x2f, 0xfd, 0][..], &[0x1f, 0x8b, 8]] {
        let cut = check("cut-short", start);
        refused(
            &cut,
            3,
            &["h.jsonl: ", "the file is compressed, and damaged or cut short"],
        );
    }
    let long = [b"{\"client\":\"", vec![b'x'; 17 << 20].as_slice()].concat();
    refused(&check("huge", &long), 3, &["line 1 is longer than 16777216 bytes"]);
    refused(
        &squall(&["check", "no-such.jsonl", "--model", "kv"]),
        3,
        &["no-such.jsonl: cannot be read"],
    );
    // A name says nothing of what is in the file.
    let plain = squall(&["check", &file("plain-zst", "h.jsonl.zst", line), "--model", "kv"]);
    assert_eq!(plain.code, Some(0), "{plain:?}");
}

#[test]
fn models_that_do_not_exist_or_do_not_fit() {
    let line = br#"{"client":1,"op":"append","key":"x","value":"a","call":1,"return":2}"#;
    let history = file("misfit", "h.jsonl", line);
    refused(&squall(&["check", &history, "--model", "kw"]), 2, &["kw", "kv, lock"]);
    refused(
        &squall(&["check", &history, "--model", "kv", "--initial", "0"]),
        2,
        &["takes no initial value"],
    );
    refused(
        &squall(&["check", &history, "--model", "register"]),
        3,
        &["does not fit the model register"],
    );
}

#[test]
fn traces_of_another_version_cut_short_or_without_a_scenario() {
    let path = folder("bad-trace").join("trace.jsonl");
    let trace = path.to_str().unwrap();
    squall(&[
        "run",
        "calm",
        "--seed",
        "5",
        "--set",
        "time.chaos=100ms",
        "--trace",
        trace,
    ]);
    let text = std::fs::read_to_string(trace).unwrap();
    let replay = |text: &str| {
        std::fs::write(trace, text).unwrap();
        squall(&["replay", trace])
    };
    refused(
        &replay(&text.replace("squall-trace/2", "squall-trace/3")),
        3,
        &["trace.jsonl: line 1", "squall-trace/2"],
    );
    refused(
        &replay(&text[..text.len() / 2]),
        3,
        &["trace.jsonl: ", "record it again"],
    );
    refused(&replay(""), 3, &["trace.jsonl: the trace is empty"]);
    refused(
        &replay(&text.replacen("\"run\":", "\"walk\":", 1)),
        3,
        &["`run` is missing", "record the trace again"],
    );
    refused(
        &replay(&text.replacen("[cluster]", "[cloister]", 1)),
        3,
        &["scenario in the header of trace.jsonl:8:2", "did you mean `cluster`"],
    );
    refused(
        &replay(&text.replacen("\"seed\":\"0x", "\"seed\":\"x", 1)),
        3,
        &["`seed` is no seed"],
    );
    std::fs::write(trace, &text).unwrap();
    refused(&squall(&["replay", trace, "--bug", "E7"]), 2, &["a trace says itself"]);
}
