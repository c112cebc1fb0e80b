# `make` lists the targets; each is one line that you can also type yourself.
.DEFAULT_GOAL := help
.PHONY: help demo test lint no-std sweep bench bench-checker fuzz-checker ci

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: ## run the main job: one hundred seeds of every built-in scenario, checked
	cargo run --release -- sweep --seeds 0..100

test: ## all tests of all crates
	cargo test --workspace

lint: ## formatting, clippy with warnings denied, documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p raft-core --all-targets -- -D warnings
	cargo clippy -p raft-core --all-targets --features serde,wire-lz4,wire-zstd -- -D warnings
	cargo clippy -p scenarios --all-targets --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

no-std: ## proof that raft-core needs no standard library
	cargo check --manifest-path raft-core/no-std/Cargo.toml --target-dir target/no-std

sweep: ## every built-in scenario for two minutes on all cores
	cargo run --release -- sweep --time 120s

bench: ## what a CPU-second buys: simulation, replication, checked seeds, linearizability
	cargo bench -p scenarios --bench throughput
	cargo bench -p checker --bench linearizability -- smoke

bench-checker: ## CPU time and peak memory of linearizability checks, from 1,000 to 1,000,000 operations
	cargo bench -p checker --bench linearizability

fuzz-checker: ## 200,000 tiny random histories of every model, each verdict against brute force
	cargo test -p checker --test brute_force -- --ignored --nocapture

ci: ## what CI runs
	bash .ci/run
