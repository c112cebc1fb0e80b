//! Which nodes the second phase has to do without.
//! Whether the others can go on is for the system to say.

use crate::operation::Operation;
use crate::scenario::Lasting;
use crate::system::{Survivors, System};
use crate::workloads::WorldOf;
use crate::workloads::operator::Operator;
use simulator::{CutId, FaultAction, NodeId, OneWay, Stream, Target};
use std::collections::BTreeSet;

/// Which nodes never come back, and what keeps them: a random set without which the others can go on. Those that were down when
/// the faults ended come first: who dies in the middle of something, and is never seen again, leaves more behind than who had
/// long been idle.
pub fn losses<S: System>(
    system: &S,
    world: &WorldOf<S>,
    fallen: &[NodeId],
    lasting: Lasting,
    seed: u64,
) -> Vec<FaultAction> {
    let mut stream = Stream::new(seed, "lasting", 0);
    let mut order: Vec<NodeId> = world.nodes().collect();
    stream.shuffle(&mut order);
    order.sort_by_key(|node| !fallen.contains(node));
    let most = stream.range(0, order.len() as u64 - 1) as usize;
    let mut lost: Vec<NodeId> = Vec::new();
    for node in order {
        lost.push(node);
        if lost.len() > most || !can_go_on_without(system, world, &lost) {
            lost.pop();
        }
    }
    let mut losses = Vec::new();
    for (number, node) in lost.into_iter().enumerate() {
        let is_down = match lasting {
            Lasting::None => continue,
            Lasting::Down => true,
            Lasting::Cut => false,
            Lasting::Any => stream.below(2) == 0,
        };
        let target = Target::Node(node);
        let cut = FaultAction::Isolate {
            id: CutId(FIRST_LASTING_CUT + number as u32),
            target,
            one_way: OneWay::None,
            with_clients: true,
            keeps: 0,
        };
        let down = FaultAction::Crash {
            target,
            restart_after: None,
        };
        losses.push(if is_down { down } else { cut });
    }
    losses
}

/// Cuts that last are named from here on, out of the way of all others.
const FIRST_LASTING_CUT: u32 = 1 << 28;

fn can_go_on_without<S: System>(system: &S, world: &WorldOf<S>, lost: &[NodeId]) -> bool {
    // An order that is still under way may be carried out when the faults are over.
    let actors = || world.clients().map(|client| world.client(client));
    let asked = actors()
        .filter_map(|actor| actor.operator())
        .flat_map(Operator::asked)
        .cloned()
        .collect();
    let scripted = actors().filter_map(|actor| actor.scripted());
    let scripted: Vec<Operation> = scripted.map(|operator| operator.operation().clone()).collect();
    let lost: BTreeSet<NodeId> = lost.iter().copied().collect();
    system.can_do_without(&lost, &Survivors::of(world, &BTreeSet::new()), (&asked, &scripted))
}
