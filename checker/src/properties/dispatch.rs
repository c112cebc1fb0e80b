//! Which observation is put to which properties, in which order, and when the mirror follows.
//!
//! Every check sees the state before the observation; the mirror moves when all have agreed. A property that is not held
//! is passed over, except `index-order` (every call of it stands without `pass`): what it refuses has no place in the
//! mirror, and [`Properties::observe`] stops judging there. What the properties say is left to them.

use super::bounded_catch_up::Refused;
use super::configuration::{ConfigurationId, Members};
use super::exactly_once::Processed;
use super::ghost::{HardState, Mark};
use super::leader_progress::Belief;
use super::nothing_under_way::UnderWay;
use super::observation::{EntryMark, Observation, Role};
use super::violation::{Step, Verdict};
use super::{
    Properties, apply_order, commit_own_term, committed_durable, committed_immutable, configuration_of_log,
    elected_by_quorum, heartbeat_pause, index_order, leader_append_only, leader_completeness, monotonic_commit,
    monotonic_term, nothing_under_way, state_machine_safety,
};

impl Properties {
    /// Judges what the events before `event` left open.
    #[inline]
    pub(super) fn settle(&mut self, event: u64) -> Verdict {
        let verdict = self.configuration_of_log.settle(&self.ghost, event);
        self.judged.pass(verdict)?;
        let verdict = self.one_change_at_a_time.settle(&self.ghost, event);
        self.judged.pass(verdict)?;
        let verdict = self.transfer_holds_writes.settle(event);
        self.judged.pass(verdict)
    }

    pub(super) fn check(&mut self, step: Step, observation: &Observation<'_>) -> Verdict {
        match *observation {
            Observation::Booted {
                term,
                voted_for,
                snapshot,
                entries,
            } => self.booted(step, HardState { term, voted_for }, snapshot, entries),
            Observation::Crashed => {
                self.ghost.node_mut(step.node).up = false;
                self.read_freshness.restarted(step);
                Ok(())
            }
            Observation::Damaged => {
                self.ghost.node_mut(step.node).damaged = true;
                self.leader_progress.damaged(step);
                Ok(())
            }
            Observation::Term { term } => self.term(step, term),
            Observation::Role { role, term } => self.role(step, role, term),
            Observation::Truncated { from } => self.truncated(step, from),
            Observation::Appended(entry) => self.appended(step, &entry),
            Observation::DurableHardState { term, voted_for } => {
                self.durable_hard_state(step, HardState { term, voted_for })
            }
            Observation::DurableTruncated { from } => {
                self.ghost.node_mut(step.node).durable_log.truncate(from);
                Ok(())
            }
            Observation::DurableAppended(entry) => self.durable_appended(step, &entry),
            Observation::VoteCast { term, candidate } => {
                let verdict = self.one_durable_vote.cast(&self.ghost, step, term, candidate);
                self.judged.pass(verdict)
            }
            Observation::Committed { index } => self.committed_up_to(step, index),
            Observation::Applied { entry, state_hash } => self.applied(step, &entry, state_hash),
            Observation::Installed { term, index } => self.installed(step, index, term),
            Observation::DurableInstalled { term, index } => self.durable_installed(step, index, term),
            Observation::ConfigurationAppended {
                index,
                voters,
                outgoing,
                learners,
            } => {
                let members = Members {
                    voters,
                    outgoing,
                    learners,
                };
                self.configuration_appended(step, index, members)
            }
            Observation::ConfigurationActive { index } => self.configuration_active(step, index),
            Observation::LeaderHeard { .. }
            | Observation::VoteAsked { .. }
            | Observation::PreVoteGranted { .. }
            | Observation::PreVoteReceived { .. } => self.check_hearing(step, observation),
            Observation::MemberSilent { .. }
            | Observation::MemberUnheard { .. }
            | Observation::MemberLost { .. }
            | Observation::MemberProgress { .. }
            | Observation::MemberRefused { .. }
            | Observation::Uncommitted { .. }
            | Observation::TransferBegun
            | Observation::TransferEnded => self.check_leader(step, observation),
            _ => self.check_client(step, observation),
        }
    }

    /// What a node hears of leaders and candidates.
    fn check_hearing(&mut self, step: Step, observation: &Observation<'_>) -> Verdict {
        match *observation {
            Observation::LeaderHeard { term, clock } => self.no_disruption.leader_heard(step, term, clock),
            Observation::VoteAsked { term, clock } => self.no_disruption.vote_asked(&self.ghost, step, term, clock),
            Observation::PreVoteGranted { term, clock } => {
                let verdict = self.no_disruption.pre_vote_granted(&self.ghost, step, term, clock);
                return self.judged.pass(verdict);
            }
            Observation::PreVoteReceived { term, from } => self.no_disruption.pre_vote_received(step, term, from),
            _ => unreachable!("these are all that a node hears"),
        }
        Ok(())
    }

    /// What a leader does for its members, and believes of them.
    fn check_leader(&mut self, step: Step, observation: &Observation<'_>) -> Verdict {
        match *observation {
            Observation::MemberSilent {
                member,
                silence,
                answered,
            } => self.judged.pass(heartbeat_pause::silent(
                &self.ghost,
                step,
                self.timing,
                member,
                silence,
                answered,
            )),
            Observation::MemberUnheard { member, unheard, clock } => {
                let told = (member, unheard, clock);
                let verdict = self.check_quorum.unheard(&self.ghost, step, self.timing, told);
                self.judged.pass(verdict)
            }
            Observation::MemberLost { member } => {
                self.leads_until_removed.lost(step, member);
                Ok(())
            }
            Observation::MemberProgress {
                member,
                acquaintance,
                match_index,
                next_index,
                messages,
                bytes,
            } => {
                let belief = Belief {
                    member,
                    acquaintance,
                    match_index,
                    next_index,
                };
                let verdict = self.leader_progress.believed(&self.ghost, step, belief);
                self.judged.pass(verdict)?;
                let under_way = UnderWay {
                    member,
                    messages,
                    bytes,
                    acknowledged: next_index == match_index + 1,
                };
                self.judged
                    .pass(nothing_under_way::counted(&self.ghost, step, under_way))
            }
            Observation::MemberRefused {
                member,
                acquaintance,
                prev_index,
                match_index,
                next_index,
            } => {
                let refused = Refused {
                    member,
                    acquaintance,
                    prev_index,
                    match_index,
                    next_index,
                };
                let verdict = self.bounded_catch_up.refused(&self.ghost, step, refused);
                self.judged.pass(verdict)
            }
            Observation::Uncommitted { bytes } => {
                self.judged
                    .pass(nothing_under_way::uncommitted(&self.ghost, step, bytes))
            }
            Observation::TransferBegun => {
                self.transfer_holds_writes.begun(&self.ghost, step);
                Ok(())
            }
            Observation::TransferEnded => {
                self.transfer_holds_writes.ended(step);
                Ok(())
            }
            _ => unreachable!("these are all that a leader does for its members"),
        }
    }

    /// What concerns leases, reads and sessions, and so no log.
    fn check_client(&mut self, step: Step, observation: &Observation<'_>) -> Verdict {
        let verdict = match *observation {
            Observation::LeaseHeld { until } => self.lease_disjointness.held(&self.ghost, step, until),
            Observation::LeaseDropped => {
                self.lease_disjointness.dropped(step);
                Ok(())
            }
            Observation::ReadAsked { read } => {
                self.read_freshness.asked(&self.ghost, step, read);
                Ok(())
            }
            Observation::ReadServed { read, index } => self.read_freshness.served(&self.ghost, step, read, index),
            Observation::SessionApplied {
                session,
                sequence,
                effect,
                reply,
            } => {
                let processed = Processed {
                    session,
                    sequence,
                    effect,
                    reply,
                };
                self.exactly_once.processed(&self.ghost, step, processed)
            }
            Observation::TransferReceived { term } => {
                let node = self.ghost.node_mut(step.node);
                node.transfer = node.transfer.max(Some(term));
                Ok(())
            }
            _ => unreachable!("what concerns logs, terms and roles was checked before"),
        };
        self.judged.pass(verdict)
    }

    fn booted(&mut self, step: Step, hard_state: HardState, snapshot: u64, entries: &[EntryMark]) -> Verdict {
        let damaged = std::mem::take(&mut self.ghost.node_mut(step.node).damaged);
        if !damaged {
            self.judged
                .pass(monotonic_term::booted(&self.ghost, step, hard_state.term))?;
            let verdict = self.one_durable_vote.booted(&self.ghost, step, hard_state);
            self.judged.pass(verdict)?;
        }
        index_order::booted(&self.ghost, step, snapshot, entries)?;
        let survivor = committed_immutable::survivor(&self.ghost, step).filter(|_| !damaged);

        if damaged {
            self.ghost.forfeit(step.node);
        }
        let base = self.committed_mark(snapshot);
        self.read_freshness.restarted(step);
        self.no_disruption.restarted(step);
        self.bounded_catch_up.restarted(step);
        self.transfer_holds_writes.ended(step);
        self.ghost.boot(step.node, hard_state, snapshot, base);
        for entry in entries {
            self.judged.pass(monotonic_term::appended(&self.ghost, step, entry))?;
            let mark = self.ghost.node(step.node).log.mark_next(entry);
            let verdict = self.log_matching.appended(step, entry.index, mark);
            self.judged.pass(verdict)?;
            self.ghost.recover_entry(step.node, mark);
        }
        self.configuration_of_log.changed(&self.ghost, step);
        self.judged
            .pass(committed_immutable::booted(&self.ghost, step, survivor))
    }

    fn term(&mut self, step: Step, term: u64) -> Verdict {
        self.judged.pass(monotonic_term::entered(&self.ghost, step, term))?;
        let verdict = self.no_disruption.entered(&self.ghost, step, term);
        self.judged.pass(verdict)?;
        self.ghost.node_mut(step.node).term = term;
        Ok(())
    }

    fn role(&mut self, step: Step, role: Role, term: u64) -> Verdict {
        self.judged.pass(monotonic_term::entered(&self.ghost, step, term))?;
        let before = self.ghost.node(step.node);
        if (before.role, before.role_term) == (role, term) {
            return Ok(());
        }
        let verdict = self.no_disruption.entered(&self.ghost, step, term);
        self.judged.pass(verdict)?;
        if role == Role::Candidate {
            let verdict = self.no_disruption.stands(&self.ghost, step, term);
            self.judged.pass(verdict)?;
        }
        let verdict = self.leads_until_removed.changed(&self.ghost, step, role, term);
        self.judged.pass(verdict)?;
        let verdict = self.legal_roles.changed(&self.ghost, step, role, term);
        self.judged.pass(verdict)?;
        if role == Role::Leader {
            let verdict = self.election_safety.won(step, term);
            self.judged.pass(verdict)?;
            if self.timing.is_some() {
                self.judged
                    .pass(elected_by_quorum::won(&self.ghost, &self.one_durable_vote, step, term))?;
            }
            self.judged.pass(leader_completeness::won(&self.ghost, step, term))?;
            let verdict = self.quorum_overlap.won(&self.ghost, step, term);
            self.judged.pass(verdict)?;
        }
        let node = self.ghost.node_mut(step.node);
        node.term = term;
        node.role = role;
        node.role_term = term;
        Ok(())
    }

    fn truncated(&mut self, step: Step, from: u64) -> Verdict {
        if from > self.ghost.node(step.node).log.last() {
            return Ok(());
        }
        self.judged
            .pass(leader_append_only::truncated(&self.ghost, step, from))?;
        self.judged
            .pass(committed_immutable::truncated(&self.ghost, step, from))?;
        let node = self.ghost.node_mut(step.node);
        node.log.truncate(from);
        node.truncated_from = node.truncated_from.min(from);
        node.membership.truncate(from);
        self.configuration_of_log.changed(&self.ghost, step);
        Ok(())
    }

    fn appended(&mut self, step: Step, entry: &EntryMark) -> Verdict {
        let node = self.ghost.node(step.node);
        index_order::appended(step, &node.log, entry.index)?;
        self.judged.pass(leader_append_only::appended(node, step, entry))?;
        self.judged.pass(monotonic_term::appended(&self.ghost, step, entry))?;
        let mark = node.log.mark_next(entry);
        let verdict = self.log_matching.appended(step, entry.index, mark);
        self.judged.pass(verdict)?;
        self.transfer_holds_writes.appended(&self.ghost, step, entry.index);
        self.ghost.node_mut(step.node).log.push(mark);
        Ok(())
    }

    fn durable_hard_state(&mut self, step: Step, hard_state: HardState) -> Verdict {
        self.judged
            .pass(monotonic_term::durable(&self.ghost, step, hard_state.term))?;
        let verdict = self.one_durable_vote.durable(&self.ghost, step, hard_state);
        self.judged.pass(verdict)?;
        self.ghost.node_mut(step.node).durable = hard_state;
        Ok(())
    }

    fn durable_appended(&mut self, step: Step, entry: &EntryMark) -> Verdict {
        let node = self.ghost.node(step.node);
        index_order::appended(step, &node.durable_log, entry.index)?;
        let mark = node.durable_log.mark_next(entry);
        let verdict = self.log_matching.appended(step, entry.index, mark);
        self.judged.pass(verdict)?;
        self.ghost.node_mut(step.node).durable_log.push(mark);
        Ok(())
    }

    fn committed_up_to(&mut self, step: Step, index: u64) -> Verdict {
        self.judged.pass(monotonic_commit::advanced(&self.ghost, step, index))?;
        if index <= self.ghost.node(step.node).commit {
            return Ok(());
        }
        index_order::committed(&self.ghost, step, index)?;
        self.judged
            .pass(state_machine_safety::committed(&self.ghost, step, index))?;
        self.judged.pass(commit_own_term::committed(&self.ghost, step, index))?;
        let under = self.decides_under(step, index);
        self.judged
            .pass(committed_durable::committed(&self.ghost, step, index, under))?;
        self.judged
            .pass(leader_completeness::committed(&self.ghost, step, index))?;
        self.judged.pass(self.lease_disjointness.committed(&self.ghost, step))?;
        let node = self.ghost.node(step.node);
        let under = under.unwrap_or(node.membership.active());
        if node.leads() && index > self.ghost.committed_last() {
            let verdict = self.quorum_overlap.committed(&self.ghost, step, index, under);
            self.judged.pass(verdict)?;
        }
        self.ghost.commit(step.node, index, under);
        Ok(())
    }

    fn applied(&mut self, step: Step, entry: &EntryMark, state_hash: u64) -> Verdict {
        self.judged.pass(apply_order::applied(&self.ghost, step, entry.index))?;
        if self.ghost.committed(entry.index).is_none() {
            // Only when apply-order is not held.
            return Ok(());
        }
        self.judged
            .pass(state_machine_safety::applied(&self.ghost, step, entry))?;
        let verdict = self.state_determinism.applied(step, entry.index, state_hash);
        self.judged.pass(verdict)?;
        self.ghost.node_mut(step.node).applied = entry.index;
        Ok(())
    }

    fn installed(&mut self, step: Step, index: u64, term: u64) -> Verdict {
        index_order::installed(&self.ghost, step, index)?;
        self.judged
            .pass(state_machine_safety::installed(&self.ghost, step, index, term))?;
        let node = self.ghost.node(step.node);
        self.judged.pass(leader_append_only::installed(node, step, index))?;
        self.judged.pass(monotonic_commit::advanced(&self.ghost, step, index))?;
        if index < self.ghost.node(step.node).commit {
            return Ok(());
        }
        let mark = self.committed_mark(index);
        self.ghost.install(step.node, index, mark);
        self.configuration_of_log.changed(&self.ghost, step);
        Ok(())
    }

    fn durable_installed(&mut self, step: Step, index: u64, term: u64) -> Verdict {
        index_order::installed(&self.ghost, step, index)?;
        self.judged
            .pass(state_machine_safety::installed(&self.ghost, step, index, term))?;
        let mark = self.committed_mark(index);
        self.ghost.node_mut(step.node).durable_log.install(index, mark);
        Ok(())
    }

    fn configuration_appended(&mut self, step: Step, index: u64, members: Members<'_>) -> Verdict {
        self.judged
            .pass(configuration_of_log::told(&self.ghost, step, index, members))?;
        self.transfer_holds_writes.is_configuration(step, index);
        let node = self.ghost.node(step.node);
        let Some(mark) = node.log.mark(index) else {
            // Only when configuration-of-log is not held.
            return Ok(());
        };
        let base = node.membership.placed()[0].index;
        if index == 0 {
            let id = self.ghost.admit_configuration(members);
            self.ghost.configurations.found(id);
            self.ghost.node_mut(step.node).membership.set_base(id);
        } else if index > base && index != node.snapshot {
            let before = node.membership.at(index - 1);
            self.one_change_at_a_time.appended(&self.ghost, step, index, before);
            self.ghost.place_configuration(step.node, index, mark.chain, members);
            self.leads_until_removed.appended(&self.ghost, step, index);
        }
        self.configuration_of_log.changed(&self.ghost, step);
        Ok(())
    }

    fn configuration_active(&mut self, step: Step, index: u64) -> Verdict {
        self.judged
            .pass(configuration_of_log::activated(&self.ghost, step, index))?;
        let membership = &mut self.ghost.node_mut(step.node).membership;
        let id = membership.at(index).id;
        membership.activate(step.at.event, id);
        self.configuration_of_log.changed(&self.ghost, step);
        Ok(())
    }

    /// The configuration under which this step's node commits up to `index`, within its log: of a leader, one that has
    /// the copies.
    fn decides_under(&self, step: Step, index: u64) -> Option<ConfigurationId> {
        let node = self.ghost.node(step.node);
        if !node.leads() {
            return None;
        }
        let mark = node.log.mark(index);
        let mark = mark.expect("a commit index within the log was checked by index-order");
        self.ghost.decides_under(step.node, step.at.event, index, mark)
    }

    /// The position at `index` in the committed log.
    fn committed_mark(&self, index: u64) -> Mark {
        let mark = self.ghost.committed_mark(index);
        mark.expect("a snapshot of committed entries was checked by index-order")
    }
}
