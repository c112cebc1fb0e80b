//! Holds recorded histories to sequential models, and replicated logs to their safety properties.
//!
//! Two independent halves, neither of which knows the system that was observed or how it was run:
//!
//! | module | is about |
//! |---|---|
//! | [`history`] | what clients asked, what they were told, and when; JSON Lines and Jepsen's EDN |
//! | [`models`] | what one client alone would see: `register`, `cas-register`, `kv` |
//! | [`linearizability`] | whether a history is linearizable in a model, with a proof either way |
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
//! | model | values | operations | unset key reads | refused compare-and-set |
//! |---|---|---|---|---|
//! | `register` | null, integer, text | read, write | the initial value (null) | – |
//! | `cas-register` | null, integer, text | read, write, cas | the initial value (null) | the value was not `from` |
//! | `kv` | text (null is `""`) | read, write, append, cas | `""` | the value was not `from` |
//!
//! [`models::Model`] is open: implement it for another data type and [`linearizability::check`] takes it.

pub mod history;
pub mod linearizability;
pub mod models;
pub mod properties;
