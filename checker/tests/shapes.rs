//! Histories as other tools write them: what is read, as what, and what is said of what is not.

use checker::history::{Format, History, Keys};
use checker::linearizability::{Options, check_history};

fn read(text: &str) -> (History, Format) {
    History::read_with(text.as_bytes(), Keys::Auto).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn refused(text: &str) -> String {
    History::read(text.as_bytes())
        .map(|history| described(&history).join("; "))
        .expect_err("it is refused")
        .to_string()
}

fn described(history: &History) -> Vec<String> {
    history.ids().map(|id| history.describe(id)).collect()
}

fn is_linearizable(text: &str, model: &str) -> bool {
    let (history, _) = read(text);
    let report = check_history(&history, model, &Options::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    report.is_linearizable()
}

#[test]
fn fields_that_nobody_looks_at_are_passed_over_and_counted() {
    let lines = r#"{"client":1,"op":"write","key":"r","value":1,"call":4,"return":8,"node":"n1"}
{"node":"n2","latency":{"p50":1.5,"all":[1e3,"\u00e9"]},"client":2,"op":"read","key":"r","output":1,"call":9,"return":10,"tags":[true,null]}
"#;
    let (history, format) = read(lines);
    assert_eq!(format, Format::JsonLines);
    assert_eq!(described(&history), [r#"write "r" 1"#, r#"read "r" -> 1"#]);
    let import = history.import();
    assert_eq!(import.passed_fields, 4);
    let names: Vec<(&str, usize)> = import
        .passed_names
        .iter()
        .map(|(name, count)| (&**name, *count))
        .collect();
    assert_eq!(names, [("latency", 1), ("node", 2), ("tags", 1)]);
    let (history, _) = read("{:process 0, :type :invoke, :f :read, :node \"n1\", :index 3, :time 8, :value nil}");
    assert_eq!(history.import().passed_fields, 1);
}

#[test]
fn json_stands_in_an_array_or_over_several_lines() {
    let one = r#"{"client":1,"op":"write","key":"r","value":"],}","call":4,"return":8}"#;
    let other = r#"{"client":2,"op":"read","key":"r","output":"],}","call":9,"return":10}"#;
    let spread = one.replace(",\"", ",\n  \"");
    for text in [
        format!("[{one},{other}]"),
        format!("\u{feff} [\n  {one} ,\n  {other}\n]\n"),
        format!("[{spread},\n{other}]"),
        format!("{spread}\n{other}\n"),
    ] {
        let (history, format) = read(&text);
        assert_eq!(format, Format::JsonArray, "{text}");
        assert_eq!(described(&history), [r#"write "r" "],}""#, r#"read "r" -> "],}""#]);
    }
    for (text, parts) in [
        (format!("[{one},"), ["line 1", "ends in the middle of the array"]),
        (
            format!("[{one},\n  7]"),
            ["line 2, column 3 (byte 74)", "an object is expected here"],
        ),
        (format!("[{one}] {other}"), ["line 1", "follows the end of the array"]),
        (
            format!("[{one},\n  {}]", other.replace("\"read\"", "\"raed\"")),
            ["line 2, column 21", "did you mean `read`?"],
        ),
    ] {
        let said = refused(&text);
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
}

#[test]
fn events_are_written_as_json_too() {
    let events = [
        r#"{"type":"invoke","process":"worker-7","f":"write","value":3,"time":12,"error":null}"#,
        r#"{"type":"info","process":"nemesis","f":"kill","value":["n1"]}"#,
        r#"{"type":"ok","process":"worker-7","f":"write","value":3}"#,
        r#"{"type":":invoke","process":2,"f":":read","value":null}"#,
        r#"{"type":":ok","process":2,"f":":read","value":3}"#,
        r#"{"type":"invoke","process":"c","f":"cas","value":[3,4]}"#,
        r#"{"type":"fail","process":"c","f":"cas","value":[3,4]}"#,
    ];
    for text in [events.join("\n"), format!("[{}]", events.join(",\n"))] {
        let (history, format) = read(&text);
        assert_eq!(format, Format::JsonEvents);
        assert_eq!(described(&history), ["write 3", "read -> 3"]);
        let clients: Vec<u32> = history.operations().map(|operation| operation.client).collect();
        assert_eq!(clients, [7, 2]);
        assert_eq!((history.import().nemesis_events, history.import().failed.len()), (1, 1));
    }
    let said = refused(&events[0].replace("write", "wriet"));
    assert!(
        said.contains("line 1, column 43") && said.contains("did you mean :write?"),
        "{said}"
    );
}

#[test]
fn edn_is_read_as_clojure_prints_it() {
    let event = |kind: &str, more: &str| {
        format!("#jepsen.history.Op{{:index 0, :time 1.5e3, :type :{kind}, :process 0, :f :write, :value 3{more}}}\n")
    };
    for more in [
        "",
        ", :latency ##Inf, :ratio 22/7, :big 123456789012345678901234567890N, :x 1.5M",
        r#", :error #error{:cause "x", :via [{:type java.lang.Exception, :at [a.b$c "f.clj" 7]}]}"#,
        r#", :re #"\d+\"[a-z]{2}", :var #'jepsen.core/run!, :char \newline, :bracket \], :quote \""#,
        r#", :at #inst "2025-01-01T00:00:00.000-00:00", :ns #:jepsen{:a 1}, :meta ^{:line 3} [1], :fn #object[a.b 0x1f "a"]"#,
        r#", :text "\b\f\uD83D\uDE00\0\u00e9", :set #{1 #{2}}, :sym foo/bar, nil nil, 7 8, "s" true"#,
    ] {
        let text = event("invoke", more) + &event("ok", more);
        let (history, _) = read(&text);
        assert_eq!(described(&history), ["write 3"], "{text}");
        assert_eq!(described(&read(&format!("[{text}]")).0), ["write 3"]);
        assert_eq!(described(&read(&format!("({text})")).0), ["write 3"]);
    }
    let text = r#"{:process 0, :type :invoke, :f :write, :value "\uD83D\uDE00\b\101"}"#;
    assert_eq!(
        described(&read(text).0),
        [format!("write {:?} (outcome unknown)", "\u{1f600}\u{8}A")]
    );
}

#[test]
fn values_without_a_type_are_what_they_are_written_as() {
    let of = |value: &str| {
        format!(
            "{{:process 0, :type :invoke, :f :write, :value {value}}}\n{{:process 0, :type :ok, :f :write, :value {value}}}\n\
             {{:process 1, :type :invoke, :f :read, :value nil}}\n{{:process 1, :type :ok, :f :read, :value {value}}}\n"
        )
    };
    for value in ["1.5", "22/7", "123456789012345678901234567890", "\\a", "true", "##NaN"] {
        assert!(is_linearizable(&of(value), "register"), "{value}");
    }
    let other = of("1.5").replace(":read, :value 1.5", ":read, :value 1.25");
    assert!(!is_linearizable(&other, "register"));
}

#[test]
fn transactions_append_and_may_go_without_a_function() {
    let text = "{:process 0, :type :invoke, :value [[:append :x 1] [:get :y nil]]}
{:process 0, :type :ok, :value [[:append :x 1] [:get :y []]]}
{:process 1, :type :invoke, :f :txn, :value [[:r :x nil] [:put :z 5] [:r :z nil]]}
{:process 1, :type :ok, :f :txn, :value [[:r :x [1]] [:put :z 5] [:r :z 5]]}
";
    assert!(is_linearizable(text, "transactions"));
    assert!(!is_linearizable(
        &text.replace("[:r :x [1]]", "[:r :x []]"),
        "transactions"
    ));
    assert!(!is_linearizable(
        &text.replace("[:r :z 5]", "[:r :z nil]"),
        "transactions"
    ));
    let said = refused(&text.replace("[:put :z 5]", "[:pot :z 5]"));
    assert!(said.contains("line 3, column 59"), "{said}");
}

#[test]
fn a_queue_is_drained_element_by_element() {
    let events = |taken: &str| {
        format!(
            "{{:process 0, :type :invoke, :f :enqueue, :value 1}}\n{{:process 0, :type :ok, :f :enqueue, :value 1}}\n\
             {{:process 0, :type :invoke, :f :enqueue, :value 2}}\n{{:process 0, :type :ok, :f :enqueue, :value 2}}\n\
             {{:process 1, :type :invoke, :f :drain, :value nil}}\n{{:process 1, :type :ok, :f :drain, :value {taken}}}\n"
        )
    };
    assert!(is_linearizable(&events("[1 2]"), "queue"));
    assert!(is_linearizable(&events("[]"), "queue"));
    assert!(!is_linearizable(&events("[1 1]"), "queue"));
    let lost = events("[1 2]").replace(":ok, :f :drain", ":info, :f :drain");
    assert!(refused(&lost).contains("drain of unknown outcome"));
}
