use super::squall;

#[test]
fn every_list_has_names_and_meanings_in_both_formats() {
    let expected = [
        ("scenarios", "storm"),
        ("systems", "raft-kv"),
        ("models", "cas-register"),
        ("properties", "linearizable"),
        ("faults", "torn-write"),
        ("bugs", "E7"),
    ];
    for (what, name) in expected {
        let text = squall(&["list", what]);
        assert_eq!(text.code, Some(0));
        assert!(
            text.out.lines().any(|line| line.starts_with(&format!("{name} "))),
            "{}",
            text.out
        );
        assert!(text.out.lines().all(|line| line.chars().count() <= 100), "{}", text.out);
        let json = squall(&["list", what, "--format", "json"]).json();
        let items = json.as_array().unwrap();
        assert!(
            items.iter().all(|item| !item["about"].as_str().unwrap().is_empty()),
            "{items:?}"
        );
        assert!(items.iter().any(|item| item["name"] == name), "{items:?}");
    }
}

#[test]
fn help_names_the_exit_codes_and_shows_examples() {
    let help = squall(&["--help"]);
    assert!(help.out.contains("103  non-determinism"), "{}", help.out);
    for command in ["run", "sweep", "replay", "check"] {
        let help = squall(&[command, "--help"]);
        assert!(
            help.code == Some(0) && help.out.contains("Examples:\n  squall"),
            "{}",
            help.out
        );
    }
}
