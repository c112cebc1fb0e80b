//! A process's own work: pieces that take a while, one after another.

use super::Kernel;
use crate::decision::Topic;
use crate::event::Event;
use crate::exposure::FaultClass;
use crate::id::NodeId;
use crate::process::Payload;
use crate::time::Duration;
use serde_json::json;

impl<M: Payload, Q: Payload, R: Payload> Kernel<M, Q, R> {
    /// Starts a piece of work; it is done after those that were started before it.
    pub fn start_work(&mut self, node: NodeId, token: u64) {
        if self.blown.is_some() {
            return;
        }
        let cause = self.note(Some(node.into()), "work", || json!({ "token": token }));
        self.work_stream.about(Topic::OwnWork, node);
        let (takes, _) = self.work.draw(&mut self.work_stream);
        if takes > Duration::ZERO {
            self.exposure.add(FaultClass::SlowApply);
        }
        let state = &mut self.nodes[node.index()];
        state.work_until = state.work_until.max(self.now + takes);
        let (at, incarnation) = (state.work_until, state.incarnation);
        let done = Event::Worked {
            node,
            incarnation,
            token,
            cause,
        };
        self.schedule(at, done);
    }
}
