//! What code under test can do to the process that it runs in: not consensus bugs, and not among them, but what the drills of `--isolate`
//! need. They are known to `--bug` under the names here, and listed nowhere else.

use super::{Place, Planted};
use std::hint::black_box;

/// What is done to the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// It is aborted.
    Abort,
    /// It is exited, with code 0.
    Exit,
    /// It goes on for ever.
    Loop,
    /// It asks for more memory than there is.
    Memory,
    /// It overflows its stack.
    Stack,
    /// It panics.
    Panic,
}

/// All of them.
pub(super) const SABOTAGE: &[Planted] = &[
    harm("sabotage-abort", Harm::Abort),
    harm("sabotage-exit", Harm::Exit),
    harm("sabotage-loop", Harm::Loop),
    harm("sabotage-memory", Harm::Memory),
    harm("sabotage-stack", Harm::Stack),
    harm("sabotage-panic", Harm::Panic),
];

const fn harm(id: &'static str, harm: Harm) -> Planted {
    Planted {
        id,
        name: id,
        about: "a leader of the third term or a later one harms the process that it runs in",
        origin: "",
        breaks: None,
        exposed_by: "--isolate",
        masked_by: "",
        place: Place::Process(harm),
    }
}

impl Harm {
    /// Does it.
    pub fn strike(self) {
        match self {
            Self::Abort => std::process::abort(),
            Self::Exit => std::process::exit(0),
            Self::Loop => loop {
                black_box(0);
            },
            Self::Memory => {
                // Never touched: what runs out is the address space that the process may have, not the machine.
                let mut all = Vec::new();
                loop {
                    all.push(Vec::<u8>::with_capacity(64 << 20));
                    black_box(&all);
                }
            }
            Self::Stack => {
                black_box(deeper(0));
            }
            Self::Panic => panic!("sabotaged"),
        }
    }
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn deeper(depth: u64) -> u64 {
    let room = black_box([depth; 64]);
    deeper(depth + 1) + room[0]
}
