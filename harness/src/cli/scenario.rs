//! `dtu explain` and `dtu scenario`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use dtu_kernel::diagnostic::Diagnostic;

use super::{Failure, Out};
use crate::{explain, load};

#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// Scenario files, and folders of them.
    #[arg(required = true, value_name = "SCENARIO")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Scenarios {
    /// Writes a scenario to begin with: one that runs, with comments on what to change.
    New {
        /// Its id, dotted: `access.approved-by-manager`.
        #[arg(value_name = "ID")]
        id: String,
        /// The folder of the scenario; the file is named after the last part of the id.
        #[arg(long, value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// The world by name, or by path relative to the file.
        #[arg(long, value_name = "WORLD", default_value = "acme")]
        world: String,
    },
}

/// Exit code 0 where all could be read.
pub(super) fn explain(args: &ExplainArgs) -> Result<u8, Failure> {
    let scenarios = load::scenarios(&args.paths)?;
    let texts: Vec<String> = scenarios.iter().map(explain::explain).collect();
    Out::stdout().write(&texts.join("\n"))?;
    Ok(0)
}

pub(super) fn main(command: &Scenarios) -> Result<u8, Failure> {
    let Scenarios::New { id, folder, world } = command;
    check_id(id)?;
    let name = id.rsplit('.').next().unwrap_or(id);
    let file = folder.join(format!("{name}.yaml"));
    if file.exists() {
        return Err(refused(&file, "there is such a file already", "choose another id or --folder"));
    }
    fs_err::create_dir_all(folder)?;
    fs_err::write(&file, template(id, world))?;
    Out::stdout().write(&format!("{}\n  next: dtu lint {0}, dtu explain {0}\n", file.display()))?;
    Ok(0)
}

fn refused(file: &Path, message: &str, hint: &str) -> Failure {
    Diagnostic::whole(&file.display().to_string(), message).hint(hint).into()
}

fn check_id(id: &str) -> Result<(), Failure> {
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if id.split('.').all(is_word) {
        return Ok(());
    }
    Err(refused(Path::new(id), "this is no id of a scenario", "ids are words with dots between: `access.by-manager`"))
}

/// A scenario that can be run as it is.
fn template(id: &str, world: &str) -> String {
    let area = id.split_once('.').map_or("", |(area, _)| area);
    let area = if area.is_empty() { String::new() } else { format!("area: {area}, ") };
    format!(
        "schema: dtu/scenario/v1
id: {id}
# What must be true, in a sentence.
title: Someone asks, and is answered once
# The story as a person would tell it.
story: |
  Someone asks the bot for something. The bot answers, once, and touches nothing else.
meta: {{{area}tags: [slack], weight: 1}}
world: {world}

# Each combination of values is a variant; `any_of` draws a value for each trajectory instead.
params:
  who: {{one_of: [lena, priya]}}

# faults:
#   - rule: {{id: slack-is-busy, on: {{twin: slack, operation: chat.postMessage, nth: 1}}, do: {{rate_limited: {{retry_after: 1s}}}}}}
#     require: fired

# What people do. A beat may wait (`when`, `pause`), act (`as`, `do`, `with`), move the clock (`advance`), or do
# something to the program (`target: restart`).
beats:
  - id: ask
    as: \"${{params.who}}\"
    do: slack.user.post
    with: {{channel: \"#general\", text: \"Can somebody help me?\"}}

checks:
  - name: an answer comes
    that:
      count: {{of: \"e.operation == 'chat.postMessage' && e.status == 200\", by: target, min: 1}}
  - name: it is said once
    role: guard
    that:
      count: {{of: \"e.operation == 'chat.postMessage'\", by: target, max: 1}}

# All that the program changes besides is collateral damage.
collateral:
  allow:
    - {{table: slack.messages}}
    - {{table: slack.channels}}
"
    )
}
