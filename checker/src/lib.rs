//! Histories, models and verdicts.

pub mod history;
pub mod linearizability;
pub mod models;
pub mod properties;
