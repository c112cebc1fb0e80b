//! The wording of mistakes in faults, of values that do not go together, and of overrides, character by character.

use super::errors::{HEAD, refused, says};

/// A fault without a mistake, for lines 3 to 6.
const FAULT: &str = "[[fault]]\nkind = \"crash\"\nevery = \"1s\"\nfor = \"1s\"\n";

#[test]
fn a_key_of_another_kind_of_fault() {
    says(
        &format!("{FAULT}drift = \"1%\"\n"),
        r#"
mine.toml:7:1: `drift` does not belong to a fault of kind "crash"
  |
7 | drift = "1%"
  | ^^^^^
  = it belongs to clock-drift; the keys of "crash" are kind, at, every, for, target, max_down
"#,
    );
    says(
        &format!("{FAULT}form = \"1s\"\n"),
        r#"
mine.toml:7:1: [[fault]] 0 has no key `form`
  |
7 | form = "1s"
  | ^^^^
  = did you mean `for`? the keys here are kind, at, every, for, target, max_down
"#,
    );
}

#[test]
fn a_fault_that_lacks_a_key() {
    says(
        "[[fault]]\nfor = \"1s\"\n",
        r#"
mine.toml:3:1: [[fault]] 0 lacks `kind`
  |
3 | [[fault]]
  | ^^^^^^^^^
  = add kind = "crash", or another kind of fault
"#,
    );
    says(
        "[[fault]]\nkind = \"pause\"\nfor = \"1s\"\n",
        r#"
mine.toml:3:1: [[fault]] 0 lacks `every`
  |
3 | [[fault]]
  | ^^^^^^^^^
  = add every = "2s..4s" to strike again and again, at = "3s" for once, or when = "leader-elected" for each time
"#,
    );
    says(
        "[[fault]]\nkind = \"pause\"\nevery = \"1s\"\n",
        r#"
mine.toml:3:1: [[fault]] 0 lacks `for`
  |
3 | [[fault]]
  | ^^^^^^^^^
  = add for = "500ms..2s", how long it lasts
"#,
    );
    says(
        "[[fault]]\nkind = \"clock-step\"\nevery = \"1s\"\n",
        r#"
mine.toml:3:1: [[fault]] 0 lacks `by`
  |
3 | [[fault]]
  | ^^^^^^^^^
  = add by = "-500ms..500ms", how far the clock jumps
"#,
    );
    says(
        "[[fault]]\nkind = \"clock-drift\"\nevery = \"1s\"\nfor = \"1s\"\n",
        r#"
mine.toml:3:1: [[fault]] 0 lacks `drift`
  |
3 | [[fault]]
  | ^^^^^^^^^
  = add drift = "500ppm", how far the clock's rate goes off
"#,
    );
}

#[test]
fn values_that_contradict_each_other() {
    says(
        "[cluster]\nheartbeat = \"200ms\"\n",
        r#"
mine.toml:4:13: `cluster.heartbeat` is 200ms, not below the shortest election timeout, 150ms
  |
4 | heartbeat = "200ms"
  |             ^^^^^^^
  = lower `heartbeat`, to a third of the shortest election timeout or less, or raise `election`
"#,
    );
    says(
        "[network]\nlatency = \"1ms..50ms\"\ntail_max = \"20ms\"\n",
        r#"
mine.toml:5:12: `network.tail_max` is 20ms, less than the largest `latency`, 50ms
  |
5 | tail_max = "20ms"
  |            ^^^^^^
  = raise `tail_max` or lower `latency`
"#,
    );
    says(
        "[disk]\nlost = \"60%\"\ntorn = \"50%\"\n",
        r#"
mine.toml:5:8: `disk.lost` (60%) and `disk.torn` (50%) add up to more than 100%
  |
5 | torn = "50%"
  |        ^^^^^
  = lower one of them: each unsynced write is lost, torn or kept
"#,
    );
    says(
        "[workload]\nmix = { read = 0 }\n",
        r#"
mine.toml:4:7: `workload.mix` leaves nothing to do
  |
4 | mix = { read = 0 }
  |       ^^^^^^^^^^^^
  = give at least one kind of operation a weight, such as { read = 1, write = 1 }
"#,
    );
    says(
        &format!("{FAULT}at = \"3s\"\n"),
        r#"
mine.toml:5:9: `fault.0.at` and `fault.0.every` are both given
  |
5 | every = "1s"
  |         ^^^^
  = keep `at` for a fault that strikes once, or `every` for one that strikes again and again
"#,
    );
    says(
        "[[fault]]\nkind = \"crash\"\nat = \"30s\"\nfor = \"1s\"\n",
        r#"
mine.toml:5:6: `fault.0.at` is 30s, when the faults are over: `time.chaos` is 20s
  |
5 | at = "30s"
  |      ^^^^^
  = let `time.chaos` be longer than 30s, or let it strike sooner, as with --set fault.0.at=10s
"#,
    );
    says(
        "[[fault]]\nkind = \"crash\"\nevery = \"20s\"\nfor = \"1s\"\n",
        r#"
mine.toml:5:9: `fault.0.every` starts at 20s and never strikes: `time.chaos` is 20s
  |
5 | every = "20s"
  |         ^^^^^
  = let `time.chaos` be longer than 20s, or let it strike sooner, as with --set fault.0.every=5s..10s
"#,
    );
    says(
        &format!("{FAULT}target = \"n3\"\n"),
        r#"
mine.toml:7:10: `fault.0.target` is "n3", but `cluster.nodes` may be 3 and numbers start at 0
  |
7 | target = "n3"
  |          ^^^^
  = write one of "n0" to "n2"
"#,
    );
}

#[test]
fn an_override_is_named_instead_of_a_line() {
    refused(
        HEAD,
        &[("cluster.nodes", "9")],
        r#"
mine.toml, --set cluster.nodes=9: `cluster.nodes` is 9, outside 1 to 7
  = write a value from 1 to 7, both included
"#,
    );
    refused(
        HEAD,
        &[("cluster.node", "9")],
        r#"
mine.toml, --set cluster.node=9: [cluster] has no key `node`
  = did you mean `nodes`? the keys here are nodes, spares, pre_vote, check_quorum, lease, priorities, quiesce, follower_reads, election, heartbeat, max_entries_per_append, max_bytes_per_append, max_inflight, snapshot_threshold, snapshot_tail, snapshot_chunk, apply, codec
"#,
    );
    refused(
        HEAD,
        &[("network.loss", "1%"), ("network.latency", "5")],
        r#"
mine.toml, --set network.latency=5: `network.latency` must be a range of durations in double quotes, not the integer 5
  = write, for example, "1ms..10ms"
"#,
    );
    refused(
        &format!("{HEAD}[network]\ntail_max = \"20ms\"\n"),
        &[("network.latency", "30ms")],
        r#"
mine.toml, --set network.latency=30ms: `network.tail_max` is 20ms, less than the largest `latency`, 30ms
  = raise `tail_max` or lower `latency`
"#,
    );
    refused(
        &format!("{HEAD}{FAULT}"),
        &[("fault.1.every", "5s")],
        r#"
mine.toml, --set fault.1.every=5s: `fault.1.every` is not in the document: `fault` is a list of 1
  = write `fault.N.KEY` with N counted from 0
"#,
    );
    refused(
        HEAD,
        &[("cluster..nodes", "5")],
        r#"
mine.toml, --set cluster..nodes=5: "cluster..nodes" is not the path of a key
  = write KEY=VALUE with a dotted path, such as cluster.nodes=5 or fault.0.every=2s..4s
"#,
    );
    refused(
        HEAD,
        &[("name.first", "x")],
        r#"
mine.toml, --set name.first=x: `name` is the text "mine", which has no keys
  = write the path of a key that exists, such as cluster.nodes
"#,
    );
    refused(
        HEAD,
        &[("a.b.c.d.e.f.g.h.i", "1")],
        r#"
mine.toml, --set a.b.c.d.e.f.g.h.i=1: "a.b.c.d.e.f.g.h.i" is not the path of a key
  = write KEY=VALUE with a dotted path, such as cluster.nodes=5 or fault.0.every=2s..4s
"#,
    );
}
