//! Two traces on one page: the lanes of one above those of the other, on one axis of time, from where they part on.
//!
//! Owns how two sets of contents become one. The second trace's lanes and texts have a prime, its events the side 1; where both
//! have the same event they run beside each other, and the page opens at the first that differs.

use super::columns::{Contents, Rows, shortened};
use serde_json::{Value, json};
use simulator::TraceEvent;
use simulator::trace::format::Trace;

/// What marks the lanes of the second trace.
const PRIME: &str = "′";

/// Where two traces part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parting {
    /// So many events are equal.
    pub equal: usize,
    /// True time of the first that differs, in nanoseconds; that of the end if none does.
    pub t: u64,
    /// Whether there is such an event.
    pub differs: bool,
    /// Whether one of them is cut short there, so that nobody knows.
    pub is_open: bool,
}

/// Where two traces part.
pub fn parting(a: &Trace, b: &Trace) -> Parting {
    let equal = a.events.iter().zip(&b.events).take_while(|(a, b)| a == b).count();
    let next = |trace: &Trace| trace.events.get(equal).map(|event| event.t);
    let t = match (next(a), next(b)) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    };
    let end = a.events.last().map_or(0, |event| event.t);
    let is_open = [a, b]
        .iter()
        .any(|trace| trace.footer.is_missing() && trace.events.len() == equal);
    Parting {
        equal,
        t: t.unwrap_or(end),
        differs: t.is_some() && !is_open,
        is_open,
    }
}

/// The places of the events of both in one list, by time: those of the first trace before those of the second.
struct Merged {
    /// Side and number among those that are kept of that side.
    order: Vec<(usize, usize)>,
    /// For each side, the place of each kept event.
    places: [Vec<usize>; 2],
}

impl Merged {
    fn new(sides: &[(&Contents<'_>, Rows); 2]) -> Self {
        let time = |side: usize, at: usize| {
            let (contents, rows) = &sides[side];
            contents.timeline.events[rows.kept[at]].t
        };
        let mut order: Vec<(usize, usize)> = (0..2)
            .flat_map(|side| (0..sides[side].1.kept.len()).map(move |at| (side, at)))
            .collect();
        order.sort_by_key(|(side, at)| (time(*side, *at), *side, *at));
        let mut places = [Vec::new(), Vec::new()];
        for (place, (side, _)) in order.iter().enumerate() {
            places[*side].push(place);
        }
        Self { order, places }
    }

    /// The place of what is at `at` on a side; of an empty side, the beginning.
    fn place(&self, side: usize, at: &Value) -> Value {
        let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.places[side].get(at))
            .map_or(Value::Null, |place| (*place).into())
    }
}

/// The data of a page of both, with those events that are flagged.
pub fn data(a: &Contents<'_>, b: &Contents<'_>, keep: [&[bool]; 2], parting: Parting) -> Value {
    let [one, other] = [a.data(keep[0]), b.data(keep[1])];
    let sides = [(a, Rows::new(keep[0])), (b, Rows::new(keep[1]))];
    let merged = Merged::new(&sides);
    let nodes = [a.timeline.nodes(), b.timeline.nodes()];
    let clients = a.timeline.lanes.len() - nodes[0];
    // Nodes of both come first, then the clients of both.
    let lane = |side: usize, lane: i64| match (side, usize::try_from(lane)) {
        (_, Err(_)) => -1,
        (0, Ok(lane)) if lane < nodes[0] => lane as i64,
        (0, Ok(lane)) => (lane + nodes[1]) as i64,
        (_, Ok(lane)) if lane < nodes[1] => (lane + nodes[0]) as i64,
        (_, Ok(lane)) => (lane + nodes[0] + clients) as i64,
    };
    let part = |side: usize, name: &str| [&one, &other][side][name].as_array().cloned().unwrap_or_default();
    let both = |name: &str, map: &dyn Fn(usize, Value) -> Value| -> Vec<Value> {
        let side = |side: usize| part(side, name).into_iter().map(move |value| map(side, value));
        side(0).chain(side(1)).collect()
    };
    let number = |value: &Value| value.as_i64().unwrap_or(-1);
    let bands = both("bands", &|side, mut band| {
        band[2] = merged.place(side, &band[2]);
        let lanes: Vec<i64> = band[5]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| lane(side, number(one)))
            .collect();
        band[5] = lanes.into();
        if side == 1 {
            band[1] = format!("{} {PRIME}", band[1].as_str().unwrap_or("")).into();
        }
        band
    });
    let operations = both("operations", &|side, mut operation| {
        operation[0] = lane(side, number(&operation[0])).into();
        operation[1] = merged.place(side, &operation[1]);
        if !operation[2].is_null() {
            operation[2] = merged.place(side, &operation[2]);
        }
        operation
    });
    let lives = both("lives", &|side, mut life| {
        let rows = life["row"].as_array().cloned().unwrap_or_default();
        life["row"] = rows.iter().map(|row| merged.place(side, row)).collect();
        for log in life["logs"].as_array_mut().into_iter().flatten() {
            log[0] = merged.place(side, &log[0]);
        }
        life
    });
    let refusal = [&one["refusal"], &other["refusal"]]
        .into_iter()
        .find(|refusal| !refusal.is_null());
    let mut bands = bands;
    bands.sort_by_key(|band| band[2].as_u64());
    let mut operations = operations;
    operations.sort_by_key(|operation| operation[3].as_u64());
    json!({
        "lanes": lanes(a, b),
        "nodes": nodes[0] + nodes[1],
        "end": a.timeline.end().max(b.timeline.end()),
        "total": keep[0].len() + keep[1].len(),
        "focus": focus(&sides, &merged, parting),
        "passed": !a.timeline.failed(),
        "compared": { "side": merged.order.iter().map(|(side, _)| *side).collect::<Vec<_>>(), "nodes": nodes[0], "parts": parting.t, "differs": parting.differs },
        "events": events(&sides, &merged, [&one["events"], &other["events"]], &lane),
        "lives": lives,
        "bands": bands,
        "operations": operations,
        "refusal": refusal,
        "linearizability": one["linearizability"],
    })
}

fn lanes(a: &Contents<'_>, b: &Contents<'_>) -> Vec<String> {
    let split = |contents: &Contents<'_>, mark: &str| {
        let names: Vec<String> = contents
            .timeline
            .lanes
            .iter()
            .map(|lane| format!("{lane}{mark}"))
            .collect();
        let (nodes, clients) = names.split_at(contents.timeline.nodes());
        (nodes.to_vec(), clients.to_vec())
    };
    let ((nodes_a, clients_a), (nodes_b, clients_b)) = (split(a, ""), split(b, PRIME));
    [nodes_a, nodes_b, clients_a, clients_b].concat()
}

/// The first event that differs, of the first trace if it has one; else where the first trace failed.
fn focus(sides: &[(&Contents<'_>, Rows); 2], merged: &Merged, parting: Parting) -> Option<usize> {
    let parted = |side: usize| {
        let (contents, rows) = &sides[side];
        let event: &TraceEvent = contents.timeline.trace.events.get(parting.equal)?;
        let row = contents.timeline.events.iter().position(|one| one.seq == event.seq)?;
        merged.places[side].get(rows.at(row)).copied()
    };
    let failed = |side: usize| {
        let (contents, rows) = &sides[side];
        merged.places[side].get(rows.at(contents.focus()?)).copied()
    };
    parted(0)
        .or_else(|| parted(1))
        .or_else(|| failed(0))
        .or_else(|| failed(1))
}

/// The columns of both, in the order of time; names are those of the first trace and then those of the second.
fn events(
    sides: &[(&Contents<'_>, Rows); 2],
    merged: &Merged,
    of: [&Value; 2],
    lane: &dyn Fn(usize, i64) -> i64,
) -> Value {
    let column = |side: usize, name: &str| of[side][name].as_array().map_or(&[][..], Vec::as_slice);
    let names = [column(0, "names"), column(1, "names")];
    let number = |side: usize, name: &str, at: usize| column(side, name)[at].as_i64().unwrap_or(-1);
    let shifted = |side: usize, number: i64| {
        if number < 0 || side == 0 {
            number
        } else {
            number + names[0].len() as i64
        }
    };
    let event = |(side, at): (usize, usize)| {
        let (contents, rows) = &sides[side];
        contents.timeline.events[rows.kept[at]]
    };
    let differences = |value: &dyn Fn((usize, usize)) -> u64| -> Vec<i128> {
        let mut before = 0;
        let each = merged.order.iter().map(|place| i128::from(value(*place)));
        each.map(|value| value - std::mem::replace(&mut before, value))
            .collect()
    };
    let map = |value: &dyn Fn(usize, usize, usize) -> Value| -> Vec<Value> {
        let order = merged.order.iter().enumerate();
        order.map(|(place, (side, at))| value(place, *side, *at)).collect()
    };
    let all: Vec<Value> = names[0].iter().chain(names[1]).cloned().collect();
    json!({
        "names": all,
        "seq": differences(&|place| event(place).seq),
        "t": differences(&|place| event(place).t),
        "lane": map(&|_, side, at| lane(side, number(side, "lane", at)).into()),
        "peer": map(&|_, side, at| lane(side, number(side, "peer", at)).into()),
        "kind": map(&|_, side, at| shifted(side, number(side, "kind", at)).into()),
        "sort": map(&|_, side, at| shifted(side, number(side, "sort", at)).into()),
        "cause": map(&|place, side, at| {
            let up = number(side, "cause", at).max(0) as usize;
            if up == 0 { 0.into() } else { (place - merged.places[side][at - up]).into() }
        }),
        "detail": map(&|_, side, at| column(side, "detail")[at].clone()),
    })
}

/// What the head of the page says of the second trace and of where they part.
pub fn head(a: &Trace, b: &Trace, parting: Parting) -> Value {
    let short = |text: &str| shortened(text.to_owned(), 200);
    let verdict = |trace: &Trace| {
        format!(
            "{} of {} {}",
            trace.footer.verdict, trace.header.scenario, trace.header.seed
        )
    };
    json!({
        "a": short(&verdict(a)),
        "b": short(&verdict(b)),
        "equal": parting.equal,
        "differs": parting.differs,
        "open": parting.is_open,
        "t": parting.t,
        "seq": a.events.get(parting.equal).or_else(|| b.events.get(parting.equal)).map(|event| event.seq),
    })
}
