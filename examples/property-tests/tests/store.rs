//! Property tests of a replicated store: every seed is another run of the scenario, and every run is held against all properties.

use raft_kv::RaftKv;

squall::check! {
    /// Nothing is lost and nobody reads the past, whoever leads.
    the_store_survives_rolling_isolation(RaftKv, "tests/rolling-isolation.toml", cases = 16)
}

/// What a failure looks like: the core with a planted bug, found by a seed, shrunk, kept, and found again from the capsule alone.
#[test]
fn a_failure_is_shrunk_and_kept_and_tried_first_from_then_on() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("capsules");
    let _ = std::fs::remove_dir_all(&folder);
    let check = squall::check::Check::new(RaftKv, env!("CARGO_MANIFEST_DIR"), "tests/rolling-isolation.toml");
    let check = check.with_bug("A1").keeping_in(&folder);
    let failure = squall::check_seeds!(check, 64).unwrap_err();
    assert!(
        failure.contains("linearizable/kv") && failure.contains("squall replay"),
        "{failure}"
    );
    let kept = check.kept().unwrap_err();
    assert!(kept.contains("kept from before"), "{kept}");
}
