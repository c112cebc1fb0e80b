//! `squall new`: a file to begin with.

use super::error::CliError;
use super::output;
use super::{Done, Global, exit};
use crate::whole;
use clap::{Args, Subcommand};
use std::io::ErrorKind;
use std::path::PathBuf;

/// What a new scenario begins as.
pub const TEMPLATE: &str = include_str!("template.toml");

/// Arguments of `squall new`.
#[derive(Args, Debug)]
pub struct NewArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Write a commented scenario to NAME.toml, which must not exist; to standard output without a name
    Scenario {
        /// Lower-case letters, digits and single hyphens
        name: Option<String>,
    },
}

/// Carries out `squall new`.
pub fn new(args: &NewArgs, global: &Global) -> Done {
    let What::Scenario { name } = &args.what;
    let Some(name) = name else {
        output::result(global, &TEMPLATE, || TEMPLATE.to_owned())?;
        return Ok(exit::PASSED);
    };
    let text = TEMPLATE.replace("my-scenario", name);
    // The name may be none.
    crate::scenario::parse(name, &text, &[], &super::system().known)?;
    let path = PathBuf::from(format!("{name}.toml"));
    let written = whole::write_new(&path, text.as_bytes());
    written.map_err(|error| CliError::BadFile {
        path: path.clone(),
        what: match error.kind() {
            ErrorKind::AlreadyExists => "it exists already: choose another name, or remove it first".to_owned(),
            _ => format!("it cannot be written: {error}"),
        },
    })?;
    output::notice(global, &format_args!("wrote {0}; try: squall run {0}", path.display()));
    Ok(exit::PASSED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{RunOptions, run};

    #[test]
    fn the_template_is_a_scenario_that_runs() {
        let scenario = crate::scenario::parse("template", TEMPLATE, &[], &crate::raft_kv::known());
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        let report = run(&scenario, 1, RunOptions::default());
        assert_eq!(report.failure, None);
        assert!(report.operations > 100);
    }
}
