//! `dtu universe`: the universes of a running `dtu up`.

use std::fmt::Write as _;

use dtu_kernel::diagnostic::Diagnostic;
use reqwest::Method;
use serde_json::{Value, json};

use super::{super::Failure, Plane, Where, block_on, with};

/// The universes of a running `dtu up`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Universes {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Lists the universes.
    List,
    /// Shows one: where its twins are, and what clients read from the environment.
    Show,
    /// Makes one that goes on from another's present, apart from it.
    Fork {
        /// Its id; a fresh one where absent.
        #[arg(long)]
        id: Option<String>,
        /// The seed of its draws; the other's where absent.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Goes back to the beginning.
    Reset,
    /// Keeps the present.
    Snapshot,
    /// Goes back to a kept snapshot.
    Restore {
        /// Its id.
        snapshot: String,
    },
    /// Shows a part of a twin's state; the parts' names where none is named.
    State {
        /// The twin.
        twin: Option<String>,
        /// The part.
        view: Option<String>,
    },
    /// Shows the net changes since a ledger entry.
    Diff {
        /// The entry.
        #[arg(default_value_t = 0)]
        since: u64,
    },
    /// Ends one.
    End,
}

pub(in crate::cli) fn main(args: &Universes) -> Result<u8, Failure> {
    if let Act::List = args.act {
        return block_on(async {
            let plane = Plane::find(&args.place)?;
            let all = plane.call(Method::GET, "/v1/universes", None).await?;
            plane.say(&all, |all| all.as_array().into_iter().flatten().map(line).collect())
        });
    }
    let (method, path, body) = match &args.act {
        Act::List | Act::Show => (Method::GET, String::new(), None),
        Act::Fork { id, seed } => (Method::POST, "/fork".to_owned(), Some(json!({ "id": id, "seed": seed }))),
        Act::Reset => (Method::POST, "/reset".to_owned(), None),
        Act::Snapshot => (Method::POST, "/snapshots".to_owned(), None),
        Act::Restore { snapshot } => (Method::POST, format!("/snapshots/{snapshot}/restore"), None),
        Act::State { twin: Some(twin), view: Some(view) } => (Method::GET, format!("/state/{twin}/{view}"), None),
        Act::State { .. } => (Method::GET, "/state".to_owned(), None),
        Act::Diff { since } => (Method::GET, format!("/diff?since={since}"), None),
        Act::End => (Method::DELETE, String::new(), None),
    };
    with(&args.place, |session| async move {
        let mut answer = session.call(method, &path, body).await?;
        if let Act::State { twin: Some(twin), view: None } = &args.act {
            answer = views_of(&answer, twin)?;
        }
        session.plane.say(&answer, shown)
    })
}

/// The parts of one twin's state, out of those of all.
fn views_of(all: &Value, twin: &str) -> Result<Value, Failure> {
    let known = all.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let unknown = || Diagnostic::whole("TWIN", format!("there is no twin `{twin}`")).suggest(twin, known);
    Ok(all.get(twin).cloned().ok_or_else(unknown)?)
}

/// A universe in one line.
fn line(one: &Value) -> String {
    let text = |name: &str| one[name].as_str().unwrap_or_default();
    format!(
        "{}  world {}, seed {}, {} ({}), {} ledger entries\n",
        text("universe"),
        text("world"),
        one["seed"],
        text("now"),
        text("clock"),
        one["ledger"]
    )
}

fn shown(answer: &Value) -> String {
    let Some(twins) = answer["twins"].as_object() else {
        let pretty = serde_json::to_string_pretty(answer).unwrap_or_default();
        return if answer.is_null() { "done\n".to_owned() } else { format!("{pretty}\n") };
    };
    let mut page = line(answer);
    for (name, twin) in twins {
        let _ = writeln!(page, "  {name:<16} {}", twin["url"].as_str().unwrap_or_default());
    }
    page
}
