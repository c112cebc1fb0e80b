//! Words of the register's own: a setting, a situation, and a property of its replicas.

use super::protocol::{Replica, Tag};
use squall::prelude::*;
use std::collections::BTreeMap;

pub(super) const FAST_READS: Setting = Setting::flag(
    "fast_reads",
    true,
    "whether a read for which a majority has answered alike is over after one round",
)
.drawn(&[SettingValue::Flag(true), SettingValue::Flag(false)]);

pub(super) const READ_REPAIRED: Sometimes = Sometimes {
    name: "read-repaired",
    about: "a read found replicas that differ, and let a majority keep the newest",
};

/// What each replica kept of each register, its crashes included: what was durable comes back.
#[derive(Clone, Debug, Default)]
pub(super) struct TagsGrow(BTreeMap<(NodeId, u16), Tag>);

impl Property<Replica> for TagsGrow {
    fn judge(&mut self, moment: &Moment<'_, Replica>) -> Result<(), Broken> {
        let Some((node, replica)) = moment.node() else {
            return Ok(());
        };
        for (key, kept) in replica.registers() {
            let before = self.0.insert((node, *key), kept.tag).unwrap_or_default();
            // A crash may lose what was not durable yet, and nobody has been told of it.
            if kept.tag < before && !moment.has_restarted() {
                let message = format!(
                    "{node} had {before:?} of register {key} and replaces it by {:?}",
                    kept.tag
                );
                return Err(Broken::new("older", message).of(node));
            }
        }
        Ok(())
    }
}
