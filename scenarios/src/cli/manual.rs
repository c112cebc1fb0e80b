//! `squall completions` and `squall man`: what a shell and a reader of manuals need, made from the arguments themselves.

use super::files::Draft;
use super::output::{self, notice};
use super::{Cli, Done, Global, artefacts, exit};
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use std::path::PathBuf;

const SHELLS: &str = "\
Examples:
  squall completions bash > ~/.local/share/bash-completion/completions/squall
  squall completions zsh > ~/.zfunc/_squall          with `fpath+=~/.zfunc` before `compinit`
  squall completions fish > ~/.config/fish/completions/squall.fish";

const PAGES: &str = "\
Examples:
  squall man | man -l -                              the page of squall itself
  squall man --dir ~/.local/share/man/man1           one page for each command: `man squall-sweep`";

/// Arguments of `squall completions`.
#[derive(Args, Debug)]
#[command(after_help = SHELLS)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `squall man`.
#[derive(Args, Debug)]
#[command(after_help = PAGES)]
pub struct ManArgs {
    /// Write the page of every command into this folder, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Carries out `squall completions`.
pub fn completions(args: &CompletionsArgs) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "squall", &mut script);
    output::raw(&script)?;
    Ok(exit::PASSED)
}

/// Carries out `squall man`.
pub fn man(args: &ManArgs, global: &Global) -> Done {
    let mut whole = Cli::command();
    whole.build();
    let Some(dir) = &args.dir else {
        output::raw(&page(whole))?;
        return Ok(exit::PASSED);
    };
    artefacts::folder(dir)?;
    let all = pages(&whole, "squall");
    for (name, page) in &all {
        Draft::create(&dir.join(format!("{name}.1")))?.write(|out| out.write_all(page))?;
    }
    notice(global, &format_args!("{} pages in {}", all.len(), dir.display()));
    Ok(exit::PASSED)
}

/// The pages of a command and of those below it, each with its name.
fn pages(command: &Command, name: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![(name.to_owned(), page(command.clone()))];
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    for below in below {
        all.extend(pages(below, &format!("{name}-{}", below.get_name())));
    }
    all
}

fn page(command: Command) -> Vec<u8> {
    let mut page = Vec::new();
    Man::new(command)
        .render(&mut page)
        .expect("a vector takes all that is written");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_options() {
        let mut whole = Cli::command();
        whole.build();
        let all = pages(&whole, "squall");
        let text = |name: &str| {
            let page = all.iter().find(|(page, _)| page == name);
            String::from_utf8(page.unwrap_or_else(|| panic!("no page {name}")).1.clone()).expect("UTF-8")
        };
        assert!(text("squall").contains(".TH squall 1"), "{}", text("squall"));
        assert!(text("squall-sweep").contains("\\-\\-max\\-fail"));
        for command in whole.get_subcommands().filter(|command| command.get_name() != "help") {
            let page = text(&format!("squall-{}", command.get_name()));
            assert!(page.contains(".SH SYNOPSIS"), "{page}");
        }
    }

    #[test]
    fn completions_of_every_shell_know_every_command() {
        use clap::ValueEnum;
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "squall", &mut script);
            let script = String::from_utf8(script).expect("UTF-8");
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}
