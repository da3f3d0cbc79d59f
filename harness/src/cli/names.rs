//! The page of all that scenario and target files can name: variables, what people can do, and what there is to see.

use std::{fmt::Write as _, sync::Arc};

use dtu_kernel::{
    host::{AffordanceInfo, Host},
    universe::{Options, Universe},
};
use serde_json::Value;

use super::Failure;
use crate::{facts::variable_of, lint::members};

/// The world of which views are shown with their members: it has some of nearly everything.
const WORLD: &str = "acme";

/// Variables of expressions, and what they hold.
const VARIABLES: &[(&str, &str)] = &[
    ("params", "the scenario's parameters"),
    (
        "people",
        "the world's people by key, with `name`, `first`, `last`, `email`, `title`, `department`, `manager`, \
         `manager_email`, `status`",
    ),
    ("now", "what the universe's clock shows, as text"),
    ("port", "the free port that the target was given"),
    ("env", "the environment for clients, below"),
    ("twins", "twins by name, each with its URL"),
    ("target", "the program: its `url` and `port`"),
    ("acts", "what came of beats that have an `id`"),
    ("round", "how many times a `repeat` has begun, from 1"),
    ("e", "an entry of the ledger, below"),
    ("c", "a change, where collateral is allowed: `twin`, `table`, `key`, and the row `before` and `after`"),
    ("r", "a row of a view, where reads are judged"),
];

/// Members of a ledger entry, and what they hold.
const ENTRY: &[(&str, &str)] = &[
    ("seq", "its place in the ledger"),
    ("at", "when (the universe's time)"),
    (
        "kind",
        "`request`, `delivery`, `affordance` (somebody's act in a service), `fault`, `fault_skipped`, `timer`, `socket`, \
         `frame`, `clock`, `control`, `act` and `answer` (of the scenario itself)",
    ),
    ("principal", "who made it happen: `target`, `actor:KEY`, `system`, `fault`, `operator`"),
    ("twin", "the twin; empty for the universe as a whole"),
    ("cause", "the `seq` of the entry that it comes of; -1 where none is known"),
    ("operation", "of a request: the operation's id, as `docs/fidelity/` lists them"),
    ("caller", "of a request: whose credential it was"),
    ("resource", "of a request: the object that it names"),
    ("args", "arguments by name: of a request's path, query and body together, of a delivery's body, of an act"),
    ("status", "HTTP status of the answer; 0 where none came"),
    ("error", "the service's error code, or why a delivery or an act came to nothing"),
    ("json", "the answer's body, read as JSON"),
    ("request", "`method`, `target` (path and query), `content_type`, `body`"),
    ("response", "`status`, `body`"),
    ("fault", "the rule that struck the call"),
    ("gap", "whether the twin does not serve what was asked"),
    ("changes", "rows that changed, each as `c` is"),
    ("delivery", "of a delivery: `id`, `kind`, `url`, `attempt`"),
    ("verb", "of an affordance: what was done"),
    ("with", "of an affordance: its arguments"),
    ("result", "of an affordance or an answer: what came of it"),
    ("rule", "of a fault: its rule"),
    ("on", "of a fault: the operation or delivery that it struck"),
    ("effect", "of a fault: what it did"),
    ("name", "of a timer, an act or an answer: its name"),
    ("from", "of a moved clock: where it stood"),
    ("to", "of a moved clock: where it stands"),
    ("action", "of a control entry, an act or an answer: what it was"),
    ("detail", "of a control entry: more about it"),
];

/// The page.
///
/// # Errors
/// Where the world cannot be loaded.
pub(super) fn page() -> Result<String, Failure> {
    let multiverse = dtu_universe::multiverse();
    let universe = multiverse.create_unserved(WORLD, &Options::default())?;
    let mut page = "# Names\n\nAll that scenario, target and fault files can name: variables of expressions (CEL), what people can do, and \
        what there is to see. `dtu lint` tells what is mistyped.\n\nWritten by `cargo xtask docs`.\n\n## Variables\n\n\
        In scenarios; a target file has `params`, `port`, `env` and `twins`. Twins with a dash in their name are written \
        with an underscore: `google_drive.files`.\n\n"
        .to_owned();
    table(&mut page, ["variable", "holds"], VARIABLES.iter().map(|(name, holds)| [quoted(name), (*holds).to_owned()]));
    page.push_str(
        "\n## Members of a ledger entry\n\nEach entry has all of them; those that its kind has not are empty.\n\n",
    );
    table(&mut page, ["`e.`", "holds"], ENTRY.iter().map(|(name, holds)| [quoted(name), (*holds).to_owned()]));
    page.push_str(
        "\n## Environment for clients\n\nWhat the services' own client libraries read; `dtu up` prints the values.\n\n",
    );
    let variables: Vec<String> = universe.env().iter().map(|variable| quoted(variable.name)).collect();
    let _ = writeln!(page, "{}", variables.join(", "));
    for twin in multiverse.twins() {
        of_twin(&mut page, twin, &universe);
    }
    Ok(page)
}

/// What people can do in a service, and what there is to see of it.
fn of_twin(page: &mut String, twin: &Arc<dyn Host>, universe: &Universe) {
    let (verbs, views) = (twin.affordances(), twin.views());
    // Writing to a string cannot fail.
    let _ = writeln!(page, "\n## {} (`{}`)", twin.title(), twin.name());
    if !verbs.is_empty() {
        page.push_str("\nWhat people do (`do`), and its arguments (`with`); those in brackets may be left out:\n\n");
        table(page, ["verb", "what", "arguments"], verbs.iter().map(verb));
    }
    if !views.is_empty() {
        let _ = writeln!(page, "\nWhat there is to see, with the members of a row in the world `{WORLD}`:\n");
        let row = |(name, about): &(&'static str, &'static str)| {
            let known = members(&universe.view(twin.name(), name).unwrap_or_default());
            let known: Vec<String> = known.iter().map(|member| quoted(member)).collect();
            [quoted(&format!("{}.{name}", variable_of(twin.name()))), (*about).to_owned(), known.join(", ")]
        };
        table(page, ["view", "what", "members"], views.iter().map(row));
    }
}

fn verb(info: &AffordanceInfo) -> [String; 3] {
    let schema = info.arguments_schema();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let argument = |(name, about): (&String, &Value)| {
        let shown = if required.contains(&name.as_str()) { quoted(name) } else { format!("[{}]", quoted(name)) };
        let about = about["description"].as_str().unwrap_or_default().replace('\n', " ");
        if about.is_empty() { shown } else { format!("{shown}: {about}") }
    };
    let arguments: Vec<String> = schema["properties"].as_object().into_iter().flatten().map(argument).collect();
    [quoted(info.verb), info.about.to_owned(), arguments.join("<br>")]
}

fn quoted(name: &str) -> String {
    format!("`{name}`")
}

fn table<const N: usize>(page: &mut String, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let _ = writeln!(page, "| {} |\n|{}", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::expr::{ENTRY_MEMBERS, Scope};

    #[test]
    fn every_variable_and_every_member_of_an_entry_is_told_of() {
        let scopes =
            [Scope::State, Scope::Entry, Scope::Change, Scope::Row, Scope::Target, Scope::Params, Scope::World];
        let known: BTreeSet<&str> = scopes.iter().flat_map(|scope| scope.variables()).copied().collect();
        assert_eq!(VARIABLES.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), known);
        let told: BTreeSet<&str> = ENTRY.iter().map(|(name, _)| *name).collect();
        assert_eq!(told, ENTRY_MEMBERS.into_iter().collect::<BTreeSet<_>>());
    }

    #[test]
    fn verbs_have_their_arguments_and_views_their_members() {
        let page = page().expect("acme loads");
        for wanted in [
            "| `slack.user.post` | Writes a message in a channel or to somebody. | `channel`: ",
            "<br>[`thread_ts`]: The thread to reply in. |",
            "| `okta.groups` | ",
            "`OKTA_CLIENT_ORGURL`",
        ] {
            assert!(page.contains(wanted), "the page lacks {wanted}");
        }
        let line = page.lines().find(|line| line.starts_with("| `slack.messages`")).expect("is a view");
        assert!(line.contains("`text`") && line.contains("`from`") && line.contains("`channel`"), "{line}");
    }
}
