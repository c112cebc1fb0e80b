//! Checks a history file against a model of one's own: `own_model HISTORY`.
//!
//! The object is a rate limiter: `acquire` is granted (an integer) at most three times, then refused (null), until `write`
//! refills it. Nothing but `checker` is needed.

use std::process::ExitCode;

use checker::history::{Atom, History, Op, Output};
use checker::linearizability::{Options, check};
use checker::models::Sequential;

#[derive(Clone)]
struct Limiter {
    permits: u32,
}

impl Sequential for Limiter {
    type State = u32;

    fn name(&self) -> &'static str {
        "limiter"
    }

    fn initial(&self) -> u32 {
        self.permits
    }

    fn misfit(&self, _: &History, op: Op<Atom>, _: Option<Output<Atom>>) -> Option<&'static str> {
        (!matches!(op, Op::Acquire { .. } | Op::Write { .. }))
            .then_some("a limiter has acquire, and write to refill it")
    }

    fn apply(&self, left: &mut u32, _: &History, op: Op<Atom>, output: Option<Output<Atom>>) -> bool {
        if let Op::Write { .. } = op {
            *left = self.permits;
            return true;
        }
        let granted = *left > 0;
        *left -= u32::from(granted);
        !matches!(output, Some(Output::Value(answer)) if (answer != Atom::Null) != granted)
    }

    fn show(&self, left: &u32, _: &History) -> String {
        format!("{left} permits")
    }
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: own_model HISTORY")?;
    let history = History::read(std::io::BufReader::new(std::fs::File::open(path)?))?;
    let report = check(&history, &Limiter { permits: 3 }, &Options::default())?;
    println!("{report}");
    Ok(ExitCode::from(u8::from(!report.is_linearizable())))
}
