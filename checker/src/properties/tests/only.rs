//! Holding some properties: the others are passed over, and no broken stream makes the mirror panic.

use super::super::PROPERTIES;
use super::{Feed, Observation, applied, booted, entry, role};
use super::{Properties, Role};

/// Three nodes; only `names` are held.
fn holding(names: &[&str]) -> Feed {
    let mut feed = Feed::new(3);
    feed.properties = feed.properties.only(names).expect("the names are in the table");
    feed
}

#[test]
fn what_is_not_held_is_passed_over_and_what_is_held_is_found_after_it() {
    let mut feed = holding(&["election-safety"]);
    feed.ok(0, role(Role::Leader, 1));
    feed.ok(0, Observation::Appended(entry(1, 1)));
    feed.ok(0, Observation::Committed { index: 1 });
    feed.ok(0, Observation::Truncated { from: 1 });
    feed.breaks(1, role(Role::Leader, 1), "election-safety/second-leader");
}

#[test]
fn a_log_without_order_ends_the_judging_where_index_order_is_not_held() {
    let mut feed = holding(&["election-safety"]);
    feed.ok(0, role(Role::Leader, 1));
    feed.ok(0, Observation::Appended(entry(7, 1)));
    feed.ok(1, role(Role::Leader, 1));
    feed.properties.at_rest(Default::default()).unwrap();
}

#[test]
fn nobody_panics_when_nothing_is_held() {
    let mut feed = holding(&[]);
    for node in [0, 1, 5] {
        for index in 1..=4 {
            feed.ok(node, Observation::Appended(entry(index, 1)));
            feed.ok(node, Observation::DurableAppended(entry(index, 2)));
        }
        feed.ok(node, Observation::Term { term: 3 });
        feed.ok(node, role(Role::Leader, 2));
        feed.ok(node, role(Role::Leader, 1));
        feed.ok(node, Observation::Committed { index: 4 });
        feed.ok(node, Observation::Committed { index: 2 });
        feed.ok(node, Observation::Truncated { from: 0 });
        feed.ok(node, applied(entry(0, 1), 1));
        feed.ok(node, applied(entry(u64::MAX, 1), 1));
        feed.ok(node, Observation::Installed { term: 9, index: 2 });
        feed.ok(node, Observation::DurableInstalled { term: 9, index: 2 });
        feed.ok(node, super::configuration(3, &[9], &[1]));
        feed.ok(node, Observation::ConfigurationActive { index: 9 });
        feed.ok(node, Observation::LeaseHeld { until: u64::MAX });
        feed.ok(node, Observation::ReadServed { read: 1, index: 9 });
        feed.ok(node, booted(0, None, 2, &[entry(3, 9)]));
    }
    assert!(!feed.properties.lost, "no log of this test has a hole");
    feed.properties.at_rest(Default::default()).unwrap();
}

#[test]
fn every_name_of_the_table_can_be_held_and_no_other() {
    for property in PROPERTIES {
        Properties::new(1).only(&[property.name]).unwrap();
    }
    let unknown = Properties::new(1).only(&["exactly-once", "Exactly-Once"]).unwrap_err();
    assert_eq!(unknown.name, "Exactly-Once");
}
