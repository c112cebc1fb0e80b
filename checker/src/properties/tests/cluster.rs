//! A small correct Raft that tells the properties what it does.
//!
//! Written for schedules, not for speed: an election, a message or a sync is one step that the test picks. Messages stay
//! in a bag for ever, so they arrive late, twice, out of order, and in other terms than they left in. A disk keeps its
//! writes in order, and a crash keeps any prefix of those that were not yet synced.
//! `Flaw` takes one guard out, so that the properties can be seen to notice.

use super::{At, EntryMark, Observation, Properties, Role, Verdict};

/// A guard of the algorithm that can be taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    None,
    /// A voter does not compare logs.
    VotesForAnyLog,
    /// The vote leaves before it is durable.
    VotesBeforeSync,
    /// A follower acknowledges entries before they are durable.
    AcksBeforeSync,
    /// A leader counts copies of entries of earlier terms.
    CommitsAnyTerm,
    /// A follower does not look at the entry before the first new one.
    AppendsUnverified,
    /// A follower cuts its log behind the last entry of any message.
    TruncatesAlways,
    /// An entry changes the state by the number of the node.
    AppliesNodeNumber,
}

#[derive(Clone, Debug)]
enum Write {
    HardState { term: u64, voted_for: Option<u32> },
    Truncate(u64),
    Append(EntryMark),
}

/// `last` and `before` are (term, index).
#[derive(Clone, Debug)]
enum Message {
    Vote {
        term: u64,
        candidate: u32,
        last: (u64, u64),
    },
    Granted {
        term: u64,
        candidate: u32,
        voter: u32,
    },
    Append {
        term: u64,
        before: (u64, u64),
        entries: Vec<EntryMark>,
        commit: u64,
    },
    Stored {
        term: u64,
        follower: u32,
        index: u64,
    },
}

#[derive(Clone, Debug, Default)]
struct Disk {
    term: u64,
    voted_for: Option<u32>,
    log: Vec<EntryMark>,
}

impl Disk {
    fn store(&mut self, write: &Write) {
        match *write {
            Write::HardState { term, voted_for } => (self.term, self.voted_for) = (term, voted_for),
            Write::Truncate(from) => self.log.truncate(from as usize - 1),
            Write::Append(entry) => self.log.push(entry),
        }
    }
}

struct Server {
    up: bool,
    role: Role,
    term: u64,
    voted_for: Option<u32>,
    log: Vec<EntryMark>,
    commit: u64,
    applied: u64,
    state: u64,
    granted: Vec<bool>,
    /// As the leader knows it: up to where each server's disk holds its log.
    stored: Vec<u64>,
    disk: Disk,
    unsynced: Vec<Write>,
    /// Messages that wait until everything unsynced is durable.
    held: Vec<Message>,
}

impl Server {
    fn new(size: u32) -> Self {
        Self {
            up: false,
            role: Role::Follower,
            term: 0,
            voted_for: None,
            log: Vec::new(),
            commit: 0,
            applied: 0,
            state: 0,
            granted: vec![false; size as usize],
            stored: vec![0; size as usize],
            disk: Disk::default(),
            unsynced: Vec::new(),
            held: Vec::new(),
        }
    }

    fn last(&self) -> (u64, u64) {
        self.log.last().map_or((0, 0), |entry| (entry.term, entry.index))
    }

    fn term_at(&self, index: u64) -> Option<u64> {
        if index == 0 {
            Some(0)
        } else {
            self.log.get(index as usize - 1).map(|entry| entry.term)
        }
    }
}

pub struct Cluster {
    properties: Properties,
    flaw: Flaw,
    servers: Vec<Server>,
    messages: Vec<Message>,
    events: u64,
    contents: u64,
}

impl Cluster {
    pub fn new(size: u32, flaw: Flaw) -> Self {
        let servers = (0..size).map(|_| Server::new(size)).collect();
        let properties = Properties::new(size);
        let mut cluster = Self {
            properties,
            flaw,
            servers,
            messages: Vec::new(),
            events: 0,
            contents: 0,
        };
        for node in 0..size {
            cluster.boot(node).expect("an empty disk boots");
        }
        cluster
    }

    pub fn committed(&self) -> u64 {
        self.properties.committed()
    }

    /// What holds at the end of a run.
    pub fn at_rest(&self) -> Verdict {
        self.properties.at_rest(At {
            event: self.events,
            time: 0,
        })
    }

    /// One step: `choice` picks what happens, `node` where, `detail` how.
    pub fn step(&mut self, choice: u8, node: u8, detail: u16) -> Verdict {
        self.events += 1;
        let (node, detail) = (u32::from(node) % self.servers.len() as u32, usize::from(detail));
        let server = self.server(node);
        if !server.up {
            return if choice < 64 { self.boot(node) } else { Ok(()) };
        }
        match (choice, server.role) {
            (0..=3, _) => self.crash(node, detail),
            (4..=9, Role::Follower | Role::Candidate) => self.stand(node),
            (16..=47, Role::Leader) => self.propose(node),
            (48..=95, Role::Leader) => self.replicate(node, detail),
            (96..=143, _) => self.sync(node, detail),
            (144..=159, _) => self.apply(node),
            _ if self.messages.is_empty() => Ok(()),
            _ => {
                // Mostly one of the latest messages, now and then any.
                let reach = if choice > 250 {
                    self.messages.len()
                } else {
                    self.messages.len().min(12)
                };
                let message = self.messages[self.messages.len() - 1 - detail % reach].clone();
                self.receive(node, &message)
            }
        }
    }

    fn server(&mut self, node: u32) -> &mut Server {
        &mut self.servers[node as usize]
    }

    fn tell(&mut self, node: u32, observation: Observation<'_>) -> Verdict {
        self.properties.observe(
            At {
                event: self.events,
                time: self.events,
            },
            node,
            &observation,
        )
    }

    fn boot(&mut self, node: u32) -> Verdict {
        let server = self.server(node);
        let Disk { term, voted_for, log } = server.disk.clone();
        (server.up, server.role) = (true, Role::Follower);
        (server.term, server.voted_for) = (term, voted_for);
        (server.commit, server.applied, server.state) = (0, 0, 0);
        server.log.clone_from(&log);
        self.tell(
            node,
            Observation::Booted {
                term,
                voted_for,
                snapshot: 0,
                entries: &log,
            },
        )
    }

    fn crash(&mut self, node: u32, detail: usize) -> Verdict {
        let server = self.server(node);
        server.up = false;
        server.held.clear();
        let kept = detail % (server.unsynced.len() + 1);
        for write in server.unsynced.drain(..).take(kept) {
            server.disk.store(&write);
        }
        self.tell(node, Observation::Crashed)
    }

    /// Syncs some or all writes; what waited for them leaves after the last.
    fn sync(&mut self, node: u32, detail: usize) -> Verdict {
        let server = self.server(node);
        let some = if detail.is_multiple_of(4) {
            detail / 4 % (server.unsynced.len() + 1)
        } else {
            server.unsynced.len()
        };
        let writes: Vec<Write> = server.unsynced.drain(..some).collect();
        for write in writes {
            self.server(node).disk.store(&write);
            let observation = match write {
                Write::HardState { term, voted_for } => Observation::DurableHardState { term, voted_for },
                Write::Truncate(from) => Observation::DurableTruncated { from },
                Write::Append(entry) => Observation::DurableAppended(entry),
            };
            self.tell(node, observation)?;
        }
        if !self.server(node).unsynced.is_empty() {
            return Ok(());
        }
        for message in std::mem::take(&mut self.server(node).held) {
            self.send(node, message)?;
        }
        let server = self.server(node);
        server.stored[node as usize] = server.log.len() as u64;
        self.count(node)
    }

    fn send(&mut self, node: u32, message: Message) -> Verdict {
        let vote = match message {
            Message::Vote { term, candidate, .. } | Message::Granted { term, candidate, .. } => Some((term, candidate)),
            Message::Append { .. } | Message::Stored { .. } => None,
        };
        self.messages.push(message);
        vote.map_or(Ok(()), |(term, candidate)| {
            self.tell(node, Observation::VoteCast { term, candidate })
        })
    }

    fn set_hard_state(&mut self, node: u32, term: u64, voted_for: Option<u32>) {
        let server = self.server(node);
        (server.term, server.voted_for) = (term, voted_for);
        server.unsynced.push(Write::HardState { term, voted_for });
    }

    fn take_role(&mut self, node: u32, role: Role) -> Verdict {
        let server = self.server(node);
        server.role = role;
        let term = server.term;
        self.tell(node, Observation::Role { role, term })
    }

    fn append(&mut self, node: u32, entry: EntryMark) -> Verdict {
        let server = self.server(node);
        server.log.push(entry);
        server.unsynced.push(Write::Append(entry));
        self.tell(node, Observation::Appended(entry))
    }

    fn truncate(&mut self, node: u32, from: u64) -> Verdict {
        let server = self.server(node);
        server.log.truncate(from as usize - 1);
        server.unsynced.push(Write::Truncate(from));
        self.tell(node, Observation::Truncated { from })
    }

    fn stand(&mut self, node: u32) -> Verdict {
        self.take_role(node, Role::PreCandidate)?;
        let term = self.server(node).term + 1;
        self.set_hard_state(node, term, Some(node));
        self.tell(node, Observation::Term { term })?;
        self.take_role(node, Role::Candidate)?;
        let server = self.server(node);
        server.granted.fill(false);
        let own = Message::Granted {
            term,
            candidate: node,
            voter: node,
        };
        let request = Message::Vote {
            term,
            candidate: node,
            last: server.last(),
        };
        server.held.extend([own, request]);
        Ok(())
    }

    fn propose(&mut self, node: u32) -> Verdict {
        self.contents += 1;
        let digest = self.contents;
        let server = self.server(node);
        let entry = EntryMark {
            index: server.log.len() as u64 + 1,
            term: server.term,
            digest,
        };
        self.append(node, entry)
    }

    fn replicate(&mut self, node: u32, detail: usize) -> Verdict {
        let server = self.server(node);
        let from = server.log.len().saturating_sub(detail % 8);
        let to = (from + detail / 8 % 6).min(server.log.len());
        let before = (server.term_at(from as u64).expect("within the log"), from as u64);
        let entries = server.log[from..to].to_vec();
        let message = Message::Append {
            term: server.term,
            before,
            entries,
            commit: server.commit,
        };
        self.send(node, message)
    }

    fn apply(&mut self, node: u32) -> Verdict {
        let extra = if self.flaw == Flaw::AppliesNodeNumber {
            u64::from(node)
        } else {
            0
        };
        let server = self.server(node);
        if server.applied == server.commit {
            return Ok(());
        }
        let entry = server.log[server.applied as usize];
        server.applied += 1;
        server.state = server.state.wrapping_mul(31).wrapping_add(entry.digest + extra);
        let state_hash = server.state;
        self.tell(node, Observation::Applied { entry, state_hash })
    }

    fn commit(&mut self, node: u32, index: u64) -> Verdict {
        let server = self.server(node);
        if index <= server.commit {
            return Ok(());
        }
        server.commit = index;
        self.tell(node, Observation::Committed { index })
    }

    /// The leader counts copies.
    fn count(&mut self, node: u32) -> Verdict {
        let any_term = self.flaw == Flaw::CommitsAnyTerm;
        let server = self.server(node);
        let mut stored = server.stored.clone();
        stored.sort_unstable();
        let index = stored[(stored.len() - 1) / 2];
        if server.role == Role::Leader && (any_term || server.term_at(index) == Some(server.term)) {
            return self.commit(node, index);
        }
        Ok(())
    }

    fn receive(&mut self, node: u32, message: &Message) -> Verdict {
        let (Message::Vote { term, .. }
        | Message::Granted { term, .. }
        | Message::Append { term, .. }
        | Message::Stored { term, .. }) = *message;
        if term > self.server(node).term {
            self.set_hard_state(node, term, None);
            self.tell(node, Observation::Term { term })?;
            self.take_role(node, Role::Follower)?;
        }
        if term < self.server(node).term {
            return Ok(());
        }
        match message {
            Message::Vote { candidate, last, .. } => self.asked(node, *candidate, *last),
            Message::Granted { candidate, voter, .. } if *candidate == node => self.granted(node, *voter),
            Message::Append {
                before,
                entries,
                commit,
                ..
            } => self.told(node, *before, entries, *commit),
            Message::Stored { follower, index, .. } if self.server(node).role == Role::Leader => {
                let stored = &mut self.server(node).stored[*follower as usize];
                *stored = (*stored).max(*index);
                self.count(node)
            }
            Message::Granted { .. } | Message::Stored { .. } => Ok(()),
        }
    }

    fn asked(&mut self, node: u32, candidate: u32, last: (u64, u64)) -> Verdict {
        let flaw = self.flaw;
        let server = self.server(node);
        let (term, own) = (server.term, server.last());
        let free = server.voted_for.is_none_or(|voted_for| voted_for == candidate);
        if !free || (last < own && flaw != Flaw::VotesForAnyLog) {
            return Ok(());
        }
        self.set_hard_state(node, term, Some(candidate));
        let reply = Message::Granted {
            term,
            candidate,
            voter: node,
        };
        if flaw == Flaw::VotesBeforeSync {
            return self.send(node, reply);
        }
        self.server(node).held.push(reply);
        Ok(())
    }

    fn granted(&mut self, node: u32, voter: u32) -> Verdict {
        let server = self.server(node);
        server.granted[voter as usize] = true;
        let votes = server.granted.iter().filter(|granted| **granted).count();
        if server.role != Role::Candidate || votes * 2 <= server.granted.len() {
            return Ok(());
        }
        server.stored.fill(0);
        self.take_role(node, Role::Leader)?;
        self.propose(node)
    }

    fn told(&mut self, node: u32, before: (u64, u64), entries: &[EntryMark], commit: u64) -> Verdict {
        let flaw = self.flaw;
        match self.server(node).role {
            Role::Leader => return Ok(()),
            Role::Follower => {}
            _ => self.take_role(node, Role::Follower)?,
        }
        let known = self.server(node).term_at(before.1);
        if known.is_none() || (known != Some(before.0) && flaw != Flaw::AppendsUnverified) {
            return Ok(());
        }
        for entry in entries {
            match self.server(node).term_at(entry.index) {
                Some(term) if term == entry.term => continue,
                Some(_) => self.truncate(node, entry.index)?,
                None => {}
            }
            self.append(node, *entry)?;
        }
        let verified = before.1 + entries.len() as u64;
        if flaw == Flaw::TruncatesAlways && self.server(node).log.len() as u64 > verified {
            self.truncate(node, verified + 1)?;
        }
        self.commit(node, commit.min(verified))?;
        let reply = Message::Stored {
            term: self.server(node).term,
            follower: node,
            index: verified,
        };
        if flaw == Flaw::AcksBeforeSync {
            return self.send(node, reply);
        }
        self.server(node).held.push(reply);
        Ok(())
    }
}
