//! An idle cluster allocates nothing: its heartbeats, their answers and its timers live in what it has.

use raft_core::{Body, Config, DurableState, Input, Message, NodeId, Output, Persist, Raft, Role, Time};

const MILLISECOND: u64 = 1_000_000;

/// Cores whose messages arrive after a millisecond and whose writes are durable at once. Its own buffers are reused.
struct Cluster {
    nodes: Vec<Raft>,
    now: Time,
    wire: Vec<Message>,
    arriving: Vec<Message>,
    heartbeats: u64,
    answers: u64,
}

impl Cluster {
    fn new(size: u64) -> Self {
        let voters: Vec<NodeId> = (0..size).map(NodeId).collect();
        let node = |id: &NodeId| {
            let config = Config::new(*id, voters.clone(), id.0);
            Raft::restore(config, DurableState::default(), Time(0)).expect("a valid configuration")
        };
        Self {
            nodes: voters.iter().map(node).collect(),
            now: Time(0),
            wire: Vec::with_capacity(64),
            arriving: Vec::with_capacity(64),
            heartbeats: 0,
            answers: 0,
        }
    }

    fn input(&mut self, at: usize, input: Input) {
        let node = &mut self.nodes[at];
        node.handle(self.now, input);
        while let Some(output) = node.poll_output() {
            match output {
                Output::Send(message) => self.wire.push(message),
                Output::Persist(Persist { id, then, .. }) => {
                    self.wire.extend(then);
                    node.handle(self.now, Input::Persisted(id));
                }
                Output::Apply(entry) => node.handle(self.now, Input::Applied(entry.index)),
                other => unreachable!("nothing was asked for: {other:?}"),
            }
        }
    }

    /// Time passes in steps of a millisecond.
    fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds {
            self.now = self.now.after(MILLISECOND);
            core::mem::swap(&mut self.wire, &mut self.arriving);
            while let Some(message) = self.arriving.pop() {
                match message.body {
                    Body::AppendEntries { .. } => self.heartbeats += 1,
                    Body::AppendAccepted { .. } => self.answers += 1,
                    _ => {}
                }
                self.input(message.to.0 as usize, Input::Message(message));
            }
            for at in 0..self.nodes.len() {
                if self.nodes[at]
                    .next_deadline()
                    .is_some_and(|deadline| deadline <= self.now)
                {
                    self.input(at, Input::Timeout);
                }
            }
        }
    }
}

#[test]
fn a_heartbeat_and_its_answer_allocate_nothing() {
    let mut cluster = Cluster::new(5);
    cluster.run(2_000);
    assert!(
        cluster.nodes.iter().any(|node| node.role() == Role::Leader),
        "a leader was to be elected"
    );
    (cluster.heartbeats, cluster.answers) = (0, 0);
    let allocations = allocation_counter::measure(|| cluster.run(10_000));
    assert!(
        cluster.heartbeats >= 4 * 190,
        "{} heartbeats in ten seconds",
        cluster.heartbeats
    );
    assert_eq!(cluster.answers, cluster.heartbeats);
    assert_eq!(allocations.count_total, 0, "{} bytes in all", allocations.bytes_total);
}
