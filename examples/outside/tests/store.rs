//! Property tests of the crate's own code, as a stranger would write them.

use outside::CopyingStore;
use squall::check::Check;

squall::check!(CopyingStore, "tests/calm.toml", cases = 8);

/// What is wrong is found by a few seeds, shrunk to next to nothing, kept, and found again from the capsule alone.
#[test]
fn two_writers_are_found_out() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("capsules");
    let _ = std::fs::remove_dir_all(&folder);
    let check = Check::new(CopyingStore, env!("CARGO_MANIFEST_DIR"), "tests/three.toml").keeping_in(&folder);
    let failure = squall::check_seeds!(check, 16).unwrap_err();
    assert!(failure.contains("linearizable/register") && failure.contains("shrunk:"), "{failure}");
    assert!(check.kept().unwrap_err().contains("kept from before"));
}
