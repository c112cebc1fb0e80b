//! The `squall` binary: Squall's command line with the systems of this repository.

fn main() -> std::process::ExitCode {
    squall::main([raft_kv::RaftKv.into()])
}
