//! The `squall` binary from outside: what it prints, what it writes, and the code that it exits with.

mod bad_input;
mod bugs;
mod capsules;
mod check;
mod ci;
mod drills;
mod explain;
mod faults;
mod isolate;
mod kept;
mod list;
mod run;
mod sweep;
mod traces;

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

/// What a call of the binary gave.
#[derive(Debug)]
struct Called {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Called {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{self:?}"))
    }
}

impl From<Output> for Called {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the binary writes UTF-8");
        let called = Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert!(
            !called.err.contains("panicked at"),
            "a panic of the tool itself: {}",
            called.err
        );
        called
    }
}

const BINARY: &str = env!("CARGO_BIN_EXE_squall");

fn command() -> Command {
    let mut command = Command::new(BINARY);
    for variable in ["FORMAT", "COLOR", "PROGRESS", "SEEDS", "JOBS", "OUT"] {
        command.env_remove(format!("SQUALL_{variable}"));
    }
    // Most tests look at other things than the smallest failure.
    command.env("SQUALL_SHRINK", "off");
    command.env_remove("CLICOLOR_FORCE").env_remove("GITHUB_STEP_SUMMARY");
    command
}

fn squall(args: &[&str]) -> Called {
    command().args(args).output().expect("the binary starts").into()
}

/// An empty folder of this test's own.
fn folder(test: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("the target folder can be written");
    path
}

/// A file of this test's own.
fn file(test: &str, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder(test).join(name);
    std::fs::write(&path, content).expect("the target folder can be written");
    path.to_str().expect("a path in UTF-8").to_owned()
}
