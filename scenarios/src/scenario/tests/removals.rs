//! Members that are removed in a cluster with neither pre-vote nor the quorum check all the time.

use super::errors::{HEAD, says};
use crate::raft_kv::builtin;
use crate::scenario::parse;

const UPGRADE: &str = "[[fault]]\nkind = \"upgrade\"\nevery = \"2s\"\nfor = \"10ms\"\ngap = \"1s\"\n";
const CHANGES: &str = "[operator]\nmix = { change = 1, transfer = 1 }\n";

fn refused(text: &str) -> String {
    let read = parse("mine.toml", &format!("{HEAD}{text}"), &[], &crate::raft_kv::known());
    read.expect_err("nobody promises progress").to_string()
}

fn is_read(text: &str) {
    if let Err(error) = parse("mine.toml", &format!("{HEAD}{text}"), &[], &crate::raft_kv::known()) {
        panic!("{error}");
    }
}

#[test]
fn an_upgrade_that_flips_both_while_members_change() {
    says(
        &format!("{UPGRADE}{CHANGES}"),
        r#"
mine.toml:4:8: [[fault]] 0 flips `pre_vote` and [[fault]] 0 flips `check_quorum`, while [operator] takes nodes out of the cluster: one that misses its removal may stand for election for ever, and depose each leader (Raft thesis, section 4.2.3)
  |
4 | kind = "upgrade"
  |        ^^^^^^^^^
  = keep pre-vote or check-quorum on in all nodes all the time, or let nobody be removed, or write verdict = "liveness-violation" in [expect] if that is what the scenario is to show
"#,
    );
    let flips = |names: &str| format!("{UPGRADE}flips = [{names}]\n");
    // The place is that of the setting.
    let error = refused(&format!(
        "{}{CHANGES}",
        flips("\"pre-vote\", \"check-quorum\", \"window\"")
    ));
    assert!(error.contains("mine.toml:8:9"), "{error}");
    let error = refused(&format!(
        "[cluster]\ncheck_quorum = [true, false]\n{}{CHANGES}",
        flips("\"pre-vote\"")
    ));
    assert!(error.contains("`cluster.check_quorum` may be false"), "{error}");
    // Either of them protects, if it is on all the time; and who is never removed can't miss it.
    is_read(&format!("{}{CHANGES}", flips("\"pre-vote\"")));
    is_read(&format!("{}{CHANGES}", flips("\"check-quorum\", \"batches\"")));
    is_read(&format!(
        "{UPGRADE}[operator]\nmix = {{ transfer = 1, campaign = 1 }}\n"
    ));
    is_read(UPGRADE);
    is_read(&format!(
        "{UPGRADE}{CHANGES}[expect]\nverdict = \"liveness-violation\"\n"
    ));
}

#[test]
fn a_cluster_without_both_whose_members_change() {
    let without = "[cluster]\nspares = 2\npre_vote = [true, false]\ncheck_quorum = false\n";
    let error = refused(&format!("{without}{CHANGES}"));
    assert!(
        error.contains("mine.toml:5:12: `cluster.pre_vote` may be false"),
        "{error}"
    );
    for mix in ["replace", "single", "change"] {
        refused(&format!("{without}[operator]\nmix = {{ {mix} = 1 }}\n"));
    }
    let at = |order: &str| format!("{without}[[operator]]\nat = \"1s\"\n{order}\n");
    for order in [
        "remove = \"n1\"",
        "members = [\"n0\", \"n1\"]",
        "members = [\"n0\", \"n1\", \"n4\"]",
    ] {
        assert!(refused(&at(order)).contains("an [[operator]] takes nodes out"));
    }
    for order in [
        "add = \"n3\"",
        "transfer = \"n1\"",
        "members = [\"n0\", \"n1\", \"n2\", \"n3\"]",
        "members = [\"n0\", \"n1\"]\nlearners = [\"n2\"]",
    ] {
        is_read(&at(order));
    }
    // Who was added may be left out again.
    refused(&format!(
        "{}[[operator]]\nat = \"2s\"\nmembers = [\"n0\", \"n1\", \"n2\"]\n",
        at("add = \"n3\"")
    ));
}

#[test]
fn no_built_in_scenario_is_refused() {
    for builtin in builtin() {
        parse(builtin.name, builtin.text, &[], &crate::raft_kv::known()).unwrap();
    }
}
