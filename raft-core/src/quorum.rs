//! Majorities, as pure functions that know no messages (paper, section 5.2 and 5.3).

use crate::types::Index;

/// How many of `voters` make a majority.
#[must_use]
pub fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

/// The largest value that at least `quorum` of `acknowledged` reach; 0 if there are fewer than `quorum`. Sorts its argument.
///
/// ```
/// use raft_core::quorum::{majority, reached};
/// assert_eq!(reached(&mut [7, 3, 5], majority(3)), 5);
/// assert_eq!(reached(&mut [7, 3, 5, 1], majority(4)), 3);
/// ```
#[must_use]
pub fn reached(acknowledged: &mut [Index], quorum: usize) -> Index {
    assert!(quorum > 0, "a quorum has at least one member");
    acknowledged.sort_unstable_by(|a, b| b.cmp(a));
    acknowledged.get(quorum - 1).copied().unwrap_or(0)
}

/// How an election stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vote {
    /// A majority has granted.
    Won,
    /// So many have refused that no majority is left.
    Lost,
    /// Neither yet.
    Pending,
}

/// Counts an election among `voters`, of whom `granted` said yes and `refused` said no.
#[must_use]
pub fn tally(voters: usize, quorum: usize, granted: usize, refused: usize) -> Vote {
    if granted >= quorum {
        Vote::Won
    } else if voters < quorum + refused {
        Vote::Lost
    } else {
        Vote::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn a_majority_is_more_than_half_also_of_even_clusters() {
        assert_eq!([1, 2, 3, 4, 5, 6, 7].map(majority), [1, 2, 2, 3, 3, 4, 4]);
    }

    #[test]
    fn an_election_is_lost_as_soon_as_no_majority_is_left() {
        assert_eq!(tally(4, 3, 2, 1), Vote::Pending);
        assert_eq!(tally(4, 3, 1, 2), Vote::Lost);
        assert_eq!(tally(4, 3, 3, 1), Vote::Won);
    }

    proptest! {
        #[test]
        fn reached_agrees_with_counting(mut acks in prop::collection::vec(0u64..9, 1..10)) {
            let quorum = majority(acks.len());
            let counted = (0..=9).filter(|i| acks.iter().filter(|a| *a >= i).count() >= quorum).max();
            prop_assert_eq!(Some(reached(&mut acks, quorum)), counted);
        }

        #[test]
        fn any_two_majorities_overlap(n in 1usize..10, a in any::<u16>(), b in any::<u16>()) {
            let members = |mask: u16| (0..n).filter(|i| mask >> i & 1 == 1).collect::<Vec<_>>();
            let (a, b) = (members(a), members(b));
            if a.len() >= majority(n) && b.len() >= majority(n) {
                prop_assert!(a.iter().any(|i| b.contains(i)));
            }
        }
    }
}
