//! Where a run parts from another, or from a trace of it: both go along side by side, and neither is kept.

use serde_json::Value;
use simulator::{EventLine, TraceSink};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// How many events one of two runs may be ahead of the other.
const AHEAD: usize = 64;

/// Where two runs part that tell their events to the sinks they are given, with the event of each; `None` if they do not. The first
/// runs in a thread of its own.
pub fn of_runs(one: impl FnOnce(Box<dyn TraceSink>) + Send, other: impl FnOnce(Box<dyn TraceSink>)) -> Option<String> {
    let (sender, receiver) = sync_channel(AHEAD);
    #[expect(
        clippy::disallowed_methods,
        reason = "two runs of one seed, which know nothing of each other"
    )]
    std::thread::scope(|scope| {
        scope.spawn(move || one(Box::new(Telling(Some(sender)))));
        of_run(move || receiver.recv().ok(), other)
    })
}

/// Where a run parts from the events that `expected` gives as lines, one after the other: as [`of_runs`].
pub fn of_run(
    expected: impl FnMut() -> Option<String> + Send + 'static,
    run: impl FnOnce(Box<dyn TraceSink>),
) -> Option<String> {
    let comparison = Comparison {
        expected: Some(Box::new(expected)),
        equal: 0,
        found: None,
    };
    let comparison = Arc::new(Mutex::new(comparison));
    run(Box::new(Comparing(Arc::clone(&comparison))));
    let mut comparison = comparison.lock().unwrap_or_else(PoisonError::into_inner);
    comparison.ends();
    comparison.found.take()
}

/// Passes the events on to another thread, as long as anybody there wants them.
struct Telling(Option<SyncSender<String>>);

impl TraceSink for Telling {
    fn record(&mut self, event: EventLine<'_>) {
        self.0.take_if(|sender| sender.send(event.json.to_owned()).is_err());
    }
}

struct Comparing(Arc<Mutex<Comparison>>);

impl TraceSink for Comparing {
    fn record(&mut self, event: EventLine<'_>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(Some(event.json));
    }
}

struct Comparison {
    /// Gives the other's events; gone once the two have parted.
    expected: Option<Box<dyn FnMut() -> Option<String> + Send>>,
    equal: u64,
    found: Option<String>,
}

impl Comparison {
    fn take(&mut self, event: Option<&str>) {
        let Some(expected) = &mut self.expected else { return };
        let other = expected();
        if other.as_deref() == event || is_same(other.as_deref(), event) {
            self.equal += 1;
            return;
        }
        let shown = |line: Option<&str>| line.unwrap_or("(the trace ends)").to_owned();
        let (one, other) = (shown(other.as_deref()), shown(event));
        self.found = Some(format!("after {} equal events:\n  {one}\n  {other}", self.equal));
        self.expected = None;
    }

    /// The run is over: so must the other be.
    fn ends(&mut self) {
        self.take(None);
    }
}

/// Whether two lines say the same in another order or spacing.
fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    let value = |line: &str| serde_json::from_str::<Value>(line).ok();
    match (one.and_then(value), other.and_then(value)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}
