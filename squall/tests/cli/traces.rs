//! What is made of traces: `squall view`, `squall export`, `squall diff`.

use super::{file, folder, squall};
use std::io::Write;
use std::path::Path;

fn recorded(folder: &Path, name: &str, seed: &str) -> String {
    let path = folder.join(name).to_str().unwrap().to_owned();
    let run = squall(&[
        "run",
        "calm",
        "--seed",
        seed,
        "--set",
        "time.chaos=1s",
        "--trace",
        &path,
        "--quiet",
    ]);
    assert_eq!(run.code, Some(0), "{run:?}");
    path
}

#[test]
fn a_page_is_written_beside_its_trace_or_where_it_is_wanted() {
    let folder = folder("view");
    let trace = recorded(&folder, "run.jsonl.zst", "1");
    let view = squall(&["view", &trace]);
    assert_eq!(view.code, Some(0), "{view:?}");
    let page = std::fs::read_to_string(folder.join("run.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("PASS calm"));
    assert!(
        view.out.contains(" bytes, all ") && view.out.lines().count() == 1,
        "{}",
        view.out
    );
    let other = folder.join("other.html");
    let view = squall(&["view", &trace, "-o", other.to_str().unwrap(), "--format", "json"]);
    assert_eq!(view.json()["bytes"].as_u64(), Some(page.len() as u64));
    assert_eq!(std::fs::read_to_string(other).unwrap(), page, "one trace is one page");
    let small = squall(&["view", &trace, "--max-size", "5"]);
    assert_eq!(small.code, Some(2), "{small:?}");
    assert_eq!(squall(&["view", "no-such-file"]).code, Some(3));
}

#[test]
fn an_export_goes_to_standard_output_or_into_a_file() {
    let folder = folder("export");
    let trace = recorded(&folder, "run.jsonl.zst", "1");
    let csv = squall(&["export", &trace, "--to", "csv"]);
    assert!(csv.code == Some(0) && csv.out.starts_with("seq,t_ns,at,"), "{csv:?}");
    let file = folder.join("history.edn");
    let file = file.to_str().unwrap();
    let edn = squall(&["export", &trace, "--to", "edn", "--key", "k0", "-o", file]);
    assert_eq!((edn.code, &*edn.out), (Some(0), ""), "{edn:?}");
    let check = squall(&["check", file, "--model", "kv"]);
    assert!(
        check.code == Some(0) && check.out.starts_with("linearizable"),
        "{check:?}"
    );
    let several = squall(&["export", &trace, "--to", "edn"]);
    assert!(several.code == Some(3) && several.err.contains("--key"), "{several:?}");
    assert_eq!(squall(&["export", &trace, "--to", "csv", "--key", "k0"]).code, Some(2));
    assert_eq!(squall(&["export", &trace, "--to", "word"]).code, Some(2));
}

#[test]
fn two_traces_are_the_same_or_part_at_an_event_that_is_shown() {
    let folder = folder("diff");
    let (a, again, b) = (
        recorded(&folder, "a.jsonl", "1"),
        recorded(&folder, "again.jsonl.zst", "1"),
        recorded(&folder, "b.jsonl", "2"),
    );
    let same = squall(&["diff", &a, &again]);
    assert!(same.code == Some(0) && same.out.starts_with("SAME "), "{same:?}");
    // What is compressed says so itself.
    let compressed = std::fs::read(&again).unwrap();
    let named = file("diff-named", "again.jsonl", compressed);
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zipped = std::fs::read(&a).and_then(|text| {
        let mut gzip = gzip;
        gzip.write_all(&text)?;
        gzip.finish()
    });
    let zipped = file("diff-zipped", "again.zst", zipped.unwrap());
    for other in [&named, &zipped] {
        let same = squall(&["diff", &a, other]);
        assert!(same.code == Some(0) && same.out.starts_with("SAME "), "{same:?}");
    }
    let differ = squall(&["diff", &a, &b]);
    assert_eq!(differ.code, Some(103), "{differ:?}");
    assert!(
        differ.out.contains("equal events, then\n") && differ.out.contains("\nDIFFERENT from event "),
        "{}",
        differ.out
    );
    // One field of one event in the middle.
    let text = std::fs::read_to_string(&a).unwrap();
    let line = text
        .lines()
        .filter(|line| line.contains(r#""kind":"deliver""#))
        .nth(5)
        .unwrap();
    let seq = line
        .split(|c: char| !c.is_ascii_digit())
        .find(|digits| !digits.is_empty())
        .unwrap();
    let bent = text.replace(
        line,
        &line.replace(r#""kind":"deliver""#, r#""kind":"deliver","extra":true"#),
    );
    let c = folder.join("c.jsonl");
    std::fs::write(&c, bent).unwrap();
    let c = c.to_str().unwrap();
    let differ = squall(&["diff", &a, c, "--context", "2"]);
    assert!(differ.out.contains("They differ in extra.\n"), "{}", differ.out);
    assert!(
        differ.out.ends_with(&format!("DIFFERENT from event {seq} on\n")),
        "{}",
        differ.out
    );
    let marked = |mark: char| differ.out.lines().filter(|line| line.starts_with(mark)).count();
    assert_eq!((marked('-'), marked('+')), (2, 2), "{}", differ.out);
    let json = squall(&["diff", &a, c, "--format", "json"]).json();
    assert_eq!((&json["same"], &json["differing"][0]), (&false.into(), &"extra".into()));
    assert_eq!(json["events"][0]["seq"].to_string(), seq);
}

#[test]
fn what_traces_say_is_shown_in_a_bounded_space_however_wide_it_is() {
    let folder = folder("diff-wide");
    let trace = |name: &str, events: &[String]| {
        let header = r#"{"schema":"SCHEMA","tool":"t","scenario":"s","seed":"0x1","nodes":2,"clients":2,"clock":"ns","rng":"r"}"#;
        let header = header.replace("SCHEMA", simulator::trace::format::SCHEMA);
        let footer = format!(
            r#"{{"verdict":"pass","digest":"00","events":{},"end":1}}"#,
            events.len()
        );
        let path = folder.join(name);
        std::fs::write(&path, format!("{header}\n{}\n{footer}\n", events.join("\n"))).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let wide = "k".repeat(70_000);
    let a = trace("a.jsonl", &[format!(r#"{{"seq":1,"t":1,"kind":"{wide}"}}"#)]);
    let fields: Vec<String> = (0..500).map(|number| format!(r#""f{number}\u202e\n":1"#)).collect();
    let event = format!(
        r#"{{"seq":1,"t":1,"kind":"{wide}","type":"\u001b[31m{wide}","{wide}":1,{}}}"#,
        fields.join(",")
    );
    let b = trace("b.jsonl", &[event]);
    let differ = squall(&["diff", &a, &b]);
    assert_eq!(differ.code, Some(103), "{differ:?}");
    assert!(
        differ.out.lines().count() < 10 && differ.out.len() < 4_000,
        "{}",
        differ.out
    );
    assert!(
        differ.out.contains(" more.\n") && !differ.out.contains(['\u{202e}', '\u{1b}']),
        "{}",
        differ.out
    );
    let digest = "0".repeat(64);
    let list = |name: &str, digit: &str| {
        let path = folder.join(name);
        std::fs::write(&path, format!("{wide} 1 {digit}{}\n", &digest[1..])).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let differ = squall(&["diff", &list("a.txt", "0"), &list("b.txt", "1")]);
    assert!(differ.code == Some(103) && differ.out.len() < 1_000, "{differ:?}");
}

#[test]
fn a_seed_and_its_capsule_are_described_in_few_lines() {
    let folder = folder("diff-capsule");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (capsule, by_seed, on_course) = (path("a.capsule.json"), path("a.jsonl"), path("b.jsonl"));
    let run = ["run", "storm", "--seed", "1", "--set", "time.chaos=12s", "--quiet"];
    let recorded = [&run[..], &["--trace", &by_seed, "--capsule", &capsule]].concat();
    assert_eq!(squall(&recorded).code, Some(0));
    assert_eq!(
        squall(&["replay", &capsule, "--trace", &on_course, "--quiet"]).code,
        Some(0)
    );
    let differ = squall(&["diff", &by_seed, &on_course]);
    assert!(differ.out.lines().count() < 80, "{} lines", differ.out.lines().count());
    assert!(
        differ.out.contains("more lines of what the traces say of their runs\n"),
        "{}",
        differ.out
    );
    let json = squall(&["diff", &by_seed, &on_course, "--format", "json"]).json();
    assert!(json["described"].as_array().unwrap().len() == 20 && json["described_left_out"].as_u64() > Some(0));
}

#[test]
fn two_lists_of_digests_are_compared_by_run() {
    let folder = folder("diff-digests");
    let list = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/digests.txt");
    let same = squall(&["diff", list, list]);
    assert!(same.code == Some(0) && same.out.starts_with("SAME "), "{same:?}");
    let text = std::fs::read_to_string(list).unwrap();
    let bent = folder.join("digests.txt");
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&bent, lines[1..].join("\n")).unwrap();
    let bent = bent.to_str().unwrap();
    let differ = squall(&["diff", list, bent]);
    assert!(
        differ.code == Some(103) && differ.out.contains("(not there)"),
        "{differ:?}"
    );
    assert!(
        differ
            .out
            .ends_with(&format!("DIFFERENT 1 of {} digests\n", lines.len())),
        "{}",
        differ.out
    );
    let trace = recorded(&folder, "a.jsonl", "1");
    assert_eq!(squall(&["diff", list, &trace]).code, Some(2));
    assert_eq!(
        squall(&["diff", &trace, concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]).code,
        Some(3)
    );
}

/// A file with the first so many hundredths of another.
fn cut(folder: &Path, name: &str, whole: &str, hundredths: usize) -> String {
    let bytes = std::fs::read(whole).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, &bytes[..bytes.len() * hundredths / 100]).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_trace_that_was_cut_short_is_read_however_cut() {
    let folder = folder("cut-short");
    let plain = recorded(&folder, "a.jsonl", "1");
    let packed = recorded(&folder, "a.jsonl.zst", "1");
    let other = recorded(&folder, "b.jsonl", "2");
    let gzip = folder.join("a.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&std::fs::read(&plain).unwrap()).unwrap();
    std::fs::write(&gzip, encoder.finish().unwrap()).unwrap();
    let cuts = [
        cut(&folder, "cut.jsonl", &plain, 50),
        cut(&folder, "cut.jsonl.zst", &packed, 70),
        cut(&folder, "cut.gz", gzip.to_str().unwrap(), 50),
    ];
    for cut in &cuts {
        let explain = squall(&["explain", cut]);
        assert_eq!(explain.code, Some(0), "{explain:?}");
        let (head, rest) = explain.out.split_once('\n').unwrap();
        assert_eq!(head, "CUT SHORT 0x0000000000000001  calm");
        let sentence = rest.trim_start();
        assert!(
            sentence.starts_with("the trace is cut short: it ends after event "),
            "{sentence}"
        );
        let json = squall(&["explain", cut, "--format", "json"]).json();
        assert_eq!(
            (&json["verdict"], &json["property"]),
            (&"cut-short".into(), &serde_json::Value::Null)
        );
        let sentence = json["cut_short"].as_str().unwrap();
        let when = squall(&["explain", cut, "--when"]);
        assert_eq!(when.code, Some(2));
        assert!(when.err.contains("the trace is cut short"), "{}", when.err);

        let page = folder.join("cut.html");
        let view = squall(&["view", cut, "-o", page.to_str().unwrap()]);
        assert!(view.code == Some(0) && view.out.contains(sentence), "{view:?}");
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains(&format!("verdict   {sentence}")) && !page.contains("FAIL calm"));

        for to in ["csv", "jsonl", "perfetto", "shiviz", "mermaid"] {
            let export = squall(&["export", cut, "--to", to]);
            assert_eq!(export.code, Some(0), "{to}: {export:?}");
            assert!(export.err.contains(sentence), "{to}: {}", export.err);
            assert!(!export.out.contains("\"verdict\":\"cut-short\""), "{to}");
        }

        // What both have is equal, and what came after is not known.
        for sides in [[cut.as_str(), &plain], [&plain, cut], [cut, cut]] {
            let diff = squall(&[&["diff"][..], &sides].concat());
            assert_eq!(diff.code, Some(98), "{diff:?}");
            assert!(diff.out.contains(sentence), "{}", diff.out);
            assert!(
                diff.out.contains("\nINCONCLUSIVE the ") && !diff.out.contains("DIFFERENT"),
                "{}",
                diff.out
            );
        }
        let json = squall(&["diff", cut, &plain, "--format", "json"]).json();
        assert_eq!(
            (&json["same"], &json["cut_short"][0]),
            (&serde_json::Value::Null, &sentence.into())
        );
        assert!(json["equal"].as_u64().unwrap() > 100);
        // What differs before the end differs.
        let diff = squall(&["diff", cut, &other]);
        assert_eq!(diff.code, Some(103), "{diff:?}");
        assert!(diff.out.contains("DIFFERENT from event "), "{}", diff.out);
        // A run is held against a whole trace only.
        assert_eq!(squall(&["replay", cut]).code, Some(3));
    }
    // Nothing but the header, and not even that.
    let header = std::fs::read_to_string(&plain)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let header_only = file("cut-short-header", "header.jsonl", format!("{header}\n"));
    let explain = squall(&["explain", &header_only]);
    assert!(
        explain.code == Some(0) && explain.out.contains("cut short before its first event"),
        "{explain:?}"
    );
    let less = file("cut-short-header", "less.jsonl", &header[..header.len() / 2]);
    assert_eq!(squall(&["explain", &less]).code, Some(3));
}
