//! What a trace takes of memory, counted by the allocator: nothing that grows with it, neither written nor read.

use raft_kv::find;
use simulator::trace::format::{self, Reader, Trace, TraceFooter, TraceHeader};
use simulator::{EventLine, TraceEvent, TraceSink};
use squall::explain::{Question, explain};
use squall::run::RunOptions;
use squall::scenario::{Scenario, parse};
use squall::sweep::attempt_recorded;
use squall::timeline::Timeline;
use squall::view::{SIZE_MAX, page};
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const MIB: u64 = 1 << 20;

/// The most bytes that were taken from the allocator at one time while `code` ran.
fn peak(code: impl FnOnce()) -> u64 {
    allocation_counter::measure(code).bytes_max
}

/// Counts what it is told and forgets it.
struct Counting(Arc<AtomicU64>);

impl TraceSink for Counting {
    fn record(&mut self, event: EventLine<'_>) {
        self.0.fetch_add(event.json.len() as u64, Ordering::Relaxed);
    }
}

fn storm() -> Scenario {
    let settings = [
        ("cluster.nodes", "5"),
        ("workload.clients", "6"),
        ("workload.think", "1ms..20ms"),
        ("time.chaos", "60s"),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let storm = find("storm").unwrap();
    parse(storm.name, storm.text, &settings, &raft_kv::known()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_trace_that_goes_to_a_sink_takes_no_memory_however_long_it_is() {
    let scenario = storm();
    let run = |sink| {
        let report = attempt_recorded(&scenario, 7, RunOptions::default(), sink);
        assert_eq!(report.failure, None);
    };
    let plain = peak(|| run(None));
    let bytes = Arc::new(AtomicU64::new(0));
    let recorded = peak(|| run(Some(Box::new(Counting(Arc::clone(&bytes))))));
    let written = bytes.load(Ordering::Relaxed);
    assert!(written > 8 * MIB, "a trace of {written} bytes says little");
    assert!(
        recorded < plain + MIB,
        "a run takes {plain} bytes, and {recorded} with a trace of {written}"
    );
}

/// A trace of so many events, made while it is read.
struct Endless {
    line: Vec<u8>,
    read: usize,
    next: u64,
    events: u64,
}

impl Endless {
    fn new(events: u64) -> Self {
        let mut line = serde_json::to_vec(&TraceHeader::new("a test", "none", 1, 3, 2)).unwrap();
        line.push(b'\n');
        Self {
            line,
            read: 0,
            next: 1,
            events,
        }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.line.len() {
            let number = self.next;
            self.next += 1;
            self.read = 0;
            self.line = if number <= self.events {
                let text =
                    format!("{{\"seq\":{number},\"t\":{number},\"node\":0,\"kind\":\"timer\",\"local\":{number}}}\n");
                text.into_bytes()
            } else if number == self.events + 1 {
                let footer = TraceFooter {
                    verdict: "pass".to_owned(),
                    digest: "00".to_owned(),
                    events: self.events,
                    end: number,
                    counts: BTreeMap::new(),
                };
                let mut line = serde_json::to_vec(&footer).unwrap();
                line.push(b'\n');
                line
            } else {
                Vec::new()
            };
        }
        let count = buffer.len().min(self.line.len() - self.read);
        buffer[..count].copy_from_slice(&self.line[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}

#[test]
fn a_trace_is_read_event_by_event_in_the_memory_of_one() {
    const EVENTS: u64 = 100_000;
    let taken = peak(|| {
        let mut reader = Reader::new(BufReader::new(Endless::new(EVENTS))).unwrap();
        let mut count = 0;
        while let Some(event) = reader.next_event().unwrap() {
            count += 1;
            assert_eq!(event.seq, count);
        }
        assert_eq!((count, reader.footer().unwrap().events), (EVENTS, EVENTS));
    });
    assert!(taken < MIB / 4, "reading takes {taken} bytes");
}

/// Holds the first events of a run.
struct First(Arc<Mutex<Vec<TraceEvent>>>);

impl TraceSink for First {
    fn record(&mut self, event: EventLine<'_>) {
        let mut events = self.0.lock().unwrap();
        if events.len() < SHOWN_UNASKED {
            events.push(event.abbreviated());
        }
    }
}

/// Of so many events a sweep makes a story and a page by itself.
const SHOWN_UNASKED: usize = 50_000;

#[test]
fn what_a_sweep_shows_of_a_failure_unasked_is_made_in_64_mib() {
    let held = Arc::new(Mutex::new(Vec::new()));
    let mut shown = 0;
    let taken = peak(|| {
        attempt_recorded(
            &storm(),
            7,
            RunOptions::default(),
            Some(Box::new(First(Arc::clone(&held)))),
        );
        let trace = Trace {
            header: TraceHeader::new("a test", "storm", 7, 5, 6),
            events: std::mem::take(&mut *held.lock().unwrap()),
            footer: TraceFooter {
                verdict: "pass".to_owned(),
                digest: "00".to_owned(),
                events: SHOWN_UNASKED as u64,
                end: 1,
                counts: BTreeMap::new(),
            },
        };
        shown = trace.events.len();
        let question = Question { at: None, last: 6 };
        explain(&Timeline::new(&trace), question).unwrap();
        page(&trace, SIZE_MAX);
    });
    assert_eq!(shown, SHOWN_UNASKED);
    assert!(taken < 64 * MIB, "{taken} bytes");
}

#[test]
fn an_event_that_is_held_takes_little_more_than_its_line() {
    const EVENTS: u64 = 100_000;
    let taken = peak(|| {
        let trace = format::read(BufReader::new(Endless::new(EVENTS))).unwrap();
        let locals = trace.events.iter().map(|event| event.fields.number("local").unwrap());
        assert_eq!(locals.sum::<u64>(), EVENTS * (EVENTS + 1) / 2);
    });
    assert!(taken < 400 * EVENTS, "{EVENTS} events of some 70 bytes take {taken}");
}
