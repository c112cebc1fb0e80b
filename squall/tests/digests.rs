//! Every seed is the same run as ever: the digests of a few seeds of each built-in scenario, against a kept list.

#[path = "../examples/digests.rs"]
#[expect(dead_code, reason = "the example's `main` writes the list")]
mod digests;

#[test]
fn the_seeds_are_the_runs_that_they_were() {
    let (now, kept) = (digests::lines(), include_str!("digests.txt"));
    let changed: Vec<&str> = now
        .lines()
        .zip(kept.lines())
        .filter(|(now, kept)| now != kept)
        .map(|(now, _)| now)
        .collect();
    assert!(
        now == kept,
        "{} of {} runs are other runs than before, for example\n  {}\nIf that is meant, write the list anew:\n  \
         cargo run -p squall-cli --example digests > squall/tests/digests.txt",
        changed.len(),
        now.lines().count(),
        changed.first().unwrap_or(&"(lines were added or removed)"),
    );
}

#[test]
fn seeds_are_the_same_runs_on_one_thread_and_on_many() {
    let storm = raft_kv::find("storm").unwrap();
    let storm = squall::scenario::parse(storm.name, storm.text, &[], &raft_kv::known());
    let storm = storm.unwrap_or_else(|error| panic!("{error}"));
    let alone = digests::folded(&storm, 12, 1);
    assert_eq!(alone, digests::folded(&storm, 12, 3));
    assert_ne!(alone, digests::folded(&storm, 11, 1), "every run counts");
}
