//! Follows a run and counts what it amounts to: observations and signs of the nodes, steps of the world.

use super::cluster::{Links, Mask, States, bit};
use super::view::{Lease, Members, View};
use super::{Sign, Situation, Situations};
use checker::properties::{EntryMark, Observation, Role};

/// From how many removed entries on a divergence is long.
const LONG: u64 = 5;
/// Restarts within this time, in nanoseconds, count together.
const MASS: u64 = 1_000_000_000;
/// Terms whose candidates are remembered.
const TERMS: usize = 4;

/// Follows a run and counts what it amounts to. Costs no allocation for an observation, apart from new terms and members.
#[derive(Clone, Debug)]
pub struct Watcher {
    now: u64,
    situations: Situations,
    views: Vec<View>,
    founders: Mask,
    links: Links,
    states: States,
    /// The highest index that any node knows to be committed.
    committed: u64,
    /// The leader of the latest term that had one, and that term.
    latest: Option<(usize, u64)>,
    /// Of the latest terms: the candidates, and whether one won.
    elections: [(u64, Mask, bool); TERMS],
    /// No lease is half spent before this.
    next_half: u64,
    /// The situations of which each occurrence is kept for [`take`](Self::take), as bits.
    wanted: u128,
    fresh: Vec<(Situation, Option<u32>)>,
    /// The situations that must not be reached, as bits, and from when on.
    forbidden: u128,
    forbidden_from: u64,
    /// The first of them that was reached all the same.
    broken: Option<(Situation, Option<u32>)>,
}

impl Watcher {
    /// Of a cluster of `nodes`, of which the first `founders` are its first voters.
    pub fn new(nodes: u16, founders: u16) -> Self {
        let founders = bit(founders.into()) - 1;
        Self {
            now: 0,
            situations: Situations::default(),
            views: vec![View::new(founders); nodes.into()],
            founders,
            links: Links::new(nodes.into(), |_, _| false),
            states: States::default(),
            committed: 0,
            latest: None,
            elections: [(0, 0, false); TERMS],
            next_half: u64::MAX,
            wanted: 0,
            fresh: Vec::new(),
            forbidden: 0,
            forbidden_from: 0,
            broken: None,
        }
    }

    /// The same for a system whose runs may reach these situations.
    #[must_use]
    pub fn admitting(mut self, situations: &[Situation]) -> Self {
        self.situations = Situations::of(situations.iter().copied());
        self
    }

    /// These situations must not be reached from a true time (ns) on: see [`broken`](Self::broken).
    pub fn forbid(&mut self, situations: impl Iterator<Item = Situation>, from: u64) {
        self.forbidden = situations.fold(0, |bits, situation| bits | situation.bit());
        self.forbidden_from = from;
    }

    /// The first forbidden situation that was reached, with the node that it was observed on, if it was on one.
    pub fn broken(&self) -> Option<(Situation, Option<u32>)> {
        self.broken
    }

    /// Keeps each occurrence of this situation for [`take`](Self::take).
    pub fn want(&mut self, situation: Situation) {
        self.wanted |= situation.bit();
    }

    /// An occurrence of a wanted situation, oldest first, with the node that it was observed on, if it was on one.
    pub fn take(&mut self) -> Option<(Situation, Option<u32>)> {
        (!self.fresh.is_empty()).then(|| self.fresh.remove(0))
    }

    /// What is known of each node.
    pub(super) fn views(&self) -> &[View] {
        &self.views
    }

    /// The members as the latest leader knows them.
    pub(super) fn members(&self) -> Members {
        self.members_by(&self.views)
    }

    /// Whether some other node does not reach this one, or is not reached by it.
    pub(super) fn has_cut_links(&self, node: usize) -> bool {
        self.links.is_cut_around(node)
    }

    /// What was reached so far.
    pub fn situations(&self) -> &Situations {
        &self.situations
    }

    /// It is this true time now, in nanoseconds.
    pub fn at(&mut self, now: u64) {
        self.now = now;
        if now < self.next_half {
            return;
        }
        self.next_half = u64::MAX;
        for node in 0..self.views.len() {
            let Some(lease) = &mut self.views[node].lease else {
                continue;
            };
            match lease.half {
                Some(half) if half <= now => {
                    lease.half = None;
                    self.reached(Situation::LeaseHalfSpent, node);
                }
                Some(half) => self.next_half = self.next_half.min(half),
                None => {}
            }
        }
    }

    /// Counts a situation that was noticed elsewhere.
    pub fn reached(&mut self, situation: Situation, node: usize) {
        self.count(situation, Some(node));
    }

    fn reached_if(&mut self, is_so: bool, situation: Situation, node: usize) {
        if is_so {
            self.reached(situation, node);
        }
    }

    fn count(&mut self, situation: Situation, node: Option<usize>) {
        self.situations.reached(situation, 1);
        if self.forbidden & situation.bit() != 0 && self.now >= self.forbidden_from {
            self.broken.get_or_insert((situation, node.map(|node| node as u32)));
        }
        if self.wanted & situation.bit() != 0 {
            self.fresh.push((situation, node.map(|node| node as u32)));
        }
    }

    /// Links were cut or mended.
    pub fn links(&mut self, links: Links) {
        self.links = links;
        self.refresh();
    }

    /// Looks which states of the whole cluster have begun.
    fn refresh(&mut self) {
        let mut states = std::mem::take(&mut self.states);
        let (views, links) = (std::mem::take(&mut self.views), std::mem::take(&mut self.links));
        let members = self.members_by(&views);
        states.update(&views, &links, members, |situation, node| self.count(situation, node));
        (self.states, self.views, self.links) = (states, views, links);
    }

    /// The members as the latest leader knows them.
    fn members_by(&self, views: &[View]) -> Members {
        match self.latest {
            Some((leader, _)) => views[leader].members(),
            None => Members {
                voters: self.founders,
                ..Members::default()
            },
        }
    }

    fn latest_term(&self) -> u64 {
        self.latest.map_or(0, |(_, term)| term)
    }

    /// A node was paused.
    pub fn paused(&mut self, node: usize) {
        let (leads, now) = (self.views[node].leads(), self.now);
        self.reached_if(leads, Situation::LeaderPaused, node);
        let view = &mut self.views[node];
        view.paused_with_lease = leads && view.lease.is_some_and(|lease| lease.until > now);
    }

    /// A paused node may go on.
    pub fn resumed(&mut self, node: usize) {
        let view = &mut self.views[node];
        let with_lease = std::mem::take(&mut view.paused_with_lease);
        if !view.leads() {
            return;
        }
        let (term, within) = (view.role_term, view.lease.is_some_and(|lease| lease.until > self.now));
        self.reached_if(term < self.latest_term(), Situation::PausedLeaderSuperseded, node);
        self.reached_if(with_lease && within, Situation::LeaseAcrossPause, node);
        self.reached_if(with_lease && !within, Situation::LeaseRanOutInPause, node);
    }

    /// Takes in one observation. Leases are in true time.
    pub fn observe(&mut self, node: u32, observation: &Observation<'_>) {
        let node = node as usize;
        match *observation {
            Observation::Booted {
                entries,
                snapshot,
                term,
                ..
            } => self.booted(node, term, snapshot, entries),
            Observation::Crashed => self.crashed(node),
            Observation::Term { term } => {
                let before = std::mem::replace(&mut self.views[node].term, term);
                self.reached_if(term > before, Situation::TermNotDurable, node);
            }
            Observation::Role { role, term } => self.role(node, role, term),
            Observation::Truncated { from } => self.truncated(node, from),
            Observation::Appended(entry) => self.appended(node, entry),
            Observation::DurableAppended(entry) => self.views[node].durable = entry.index,
            Observation::Committed { index } => self.committed(node, index),
            Observation::Installed { index, term } => self.installed(node, index, term),
            Observation::DurableInstalled { index, .. } => {
                let view = &mut self.views[node];
                view.durable = view.durable.max(index).min(view.last);
            }
            Observation::ConfigurationAppended {
                index,
                voters,
                outgoing,
                learners,
            } => self.configuration(node, index, (voters, outgoing, learners)),
            Observation::ConfigurationActive { index } => self.active(node, index),
            Observation::VoteCast { candidate, .. } => {
                self.reached_if(candidate as usize != node, Situation::VoteGranted, node);
            }
            Observation::TransferReceived { .. } => self.reached(Situation::TransferReceived, node),
            Observation::LeaseHeld { until } => self.lease(node, until),
            Observation::LeaseDropped => {
                self.views[node].lease = None;
                self.reached(Situation::LeaseDropped, node);
            }
            Observation::SessionApplied { effect: false, .. } => self.reached(Situation::CommandRepeated, node),
            _ => {}
        }
    }

    /// Takes in one sign.
    pub fn sign(&mut self, node: u32, sign: Sign) {
        let node = node as usize;
        match sign {
            Sign::Vote { from, term } => self.vote_arrived(node, from, term),
            Sign::StaleAppend => self.reached(Situation::StaleAppendRefused, node),
            Sign::SnapshotChunk { term } => {
                let before = self.views[node].receiving.replace(term);
                self.reached_if(before != Some(term), Situation::SnapshotBeingSent, node);
            }
            Sign::ReadForwarded => self.reached(Situation::ReadForwarded, node),
            Sign::ReadRefused => {
                self.reached(Situation::ReadRefused, node);
                let view = &self.views[node];
                let term = match view.deposed {
                    _ if view.leads() => Some(view.role_term),
                    Some((at, term)) if at == self.now => Some(term),
                    _ => None,
                };
                let stale = term.is_some_and(|term| term < self.latest_term());
                self.reached_if(stale, Situation::StaleLeaderRefusedRead, node);
            }
            Sign::UpdateHeldUp => self.reached(Situation::UpdateHeldUp, node),
            Sign::ChangeRefused => self.reached(Situation::ChangeRefused, node),
            Sign::TransferStarted => self.reached(Situation::TransferStarted, node),
            Sign::TransferAborted => self.reached(Situation::TransferAborted, node),
            Sign::StaleCommand => self.reached(Situation::StaleCommand, node),
            Sign::TornTail => self.reached(Situation::TornTailRecovered, node),
            Sign::RewrittenLog => self.reached(Situation::RewrittenLogRecovered, node),
            Sign::RewriteCutShort => self.reached(Situation::RewriteCutShort, node),
        }
    }

    fn vote_arrived(&mut self, node: usize, from: u32, term: u64) {
        let view = &mut self.views[node];
        let is_over = view.term > term || view.role != Role::Candidate;
        let (of, voters) = view.votes;
        let before = if of == term { voters } else { 0 };
        if of <= term {
            view.votes = (term, before | bit(from as usize));
        }
        self.reached_if(is_over, Situation::LateVote, node);
        self.reached_if(before & bit(from as usize) != 0, Situation::DuplicateVote, node);
    }

    fn booted(&mut self, node: usize, term: u64, snapshot: u64, entries: &[EntryMark]) {
        let view = &mut self.views[node];
        let is_first = view.up;
        let mut fresh = View::new(self.founders);
        fresh.seen_members = view.seen_members;
        fresh.restarted = (!is_first).then_some(self.now);
        (fresh.term, fresh.role_term) = (term, term);
        let last = entries.last().map_or(snapshot, |entry| entry.index);
        (fresh.last, fresh.durable, fresh.commit) = (last, last, snapshot);
        fresh.terms.reset(snapshot, 0);
        entries
            .iter()
            .for_each(|entry| fresh.terms.append(entry.index, entry.term));
        *view = fresh;
        if !is_first {
            self.reached_if(last > self.committed, Situation::RestartedWithTail, node);
            self.reached_if(term + 2 <= self.latest_term(), Situation::StaleNodeRejoined, node);
            let lately = |view: &&View| view.restarted.is_some_and(|at| at + MASS > self.now);
            let (restarted, all) = (self.views.iter().filter(lately).count(), self.views.len());
            // Once for each time: by the one who completes the majority.
            self.reached_if(all > 1 && restarted == all / 2 + 1, Situation::MassRestart, node);
        }
        self.refresh();
    }

    fn crashed(&mut self, node: usize) {
        let view = &self.views[node];
        let (last, durable, commit) = (view.last, view.durable, view.commit);
        if view.leads() {
            self.reached(Situation::LeaderCrashed, node);
            self.reached_if(last > commit, Situation::LeaderCrashedWithTail, node);
            self.reached_if(
                self.views[node].members().is_joint(),
                Situation::JointLeaderCrashed,
                node,
            );
            self.leader_ended(node);
        }
        self.reached_if(last > durable, Situation::CrashedBeforeSync, node);
        self.reached_if(self.views[node].receiving.is_some(), Situation::SnapshotCutShort, node);
        let view = &mut self.views[node];
        (view.up, view.role, view.lease, view.receiving) = (false, Role::Follower, None, None);
        // What its disk surely has.
        view.last = durable.min(last);
        view.terms.truncate(view.last + 1);
        self.refresh();
    }

    fn role(&mut self, node: usize, role: Role, term: u64) {
        let view = &mut self.views[node];
        let (before, before_term) = (view.role, view.role_term);
        (view.role, view.role_term, view.term) = (role, term, term);
        match before {
            Role::Leader if role != Role::Leader => self.deposed(node, before_term),
            Role::Candidate if role != Role::Leader => {
                self.reached(Situation::ElectionLost, node);
                let stands_again = matches!(role, Role::Candidate | Role::PreCandidate);
                let was_split = self.was_split(before_term);
                self.reached_if(stands_again && was_split, Situation::SplitVote, node);
            }
            Role::PreCandidate if role == Role::Follower => self.reached(Situation::PreVoteLost, node),
            _ => {}
        }
        match role {
            Role::Leader => self.elected(node, term),
            Role::Candidate | Role::PreCandidate => self.stands(node, role, term),
            Role::Follower | Role::Learner => {}
        }
        if role == Role::Leader || before == Role::Leader {
            self.refresh();
        }
    }

    /// The candidates of a term, and whether one won; the oldest term that is remembered makes room.
    fn election(&mut self, term: u64) -> &mut (u64, Mask, bool) {
        let position = self.elections.iter().position(|election| election.0 == term);
        let slot = position.unwrap_or_else(|| {
            let oldest = (0..TERMS).min_by_key(|slot| self.elections[*slot].0).unwrap_or(0);
            self.elections[oldest] = (term, 0, false);
            oldest
        });
        &mut self.elections[slot]
    }

    fn was_split(&mut self, term: u64) -> bool {
        let (_, candidates, won) = *self.election(term);
        candidates.count_ones() > 1 && !won
    }

    fn stands(&mut self, node: usize, role: Role, term: u64) {
        if role == Role::Candidate {
            let candidates = &mut self.election(term).1;
            *candidates |= bit(node);
            let is_second = candidates.count_ones() == 2;
            self.reached_if(is_second, Situation::TwoCandidates, node);
        }
        let is_left_out = self.latest.is_some() && self.members_by(&self.views).all() & bit(node) == 0;
        self.reached_if(is_left_out, Situation::RemovedNodeCampaigned, node);
    }

    fn elected(&mut self, node: usize, term: u64) {
        self.reached(Situation::LeaderElected, node);
        self.election(term).2 = true;
        let others = self.views.iter().filter(|view| view.leads()).count();
        self.reached_if(others > 1, Situation::TwoLeaders, node);
        self.reached_if(self.links.any_cut(), Situation::ElectedUnderPartition, node);
        if term >= self.latest_term() {
            self.latest = Some((node, term));
        }
        let view = &mut self.views[node];
        let last_term = view.terms.at(view.last).filter(|_| view.last > view.commit);
        view.inherited = last_term.filter(|last| *last < term).map(|last| (view.last, last));
        let (inherits, joint) = (view.inherited.is_some(), view.members().is_joint());
        self.reached_if(inherits, Situation::InheritedTail, node);
        self.reached_if(joint, Situation::JointInherited, node);
        for receiver in 0..self.views.len() {
            let receiving = &mut self.views[receiver].receiving;
            if receiving.is_some_and(|of| of < term) {
                *receiving = None;
                self.reached(Situation::SnapshotDuringLeaderChange, receiver);
            }
        }
    }

    fn deposed(&mut self, node: usize, term: u64) {
        self.reached(Situation::LeaderDeposed, node);
        let members = self.views[node].members();
        self.reached_if(
            members.all_voters() & bit(node) == 0,
            Situation::LeaderRemovedItself,
            node,
        );
        self.leader_ended(node);
        let view = &mut self.views[node];
        (view.lease, view.deposed) = (None, Some((self.now, term)));
    }

    /// A leader was deposed or crashed: did it leave what figure 8 warns of?
    fn leader_ended(&mut self, node: usize) {
        let Some((index, term)) = self.views[node].inherited.take() else {
            return;
        };
        let has_it = |view: &View| view.last >= index && view.terms.at(index) == Some(term);
        let holders = (0..self.views.len()).filter(|holder| has_it(&self.views[*holder]));
        let holders = holders.fold(0, |set, holder| set | bit(holder));
        let on_majority = self.views[node].members().is_quorum(holders);
        self.reached_if(on_majority && self.committed < index, Situation::FigureEight, node);
    }

    fn truncated(&mut self, node: usize, from: u64) {
        let view = &mut self.views[node];
        let (removed, was_durable) = ((view.last + 1).saturating_sub(from), view.durable >= from);
        view.last = from - 1;
        view.durable = view.durable.min(view.last);
        view.terms.truncate(from);
        view.configurations
            .retain(|members| members.index < from || members.index == 0);
        self.reached(Situation::EntriesTruncated, node);
        self.reached_if(was_durable, Situation::DurableTruncated, node);
        self.reached_if(removed >= LONG, Situation::LongDivergence, node);
    }

    fn appended(&mut self, node: usize, entry: EntryMark) {
        let latest = self.latest_term();
        let view = &mut self.views[node];
        let before = std::mem::replace(&mut view.last, entry.index);
        view.terms.append(entry.index, entry.term);
        let (synced, clean) = (view.durable == before, view.commit == before);
        let (leads, term, role_term) = (view.leads(), view.term, view.role_term);
        self.reached_if(synced, Situation::BetweenAppendAndSync, node);
        self.reached_if(leads && clean, Situation::TailUncommitted, node);
        self.reached_if(leads && role_term < latest, Situation::StaleLeaderAppended, node);
        self.reached_if(!leads && entry.term < term, Situation::EarlierEntryAppended, node);
    }

    fn committed(&mut self, node: usize, index: u64) {
        self.committed = self.committed.max(index);
        let view = &mut self.views[node];
        view.commit = index;
        let (leads, ahead) = (view.leads(), index > view.durable);
        let inherited = view.inherited.take_if(|(last, _)| *last <= index).is_some();
        self.reached_if(leads && ahead, Situation::CommittedBeforeOwnSync, node);
        self.reached_if(leads && inherited, Situation::InheritedTailCommitted, node);
    }

    fn installed(&mut self, node: usize, index: u64, term: u64) {
        self.committed = self.committed.max(index);
        let view = &mut self.views[node];
        let had_tail = view.last > view.commit;
        if view.last < index || view.terms.at(index) != Some(term) {
            view.last = index;
            view.terms.reset(index, term);
        }
        (view.commit, view.receiving) = (index, None);
        self.reached(Situation::SnapshotInstalled, node);
        self.reached_if(had_tail, Situation::SnapshotReplacedTail, node);
        self.reached_if(self.links.any_cut(), Situation::SnapshotUnderPartition, node);
    }

    fn configuration(&mut self, node: usize, index: u64, (voters, outgoing, learners): (&[u32], &[u32], &[u32])) {
        let view = &mut self.views[node];
        let known = view.seen_members;
        let (before, members) = view.configuration(index, voters, outgoing, learners);
        let leads = view.leads();
        self.reached_if(members.is_joint(), Situation::JointConfiguration, node);
        if leads {
            let promoted = before.learners & members.voters;
            self.reached_if(promoted != 0, Situation::LearnerPromoted, node);
            let demoted = before.all_voters() & members.learners;
            self.reached_if(demoted != 0, Situation::VoterDemoted, node);
            let returned = members.all() & !before.all() & known;
            self.reached_if(returned != 0, Situation::NodeReturned, node);
        }
    }

    fn active(&mut self, node: usize, index: u64) {
        let before = std::mem::replace(&mut self.views[node].active, index);
        self.reached_if(index < before, Situation::ConfigurationRolledBack, node);
        self.refresh();
    }

    fn lease(&mut self, node: usize, until: u64) {
        let half = self.now + until.saturating_sub(self.now) / 2;
        let lease = Lease {
            until,
            half: Some(half),
        };
        let before = self.views[node].lease.replace(lease);
        self.next_half = self.next_half.min(half);
        let is_new = before.is_none_or(|lease| lease.until <= self.now);
        self.reached_if(is_new, Situation::LeaseHeld, node);
    }
}
