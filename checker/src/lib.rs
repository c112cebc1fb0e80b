//! Holds recorded histories to sequential models, and replicated logs to their safety properties.
//!
//! Two independent halves, neither of which knows the system that was observed or how it was run:
//!
//! | module | is about |
//! |---|---|
//! | [`history`] | what clients asked, what they were told, and when; JSON Lines and Jepsen's EDN |
//! | [`models`] | what one client alone would see: registers, maps, collections, banks, locks, logs |
//! | [`linearizability`] | whether a history is linearizable in a model, with a proof either way |
//! | [`consistency`] | whether it is sequentially consistent, or would be linearizable if reads were stale within a bound |
//! | [`brute`] | the same question for a few operations, answered by trying every order |
//! | [`properties`] | safety properties of replicated logs, checked online over plain observations |
//!
//! # A history, checked
//!
//! ```
//! use checker::history::{History, Op, Output};
//! use checker::linearizability::{Options, check};
//! use checker::models::KeyValue;
//!
//! let mut history = History::new();
//! let write = history.invoke(1, 10, Op::write("x", "a"));
//! history.complete(write, 20, Output::Ok);
//! history.invoke(2, 15, Op::append("x", "b")); // no answer: it may have happened, and may yet
//! let read = history.invoke(1, 30, Op::read("x"));
//! history.complete(read, 40, Output::value("ab"));
//! assert!(check(&history, &KeyValue, &Options::default())?.is_linearizable());
//!
//! // The append was seen; now it is gone.
//! let stale = history.invoke(3, 50, Op::read("x"));
//! history.complete(stale, 60, Output::value("a"));
//! let report = check(&history, &KeyValue, &Options::default())?;
//! let refusal = report.refusal().expect("not linearizable");
//! assert_eq!(refusal.stuck.id, stale);
//! println!("{report}");
//! # Ok::<(), checker::models::Misfit>(())
//! ```
//!
//! # The models
//!
//! | model | operations | at first | answers |
//! |---|---|---|---|
//! | `register` | read, write | null, or the initial value | |
//! | `cas-register` | and cas | the same | a refused cas: the value was not `from` |
//! | `kv` | read, write, append, cas, delete | `""`; null means the same | values are texts |
//! | `counter` | add, read | 0 | an add may tell the total |
//! | `set` | add, remove, contains, read | empty | add and remove may tell whether they changed it |
//! | `append-list` | append, read | empty | a read lists every item |
//! | `event-log` | append, fetch, read | empty | an append tells the offset; a fetch lists all from one on |
//! | `queue`, `stack`, `priority-queue` | enqueue, dequeue; push, pop; insert, pop-min | empty | null from an empty one |
//! | `bank` | read, transfer, reserve, confirm, cancel | the initial balances | refused: money or saga is not there |
//! | `lock` | acquire, release, guard | free | a token 1, 2, 3, …, or null while it is held |
//! | `orders` | transition, read | null, or the initial state | refused: another state, or not in the table |
//! | `transactions` | txn | all registers null, or as given | the values read, or refused: nothing happened |
//!
//! A model of your own is a type with five short functions, [`models::Sequential`]; with a compact form, for speed, it is a
//! [`models::Model`].

pub mod brute;
pub mod consistency;
pub mod history;
pub mod linearizability;
pub mod models;
pub mod properties;
pub mod transactions;
