use super::*;

#[cfg(feature = "bugs")]
#[test]
fn ids_and_names_are_unique_and_most_of_the_collection_is_planted() {
    let mut names: Vec<&str> = PLANTED_BUGS.iter().flat_map(|bug| [bug.id, bug.name]).collect();
    names.extend(NOT_PLANTED.iter().flat_map(|bug| [bug.id, bug.name]));
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    let harmful = PLANTED_BUGS.iter().filter(|bug| bug.is_harmful()).count();
    assert!(harmful >= 78, "{harmful} bugs that break something");
    assert_eq!(PLANTED_BUGS.len() - harmful, 2, "the controls");
}

#[cfg(feature = "bugs")]
#[test]
fn a_bug_breaks_a_property_that_there_is() {
    let known = crate::known().properties;
    for bug in PLANTED_BUGS {
        assert!(bug.breaks.is_none_or(|property| known.contains(&property)), "{bug:?}");
    }
}

#[test]
fn what_is_not_planted_says_why() {
    let unknown = PlantedBug::find("campaignwithunappliedconf").unwrap_err().to_string();
    let expected = if PLANTED_BUGS.is_empty() {
        "cargo feature"
    } else {
        "is not planted: ruled out"
    };
    assert!(unknown.contains(expected), "{unknown}");
}
