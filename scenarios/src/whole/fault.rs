//! Faults of the tool's own output: lets the n-th call to the system fail, so that a test can go through all of them.
//!
//! Nothing is injected unless [`inject`] was called, once for the process: the binary does so for a hidden option that only builds
//! with planted bugs have.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a call wants of the system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// To make or open a file.
    Create,
    /// To make a folder.
    Folder,
    /// To write bytes to a file.
    Write,
    /// To sync a file.
    Sync,
    /// To rename a file.
    Rename,
    /// To remove a file.
    Remove,
    /// To write bytes to standard output.
    Stdout,
}

/// How the call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// With an I/O error, this once.
    Fail,
    /// From this call on there is no room for anything new.
    Full,
    /// A write takes half of its bytes.
    Short,
    /// A write takes half of its bytes, and there is no room for the rest.
    Cut,
    /// With a panic of our own.
    Panic,
}

/// A fault, and the call that it strikes, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Injected {
    /// What happens.
    pub how: How,
    /// To which call.
    pub at: u64,
}

static INJECTED: OnceLock<Injected> = OnceLock::new();
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Injects a fault into this process; only the first counts.
pub fn inject(fault: Injected) {
    let _ = INJECTED.set(fault);
}

/// Whether the fault has struck.
pub fn has_struck() -> bool {
    INJECTED
        .get()
        .is_some_and(|fault| CALLS.load(Ordering::Relaxed) >= fault.at)
}

impl FromStr for Injected {
    type Err = String;

    /// Reads `HOW:N`, as in `full:3`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write fail:N, full:N, short:N, cut:N or panic:N".to_owned();
        let (how, at) = text.split_once(':').ok_or_else(wrong)?;
        let how = match how {
            "fail" => How::Fail,
            "full" => How::Full,
            "short" => How::Short,
            "cut" => How::Cut,
            "panic" => How::Panic,
            _ => return Err(wrong()),
        };
        let at = at.parse().map_err(|_| wrong())?;
        Ok(Self { how, at })
    }
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            How::Fail => "fail",
            How::Full => "full",
            How::Short => "short",
            How::Cut => "cut",
            How::Panic => "panic",
        };
        write!(f, "{how}:{}", self.at)
    }
}

/// Lets a call that writes no bytes pass, or fail.
///
/// # Errors
/// When a fault is injected that strikes this call.
pub fn gate(call: Call) -> io::Result<()> {
    let Some(fault) = INJECTED.get() else { return Ok(()) };
    let number = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    let takes_room = matches!(call, Call::Create | Call::Folder);
    match fault.how {
        How::Panic if number == fault.at => panic!("an injected panic"),
        How::Fail | How::Short | How::Cut if number == fault.at => Err(io::Error::other("an injected fault")),
        How::Full if number >= fault.at && takes_room => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    }
}

/// Lets a write pass, whole or in part, or fail.
///
/// # Errors
/// When a fault is injected that strikes this call.
pub fn gate_write(_call: Call, bytes: &[u8]) -> io::Result<&[u8]> {
    let Some(fault) = INJECTED.get() else { return Ok(bytes) };
    let number = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    let half = &bytes[..bytes.len().div_ceil(2)];
    match fault.how {
        How::Panic if number == fault.at => panic!("an injected panic"),
        How::Fail if number == fault.at => Err(io::Error::other("an injected fault")),
        How::Full if number >= fault.at => Err(io::ErrorKind::StorageFull.into()),
        How::Short | How::Cut if number == fault.at => Ok(half),
        How::Cut if number == fault.at + 1 => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(bytes),
    }
}
