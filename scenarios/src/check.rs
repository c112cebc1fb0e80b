//! Scenarios as property tests of a crate: seeds come from `proptest`, a failure is shrunk by [`crate::shrink`] and kept as a
//! capsule, and every kept capsule is run first from then on.
//!
//! The crate that tests has `squall` and `proptest` among its dev-dependencies, a scenario file of its own, and
//!
//! ```ignore
//! squall::check! {
//!     /// What must hold, whatever the network does.
//!     survives_partitions(MyRegister, "tests/partitions.toml", cases = 32)
//! }
//! ```
//!
//! where `MyRegister` is its [system](crate::system::System): the test runs the crate's own code. Without a name,
//! `squall::check!(MyRegister, "tests/partitions.toml", cases = 32);` makes one test called `squall_check`.
//!
//! A capsule whose failure is gone stays in its folder, `capsules` beside `Cargo.toml`, and must pass: commit it, it is a regression
//! test. How many seeds are tried can be overridden by `PROPTEST_CASES`, and the choice of seeds by `PROPTEST_RNG_SEED`, as ever.

use crate::Registered;
use crate::capsule::Capsule;
use crate::expectation;
use crate::run::RunOptions;
use crate::scenario::{self, Scenario};
use crate::shrink::{Options, shrink};
use crate::sweep::attempt;
use crate::system::{self, PlantedBug};
use crate::whole;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How long a failure is made smaller before the test ends.
const SHRINK_TIME: Duration = Duration::from_secs(20);

/// A scenario that is tested, and where its capsules are kept. Made by [`check!`](crate::check!).
#[derive(Clone, Debug)]
pub struct Check {
    name: String,
    scenario: Scenario,
    bug: Option<&'static PlantedBug>,
    folder: PathBuf,
}

impl Check {
    /// A scenario in a file, of the crate in `root`, for this system.
    ///
    /// # Panics
    ///
    /// When the file cannot be read or is no scenario: with its place and the remedy.
    pub fn new(system: impl Into<Registered>, root: &str, file: &str) -> Self {
        let system = system.into().info();
        let path = Path::new(root).join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!(
                "{}: cannot be read: {error}; paths count from the crate's Cargo.toml",
                path.display()
            )
        });
        let scenario = scenario::parse(file, &text, &[], &system.known);
        Self {
            name: file.to_owned(),
            scenario: scenario.unwrap_or_else(|error| panic!("{error}")),
            bug: None,
            folder: Path::new(root).join("capsules"),
        }
    }

    /// The same with a planted bug: to see a test fail.
    ///
    /// # Panics
    ///
    /// When this build has no bug of that name.
    #[must_use]
    pub fn with_bug(mut self, name: &str) -> Self {
        self.bug = Some(
            system::of(&self.scenario)
                .bug(name)
                .unwrap_or_else(|error| panic!("{error}")),
        );
        self
    }

    /// The same with its capsules in another folder.
    #[must_use]
    pub fn keeping_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Runs the capsules that are kept of this scenario: none may fail.
    ///
    /// # Errors
    /// The first failure, for a person, with the line that replays it.
    pub fn kept(&self) -> Result<(), String> {
        let Ok(folder) = fs::read_dir(&self.folder) else {
            return Ok(());
        };
        let mut paths: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
        for path in paths.into_iter().filter(is_json) {
            let shown = path.display();
            let text = fs::read_to_string(&path).map_err(|error| format!("{shown}: cannot be read: {error}"))?;
            let capsule = Capsule::parse("the capsule", &text).map_err(|error| format!("{shown}: {error}"))?;
            let is_ours = capsule.origin.scenario == self.name;
            if let Some(failure) = capsule.run(RunOptions::default()).failure.filter(|_| is_ours) {
                return Err(format!(
                    "{failure}\n{}\nkept from before; replay: squall replay {shown}",
                    failure.message
                ));
            }
        }
        Ok(())
    }

    /// Whether a seed ends as the scenario expects.
    ///
    /// # Errors
    /// Its failure, for a person.
    pub fn seed(&self, seed: u64) -> Result<(), String> {
        let report = attempt(&self.scenario, seed, self.options());
        match expectation::judged(&self.scenario, report.failure) {
            None => Ok(()),
            Some(failure) => Err(format!("{failure}\n{}", failure.message)),
        }
    }

    /// Makes a failing seed as small as time allows and keeps it; says what to look at.
    pub fn keep(&self, seed: u64) -> String {
        let keep = || -> Result<String, Box<dyn std::error::Error>> {
            let capsule = Capsule::of_seed(&self.name, &self.scenario, seed, self.bug)?;
            let options = Options {
                jobs: std::thread::available_parallelism().map_or(1, Into::into),
                time: Some(SHRINK_TIME),
                attempts: u64::MAX,
            };
            let shrunk = shrink(&capsule, &options, &AtomicBool::new(false), &mut ())?;
            let name = shrunk.capsule.signature().unwrap_or("failure");
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let name: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
            let path = self.folder.join(name + ".capsule.json");
            whole::create_folder(&self.folder)?;
            whole::write(&path, shrunk.capsule.to_json().as_bytes())?;
            let (before, after) = (shrunk.before, shrunk.after);
            Ok(format!(
                "shrunk: {} → {} events, {} → {} faults, {} → {} operations\nreplay: squall replay {}",
                before.events,
                after.events,
                before.faults,
                after.faults,
                before.operations,
                after.operations,
                path.display()
            ))
        };
        keep().unwrap_or_else(|error| format!("not kept: {error}"))
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            bug: self.bug,
            ..RunOptions::default()
        }
    }
}

/// A test that tries seeds of a scenario: see [`mod@crate::check`].
///
/// `check! { name(System, "path.toml", cases = 32) }`: the path counts from the crate's `Cargo.toml`. The crate needs `proptest` among
/// its dev-dependencies.
#[macro_export]
macro_rules! check {
    ($(#[$attribute:meta])* $name:ident($system:expr, $file:expr, cases = $cases:expr)) => {
        $(#[$attribute])*
        #[test]
        fn $name() {
            let check = $crate::check::Check::new($system, env!("CARGO_MANIFEST_DIR"), $file);
            if let Err(failure) = $crate::check_seeds!(check, $cases) {
                panic!("{failure}");
            }
        }
    };
    ($system:expr, $file:expr, cases = $cases:expr) => {
        $crate::check! { squall_check($system, $file, cases = $cases) }
    };
}

/// Tries the kept capsules of a [`Check`](crate::check::Check), then so many seeds that `proptest` draws; gives the first failure as
/// text. What [`check!`] is made of, for a test of one's own.
#[macro_export]
macro_rules! check_seeds {
    ($check:expr, $cases:expr) => {{
        let check = &$check;
        check.kept().and_then(|()| {
            use ::proptest::strategy::Strategy;
            use ::proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
            // A seed is not shrunk, as a smaller number is no smaller run; the capsule is.
            let seeds = ::proptest::arbitrary::any::<u64>().no_shrink();
            let config = Config {
                failure_persistence: None,
                ..Config::with_cases($cases)
            };
            let holds = |seed| check.seed(seed).map_err(TestCaseError::fail);
            match TestRunner::new(config).run(&seeds, holds) {
                Ok(()) => Ok(()),
                Err(TestError::Fail(why, seed)) => Err(format!("seed {seed:#018x}: {why}\n{}", check.keep(seed))),
                Err(error) => Err(error.to_string()),
            }
        })
    }};
}
