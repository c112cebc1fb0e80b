//! Reading and writing: what is read back, what is refused and how, and that no bytes whatever make a reader panic.

use proptest::prelude::*;

use super::{History, HistoryError, Op, Operation, Output, OwnedValue, Value, jepsen, jsonl};

const VALID: &str = r#"{"client":1,"op":"write","key":"r","value":1,"call":4,"return":8}
{"client":4,"op":"read","key":"r","output":null,"call":2,"return":3}
{"client":2,"op":"cas","key":"r","from":2,"to":4,"ok":true,"call":5,"return":10}
{"client":1,"op":"cas","key":"r","from":0,"to":2,"call":44,"return":null}
{"client":0,"op":"append","key":"0","value":"x 0 0 y\n\"ü\"","call":2,"return":3}
{"client":0,"op":"read","key":7,"call":20,"return":null}
"#;

const VALID_EDN: &str = r#"; a comment
[{:process 0, :type :invoke, :f :write, :value 4 :time 3.5 :error [:timeout {:a #{1 2}}]}
 {:process 1, :type :invoke, :f :read, :value nil}
 {:process :nemesis, :type :info, :f :start, :value nil}
 {:process 1, :type :ok, :f :read, :value "a\"b"}
 #_ {:process 9}
 {:process 0, :type :info, :f :write, :value 4}
 {:process 2, :type :invoke, :f :cas, :value [1 2]}
 {:process 2, :type :fail, :f :cas, :value [1 2]}
 {:process 3, :type :invoke, :f :cas, :value [1 2]}
 {:process 3, :type :ok, :f :cas, :value [1 2]}
 {:process 4, :type :invoke, :f :read, :value nil}
 {:process 4, :type :ok, :f :read, :value nil}
 {:process 5, :type :invoke, :f :read, :value nil}]
"#;

fn read(text: &str) -> Result<History, HistoryError> {
    History::read(text.as_bytes())
}

fn described(history: &History) -> Vec<String> {
    history.ids().map(|id| history.describe(id)).collect()
}

fn refused(text: &str) -> String {
    read(text).expect_err("the text is no history").to_string()
}

fn all(history: &History) -> Vec<Operation> {
    history.operations().collect()
}

#[test]
fn json_lines_are_read_and_written_back() {
    let history = read(VALID).expect("valid");
    let expected = [
        r#"write "r" 1"#,
        r#"read "r" -> null"#,
        r#"cas "r" 2 -> 4: ok"#,
        r#"cas "r" 0 -> 2 (outcome unknown)"#,
        r#"append "0" "x 0 0 y\n\"ü\"""#,
        "read 7 (outcome unknown)",
    ];
    assert_eq!(described(&history), expected);
    assert_eq!((all(&history)[2].call, all(&history)[2].returned), (5, Some(10)));
    let mut written = Vec::new();
    jsonl::write(&history, &mut written).expect("memory does not fail");
    let written = String::from_utf8(written).expect("JSON is text");
    assert_eq!(
        written.lines().take(5).collect::<Vec<_>>(),
        VALID.lines().take(5).collect::<Vec<_>>()
    );
    assert_eq!(all(&read(&written).expect("valid")), all(&history));
}

#[test]
fn jepsen_events_are_paired() {
    let history = read(VALID_EDN).expect("valid");
    let expected = [
        "write 4 (outcome unknown)",
        r#"read -> "a\"b""#,
        "cas 1 -> 2: ok",
        "read (outcome unknown)",
    ];
    assert_eq!(described(&history), expected);
    let times: Vec<_> = history
        .operations()
        .map(|operation| (operation.client, operation.call, operation.returned))
        .collect();
    assert_eq!(times, [(0, 1, None), (1, 2, Some(4)), (3, 8, Some(9)), (5, 12, None)]);
    let list = VALID_EDN.replace('[', "(").replace(']', ")");
    assert_eq!(all(&read(&list).expect("valid")), all(&history));
    let bare: String = VALID_EDN
        .lines()
        .map(|line| line.trim_start_matches(['[', ' ']).trim_end_matches("}]").to_owned() + "\n")
        .collect();
    let bare = bare.trim_end().to_owned() + "}";
    assert_eq!(all(&read(&bare).expect("valid")), all(&history));
}

#[test]
fn what_is_wrong_with_json_lines_is_said_with_its_place() {
    let line = |from: &str, to: &str| refused(&VALID.replacen(from, to, 1));
    let check = |said: String, parts: &[&str]| {
        for part in parts {
            assert!(said.contains(part), "{said:?} lacks {part:?}");
        }
    };
    check(refused(""), &["empty"]);
    check(refused(" \n\n  \n"), &["empty"]);
    check(refused("hello"), &["line 1, column 1 (byte 0)", "begins with 'h'"]);
    check(
        refused(VALID.trim_end().trim_end_matches("null}")),
        &["line 6", "ends in the middle of a line"],
    );
    check(
        line("\"op\":\"read\"", "\"op\":\"reed\""),
        &[
            "line 2, column 19",
            "no operation is called `reed`",
            "write, cas, append",
        ],
    );
    check(
        line("\"output\"", "\"ouput\""),
        &["line 2", "`output` is missing", "there is `ouput`"],
    );
    check(
        line("\"return\":3", "\"retrun\":3"),
        &["line 2", "missing field `return`; there is `retrun`"],
    );
    check(
        line("\"call\":2", "\"call\":-2"),
        &["line 2", "invalid value: integer `-2`"],
    );
    check(
        line("\"call\":2", "\"call\":18446744073709551616"),
        &["line 2", "expected u64"],
    );
    check(
        line("\"value\":1", "\"value\":9223372036854775808"),
        &["line 1", "64-bit signed integer"],
    );
    check(line("\"value\":1", "\"value\":1.5"), &["line 1", "floating point"]);
    check(
        line("\"return\":3", "\"return\":1"),
        &["line 2", "returns at 1, before its call at 2"],
    );
    check(line(",\"return\":3", ""), &["line 2", "missing field `return`"]);
    check(line("\"output\":null,", ""), &["line 2", "`output` is missing"]);
    check(line("\"ok\":true,", ""), &["line 3", "`ok` is missing"]);
    check(line("\"to\":4,", ""), &["line 3", "`to` is missing"]);
    check(
        line("\"value\":1", "\"value\":1,\"from\":1"),
        &["line 1", "`from` does not belong"],
    );
    check(
        line("\"to\":2", "\"to\":2,\"ok\":true"),
        &["line 4", "outcome is unknown"],
    );
}

#[test]
fn overlapping_operations_of_one_client_are_refused() {
    let said = refused(&VALID.replace("\"client\":2", "\"client\":1"));
    assert!(
        said.contains("at line 3, column 1") && said.contains("its operation of line 1 is in flight until 8"),
        "{said}"
    );
    let after_unknown = VALID.replace(
        "\"client\":0,\"op\":\"read\",\"key\":7,\"call\":20",
        "\"client\":1,\"op\":\"read\",\"key\":7,\"call\":99",
    );
    read(&after_unknown).expect("a client goes on after an unknown outcome");
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let mut bytes = VALID.as_bytes().to_vec();
    bytes[70] = 0xff;
    let said = History::read(&bytes[..]).expect_err("no text").to_string();
    assert!(
        said.contains("at line 2, column 5 (byte 70): byte 0xff is not UTF-8 text"),
        "{said}"
    );
    let said = History::read(&b"\x28\xb5\x2f\xfd\x00"[..])
        .expect_err("zstd")
        .to_string();
    assert!(said.contains("not UTF-8"), "{said}");
    assert!(matches!(
        History::read(&b"\x1f\x8b\x08"[..]),
        Err(HistoryError::NotText { .. })
    ));
}

#[test]
fn a_huge_line_is_refused_before_it_is_read() {
    let endless = std::io::BufReader::new(std::io::Read::chain(&b"{\"client\":\""[..], std::io::repeat(b'x')));
    let said = History::read(endless).expect_err("endless").to_string();
    assert!(said.contains("line 1 is longer than 16777216 bytes"), "{said}");
    let blank = std::io::BufReader::new(std::io::repeat(b' '));
    assert!(matches!(History::read(blank), Err(HistoryError::TooLarge { .. })));
}

#[test]
fn what_is_wrong_with_jepsen_events_is_said_with_its_place() {
    let check = |from: &str, to: &str, parts: &[&str]| {
        let said = refused(&VALID_EDN.replacen(from, to, 1));
        for part in parts {
            assert!(said.contains(part), "{said:?} lacks {part:?}");
        }
    };
    check(
        ":process 1, :type :ok",
        ":process 7, :type :ok",
        &[
            "line 5, column 2",
            "process 7 completes an operation that it did not invoke",
        ],
    );
    check(
        ":process 2, :type :fail",
        ":process 3, :type :invoke",
        &["process 3 invokes an operation while another"],
    );
    check(":type :ok, :f :read", ":type :ok, :f :write", &["line 5", "another :f"]);
    check(":type :ok", ":type :done", &["line 5", ":invoke, :ok, :fail and :info"]);
    check(":f :cas, :value [1 2]", ":f :cas, :value 1", &["line 8", "[from to]"]);
    check(":f :cas", ":f :frob", &["line 8", ":read, :write, :cas"]);
    check(":f :cas", ":f :raed", &["line 8, column 33", "did you mean :read?"]);
    check(":value [1 2]", ":value [1 2 3]", &["line 8, column 46", "[from to]"]);
    check(
        ":value nil}]",
        ":value nil}",
        &["ends in the middle of the vector of events"],
    );
    check(":value nil}]", ":value", &["ends in the middle of a map"]);
    check(":value nil}]", ":value}]", &["has no value"]);
    check("\"a\\\"b\"", "\"a\\qb\"", &["line 5", "is no escape"]);
    check("[1 2]", "[1 2)", &["closes nothing"]);
    check(":process 0,", ":process -4,", &["from 0 to 2^32 - 1"]);
    assert!(refused(&"[".repeat(100_000)).contains("nested deeper than 64"));
    assert!(refused("[]").contains("empty"));
    assert!(refused("[] 1").contains("follows the end"));
}

#[test]
fn the_format_is_told_by_the_content() {
    let texts = ["\u{feff}", " \n\t"];
    for before in texts {
        read(&format!("{before}{VALID}")).expect("JSON Lines");
        read(&format!("{before}{VALID_EDN}")).expect("EDN");
    }
    assert!(matches!(read("{  :process 0}"), Err(HistoryError::Syntax { .. })));
}

#[test]
fn equal_texts_are_stored_once() {
    let mut history = History::new();
    let first = history.invoke(1, 1, Op::write("key", "key"));
    history.complete(first, 2, Output::Ok);
    let Op::Write { key, value } = history.operation(first).op else {
        panic!("a write was added")
    };
    assert_eq!(key, value);
    assert_eq!(history.value(key), Value::Text("key"));
    assert_eq!(history.atom(Value::Text("other")), None);
}

#[test]
#[should_panic(expected = "operation 0 returns at 4, before its call at 5")]
fn a_return_before_its_call_breaks_an_assumption() {
    let mut history = History::new();
    let id = history.invoke(1, 5, Op::read("x"));
    history.complete(id, 4, Output::value("a"));
}

/// A valid text with a few bytes replaced, removed or doubled.
fn mutated(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        0..text.len(),
        0..3u8,
        prop_oneof![any::<u8>(), prop::sample::select(b"{}[]()\":,;#\\_-0N\n".to_vec())],
    );
    prop::collection::vec(edit, 1..4).prop_map(|edits| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, kind, byte) in edits {
            let at = at.min(bytes.len().saturating_sub(1));
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = History::read(&bytes[..]);
        let _ = jepsen::parse(&bytes);
        let _ = jsonl::read(&mut &bytes[..]);
    }

    #[test]
    fn no_broken_json_lines_make_the_reader_panic(bytes in mutated(VALID)) {
        if let Ok(history) = History::read(&bytes[..]) {
            let mut written = Vec::new();
            jsonl::write(&history, &mut written).expect("memory does not fail");
            let again = History::read(&written[..]).expect("what was written can be read");
            prop_assert_eq!(all(&again), all(&history));
        }
    }

    #[test]
    fn no_broken_edn_makes_the_reader_panic(bytes in mutated(VALID_EDN)) {
        let _ = History::read(&bytes[..]);
    }
}

#[test]
fn every_operation_and_lists_are_written_and_read_back() {
    let text = r#"{"client":1,"op":"txn","key":null,"value":[["r","x"],["w","y",[1,null,"é"]]],"output":[[1]],"call":1,"return":2}
{"client":1,"op":"add","key":"s","value":1,"call":3,"return":4}
{"client":1,"op":"add","key":"s","value":1,"ok":false,"call":5,"return":6}
{"client":1,"op":"add","key":"s","value":1,"output":7,"call":7,"return":8}
{"client":1,"op":"pop-min","key":"p","output":null,"call":9,"return":10}
{"client":1,"op":"transition","key":"o","from":null,"to":"placed","ok":true,"call":11,"return":12}
{"client":1,"op":"acquire","key":"l","call":13,"return":null}
"#;
    let history = read(text).expect("valid");
    let expected = [
        r#"txn [["r", "x"], ["w", "y", [1, null, "é"]]] -> [[1]]"#,
        r#"add "s" 1"#,
        r#"add "s" 1: refused"#,
        r#"add "s" 1 -> 7"#,
        r#"pop-min "p" -> null"#,
        r#"transition "o" null -> "placed": ok"#,
        r#"acquire "l" (outcome unknown)"#,
    ];
    assert_eq!(described(&history), expected);
    let mut written = Vec::new();
    jsonl::write(&history, &mut written).expect("memory does not fail");
    assert_eq!(String::from_utf8(written).expect("text"), text);
    let nested = format!("{}1{}", "[".repeat(9), "]".repeat(9));
    let said = refused(&text.replace("[[1]]", &nested));
    assert!(
        said.contains("line 1") && said.contains("nested deeper than 8"),
        "{said}"
    );
    let said = refused(&text.replace("\"ok\":false", "\"ok\":false,\"output\":1"));
    assert!(said.contains("line 3") && said.contains("not both"), "{said}");
}

#[test]
fn a_log_as_porcupine_keeps_it_is_read() {
    let text = "INFO  jepsen.util - 0\t:invoke\t:write\t2\n\
                INFO  jepsen.util - 1\t:invoke\t:read\tnil\n\
                INFO  jepsen.util - 1\t:ok\t:read\tnil\n\
                INFO  jepsen.core - nothing of an operation\n\
                INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n\
                INFO  jepsen.util - 2\t:invoke\t:cas\t[2 4]\n\
                INFO  jepsen.util - 2\t:fail\t:cas\t[2 4]\n\
                INFO  jepsen.util - 0\t:info\t:write\t:timed-out\n\
                INFO  jepsen.util - 3\t:invoke\t:read\tnil\n\
                INFO  jepsen.util - 3\t:fail\t:read\t:timed-out\n\
                INFO  jepsen.util - 4\t:invoke\t:cas\t[2 4]\n\
                INFO  jepsen.util - 4\t:fail\t:cas\t:timed-out\n";
    let expected = ["write 2 (outcome unknown)", "read -> null", "cas 2 -> 4: refused"];
    assert_eq!(described(&read(text).expect("valid")), expected);
    let said = refused(&text.replacen("0\t:invoke\t:write", "1\t:invoke\t:write", 1));
    assert!(
        said.contains("line 2, column 21") && said.contains("in flight"),
        "{said}"
    );
}

#[test]
fn what_the_nemesis_did_is_kept_from_start_to_stop() {
    let line =
        |process: &str, kind: &str, f: &str| format!("{{:process {process} :type :{kind} :f :{f} :value nil}}\n");
    let nemesis = |f: &str| line(":nemesis", "info", f);
    let read = line("0", "invoke", "read");
    let text = nemesis("start-partition") + &nemesis("start-partition") + &read + &nemesis("bump") + &nemesis("bump");
    let text =
        text + &nemesis("start-kill") + &nemesis("stop-partition") + &nemesis("stop-partition") + &nemesis("stop");
    let history = History::read(text.as_bytes()).expect("valid");
    let told: Vec<String> = history.disturbances().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "start-partition [1, 8]",
            "bump [4, 5]",
            "start-kill [6, …",
            "stop [9, 9]"
        ]
    );
    assert_eq!(history.operations().len(), 1);
    let log = "INFO  a - 0\t:invoke\t:read\tnil\nINFO  a - :nemesis\t:info\t:start\tnil\n";
    let history = History::read(log.as_bytes()).expect("valid");
    assert_eq!(history.disturbances()[0].to_string(), "start [2, …");
}

#[test]
fn jepsen_events_carry_other_operations_keys_and_transactions() {
    let text = "{:process 0 :type :invoke :f :enqueue :value :a}
{:process 0 :type :ok :f :enqueue :value :a}
{:process 0 :type :invoke :f :dequeue :value nil}
{:process 0 :type :ok :f :dequeue :value :a}
{:process 1 :type :invoke :f :get :key \"x\" :value nil}
{:process 1 :type :ok :f :get :key \"x\" :value [1 [2]]}
{:process 1 :type :invoke :f :txn :value [[:r 3 nil] [:w 4 1]]}
{:process 1 :type :ok :f :txn :value [[:r 3 7] [:w 4 1]]}
{:process 2 :type :invoke :f :contains :value 1}
{:process 2 :type :ok :f :contains :value false}
";
    let expected = [
        "enqueue \"a\"",
        "dequeue -> \"a\"",
        "read \"x\" -> [1, [2]]",
        "txn [[\"r\", 3], [\"w\", 4, 1]] -> [7]",
        "contains 1: no",
    ];
    assert_eq!(described(&read(text).expect("valid")), expected);
    let said = refused(&text.replace("[:r 3 nil]", "[:frob 3 nil]"));
    assert!(said.contains("line 7") && said.contains("[:r key value]"), "{said}");
}

/// Events of one client, one after another, in so many pieces that lines, forms, comments and characters are cut.
fn long_edn(events: usize, padding: usize) -> String {
    let mut text = format!(";{}\n[", "ü".repeat(padding));
    for event in 0..events {
        let (kind, value) = if event % 2 == 0 {
            ("invoke", "nil")
        } else {
            ("ok", "\"ünï\"")
        };
        text += &format!("{{:process 0, :type :{kind}, :f :read, :value {value}}} #_{{:no [event]}} ; ü\n");
    }
    text
}

#[test]
fn edn_is_read_piece_by_piece() {
    for padding in [0, 1, 7, 100, 300_000] {
        let text = long_edn(20_000, padding) + "]";
        let history = read(&text).expect("valid");
        assert_eq!(history.operations().len(), 10_000);
        let is_right = |operation: &Operation| {
            let answer = operation
                .output
                .map(|output| output.map(|atom| OwnedValue::from(history.value(atom))));
            answer == Some(Output::Value(OwnedValue::Text("ünï".to_owned())))
        };
        assert!(history.operations().all(|operation| is_right(&operation)));
        assert_eq!(
            history.operations().last().map(|operation| operation.call),
            Some(19_999)
        );
    }
}

#[test]
fn what_is_wrong_far_behind_in_edn_is_said_with_its_place() {
    let valid = long_edn(20_000, 5);
    let place = |what: &str| {
        let at = valid.len() + what.len();
        format!("at line 20002, column {} (byte {at})", what.len() + 1)
    };
    for (before, wrong, said) in [
        ("", "{:process 0}", "`:type` is missing"),
        ("", "{:process 0, :type :ok, :f :read}", "did not invoke"),
        ("  , ", ")", "closes nothing"),
        ("{:process \"", "\\q\"}", "is no escape"),
        ("]", " x", "something follows"),
        ("{:process 0, :type :inv", "", "ends in the middle of"),
        ("", "", "ends in the middle of the vector of events"),
    ] {
        let said_there = refused(&(valid.clone() + before + wrong));
        let space = wrong.len() - wrong.trim_start().len();
        let place = place(&(before.to_owned() + &" ".repeat(space)));
        assert!(
            said_there.contains(&place) && said_there.contains(said),
            "{said_there} lacks {place} {said}"
        );
    }
    let mut bytes = valid.into_bytes();
    let end_of_line = |from: usize| from + bytes[from..].iter().take_while(|&&byte| byte != b'\n').count();
    let at = end_of_line(900_000);
    bytes[at] = 0xff;
    let line = bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    let said = History::read(&bytes[..]).expect_err("not text").to_string();
    let place = format!("at line {line}, column ");
    let found = format!("(byte {at}): byte 0xff is not UTF-8");
    assert!(said.contains(&place) && said.contains(&found), "{said}");
}

#[test]
fn an_endless_form_is_refused_before_it_is_read() {
    let endless = std::io::BufReader::new(std::io::Read::chain(&b"[{:process \""[..], std::io::repeat(b'x')));
    let said = History::read(endless).expect_err("endless").to_string();
    assert!(said.contains("a form of an EDN file holds at most 16 MiB"), "{said}");
    let endless = std::io::BufReader::new(std::io::Read::chain(&b"INFO - "[..], std::io::repeat(b'x')));
    let said = History::read(endless).expect_err("endless").to_string();
    assert!(said.contains("line 1 is longer than 16777216 bytes"), "{said}");
}
