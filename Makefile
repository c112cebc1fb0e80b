# `make` lists the targets; each is one line that you can also type yourself.
.DEFAULT_GOAL := help
.PHONY: help demo test outside truth test-page picture lint no-std sweep drills bench bench-checker bench-shrink fuzz-checker feasible bugs-table ci

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: ## run the main job: one hundred seeds of every built-in scenario, checked
	cargo run --release -- sweep --seeds 0..100

test: ## all tests of all crates
	cargo test --workspace

outside: ## a crate that is no member of the workspace, as a stranger's would be, and its tests
	cargo test --manifest-path examples/outside/Cargo.toml --target-dir target/outside

truth: ## what is said of 100 seeds of every scenario and a failure of every planted bug, held against what there was (an hour or so)
	cargo test --release -p squall-cli --test truth -- --ignored --nocapture --test-threads 1

test-page: ## the page of `squall view` in headless Chromium (needs node, npm and Debian's chromium, or CHROMIUM=path)
	@test -x "$${CHROMIUM:-/usr/bin/chromium}" || { echo "no chromium: apt-get install chromium, or set CHROMIUM"; exit 1; }
	cargo build -p squall-cli
	npm install --silent --no-audit --no-fund --prefix target/page playwright-core@1
	node squall/tests/page/test.mjs "$${CARGO_TARGET_DIR:-target}/debug/squall" target/page

picture: ## docs/page.png, the picture in README: a planted bug on its page (needs what test-page needs)
	cargo build -p squall-cli
	npm install --silent --no-audit --no-fund --prefix target/page playwright-core@1
	"$${CARGO_TARGET_DIR:-target}/debug/squall" shrink leader-isolation --seed 1 --bug L2 --time 10m -o target/page/picture.capsule.json
	"$${CARGO_TARGET_DIR:-target}/debug/squall" view target/page/picture.capsule.json -o target/page/picture.html
	mkdir -p docs
	node squall/tests/page/picture.mjs target/page/picture.html target/page docs/page.png

lint: ## formatting, clippy with warnings denied, documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p raft-core --all-targets -- -D warnings
	cargo clippy -p raft-core --all-targets --features serde,wire-lz4,wire-zstd -- -D warnings
	cargo clippy -p squall-cli --all-targets --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

no-std: ## proof that raft-core needs no standard library
	cargo check --manifest-path raft-core/no-std/Cargo.toml --target-dir target/no-std

sweep: ## every built-in scenario for two minutes on all cores
	cargo run --release -- sweep --time 120s

drills: ## kills, signals, full disks, and every call that writes made to fail: nothing that was found is lost (some twenty minutes)
	cargo test -p squall-cli --test cli -- --ignored --nocapture --test-threads 1 drills:: faults::

bench: ## what a CPU-second buys: simulation, replication, checked seeds, the wire codec, linearizability
	cargo bench -p squall-cli --bench throughput
	cargo bench -p raft-core --bench wire --features serde,wire-lz4,wire-zstd
	cargo bench -p checker --bench linearizability -- smoke

bench-checker: ## CPU time and peak memory of linearizability checks, from 1,000 to 1,000,000 operations
	cargo bench -p checker --bench linearizability

bench-shrink: ## how small the failures of planted bugs become, as the table of squall/SHRINKING.md (some ten minutes)
	cargo run --release -p squall-cli --example shrink -- 60

fuzz-checker: ## 200,000 tiny random histories of every model, each verdict against brute force; longer ones by every method; 20,000 refusals of every model, 100,000 histories at every level of isolation (hours)
	cargo test --release -p checker --test brute_force --test methods --test laws --test isolation -- --ignored --nocapture

feasible: ## 200 random settings and 500 random scenarios of faults, ten seeds each: no alarm without a cause (an hour or more)
	cargo run --release -p squall-cli --example feasible -- 200 500

bugs-table: ## measure how soon the planted bugs are found and write docs/bugs.md (an hour or two on two cores)
	cargo build --release -p squall-cli
	bash docs/measure-bugs

ci: ## what CI runs
	bash .ci/run
