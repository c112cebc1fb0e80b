//! What Squall's engine has to know of the service.

use super::bugs;
use super::config::NodeConfig;
use super::node::KvNode;
use super::protocol::{Request, Response};
use super::{recovery, scenarios};
use checker::properties::PROPERTIES;
use raft_core::{Config, NodeId as Id};
use simulator::{Duration, LocalTime, NodeId};
use squall::operation::Operation;
use squall::scenario::Model;
use squall::situations::Situation;
use squall::system::{Advance, Answer, Attempt, Cluster, NotPlanted, Obstacle, PlantedBug, Survivors, System, Tell};
use std::collections::BTreeSet;

/// A key-value service with client sessions on `raft-core`, and beside texts eleven types of objects.
#[derive(Clone, Copy, Debug, Default)]
pub struct RaftKv;

/// The kinds of messages between nodes, as a `hold` names them.
pub const MESSAGE_KINDS: [&str; 13] = [
    "pre-vote",
    "pre-vote-reply",
    "request-vote",
    "vote-reply",
    "heartbeat",
    "append-entries",
    "append-accepted",
    "append-rejected",
    "install-snapshot",
    "snapshot-progress",
    "timeout-now",
    "read-index",
    "read-index-reply",
];

impl System for RaftKv {
    type Process = KvNode;

    fn name(&self) -> &'static str {
        "raft-kv"
    }

    fn about(&self) -> &'static str {
        "a replicated key-value service with client sessions on raft-core"
    }

    fn models(&self) -> &'static [Model] {
        MODELS
    }

    fn scenarios(&self) -> Vec<(&'static str, &'static str)> {
        scenarios::FILES.to_vec()
    }

    fn message_kinds(&self) -> &'static [&'static str] {
        &MESSAGE_KINDS
    }

    fn boot(&self, cluster: &Cluster<'_>, node: NodeId) -> NodeConfig {
        let Cluster { scenario, draw, .. } = *cluster;
        let id = node.0;
        let founders = if id < draw.nodes { draw.nodes } else { 0 };
        let voters = (0..founders).map(|id| Id(id.into())).collect();
        let size = |bytes: u64| usize::try_from(bytes).expect("bounded by the scenario format");
        let mut raft = Config::new(Id(id.into()), voters, 0);
        raft.election_timeout_min = scenario.cluster.election.min_ns;
        raft.election_timeout_max = scenario.cluster.election.max_ns;
        raft.heartbeat_interval = scenario.cluster.heartbeat_ns;
        raft.pre_vote = draw.pre_vote;
        raft.check_quorum = draw.check_quorum;
        raft.lease_drift_ppm = draw.lease_drift_ppm;
        raft.priority = if draw.priorities {
            Config::PRIORITY_MAX - (id as u8).min(Config::PRIORITY_MAX)
        } else {
            Config::PRIORITY_MAX
        };
        raft.quiesce_after = draw.quiesce_ns;
        raft.append_entries_max = draw.max_entries_per_append as usize;
        raft.append_bytes_max = size(draw.max_bytes_per_append);
        raft.inflight_max = draw.max_inflight as usize;
        raft.snapshot_threshold = (draw.snapshot_threshold > 0).then_some(draw.snapshot_threshold.into());
        raft.snapshot_tail = draw.snapshot_tail.into();
        raft.snapshot_chunk_bytes = size(draw.snapshot_chunk_bytes);
        NodeConfig {
            raft,
            codec: draw.codec,
            flips: cluster.flips,
            follower_reads: draw.follower_reads,
            distrust: scenario.disk.distrust && draw.damageable.contains(id),
            observe: true,
            bug: cluster.bug.map(bugs::place),
        }
    }

    fn request(&self, operation: Operation, attempt: Attempt) -> Option<Request> {
        let Attempt { session, sequence } = attempt;
        Some(Request {
            session,
            sequence,
            operation,
        })
    }

    fn answer(&self, response: Response) -> Answer {
        let Response {
            sequence,
            reply,
            applied,
        } = response;
        Answer {
            sequence,
            reply,
            applied: Some(applied),
        }
    }

    fn has_log_settings(&self) -> bool {
        true
    }

    fn has_client_connections(&self) -> bool {
        false
    }

    fn copy(&self, process: &KvNode) -> Option<KvNode> {
        Some(process.clone())
    }

    fn log_properties(&self) -> Vec<&'static str> {
        PROPERTIES.iter().map(|property| property.name).collect()
    }

    fn situations(&self) -> Vec<Situation> {
        Situation::ALL.to_vec()
    }

    fn observe<T: Tell>(&self, process: &mut KvNode, tell: &mut T) -> Result<(), T::Stop> {
        process.observer().tell(tell)
    }

    fn bugs(&self) -> &'static [PlantedBug] {
        bugs::planted_bugs()
    }

    fn drills(&self) -> &'static [PlantedBug] {
        bugs::drills()
    }

    fn not_planted(&self) -> &'static [NotPlanted] {
        bugs::NOT_PLANTED
    }

    fn is_led(&self, survivors: &Survivors<'_, KvNode>) -> bool {
        recovery::leader(survivors).is_some()
    }

    fn obstacle(&self, survivors: &Survivors<'_, KvNode>) -> Option<Obstacle> {
        recovery::obstacle(survivors)
    }

    fn advance(&self, process: &KvNode) -> Advance {
        let status = process.raft().status();
        Advance {
            has: status.last_index,
            applied: status.applied,
            decided: status.commit,
            receiving: process.raft().receiving().unwrap_or_default(),
        }
    }

    fn catch_up(&self, survivors: &Survivors<'_, KvNode>, cluster: &Cluster<'_>) -> Duration {
        recovery::catch_up_allowance(survivors, cluster)
    }

    fn waits_until(&self, process: &KvNode) -> Option<LocalTime> {
        process.raft().next_deadline().map(|deadline| LocalTime(deadline.0))
    }

    fn can_do_without(
        &self,
        lost: &BTreeSet<NodeId>,
        all: &Survivors<'_, KvNode>,
        (asked, scripted): (&BTreeSet<Vec<u16>>, &[Operation]),
    ) -> bool {
        recovery::can_go_on_without(all, lost, asked, scripted)
    }
}

/// Every workload, the usual one first.
pub const MODELS: &[Model] = &{
    let mut models = [Model::Kv; Model::ALL.len()];
    let mut at = 0;
    while at < models.len() {
        models[at] = Model::ALL[at].1;
        at += 1;
    }
    models
};
