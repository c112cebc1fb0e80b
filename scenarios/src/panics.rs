//! Panics of the code under test, caught and told in a failure's words.
//!
//! Owns the hook that keeps message and place instead of printing them, and the signature of a panic. A panic outside of
//! [`caught`] is nobody's finding: it is printed as usual.

use crate::verdict::{Failure, FailureKind};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo};
use std::sync::Once;

/// The property that the code under test does not panic.
pub const PANIC: &str = "panic";

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
        let message = format!("the code under test panicked at {place}: {message}");
        Box::new(Failure::new(FailureKind::Panic, PANIC, &place, message))
    })
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
        assert_eq!(failure.kind, FailureKind::Panic);
        assert!(
            failure.signature.starts_with("panic/scenarios/src/panics.rs:"),
            "{}",
            failure.signature
        );
        assert!(
            failure.message.ends_with("index 7 out of bounds"),
            "{}",
            failure.message
        );
        assert_eq!(caught(|| 5), Ok(5));
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
