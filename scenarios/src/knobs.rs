//! What in a scenario sets a class of faults off: the keys, with their units and defaults, for `squall list faults`.

use simulator::FaultClass;

/// The keys that set faults of this class off.
///
/// `kind: …` names a `[[fault]]`; what stands in brackets after it are its keys beyond `at` or `every`.
pub const fn knobs(class: FaultClass) -> &'static str {
    match class {
        FaultClass::Loss => "network.loss (ratio, 0%)",
        FaultClass::Duplicate => "network.duplicate (ratio, 0%), network.duplicate_delay (duration up to 10m, 100ms)",
        FaultClass::Reorder => "network.reorder (ratio, 0%), network.reorder_delay (duration up to 10m, 50ms)",
        FaultClass::DelayTail => "network.tail (ratio, 0%), network.tail_max (duration up to 10m, ten times latency)",
        FaultClass::Partition => {
            "kind: partition [for, split = \"random\" or named groups, clients = false]; kind: cut-clients [for]; \
             kind: cut-links [for, links such as [\"n0-n1\"]]"
        }
        FaultClass::OneWayPartition => {
            "kind: one-way [for, target = \"any\", direction = \"any\", clients = false]; kind: cut-links [for, links such as \
             [\"n0>n1\"]]"
        }
        FaultClass::IsolatePrimary => "kind: isolate [for, target = \"leader\", clients = false]",
        FaultClass::FarLatency => "network.shape (\"long-tailed\", \"bimodal\" or \"mixed\"; \"uniform\")",
        FaultClass::SlowLink => "network.slow_links (ratio, 0%), network.slow_factor (count, 10)",
        FaultClass::HugeDelay => "network.huge (ratio, 0%), network.huge_max (duration up to 10m, 1m)",
        FaultClass::Bandwidth => "network.bandwidth (size per second, \"off\")",
        FaultClass::Overflow => {
            "with network.bandwidth: network.queue (messages, 1000), network.queue_bytes (size, 1MiB)"
        }
        FaultClass::Clog => {
            "kind: clog [for, target = \"any\", side = \"both\", clients = false]; kind: clog-link [for]; \
             kind: swizzle-clog [for, gap = \"10ms..200ms\"]"
        }
        FaultClass::Hold => {
            "kind: hold [for, target = \"any\", side = \"out\", message = any kind, skip = 0, count = 1, reversed = false]"
        }
        FaultClass::Replay => "kind: replay-old [messages = 5]",
        FaultClass::Corrupt => "network.corrupt (ratio, 0%)",
        FaultClass::Crash => {
            "kind: crash [for, target = \"any\", max_down = half of the nodes]; kind: rolling-restart [for, gap = \
             \"200ms..1s\"]; kind: power-loss [for]"
        }
        FaultClass::Restart => "as crash: `for` is the time until the restart",
        FaultClass::Pause => "kind: pause [for, target = \"any\"]",
        FaultClass::ReorderedWrite => "with crashes: disk.reorder (ratio of crashes, 0%)",
        FaultClass::DiskStall => "kind: disk-stall [for, target = \"any\"]",
        FaultClass::SyncError => "disk.error (ratio of syncs, 0%); kind: disk-error [for, target = \"any\"]",
        FaultClass::DiskFull => "kind: disk-full [for, target = \"any\"]",
        FaultClass::LyingSync => {
            "kind: disk-lie [for], with crashes; disk.distrust (false); budget.damage (\"minority\"; \"unlimited\")"
        }
        FaultClass::BitRot => {
            "kind: disk-rot [how = \"any\", \"bits\" or \"sector\"]; disk.rot_age (duration, 1s); budget.damage"
        }
        FaultClass::UnreadableSector => "as bit-rot",
        FaultClass::MisdirectedWrite => "kind: disk-misdirect; disk.rot_age (duration, 1s); budget.damage",
        FaultClass::LostWrite => "with crashes: disk.lost (ratio, 50%)",
        FaultClass::TornWrite => "with crashes: disk.torn (ratio, 0%)",
        FaultClass::KeptWrite => "with crashes: what disk.lost and disk.torn leave of 100%",
        FaultClass::SlowSync => "disk.slow (ratio, 0%), disk.slow_max (duration up to 1m, ten times sync)",
        FaultClass::ClockOffset => "clock.offset (duration up to 1h, 0ms)",
        FaultClass::ClockDrift => "clock.drift (ratio up to 10%, 0%); kind: clock-drift [for, target = \"any\", drift]",
        FaultClass::ClockStep => "kind: clock-step [by = a range up to 1h either way, target = \"any\"]",
        FaultClass::ClockFreeze => "kind: clock-freeze [for, target = \"any\", then = \"any\", \"leap\" or \"on\"]",
        FaultClass::ClockLeap => "as clock-freeze, where `then` allows a leap",
        FaultClass::DiskCrash => {
            "kind: crash-at-disk [for, target = \"any\", within = 20 disk operations, middle = 50% of them]"
        }
        FaultClass::CutWrite => "as disk-crash, where it is in the middle of a write",
        FaultClass::CrashLoop => "kind: crash-loop [for, target = \"any\", up = \"0ms..100ms\", times = 5]",
        FaultClass::Wipe => {
            "kind: wipe [for, identity = \"new\" (with [operator] and cluster.spares) or \"old\"]; budget.damage"
        }
        FaultClass::Upgrade => {
            "kind: upgrade [for, gap = \"200ms..1s\", flips = all of \"pre-vote\", \"check-quorum\", \"batches\", \"window\", \
             \"compression\"]; cluster.codec (\"off\")"
        }
        FaultClass::SlowApply => "cluster.apply (duration or range up to 10s, 0ms)",
    }
}
