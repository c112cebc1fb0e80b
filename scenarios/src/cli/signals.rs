//! Ctrl-C and its like: SIGINT, SIGTERM and SIGHUP.
//!
//! A command that can end early with what it has takes [`interruption`]: the first signal sets the flag, the second ends the process
//! at once. All other commands end at the first. Either way no half of a file stays behind, and the code says which signal it was.

use super::exit;
use crate::whole;
use std::io;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// The flag of the command that can end early.
static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// The first signal that came; 0 for none.
static FIRST: AtomicU8 = AtomicU8::new(0);

/// A flag that the first signal sets.
pub fn interruption() -> Arc<AtomicBool> {
    Arc::clone(FLAG.get_or_init(Arc::default))
}

/// The code to exit with after an interruption: 128 and the number of the signal.
pub fn exit_code() -> u8 {
    match FIRST.load(Ordering::Relaxed) {
        0 => exit::INTERRUPTED,
        signal => 128 + signal,
    }
}

/// The code to exit with if a signal came.
pub fn ended_early() -> Option<u8> {
    (FIRST.load(Ordering::Relaxed) != 0).then(exit_code)
}

/// What a signal brings about.
fn came(signal: i32) {
    let number = u8::try_from(signal).unwrap_or(2);
    let is_first = FIRST
        .compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed)
        .is_ok();
    match FLAG.get() {
        Some(flag) if is_first => flag.store(true, Ordering::Relaxed),
        _ => {
            whole::abandon();
            std::process::exit(128 + i32::from(number));
        }
    }
}

/// Begins to listen. A SIGHUP that was ignored at the start (`nohup`) stays so; a limit on the size of files is an error of the write
/// that meets it, not the end of the process.
///
/// # Errors
/// When the system does not let signals be caught.
#[cfg(unix)]
pub fn listen() -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    let mut caught = vec![SIGINT, SIGTERM];
    if !is_ignored(SIGHUP) {
        caught.push(SIGHUP);
    }
    let mut signals = Signals::new(caught)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || signals.forever().for_each(came))?;
    Ok(())
}

/// Begins to listen.
///
/// # Errors
/// When the system does not let signals be caught.
#[cfg(not(unix))]
pub fn listen() -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM] {
        let flag = Arc::default();
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&flag))?;
        signal_hook::flag::register(signal, flag)?;
        signal_hook::flag::register(signal, interruption())?;
    }
    Ok(())
}

/// Whether the process was started with this signal ignored, where the system tells (proc(5)).
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let ignored = |status: String| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    let mask = std::fs::read_to_string("/proc/self/status").ok().and_then(ignored);
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
