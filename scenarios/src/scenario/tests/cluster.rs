//! `[cluster]` beyond its size, and `[operator]`: what is read, what is default, and the wording of mistakes.

use super::errors::{HEAD, refused, says};
use super::{KNOWN, MS, read};
use crate::scenario::{Choice, DurationRange, Operator, OrderMix, parse};

#[test]
fn by_default_nothing_changes_the_cluster() {
    let scenario = read(HEAD);
    let cluster = scenario.cluster;
    assert_eq!(cluster.spares, Choice::one(0));
    assert_eq!(cluster.check_quorum, Choice::one(true));
    assert_eq!(cluster.lease_drift_ppm, Choice::one(None));
    assert_eq!(cluster.priorities, Choice::one(false));
    assert_eq!(cluster.quiesce_ns, Choice::one(None));
    assert_eq!(cluster.follower_reads, Choice::one(false));
    assert_eq!(cluster.snapshot_threshold, Choice::one(0));
    assert_eq!(cluster.snapshot_tail, Choice::one(16));
    assert_eq!(cluster.snapshot_chunk_bytes, Choice::one(4_096));
    assert_eq!(scenario.operator, None);
}

#[test]
fn a_cluster_with_everything_is_read_and_written() {
    let text = format!(
        "{HEAD}[cluster]\nnodes = [3, 5]\nspares = [0, 4]\ncheck_quorum = [true, true]\nlease = [\"off\", \"2%\", \"0%\"]\n\
         priorities = [true, false]\nquiesce = [\"off\", \"off\", \"500ms\"]\nfollower_reads = true\n\
         snapshot_threshold = [0, 1]\nsnapshot_tail = 0\nsnapshot_chunk = [\"64B\", \"1KiB\"]\n"
    );
    let scenario = read(&text);
    let cluster = &scenario.cluster;
    assert_eq!(cluster.spares.options(), [0, 4]);
    assert_eq!(cluster.check_quorum.options(), [true, true]);
    assert_eq!(cluster.lease_drift_ppm.options(), [None, Some(20_000), Some(0)]);
    assert_eq!(cluster.priorities.options(), [true, false]);
    assert_eq!(cluster.quiesce_ns.options(), [None, None, Some(500 * MS)]);
    assert_eq!(cluster.follower_reads.options(), [true]);
    assert_eq!(cluster.snapshot_threshold.options(), [0, 1]);
    assert_eq!(cluster.snapshot_tail.options(), [0]);
    assert_eq!(cluster.snapshot_chunk_bytes.options(), [64, 1_024]);
    assert_eq!(read(&scenario.to_toml()), scenario);
}

#[test]
fn an_operator_has_defaults_and_a_mix_names_what_it_wants() {
    let operator = |keys: &str| read(&format!("{HEAD}[operator]\n{keys}")).operator;
    let usual = Operator {
        every: DurationRange {
            min_ns: 1_000 * MS,
            max_ns: 3_000 * MS,
        },
        mix: OrderMix {
            change: 3,
            replace: 1,
            transfer: 2,
            campaign: 1,
            single: 0,
        },
        min_voters: 1,
        timeout_ns: 2_000 * MS,
    };
    assert_eq!(operator(""), Some(usual));
    let keys = "every = \"300ms\"\nmix = { replace = 2 }\nmin_voters = 3\ntimeout = \"1s\"\n";
    let every = DurationRange {
        min_ns: 300 * MS,
        max_ns: 300 * MS,
    };
    let mix = OrderMix {
        change: 0,
        replace: 2,
        transfer: 0,
        campaign: 0,
        single: 0,
    };
    let timeout_ns = 1_000 * MS;
    let wanted = Operator {
        every,
        mix,
        min_voters: 3,
        timeout_ns,
    };
    assert_eq!(operator(keys), Some(wanted));
    let scenario = read(&format!("{HEAD}[operator]\n{keys}"));
    assert_eq!(read(&scenario.to_toml()), scenario);
}

#[test]
fn the_fixture_of_clocks_beyond_their_bound_is_valid() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../squall/tests/suite/fixtures/lease-beyond-bound.toml"
    );
    let text = std::fs::read_to_string(path).expect("the fixture can be read");
    let scenario = parse("lease-beyond-bound.toml", &text, &[], &KNOWN).unwrap_or_else(|error| panic!("{error}"));
    let declared = scenario.cluster.lease_drift_ppm.largest().expect("there is a lease");
    assert!(
        2 * scenario.clock.drift_max_ppm > declared,
        "the clocks keep within the bound"
    );
}

#[test]
fn a_setting_that_can_be_off() {
    says(
        "[cluster]\nlease = false\n",
        r#"
mine.toml:4:9: `cluster.lease` must be a ratio in double quotes or "off", not the flag false
  |
4 | lease = false
  |         ^^^^^
  = write, for example, "0.5%"
"#,
    );
    says(
        "[cluster]\nquiesce = [\"off\", \"of\"]\n",
        r#"
mine.toml:4:19: `cluster.quiesce`: "of" does not start with a number
  |
4 | quiesce = ["off", "of"]
  |                   ^^^^
  = write a duration such as "150ms" or "off"; the units are ns, us, ms, s, m, h
"#,
    );
    says(
        "[cluster]\nquiesce = \"100ms..1s\"\n",
        r#"
mine.toml:4:11: `cluster.quiesce` is one duration, and "100ms..1s" is a range
  |
4 | quiesce = "100ms..1s"
  |           ^^^^^^^^^^^
  = write one value, such as "150ms" or "off"
"#,
    );
    says(
        "[cluster]\nlease = \"60%\"\n",
        r#"
mine.toml:4:9: `cluster.lease` is 60%, outside 0% to 50%
  |
4 | lease = "60%"
  |         ^^^^^
  = write a value from 0% to 50%, both included
"#,
    );
    says(
        "[cluster]\nlease = \"5ms\"\n",
        r#"
mine.toml:4:9: `cluster.lease`: "ms" is not a unit of a ratio
  |
4 | lease = "5ms"
  |         ^^^^^
  = write a ratio such as "0.5%" or "off"; the units are ppm, %
"#,
    );
    says(
        "[cluster]\nheartbeat = \"off\"\n",
        r#"
mine.toml:4:13: `cluster.heartbeat`: "off" does not start with a number
  |
4 | heartbeat = "off"
  |             ^^^^^
  = write a duration such as "150ms"; the units are ns, us, ms, s, m, h
"#,
    );
}

#[test]
fn settings_of_the_cluster_that_do_not_go_together() {
    says(
        "[cluster]\nnodes = [3, 7]\nspares = [0, 4]\n",
        r#"
mine.toml:5:10: `cluster.nodes` (up to 7) and `cluster.spares` (up to 4) add up to more than 10
  |
5 | spares = [0, 4]
  |          ^^^^^^
  = lower the largest value of one of them
"#,
    );
    refused(
        &format!("{HEAD}[cluster]\nspares = 4\n"),
        &[("cluster.nodes", "7")],
        r#"
mine.toml, --set cluster.nodes=7: `cluster.nodes` (up to 7) and `cluster.spares` (up to 4) add up to more than 10
  = lower the largest value of one of them
"#,
    );
    says(
        "[cluster]\ncheck_quorum = [true, false]\nlease = [\"off\", \"1%\"]\n",
        r#"
mine.toml:5:9: `cluster.lease` may be 1% while `cluster.check_quorum` may be false
  |
5 | lease = ["off", "1%"]
  |         ^^^^^^^^^^^^^
  = write check_quorum = true, without which voters do not keep a lease, or lease = "off"
"#,
    );
    refused(
        &format!("{HEAD}[cluster]\nlease = \"1%\"\n"),
        &[("cluster.check_quorum", "false")],
        r#"
mine.toml, --set cluster.check_quorum=false: `cluster.lease` may be 1% while `cluster.check_quorum` may be false
  = write check_quorum = true, without which voters do not keep a lease, or lease = "off"
"#,
    );
    says(
        "[cluster]\nspares = 2\n[[fault]]\nkind = \"crash\"\nevery = \"1s\"\nfor = \"1s\"\ntarget = \"n3\"\n",
        r#"
mine.toml:9:10: `fault.0.target` is "n3", but `cluster.nodes` may be 3 and numbers start at 0
  |
9 | target = "n3"
  |          ^^^^
  = write one of "n0" to "n2"
"#,
    );
    says(
        "[cluster]\nsnapshot_chunk = \"4B\"\n",
        r#"
mine.toml:4:18: `cluster.snapshot_chunk` is 4B, outside 16B to 1MiB
  |
4 | snapshot_chunk = "4B"
  |                  ^^^^
  = write a value from 16B to 1MiB, both included
"#,
    );
}

#[test]
fn an_operator_that_cannot_work() {
    says(
        "[operator]\nmix = { transfers = 1 }\n",
        r#"
mine.toml:4:9: `operator.mix` has no key `transfers`
  |
4 | mix = { transfers = 1 }
  |         ^^^^^^^^^
  = did you mean `transfer`? the keys here are change, replace, transfer, campaign, single
"#,
    );
    says(
        "[operator]\nmix = { change = 0 }\n",
        r#"
mine.toml:4:7: `operator.mix` leaves nothing to do
  |
4 | mix = { change = 0 }
  |       ^^^^^^^^^^^^^^
  = give at least one kind of order a weight, such as { transfer = 1 }, or leave [operator] out
"#,
    );
    says(
        "[operator]\nevery = \"20s..30s\"\n",
        r#"
mine.toml:4:9: `operator.every` starts at 20s and no order is given: `time.chaos` is 20s
  |
4 | every = "20s..30s"
  |         ^^^^^^^^^^
  = let `time.chaos` be longer than 20s, or let the orders begin sooner, as with --set operator.every=5s..10s
"#,
    );
    says(
        "[cluster]\nspares = [0, 3]\n[operator]\nmin_voters = 4\n",
        r#"
mine.toml:6:14: `operator.min_voters` is 4, but `cluster.nodes` may be 3 and `cluster.spares` 0
  |
6 | min_voters = 4
  |              ^
  = write at most 3, or raise the smallest values of `nodes` and `spares`
"#,
    );
    says(
        "[operator]\nmin_voter = 4\n",
        r#"
mine.toml:4:1: [operator] has no key `min_voter`
  |
4 | min_voter = 4
  | ^^^^^^^^^
  = did you mean `min_voters`? the keys here are every, mix, min_voters, timeout
"#,
    );
    says(
        "operator = true\n",
        r#"
mine.toml:3:12: `operator` must be a section, not the flag true
  |
3 | operator = true
  |            ^^^^
  = write, for example, [operator] on a line of its own, above its keys
"#,
    );
    refused(
        HEAD,
        &[("operator.every", "1h")],
        r#"
mine.toml, --set operator.every=1h: `operator.every` starts at 1h and no order is given: `time.chaos` is 20s
  = let `time.chaos` be longer than 1h, or let the orders begin sooner, as with --set operator.every=5s..10s
"#,
    );
}
