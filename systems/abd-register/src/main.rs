//! The whole command line for this one system.

fn main() -> std::process::ExitCode {
    squall::main([abd_register::AbdRegister.into()])
}
