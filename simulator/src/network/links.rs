//! What makes links unlike each other and unreliable in their capacity: the shape of their latency, slow links, rare huge
//! delays, bandwidth with a bounded queue, damaged frames.
//!
//! All of it draws from the stream `links`, and only while it is on. What a message's fate is otherwise is in the parent; a
//! link's character is drawn once, when the first of these settings comes on.

use crate::decision::{Topic, Whom};
use crate::exposure::{Exposure, FaultClass};
use crate::id::Endpoint;
use crate::latency::Latency;
use crate::random::{Ratio, Stream};
use crate::time::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// How the usual latency of a link is distributed between its bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Every latency between the bounds is as likely.
    #[default]
    Uniform,
    /// Most are near the minimum, some anywhere up to the maximum: the distance from the minimum is uniform over octaves.
    LongTailed,
    /// Seven of eight are within the lowest eighth between the bounds, the rest within the highest.
    Bimodal,
    /// Each link has one of the three, drawn once.
    Mixed,
}

/// Settings by which links differ from plain ones. The default is a plain link: uniform latency, no bound on what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkConfig {
    /// How the usual latency of links is distributed.
    pub shape: Shape,
    /// The share of links that are slow. Which ones is drawn once, each direction for itself.
    pub slow: Ratio,
    /// By how much the latency of a slow link is multiplied.
    pub slow_factor: u32,
    /// How likely a message is held up hugely. It falls behind: later ones overtake it.
    pub huge: Ratio,
    /// The longest such delay; the shortest is the longest usual latency. Uniform over octaves.
    pub huge_max: Duration,
    /// Bytes per second that a link carries; 0 for no bound.
    pub bandwidth: u64,
    /// How many messages wait for their turn on a link at most, where there is a bandwidth; what is too much is dropped.
    pub queue_messages: u32,
    /// How many bytes wait for their turn on a link at most.
    pub queue_bytes: u64,
    /// How likely a frame is damaged on its way, see [`crate::Payload::damaged`].
    pub corrupt: Ratio,
    /// How many old messages the network remembers for [`crate::FaultAction::Replay`].
    pub memory: u32,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            shape: Shape::Uniform,
            slow: Ratio::ZERO,
            slow_factor: 10,
            huge: Ratio::ZERO,
            huge_max: Duration::from_secs(60),
            bandwidth: 0,
            queue_messages: 1_000,
            queue_bytes: 1 << 20,
            corrupt: Ratio::ZERO,
            memory: 0,
        }
    }
}

impl LinkConfig {
    /// Whether links are plain: nothing here changes what becomes of a message that is sent.
    pub fn is_plain(&self) -> bool {
        self.shape == Shape::Uniform
            && self.slow.is_zero()
            && self.huge.is_zero()
            && self.bandwidth == 0
            && self.corrupt.is_zero()
    }
}

/// What a link is like, and what waits on it.
#[derive(Clone, Debug)]
struct Character {
    shape: Shape,
    slow: bool,
    /// When the last message that is on its way onto the link is through.
    free_at: Time,
    /// What waits for its turn: when it is through, its size and its number. Oldest first.
    queue: VecDeque<(Time, u64, u32)>,
    queued_bytes: u64,
    /// Messages that were dropped from the queue after they had been given an arrival.
    dropped: BTreeSet<u32>,
}

/// What the settings make of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    Passes {
        /// How long it takes in all.
        delay: Duration,
        /// Whether later ones may overtake it.
        behind: bool,
        damaged: bool,
    },
    Overflow,
}

/// The characters of all links.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    stream: Stream,
    characters: Vec<Character>,
    /// Whether any `dropped` is not empty.
    any_dropped: bool,
}

impl Links {
    /// Draws what each of `count` links is like, in the order of their numbers.
    pub fn new(mut stream: Stream, count: usize, config: &LinkConfig) -> Self {
        let shapes = [Shape::Uniform, Shape::LongTailed, Shape::Bimodal];
        let draw = |_| {
            let (shape, slow) = (shapes[stream.below(3) as usize], stream.chance(config.slow));
            Character {
                shape: if config.shape == Shape::Mixed {
                    shape
                } else {
                    config.shape
                },
                slow,
                free_at: Time::ZERO,
                queue: VecDeque::new(),
                queued_bytes: 0,
                dropped: BTreeSet::new(),
            }
        };
        let characters = (0..count).map(draw).collect();
        Self {
            stream,
            characters,
            any_dropped: false,
        }
    }

    /// What they draw from.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The same, to be replaced.
    pub fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// What is decided from now on is about this link.
    #[inline]
    pub fn about(&mut self, from: Endpoint, to: Endpoint) {
        self.stream.about(Topic::Link, Whom::Link(from, to));
    }

    /// Sends message number `order`, of so many bytes, along a link; `usual` is the latency that a plain link would have.
    pub fn pass(
        &mut self,
        index: usize,
        message: (u32, u64),
        (now, config): (Time, &LinkConfig),
        (latency, usual): (&Latency, Duration),
        seen: &mut Exposure,
    ) -> Passage {
        let Self { stream, characters, .. } = self;
        let character = &mut characters[index];
        let mut delay = match character.shape {
            Shape::Uniform | Shape::Mixed => usual,
            shape => {
                let (delay, far) = draw_shaped(shape, latency, stream);
                if far {
                    seen.add(FaultClass::FarLatency);
                }
                delay
            }
        };
        if character.slow {
            seen.add(FaultClass::SlowLink);
            delay = Duration(delay.0.saturating_mul(config.slow_factor.into()));
        }
        let mut behind = false;
        if !config.huge.is_zero() && stream.chance(config.huge) {
            seen.add(FaultClass::HugeDelay);
            let huge = Latency::fixed(latency.max).with_tail(Ratio::ONE, config.huge_max.max(latency.max));
            delay = huge.draw(stream).0;
            behind = true;
        }
        if config.bandwidth > 0 {
            match self.take_turn(index, message, now, config, seen) {
                Some(waits) => delay = Duration(delay.0.saturating_add(waits.0)),
                None => return Passage::Overflow,
            }
        }
        let damaged = !config.corrupt.is_zero() && self.stream.chance(config.corrupt);
        Passage::Passes { delay, behind, damaged }
    }

    /// How long a message waits and takes to get onto its link; `None` when it is dropped instead. When the queue is full,
    /// either the new message is dropped or the youngest that waits, whose turn the new one takes.
    fn take_turn(
        &mut self,
        index: usize,
        (order, size): (u32, u64),
        now: Time,
        config: &LinkConfig,
        seen: &mut Exposure,
    ) -> Option<Duration> {
        let link = &mut self.characters[index];
        while let Some((_, bytes, _)) = link.queue.pop_front_if(|(through, ..)| *through <= now) {
            link.queued_bytes -= bytes;
        }
        let too_many = link.queue.len() >= config.queue_messages as usize;
        let too_much = link.queued_bytes.saturating_add(size) > config.queue_bytes;
        let takes = u64::try_from(u128::from(size) * 1_000_000_000 / u128::from(config.bandwidth)).unwrap_or(u64::MAX);
        let mut through = Time(link.free_at.max(now).0.saturating_add(takes));
        // A message goes onto an idle link whatever its size.
        if (too_many || too_much) && !link.queue.is_empty() {
            seen.add(FaultClass::Overflow);
            if self.stream.below(2) == 0 {
                return None;
            }
            // One that is smaller than the new message would make too little room.
            let (turn, bytes, youngest) = link.queue.pop_back_if(|(_, bytes, _)| *bytes >= size)?;
            link.queued_bytes -= bytes;
            link.dropped.insert(youngest);
            self.any_dropped = true;
            through = turn;
        }
        if link.free_at > now {
            seen.add(FaultClass::Bandwidth);
        }
        link.free_at = through;
        link.queue.push_back((through, size, order));
        link.queued_bytes += size;
        Some(through.since(now))
    }

    /// Whether a message that comes to the end of its link was dropped from the link's queue; forgets that it was.
    pub fn was_dropped(&mut self, index: usize, order: u32) -> bool {
        self.any_dropped && self.characters[index].dropped.remove(&order)
    }

    /// Forgets what waits, but not what was dropped. The links keep their characters.
    pub fn clear(&mut self) {
        for character in &mut self.characters {
            character.free_at = Time::ZERO;
            character.queue.clear();
            character.queued_bytes = 0;
        }
    }
}

/// A latency of this shape between the bounds, and whether it is a far one. It is one decision; undecided, it is the shortest.
fn draw_shaped(shape: Shape, latency: &Latency, stream: &mut Stream) -> (Duration, bool) {
    let mut is_far = false;
    let delay = stream.decide(latency.min.0, |stream| {
        let (delay, far) = draw_anew(shape, latency, stream);
        is_far = far;
        delay.0
    });
    (Duration(delay), is_far)
}

fn draw_anew(shape: Shape, latency: &Latency, stream: &mut Stream) -> (Duration, bool) {
    let width = latency.max.0 - latency.min.0;
    let (part, draw) = (stream.below(8), stream.next_u64());
    let (low, high, far) = if shape == Shape::Bimodal {
        let edge = width / 8;
        if part == 0 {
            (width - edge, width, true)
        } else {
            (0, edge, false)
        }
    } else {
        // The highest octave is the upper half of the bounds, the lowest begins at the minimum.
        let high = width >> part;
        (if part == 7 { 0 } else { high / 2 }, high, part == 0)
    };
    let span = u128::from(high - low) + 1;
    let within = ((u128::from(draw) * span) >> 64) as u64;
    (Duration(latency.min.0 + low + within), far)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(config: &LinkConfig, count: usize) -> Links {
        Links::new(Stream::new(7, "links", 0), count, config)
    }

    #[test]
    fn shapes_keep_their_bounds_and_differ() {
        let latency = Latency::uniform(Duration(1_000), Duration(9_000));
        let mut stream = Stream::new(1, "test", 0);
        for (shape, far_most) in [(Shape::LongTailed, 1_300), (Shape::Bimodal, 1_300)] {
            let drawn: Vec<(Duration, bool)> = (0..8_000).map(|_| draw_shaped(shape, &latency, &mut stream)).collect();
            assert!(
                drawn
                    .iter()
                    .all(|(delay, _)| (latency.min..=latency.max).contains(delay))
            );
            let far = drawn.iter().filter(|(_, far)| *far).count();
            assert!((700..far_most).contains(&far), "{shape:?}: {far}");
            assert!(drawn.iter().all(|(delay, far)| !far || delay.0 >= 5_000));
            let near = drawn.iter().filter(|(delay, _)| delay.0 <= 2_000).count();
            assert!(near > 4_000, "{shape:?}: {near}");
        }
    }

    #[test]
    fn mixed_links_have_all_shapes_and_some_are_slow() {
        let config = LinkConfig {
            shape: Shape::Mixed,
            slow: Ratio::from_percent(30),
            ..LinkConfig::default()
        };
        let links = links(&config, 100);
        for shape in [Shape::Uniform, Shape::LongTailed, Shape::Bimodal] {
            assert!(links.characters.iter().filter(|link| link.shape == shape).count() > 15);
        }
        let slow = links.characters.iter().filter(|link| link.slow).count();
        assert!((15..45).contains(&slow), "{slow}");
    }

    #[test]
    fn a_full_queue_drops_the_new_message_or_one_that_waits() {
        let config = LinkConfig {
            bandwidth: 1_000,
            queue_messages: 4,
            ..LinkConfig::default()
        };
        let (mut links, mut seen) = (links(&config, 1), Exposure::default());
        let (mut passed, mut refused) = (Vec::new(), 0);
        for order in 1..=100 {
            match links.take_turn(0, (order, 10), Time::ZERO, &config, &mut seen) {
                Some(waits) => passed.push((order, waits)),
                None => refused += 1,
            }
        }
        // 10 bytes at 1,000 bytes per second: each takes 10 ms, after those before it.
        assert_eq!(
            passed[..2],
            [(1, Duration::from_millis(10)), (2, Duration::from_millis(20))]
        );
        let dropped = passed.iter().filter(|(order, _)| links.was_dropped(0, *order)).count();
        assert!(dropped > 30 && refused > 30, "{dropped} dropped, {refused} refused");
        assert_eq!(
            passed.last().map(|(_, waits)| *waits),
            Some(Duration::from_millis(40)),
            "the turn of another"
        );
        assert_eq!(dropped + refused, 96);
        assert_eq!(seen.count(FaultClass::Overflow), 96);
        let later = Time::ZERO + Duration::from_secs(60);
        assert_eq!(
            links.take_turn(0, (101, 10), later, &config, &mut seen),
            Some(Duration::from_millis(10))
        );
    }
}
