//! One core on its own: it is given messages from node 2 and its writes complete at once.

use raft_core::{
    Body, Config, Content, DurableState, Entry, HardState, Input, Mark, Message, NodeId, Output, Raft, Stamp, Term,
    Time,
};

/// One core of a cluster of `size`, whose log holds an entry of each of `terms`.
pub fn core(size: u64, term: Term, terms: &[Term], configure: fn(&mut Config)) -> Raft {
    let entry = |(term, index): (&Term, u64)| Entry {
        index,
        term: *term,
        content: Content::Noop,
    };
    let entries = terms.iter().zip(1..).map(entry).collect();
    let mut config = Config::new(NodeId(1), (1..=size).map(NodeId).collect(), 1);
    configure(&mut config);
    let hard_state = HardState { term, voted_for: None };
    let durable = DurableState {
        hard_state,
        entries,
        ..DurableState::default()
    };
    let mut raft = Raft::restore(config, durable, Time(0)).unwrap();
    // A node that has run before waits for the leader that it may have heard of. Here, it has waited.
    let waited = raft.next_deadline().map_or(0, |deadline| deadline.0 - 1);
    raft.handle(Time(waited), Input::Timeout);
    raft
}

pub fn from_2(term: Term, body: Body) -> Input {
    Input::Message(Message {
        from: NodeId(2),
        to: NodeId(1),
        term,
        body,
    })
}

pub fn append(prev: (u64, Term), terms: &[Term], commit: u64) -> Body {
    let entry = |(term, index): (&Term, u64)| Entry {
        index,
        term: *term,
        content: Content::Noop,
    };
    let entries = terms.iter().zip(prev.0 + 1..).map(entry).collect();
    Body::AppendEntries {
        prev: Mark {
            term: prev.1,
            index: prev.0,
        },
        entries,
        commit,
        quiesce: false,
        stamp: Stamp::default(),
    }
}

/// The bodies that the core sends, its writes completing at once.
pub fn replies(raft: &mut Raft, input: Input) -> Vec<(Term, Body)> {
    let mut sent = Vec::new();
    let mut inputs = vec![input];
    while let Some(input) = inputs.pop() {
        raft.handle(Time(1), input);
        while let Some(output) = raft.poll_output() {
            match output {
                Output::Send(message) => sent.push((message.term, message.body)),
                Output::Persist(write) => {
                    sent.extend(write.then.into_iter().map(|message| (message.term, message.body)));
                    inputs.push(Input::Persisted(write.id));
                }
                Output::Apply(entry) => inputs.insert(0, Input::Applied(entry.index)),
                Output::Answer(_) | Output::Restore(_) | Output::TakeSnapshot { .. } => {}
            }
        }
    }
    sent
}
