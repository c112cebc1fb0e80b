//! What clients do, and what they remember of it for the checker.

pub mod kv;
