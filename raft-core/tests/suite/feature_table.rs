//! The README's table of features names tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The tests of this crate as `file::test`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["src", "src/wire", "tests", "tests/suite"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in files.map(|file| file.expect("a folder of sources can be read").path()) {
            if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .file_stem()
                    .expect("a source has a name")
                    .to_string_lossy()
                    .into_owned();
                let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                found.extend(tests_in(&source).map(|test| format!("{name}::{test}")));
            }
        }
    }
    found
}

/// The functions that follow on `#[test]`.
fn tests_in(source: &str) -> impl Iterator<Item = &str> {
    let after = source.split("#[test]").skip(1);
    after.filter_map(|text| text.split_once("fn ")?.1.split(['(', '<']).next())
}

/// The rows of the section "What it does": the feature, and the tests that are to show it.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let readme = include_str!("../../README.md");
    let (_, section) = readme
        .split_once("\n## What it does\n")
        .expect("the section of the features");
    let (section, _) = section.split_once("\n## ").expect("a section after it");
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let named = |tests: &'static str| tests.split('`').skip(1).step_by(2).collect();
    cells.skip(1).map(|(feature, tests)| (feature, named(tests))).collect()
}

#[test]
fn every_feature_names_tests_that_exist() {
    let (rows, tests) = (rows(), tests());
    assert!(rows.len() > 20, "the table has {} rows", rows.len());
    for (feature, named) in rows {
        assert!(!named.is_empty(), "'{feature}' names no test");
        for test in named {
            assert!(tests.contains(test), "'{feature}' names {test}, which is not there");
        }
    }
}
