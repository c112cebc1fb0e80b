//! `squall schema`: the formats that the tool reads, as JSON Schemas.

use super::output;
use super::{Done, Global, exit};
use crate::{capsule, scenario};
use clap::{Args, ValueEnum};

/// Arguments of `squall schema`.
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    what: What,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Of scenario files, for editors and checkers of TOML
    Scenario,
    /// Of capsules: runs as data
    Capsule,
}

/// Carries out `squall schema`.
pub fn schema(args: &SchemaArgs, global: &Global) -> Done {
    let schema = match args.what {
        What::Capsule => capsule::json_schema(),
        What::Scenario => scenario::json_schema(&super::system().known),
    };
    let text = || format!("{schema:#}\n");
    output::result(global, &schema, text)?;
    Ok(exit::PASSED)
}
