//! What a check costs on large histories: CPU time and peak memory of the check alone, the history in memory and parsing apart.
//!
//! `make bench-checker` runs every row; `cargo bench -p checker --bench linearizability -- WORD…` those whose names contain one of
//! the words, and `smoke` stands for those of at most 10,000 operations. Each row is a process of its own. A row that ends as
//! *unknown* ran out of its default budget; its time is that of the whole budget.
//!
//! The histories come from `tests/support/long.rs`, the same for everybody: clients take turns at random, and a broken one has a
//! single stale answer. Names: `model-kKEYS-VALUES-cCLIENTS-uUNKNOWN-OPERATIONS-ok|bad`.

// A benchmark is about the time that passes, and divides.
#![allow(clippy::float_arithmetic, missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::Command;

use checker::history::{History, jsonl};
use checker::linearizability::{Guide, Options, Report, Verdict, check_guided};
use checker::models::{Model, Visitor, visit};
use rustix::time::{ClockId, clock_gettime};
use support::long::{self, Long, Shape};
use support::oracle::{Values, initial};

/// The argument with which the benchmark starts itself for one row.
const ROW: &str = "--row";

/// One row: a history, and whether the order in which its operations took effect is given.
#[derive(Clone, Copy)]
struct Row {
    shape: Shape,
    is_guided: bool,
}

impl Row {
    fn name(&self) -> String {
        let Shape {
            model,
            clients,
            keys,
            values,
            unknown,
            operations,
            is_broken,
        } = self.shape;
        let values = match values {
            Values::Distinct => "distinct".to_owned(),
            Values::Few(count) => format!("v{count}"),
        };
        let guided = if self.is_guided { "-guided" } else { "" };
        let verdict = if is_broken { "bad" } else { "ok" };
        format!("{model}-k{keys}-{values}-c{clients}-u{unknown}-{operations}{guided}-{verdict}")
    }
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add =
        |model: &'static str, keys: u64, values: Values, clients: &[u32], unknown: &[u64], operations: &[usize]| {
            for &operations in operations {
                for &clients in clients {
                    for &unknown in unknown {
                        for is_broken in [false, true] {
                            let shape = Shape {
                                model,
                                clients,
                                keys,
                                values,
                                unknown,
                                operations,
                                is_broken,
                            };
                            rows.push(Row {
                                shape,
                                is_guided: false,
                            });
                        }
                    }
                }
            }
        };
    let distinct = Values::Distinct;
    let sizes = [1_000, 10_000, 100_000, 1_000_000];
    add("register", 1, distinct, &[5, 20, 100], &[0, 20], &sizes);
    add("cas-register", 1, distinct, &[5, 20, 100], &[0, 20], &sizes);
    add("cas-register", 1000, distinct, &[5, 20, 100], &[0, 20], &[1_000_000]);
    add(
        "cas-register",
        1,
        Values::Few(5),
        &[5, 20],
        &[0, 20],
        &[1_000, 10_000, 1_000_000],
    );
    add("append-list", 1000, distinct, &[5, 20], &[0, 20], &[100_000]);
    add("queue", 1, distinct, &[5, 20], &[0, 20], &sizes);
    add("stack", 1, distinct, &[20], &[0], &[10_000]);
    add("priority-queue", 1, distinct, &[20], &[0], &[10_000]);
    add("set", 1000, distinct, &[20], &[0], &[10_000, 100_000]);
    add("bank", 1, distinct, &[5, 20], &[0], &[1_000, 10_000]);
    let guided = rows
        .iter()
        .filter(|row| row.shape.model == "bank" && !row.shape.is_broken)
        .copied()
        .collect::<Vec<_>>();
    rows.extend(guided.into_iter().map(|row| Row { is_guided: true, ..row }));
    rows
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if let [flag, name] = &arguments[..]
        && flag == ROW
    {
        let row = rows()
            .into_iter()
            .find(|row| row.name() == *name)
            .expect("a row by its name");
        return println!("{}", measure(row));
    }
    println!("{:<48} {:>10} {:>9}  verdict", "history", "CPU", "peak");
    let program = std::env::current_exe().expect("a running program has a file");
    for row in rows() {
        let name = row.name();
        let wanted = |word: &String| name.contains(word.as_str()) || word == "smoke" && row.shape.operations <= 10_000;
        if arguments.is_empty() || arguments.iter().any(wanted) {
            let output = Command::new(&program)
                .args([ROW, &name])
                .output()
                .expect("the benchmark starts itself");
            print!("{name:<48} {}", String::from_utf8_lossy(&output.stdout));
        }
    }
    println!("{}", parsing());
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Peak memory of this process in MiB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib >> 10)
}

struct Check<'h>(&'h History, Guide<'h>);

impl Visitor for Check<'_> {
    type Output = Report;

    fn visit<M: Model>(self, model: &M) -> Report {
        check_guided(self.0, model, &Options::default(), self.1).expect("the operations fit the model")
    }
}

fn measure(row: Row) -> String {
    let Long { history, order } = long::history(row.shape, 1);
    // What the generator took is no part of the peak. Where that cannot be reset, the peak is too high and never too low.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let guide = Guide {
        order: row.is_guided.then_some(&order[..]),
        ..Guide::default()
    };
    let before = cpu();
    let report = visit(
        row.shape.model,
        initial(row.shape.model).as_ref(),
        Check(&history, guide),
    )
    .expect("a known model");
    let spent = (cpu() - before) * 1e3;
    let verdict = match report.verdict {
        Verdict::Linearizable(_) => "linearizable",
        Verdict::NotLinearizable(_) => "not linearizable",
        Verdict::Unknown(_) => "unknown",
    };
    let is_expected = match report.verdict {
        Verdict::Linearizable(_) => !row.shape.is_broken,
        Verdict::NotLinearizable(_) => row.shape.is_broken,
        Verdict::Unknown(_) => true,
    };
    let unexpected = if is_expected { "" } else { "  WRONG" };
    let methods: Vec<&str> = report.methods.iter().map(|(method, _)| method.name()).collect();
    let peak = peak().map_or_else(|| "?".to_owned(), |mib| format!("{mib} MiB"));
    format!(
        "{spent:>7.1} ms {peak:>9}  {verdict} ({}){unexpected}",
        methods.join(", ")
    )
}

/// How fast JSON Lines are read.
fn parsing() -> String {
    let shape = Shape {
        model: "cas-register",
        clients: 20,
        keys: 1,
        values: Values::Distinct,
        unknown: 20,
        operations: 500_000,
        is_broken: false,
    };
    let mut bytes = Vec::new();
    jsonl::write(&long::history(shape, 1).history, &mut bytes).expect("memory does not fail");
    let before = cpu();
    let history = History::read(&bytes[..]).expect("what was written is read");
    let spent = cpu() - before;
    let rate = bytes.len() as f64 / spent / 1e6;
    format!(
        "reading JSON Lines: {rate:.0} MB/s ({} operations, {} MB)",
        history.operations().len(),
        bytes.len() / 1_000_000
    )
}
