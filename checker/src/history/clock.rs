//! What the times of a history count, for those who read them.
//!
//! Owns how a time looks in words. No verdict depends on it: for the checker times are numbers in one order.

/// What one step of a history's clock is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// A step of its own: events are counted, or nobody knows.
    #[default]
    Counter,
    /// A nanosecond.
    Nanoseconds,
    /// A microsecond.
    Microseconds,
    /// A millisecond.
    Milliseconds,
}

/// From this time on, a clock that is not known otherwise is taken to count nanoseconds: it is a millisecond.
const NANOSECONDS_FROM: u64 = 1_000_000;

impl Clock {
    /// What the times up to `latest` probably count: nanoseconds, unless they are so small that they count events.
    pub fn guess(latest: u64) -> Self {
        if latest >= NANOSECONDS_FROM {
            Clock::Nanoseconds
        } else {
            Clock::Counter
        }
    }

    /// Whether times are shown in seconds.
    pub fn is_known(self) -> bool {
        self != Clock::Counter
    }

    /// A time as a number: of seconds where the clock is known, to the last digit.
    pub fn number(self, time: u64) -> String {
        let digits = match self {
            Clock::Counter => return time.to_string(),
            Clock::Milliseconds => 3,
            Clock::Microseconds => 6,
            Clock::Nanoseconds => 9,
        };
        let one = 10u64.pow(digits);
        let fraction = format!("{:0width$}", time % one, width = digits as usize);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{point}{fraction}", time / one)
    }

    /// The same with its unit: `1.5 s`.
    pub fn time(self, time: u64) -> String {
        self.number(time) + self.unit()
    }

    /// From one time to another, or without an end: `[1.5, 2] s`.
    pub fn interval(self, from: u64, to: Option<u64>) -> String {
        let from = self.number(from);
        match to {
            Some(to) => format!("[{from}, {}]{}", self.number(to), self.unit()),
            None if self.is_known() => format!("[{from}{}, …", self.unit()),
            None => format!("[{from}, …"),
        }
    }

    fn unit(self) -> &'static str {
        if self.is_known() { " s" } else { "" }
    }
}
