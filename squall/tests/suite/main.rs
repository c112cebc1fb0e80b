//! What the scenarios, the service and the rules of this repository promise, tested in one program: each one more would be linked anew
//! with all that it tests.

mod architecture;
mod catalogue;
mod disks;
mod faults;
mod leases;
mod lives;
mod named;
mod once_failed;
mod triggers;
mod verdicts;
mod workloads;
