//! Random histories for tests and benchmarks, the same for the same seed on every machine.
//!
//! `draws` is the chance, `oracle` answers operations as each data type does (a third implementation, beside the models and
//! their compact forms), `small` makes many tiny histories of any kind, `long` makes one large history that is linearizable by
//! construction or broken by one stale answer; `same` is a model that only
//! the general search can check; `laws` holds what a refusal says against every order (`orders`), and its sentence word for word (`claims`).

// Each test and benchmark uses a part.
#![allow(dead_code)]

pub mod claims;
pub mod draws;
pub mod laws;
pub mod long;
pub mod oracle;
pub mod orders;
pub mod same;
pub mod small;
