use super::*;
use crate::timeline::tests::{STALE, traced, written};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::io::Read as _;

/// What stands between two texts, the first time.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before}"));
    rest.split_once(after)
        .unwrap_or_else(|| panic!("no {after} behind {before}"))
        .0
}

/// The data of a page, read as the page reads it.
fn data(html: &str) -> Value {
    let base64: String = serde_json::from_str(between(html, r#"id="data">"#, "</script>")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&STANDARD.decode(base64).unwrap()[..])
        .read_to_string(&mut text)
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

fn head(html: &str) -> Value {
    serde_json::from_str(between(html, r#"id="head">"#, "</script>")).unwrap()
}

#[test]
fn a_page_has_every_event_and_columns_of_one_length() {
    let (trace, _) = traced("storm", 1, None);
    let page = page(&trace, SIZE_MAX);
    assert_eq!((page.events, page.shown), (trace.events.len(), trace.events.len()));
    assert!(page.html.len() < SIZE_MAX);
    let data = data(&page.html);
    for column in ["seq", "t", "lane", "peer", "kind", "sort", "cause", "detail"] {
        assert_eq!(
            data["events"][column].as_array().unwrap().len(),
            trace.events.len(),
            "{column}"
        );
    }
    let sum = |column: &str| {
        data["events"][column]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_i64().unwrap())
            .sum::<i64>()
    };
    let last = trace.events.last().unwrap();
    assert_eq!((sum("seq"), sum("t")), (last.seq as i64, last.t as i64));
    assert_eq!(data["lives"].as_array().unwrap().len(), usize::from(trace.header.nodes));
    assert_eq!(head(&page.html)["verdict"], "PASS");
}

#[test]
fn a_page_asks_nobody_for_anything_and_runs_its_own_script_alone() {
    let (trace, _) = traced("calm", 1, None);
    let html = page(&trace, SIZE_MAX).html;
    for reference in [
        "http:",
        "https:",
        " src=",
        "@import",
        "url(",
        "eval(",
        "innerHTML",
        "fetch(",
        "XMLHttpRequest",
        "onclick=",
    ] {
        assert!(!html.contains(reference), "{reference}");
    }
    let policy = between(&html, "Content-Security-Policy\" content=\"", "\"");
    let script = between(&html, "\n<script>", "</script>");
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains(&format!("script-src {};", hash(script))), "{policy}");
    assert!(
        policy.contains(&format!("style-src {};", hash(between(&html, "<style>", "</style>")))),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[test]
fn a_hostile_trace_stays_text() {
    const EVIL: &str = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u{2028}{{data}}'\"&";
    let mut trace = written(&STALE, EVIL);
    trace.header.scenario = EVIL.to_owned();
    trace.header.seed = EVIL.to_owned();
    trace.header.tool = EVIL.to_owned();
    trace.footer.digest = EVIL.to_owned();
    trace.footer.counts.insert(EVIL.to_owned(), 1);
    trace.header.run = Some(serde_json::json!({ "name": EVIL, "toml": EVIL, "bug": EVIL, "set": [[EVIL, EVIL]] }));
    for event in &mut trace.events {
        event.kind = format!("{}{EVIL}", event.kind).into();
        event.fields.insert(EVIL.to_owned(), EVIL.into());
        event.fields.insert("type".to_owned(), EVIL.into());
    }
    trace.events[5].kind = "violation".into();
    trace.events[5].fields.insert("message".to_owned(), EVIL.into());
    let html = page(&trace, SIZE_MAX).html;
    assert_eq!(html.matches("<script").count(), 3);
    assert_eq!(html.matches("</script").count(), 3);
    assert!(
        !html.contains("<img") && !html.contains("<!--"),
        "no markup of the trace's"
    );
    let escaped = EVIL.replace('\u{2028}', "\\u{2028}");
    assert_eq!(head(&html)["message"], escaped, "and nothing of it is lost");
    assert_eq!(head(&html)["scenario"], escaped);
    let data = data(&html);
    assert!(data["events"]["names"].as_array().unwrap().contains(&EVIL.into()));
    assert!(data["events"]["detail"][0].as_str().unwrap().contains("onerror"));
}

/// Events that do not compress, with a few that matter among them.
fn noisy(count: u64) -> Trace {
    let mut state = 1_u64;
    let mut lines = Vec::new();
    for seq in 1..=count {
        let mut noise = String::new();
        for _ in 0..6 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            noise.push_str(&format!("{:08x}", state >> 32));
        }
        let what = match seq {
            _ if seq == count => format!(
                r#""kind":"violation","property":"broken","rule":"here","message":"broken","event":{},"at":{},"nodes":[],"entries":[],"operations":[]"#,
                seq - 1,
                (seq - 1) * 1_000
            ),
            _ if seq % 1_000 == 0 => format!(r#""kind":"role","role":"leader","term":{seq}"#),
            _ => format!(r#""kind":"note","noise":"{noise}""#),
        };
        lines.push(format!(
            r#"{{"seq":{seq},"t":{},"node":{},"cause":1,{what}}}"#,
            seq * 1_000,
            seq % 2
        ));
    }
    written(&lines.iter().map(String::as_str).collect::<Vec<_>>(), "broken/here")
}

#[test]
fn a_page_is_never_larger_than_it_may_be_and_says_what_it_leaves_out() {
    let trace = noisy(30_000);
    let whole = page(&trace, SIZE_MAX);
    assert!(
        whole.html.len() > 2 * SIZE_LEAST && whole.shown == 30_000,
        "{}",
        whole.html.len()
    );
    let page = page(&trace, SIZE_LEAST);
    assert!(page.html.len() <= SIZE_LEAST, "{}", page.html.len());
    assert!((1_000..30_000).contains(&page.shown), "{}", page.shown);
    let data = data(&page.html);
    assert_eq!(data["total"], 30_000);
    assert_eq!(head(&page.html)["shown"], page.shown);
    assert_eq!(data["focus"], page.shown - 1, "the violation is there");
    let kinds = data["events"]["kind"].as_array().unwrap();
    let names = data["events"]["names"].as_array().unwrap();
    let role = names.iter().position(|name| name == "role").unwrap();
    assert_eq!(
        kinds.iter().filter(|kind| **kind == role).count(),
        29,
        "what changed a node is there"
    );
}

#[test]
fn even_what_matters_is_left_out_when_it_is_too_much() {
    let mut trace = noisy(20_000);
    trace
        .events
        .iter_mut()
        .filter(|event| event.kind == "note")
        .for_each(|event| event.kind = "role".into());
    let page = page(&trace, SIZE_LEAST);
    assert!(
        page.html.len() <= SIZE_LEAST && page.shown > 100,
        "{} {}",
        page.html.len(),
        page.shown
    );
}

#[test]
fn an_empty_trace_has_a_page() {
    let page = page(&written(&[], "pass"), SIZE_MAX);
    assert_eq!((page.events, data(&page.html)["focus"].clone()), (0, Value::Null));
}

#[test]
fn two_traces_stand_on_one_page_from_where_they_part_on() {
    let (a, _) = traced("leader-isolation", 1, None);
    let mut b = a.clone();
    let at = 400;
    for event in &mut b.events[at..] {
        event.t += 1_000;
    }
    b.footer.verdict = "x/y".to_owned();
    let page = comparison(&a, &b, SIZE_MAX);
    assert_eq!((page.events, page.shown), (2 * a.events.len(), 2 * a.events.len()));
    assert!(page.html.len() <= SIZE_MAX);
    let (data, head) = (data(&page.html), head(&page.html));
    assert_eq!(data["nodes"], 6);
    let lanes: Vec<&str> = data["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lane| lane.as_str().unwrap())
        .collect();
    assert_eq!(lanes[..7], ["n0", "n1", "n2", "n0′", "n1′", "n2′", "c0"]);
    assert_eq!(head["compared"]["equal"], at);
    assert_eq!(data["compared"]["parts"], a.events[at].t);
    let column = |name: &str| -> Vec<i64> {
        let values = data["events"][name].as_array().unwrap().iter();
        values.map(|value| value.as_i64().unwrap()).collect()
    };
    let sides: Vec<i64> = data["compared"]["side"]
        .as_array()
        .unwrap()
        .iter()
        .map(|side| side.as_i64().unwrap())
        .collect();
    let (lane, cause, seq) = (column("lane"), column("cause"), column("seq"));
    let mut numbers = Vec::new();
    seq.iter().fold(0, |before, difference| {
        numbers.push(before + difference);
        before + difference
    });
    for (side, trace) in [(0, &a), (1, &b)] {
        let rows: Vec<usize> = (0..sides.len()).filter(|row| sides[*row] == side).collect();
        let shown: Vec<i64> = rows.iter().map(|row| numbers[*row]).collect();
        assert_eq!(
            shown,
            trace.events.iter().map(|event| event.seq as i64).collect::<Vec<_>>()
        );
        for (row, event) in rows.iter().zip(&trace.events) {
            let expected = event.node.map(|node| i64::from(node) + 3 * side);
            assert!(expected.is_none_or(|lane_of| lane[*row] == lane_of), "{event:?}");
            // A cause is of the same trace.
            let up = cause[*row] as usize;
            assert!(
                up == 0 || sides[row - up] == side && Some(numbers[row - up] as u64) == event.cause,
                "{event:?}"
            );
        }
    }
    let focus = data["focus"].as_u64().unwrap() as usize;
    assert_eq!((sides[focus], numbers[focus] as u64), (0, a.events[at].seq));
    assert_eq!(data["lives"].as_array().unwrap().len(), 6);
    let least = comparison(&a, &b, SIZE_LEAST);
    assert!(
        least.html.len() <= SIZE_LEAST && least.shown > 100,
        "{} {}",
        least.html.len(),
        least.shown
    );
    let same = comparison(&a, &a, SIZE_MAX);
    assert!(same.html.contains("\"differs\":false"));
}

#[test]
fn a_page_has_the_line_that_does_it_again_for_a_seed_and_for_a_capsule() {
    let mut trace = written(&[], "x/y");
    let replay = |trace: &Trace| head(&page(trace, SIZE_MAX).html)["replay"].clone();
    let run = |more: Value| {
        let mut run = serde_json::json!({"name": "storm", "toml": "", "set": [["a.b", "c d"]], "bug": "L2"});
        let more = more.as_object().unwrap().clone();
        run.as_object_mut().unwrap().extend(more);
        Some(run)
    };
    trace.header.run = run(serde_json::json!({}));
    assert_eq!(replay(&trace), "squall run storm --seed 0x1 --set 'a.b=c d' --bug L2");
    trace.header.run = run(serde_json::json!({"capsule": "{}", "file": "my small.capsule.json"}));
    assert_eq!(replay(&trace), "squall replay 'my small.capsule.json'");
    // Where it lies is not known: no line is better than a wrong one.
    trace.header.run = run(serde_json::json!({"capsule": "{}"}));
    assert_eq!(replay(&trace), Value::Null);
}

#[test]
fn what_an_event_says_of_time_is_in_seconds() {
    let body = [
        r#""kind":"timer","node":0,"local":1500000000"#,
        r#""kind":"clock","node":0,"by":-250000000"#,
        r#""kind":"violation","property":"broken","rule":"here","message":"broken","event":1,"at":461668878,"nodes":[0],"entries":[7],"operations":[]"#,
    ];
    let lines: Vec<String> = body
        .iter()
        .enumerate()
        .map(|(index, event)| format!("{{\"seq\":{0},\"t\":{0},{event}}}", index + 1))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let trace = written(&lines, "broken/here");
    let data = data(&page(&trace, SIZE_MAX).html);
    let details: Vec<Value> = data["events"]["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| serde_json::from_str(detail.as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(details[0]["local"], "1.500000000 s");
    assert_eq!(details[1]["by"], "-0.250000000 s");
    assert_eq!(
        (&details[2]["at"], &details[2]["entries"][0]),
        (&"0.461668878 s".into(), &7.into())
    );
}

#[test]
fn two_traces_of_which_one_is_cut_short_are_not_said_to_be_the_same_or_to_differ() {
    let (whole, _) = traced("calm", 1, None);
    let mut text = Vec::new();
    simulator::trace::format::write(&mut text, &whole.header, &whole.events[..200], &whole.footer).unwrap();
    let end = text.trim_ascii_end().iter().rposition(|byte| *byte == b'\n').unwrap();
    let mut reader = simulator::trace::format::Reader::new(&text[..end])
        .unwrap()
        .however_cut();
    let mut events = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        events.push(event);
    }
    let (header, footer) = reader.ends();
    let cut = Trace { header, events, footer };
    for (a, b) in [(&whole, &cut), (&cut, &whole), (&cut, &cut)] {
        let head = head(&comparison(a, b, SIZE_MAX).html);
        let compared = &head["compared"];
        assert_eq!(
            (&compared["equal"], &compared["differs"], &compared["open"]),
            (&200.into(), &false.into(), &true.into())
        );
    }
    let alone = head(&page(&cut, SIZE_MAX).html);
    assert_eq!(alone["verdict"], "CUT SHORT");
    assert!(alone["signature"].as_str().unwrap().contains("it ends after event 200"));
}
