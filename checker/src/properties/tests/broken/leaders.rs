//! Streams that break what is asked of a node that hears a leader, and of a leader towards its members.

use super::super::{Feed, Observation, Role, TIMING, Timing, configuration, entry, role, timed};
use super::{committed, led};

/// As [`led`], with election timeouts of at least 150 ns and heartbeats every 50 ns.
fn timed_led() -> Feed {
    let mut feed = timed(led());
    feed.follow(1, 1);
    feed.ok(1, Observation::LeaderHeard { term: 1, clock: 1_000 });
    feed
}

#[test]
fn no_disruption_pre_vote_beside_a_leader() {
    for clock in [1_000, 1_149] {
        let granted = Observation::PreVoteGranted { term: 2, clock };
        timed_led().breaks(1, granted, "no-disruption/pre-vote-beside-a-leader");
    }
    let granted = Observation::PreVoteGranted { term: 2, clock: 0 };
    timed_led().breaks(0, granted, "no-disruption/pre-vote-beside-a-leader");
}

#[test]
fn no_disruption_heard_a_candidate() {
    let asked = Observation::VoteAsked { term: 2, clock: 1_149 };
    let mut feed = timed_led();
    feed.ok(1, asked);
    let entered = feed.observe_in_event(1, Observation::Term { term: 2 }).unwrap_err();
    assert_eq!(entered.signature(), "no-disruption/heard-a-candidate");
    // A leader hears no candidate either, whether its role or its term is told first.
    let mut feed = timed_led();
    feed.ok(0, asked);
    let entered = feed.observe_in_event(0, role(Role::Follower, 2)).unwrap_err();
    assert_eq!(entered.signature(), "no-disruption/heard-a-candidate");
}

#[test]
fn no_disruption_stood_without_pre_votes() {
    let signature = "no-disruption/stood-without-pre-votes";
    let mut feed = timed_led();
    feed.ok(1, role(Role::PreCandidate, 1));
    feed.breaks(1, role(Role::Candidate, 2), signature);
    // Of three voters one is too few, and what was granted for another term counts for nothing.
    let mut feed = timed_led();
    feed.ok(1, role(Role::PreCandidate, 1));
    feed.ok(1, Observation::PreVoteReceived { term: 1, from: 2 });
    feed.breaks(1, role(Role::Candidate, 2), signature);
    // The same node twice is one; five voters need two others.
    let mut feed = timed(Feed::new(5));
    feed.ok(1, role(Role::PreCandidate, 0));
    feed.ok(1, Observation::PreVoteReceived { term: 1, from: 2 });
    feed.ok(1, Observation::PreVoteReceived { term: 1, from: 2 });
    feed.breaks(1, role(Role::Candidate, 1), signature);
}

fn silent(silence: u64, answered: Option<u64>) -> Observation<'static> {
    Observation::MemberSilent {
        member: 1,
        silence,
        answered,
    }
}

#[test]
fn heartbeat_pause_silent_for_an_election_timeout() {
    let mut feed = timed_led();
    feed.ok(0, silent(149, None));
    feed.breaks(0, silent(150, None), "heartbeat-pause/silent-for-an-election-timeout");
}

#[test]
fn heartbeat_pause_back_off_from_one_that_answers() {
    let mut feed = timed_led();
    feed.ok(0, silent(100, Some(87)));
    let signature = "heartbeat-pause/back-off-from-one-that-answers";
    feed.breaks(0, silent(100, Some(88)), signature);
}

#[test]
fn elected_by_quorum_too_few_votes() {
    let signature = "elected-by-quorum/too-few-votes";
    let mut feed = timed(Feed::new(3));
    feed.stand_with_pre_votes(0, 1, &[1]);
    feed.vote(0, 1, 0);
    feed.breaks(0, role(Role::Leader, 1), signature);
    // A vote for somebody else, and one of another term, are none for this.
    let mut feed = timed(Feed::new(3));
    feed.ok(1, Observation::Term { term: 1 });
    feed.vote(1, 1, 0);
    feed.ok(2, Observation::Term { term: 2 });
    feed.vote(2, 2, 1);
    feed.ok(0, Observation::Term { term: 1 });
    feed.stand_with_pre_votes(0, 2, &[1]);
    feed.vote(0, 2, 0);
    feed.breaks(0, role(Role::Leader, 2), signature);
}

/// The leader, node 0, acts at `clock`, and has not heard from `members` for `unheard` ns.
fn deaf(feed: &mut Feed, members: &[u32], unheard: u64, clock: u64) -> Result<(), String> {
    feed.events += 1;
    members.iter().try_for_each(|member| {
        let observation = Observation::MemberUnheard {
            member: *member,
            unheard,
            clock,
        };
        let verdict = feed.observe_in_event(0, observation);
        verdict.map_err(|violation| violation.signature())
    })
}

#[test]
fn check_quorum_deaf_leader() {
    let deaf_leader = Err("check-quorum/deaf-leader".to_owned());
    let mut feed = timed_led();
    deaf(&mut feed, &[1, 2], 350, 1_000).unwrap();
    deaf(&mut feed, &[1, 2], 399, 1_049).unwrap();
    assert_eq!(deaf(&mut feed, &[1, 2], 400, 1_050), deaf_leader);
    // Of two, either is enough; the leader itself counts.
    let mut feed = timed_led();
    deaf(&mut feed, &[1], 350, 1_000).unwrap();
    deaf(&mut feed, &[1], 9_000, 9_000).unwrap();
    deaf(&mut feed, &[2], 9_000, 9_001).unwrap();
    deaf(&mut feed, &[1, 2], 349, 9_500).unwrap();
    assert_eq!(deaf(&mut feed, &[2, 1], 350, 9_501), deaf_leader);
    let mut feed = timed_led();
    feed.properties = feed.properties.timing(Timing {
        check_quorum: false,
        ..TIMING
    });
    deaf(&mut feed, &[1, 2], 350, 1_000).unwrap();
    deaf(&mut feed, &[1, 2], 9_000, 9_000).unwrap();
}

fn progress(acquaintance: u64, match_index: u64, next_index: u64) -> Observation<'static> {
    Observation::MemberProgress {
        member: 1,
        acquaintance,
        match_index,
        next_index,
        messages: 0,
        bytes: 0,
    }
}

#[test]
fn leader_progress_match_fell() {
    let mut feed = committed(2);
    feed.ok(0, progress(1, 2, 3));
    feed.breaks(0, progress(1, 1, 3), "leader-progress/match-fell");
}

#[test]
fn leader_progress_next_not_above_match() {
    committed(2).breaks(0, progress(1, 2, 2), "leader-progress/next-not-above-match");
}

#[test]
fn leader_progress_match_not_durable() {
    let signature = "leader-progress/match-not-durable";
    // Node 1 has entry 3 in memory only; node 2 has nothing.
    let mut feed = committed(2);
    feed.ok(0, Observation::Appended(entry(3, 1)));
    feed.ok(1, Observation::Appended(entry(3, 1)));
    feed.breaks(0, progress(1, 3, 4), signature);
    let about_2 = Observation::MemberProgress {
        member: 2,
        acquaintance: 1,
        match_index: 1,
        next_index: 2,
        messages: 0,
        bytes: 0,
    };
    committed(2).breaks(0, about_2, signature);
    // The same index with an entry of an earlier term.
    let mut feed = Feed::new(3);
    feed.elect(1, 1, &[1, 2]);
    feed.store(1, entry(1, 1));
    feed.elect(0, 2, &[0, 2]);
    feed.store(0, entry(1, 2));
    feed.breaks(0, progress(1, 1, 2), signature);
}

/// As [`led`], with the logs 1 1 1 2 2 4 of the leader of term 4 and 1 1 3 3 3 3 of node 1.
fn parted() -> Feed {
    let mut feed = Feed::new(3);
    feed.elect(0, 1, &[0, 1]);
    for node in [0, 1] {
        feed.store(node, entry(1, 1));
        feed.store(node, entry(2, 1));
    }
    feed.store(0, entry(3, 1));
    feed.elect(2, 2, &[0, 2]);
    feed.follow(0, 2);
    for index in [4, 5] {
        feed.store(0, entry(index, 2));
    }
    feed.elect(1, 3, &[1, 2]);
    for index in 3..=6 {
        feed.store(1, entry(index, 3));
    }
    feed.elect(0, 4, &[0, 2]);
    feed.store(0, entry(6, 4));
    feed
}

fn refused(prev_index: u64, match_index: u64, next_index: u64) -> Observation<'static> {
    Observation::MemberRefused {
        member: 1,
        acquaintance: 1,
        prev_index,
        match_index,
        next_index,
    }
}

#[test]
fn bounded_catch_up_refusal_unheeded() {
    parted().breaks(0, refused(5, 0, 6), "bounded-catch-up/refusal-unheeded");
    let mut feed = parted();
    feed.ok(0, refused(5, 0, 4));
    feed.breaks(0, refused(3, 0, 4), "bounded-catch-up/refusal-unheeded");
}

#[test]
fn bounded_catch_up_walks_back() {
    // Above entry 2 the logs have the terms 1, 2, 4 and 3.
    let mut feed = parted();
    for next in [7, 6, 5, 4, 3] {
        feed.ok(0, refused(next, 2, next));
    }
    // The same again, late and twice, is no move.
    feed.ok(0, refused(7, 2, 7));
    feed.ok(0, refused(3, 2, 3));
    feed.breaks(0, refused(2, 2, 2), "bounded-catch-up/walks-back");
}

fn under_way(match_index: u64, messages: u64, bytes: u64) -> Observation<'static> {
    Observation::MemberProgress {
        member: 1,
        acquaintance: 1,
        match_index,
        next_index: 3,
        messages,
        bytes,
    }
}

#[test]
fn nothing_under_way_bytes_without_messages() {
    committed(2).breaks(0, under_way(1, 0, 7), "nothing-under-way/bytes-without-messages");
}

#[test]
fn nothing_under_way_messages_after_their_acknowledgement() {
    let signature = "nothing-under-way/messages-after-their-acknowledgement";
    committed(2).breaks(0, under_way(2, 1, 7), signature);
}

#[test]
fn nothing_under_way_uncommitted_without_entries() {
    let signature = "nothing-under-way/uncommitted-without-entries";
    committed(2).breaks(0, Observation::Uncommitted { bytes: 1 }, signature);
}

#[test]
fn transfer_holds_writes_command_during_a_transfer() {
    let mut feed = led();
    feed.ok(0, Observation::TransferBegun);
    feed.ok(0, Observation::Appended(entry(1, 1)));
    feed.leaves("transfer-holds-writes/command-during-a-transfer");
    // A configuration at another place does not make it one.
    let mut feed = led();
    feed.store(0, entry(1, 1));
    feed.store(1, entry(1, 1));
    feed.commit(0, 1);
    feed.ok(0, Observation::TransferBegun);
    feed.ok(0, Observation::Appended(entry(2, 1)));
    feed.also(0, Observation::Appended(entry(3, 1)));
    feed.also(0, configuration(2, &[0, 1, 2, 3], &[]));
    feed.also(0, Observation::ConfigurationActive { index: 2 });
    feed.leaves("transfer-holds-writes/command-during-a-transfer");
}

#[test]
fn leads_until_removed_quit_before_committed() {
    let mut feed = committed(1);
    feed.configure(0, entry(2, 1), &[1, 2], &[]);
    let quits = feed.observe_in_event(0, role(Role::Follower, 1)).unwrap_err();
    assert_eq!(quits.signature(), "leads-until-removed/quit-before-committed");
    // It has lost sight of one of three; two are a quorum.
    let mut feed = committed(1);
    feed.configure(0, entry(2, 1), &[1, 2, 3], &[]);
    feed.also(0, Observation::MemberLost { member: 3 });
    let quits = feed.observe_in_event(0, role(Role::Follower, 1)).unwrap_err();
    assert_eq!(quits.signature(), "leads-until-removed/quit-before-committed");
}
