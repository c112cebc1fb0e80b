//! A crate that tests a replicated store with Squall: what it takes is in `tests/store.rs` and `tests/rolling-isolation.toml`.
