//! The classes of a swarm that make links unlike each other, narrow, and full of messages that come when nobody expects them.

use super::{Class, MILLISECOND, again, cut, when};
use crate::scenario::{FaultKind, Shape, Side, Target};

const SIDES: [Side; 3] = [Side::Both, Side::In, Side::Out];

pub(super) const UNLIKE_LINKS: Class = Class {
    name: "unlike-links",
    about: "links have long tails, or two modes of latency",
    apply: |scenario, draws| {
        scenario.network.links.shape = draws.of(&[Shape::LongTailed, Shape::Bimodal, Shape::Mixed]);
    },
};

pub(super) const SLOW_LINKS: Class = Class {
    name: "slow-links",
    about: "some directions of some links are slow",
    apply: |scenario, draws| {
        let links = &mut scenario.network.links;
        links.slow_ppm = draws.ppm(50_000, 400_000);
        links.slow_factor = u32::try_from(draws.log_uniform(2, 16)).expect("it is at most 16");
    },
};

pub(super) const HUGE_DELAY: Class = Class {
    name: "huge-delay",
    about: "single messages are held up for seconds or a minute",
    apply: |scenario, draws| {
        let links = &mut scenario.network.links;
        links.huge_ppm = draws.ppm(500, 20_000);
        links.huge_max_ns = draws.log_uniform(1_000, 60_000) * MILLISECOND;
    },
};

pub(super) const BANDWIDTH: Class = Class {
    name: "bandwidth",
    about: "links are narrow, and their queues overflow",
    apply: |scenario, draws| {
        let links = &mut scenario.network.links;
        links.bandwidth = Some(draws.log_uniform(16 << 10, 512 << 10));
        links.queue = u32::try_from(draws.log_uniform(3, 100)).expect("it is at most 100");
        links.queue_bytes = draws.log_uniform(2 << 10, 64 << 10);
    },
};

pub(super) const CORRUPT: Class = Class {
    name: "corrupt",
    about: "frames are damaged on their way",
    apply: |scenario, draws| scenario.network.links.corrupt_ppm = draws.ppm(1_000, 50_000),
};

pub(super) const CLOG: Class = Class {
    name: "clog",
    about: "nodes or links stand still, and then deliver everything at once",
    apply: |scenario, draws| {
        let lasts = draws.lasts();
        let node = FaultKind::Clog {
            target: draws.of(&[Target::Leader, Target::Any]),
            side: draws.of(&SIDES),
            lasts,
            clients: draws.flag(),
        };
        let kind = draws.of(&[node, FaultKind::ClogLink { lasts }]);
        again(scenario, draws, kind);
    },
};

pub(super) const SWIZZLE: Class = Class {
    name: "swizzle",
    about: "nodes are clogged one after another, and unclogged in another order",
    apply: |scenario, draws| {
        let kind = FaultKind::SwizzleClog {
            lasts: draws.lasts(),
            gap: draws.up_to(10, 300),
        };
        again(scenario, draws, kind);
    },
};

pub(super) const HOLD: Class = Class {
    name: "hold",
    about: "messages of one kind are kept until their time is over",
    apply: |scenario, draws| {
        let kinds = scenario.known.message_kinds;
        let kind = FaultKind::Hold {
            target: draws.of(&[Target::Leader, Target::Any]),
            side: draws.of(&SIDES),
            // Where the system names no kinds, any message.
            message: (!kinds.is_empty()).then(|| draws.of(kinds)),
            skip: draws.of(&[0, 0, 1, 3]),
            count: draws.of(&[1, 2, 6, 20]),
            lasts: draws.lasts(),
            reversed: draws.flag(),
        };
        again(scenario, draws, kind);
    },
};

pub(super) const OLD_MESSAGES: Class = Class {
    name: "old-messages",
    about: "messages of long ago arrive again",
    apply: |scenario, draws| {
        let network = &mut scenario.network;
        if network.duplicate_ppm > 0 {
            network.duplicate_delay_ns = draws.log_uniform(5_000, 120_000) * MILLISECOND;
        }
        let messages = draws.of(&[1, 3, 10]);
        again(scenario, draws, FaultKind::ReplayOld { messages });
    },
};

pub(super) const NEW_LEADER: Class = Class {
    name: "new-leader",
    about: "leaders are cut off, or cannot be heard, as soon as they are elected",
    apply: |scenario, draws| {
        let kind = cut(draws);
        when(scenario, draws, "leader-elected", 200_000, kind);
    },
};

pub(super) const HANDOVER: Class = Class {
    name: "handover",
    about: "the network falls apart while leadership is handed over, inherited or rolled back",
    apply: |scenario, draws| {
        let kind = cut(draws);
        when(scenario, draws, "transfer-received", 300_000, kind);
        when(scenario, draws, "joint-inherited", 300_000, kind);
        when(scenario, draws, "configuration-rolled-back", 300_000, kind);
    },
};
