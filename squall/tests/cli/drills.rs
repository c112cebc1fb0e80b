//! The drills that take minutes, with counts: `make drills`. What is cheap of them is in `kept`, `isolate` and `faults`.

use super::kept::{found_in, killed_and_resumed, report, shell, signals};
use super::{command, folder, squall};
use squall::clock::fresh_seed;
use std::fs;

const SWEPT: [&str; 10] = [
    "storm",
    "swarm",
    "leader-isolation",
    "--seeds",
    "0..60",
    "--bug",
    "E7",
    "--max-fail",
    "0",
    "-q",
];

/// A number of milliseconds that nobody chose.
fn moment(from: u64, to: u64) -> u64 {
    from + fresh_seed() % (to - from)
}

#[test]
#[ignore = "some minutes: `make drills`"]
fn ten_kills_at_random_moments_lose_nothing() {
    let whole = folder("drill-whole");
    let sweep = squall(&[&["sweep"], &SWEPT[..], &["--out", whole.to_str().unwrap()]].concat());
    assert_eq!(sweep.code, Some(100), "{sweep:?}");
    let expected = report(&whole);
    let (mut printed, mut lost) = (0, Vec::new());
    for round in 0..3 {
        let killed = folder(&format!("drill-killed-{round}"));
        let moments: Vec<u64> = (0..10).map(|_| moment(30, 1500)).collect();
        let told = killed_and_resumed(&killed, &SWEPT, &moments);
        let report = report(&killed);
        for signature in found_in(&told) {
            printed += 1;
            if !report["failures"].to_string().contains(&format!("\"{signature}\"")) {
                lost.push(signature);
            }
        }
        assert_eq!(report, expected, "killed after {moments:?}");
        println!("round {round}: ten kills, after {moments:?} ms each: the report is that of an undisturbed sweep");
    }
    assert_eq!(lost, Vec::<String>::new());
    println!("30 kills, {printed} failures printed on the way, 0 lost, 3 of 3 reports equal");
}

#[test]
#[ignore = "some minutes: `make drills`"]
fn each_signal_at_ten_random_moments() {
    for (signal, code) in signals() {
        let (mut interrupted, mut ended) = ([0, 0], [0, 0]);
        for round in 0..10 {
            let out = folder(&format!("drill-{signal}-{round}"));
            let after = moment(20, 2000);
            let script = format!(
                r#""$0" sweep "$@" & pid=$!; sleep {}.{:03}; kill -{signal} $pid; wait $pid"#,
                after / 1000,
                after % 1000
            );
            let seeds = ["storm", "--seeds", "0..40", "--bug", "E7", "--max-fail", "0"];
            let sweep = shell(&script, &[&seeds[..], &["--out", out.to_str().unwrap()]].concat());
            match sweep.code {
                // It may have been through, or not have listened yet: then there is nothing to be kept.
                Some(100) => ended[0] += 1,
                Some(of) if of == code => {
                    interrupted[0] += 1;
                    if !sweep.out.is_empty() {
                        assert!(sweep.out.contains("INTERRUPTED after "), "{sweep:?}");
                        let report = report(&out)["failures"].to_string();
                        for signature in found_in(&sweep.out) {
                            assert!(report.contains(&format!("\"{signature}\"")), "{signature} is lost");
                        }
                    }
                }
                other => panic!("{other:?} after {after} ms: {sweep:?}"),
            }
            let small = out.join("small.capsule.json");
            let script = format!(
                r#""$0" shrink leader-isolation --bug L2 --seed 1 --time 10m --progress none -o "$1" & pid=$!
                sleep {}.{:03}; kill -{signal} $pid; wait $pid"#,
                after / 1000,
                after % 1000
            );
            let shrink = shell(&script, &[small.to_str().unwrap()]);
            match shrink.code {
                Some(0) => ended[1] += 1,
                Some(of) if of == code => interrupted[1] += 1,
                other => panic!("{other:?} after {after} ms: {shrink:?}"),
            }
            if shrink.out.contains("shrunk") {
                let again = squall(&["replay", small.to_str().unwrap(), "--expect", "same"]);
                assert_eq!(again.code, Some(0), "{again:?}");
            } else {
                assert!(!small.exists(), "half of a file: {shrink:?}");
            }
            let left = fs::read_dir(&out).unwrap().filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().starts_with(".squall-")
            });
            assert_eq!(left.count(), 0, "a temporary file stays behind");
        }
        println!(
            "SIG{signal}: 10 sweeps ({} interrupted, {} through before), 10 shrinks ({} interrupted, {} through before): codes {code} or the verdict's",
            interrupted[0], ended[0], interrupted[1], ended[1]
        );
    }
}

#[test]
#[ignore = "some minutes: `make drills`; needs to be root for a small file system"]
fn a_small_file_system_that_is_full() {
    let at = folder("drill-full");
    let disk = at.to_str().unwrap();
    let mounted = shell(r#"mount -t tmpfs -o size=64k none "$1""#, &[disk]);
    if mounted.code != Some(0) {
        return println!("no small file system can be mounted here: {}", mounted.err.trim());
    }
    let all: [(&[&str], i32); 4] = [
        (
            &[
                "sweep",
                "leader-isolation",
                "--bug",
                "L2",
                "--seeds",
                "0..3",
                "--out",
                "@",
            ],
            100,
        ),
        (
            &[
                "run",
                "leader-isolation",
                "--bug",
                "L2",
                "--seed",
                "1",
                "--trace",
                "@/t.jsonl",
                "--junit",
                "@/j.xml",
            ],
            100,
        ),
        (&["run", "calm", "--seed", "1", "--trace", "@/t.jsonl"], 0),
        (
            &[
                "sweep",
                "leader-isolation",
                "--bug",
                "L2",
                "--seeds",
                "0..3",
                "--out",
                "@",
                "--isolate",
                "--shrink",
                "first",
            ],
            100,
        ),
    ];
    for (number, (args, code)) in all.into_iter().enumerate() {
        let args: Vec<String> = args.iter().map(|arg| arg.replace('@', disk)).collect();
        let full = command().args(&args).output().unwrap();
        let out = String::from_utf8_lossy(&full.stdout).into_owned();
        assert_eq!(full.status.code(), Some(code), "{full:?}");
        if code == 100 {
            assert!(
                out.contains("read-freshness/stale-read") && out.contains("--seed 0x0000000000000001"),
                "{out}"
            );
        }
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let redirected = shell(&format!(r#""$0" "$@" > "{disk}/out{number}""#), &words);
        assert_eq!(redirected.code, Some(code), "{redirected:?}");
    }
    shell(r#"umount "$1""#, &[disk]);
    println!("a file system of 64 KiB: 8 of 8 verdicts and codes are as without");
}
