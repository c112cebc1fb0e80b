//! For each situation a story that reaches it, and a story much like it that does not.

use super::{Links, Sign, Situation, Watcher};
use checker::properties::{EntryMark, Observation, Role};

/// A run of five nodes, four of them founders, told by hand.
struct Story {
    watcher: Watcher,
    time: u64,
}

type Told = fn(&mut Story);

const SECOND: u64 = 1_000_000_000;

fn mark(index: u64, term: u64) -> EntryMark {
    EntryMark { index, term, digest: 0 }
}

impl Story {
    fn new() -> Self {
        Self {
            watcher: Watcher::new(5, 4),
            time: 0,
        }
    }

    fn see(&mut self, node: u32, observation: Observation<'_>) -> &mut Self {
        self.watcher.observe(node, &observation);
        self
    }

    fn sign(&mut self, node: u32, sign: Sign) -> &mut Self {
        self.watcher.sign(node, sign);
        self
    }

    fn role(&mut self, node: u32, role: Role, term: u64) -> &mut Self {
        self.see(node, Observation::Role { role, term })
    }

    fn candidate(&mut self, node: u32, term: u64) -> &mut Self {
        self.role(node, Role::Candidate, term)
    }

    fn leader(&mut self, node: u32, term: u64) -> &mut Self {
        self.candidate(node, term).role(node, Role::Leader, term)
    }

    fn follower(&mut self, node: u32, term: u64) -> &mut Self {
        self.role(node, Role::Follower, term)
    }

    /// Appends entries `from..=to` of a term.
    fn append(&mut self, node: u32, from: u64, to: u64, term: u64) -> &mut Self {
        for index in from..=to {
            self.see(node, Observation::Appended(mark(index, term)));
        }
        self
    }

    fn sync(&mut self, node: u32, index: u64) -> &mut Self {
        self.see(node, Observation::DurableAppended(mark(index, 1)))
    }

    fn commit(&mut self, node: u32, index: u64) -> &mut Self {
        self.see(node, Observation::Committed { index })
    }

    fn truncate(&mut self, node: u32, from: u64) -> &mut Self {
        self.see(node, Observation::Truncated { from })
    }

    fn crash(&mut self, node: u32) -> &mut Self {
        self.see(node, Observation::Crashed)
    }

    fn boot(&mut self, node: u32, term: u64, entries: &[EntryMark]) -> &mut Self {
        self.see(
            node,
            Observation::Booted {
                term,
                voted_for: None,
                snapshot: 0,
                entries,
            },
        )
    }

    /// A configuration that is active as soon as it is appended.
    fn members(&mut self, node: u32, index: u64, voters: &[u32], outgoing: &[u32], learners: &[u32]) -> &mut Self {
        self.see(
            node,
            Observation::ConfigurationAppended {
                index,
                voters,
                outgoing,
                learners,
            },
        )
        .see(node, Observation::ConfigurationActive { index })
    }

    fn joint(&mut self, node: u32) -> &mut Self {
        self.append(node, 1, 1, 1)
            .members(node, 1, &[0, 1, 4], &[0, 1, 2, 3], &[])
    }

    /// From now on these links, each from the first to the second, are cut.
    fn cut(&mut self, cut: &[(usize, usize)]) -> &mut Self {
        self.watcher.links(Links::new(5, |from, to| cut.contains(&(from, to))));
        self
    }

    fn part(&mut self, one: &[usize], other: &[usize]) -> &mut Self {
        let cut: Vec<_> = one
            .iter()
            .flat_map(|a| other.iter().flat_map(|b| [(*a, *b), (*b, *a)]))
            .collect();
        self.cut(&cut)
    }

    fn lease(&mut self, node: u32, until: u64) -> &mut Self {
        self.see(node, Observation::LeaseHeld { until })
    }

    fn pass(&mut self, nanoseconds: u64) -> &mut Self {
        self.time += nanoseconds;
        self.watcher.at(self.time);
        self
    }

    fn pause(&mut self, node: usize) -> &mut Self {
        self.watcher.paused(node);
        self
    }

    fn resume(&mut self, node: usize) -> &mut Self {
        self.watcher.resumed(node);
        self
    }

    fn vote(&mut self, node: u32, from: u32, term: u64) -> &mut Self {
        self.sign(node, Sign::Vote { from, term })
    }

    fn install(&mut self, node: u32, index: u64, term: u64) -> &mut Self {
        self.see(node, Observation::Installed { index, term })
    }

    fn chunk(&mut self, node: u32, term: u64) -> &mut Self {
        self.sign(node, Sign::SnapshotChunk { term })
    }
}

/// Nothing is told; for what one observation or sign alone makes a situation.
fn nothing(_: &mut Story) {}

/// What of each situation reaches it, and what almost does.
#[rustfmt::skip]
const STORIES: &[(Situation, Told, Told)] = &[
    (Situation::LeaderElected, |s| { s.leader(0, 1); }, |s| { s.candidate(0, 1); }),
    (Situation::LeaderDeposed, |s| { s.leader(0, 1).follower(0, 2); }, |s| { s.leader(0, 1).crash(0); }),
    (Situation::ElectionLost, |s| { s.candidate(0, 1).follower(0, 1); }, |s| { s.leader(0, 1); }),
    (Situation::PreVoteLost, |s| { s.role(0, Role::PreCandidate, 1).follower(0, 1); },
        |s| { s.role(0, Role::PreCandidate, 1).candidate(0, 2); }),
    (Situation::TwoCandidates, |s| { s.candidate(0, 2).candidate(1, 2); }, |s| { s.candidate(0, 2).candidate(1, 3); }),
    (Situation::SplitVote, |s| { s.candidate(0, 2).candidate(1, 2).candidate(0, 3); },
        |s| { s.candidate(0, 2).leader(1, 2).candidate(0, 3); }),
    (Situation::TwoLeaders, |s| { s.leader(0, 1).leader(1, 2); }, |s| { s.leader(0, 1).follower(0, 2).leader(1, 2); }),
    (Situation::VoteGranted, |s| { s.see(0, Observation::VoteCast { term: 1, candidate: 1 }); },
        |s| { s.see(0, Observation::VoteCast { term: 1, candidate: 0 }); }),
    (Situation::DuplicateVote, |s| { s.candidate(0, 1).vote(0, 1, 1).vote(0, 1, 1); },
        |s| { s.candidate(0, 1).vote(0, 1, 1).vote(0, 2, 1).candidate(0, 2).vote(0, 1, 2); }),
    (Situation::LateVote, |s| { s.leader(0, 1).vote(0, 2, 1); }, |s| { s.candidate(0, 1).vote(0, 2, 1); }),
    (Situation::StaleAppendRefused, |s| { s.sign(0, Sign::StaleAppend); }, nothing),
    (Situation::StaleLeaderAppended, |s| { s.leader(0, 1).leader(1, 2).append(0, 1, 1, 1); },
        |s| { s.leader(0, 1).leader(1, 2).append(1, 1, 1, 2); }),
    (Situation::RemovedNodeCampaigned, |s| { s.leader(0, 1).append(0, 1, 1, 1).members(0, 1, &[0, 1, 2], &[], &[]).candidate(3, 2); },
        |s| { s.leader(0, 1).append(0, 1, 1, 1).members(0, 1, &[0, 1, 2], &[], &[]).candidate(2, 2); }),
    (Situation::TransferStarted, |s| { s.sign(0, Sign::TransferStarted); }, nothing),
    (Situation::TransferReceived, |s| { s.see(0, Observation::TransferReceived { term: 1 }); }, |s| { s.sign(0, Sign::TransferStarted); }),
    (Situation::TransferAborted, |s| { s.sign(0, Sign::TransferAborted); }, |s| { s.sign(0, Sign::TransferStarted); }),
    (Situation::UpdateHeldUp, |s| { s.sign(0, Sign::UpdateHeldUp); }, nothing),
    (Situation::TermNotDurable, |s| { s.see(0, Observation::Term { term: 1 }); },
        |s| { s.see(0, Observation::DurableHardState { term: 1, voted_for: None }); }),
    (Situation::TailUncommitted, |s| { s.leader(0, 1).append(0, 1, 1, 1); }, |s| { s.append(0, 1, 1, 1); }),
    (Situation::BetweenAppendAndSync, |s| { s.append(0, 1, 1, 1); }, |s| { s.follower(0, 1).sync(0, 1); }),
    (Situation::EarlierEntryAppended, |s| { s.follower(0, 2).append(0, 1, 1, 1); }, |s| { s.follower(0, 2).append(0, 1, 1, 2); }),
    (Situation::EntriesTruncated, |s| { s.append(0, 1, 2, 1).truncate(0, 2); }, |s| { s.append(0, 1, 2, 1); }),
    (Situation::DurableTruncated, |s| { s.append(0, 1, 2, 1).sync(0, 2).truncate(0, 2); },
        |s| { s.append(0, 1, 2, 1).sync(0, 1).truncate(0, 2); }),
    (Situation::LongDivergence, |s| { s.append(0, 1, 6, 1).truncate(0, 2); }, |s| { s.append(0, 1, 6, 1).truncate(0, 3); }),
    (Situation::InheritedTail, |s| { s.append(0, 1, 2, 1).commit(0, 1).leader(0, 2); },
        |s| { s.append(0, 1, 2, 1).commit(0, 2).leader(0, 2); }),
    (Situation::InheritedTailCommitted, |s| { s.append(0, 1, 1, 1).leader(0, 2).append(0, 2, 2, 2).commit(0, 2); },
        |s| { s.leader(0, 2).append(0, 1, 1, 2).commit(0, 1); }),
    (Situation::FigureEight, |s| { s.append(0, 1, 1, 1).append(1, 1, 1, 1).append(2, 1, 1, 1).leader(0, 2).follower(0, 3); },
        |s| { s.append(0, 1, 1, 1).append(1, 1, 1, 1).leader(0, 2).follower(0, 3); }),
    (Situation::CommittedBeforeOwnSync, |s| { s.leader(0, 1).append(0, 1, 1, 1).commit(0, 1); },
        |s| { s.leader(0, 1).append(0, 1, 1, 1).sync(0, 1).commit(0, 1); }),
    (Situation::LeaderCrashed, |s| { s.leader(0, 1).crash(0); }, |s| { s.leader(0, 1).crash(1); }),
    (Situation::LeaderCrashedWithTail, |s| { s.leader(0, 1).append(0, 1, 1, 1).crash(0); },
        |s| { s.leader(0, 1).append(0, 1, 1, 1).commit(0, 1).crash(0); }),
    (Situation::CrashedBeforeSync, |s| { s.append(0, 1, 1, 1).crash(0); }, |s| { s.append(0, 1, 1, 1).sync(0, 1).crash(0); }),
    (Situation::RestartedWithTail, |s| { s.crash(0).boot(0, 1, &[mark(1, 1)]); },
        |s| { s.commit(1, 1).crash(0).boot(0, 1, &[mark(1, 1)]); }),
    (Situation::StaleNodeRejoined, |s| { s.crash(0).leader(1, 3).boot(0, 1, &[]); }, |s| { s.crash(0).leader(1, 3).boot(0, 2, &[]); }),
    (Situation::MassRestart, |s| { s.crash(0).crash(1).crash(2).boot(0, 1, &[]).boot(1, 1, &[]).boot(2, 1, &[]); },
        |s| { s.crash(0).crash(1).crash(2).boot(0, 1, &[]).boot(1, 1, &[]).pass(SECOND).boot(2, 1, &[]); }),
    (Situation::WholeClusterDown, |s| { (0..5).for_each(|node| { s.crash(node); }); }, |s| { (0..4).for_each(|node| { s.crash(node); }); }),
    (Situation::QuorumLost, |s| { s.boot(4, 0, &[]).crash(0).crash(1); }, |s| { s.boot(4, 0, &[]).crash(0).crash(4); }),
    (Situation::QuorumRegained, |s| { s.crash(0).crash(1).boot(0, 0, &[]); }, |s| { s.crash(0).boot(0, 0, &[]); }),
    (Situation::LeaderPaused, |s| { s.leader(0, 1).pause(0); }, |s| { s.leader(0, 1).pause(1); }),
    (Situation::PausedLeaderSuperseded, |s| { s.leader(0, 1).pause(0).leader(1, 2).resume(0); }, |s| { s.leader(0, 1).pause(0).resume(0); }),
    (Situation::LeaderIsolated, |s| { s.leader(0, 1).part(&[0, 1], &[2, 3, 4]); }, |s| { s.leader(0, 1).part(&[0, 1, 2], &[3, 4]); }),
    (Situation::LeaderReachesOne, |s| { s.leader(0, 1).part(&[0, 1], &[2, 3, 4]); }, |s| { s.leader(0, 1).part(&[0], &[1, 2, 3, 4]); }),
    (Situation::LeaderMute, |s| { s.leader(0, 1).cut(&[(0, 1), (0, 2)]); }, |s| { s.leader(0, 1).cut(&[(1, 0), (2, 0)]); }),
    (Situation::LeaderDeaf, |s| { s.leader(0, 1).cut(&[(1, 0), (2, 0)]); }, |s| { s.leader(0, 1).cut(&[(0, 1), (0, 2)]); }),
    (Situation::PartialPartition, |s| { s.part(&[0], &[1]); }, |s| { s.part(&[0, 1], &[2, 3, 4]); }),
    (Situation::ElectedUnderPartition, |s| { s.part(&[0], &[1]).leader(2, 1); }, |s| { s.leader(2, 1).part(&[0], &[1]); }),
    (Situation::SnapshotBeingSent, |s| { s.chunk(0, 1); }, |s| { s.install(0, 3, 1); }),
    (Situation::SnapshotInstalled, |s| { s.install(0, 3, 1); }, |s| { s.chunk(0, 1); }),
    (Situation::SnapshotDuringLeaderChange, |s| { s.leader(1, 1).chunk(0, 1).leader(2, 2); },
        |s| { s.leader(1, 1).chunk(0, 1).install(0, 3, 1).leader(2, 2); }),
    (Situation::SnapshotCutShort, |s| { s.chunk(0, 1).crash(0); }, |s| { s.chunk(0, 1).install(0, 3, 1).crash(0); }),
    (Situation::SnapshotUnderPartition, |s| { s.part(&[0], &[1]).install(2, 3, 1); }, |s| { s.install(2, 3, 1).part(&[0], &[1]); }),
    (Situation::SnapshotReplacedTail, |s| { s.append(0, 1, 1, 1).install(0, 3, 2); }, |s| { s.append(0, 1, 1, 1).commit(0, 1).install(0, 3, 2); }),
    (Situation::JointConfiguration, |s| { s.joint(0); }, |s| { s.members(0, 1, &[0, 1], &[], &[]); }),
    (Situation::ConfigurationRolledBack, |s| { s.joint(0).truncate(0, 1).see(0, Observation::ConfigurationActive { index: 0 }); },
        |s| { s.joint(0).members(0, 2, &[0, 1, 4], &[], &[]); }),
    (Situation::JointUnderPartition, |s| { s.leader(0, 1).joint(0).part(&[0], &[3]); }, |s| { s.leader(0, 1).part(&[0], &[3]); }),
    (Situation::JointLeaderCrashed, |s| { s.leader(0, 1).joint(0).crash(0); }, |s| { s.leader(0, 1).joint(0).crash(1); }),
    (Situation::JointInherited, |s| { s.joint(1).leader(1, 2); }, |s| { s.leader(1, 1).joint(1); }),
    (Situation::LearnerPromoted, |s| { s.leader(0, 1).members(0, 1, &[0, 1], &[], &[4]).members(0, 2, &[0, 1, 4], &[], &[]); },
        |s| { s.leader(0, 1).members(0, 1, &[0, 1], &[], &[]).members(0, 2, &[0, 1, 4], &[], &[]); }),
    (Situation::VoterDemoted, |s| { s.leader(0, 1).members(0, 1, &[0, 1], &[], &[2]); }, |s| { s.leader(0, 1).members(0, 1, &[0, 1, 2], &[], &[4]); }),
    (Situation::NodeReturned, |s| { s.leader(0, 1).members(0, 1, &[0, 1], &[], &[]).members(0, 2, &[0, 1, 3], &[], &[]); },
        |s| { s.leader(0, 1).members(0, 1, &[0, 1], &[], &[]).members(0, 2, &[0, 1, 4], &[], &[]); }),
    (Situation::LeaderRemovedItself, |s| { s.leader(0, 1).members(0, 1, &[1, 2, 3], &[], &[]).follower(0, 1); },
        |s| { s.leader(0, 1).members(0, 1, &[0, 2, 3], &[], &[]).follower(0, 1); }),
    (Situation::ChangeRefused, |s| { s.sign(0, Sign::ChangeRefused); }, nothing),
    (Situation::LeaseHeld, |s| { s.leader(0, 1).lease(0, 100); }, |s| { s.leader(0, 1); }),
    (Situation::LeaseDropped, |s| { s.leader(0, 1).lease(0, 100).see(0, Observation::LeaseDropped); }, |s| { s.leader(0, 1).lease(0, 100); }),
    (Situation::LeaseHalfSpent, |s| { s.leader(0, 1).lease(0, 100).pass(50); }, |s| { s.leader(0, 1).lease(0, 100).pass(49).lease(0, 149).pass(49); }),
    (Situation::LeaseAcrossPause, |s| { s.leader(0, 1).lease(0, 100).pause(0).pass(60).resume(0); },
        |s| { s.leader(0, 1).pause(0).pass(60).resume(0); }),
    (Situation::LeaseRanOutInPause, |s| { s.leader(0, 1).lease(0, 100).pause(0).pass(100).resume(0); },
        |s| { s.leader(0, 1).lease(0, 100).pause(0).pass(99).resume(0); }),
    (Situation::ReadForwarded, |s| { s.sign(0, Sign::ReadForwarded); }, |s| { s.sign(0, Sign::ReadRefused); }),
    (Situation::ReadRefused, |s| { s.sign(0, Sign::ReadRefused); }, |s| { s.sign(0, Sign::ReadForwarded); }),
    (Situation::StaleLeaderRefusedRead, |s| { s.leader(0, 1).leader(1, 2).sign(0, Sign::ReadRefused); },
        |s| { s.leader(0, 1).leader(1, 2).sign(1, Sign::ReadRefused); }),
    (Situation::CommandRepeated, |s| { s.see(0, Observation::SessionApplied { session: 1, sequence: 1, effect: false, reply: 0 }); },
        |s| { s.see(0, Observation::SessionApplied { session: 1, sequence: 1, effect: true, reply: 0 }); }),
    (Situation::StaleCommand, |s| { s.sign(0, Sign::StaleCommand); }, nothing),
];

/// Counted by whoever drives a run, who finds them elsewhere than in observations.
const ELSEWHERE: [Situation; 4] = [
    Situation::TornTailRecovered,
    Situation::RewrittenLogRecovered,
    Situation::RewriteCutShort,
    Situation::OutcomeUnknown,
];

fn count(tell: Told, situation: Situation) -> u64 {
    let mut story = Story::new();
    tell(&mut story);
    story.watcher.situations().count(situation)
}

#[test]
fn each_situation_is_reached_by_its_story_and_not_by_the_one_that_almost_does() {
    for &(situation, reaches, almost) in STORIES {
        assert_eq!(count(reaches, situation), 1, "{} is not reached", situation.name());
        assert_eq!(
            count(almost, situation),
            0,
            "{} is reached by the wrong story",
            situation.name()
        );
    }
}

#[test]
fn every_situation_has_its_story_its_name_and_its_meaning() {
    for situation in Situation::ALL {
        let stories = STORIES.iter().filter(|(of, ..)| *of == situation).count();
        let expected = usize::from(!ELSEWHERE.contains(&situation));
        assert_eq!(stories, expected, "{}", situation.name());
        assert_eq!(Situation::from_name(situation.name()), Some(situation));
        assert!(!situation.about().is_empty());
    }
    assert!(
        Situation::ALL.len() >= 40 && Situation::ALL.len() <= 128,
        "one bit each"
    );
    assert_eq!(Situation::from_name("earthquake"), None);
}

#[test]
fn a_state_counts_when_it_begins_and_again_when_it_comes_back() {
    let mut story = Story::new();
    story.leader(0, 1).part(&[0], &[1, 2, 3]).part(&[0], &[1, 2, 3, 4]);
    assert_eq!(story.watcher.situations().count(Situation::LeaderIsolated), 1);
    story.cut(&[]).part(&[0], &[1, 2, 3]);
    assert_eq!(story.watcher.situations().count(Situation::LeaderIsolated), 2);
}

#[test]
fn only_what_is_wanted_is_kept_with_its_node() {
    let mut story = Story::new();
    story.watcher.want(Situation::LeaderElected);
    story.leader(3, 1).follower(3, 2).leader(1, 2);
    assert_eq!(story.watcher.take(), Some((Situation::LeaderElected, Some(3))));
    assert_eq!(story.watcher.take(), Some((Situation::LeaderElected, Some(1))));
    assert_eq!(story.watcher.take(), None);
}
