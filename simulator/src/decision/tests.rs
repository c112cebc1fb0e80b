//! Decisions as data, and the tape between a stream and who draws from it.

use super::*;
use crate::random::{Ratio, Stream};

fn subject(text: &str) -> Subject {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_subject_reads_back_from_its_text() {
    let parties = ["n0".parse().unwrap(), "c12".parse().unwrap()];
    for (_, topic) in Topic::ALL {
        let whoms = [Whom::World, Whom::One(parties[0]), Whom::Link(parties[1], parties[0])];
        for of in whoms.map(|whom| Subject { topic: *topic, whom }) {
            assert_eq!(subject(&of.to_string()), of);
        }
    }
    for wrong in ["", "delays n0", "delay n0>", "delay n0>n1>n2", "delay 0", "loss  n0"] {
        assert!(wrong.parse::<Subject>().is_err(), "{wrong}");
    }
}

#[test]
fn decisions_are_lists_by_subject_in_json_and_none_is_made_twice() {
    let mut all = Decisions::default();
    all.insert(subject("delay n0>n1"), 3, 7);
    all.insert(subject("delay n0>n1"), 0, u64::MAX);
    all.insert(subject("replay"), 1, 2);
    all.insert(subject("replay"), Place { number: 1, index: 4 }, 3);
    let json = r#"{"delay n0>n1":[[0,18446744073709551615],[3,7]],"replay":[[1,2],[1,4,3]]}"#;
    assert_eq!(serde_json::to_string(&all).unwrap(), json);
    assert_eq!(serde_json::from_str::<Decisions>(json).unwrap(), all);
    let refusal = |json| serde_json::from_str::<Decisions>(json).unwrap_err().to_string();
    assert!(refusal(r#"{"delay n0>n1":[[0,1],[0,2]]}"#).contains("decides number 0 twice"));
    assert!(refusal(r#"{"delays":[]}"#).contains("names no kind of decision"));
}

#[test]
fn what_is_no_decision_is_refused_in_the_words_of_the_format() {
    let refusal = |list: &str| {
        let json = format!(r#"{{"replay":[[0,1],{list}]}}"#);
        serde_json::from_str::<Decisions>(&json).unwrap_err().to_string()
    };
    let form = "[number, value] or [number, index, value]";
    for (list, what) in [
        ("[1]", "invalid length 1"),
        ("[]", "invalid length 0"),
        ("[1,2,3,4]", "invalid length 4"),
        ("7", "invalid type: integer `7`"),
        (r#"{"number":1}"#, "invalid type: map"),
    ] {
        let refusal = refusal(list);
        assert!(refusal.starts_with(what) && refusal.contains(form), "{refusal}");
        assert!(refusal.contains(" at line 1 column "), "{refusal}");
    }
    assert!(
        refusal("[-1,2]").starts_with("invalid value: integer `-1`"),
        "{}",
        refusal("[-1,2]")
    );
    assert!(refusal("[4294967296,2]").contains("the number of a decision below 4294967296"));
}

fn draws(stream: &mut Stream) -> Vec<u64> {
    let mut drawn = vec![
        stream.next_u64(),
        stream.below(9),
        stream.range(5, 50),
        stream.chance(Ratio::ONE).into(),
    ];
    drawn.push(stream.on(Topic::Manner, |stream| stream.range(1, 3)));
    let mut order = [1, 2, 3, 4];
    stream.shuffle(&mut order);
    drawn.extend(order);
    drawn
}

#[test]
fn what_is_recorded_and_given_back_is_the_same_whatever_the_seed() {
    let taped = |seed, chance: &Chance| Stream::new(seed, "test", 0).taped(chance, Topic::Process, NodeId(1).into());
    let mut recorded = taped(1, &Chance::Recorded);
    let drawn = draws(&mut recorded);
    assert_eq!(drawn, draws(&mut Stream::new(1, "test", 0)), "a tape changes nothing");
    let given = Chance::Given(Arc::new(recorded.recorded().unwrap().clone()));
    assert_eq!(draws(&mut taped(2, &given)), drawn);
}

#[test]
fn what_is_not_given_is_neutral_and_what_is_out_of_bounds_is_brought_within() {
    let taped = |decisions| {
        let chance = Chance::Given(Arc::new(decisions));
        Stream::new(1, "test", 0).taped(&chance, Topic::Process, NodeId(1).into())
    };
    assert_eq!(draws(&mut taped(Decisions::default())), [2, 0, 5, 0, 1, 2, 3, 4, 1]);
    let place = |index| Place { number: 0, index };
    let wild = (0..8)
        .map(|index| (subject("process n1"), place(index), u64::MAX))
        .collect();
    assert_eq!(draws(&mut taped(wild))[..4], [u64::MAX, 8, 50, 1]);
}

#[test]
fn a_draw_that_is_new_in_the_code_shifts_no_decision_that_was_made_before() {
    let taped = |chance: &Chance| Stream::new(1, "test", 0).taped(chance, Topic::Process, NodeId(1).into());
    // On each of three occasions two decisions; a new draw comes under a topic of its own, or at the end of whatever is being decided.
    let run = |stream: &mut Stream, new: &mut dyn FnMut(&mut Stream) -> u64| {
        let mut drawn = Vec::new();
        let mut unrelated = Vec::new();
        for topic in [Topic::Loss, Topic::Delay, Topic::Loss] {
            stream.topic(topic);
            drawn.push(stream.range(1, 1_000));
            drawn.push(stream.range(1, 1_000));
            unrelated.push(new(stream));
        }
        (drawn, unrelated)
    };
    let mut before = taped(&Chance::Recorded);
    let (drawn, _) = run(&mut before, &mut |_| 0);
    let given = Chance::Given(Arc::new(before.recorded().unwrap().clone()));
    let own = &mut |stream: &mut Stream| stream.on(Topic::Manner, |stream| stream.range(3, 1_000));
    assert_eq!(
        run(&mut taped(&given), own),
        (drawn.clone(), vec![3; 3]),
        "with a topic of its own"
    );
    let last = &mut |stream: &mut Stream| stream.range(3, 1_000);
    assert_eq!(run(&mut taped(&given), last), (drawn, vec![3; 3]), "without one");
}

#[test]
fn what_interrupts_an_occasion_does_not_end_it() {
    let mut stream = Stream::new(1, "test", 0).taped(&Chance::Recorded, Topic::Process, NodeId(1).into());
    stream.range(1, u64::MAX);
    stream.on(Topic::Manner, |stream| stream.range(1, u64::MAX));
    stream.range(1, u64::MAX);
    let places: Vec<_> = stream
        .recorded()
        .unwrap()
        .iter()
        .map(|(of, place, _)| (of.topic, place.number, place.index))
        .collect();
    assert_eq!(
        places,
        [(Topic::Process, 0, 0), (Topic::Process, 0, 1), (Topic::Manner, 0, 0)]
    );
}
