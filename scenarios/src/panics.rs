//! Panics of the code under test, caught and told in a failure's words.
//!
//! Owns the hook that keeps message and place instead of printing them, the signature of a panic, and whose it is: one whose place is in
//! the harness is no finding about the code under test. A panic outside of [`caught`] is nobody's finding: it is printed as usual.

use crate::verdict::{Failure, FailureKind};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo};
use std::sync::Once;

/// The property that the code under test does not panic.
pub const PANIC: &str = "panic";
/// What a panic of the harness is filed under.
pub const HARNESS: &str = "harness-panic";

/// What is judged, not who judges, although it is compiled into this crate's own tests.
const UNDER_TEST: &str = "scenarios/src/../../systems/";
/// The crates that are the harness.
const JUDGES: [&str; 3] = ["scenarios/src/", "simulator/src/", "checker/src/"];

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LAST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Calls `code`; a panic in it is a [`Failure`] with the signature `panic/FILE:LINE`.
///
/// What `code` was working on is left as it was when it panicked: look at it, but do not go on with it.
///
/// # Errors
/// When `code` panics.
pub fn caught<T>(code: impl FnOnce() -> T) -> Result<T, Box<Failure>> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let printing = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if DEPTH.get() == 0 {
                printing(info);
            } else {
                LAST.set(Some((
                    message(info),
                    info.location().map_or_else(|| "unknown".to_owned(), place),
                )));
            }
        }));
    });
    DEPTH.set(DEPTH.get() + 1);
    let result = std::panic::catch_unwind(AssertUnwindSafe(code));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|_payload| {
        let (message, place) = LAST
            .take()
            .unwrap_or_else(|| ("no message".to_owned(), "unknown".to_owned()));
        Box::new(failure_at(&place, &message))
    })
}

fn failure_at(place: &str, message: &str) -> Failure {
    if is_ours(place) {
        let message = format!(
            "the harness itself panicked at {place}: {message}; that is a fault of Squall, and no word about the code under test"
        );
        return Failure::new(FailureKind::Harness, HARNESS, place, message);
    }
    let message = format!("the code under test panicked at {place}: {message}");
    Failure::new(FailureKind::Panic, PANIC, place, message)
}

/// Whether a place is in the harness: in the folder that this very file is in, so that a project under test may have folders of the same
/// names.
fn is_ours(place: &str) -> bool {
    let root = file!().strip_suffix("scenarios/src/panics.rs").unwrap_or_default();
    let Some(place) = place.strip_prefix(root) else {
        return false;
    };
    JUDGES.iter().any(|judge| place.starts_with(judge)) && !place.starts_with(UNDER_TEST)
}

fn message(info: &PanicHookInfo<'_>) -> String {
    info.payload_as_str().unwrap_or("a payload that is no text").to_owned()
}

/// File and line, without what differs from machine to machine: the folders of registries and of the standard library.
fn place(location: &Location<'_>) -> String {
    format!("{}:{}", portable(location.file()), location.line())
}

fn portable(file: &str) -> &str {
    let after = |marker: &str| file.split_once(marker)?.1.split_once('/').map(|(_, rest)| rest);
    after("/registry/src/").or_else(|| after("/rustc/")).unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_that_names_its_place() {
        let failure = caught(|| panic!("index {} out of bounds", 7)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Harness);
        assert!(
            failure.signature.starts_with("harness-panic/scenarios/src/panics.rs:"),
            "{}",
            failure.signature
        );
        assert!(
            failure
                .message
                .contains("index 7 out of bounds; that is a fault of Squall"),
            "{}",
            failure.message
        );
        assert_eq!(caught(|| 5), Ok(5));
    }

    #[test]
    fn who_is_to_blame_follows_from_the_place() {
        let under_test = [
            "raft-core/src/raft.rs:7",
            "systems/raft-kv/src/node.rs:7",
            "scenarios/src/../../systems/raft-kv/src/node.rs:7",
            "bytes-1.1/src/a.rs:7",
            "src/mine.rs:7",
        ];
        let ours = [
            "simulator/src/world.rs:7",
            "scenarios/src/workloads/client.rs:7",
            "checker/src/models/mod.rs:7",
        ];
        for place in under_test {
            let failure = failure_at(place, "oops");
            assert_eq!(
                (failure.kind, failure.signature),
                (FailureKind::Panic, format!("panic/{place}"))
            );
        }
        for place in ours {
            let failure = failure_at(place, "oops");
            assert_eq!(
                (failure.kind, failure.signature),
                (FailureKind::Harness, format!("harness-panic/{place}"))
            );
            assert!(!failure.message.contains("the code under test panicked"));
        }
    }

    #[test]
    fn a_place_is_the_same_on_every_machine() {
        assert_eq!(
            portable("/home/me/.cargo/registry/src/index.crates.io-1/toml-1.0/src/a.rs"),
            "toml-1.0/src/a.rs"
        );
        assert_eq!(portable("/rustc/abc/library/core/src/a.rs"), "library/core/src/a.rs");
        assert_eq!(portable("raft-core/src/raft.rs"), "raft-core/src/raft.rs");
    }
}
