//! What a refusal says: the sentence of each kind of core, the nearest orders, the moment, and the picture.

use checker::history::{History, Op, Output};
use checker::linearizability::{
    Options, PICTURE_OPERATIONS_MAX, Refusal, Verdict, Witness, WitnessError, check_history, picture, verify_history,
};

fn read(lines: &[&str]) -> History {
    History::read(lines.join("\n").as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(model: &str, lines: &[&str]) -> (History, Refusal) {
    let history = read(lines);
    let report = check_history(&history, model, &Options::default()).expect("the lines fit the model");
    match report.verdict {
        Verdict::NotLinearizable(refusal) => (history, *refusal),
        other => panic!("{other:?}"),
    }
}

fn says(model: &str, lines: &[&str], expected: &str) {
    let (_, refusal) = refusal(model, lines);
    assert_eq!(refusal.sentence, expected, "{refusal}");
}

#[test]
fn a_stale_read_is_told_with_both_writes() {
    let lines = [
        r#"{"client":1,"op":"write","key":"k","value":3,"call":10,"return":11}"#,
        r#"{"client":2,"op":"write","key":"k","value":4,"call":20,"return":21}"#,
        r#"{"client":7,"op":"write","key":"k","value":5,"call":22,"return":null}"#,
        r#"{"client":4,"op":"read","key":"k","output":3,"call":30,"return":31}"#,
    ];
    let expected = "`read \"k\" -> 3` by client 4 [30, 31] began after `write \"k\" 4` by client 2 [20, 21] had returned, which \
                    began after `write \"k\" 3` by client 1 [10, 11] had returned; 3 was never written again.";
    says("register", &lines, expected);
    says("cas-register", &lines, expected);
}

#[test]
fn a_value_out_of_nothing_is_told() {
    let line = r#"{"client":4,"op":"read","key":null,"output":3,"call":30,"return":31}"#;
    says(
        "register",
        &[line],
        "`read -> 3` by client 4 [30, 31] found 3, which nobody had written by 31.",
    );
}

#[test]
fn a_miss_that_should_have_been_a_hit_is_told() {
    let lines = [
        r#"{"client":1,"op":"write","key":null,"value":3,"call":10,"return":11}"#,
        r#"{"client":2,"op":"cas","key":null,"from":3,"to":4,"ok":false,"call":20,"return":21}"#,
    ];
    let expected = "`cas 3 -> 4: refused` by client 2 [20, 21] began after `write 3` by client 1 [10, 11] had returned, and \
                    nothing else was written in between, so it should have found 3.";
    says("cas-register", &lines, expected);
}

#[test]
fn a_lost_append_is_told() {
    let lines = [
        r#"{"client":1,"op":"append","key":"k","value":"a","call":10,"return":11}"#,
        r#"{"client":2,"op":"append","key":"k","value":"b","call":10,"return":11}"#,
        r#"{"client":3,"op":"read","key":"k","output":"b","call":20,"return":21}"#,
    ];
    let expected = "`read \"k\" -> \"b\"` by client 3 [20, 21] lacks the text of `append \"k\" \"a\"` by client 1 [10, 11], which \
                    had returned before it began; nothing was written over it since.";
    says("kv", &lines, expected);
}

#[test]
fn queues_tell_what_was_taken_twice_out_of_turn_or_not_at_all() {
    let one = r#"{"client":1,"op":"enqueue","key":null,"value":1,"call":10,"return":11}"#;
    let two = r#"{"client":1,"op":"enqueue","key":null,"value":2,"call":12,"return":13}"#;
    let take = |client: u32, value: &str, call: u32| {
        let end = call + 1;
        format!(r#"{{"client":{client},"op":"dequeue","key":null,"output":{value},"call":{call},"return":{end}}}"#)
    };
    says(
        "queue",
        &[one, &take(2, "1", 20), &take(3, "1", 30)],
        "`dequeue -> 1` by client 3 [30, 31] took 1, which was put in only once, and `dequeue -> 1` by client 2 [20, 21] had taken \
         it already.",
    );
    says(
        "queue",
        &[one, two, &take(2, "2", 20)],
        "`dequeue -> 2` by client 2 [20, 21] took 2 out of turn: `enqueue 1` by client 1 [10, 11] had returned before `enqueue 2` \
         by client 1 [12, 13] began, and nobody had taken that element by 21.",
    );
    says(
        "queue",
        &[one, &take(2, "null", 20)],
        "`dequeue -> null` by client 2 [20, 21] found nothing, though `enqueue 1` by client 1 [10, 11] had returned before it \
         began, and nobody had taken that element.",
    );
    says(
        "queue",
        &[one, &take(2, "5", 20)],
        "`dequeue -> 5` by client 2 [20, 21] took 5, which nobody had put in by 21.",
    );
}

#[test]
fn lists_tell_what_is_missing_and_who_disagrees() {
    let append = |value: u32, call: u32, end: u32| {
        format!(r#"{{"client":{value},"op":"append","key":"l","value":{value},"call":{call},"return":{end}}}"#)
    };
    let read = |client: u32, output: &str, call: u32| {
        let end = call + 1;
        format!(r#"{{"client":{client},"op":"read","key":"l","output":{output},"call":{call},"return":{end}}}"#)
    };
    says(
        "append-list",
        &[&append(1, 1, 2), &append(2, 3, 4), &read(9, "[1]", 10)],
        "`read \"l\" -> [1]` by client 9 [10, 11] lacks the item of `append \"l\" 2` by client 2 [3, 4], which had returned \
         before it began.",
    );
    says(
        "append-list",
        &[
            &append(1, 1, 5),
            &append(2, 1, 5),
            &read(8, "[1,2]", 10),
            &read(9, "[2,1]", 20),
        ],
        "`read \"l\" -> [2, 1]` by client 9 [20, 21] and `read \"l\" -> [1, 2]` by client 8 [10, 11] disagree about the item at \
         position 0, and items never move.",
    );
}

#[test]
fn an_operation_of_unknown_outcome_in_the_core_is_spoken_of() {
    // Whether or not the addition of 2 took effect, the two reads contradict each other.
    let lines = [
        r#"{"client":1,"op":"add","key":"c","value":2,"call":1,"return":null}"#,
        r#"{"client":2,"op":"read","key":"c","output":2,"call":10,"return":11}"#,
        r#"{"client":3,"op":"read","key":"c","output":0,"call":20,"return":21}"#,
    ];
    let (_, refusal) = refusal("counter", &lines);
    assert!(
        refusal
            .sentence
            .ends_with(" That is so even if the timed-out `add \"c\" 2` of client 1 took effect."),
        "{refusal}"
    );
}

#[test]
fn the_moment_and_the_nearest_orders_are_told_within_the_width() {
    let lines = [
        r#"{"client":1,"op":"add","key":"c","value":2,"call":1,"return":9}"#,
        r#"{"client":2,"op":"add","key":"c","value":3,"call":1,"return":30}"#,
        r#"{"client":3,"op":"read","key":"c","output":7,"call":20,"return":21}"#,
    ];
    let (_, refusal) = refusal("counter", &lines);
    // Calls at 1, 1 and 20, returns at 9 and 21; the return at 30 comes later.
    assert_eq!((refusal.event, refusal.events), (5, 6));
    let states: Vec<&str> = refusal.attempts.iter().map(|attempt| attempt.state.as_str()).collect();
    assert_eq!(states, refusal.states);
    assert!(states.contains(&"2"), "{refusal}");
    let text = refusal.text(60);
    assert!(
        text.contains("after `add \"c\" 2` the key holds 2: `read \"c\" -> 7` cannot"),
        "{text}"
    );
    assert!(text.contains("it became impossible at 21, with event 5 of 6"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
}

#[test]
fn a_picture_is_bounded_and_escaped() {
    let mut lines: Vec<String> = (0..300)
        .map(|index| {
            let (call, end) = (2 * index, 2 * index + 1);
            format!(r#"{{"client":{index},"op":"write","key":"<&\">","value":"<b>{index}</b>","call":{call},"return":{end}}}"#)
        })
        .collect();
    lines.push(r#"{"client":1,"op":"read","key":"<&\">","output":"<b>3</b>","call":900,"return":901}"#.to_owned());
    let (history, refusal) = refusal("register", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let svg = picture(&history, &refusal);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt;3&lt;/b&gt;"), "{svg}");
    assert!(svg.contains("cannot be placed") && svg.matches("<title>").count() <= PICTURE_OPERATIONS_MAX);
    assert!(svg.len() < 40_000, "{} bytes", svg.len());
}

#[test]
fn a_witness_from_a_file_is_verified_and_a_false_one_refused() {
    let history = read(&[
        r#"{"client":1,"op":"write","key":"k","value":1,"call":1,"return":2}"#,
        r#"{"client":1,"op":"read","key":"k","output":1,"call":3,"return":4}"#,
        r#"{"client":2,"op":"read","key":"k","output":null,"call":1,"return":4}"#,
    ]);
    let id = |index: usize| history.id(index).expect("three operations");
    let verify = |orders: Vec<Vec<usize>>| {
        let orders = orders.into_iter().map(|order| order.into_iter().map(id).collect());
        verify_history(&history, "register", None, &Witness::from_orders(orders)).expect("a known model")
    };
    assert_eq!(verify(vec![vec![2, 0, 1]]), Ok(()));
    assert_eq!(verify(vec![vec![0, 2, 1]]), Err(WitnessError::Refused { id: id(2) }));
    assert_eq!(verify(vec![vec![2, 0]]), Err(WitnessError::Missing { id: id(1) }));
    // Each order begins anew, so a key in two of them would forget what was written.
    assert_eq!(
        verify(vec![vec![0, 1], vec![2]]),
        Err(WitnessError::Misplaced { id: id(2) })
    );
    assert!(history.id(3).is_none());
}

#[test]
fn what_was_done_to_the_system_stands_beside_the_core_and_as_bands_in_the_picture() {
    let text = "{:process :nemesis :type :info :f :start-early :value nil}
{:process :nemesis :type :info :f :stop-early :value nil}
{:process 0 :type :invoke :f :write :value 1}
{:process :nemesis :type :info :f :start-<cut> :value nil}
{:process 0 :type :ok :f :write :value 1}
{:process 1 :type :invoke :f :read :value nil}
{:process :nemesis :type :info :f :stop-<cut> :value nil}
{:process 1 :type :ok :f :read :value 2}
{:process :nemesis :type :info :f :late :value nil}
";
    let history = History::read(text.as_bytes()).expect("valid");
    let report = check_history(&history, "register", &Options::default()).expect("it fits");
    let refusal = report.refusal().expect("nobody wrote 2");
    let said = refusal.text(100);
    assert!(said.contains("\nmeanwhile: start-<cut> [4, 7]\n"), "{said}");
    let svg = picture(&history, refusal);
    assert_eq!(svg.matches("class=\"disturbance\"").count(), 1, "{svg}");
    assert!(svg.contains("start-&lt;cut&gt; [4, 7]"), "{svg}");
}

/// Operations of two keys in turn, so many that they are not replayed at one go: what a key holds, and the latest call, go on.
#[test]
fn a_long_witness_is_verified_key_by_key() {
    let mut history = History::new();
    for time in 0..6000u64 {
        let key = if time % 2 == 0 { "a" } else { "b" };
        let op = if time % 4 < 2 {
            Op::write(key, time as i64)
        } else {
            Op::read(key)
        };
        let id = history.invoke(0, 2 * time, op);
        let output = if time % 4 < 2 {
            Output::Ok
        } else {
            Output::value(time as i64 - 2)
        };
        history.complete(id, 2 * time + 1, output);
    }
    let id = |index: usize| history.id(index).expect("there are as many");
    let verify = |change: &dyn Fn(&mut [Vec<usize>; 2])| {
        let mut orders = [0, 1].map(|first| (first..6000).step_by(2).collect::<Vec<usize>>());
        change(&mut orders);
        let orders = orders.map(|order| order.into_iter().map(id).collect());
        verify_history(&history, "register", None, &Witness::from_orders(orders)).expect("a known model")
    };
    assert_eq!(verify(&|_| {}), Ok(()));
    assert_eq!(verify(&|[one, other]| std::mem::swap(one, other)), Ok(()));
    for place in [1023, 1024, 2047, 2999] {
        let refused = id(2 * place + 1);
        let early = id(2 * place - 1);
        assert_eq!(
            verify(&|[_, order]| order.swap(place - 1, place)),
            // A read before its write is refused before the write comes; a write before an earlier read comes too early.
            Err(if place % 2 == 0 {
                WitnessError::Late { id: early }
            } else {
                WitnessError::Refused { id: refused }
            }),
            "{place}"
        );
        assert_eq!(
            verify(&|[one, _]| {
                one.remove(place);
            }),
            Err(if place % 2 == 0 {
                WitnessError::Refused { id: id(2 * place + 2) }
            } else {
                WitnessError::Missing { id: id(2 * place) }
            }),
            "{place}"
        );
        let move_over = |orders: &mut [Vec<usize>; 2]| orders[0].insert(place, orders[1][place]);
        assert_eq!(
            verify(&move_over),
            Err(WitnessError::Misplaced { id: refused }),
            "{place}"
        );
        let twice = |orders: &mut [Vec<usize>; 2]| orders[1].insert(place, orders[1][place]);
        assert_eq!(verify(&twice), Err(WitnessError::Misplaced { id: refused }), "{place}");
    }
}

/// Two compare-and-sets at one moment, either of which the other one's answer rules out.
#[test]
fn a_core_of_two_compare_and_sets_is_minimal() {
    let lines = [
        r#"{"client":0,"op":"write","key":"k","value":2,"call":10,"return":null}"#,
        r#"{"client":1,"op":"cas","key":"k","from":0,"to":2,"ok":false,"call":0,"return":0}"#,
        r#"{"client":2,"op":"cas","key":"k","from":2,"to":0,"ok":true,"call":0,"return":0}"#,
    ];
    let (_, refusal) = refusal("cas-register", &lines);
    assert!(refusal.is_core_minimal && refusal.core.len() == 2, "{refusal}");
}
