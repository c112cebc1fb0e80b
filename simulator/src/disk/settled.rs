//! Which bytes of a disk have settled: durable for a while, and followed by something durable that was written when the process
//! knew of it. Only these decay.
//!
//! A process can tell what decayed from what a crash tore only if something intact says that the place was once durable.
//! So the last thing that it wrote never decays, nor what it was told of too recently.

use crate::time::{Duration, Time};
use std::collections::VecDeque;
use std::ops::Range;

/// What became durable lately, in a few buckets of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Settling {
    buckets: VecDeque<Bucket>,
}

#[derive(Clone, Debug)]
struct Bucket {
    first: Time,
    last: Time,
    /// The hull of what became durable.
    bytes: Range<u64>,
    /// Whether the process was told of all of it, and how many writes it had made then.
    told_at: Option<u64>,
}

impl Settling {
    /// These bytes became durable. `durable` is how many writes, since the start of the disk, are.
    pub fn add(&mut self, bytes: Range<u64>, now: Time, age: Duration, durable: u64) {
        while self
            .buckets
            .front()
            .is_some_and(|bucket| bucket.has_settled(now, age, durable))
        {
            self.buckets.pop_front();
        }
        match self.buckets.back_mut() {
            Some(bucket) if now < bucket.first + Duration(age.0 / 8) => {
                bucket.bytes = bucket.bytes.start.min(bytes.start)..bucket.bytes.end.max(bytes.end);
                (bucket.last, bucket.told_at) = (now, None);
            }
            _ => self.buckets.push_back(Bucket {
                first: now,
                last: now,
                bytes,
                told_at: None,
            }),
        }
    }

    /// The process has been told of all that became durable so far, and has made so many writes.
    pub fn told(&mut self, made: u64) {
        let untold = self
            .buckets
            .iter_mut()
            .rev()
            .take_while(|bucket| bucket.told_at.is_none());
        untold.for_each(|bucket| bucket.told_at = Some(made));
    }

    /// Writes were lost: only what is written from now on, after so many, vouches for what is durable.
    pub fn shaken(&mut self, made: u64) {
        self.buckets.iter_mut().for_each(|bucket| bucket.told_at = Some(made));
    }

    /// Whether all of these bytes have settled.
    pub fn has(&self, bytes: &Range<u64>, now: Time, age: Duration, durable: u64) -> bool {
        let apart = |bucket: &Bucket| bytes.end <= bucket.bytes.start || bucket.bytes.end <= bytes.start;
        self.buckets
            .iter()
            .all(|bucket| bucket.has_settled(now, age, durable) || apart(bucket))
    }
}

impl Bucket {
    fn has_settled(&self, now: Time, age: Duration, durable: u64) -> bool {
        self.last + age <= now && self.told_at.is_some_and(|made| made < durable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration(800);

    #[test]
    fn what_is_durable_settles_with_age_and_with_a_write_that_follows() {
        let mut settling = Settling::default();
        settling.add(0..10, Time(0), AGE, 1);
        let has = |settling: &Settling, now, durable| settling.has(&(5..6), Time(now), AGE, durable);
        assert!(!has(&settling, 5_000, 9), "the process does not know of it");
        settling.told(1);
        assert!(!has(&settling, 5_000, 1), "nothing was written since");
        assert!(has(&settling, 5_000, 2) && has(&settling, 800, 2));
        assert!(!has(&settling, 799, 2), "it is too young");
        assert!(settling.has(&(10..12), Time(0), AGE, 1), "this was durable long before");
        settling.shaken(2);
        assert!(!has(&settling, 5_000, 2) && has(&settling, 5_000, 3));
    }

    #[test]
    fn the_buckets_stay_few() {
        let mut settling = Settling::default();
        for write in 0..10_000 {
            settling.add(write..write + 1, Time(write), AGE, write);
            settling.told(write);
        }
        assert!(settling.buckets.len() <= 10, "{}", settling.buckets.len());
        assert!(settling.has(&(0..9_000), Time(10_000), AGE, 10_000));
        assert!(!settling.has(&(0..9_990), Time(10_000), AGE, 10_000));
    }
}
