//! The whole command line for this crate's own system.

fn main() -> std::process::ExitCode {
    squall::main([outside::CopyingStore.into()])
}
