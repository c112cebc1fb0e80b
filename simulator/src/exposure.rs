//! Exposure: how often each class of fault really fired, and hit something.
//!
//! A fault that never fires makes tests greener, so each class counts its *effects*, not its intentions: a partition counts
//! the messages that it stopped, not the times that it was set up. What a protocol's own interesting situations are is for
//! the harness to know.

/// A class of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// Messages lost on the way.
    Loss,
    /// Second copies of a message delivered.
    Duplicate,
    /// Messages delivered after a younger one of the same link.
    Reorder,
    /// Messages delayed by the long tail of the latency.
    DelayTail,
    /// Messages stopped by a cut in both directions.
    Partition,
    /// Messages stopped by a cut in one direction.
    OneWayPartition,
    /// Messages stopped by a cut around the node that was the primary when the cut was made.
    IsolatePrimary,
    /// Processes killed.
    Crash,
    /// Processes started again.
    Restart,
    /// Unsynced writes lost at a crash.
    LostWrite,
    /// Unsynced writes torn at a crash.
    TornWrite,
    /// Unsynced writes that a crash kept all the same.
    KeptWrite,
    /// Events that had to wait because their node was paused.
    Pause,
    /// Timers fired on a clock that started ahead of true time.
    ClockOffset,
    /// Timers fired on a drifting clock.
    ClockDrift,
    /// Clock steps that changed a reading.
    ClockStep,
    /// Syncs delayed by the long tail of the disk's latency.
    SlowSync,
}

impl FaultClass {
    /// All classes, in the order of their counters.
    pub const ALL: [Self; 17] = [
        Self::Loss,
        Self::Duplicate,
        Self::Reorder,
        Self::DelayTail,
        Self::Partition,
        Self::OneWayPartition,
        Self::IsolatePrimary,
        Self::Crash,
        Self::Restart,
        Self::LostWrite,
        Self::TornWrite,
        Self::KeptWrite,
        Self::Pause,
        Self::ClockOffset,
        Self::ClockDrift,
        Self::ClockStep,
        Self::SlowSync,
    ];

    /// The name in reports and scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::DelayTail => "delay-tail",
            Self::Partition => "partition",
            Self::OneWayPartition => "one-way-partition",
            Self::IsolatePrimary => "isolate-primary",
            Self::Crash => "crash",
            Self::Restart => "restart",
            Self::LostWrite => "lost-write",
            Self::TornWrite => "torn-write",
            Self::KeptWrite => "kept-write",
            Self::Pause => "pause",
            Self::ClockOffset => "clock-offset",
            Self::ClockDrift => "clock-drift",
            Self::ClockStep => "clock-step",
            Self::SlowSync => "slow-sync",
        }
    }

    /// What is counted, in one line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Loss => "messages lost on the way",
            Self::Duplicate => "second copies of a message delivered",
            Self::Reorder => "messages delivered after a younger one of the same link",
            Self::DelayTail => "messages delayed by the long tail of the latency",
            Self::Partition => "messages stopped by a cut in both directions",
            Self::OneWayPartition => "messages stopped by a cut in one direction",
            Self::IsolatePrimary => "messages stopped by a cut around the primary",
            Self::Crash => "processes killed",
            Self::Restart => "processes started again",
            Self::LostWrite => "unsynced writes lost at a crash",
            Self::TornWrite => "unsynced writes torn at a crash",
            Self::KeptWrite => "unsynced writes that a crash kept all the same",
            Self::Pause => "events that waited for a paused node",
            Self::ClockOffset => "timers fired on a clock that started ahead",
            Self::ClockDrift => "timers fired on a drifting clock",
            Self::ClockStep => "clock steps that changed a reading",
            Self::SlowSync => "syncs delayed by the long tail of the disk",
        }
    }

    /// The class of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// One counter for each class of faults, and one for the faults that were skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    counts: [u64; FaultClass::ALL.len()],
    skipped: u64,
}

impl Exposure {
    /// How often faults of this class fired and hit something.
    pub fn count(&self, class: FaultClass) -> u64 {
        self.counts[class as usize]
    }

    /// How many planned faults found nothing that they could do: no such target, or too many nodes down already.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether nothing fired at all.
    pub fn is_zero(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// Every class with its count, in the order of [`FaultClass::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (FaultClass, u64)> + '_ {
        FaultClass::ALL.into_iter().map(|class| (class, self.count(class)))
    }

    /// Adds the counts of another run.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
    }

    #[inline]
    pub(crate) fn add(&mut self, class: FaultClass) {
        self.counts[class as usize] += 1;
    }

    pub(crate) fn add_skipped(&mut self) {
        self.skipped += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_lie_in_the_order_of_all_and_names_are_unique() {
        for (index, class) in FaultClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, index);
            assert_eq!(FaultClass::from_name(class.name()), Some(class));
            assert!(!class.about().is_empty());
        }
        assert_eq!(FaultClass::from_name("earthquake"), None);
    }

    #[test]
    fn merging_adds_class_by_class() {
        let (mut one, mut two) = (Exposure::default(), Exposure::default());
        one.add(FaultClass::Loss);
        two.add(FaultClass::Loss);
        two.add(FaultClass::SlowSync);
        two.add_skipped();
        one.merge(&two);
        assert_eq!(
            (
                one.count(FaultClass::Loss),
                one.count(FaultClass::SlowSync),
                one.skipped()
            ),
            (2, 1, 1)
        );
        assert_eq!(one.iter().map(|(_, count)| count).sum::<u64>(), 3);
    }
}
