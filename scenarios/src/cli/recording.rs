//! A trace that is written while its run goes on, so that its length costs no memory.

use super::error::CliError;
use super::files::{Draft, Length, Writing};
use simulator::trace::format::{self, TraceFooter, TraceHeader};
use simulator::{EventLine, TraceSink};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A trace under way. The run holds one end of it and whoever began it the other.
///
/// What cannot be written does not stop the run: it is told by [`Recording::finish`], when the verdict is known.
pub struct Recording(Arc<Mutex<Shared>>);

struct Shared {
    state: State,
    /// How many events were told. A run that comes to no report of its own may have told some.
    events: u64,
    /// The bytes of their lines.
    bytes: u64,
}

enum State {
    Writing(Writing),
    Failed(CliError),
    Over,
}

impl Recording {
    /// Begins a trace with its header.
    pub fn begin(draft: Draft, header: &TraceHeader) -> Self {
        let mut state = draft.begin().map_or_else(State::Failed, State::Writing);
        state.write(|out| format::write_line(out, header));
        Self(Arc::new(Mutex::new(Shared {
            state,
            events: 0,
            bytes: 0,
        })))
    }

    /// What takes the events of the run.
    pub fn sink(&self) -> Box<dyn TraceSink> {
        Box::new(Sink(Arc::clone(&self.0)))
    }

    /// How long it is so far.
    pub fn length(&self) -> Length {
        let shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [events, bytes] = [shared.events, shared.bytes].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        Length { events, bytes }
    }

    /// Ends the trace with its footer; the file's path.
    pub fn finish(self, footer: &TraceFooter) -> Result<PathBuf, CliError> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let footer = TraceFooter {
            events: shared.events,
            ..footer.clone()
        };
        shared.state.write(|out| format::write_line(out, &footer));
        match std::mem::replace(&mut shared.state, State::Over) {
            State::Writing(writing) => writing.finish(),
            State::Failed(error) => Err(error),
            State::Over => unreachable!("a recording is finished once"),
        }
    }
}

impl State {
    fn write(&mut self, piece: impl FnOnce(&mut Writing) -> io::Result<()>) {
        let Self::Writing(writing) = self else { return };
        // A panic in what writes is not one of the run, whose thread this is.
        let written = catch_unwind(AssertUnwindSafe(|| piece(writing)));
        let Err(error) = written.unwrap_or_else(|_| Err(io::Error::other("squall itself panicked"))) else {
            return;
        };
        if let Self::Writing(writing) = std::mem::replace(self, Self::Over) {
            *self = Self::Failed(writing.failed(error));
        }
    }
}

struct Sink(Arc<Mutex<Shared>>);

impl TraceSink for Sink {
    fn record(&mut self, event: EventLine<'_>) {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.events += 1;
        shared.bytes += event.json.len() as u64;
        shared.state.write(|out| {
            out.write_all(event.json.as_bytes())?;
            out.write_all(b"\n")
        });
    }
}
