//! Exposure: how often each class of fault really fired, and hit something.
//!
//! A fault that never fires makes tests greener, so each class counts its *effects*, not its intentions: a partition counts
//! the messages that it stopped, not the times that it was set up. What a protocol's own interesting situations are is for
//! the harness to know.

/// Defines the classes: variant, name in reports and scenarios, and what is counted, in one line.
macro_rules! classes {
    ($($class:ident $name:literal $about:literal;)+) => {
        /// A class of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultClass {
            $(#[doc = concat!("`", $name, "`: ", $about, ".")] $class,)+
        }

        impl FaultClass {
            /// All classes, in the order of their counters.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$class),+];

            /// The name in reports and scenarios.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$class => $name,)+
                }
            }

            /// What is counted, in one line.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$class => $about,)+
                }
            }
        }
    };
}

classes! {
    // --- network ---
    Loss "loss" "messages lost on the way";
    Duplicate "duplicate" "second copies of a message delivered";
    Reorder "reorder" "messages delivered after a younger one of the same link";
    DelayTail "delay-tail" "messages delayed by the long tail of the latency";
    Partition "partition" "messages stopped by a cut in both directions";
    OneWayPartition "one-way-partition" "messages stopped by a cut in one direction";
    IsolatePrimary "isolate-primary" "messages stopped by a cut around the primary";
    FarLatency "far-latency" "messages that took the far mode of a bimodal or the tail of a long-tailed link";
    SlowLink "slow-link" "messages sent along a slow link";
    HugeDelay "huge-delay" "messages held up hugely, and overtaken";
    Bandwidth "bandwidth" "messages that waited for their turn on a crowded link";
    Overflow "overflow" "messages dropped because the queue of a link was full";
    Clog "clog" "messages that waited for a clogged link";
    Hold "hold" "chosen messages that were held and released later";
    Replay "replay" "old messages delivered again";
    Corrupt "corrupt" "damaged frames that the receiver refused";
    // --- process ---
    Crash "crash" "processes killed";
    Restart "restart" "processes started again";
    Pause "pause" "events that waited for a paused node";
    // --- disk ---
    LostWrite "lost-write" "unsynced writes lost at a crash or when their sync failed";
    TornWrite "torn-write" "unsynced writes torn at a crash or when their sync failed";
    KeptWrite "kept-write" "unsynced writes that a crash, or a failed sync, kept all the same";
    ReorderedWrite "reordered-write" "unsynced writes kept, whole or torn, though an earlier one was not";
    SlowSync "slow-sync" "syncs delayed by the long tail of the disk";
    DiskStall "disk-stall" "syncs held up because their disk stood still";
    SyncError "sync-error" "syncs that failed with an I/O error";
    DiskFull "disk-full" "syncs that failed because a write found no space";
    LyingSync "lying-sync" "writes lost or torn though a sync had said that they are durable";
    BitRot "bit-rot" "places where durable bits flipped";
    UnreadableSector "unreadable-sector" "durable sectors that became unreadable";
    MisdirectedWrite "misdirected-write" "writes that landed on other durable bytes";
    // --- clock ---
    ClockOffset "clock-offset" "timers fired on a clock that started ahead";
    ClockDrift "clock-drift" "timers fired on a drifting clock";
    ClockStep "clock-step" "clock steps that changed a reading";
    ClockFreeze "clock-freeze" "clocks that stood still while something waited for them";
    ClockLeap "clock-leap" "clocks that jumped to the true reading after they had stood still";
    // --- life of processes, later comers ---
    DiskCrash "disk-crash" "processes killed between two disk operations, or in the middle of one";
    CutWrite "cut-write" "writes of which only a part had been made when the process was killed";
    CrashLoop "crash-loop" "processes killed again soon after they had started";
    Wipe "wipe" "disks taken away with something durable on them";
    Upgrade "upgrade" "processes started with the settings of another version";
    SlowApply "slow-apply" "pieces of work, such as applying what was agreed on, that a process finished later";
}

impl FaultClass {
    /// The class of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// One counter for each class of faults, and one for the faults that were skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    counts: [u64; FaultClass::ALL.len()],
    skipped: u64,
    undetected: u64,
}

impl Default for Exposure {
    fn default() -> Self {
        Self {
            counts: [0; FaultClass::ALL.len()],
            skipped: 0,
            undetected: 0,
        }
    }
}

impl Exposure {
    /// From counts that were written down.
    pub fn of(counts: impl IntoIterator<Item = (FaultClass, u64)>, skipped: u64, undetected: u64) -> Self {
        let mut exposure = Self {
            skipped,
            undetected,
            ..Self::default()
        };
        for (class, count) in counts {
            exposure.counts[class as usize] = count;
        }
        exposure
    }

    /// How often faults of this class fired and hit something.
    pub fn count(&self, class: FaultClass) -> u64 {
        self.counts[class as usize]
    }

    /// How many planned faults found nothing that they could do: no such target, or too many nodes down already.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How many damaged frames were taken for sound ones by their receivers: a defect of the protocol's codec.
    pub fn undetected(&self) -> u64 {
        self.undetected
    }

    /// Whether nothing fired at all.
    pub fn is_zero(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// Every class with its count, in the order of [`FaultClass::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (FaultClass, u64)> + '_ {
        FaultClass::ALL.into_iter().map(|class| (class, self.count(class)))
    }

    /// One for each class that fired at all: added up over runs, the number of runs in which it did.
    #[must_use]
    pub fn present(&self) -> Self {
        Self {
            counts: self.counts.map(|count| count.min(1)),
            skipped: self.skipped.min(1),
            undetected: self.undetected.min(1),
        }
    }

    /// Adds the counts of another run.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.undetected = self.undetected.saturating_add(other.undetected);
    }

    #[inline]
    pub(crate) fn add(&mut self, class: FaultClass) {
        self.counts[class as usize] += 1;
    }

    #[inline]
    pub(crate) fn add_many(&mut self, class: FaultClass, count: u32) {
        self.counts[class as usize] += u64::from(count);
    }

    pub(crate) fn add_undetected(&mut self) {
        self.undetected += 1;
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
