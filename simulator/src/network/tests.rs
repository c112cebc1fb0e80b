//! Links and cuts by themselves.

use super::*;
use crate::id::{ClientId, NodeId};
use proptest::prelude::*;

fn endpoints(nodes: u16, clients: u16) -> Vec<Endpoint> {
    let nodes = (0..nodes).map(|node| Endpoint::Node(NodeId(node)));
    nodes
        .chain((0..clients).map(|client| Endpoint::Client(ClientId(client))))
        .collect()
}

fn stream() -> Stream {
    Stream::new(1, "links", 0)
}

const SYMMETRIC: CutKind = CutKind {
    one_way: false,
    around_primary: false,
};
const ONE_WAY: CutKind = CutKind {
    one_way: true,
    around_primary: false,
};

#[test]
fn each_pair_has_a_link_of_its_own_and_clients_have_none_with_each_other() {
    let network = Network::new(NetworkConfig::default(), 3, 4, stream());
    let all = endpoints(3, 4);
    let mut links = Vec::new();
    for (&from, &to) in all.iter().flat_map(|from| all.iter().map(move |to| (from, to))) {
        let between_clients = from.client().is_some() && to.client().is_some();
        assert_eq!(network.link(from, to).is_none(), between_clients);
        links.extend(network.link(from, to));
    }
    links.sort_unstable();
    assert_eq!(links, (0..network.links.len()).collect::<Vec<_>>());
}

#[test]
fn overlapping_cuts_hold_until_the_last_is_mended() {
    let mut network = Network::new(NetworkConfig::default(), 3, 0, stream());
    let all = endpoints(3, 0);
    network.cut(CutId(1), &all[..1], &all[1..], SYMMETRIC);
    network.cut(CutId(2), &all[..1], &all[1..2], ONE_WAY);
    assert!(network.mend(CutId(1)) && !network.mend(CutId(1)));
    assert!(network.is_cut(all[0], all[1]) && !network.is_cut(all[1], all[0]) && !network.is_cut(all[0], all[2]));
    network.cut(CutId(2), &all[1..2], &all[2..], ONE_WAY);
    assert!(!network.is_cut(all[0], all[1]) && network.is_cut(all[1], all[2]));
    network.heal();
    assert!(!network.is_cut(all[1], all[2]));
}

#[test]
fn order_numbers_may_wrap() {
    let mut network = Network::new(NetworkConfig::default(), 2, 0, stream());
    let (from, to, mut seen) = (
        Endpoint::Node(NodeId(0)),
        Endpoint::Node(NodeId(1)),
        Exposure::default(),
    );
    for order in [1, 5, 3, u32::MAX / 2, u32::MAX - 5, 2, 4] {
        network.delivered(from, to, order, Mark::Plain, &mut seen);
    }
    assert_eq!(seen.count(FaultClass::Reorder), 1, "only 3 after 5");
}

proptest! {
    #[test]
    fn a_message_takes_the_same_draws_on_a_cut_link(seed: u64, loss in 0_u32..=1_000_000) {
        let config = NetworkConfig { loss: Ratio::from_ppm(loss), ..NetworkConfig::default() };
        let after = |cut: bool| {
            let mut network = Network::new(config, 2, 0, stream());
            let all = endpoints(2, 0);
            if cut {
                network.cut(CutId(0), &all[..1], &all[1..], SYMMETRIC);
            }
            let mut stream = Stream::new(seed, "network", 0);
            network.send(Time(0), (all[0], all[1]), || 1, &mut stream, &mut Exposure::default());
            stream.next_u64()
        };
        prop_assert_eq!(after(false), after(true));
    }

    #[test]
    fn only_messages_that_fall_behind_are_overtaken(seed: u64, gaps in prop::collection::vec(0_u64..5, 1..100)) {
        let latency = Latency::uniform(Duration(0), Duration(20)).with_tail(Ratio::from_percent(10), Duration(500));
        let mut network = Network::new(NetworkConfig { latency, ..NetworkConfig::default() }, 2, 0, stream());
        let all = endpoints(2, 0);
        let (mut stream, mut now, mut last) = (Stream::new(seed, "network", 0), Time(0), Time(0));
        for gap in gaps {
            now += Duration(gap);
            let Sent::Passes { arrival, copy: None, .. } =
                network.send(now, (all[0], all[1]), || 1, &mut stream, &mut Exposure::default()) else { panic!() };
            prop_assert!(arrival >= last && arrival >= now);
            last = arrival;
        }
    }
}
