//! Who gets to see what nodes tell of themselves: the properties, the situations, and the check of what clients are told.

use crate::situations::{Sign, Situation, Watcher};
use crate::system::Tell;
use crate::workloads::history::Effects;
use crate::workloads::online::Online;
use checker::properties::{At, Observation, Properties, Violation};
use simulator::{Clock, LocalTime};

/// What one node tells at one event.
pub(super) struct Told<'a> {
    pub at: At,
    pub node: u32,
    /// The node tells its own time; everybody else speaks of true time.
    pub clock: &'a Clock,
    pub properties: &'a mut Properties,
    pub watcher: &'a mut Watcher,
    pub effects: &'a mut Effects,
    pub online: Option<&'a mut Online>,
    pub has_changed: &'a mut bool,
}

impl Tell for Told<'_> {
    type Stop = Box<Violation>;

    fn observation(&mut self, observation: &Observation<'_>) -> Result<(), Box<Violation>> {
        *self.has_changed = true;
        let in_true_time;
        let observation = match observation {
            Observation::LeaseHeld { until } => {
                let until = self.clock.true_time(LocalTime(*until)).0;
                in_true_time = Observation::LeaseHeld { until };
                &in_true_time
            }
            observation => observation,
        };
        self.watcher.observe(self.node, observation);
        self.effects.observe(observation);
        if let Some(online) = &mut self.online {
            online.observe(observation);
        }
        self.properties.observe(self.at, self.node, observation)
    }

    fn sometimes(&mut self, name: &str) {
        *self.has_changed = true;
        let situation = Situation::from_name(name);
        let situation = situation.unwrap_or_else(|| panic!("the system declares no situation `{name}`"));
        self.watcher.reached(situation, self.node as usize);
    }

    fn sign(&mut self, sign: Sign) {
        *self.has_changed = true;
        self.watcher.sign(self.node, sign);
    }
}
