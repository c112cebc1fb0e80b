//! Micro-decisions: what chance decides during a run, each under a key that says what it is about rather than when it was
//! drawn. With them a run is data, and can be told apart from its seed: written down, changed in one place, given back.
//!
//! Owns the keys, the collection of decisions and its JSON form, and the tape that stands between a stream and whoever draws
//! from it. A world is made in one of three ways, see [`Chance`]: the streams decide; they decide and it is written down; or
//! all is given, and no stream is drawn from at all. A decision that is not given falls out the neutral way: nothing is lost,
//! doubled or late, every latency is the shortest, every sync succeeds at once, and a crash spares what was not synced.
//!
//! Numbers count the occasions of one topic about one party (a message, a sync, a boot), so one that goes missing shifts only
//! those after it of its own kind and link; within an occasion an index counts on. A new draw in the code shifts none: under a topic of
//! its own it is a decision that no older list has, and without one it is the last of an occasion that is over.

use crate::id::{ClientId, Endpoint, NodeId};
use serde::de::{self, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Most decisions that are read from JSON.
pub const DECISIONS_MAX: usize = 4_000_000;

macro_rules! topics {
    ($($(#[doc = $about:literal])* $variant:ident = $name:literal,)*) => {
        /// What a decision is about, and what its value means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Topic {
            $($(#[doc = $about])* $variant,)*
        }

        impl Topic {
            /// All topics with their names in JSON.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($name, Self::$variant),)*];

            /// The name in JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

topics! {
    /// Of a message: 1 if it is lost.
    Loss = "loss",
    /// Of a message: its latency in nanoseconds.
    Delay = "delay",
    /// Of a message: 0, or one more than the nanoseconds by which it falls behind, so that later ones overtake it.
    Behind = "behind",
    /// Of a message: 0, or one more than the nanoseconds after which it arrives a second time.
    Copy = "copy",
    /// Of a link that is not plain: its character, huge delays, overflows.
    Link = "link",
    /// Of a message whose frame is damaged: where.
    Frame = "frame",
    /// Which old messages the network keeps and delivers again.
    Replay = "replay",
    /// Of a sync: its duration in nanoseconds.
    Sync = "sync",
    /// Of a sync: 1 if it fails by chance.
    SyncError = "sync-error",
    /// Of a write that was not synced when the power failed: 0 if it is kept, 1 if it is lost, 2 + N if N of its bytes are.
    Fate = "fate",
    /// Of a crash or failed sync: 1 if the disk had reordered its writes.
    WriteOrder = "write-order",
    /// Where durable bytes are damaged.
    Damage = "damage",
    /// Whom a fault strikes that leaves it open.
    Target = "target",
    /// Of a node: by how much its clock is ahead, then how it drifts.
    Clock = "clock",
    /// What the process of a node asked its own stream for.
    Process = "process",
    /// What a client does.
    Work = "work",
    /// How a client goes about it: whom it asks, how long it waits.
    Manner = "manner",
    /// What a client does when the faults are over.
    Serve = "serve",
    /// Of a piece of a process's own work: its duration in nanoseconds.
    OwnWork = "own-work",
}

/// Whom a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    /// Nobody in particular.
    World,
    /// A node or a client.
    One(Endpoint),
    /// The link from one to the other.
    Link(Endpoint, Endpoint),
}

impl Whom {
    /// What a stream of 64 random bits says when it is not given: a number that differs between parties, so that nodes which
    /// draw their jitter from it do not stand for election in step for ever.
    fn neutral_bits(self) -> u64 {
        match self {
            Self::One(Endpoint::Node(NodeId(id)) | Endpoint::Client(ClientId(id))) => u64::from(id) + 1,
            Self::World | Self::Link(..) => 0,
        }
    }
}

impl From<NodeId> for Whom {
    fn from(node: NodeId) -> Self {
        Self::One(node.into())
    }
}

impl From<ClientId> for Whom {
    fn from(client: ClientId) -> Self {
        Self::One(client.into())
    }
}

/// What one kind of decision is about: `delay n0>n1`, `process n2`, `replay`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What is decided.
    pub topic: Topic,
    /// For whom.
    pub whom: Whom,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.topic.name())?;
        match self.whom {
            Whom::World => Ok(()),
            Whom::One(party) => write!(f, " {party}"),
            Whom::Link(from, to) => write!(f, " {from}>{to}"),
        }
    }
}

/// A text that names no subject of decisions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no kind of decision: write a topic and whom it is about, as in `delay n0>n1` or `process n2`")]
pub struct SubjectError(String);

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let refusal = || SubjectError(text.chars().take(60).collect());
        let (name, whom) = text
            .split_once(' ')
            .map_or((text, None), |(name, whom)| (name, Some(whom)));
        let known = Topic::ALL.iter().find(|(known, _)| *known == name);
        let topic = known.ok_or_else(refusal)?.1;
        let party = |text: &str| text.parse::<Endpoint>().map_err(|_| refusal());
        let whom = match whom.map(|whom| whom.split_once('>').ok_or(whom)) {
            None => Whom::World,
            Some(Err(one)) => Whom::One(party(one)?),
            Some(Ok((from, to))) => Whom::Link(party(from)?, party(to)?),
        };
        Ok(Self { topic, whom })
    }
}

/// Which of the decisions about a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The occasion, from 0; those on which nothing was decided do not count.
    pub number: u32,
    /// Which decision of that occasion, from 0. Mostly there is but one.
    pub index: u32,
}

impl From<u32> for Place {
    /// The first decision of an occasion.
    fn from(number: u32) -> Self {
        Self { number, index: 0 }
    }
}

/// Decisions by subject and place; in JSON an object of lists of `[number, value]` or, beyond the first decision of an occasion,
/// `[number, index, value]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions(BTreeMap<(Subject, Place), u64>);

impl Decisions {
    /// Adds one, in the place of what was there.
    pub fn insert(&mut self, subject: Subject, place: impl Into<Place>, value: u64) {
        self.0.insert((subject, place.into()), value);
    }

    /// What was decided, if anything was.
    pub fn get(&self, subject: Subject, place: impl Into<Place>) -> Option<u64> {
        self.0.get(&(subject, place.into())).copied()
    }

    /// All, by subject and place.
    pub fn iter(&self) -> impl Iterator<Item = (Subject, Place, u64)> + '_ {
        self.0
            .iter()
            .map(|((subject, place), value)| (*subject, *place, *value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps those that `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(Subject, Place, u64) -> bool) {
        self.0.retain(|(subject, place), value| keep(*subject, *place, *value));
    }
}

impl<P: Into<Place>> Extend<(Subject, P, u64)> for Decisions {
    fn extend<I: IntoIterator<Item = (Subject, P, u64)>>(&mut self, decisions: I) {
        for (subject, place, value) in decisions {
            self.insert(subject, place, value);
        }
    }
}

impl<P: Into<Place>> FromIterator<(Subject, P, u64)> for Decisions {
    fn from_iter<I: IntoIterator<Item = (Subject, P, u64)>>(decisions: I) -> Self {
        let mut all = Self::default();
        all.extend(decisions);
        all
    }
}

/// One decision in JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum Listed {
    Later(u32, u32, u64),
    First(u32, u64),
}

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Listed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decision: [number, value] or [number, index, value]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listed, A::Error> {
                let (mut numbers, mut count) = ([0_u64; 3], 0);
                while let Some(number) = list.next_element()? {
                    *numbers
                        .get_mut(count)
                        .ok_or_else(|| de::Error::invalid_length(count + 1, &self))? = number;
                    count += 1;
                }
                let small = |number: u64| {
                    u32::try_from(number).map_err(|_| de::Error::invalid_value(Unexpected::Unsigned(number), &SMALL))
                };
                match (count, numbers) {
                    (2, [number, value, _]) => Ok(Listed::First(small(number)?, value)),
                    (3, [number, index, value]) => Ok(Listed::Later(small(number)?, small(index)?, value)),
                    _ => Err(de::Error::invalid_length(count, &self)),
                }
            }
        }
        const SMALL: &str = "the number of a decision below 4294967296";
        deserializer.deserialize_seq(Numbers)
    }
}

impl Listed {
    fn new(Place { number, index }: Place, value: u64) -> Self {
        match index {
            0 => Self::First(number, value),
            _ => Self::Later(number, index, value),
        }
    }

    fn parts(self) -> (Place, u64) {
        match self {
            Self::First(number, value) => (number.into(), value),
            Self::Later(number, index, value) => (Place { number, index }, value),
        }
    }
}

impl Serialize for Decisions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut lists: BTreeMap<Subject, Vec<Listed>> = BTreeMap::new();
        for (subject, place, value) in self.iter() {
            lists.entry(subject).or_default().push(Listed::new(place, value));
        }
        let mut map = serializer.serialize_map(Some(lists.len()))?;
        for (subject, list) in &lists {
            map.serialize_entry(&subject.to_string(), list)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Decisions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lists;
        impl<'de> Visitor<'de> for Lists {
            type Value = Decisions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of lists of [number, value] or [number, index, value], by kind of decision")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Decisions, A::Error> {
                let mut all = Decisions::default();
                while let Some(key) = map.next_key::<String>()? {
                    let subject: Subject = key.parse().map_err(de::Error::custom)?;
                    for listed in map.next_value::<Vec<Listed>>()? {
                        let (place, value) = listed.parts();
                        if all.get(subject, place).is_some() {
                            let number = place.number;
                            return Err(de::Error::custom(format!("`{key}` decides number {number} twice")));
                        }
                        all.insert(subject, place, value);
                    }
                    if all.len() > DECISIONS_MAX {
                        return Err(de::Error::custom(format!("more than {DECISIONS_MAX} decisions")));
                    }
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(Lists)
    }
}

/// Where the decisions of a world come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chance {
    /// From the named streams of the seed.
    #[default]
    Drawn,
    /// From the named streams of the seed, and [`crate::World::decisions`] tells them.
    Recorded,
    /// From here, and where they are not here, the neutral way. The seed means nothing, and [`crate::World::decisions`] tells
    /// which of them were asked for.
    Given(Arc<Decisions>),
}

/// What is being decided: a subject, and where in its decisions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion {
    about: Subject,
    /// The next decision of it; none before the first, which is what makes an occasion count.
    next: Option<Place>,
}

/// What stands between a stream and who draws from it, where decisions are recorded or given.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    now: Occasion,
    /// How many occasions there were of each kind.
    counts: BTreeMap<Subject, u32>,
    given: Option<Arc<Decisions>>,
    recorded: Decisions,
}

impl Tape {
    /// For a stream that decides about this unless it is told otherwise; none where the stream decides and nobody asks.
    pub fn new(chance: &Chance, about: Subject) -> Option<Box<Self>> {
        let given = match chance {
            Chance::Drawn => return None,
            Chance::Recorded => None,
            Chance::Given(decisions) => Some(Arc::clone(decisions)),
        };
        Some(Box::new(Self {
            now: Occasion { about, next: None },
            counts: BTreeMap::new(),
            given,
            recorded: Decisions::default(),
        }))
    }

    /// A new occasion, of this kind.
    pub fn about(&mut self, topic: Topic, whom: Whom) {
        let about = Subject { topic, whom };
        self.now = Occasion { about, next: None };
    }

    /// A new occasion, of this topic for the same party; gives the one that it interrupts.
    pub fn topic(&mut self, topic: Topic) -> Occasion {
        let before = self.now;
        self.about(topic, before.about.whom);
        before
    }

    /// Goes on with an occasion that was interrupted.
    pub fn resume(&mut self, occasion: Occasion) {
        self.now = occasion;
    }

    pub fn neutral_bits(&self) -> u64 {
        self.now.about.whom.neutral_bits()
    }

    pub fn recorded(&self) -> &Decisions {
        &self.recorded
    }

    /// The next decision of the present occasion, if it is given here or neutral; else its key, under which to write it down.
    pub fn next(&mut self, neutral: u64) -> Result<u64, (Subject, Place)> {
        let Occasion { about, next } = self.now;
        let place = next.unwrap_or_else(|| {
            let count = self.counts.entry(about).or_default();
            let number = *count;
            *count = count.saturating_add(1);
            number.into()
        });
        let index = place.index.saturating_add(1);
        self.now.next = Some(Place { index, ..place });
        match &self.given {
            Some(given) => {
                let value = given.get(about, place).unwrap_or(neutral);
                if value != neutral {
                    self.recorded.insert(about, place, value);
                }
                Ok(value)
            }
            None => Err((about, place)),
        }
    }

    pub fn record(&mut self, (subject, place): (Subject, Place), value: u64) {
        self.recorded.insert(subject, place, value);
    }
}

#[cfg(test)]
mod tests;
