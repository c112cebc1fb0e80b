//! The shapes of a partition: who can still reach whom, as pairs of groups between which the links are cut.
//!
//! Owns geometry only: the nodes come in an order that the seed drew, and nothing is drawn here.

use crate::scenario::Split;

/// The nodes of a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Pairs of groups with no link between them. A pair of nodes is in one of them at most.
    pub apart: Vec<(Vec<u16>, Vec<u16>)>,
    /// The groups that a client can fall into: it reaches the nodes of one of them.
    pub sides: Vec<Vec<u16>>,
}

impl Shape {
    /// The nodes in `order` fall apart as `split` says. `size` is the size of the first of two groups, where it is drawn.
    pub fn new(split: Split, order: &[u16], size: usize) -> Self {
        let half = order.len() / 2;
        match split {
            Split::Random | Split::Minority => Self::of_groups(vec![&order[..size], &order[size..]]),
            Split::Even => Self::of_groups(vec![&order[..half], &order[half..]]),
            Split::Thirds => {
                let (first, rest) = order.split_at(order.len() / 3);
                let (second, third) = rest.split_at(rest.len() / 2);
                Self::of_groups(vec![first, second, third])
            }
            Split::Ring => Self::ring(order),
            Split::Bridge => Self::bridge(order),
            Split::Named(groups) => {
                let nodes = order.len() as u16;
                let pair = |(one, other)| (vec![one], vec![other]);
                Self {
                    apart: groups.apart(nodes).into_iter().map(pair).collect(),
                    sides: groups.of(nodes),
                }
            }
        }
    }

    fn of_groups(groups: Vec<&[u16]>) -> Self {
        let groups: Vec<Vec<u16>> = groups
            .into_iter()
            .filter(|group| !group.is_empty())
            .map(<[u16]>::to_vec)
            .collect();
        let pairs = |one: usize| (one + 1..groups.len()).map(move |other| (one, other));
        let apart = (0..groups.len()).flat_map(pairs);
        Self {
            apart: apart
                .map(|(one, other)| (groups[one].clone(), groups[other].clone()))
                .collect(),
            sides: groups,
        }
    }

    fn ring(order: &[u16]) -> Self {
        let count = order.len();
        let neighbours = |one: usize, other: usize| other - one == 1 || other - one == count - 1;
        let beyond = |one: usize| -> Vec<u16> {
            let others = one + 1..count;
            others
                .filter(|other| !neighbours(one, *other))
                .map(|other| order[other])
                .collect()
        };
        let apart = (0..count).map(|one| (vec![order[one]], beyond(one)));
        Self {
            apart: apart.filter(|(_, beyond)| !beyond.is_empty()).collect(),
            sides: order.iter().map(|node| vec![*node]).collect(),
        }
    }

    /// The first node in the order is the bridge.
    fn bridge(order: &[u16]) -> Self {
        let Some((bridge, rest)) = order.split_first() else {
            return Self::of_groups(Vec::new());
        };
        let (one, other) = rest.split_at(rest.len() / 2);
        let mut shape = Self::of_groups(vec![one, other]);
        shape.sides.iter_mut().for_each(|side| side.push(*bridge));
        shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each node of `count`, whom it reaches beside itself.
    fn reached(split: Split, count: u16, size: usize) -> Vec<Vec<u16>> {
        let order: Vec<u16> = (0..count).collect();
        let shape = Shape::new(split, &order, size);
        let is_apart = |one: u16, other: u16| {
            let between = |a: &Vec<u16>, b: &Vec<u16>| a.contains(&one) && b.contains(&other);
            shape.apart.iter().any(|(a, b)| between(a, b) || between(b, a))
        };
        let row = |one: u16| {
            (0..count)
                .filter(|other| *other != one && !is_apart(one, *other))
                .collect()
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn each_shape_leaves_the_links_that_it_is_named_for() {
        assert_eq!(reached(Split::Random, 3, 1), [vec![], vec![2], vec![1]]);
        assert_eq!(
            reached(Split::Minority, 4, 1),
            [vec![], vec![2, 3], vec![1, 3], vec![1, 2]]
        );
        assert_eq!(reached(Split::Even, 4, 0), [vec![1], vec![0], vec![3], vec![2]]);
        assert_eq!(reached(Split::Even, 3, 0), [vec![], vec![2], vec![1]]);
        assert_eq!(
            reached(Split::Thirds, 5, 0),
            [vec![], vec![2], vec![1], vec![4], vec![3]]
        );
        assert_eq!(reached(Split::Ring, 5, 0), [[1, 4], [0, 2], [1, 3], [2, 4], [0, 3]]);
        assert_eq!(
            reached(Split::Ring, 3, 0),
            [[1, 2], [0, 2], [0, 1]],
            "three nodes in a ring are all neighbours"
        );
        assert_eq!(
            reached(Split::Bridge, 5, 0),
            [vec![1, 2, 3, 4], vec![0, 2], vec![0, 1], vec![0, 4], vec![0, 3]]
        );
        assert_eq!(reached(Split::Bridge, 2, 0), [[1], [0]], "one node and a bridge");
    }

    #[test]
    fn a_client_falls_in_with_one_side() {
        let sides = |split| Shape::new(split, &[0, 1, 2, 3], 1).sides;
        assert_eq!(sides(Split::Even), [[0, 1], [2, 3]]);
        assert_eq!(sides(Split::Thirds), [vec![0], vec![1], vec![2, 3]]);
        assert_eq!(sides(Split::Ring), [[0], [1], [2], [3]]);
        assert_eq!(sides(Split::Bridge), [vec![1, 0], vec![2, 3, 0]]);
    }
}
