//! The `squall` binary: see [`cli`] and `squall --help`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
