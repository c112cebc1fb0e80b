//! Capsules from outside: replayed as expected and otherwise, kept in a folder, told to continuous integration, written as other files.

use super::{Called, folder, squall};
use quick_junit::{Report, TestCaseStatus};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The capsule of a stale read, the same with something of its outcome changed, and one of a run that passes.
struct Files {
    stale: String,
    folder: std::path::PathBuf,
}

impl Files {
    fn new(test: &str) -> Self {
        let folder = folder(test);
        let files = Self {
            stale: folder.join("stale.capsule.json").to_str().unwrap().to_owned(),
            folder,
        };
        let bug = ["run", "leader-isolation", "--seed", "1", "--bug", "L2", "-q"];
        let made = squall(&[&bug[..], &["--capsule", &files.stale]].concat());
        assert_eq!(made.code, Some(100), "{made:?}");
        files
    }

    fn at(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// A copy of the stale read's capsule with another value in its outcome.
    fn with(&self, name: &str, key: &str, value: Value) -> String {
        let mut capsule: Value = serde_json::from_str(&fs::read_to_string(&self.stale).unwrap()).unwrap();
        capsule["outcome"][key] = value;
        let path = self.at(name);
        fs::write(&path, capsule.to_string()).unwrap();
        path
    }
}

fn report(called: &Called) -> Report {
    Report::deserialize_from_str(&called.out).unwrap_or_else(|error| panic!("{error}\n{called:?}"))
}

#[test]
fn a_replay_ends_as_expected_or_says_how_it_did_not() {
    let files = Files::new("capsule-replay");
    let replay = |file: &str, expect: &str| squall(&["replay", file, "--expect", expect]);
    let same = squall(&["replay", &files.stale]);
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(
        same.out
            .contains("reproduced: the capsule says read-freshness/stale-read, and every event is the same")
    );
    assert_eq!(replay(&files.stale, "same").code, Some(0));
    let not_mended = replay(&files.stale, "pass");
    assert_eq!(not_mended.code, Some(100), "{not_mended:?}");
    assert!(not_mended.out.contains("expected: pass"), "{}", not_mended.out);
    let digest = "0".repeat(64);
    let other = files.with("other.capsule.json", "digest", digest.into());
    let stale = replay(&other, "same");
    assert_eq!(stale.code, Some(103), "{stale:?}");
    assert!(
        stale.out.contains("reproduced") && stale.out.contains("stale"),
        "{}",
        stale.out
    );
    assert_eq!(
        replay(&other, "fail").code,
        Some(0),
        "the failure is the same, whatever came before it"
    );
    let another = files.with("another.capsule.json", "signature", "linearizable/kv".into());
    let changed = replay(&another, "fail");
    assert_eq!(changed.code, Some(97), "{changed:?}");
    assert!(
        changed
            .out
            .contains("another failure: the capsule says linearizable/kv"),
        "{}",
        changed.out
    );
    let refused = squall(&["replay", "0x1", "--expect", "pass"]);
    assert!(
        refused.code == Some(2) && refused.err.contains("--expect is for capsules"),
        "{refused:?}"
    );
}

#[test]
fn continuous_integration_reads_of_a_replayed_capsule() {
    let files = Files::new("capsule-ci");
    let (junit, markdown) = (files.at("junit.xml"), files.at("summary.md"));
    let reports = ["--junit", &junit, "--markdown", &markdown, "--format", "github"];
    let good = squall(&[&["replay", &files.stale][..], &reports].concat());
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(
        good.out.starts_with("::notice title=squall replay::PASS ") && good.out.lines().count() == 1,
        "{}",
        good.out
    );
    let passed = Report::deserialize_from_str(&fs::read_to_string(&junit).unwrap()).unwrap();
    assert_eq!((passed.tests, passed.failures, passed.errors), (1, 0, 0));
    assert!(fs::read_to_string(&markdown).unwrap().contains("1 capsule passed."));
    let another = files.with("another.capsule.json", "signature", "linearizable/kv".into());
    let bad = squall(&["replay", &another, "--format", "junit"]);
    assert_eq!(bad.code, Some(97));
    let bad = report(&bad);
    assert_eq!((bad.tests, bad.failures), (1, 1));
    let case = &bad.test_suites[0].test_cases[0];
    assert_eq!(
        (case.name.as_str(), case.classname.as_ref().unwrap().as_str()),
        ("capsule/another", "leader-isolation")
    );
    let TestCaseStatus::NonSuccess { message, .. } = &case.status else {
        panic!("{case:?}");
    };
    assert!(
        message
            .as_ref()
            .unwrap()
            .as_str()
            .starts_with("the capsule says linearizable/kv; now: ")
    );
    let out = case.system_out.as_ref().unwrap().as_str();
    assert!(
        out.contains("replay: squall replay ") && out.contains("another.capsule.json"),
        "{out}"
    );
    let annotated = squall(&["replay", &another, "--format", "github"]).out;
    assert!(
        annotated.starts_with("::error file=") && annotated.contains("title=leader-isolation%3A capsule/another::"),
        "{annotated}"
    );
    let table = squall(&["replay", &another, "--format", "markdown"]).out;
    assert!(
        table.starts_with("### squall replay: FAIL ") && table.contains("| capsule/another | leader-isolation |"),
        "{table}"
    );
}

#[test]
fn a_folder_of_capsules_is_added_to_verified_and_pruned() {
    let files = Files::new("capsule-corpus");
    let dir = files.at("corpus");
    let added = squall(&["corpus", "add", &files.stale, "--dir", &dir]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let kept = Path::new(&dir).join("l2-read-freshness--stale-read.capsule.json");
    assert!(kept.exists(), "{}", added.out);
    let again = squall(&["corpus", "add", &files.stale, "--dir", &dir]);
    assert!(
        again.out.contains("is of the same failure and not larger"),
        "{}",
        again.out
    );
    let mended = squall(&["corpus", "add", &files.stale, "--expect-pass", "--dir", &dir]);
    assert!(
        mended.code == Some(3) && mended.err.contains("ends otherwise"),
        "{mended:?}"
    );
    let verify = |more: &[&str]| squall(&[&["corpus", "verify", &dir][..], more].concat());
    assert_eq!(verify(&["--same"]).code, Some(0));
    // One that is as large, of the same failure, and one whose failure has become another.
    fs::copy(&files.stale, Path::new(&dir).join("zz-copy.capsule.json")).unwrap();
    let another = files.with("corpus/another.capsule.json", "signature", "linearizable/kv".into());
    let digest = "0".repeat(64);
    files.with("corpus/other.capsule.json", "digest", digest.into());
    let bad = verify(&["--format", "junit"]);
    assert_eq!(bad.code, Some(97), "{bad:?}");
    let bad = report(&bad);
    assert_eq!((bad.tests, bad.failures), (4, 1));
    assert_eq!(
        verify(&["--same"]).code,
        Some(103),
        "a stale one counts if it is asked for"
    );
    let junit = files.at("junit.xml");
    let annotated = verify(&["--format", "github", "--junit", &junit]);
    assert!(
        annotated
            .out
            .contains("::notice title=squall corpus verify::FAIL 4 capsules"),
        "{}",
        annotated.out
    );
    assert!(fs::read_to_string(&junit).unwrap().contains("squall replay "));
    assert!(verify(&["--format", "markdown"]).out.contains("3 capsules passed."));
    assert_eq!(squall(&["corpus", "list", &dir, "--format", "junit"]).code, Some(2));
    let pruned = squall(&["corpus", "prune", &dir]);
    assert_eq!(pruned.code, Some(0), "{pruned:?}");
    assert!(
        pruned.out.contains("removed another.capsule.json: its failure is gone"),
        "{}",
        pruned.out
    );
    assert!(pruned.out.contains("3 of 4 capsules removed"), "{}", pruned.out);
    assert!(kept.exists() && !Path::new(&another).exists());
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    assert_eq!(squall(&["corpus", "verify", &files.at("empty")]).code, Some(3));
}

#[test]
fn what_was_shrunk_is_written_as_a_scenario_that_fails_by_itself_and_as_a_test() {
    let files = Files::new("capsule-forms");
    let (small, toml, test) = (
        files.at("small.capsule.json"),
        files.at("small.toml"),
        files.at("small.rs"),
    );
    let forms = [
        "-o",
        &small,
        "--toml",
        &toml,
        "--rust-test",
        &test,
        "--attempts",
        "300",
        "--time",
        "10m",
    ];
    let shrunk = squall(&[&["shrink", &files.stale, "--progress", "none"][..], &forms].concat());
    assert_eq!(shrunk.code, Some(0), "{shrunk:?}");
    assert_eq!(squall(&["replay", &small, "--expect", "same"]).code, Some(0));
    let text = fs::read_to_string(&toml).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("fails in the same way"))
        .expect("it says so");
    let (_, seed) = line
        .split_once("squall run FILE --seed ")
        .unwrap_or_else(|| panic!("no seed fails: {text}"));
    let seed = seed.split(' ').next().unwrap();
    let run = squall(&["run", &toml, "--seed", seed, "--bug", "L2"]);
    assert_eq!(run.code, Some(100), "{run:?}");
    assert!(run.out.contains("read-freshness/stale-read"), "{}", run.out);
    assert_eq!(
        squall(&["run", &toml, "--seed", seed]).code,
        Some(0),
        "without the bug it passes"
    );
    let test = fs::read_to_string(&test).unwrap();
    for part in [
        "fn read_freshness_stale_read_is_gone()",
        "include_str!(\"small.capsule.json\")",
        "assert_eq!(report.failure, None)",
    ] {
        assert!(test.contains(part), "{test}");
    }
}
