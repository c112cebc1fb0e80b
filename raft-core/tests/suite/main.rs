//! The core as its users see it, tested in one program: each one more would be linked anew with all that it tests.

mod common;
mod elections;
mod feature_table;
mod interleavings;
mod leadership;
mod membership;
mod quorum;
mod reads;
mod replication;
mod snapshots;
mod storage;
mod wire;
