//! The tool's own output fails, at the n-th call for every n: verdict, seed and code survive, and old files are whole.
//!
//! One kind of fault and a few commands are gone through each time; all of them by `make drills`.

use super::{Called, command, folder, squall};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A command that writes, and what it must say and exit with whatever fails.
struct Drill {
    name: &'static str,
    args: Vec<String>,
    code: i32,
    /// What stands in one of the two streams, whatever fails.
    told: Vec<&'static str>,
    /// Codes that it may exit with instead, where its product is a file.
    or: &'static [i32],
}

const STALE: &str = "leader-isolation --bug L2 --seed 1";
const TOLD: [&str; 3] = [
    "0x0000000000000001",
    "read-freshness/stale-read",
    "squall run leader-isolation --seed 0x0000000000000001 --bug L2",
];

fn words(text: &str, folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    text.split(' ').map(|word| word.replace('@', folder)).collect()
}

fn drills(at: &Path) -> Vec<Drill> {
    let drill = |name, args: &str, code, told: &[&'static str], or| Drill {
        name,
        args: words(args, at),
        code,
        told: told.to_vec(),
        or,
    };
    let run =
        format!("run {STALE} --trace @/t.jsonl.zst --history @/h.jsonl --capsule @/c.capsule.json --junit @/j.xml");
    vec![
        drill("run", &run, 100, &TOLD, &[]),
        drill("run json", &format!("{run} --format json -q"), 100, &TOLD, &[]),
        drill(
            "run that passes",
            "run calm --seed 1 --history @/h.jsonl",
            0,
            &["0x0000000000000001"],
            &[],
        ),
        drill(
            "sweep",
            "sweep leader-isolation --bug L2 --seeds 1..2 --out @ --markdown @/m.md --step-summary @/s.md -q",
            100,
            &TOLD,
            &[],
        ),
        drill(
            "sweep that shrinks",
            "sweep leader-isolation --bug L2 --seeds 1..2 --out @ --shrink first --shrink-time 300ms --format github -q",
            100,
            &TOLD,
            &[],
        ),
        drill(
            "replay",
            "replay @/kept.capsule.json --expect pass --trace @/t.jsonl.zst",
            100,
            &["read-freshness/stale-read"],
            &[],
        ),
        drill("corpus verify", "corpus verify @/of --junit @/j.xml", 0, &["PASS"], &[]),
        drill(
            "explore",
            "explore leader-isolation --bug L2 --runs 128 --out @",
            100,
            &["squall "],
            &[],
        ),
        drill(
            "check",
            "check @/bad.jsonl --model register --svg @/p.svg",
            100,
            &["not-linearizable"],
            &[],
        ),
        drill("diff", "diff @/a.jsonl @/b.jsonl", 103, &["DIFFERENT"], &[]),
        drill(
            "shrink",
            "shrink @/kept.capsule.json -o @/kept.capsule.json --attempts 20",
            0,
            &[],
            &[1, 3],
        ),
        drill(
            "corpus add",
            "corpus add @/kept.capsule.json --dir @/corpus",
            0,
            &[],
            &[1, 3],
        ),
        drill("view", "view @/a.jsonl -o @/v.html", 0, &[], &[1, 3]),
        drill("export", "export @/a.jsonl --to csv -o @/e.csv", 0, &[], &[1, 3]),
        drill("man", "man --dir @/man", 0, &[], &[1, 3]),
    ]
}

/// A folder with everything that the drills read, and old files where they write.
fn prepared(name: &str) -> PathBuf {
    let at = folder(name);
    let path = |file: &str| at.join(file).to_str().unwrap().to_owned();
    let run = |args: &str| {
        let called = command().args(words(args, &at)).output().unwrap();
        assert!(called.status.code().is_some_and(|code| code < 104), "{called:?}");
    };
    run(&format!("run {STALE} --capsule @/kept.capsule.json"));
    run("run calm --seed 1 --set time.chaos=100ms --trace @/a.jsonl");
    run("run calm --seed 2 --set time.chaos=100ms --trace @/b.jsonl");
    fs::create_dir(at.join("of")).unwrap();
    fs::copy(path("kept.capsule.json"), at.join("of/kept.capsule.json")).unwrap();
    let bad = r#"{"client":1,"op":"write","key":"x","value":1,"call":1,"return":2}
{"client":1,"op":"read","key":"x","call":3,"return":4,"output":2}
"#;
    fs::write(path("bad.jsonl"), bad).unwrap();
    for old in [
        "t.jsonl.zst",
        "t.jsonl",
        "h.jsonl",
        "c.txt",
        "j.xml",
        "m.md",
        "p.svg",
        "v.html",
        "e.csv",
        "results.json",
    ] {
        fs::write(path(old), format!("old {old}")).unwrap();
    }
    at
}

/// All files of a folder with what is in them.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(content(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for (path, bytes) in content(from) {
        let to = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
}

/// Files whose content depends on what else could be written, or on what is measured; none of them ends in the middle.
fn is_whole_at_least(path: &Path, now: &[u8]) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    let text = String::from_utf8_lossy(now);
    match name {
        "results.json" | "capsule.json" => serde_json::from_slice::<serde_json::Value>(now).is_ok(),
        "j.xml" => text.trim_end().ends_with("</testsuites>"),
        "m.md" => text.ends_with("</details>\n\n"),
        // They grow at their ends, and the last line of each may be torn.
        "journal.jsonl" | "s.md" => true,
        "summary.md" => text.ends_with("```\n"),
        _ => false,
    }
}

/// Goes through every n of one drill; how many there were.
fn go_through(drill: &Drill, how: &str, from: &Path, at: &Path) -> u64 {
    copy(from, at);
    let whole = command().args(&drill.args).output().unwrap();
    assert_eq!(whole.status.code(), Some(drill.code), "{}: {whole:?}", drill.name);
    let after = content(at);
    for n in 1.. {
        copy(from, at);
        let before = content(at);
        let fault = format!("{how}:{n}");
        let output = command().args(&drill.args).args(["--inject", &fault]).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // A panic of the tool itself is what is injected here.
        let called = Called {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        let place = format!("{} with {how}:{n}: {called:?}", drill.name);
        let code = called.code.unwrap_or_else(|| panic!("{place}"));
        assert!(
            code == drill.code || drill.or.contains(&code) || (how == "panic" && code == 70 && !drill.or.is_empty()),
            "{place}"
        );
        for text in &drill.told {
            assert!(
                called.out.contains(text) || called.err.contains(text),
                "{text} is not told: {place}"
            );
        }
        for (path, now) in content(at) {
            let old = before.get(&path);
            let new = after.get(&path);
            let is_known = old == Some(&now) || new == Some(&now) || (new.is_some() && is_whole_at_least(&path, &now));
            assert!(is_known, "{} is neither old nor new: {place}", path.display());
            assert!(
                !path.display().to_string().contains(".squall-"),
                "{} stayed behind: {place}",
                path.display()
            );
        }
        for path in before.keys() {
            assert!(path.exists(), "{} is gone: {place}", path.display());
        }
        if !called.err.contains("injected\n") {
            return n - 1;
        }
    }
    unreachable!("some n is larger than the number of calls")
}

#[test]
fn a_full_disk_at_any_write_of_a_run_and_a_sweep() {
    let (from, at) = (prepared("faults-from"), folder("faults"));
    for name in ["run", "shrink"] {
        let drill = drills(&at).into_iter().find(|drill| drill.name == name).unwrap();
        let calls = go_through(&drill, "full", &from, &at);
        assert!(calls >= 3, "{name}: {calls}");
    }
    assert_eq!(
        squall(&["list", "scenarios", "--inject", "fail:1"]).code,
        Some(1),
        "its only product is lost"
    );
    let ours = command()
        .args(["list", "scenarios", "--inject", "panic:1"])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&ours.stderr);
    assert!(
        ours.status.code() == Some(70) && err.contains("squall itself panicked"),
        "{ours:?}"
    );
}

#[test]
#[ignore = "some minutes: `make drills`"]
fn any_fault_at_any_call_of_every_command_that_writes() {
    let (from, at) = (prepared("faults-all-from"), folder("faults-all"));
    let mut total = 0;
    for how in ["fail", "full", "short", "cut", "panic"] {
        for drill in drills(&at) {
            let calls = go_through(&drill, how, &from, &at);
            println!("{how:>5}  {:<20} {calls:>4} calls", drill.name);
            total += calls;
        }
    }
    println!("{total} faults: verdict, seed and code survived each, and every old file was whole");
}
