//! What continuous integration reads of `squall run`, `sweep` and `replay`.

use super::{command, folder, squall};
use quick_junit::{Report, TestCaseStatus};

const BUG: [&str; 6] = ["leader-isolation", "--bug", "L2", "--seeds", "0..3", "-q"];

fn report(xml: &str) -> Report {
    Report::deserialize_from_str(xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
}

#[test]
fn a_sweep_writes_junit_annotations_and_a_summary_with_the_line_that_replays_each_failure() {
    let folder = folder("ci-sweep");
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (junit, markdown, step) = (at("junit.xml"), at("summary.md"), at("step.md"));
    std::fs::write(&step, "of another step\n").unwrap();
    let files = [
        "--junit",
        &junit,
        "--markdown",
        &markdown,
        "--format",
        "github",
        "--out",
        &at("out"),
    ];
    let sweep = command()
        .env("GITHUB_STEP_SUMMARY", &step)
        .arg("sweep")
        .args(BUG)
        .args(files)
        .output()
        .unwrap();
    assert_eq!(sweep.status.code(), Some(100));
    let replay = "squall run leader-isolation --seed 0x0000000000000001 --bug L2";
    let out = String::from_utf8(sweep.stdout).unwrap();
    let error = out.lines().next().unwrap();
    assert!(
        error.starts_with("::error title=leader-isolation%3A read-freshness/stale-read::"),
        "{out}"
    );
    assert!(
        error.contains(&format!("%0Aseed: 0x0000000000000001%0Areplay: {replay}%0A")),
        "{out}"
    );
    assert!(
        out.lines()
            .last()
            .unwrap()
            .starts_with("::notice title=squall sweep::FAIL 1 of "),
        "{out}"
    );
    let report = report(&std::fs::read_to_string(&junit).unwrap());
    let cases = &report.test_suites[0].test_cases;
    assert_eq!((cases.len(), report.failures), (1, 1));
    assert!(matches!(cases[0].status, TestCaseStatus::NonSuccess { .. }));
    assert!(cases[0].system_out.as_ref().unwrap().as_str().contains(replay));
    let told = folder.join("out/failures/read-freshness--stale-read/explained.txt");
    let told = std::fs::read_to_string(told).unwrap();
    assert!(
        told.contains("breaks read-freshness") && !told.contains('\u{1b}'),
        "{told}"
    );
    let summary = std::fs::read_to_string(&markdown).unwrap();
    assert!(
        summary.contains("| read-freshness/stale-read | leader-isolation | `0x0000000000000001` | 1 |"),
        "{summary}"
    );
    assert!(summary.contains(replay), "{summary}");
    assert_eq!(
        std::fs::read_to_string(&step).unwrap(),
        format!("of another step\n{summary}")
    );
}

#[test]
fn run_and_replay_write_them_too() {
    let folder = folder("ci-run");
    let trace = folder.join("trace.jsonl").to_str().unwrap().to_owned();
    let run = squall(&["run", "calm", "--seed", "1", "--trace", &trace, "--format", "junit"]);
    let passed = report(&run.out);
    assert_eq!((run.code, passed.tests, passed.failures), (Some(0), 1, 0));
    assert_eq!(
        passed.test_suites[0].test_cases[0].classname.as_ref().unwrap().as_str(),
        "calm"
    );
    let replay = squall(&["replay", &trace, "--format", "markdown"]);
    assert_eq!(replay.code, Some(0));
    assert!(
        replay
            .out
            .starts_with("### squall replay: PASS 0x0000000000000001  calm\n"),
        "{}",
        replay.out
    );
    let text = std::fs::read_to_string(&trace).unwrap();
    let (body, footer) = text.trim_end().rsplit_once('\n').unwrap();
    let (before, after) = footer.split_once("\"digest\":\"").unwrap();
    std::fs::write(&trace, format!("{body}\n{before}\"digest\":\"0{}\n", &after[1..])).unwrap();
    let differs = squall(&["replay", &trace, "--format", "junit"]);
    let differs = (differs.code, report(&differs.out));
    assert_eq!(
        (differs.0, differs.1.failures),
        (Some(103), 1),
        "another digest is a failure"
    );
}

#[test]
fn a_command_without_such_a_format_says_so() {
    for format in ["junit", "github", "markdown"] {
        let refused = squall(&["list", "scenarios", "--format", format]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.err.contains("use --format human or json"), "{}", refused.err);
    }
    let passed = squall(&["run", "calm", "--seed", "1", "--junit", "/no/such/folder/x.xml"]);
    assert!(
        passed.code == Some(0) && passed.err.contains("/no/such/folder/x.xml: cannot be created"),
        "{passed:?}"
    );
}

#[test]
fn completions_and_manual_pages_are_there_for_every_command() {
    let bash = squall(&["completions", "bash"]);
    assert!(
        bash.code == Some(0) && bash.out.contains("squall__subcmd__sweep"),
        "{}",
        bash.out
    );
    assert_eq!(squall(&["completions", "cobol"]).code, Some(2));
    let folder = folder("man").join("man1");
    let written = squall(&["man", "--dir", folder.to_str().unwrap()]);
    assert_eq!(written.code, Some(0), "{written:?}");
    for page in ["squall.1", "squall-sweep.1", "squall-bugs-run.1", "squall-explain.1"] {
        let text = std::fs::read_to_string(folder.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(".SH NAME"), "{page}");
    }
    assert!(squall(&["man"]).out.contains(".TH squall 1"));
}
