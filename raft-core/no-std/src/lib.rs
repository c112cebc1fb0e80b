//! Compiles only while `raft-core` does without the standard library.
#![no_std]

use raft_core::{Input, Output, Raft, Time};

/// Drives a core as firmware would.
pub fn drive(raft: &mut Raft, now: Time, input: Input, mut carry_out: impl FnMut(Output)) -> Option<Time> {
    raft.handle(now, input);
    while let Some(output) = raft.poll_output() {
        carry_out(output);
    }
    raft.next_deadline()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
