//! Real histories, recorded from etcd, RethinkDB, MongoDB and a key-value lab, with the verdicts of their own test suites.
//!
//! They are not part of the repository: the test looks for them beside the workspace, and says so when they are not there.

use std::fs;
use std::io::BufReader;
use std::path::PathBuf;

use checker::history::History;
use checker::linearizability::{Options, Verdict, check_history};

#[test]
fn every_known_verdict_is_reached() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/histories"));
    let Ok(table) = fs::read_to_string(folder.join("verdicts.tsv")) else {
        eprintln!("skipped: no recorded histories in {}", folder.display());
        return;
    };
    let (mut wrong, mut steps_total, mut count) = (Vec::new(), 0, 0);
    for row in table.lines().skip(1) {
        let fields: Vec<&str> = row.split('\t').collect();
        let (file, model, initial, expected) = (fields[0], fields[1], fields[2], fields[3]);
        let reader = BufReader::new(fs::File::open(folder.join(file)).expect("a file of the table exists"));
        let history = History::read(reader).unwrap_or_else(|error| panic!("{file}: {error}"));
        let model = if model.starts_with("kv") { "kv" } else { model };
        let initial = (model != "kv").then(|| initial.parse().expect("any text is an initial value"));
        let report = check_history(
            &history,
            model,
            &Options {
                initial,
                ..Options::default()
            },
        )
        .unwrap_or_else(|error| panic!("{file}: {error}"));
        let found = match &report.verdict {
            Verdict::Linearizable(_) => "linearizable",
            Verdict::NotLinearizable(refusal) => {
                assert!(
                    refusal.is_core_minimal,
                    "{file}: the core is small enough to be shown minimal"
                );
                "non-linearizable"
            }
            Verdict::Unknown(_) => "unknown",
        };
        println!("{file}: {report}\n");
        if found != expected {
            wrong.push(format!("{file}: expected {expected}, found {report}"));
        }
        steps_total += report.steps;
        count += 1;
    }
    println!("{count} histories, {steps_total} steps");
    assert!(
        wrong.is_empty(),
        "{} wrong verdicts:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
