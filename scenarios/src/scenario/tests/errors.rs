//! The wording of every class of mistake, character by character: what is wrong, where, and what to write
//! instead. Here the mistakes in one key or value; those of faults, of values together and of overrides are in
//! `contradictions.rs`.

use super::overridden;

/// Every file here starts with this, so that the line under test is the third or a later one.
pub(super) const HEAD: &str = "schema = \"squall-scenario/1\"\nname = \"mine\"\n";

/// An expected text that ends with " …" is the beginning: a list that grows with the format goes on there.
#[track_caller]
pub(super) fn refused(text: &str, overrides: &[(&str, &str)], expected: &str) {
    let error = overridden(text, overrides)
        .expect_err("the scenario has a mistake")
        .to_string();
    let expected = expected.trim_matches('\n');
    match expected.strip_suffix('…') {
        Some(beginning) if error.starts_with(beginning) => {}
        _ => assert_eq!(error, expected),
    }
}

/// Refused after [`HEAD`].
#[track_caller]
pub(super) fn says(body: &str, expected: &str) {
    refused(&format!("{HEAD}{body}"), &[], expected);
}

#[test]
fn text_that_is_not_toml() {
    says(
        "[cluster]\nheartbeat = 50ms\n",
        r#"
mine.toml:4:13: this is not TOML: a text must stand in double quotes
  |
4 | heartbeat = 50ms
  |             ^^^^
  = write `key = value` with texts in double quotes, and sections as [network] or [[fault]]
"#,
    );
    says(
        "[cluster]\nnodes =\n",
        r#"
mine.toml:4:8: this is not TOML: there is no value here
  |
4 | nodes =
  |        ^
  = write `key = value` with texts in double quotes, and sections as [network] or [[fault]]
"#,
    );
    says(
        "[cluster\nnodes = 3\n",
        r#"
mine.toml:3:9: this is not TOML: unclosed table, expected `]`
  |
3 | [cluster
  |         ^
  = write `key = value` with texts in double quotes, and sections as [network] or [[fault]]
"#,
    );
    refused(
        "\0\u{1b}[31m",
        &[],
        r#"
mine.toml:1:3: this is not TOML: key with no value, expected `=`
  |
1 |   [31m
  |   ^
  = write `key = value` with texts in double quotes, and sections as [network] or [[fault]]
"#,
    );
}

#[test]
fn a_key_or_section_that_is_given_twice() {
    says(
        "[cluster]\nnodes = 3\nnodes = 5\n",
        r#"
mine.toml:5:1: `nodes` is given twice
  |
5 | nodes = 5
  | ^^^^^
  = keep one of the two
"#,
    );
    says(
        "[disk]\n[disk]\n",
        r#"
mine.toml:4:2: `disk` is given twice
  |
4 | [disk]
  |  ^^^^
  = keep one of the two
"#,
    );
}

#[test]
fn a_text_beyond_all_bounds() {
    refused(
        &"#".repeat(super::super::MAX_TEXT + 1),
        &[],
        r#"
mine.toml: the scenario is 262145 bytes long
  = keep it to 262144 bytes at most
"#,
    );
}

#[test]
fn a_schema_of_another_version_before_anything_else() {
    refused(
        "schema = \"squall-scenario/2\"\nfuture = 1\n",
        &[],
        r#"
mine.toml:1:10: the schema "squall-scenario/2" is not supported
  |
1 | schema = "squall-scenario/2"
  |          ^^^^^^^^^^^^^^^^^^^
  = write schema = "squall-scenario/1", or use the version of squall that the file was written for
"#,
    );
    refused(
        "name = \"mine\"\n",
        &[],
        r#"
mine.toml: the top of the file lacks `schema`
  = add schema = "squall-scenario/1" as the first line
"#,
    );
}

#[test]
fn a_name_that_is_not_in_kebab_case() {
    refused(
        "schema = \"squall-scenario/1\"\nname = \"My Scenario\"\n",
        &[],
        r#"
mine.toml:2:8: "My Scenario" cannot be the name of a scenario
  |
2 | name = "My Scenario"
  |        ^^^^^^^^^^^^^
  = write lower-case letters and digits joined by single hyphens, a letter first, at most 64 in all, such as "leader-isolation"
"#,
    );
    refused(
        "schema = \"squall-scenario/1\"\n",
        &[],
        r#"
mine.toml: the top of the file lacks `name`
  = add name = "my-scenario" near the top
"#,
    );
}

#[test]
fn a_value_of_the_wrong_type() {
    says(
        "[cluster]\nheartbeat = 50\n",
        r#"
mine.toml:4:13: `cluster.heartbeat` must be a duration in double quotes, not the integer 50
  |
4 | heartbeat = 50
  |             ^^
  = write, for example, "150ms"
"#,
    );
    says(
        "[cluster]\nnodes = 2.5\n",
        r#"
mine.toml:4:9: `cluster.nodes` must be a whole number, not the decimal number 2.5
  |
4 | nodes = 2.5
  |         ^^^
  = write, for example, 3
"#,
    );
    says(
        "[cluster]\npre_vote = 1\n",
        r#"
mine.toml:4:12: `cluster.pre_vote` must be a flag, not the integer 1
  |
4 | pre_vote = 1
  |            ^
  = write, for example, true
"#,
    );
    says(
        "[network]\nlatency = [5]\n",
        r#"
mine.toml:4:12: `network.latency` must be a range of durations in double quotes, not the integer 5
  |
4 | latency = [5]
  |            ^
  = write, for example, "1ms..10ms"
"#,
    );
    says(
        "cluster = 5\n",
        r#"
mine.toml:3:11: `cluster` must be a section, not the integer 5
  |
3 | cluster = 5
  |           ^
  = write, for example, [cluster] on a line of its own, above its keys
"#,
    );
    says(
        "[fault]\nkind = \"crash\"\n",
        r#"
mine.toml:3:1: `fault` must be a list of sections, not a table
  |
3 | [fault]
  | ^^^^^^^
  = write, for example, [[fault]] above the keys of each
"#,
    );
    says(
        "[expect]\nfired = \"crash\"\n",
        r#"
mine.toml:4:9: `expect.fired` must be a list of texts, not the text "crash"
  |
4 | fired = "crash"
  |         ^^^^^^^
  = write, for example, ["crash"]
"#,
    );
}

#[test]
fn an_unknown_key_with_the_nearest_one() {
    says(
        "[network]\nlattency = \"1ms\"\n",
        r#"
mine.toml:4:1: [network] has no key `lattency`
  |
4 | lattency = "1ms"
  | ^^^^^^^^
  = did you mean `latency`? the keys here are latency, tail, tail_max, loss, duplicate, duplicate_delay, reorder, reorder_delay, client_latency, …
"#,
    );
    says(
        "[disc]\nsync = \"1ms\"\n",
        r#"
mine.toml:3:2: the top of the file has no key `disc`
  |
3 | [disc]
  |  ^^^^
  = did you mean `disk`? the keys here are schema, name, about, system, cluster, time, network, disk, budget, clock, workload, operator, fault, recovery, expect, swarm
"#,
    );
    says(
        "[network]\nthroughput = \"1MiB\"\n",
        r#"
mine.toml:4:1: [network] has no key `throughput`
  |
4 | throughput = "1MiB"
  | ^^^^^^^^^^
  = the keys here are latency, tail, tail_max, loss, duplicate, duplicate_delay, reorder, reorder_delay, client_latency, …
"#,
    );
    says(
        "[disk]\nzone = 1\narea = 2\n",
        r#"
mine.toml:4:1: [disk] has no key `zone`
  |
4 | zone = 1
  | ^^^^
  = the keys here are sync, slow, slow_max, lost, torn, reorder, error, rot_age, distrust
"#,
    );
    says(
        "[workload]\nmix = { raed = 1 }\n",
        r#"
mine.toml:4:9: `workload.mix` has no key `raed`
  |
4 | mix = { raed = 1 }
  |         ^^^^
  = did you mean `read`? the keys here are read, write, cas, append
"#,
    );
}

#[test]
fn a_quantity_without_its_unit_or_with_another_ones() {
    says(
        "[network]\nlatency = \"1ms..10\"\n",
        r#"
mine.toml:4:11: `network.latency`: "10" has no unit
  |
4 | latency = "1ms..10"
  |           ^^^^^^^^^
  = write a range of durations such as "1ms..10ms" or one duration; the units are ns, us, ms, s, m, h
"#,
    );
    says(
        "[network]\nloss = \"1ms\"\n",
        r#"
mine.toml:4:8: `network.loss`: "ms" is not a unit of a ratio
  |
4 | loss = "1ms"
  |        ^^^^^
  = write a ratio such as "0.5%"; the units are ppm, %
"#,
    );
    says(
        "[cluster]\nmax_bytes_per_append = \"64kb\"\n",
        r#"
mine.toml:4:24: `cluster.max_bytes_per_append`: "kb" is not a unit of a size
  |
4 | max_bytes_per_append = "64kb"
  |                        ^^^^^^
  = did you mean `KiB`? write a size such as "64KiB"; the units are B, KiB, MiB
"#,
    );
    says(
        "[clock]\ndrift = \"0.5ppm\"\n",
        r#"
mine.toml:4:9: `clock.drift`: "0.5ppm" is finer than 1ppm, the finest ratio there is
  |
4 | drift = "0.5ppm"
  |         ^^^^^^^^
  = write a ratio such as "0.5%"; the units are ppm, %
"#,
    );
    says(
        "[cluster]\nheartbeat = \"30ms..50ms\"\n",
        r#"
mine.toml:4:13: `cluster.heartbeat` is one duration, and "30ms..50ms" is a range
  |
4 | heartbeat = "30ms..50ms"
  |             ^^^^^^^^^^^^
  = write one value, such as "150ms"
"#,
    );
}

#[test]
fn a_value_out_of_bounds() {
    says(
        "[cluster]\nnodes = [3, 9]\n",
        r#"
mine.toml:4:13: `cluster.nodes` is 9, outside 1 to 7
  |
4 | nodes = [3, 9]
  |             ^
  = write a value from 1 to 7, both included
"#,
    );
    says(
        "[cluster]\nnodes = 99999999999999999999\n",
        r#"
mine.toml:4:9: `cluster.nodes` is 99999999999999999999, outside 1 to 7
  |
4 | nodes = 99999999999999999999
  |         ^^^^^^^^^^^^^^^^^^^^
  = write a value from 1 to 7, both included
"#,
    );
    says(
        "[network]\nloss = \"120%\"\n",
        r#"
mine.toml:4:8: `network.loss` is 120%, outside 0% to 100%
  |
4 | loss = "120%"
  |        ^^^^^^
  = write a value from 0% to 100%, both included
"#,
    );
    says(
        "[time]\nchaos = \"2h\"\n",
        r#"
mine.toml:4:9: `time.chaos` is 2h, outside 100ms to 1h
  |
4 | chaos = "2h"
  |         ^^^^
  = write a value from 100ms to 1h, both included
"#,
    );
}

#[test]
fn a_range_that_runs_backwards() {
    says(
        "[network]\nlatency = \"10ms..1ms\"\n",
        r#"
mine.toml:4:11: `network.latency` runs backwards: 10ms is more than 1ms
  |
4 | latency = "10ms..1ms"
  |           ^^^^^^^^^^^
  = write "1ms..10ms"
"#,
    );
}

#[test]
fn a_list_of_choices_that_is_empty_or_endless() {
    says(
        "[cluster]\nnodes = []\n",
        r#"
mine.toml:4:9: `cluster.nodes` is an empty list
  |
4 | nodes = []
  |         ^^
  = list at least one value to draw from
"#,
    );
    says(
        &format!("[cluster]\nnodes = [{}]\n", "1, ".repeat(33)),
        r#"
mine.toml:4:9: `cluster.nodes` lists 33 values
  |
4 | nodes = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ]
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = list at most 32
"#,
    );
}

#[test]
fn an_unknown_word_with_the_nearest_one() {
    says(
        "[[fault]]\nkind = \"crsh\"\n",
        r#"
mine.toml:4:8: `fault.0.kind` cannot be "crsh"
  |
4 | kind = "crsh"
  |        ^^^^^^
  = did you mean `crash`? possible are partition, cut-clients, cut-links, isolate, one-way, …
"#,
    );
    says(
        "[[fault]]\nkind = \"crash\"\nevery = \"1s\"\nfor = \"1s\"\ntarget = \"leadr\"\n",
        r#"
mine.toml:7:10: `fault.0.target` cannot be "leadr"
  |
7 | target = "leadr"
  |          ^^^^^^^
  = did you mean `leader`? possible are leader, backup, any, observed, n0, n1, ... for one node
"#,
    );
    says(
        "[expect]\nproperties = [\"linearisable\"]\n",
        r#"
mine.toml:4:15: `expect.properties` cannot be "linearisable"
  |
4 | properties = ["linearisable"]
  |               ^^^^^^^^^^^^^^
  = did you mean `linearizable`? possible are election-safety, log-matching, linearizable
"#,
    );
    says(
        "[expect]\nverdict = \"fail\"\n",
        r#"
mine.toml:4:11: `expect.verdict` cannot be "fail"
  |
4 | verdict = "fail"
  |           ^^^^^^
  = possible are pass, safety-violation, liveness-violation, inconclusive
"#,
    );
    says(
        "[expect]\nfired = [\"crash\", \"crash\"]\n",
        r#"
mine.toml:4:19: `expect.fired` lists "crash" twice
  |
4 | fired = ["crash", "crash"]
  |                   ^^^^^^^
  = name each one once
"#,
    );
}
