//! What the properties are told: plain numbers about one node at one moment of a run.
//!
//! Owns the vocabulary between a harness and the checks. It knows neither a simulator nor a consensus library: whoever
//! drives a run translates what it sees into these values. What they imply is left to the properties.

use serde::Serialize;

/// Where in a run something was observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct At {
    /// Number of the event in the run.
    pub event: u64,
    /// True time of the event, in nanoseconds since the start of the run.
    pub time: u64,
}

/// The part that a node plays (Raft paper, figure 4; pre-candidate: thesis, section 9.6; learner: section 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Follows a leader, or waits for one. Every voter (re)starts here.
    Follower,
    /// Asks whether it could win, in a term that it has not entered yet.
    PreCandidate,
    /// Stands for election in its current term.
    Candidate,
    /// Won the election of its current term.
    Leader,
    /// Receives the log and has no vote.
    Learner,
}

impl Role {
    /// The role as a word for a sentence, for example `pre-candidate`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Follower => "follower",
            Self::PreCandidate => "pre-candidate",
            Self::Candidate => "candidate",
            Self::Leader => "leader",
            Self::Learner => "learner",
        }
    }
}

/// One log entry, as far as the properties look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EntryMark {
    /// Position in the log; the first entry has index 1.
    pub index: u64,
    /// Term of the leader that created the entry.
    pub term: u64,
    /// Digest of the content: kind and payload, not index and term. Equal contents have equal digests on all nodes.
    pub digest: u64,
}

/// One thing observed on one node.
///
/// The harness reports every change, in the order in which it took place. Where several happen within one event, the
/// order is the one of the algorithm: term before role, role before log, log before commit, commit before apply, apply
/// before the answers to reads; a configuration right after its entry, leases and the active configuration anywhere behind
/// the log. A vote comes only after the write that makes it durable. All that one node does in one event carries the
/// same [`At::event`]: what may be told late within an event (the active configuration, a commit that permits a change of
/// configuration) is judged when the node is next observed in another one.
///
/// From `Installed` on, each is told only by a harness that has the thing: without it, nothing is asked about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation<'a> {
    /// The node started, or restarted, from its disk. Its durable hard state and log are exactly what is listed; its log
    /// in memory is the same; commit and applied index begin at `snapshot`; its role is follower.
    Booted {
        /// Recovered current term; 0 on an empty disk.
        term: u64,
        /// Recovered vote of that term.
        voted_for: Option<u32>,
        /// Index of the last entry that the recovered snapshot covers; 0 without a snapshot.
        snapshot: u64,
        /// Recovered log, from index `snapshot + 1` on.
        entries: &'a [EntryMark],
    },
    /// The disk of the node, which is down, has lost or changed what it had durably held: its next boot may recover less, even
    /// of term and vote, and nobody is to blame for that. What the node does of it later is judged as ever. Told by a
    /// harness that knows what it did to the disk, never on the word of the node.
    Damaged,
    /// The node's process ended. Its disk stays, and goes on counting.
    Crashed,
    /// The current term, in memory.
    Term {
        /// The new current term.
        term: u64,
    },
    /// The node took a role.
    Role {
        /// The role.
        role: Role,
        /// The term in which it is held.
        term: u64,
    },
    /// Entries from `from` on were removed from the log in memory.
    Truncated {
        /// Index of the first removed entry.
        from: u64,
    },
    /// One entry was appended at the end of the log in memory.
    Appended(EntryMark),
    /// The disk now durably holds this hard state. Reported in the order of the writes.
    DurableHardState {
        /// Durable current term.
        term: u64,
        /// Durable vote of that term.
        voted_for: Option<u32>,
    },
    /// The disk has durably removed the entries from `from` on.
    DurableTruncated {
        /// Index of the first removed entry.
        from: u64,
    },
    /// The disk now durably holds this entry at the end of its log.
    DurableAppended(EntryMark),
    /// A vote left the node: a granted reply (not of a pre-vote), or a candidate's vote for itself when its request left.
    /// The same vote may leave again.
    VoteCast {
        /// Term of the vote.
        term: u64,
        /// The candidate that got it.
        candidate: u32,
    },
    /// The node's commit index is now this.
    Committed {
        /// The new commit index.
        index: u64,
    },
    /// The node applied an entry to its state machine.
    Applied {
        /// The applied entry.
        entry: EntryMark,
        /// Hash of the state machine after it.
        state_hash: u64,
    },
    /// A leader's snapshot replaced the log in memory up to `index`: commit and applied index are now `index`. What
    /// followed in the log stays if the log held exactly the last entry of the snapshot; otherwise all of it went.
    Installed {
        /// Term of the last entry that the snapshot covers.
        term: u64,
        /// Index of that entry.
        index: u64,
    },
    /// The disk now durably holds a leader's snapshot in place of its log up to `index`. What followed stays or goes as
    /// with [`Observation::Installed`].
    DurableInstalled {
        /// Term of the last entry that the snapshot covers.
        term: u64,
        /// Index of that entry.
        index: u64,
    },
    /// The entry at `index` of the log in memory holds a configuration. Follows its [`Observation::Appended`]; after a
    /// boot, told for each recovered entry that holds one, in order, and before them, with the index of the snapshot, for
    /// the configuration in the snapshot, if there is one; after [`Observation::Installed`], with the index of the
    /// snapshot, for the configuration in it. With index 0, after a boot, for the configuration that the node began with, where
    /// that is not just the founding voters (the first node to tell it is a founder). Node numbers are in any order, without repetition.
    ConfigurationAppended {
        /// Index of the entry, or of the snapshot.
        index: u64,
        /// The voters; in a joint configuration the incoming ones.
        voters: &'a [u32],
        /// The outgoing voters of a joint configuration; empty in a simple one.
        outgoing: &'a [u32],
        /// Nodes that receive the log and have no vote.
        learners: &'a [u32],
    },
    /// The node now acts under the configuration of this entry. Told whenever it changes, and after a boot. An index that
    /// the snapshot covers stands for the configuration of the snapshot, 0 for the founding one.
    ConfigurationActive {
        /// Index of the entry.
        index: u64,
    },
    /// The node, as leader of its current term, may answer reads alone until then. Told when it changes, behind the role;
    /// it ends by itself with the role, the term or the process.
    LeaseHeld {
        /// End of the lease in true time, in nanoseconds since the start of the run; the lease does not include it.
        until: u64,
    },
    /// The node gave up its lease before the end.
    LeaseDropped,
    /// A client's read reached the node.
    ReadAsked {
        /// Number of the read. The same read may be asked again, here or elsewhere.
        read: u64,
    },
    /// The node answered a read from its state machine, once for each time it was asked. Reads that are refused or passed
    /// on are not told; a node that answers a read was asked that read in the same life.
    ReadServed {
        /// Number of the read.
        read: u64,
        /// The read index: the state machine had applied at least the log up to here.
        index: u64,
    },
    /// The state machine processed the command of a session that was in the entry applied last. Told right after its
    /// [`Observation::Applied`]. Commands that are refused without an answer of their own (an expired session, a sequence
    /// number whose answer was forgotten) are not told.
    SessionApplied {
        /// The session, unique in the run.
        session: u32,
        /// Number of the command in its session.
        sequence: u64,
        /// Whether the command was carried out; `false` for a recognised repetition, which only gets the same answer.
        effect: bool,
        /// Hash of the answer.
        reply: u64,
    },
    /// The leader of `term` told the node to stand for election at once (thesis, section 3.10).
    TransferReceived {
        /// Current term of the node, which is the leader's.
        term: u64,
    },
    /// Entries, a heartbeat or a piece of a snapshot from the leader of `term` reached the node, which is in no later term
    /// and deals with it.
    LeaderHeard {
        /// Term of the leader.
        term: u64,
        /// The node's own clock, in nanoseconds. As everywhere here, it never goes back within a life, or is taken to stand still.
        clock: u64,
    },
    /// A request for the node's vote in a later term than its own reached it, from a candidate whom no leader has told to
    /// stand. Comes before what the node makes of it.
    VoteAsked {
        /// The term of the candidate.
        term: u64,
        /// The node's own clock, in nanoseconds.
        clock: u64,
    },
    /// A granted pre-vote left the node.
    PreVoteGranted {
        /// The term that the other may stand in.
        term: u64,
        /// The node's own clock, in nanoseconds.
        clock: u64,
    },
    /// A granted pre-vote for this node reached it. Comes before what the node makes of it.
    PreVoteReceived {
        /// The term that it may stand in.
        term: u64,
        /// Who granted it.
        from: u32,
    },
    /// The node, a leader that is awake, has acted, and its last message to a member left more than a heartbeat interval
    /// ago on its own clock, or there was none since it leads or the member is one. Told behind all that left.
    MemberSilent {
        /// The member.
        member: u32,
        /// How long ago, in nanoseconds.
        silence: u64,
        /// How long ago the member answered, in nanoseconds, if it has answered since that message left.
        answered: Option<u64>,
    },
    /// The node, a leader that is awake, has acted, and has heard nothing from a member for longer than the longest election
    /// timeout on its own clock: no answer to this acquaintance, and it was met, or the group woke, longer ago than that.
    MemberUnheard {
        /// The member.
        member: u32,
        /// For how long, in nanoseconds.
        unheard: u64,
        /// The node's own clock, in nanoseconds.
        clock: u64,
    },
    /// The node, a leader, is about to quit in its own term, and has heard nothing from this member for the longest election
    /// timeout on its own clock. Told before the role that it takes.
    MemberLost {
        /// The member.
        member: u32,
    },
    /// What the node, a leader, knows of a member. Told whenever the acquaintance or the match index changes, the next index
    /// falls, or nothing is under way any more.
    MemberProgress {
        /// The member.
        member: u32,
        /// Number of the acquaintance within the leadership: another one when the leader begins anew with the member.
        acquaintance: u64,
        /// The member's log is durably the leader's up to here.
        match_index: u64,
        /// The first entry that the next message will hold.
        next_index: u64,
        /// Messages with entries that are not answered.
        messages: u64,
        /// Bytes of entries in them.
        bytes: u64,
    },
    /// The node, a leader, has dealt with a member's refusal of the entries after `prev_index`: the member's log has not the
    /// leader's entry there. Told before the progress that comes of it. A refusal that something newer contradicts is not
    /// told: one of another acquaintance, of what was acknowledged meanwhile, of what lies behind the place that is probed,
    /// or of a member that gets a snapshot.
    MemberRefused {
        /// The member.
        member: u32,
        /// Number of the acquaintance within the leadership.
        acquaintance: u64,
        /// Index of the entry that the member has not.
        prev_index: u64,
        /// The member's log is durably the leader's up to here.
        match_index: u64,
        /// The first entry that the next message will hold.
        next_index: u64,
    },
    /// The node, a leader, has committed its whole log, and counts so many bytes of its entries as uncommitted.
    Uncommitted {
        /// Bytes.
        bytes: u64,
    },
    /// An order to hand over reached the node, a leader.
    TransferBegun,
    /// The node answered that order: it was refused, given up, or carried out, or another term has come.
    TransferEnded,
}
