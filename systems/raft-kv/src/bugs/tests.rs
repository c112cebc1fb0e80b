use super::*;

#[cfg(feature = "bugs")]
#[test]
fn ids_and_names_are_unique_and_most_of_the_collection_is_planted() {
    let mut names: Vec<&str> = planted_bugs().iter().flat_map(|bug| [bug.id, bug.name]).collect();
    names.extend(NOT_PLANTED.iter().flat_map(|bug| [bug.id, bug.name]));
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    let harmful = planted_bugs().iter().filter(|bug| bug.is_harmful()).count();
    assert!(harmful >= 78, "{harmful} bugs that break something");
    assert_eq!(planted_bugs().len() - harmful, 2, "the controls");
}

/// The names in `macro_name!(…, Name)` in the files of a folder.
#[cfg(feature = "bugs")]
fn planted_in(folder: &std::path::Path, macro_name: &str, names: &mut std::collections::BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            planted_in(&path, macro_name, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for call in text.split(macro_name).skip(1) {
                let arguments = call.split(')').next().unwrap_or_default();
                names.insert(arguments.rsplit(',').next().unwrap_or_default().trim().to_owned());
            }
        }
    }
}

/// Somebody who rewrites a line may take the bug in it away; then the catalogue has one that nobody can find.
#[cfg(feature = "bugs")]
#[test]
fn every_bug_of_the_catalogue_stands_somewhere_in_the_code() {
    // The place of this very file, from the workspace's root.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = root
        .into_iter()
        .find(|root| root.join("systems/raft-kv").is_dir())
        .unwrap();
    let mut planted = std::collections::BTreeSet::new();
    planted_in(&root.join("systems/raft-kv/src"), "planted!(", &mut planted);
    planted_in(&root.join("raft-core/src"), "bug!(", &mut planted);
    let missing: Vec<&str> = planted_bugs()
        .iter()
        .map(|bug| bug.name)
        .filter(|name| !planted.contains(*name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[cfg(feature = "bugs")]
#[test]
fn a_bug_breaks_a_property_that_there_is() {
    let known = super::super::known().properties;
    for bug in planted_bugs() {
        assert!(bug.breaks.is_none_or(|property| known.contains(&property)), "{bug:?}");
    }
}

#[test]
fn what_is_not_planted_says_why() {
    let unknown = super::super::bug("campaignwithunappliedconf").unwrap_err().to_string();
    let expected = if planted_bugs().is_empty() {
        "cargo feature"
    } else {
        "is not planted: ruled out"
    };
    assert!(unknown.contains(expected), "{unknown}");
}
