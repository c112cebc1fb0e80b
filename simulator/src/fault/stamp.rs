//! How an action is folded into the digest: the number or name of each part, in a fixed order.

use super::{FaultAction, Held};
use crate::digest::Stamp;
use crate::id::Endpoint;
use crate::network::{LinkConfig, NetworkConfig};
use crate::time::Duration;

impl FaultAction {
    /// Folds it into the digest; whom it hit is folded in by the caller.
    pub(crate) fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.str(self.kind());
        match self {
            Self::Cut { id, from, to, one_way } => {
                stamp.u32(id.0);
                stamp_sides(from, to, stamp);
                stamp.bool(*one_way);
            }
            Self::Hold {
                id,
                from,
                to,
                one_way,
                chosen,
            } => {
                stamp.u32(id.0);
                stamp_sides(from, to, stamp);
                stamp.bool(*one_way);
                stamp_held(chosen, stamp);
            }
            Self::HoldAround {
                id,
                one_way,
                with_clients,
                chosen,
                ..
            } => {
                stamp.u32(id.0);
                stamp.u8(*one_way as u8);
                stamp.bool(*with_clients);
                stamp_held(chosen, stamp);
            }
            Self::Replay { count } => stamp.u32(*count),
            Self::Mend { id } | Self::Release { id } => stamp.u32(id.0),
            Self::Isolate {
                id,
                one_way,
                with_clients,
                keeps,
                ..
            } => {
                stamp.u32(id.0);
                stamp.u8(*one_way as u8);
                stamp.bool(*with_clients);
                if *keeps > 0 {
                    stamp.u16(*keeps);
                }
            }
            Self::Crash {
                restart_after: span, ..
            }
            | Self::Pause { resume_after: span, .. } => {
                stamp.option_u64(span.map(Duration::as_nanos));
            }
            Self::CrashAtDisk {
                skip,
                part,
                restart_after,
                ..
            } => {
                stamp.u32(*skip);
                stamp.u32(*part);
                stamp.option_u64(restart_after.map(Duration::as_nanos));
            }
            Self::CrashLoop { times, up, down, .. } => {
                stamp.u32(*times);
                stamp.u64(up.0);
                stamp.u64(down.0);
            }
            Self::Wipe { after, retires, .. } => {
                stamp.u64(after.0);
                stamp.bool(*retires);
            }
            Self::Upgrade {
                version, restart_after, ..
            } => {
                stamp.u32(*version);
                stamp.u64(restart_after.0);
            }
            Self::ClockFreeze { lasts, leap, .. } => {
                stamp.option_u64(lasts.map(Duration::as_nanos));
                stamp.bool(*leap);
            }
            Self::Restart { node } | Self::Resume { node } => stamp.u16(node.0),
            Self::ClockStep { by, .. } => stamp.u64(*by as u64),
            Self::ClockDrift { ppm, .. } => stamp.u32(*ppm as u32),
            Self::Network { config } => stamp_network(config, stamp),
            Self::Disk { fault, .. } => fault.stamp(stamp),
            Self::Heal => {}
        }
    }
}

fn stamp_sides(from: &[Endpoint], to: &[Endpoint], stamp: &mut Stamp<'_>) {
    for side in [from, to] {
        stamp.u64(side.len() as u64);
        for endpoint in side {
            stamp_endpoint(*endpoint, stamp);
        }
    }
}

fn stamp_held(held: &Held, stamp: &mut Stamp<'_>) {
    stamp.str(held.kind.as_deref().unwrap_or(""));
    stamp.u32(held.skip);
    stamp.option_u64(held.count.map(u64::from));
    stamp.bool(held.reversed);
}

fn stamp_endpoint(endpoint: Endpoint, stamp: &mut Stamp<'_>) {
    match endpoint {
        Endpoint::Node(node) => stamp.u32(u32::from(node.0)),
        Endpoint::Client(client) => stamp.u32(0x1_0000 | u32::from(client.0)),
    }
}

fn stamp_network(config: &NetworkConfig, stamp: &mut Stamp<'_>) {
    for latency in [&config.latency, &config.client_latency] {
        for span in [latency.min, latency.max, latency.tail_max] {
            stamp.u64(span.0);
        }
        stamp.u32(latency.tail.ppm());
    }
    for ratio in [config.loss, config.duplicate, config.reorder] {
        stamp.u32(ratio.ppm());
    }
    stamp.u64(config.duplicate_delay_max.0);
    stamp.u64(config.reorder_delay_max.0);
    stamp_links(&config.links, stamp);
}

/// Plain links leave no mark, so that digests from before there were others stand.
fn stamp_links(links: &LinkConfig, stamp: &mut Stamp<'_>) {
    if *links == LinkConfig::default() {
        return;
    }
    stamp.u8(links.shape as u8);
    for ratio in [links.slow, links.huge, links.corrupt] {
        stamp.u32(ratio.ppm());
    }
    for count in [links.slow_factor, links.queue_messages, links.memory] {
        stamp.u32(count);
    }
    for amount in [links.huge_max.0, links.bandwidth, links.queue_bytes] {
        stamp.u64(amount);
    }
}
