//! Checks many generated histories, for measuring from outside: `time throughput [HISTORIES] [OPERATIONS] [REPEATS]`.
//!
//! Each history has five clients and five keys: reads, writes, compare-and-sets and appends in equal parts, one operation
//! in fifty without an outcome. All are linearizable by construction; every second history writes new values only.

use checker::history::{History, Op, OperationId, Output};
use checker::linearizability::{Options, check};
use checker::models::KeyValue;

const CLIENTS: u32 = 5;
const KEYS: [&str; 5] = ["k0", "k1", "k2", "k3", "k4"];

/// A linear congruential generator (Knuth's MMIX constants): no quality is needed here.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// An operation in flight: its answer once it has taken effect, the index of its key, and what was asked.
type Flight = (OperationId, Option<Output<String>>, usize, Op<String>);

/// Clients take turns at random; an operation takes effect when its client's turn comes in between.
fn generate(seed: u64, operations: u32) -> History {
    let mut draws = Draws(seed);
    let mut history = History::new();
    let mut held = KEYS.map(|_| String::new());
    let mut flights: Vec<Option<Flight>> = vec![None; CLIENTS as usize];
    let (mut time, mut called) = (0, 0);
    while called < operations || flights.iter().any(Option::is_some) {
        time += 1;
        let client = draws.below(u64::from(CLIENTS)) as usize;
        match flights[client].take() {
            None if called < operations => {
                called += 1;
                let key = draws.below(KEYS.len() as u64) as usize;
                let text = if seed.is_multiple_of(2) {
                    format!("{called}.")
                } else {
                    format!("{}.", draws.below(3))
                };
                let (name, current) = (KEYS[key].to_owned(), held[key].clone());
                let op = match draws.below(4) {
                    0 => Op::Read { key: name },
                    1 => Op::Write { key: name, value: text },
                    2 => Op::Cas {
                        key: name,
                        from: current,
                        to: text,
                    },
                    _ => Op::Append { key: name, value: text },
                };
                let id = match &op {
                    Op::Read { key } => history.invoke(client as u32, time, Op::read(key)),
                    Op::Write { key, value } => history.invoke(client as u32, time, Op::write(key, value)),
                    Op::Cas { key, from, to } => history.invoke(client as u32, time, Op::cas(key, from, to)),
                    Op::Append { key, value } => history.invoke(client as u32, time, Op::append(key, value)),
                };
                flights[client] = Some((id, None, key, op));
            }
            Some((id, None, key, op)) => {
                let answer = match &op {
                    Op::Read { .. } => Output::Value(held[key].clone()),
                    Op::Write { value, .. } => {
                        held[key].clone_from(value);
                        Output::Ok
                    }
                    Op::Append { value, .. } => {
                        held[key].push_str(value);
                        Output::Ok
                    }
                    Op::Cas { from, to, .. } => {
                        let done = held[key] == *from;
                        if done {
                            held[key].clone_from(to);
                        }
                        Output::Cas(done)
                    }
                };
                flights[client] = Some((id, Some(answer), key, op));
            }
            Some((id, Some(answer), ..)) if draws.below(50) > 0 => {
                let output = match &answer {
                    Output::Value(text) => Output::value(text),
                    Output::Ok => Output::Ok,
                    Output::Cas(done) => Output::Cas(*done),
                };
                history.complete(id, time, output);
            }
            None | Some(_) => {}
        }
    }
    history
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<u32>().expect("a number"));
    let histories = arguments.next().unwrap_or(1000);
    let operations = arguments.next().unwrap_or(400);
    let repeats = arguments.next().unwrap_or(20);
    let (mut checked, mut steps) = (0, 0);
    for seed in 0..u64::from(histories) {
        let history = generate(seed, operations);
        for _ in 0..repeats {
            let report = check(&history, &KeyValue, &Options::default()).expect("the operations fit the model");
            assert!(report.is_linearizable(), "seed {seed}: {report}");
            checked += report.operations;
            steps += report.steps;
        }
    }
    println!("{histories} histories checked {repeats} times: {checked} operations, {steps} steps");
}
