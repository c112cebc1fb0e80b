//! How an action is folded into the digest: the number or name of each part, in a fixed order.

use super::FaultAction;
use crate::digest::Stamp;
use crate::id::Endpoint;
use crate::network::NetworkConfig;
use crate::time::Duration;

impl FaultAction {
    /// Folds it into the digest; whom it hit is folded in by the caller.
    pub(crate) fn stamp(&self, stamp: &mut Stamp<'_>) {
        stamp.str(self.kind());
        match self {
            Self::Cut { id, from, to, one_way } => {
                stamp.u32(id.0);
                for side in [from, to] {
                    stamp.u64(side.len() as u64);
                    for endpoint in side {
                        stamp_endpoint(*endpoint, stamp);
                    }
                }
                stamp.bool(*one_way);
            }
            Self::Mend { id } => stamp.u32(id.0),
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
            Self::Restart { node } | Self::Resume { node } => stamp.u16(node.0),
            Self::ClockStep { by, .. } => stamp.u64(*by as u64),
            Self::ClockDrift { ppm, .. } => stamp.u32(*ppm as u32),
            Self::Network { config } => stamp_network(config, stamp),
            Self::Heal => {}
        }
    }
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
}
