//! `dtu reference`: pages of the reference, made from what they describe.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use dtu_kernel::{control, openapi};
use serde_json::Value;

use super::{Cli, Failure, Out, coverage, fidelity, matrix, names, outages};

/// The pages besides the twins' documents.
const PAGES: [&str; 7] = ["cli", "control-plane", "coverage", "faults", "fidelity", "names", "outages"];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// `cli`, `control-plane`, `coverage`, `faults`, `fidelity`, `names`, `outages`, or a twin's name.
    page: String,
    /// The twin that the page `fidelity` is about, or the fault plan of a page of `outages`.
    #[arg(required_if_eq("page", "fidelity"), value_name = "TWIN|PLAN")]
    about: Option<String>,
}

pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let mut out = Out::stdout();
    match args.page.as_str() {
        "cli" => out.write(&command_line())?,
        "control-plane" => out.write_bytes(&crate::evidence::pretty(&control::document()))?,
        "coverage" => out.write(&fidelity::overview(&coverage::all()?))?,
        "faults" => out.write(&matrix::page()?)?,
        "fidelity" => out.write(&fidelity::page(&coverage::of(args.about.as_deref().unwrap_or_default())?))?,
        "names" => out.write(&names::page()?)?,
        "outages" => out.write(&outages::page(args.about.as_deref())?)?,
        twin => out.write_bytes(&crate::evidence::pretty(&twin_document(twin)?))?,
    }
    Ok(0)
}

fn twin_document(twin: &str) -> Result<Value, Failure> {
    let all = dtu_universe::all();
    if let Some(host) = all.iter().find(|host| host.name() == twin) {
        return Ok(openapi::of_written(host.as_ref()));
    }
    let problem = dtu_kernel::diagnostic::Diagnostic::whole("reference", format!("there is no page `{twin}`"));
    let known = PAGES.into_iter().chain(all.iter().map(|host| host.name()));
    Err(problem.suggest(twin, known).into())
}

/// Every command with its help, as it is shown in a terminal.
fn command_line() -> String {
    let mut page = "# Command line\n\nWritten by `cargo xtask docs`.\n".to_owned();
    // Texts are not to depend on the terminal of who writes the page.
    let mut cli = Cli::command().term_width(110).disable_help_subcommand(true);
    cli.build();
    let names: Vec<String> =
        cli.get_subcommands().filter(|sub| !sub.is_hide_set()).map(|sub| sub.get_name().to_owned()).collect();
    section(&mut page, "dtu", &mut cli);
    for name in names {
        if let Some(sub) = cli.find_subcommand_mut(&name) {
            sections(&mut page, &format!("dtu {name}"), sub);
        }
    }
    page
}

/// A command and all below it.
fn sections(page: &mut String, title: &str, command: &mut clap::Command) {
    section(page, title, command);
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        if let Some(sub) = command.find_subcommand_mut(&name) {
            sections(page, &format!("{title} {name}"), sub);
        }
    }
}

fn section(page: &mut String, title: &str, command: &mut clap::Command) {
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## `{title}`\n\n```text\n{}\n```\n", help.join("\n").trim_end());
}
