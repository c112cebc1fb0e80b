//! What a server is booted with, and what upgrades make of it.

use super::bugs::Place;
use raft_core::Config;
use squall::scenario::{Codec, Flip, Flips};

/// What a node is booted with.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The settings of the core; its seed is drawn at each boot.
    pub raft: Config,
    /// What messages are encoded with.
    pub codec: Codec,
    /// The settings that are the other way round in every second version, if any are.
    pub flips: Option<Flips>,
    /// Whether reads are served on every node, or on the leader only.
    pub follower_reads: bool,
    /// Whether each restart takes the disk for one that may have forgotten what it was told to keep.
    pub distrust: bool,
    /// Whether the checkers look on.
    pub observe: bool,
    /// The planted bug that is switched on.
    pub(super) bug: Option<Place>,
}

impl NodeConfig {
    /// The settings of a version: those that are written, and in every second one some of them the other way round.
    pub(super) fn in_version(&self, version: u32) -> (Config, Codec) {
        let (mut raft, mut codec) = (self.raft.clone(), self.codec);
        let has = |flip| version % 2 == 1 && self.flips.is_some_and(|flips| flips.has(flip));
        if has(Flip::PreVote) {
            raft.pre_vote = !raft.pre_vote;
        }
        if has(Flip::CheckQuorum) {
            raft.check_quorum = !raft.check_quorum;
        }
        if has(Flip::Batches) {
            let (entries, bytes) = if raft.append_entries_max > 1 {
                (1, 256)
            } else {
                (64, 64 << 10)
            };
            (raft.append_entries_max, raft.append_bytes_max) = (entries, bytes);
        }
        if has(Flip::Window) {
            raft.inflight_max = if raft.inflight_max > 1 { 1 } else { 16 };
        }
        if has(Flip::Compression) {
            codec = if codec == Codec::Lz4 { Codec::Plain } else { Codec::Lz4 };
        }
        (raft, codec)
    }
}
