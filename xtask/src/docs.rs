//! Generated files below `docs/`: each is what a command of `dtu` prints.

use std::process::Command;

use anyhow::{Context as _, bail};

use crate::shell::{cargo, output, root, say};

/// What is generated: the file below `docs/`, and the command of `dtu` that prints it.
const FILES: &[(&str, &[&str])] = &[
    ("schema/scenario.schema.json", &["schema", "scenario"]),
    ("schema/target.schema.json", &["schema", "target"]),
    ("schema/world.schema.json", &["schema", "world"]),
    ("schema/faults.schema.json", &["schema", "faults"]),
    ("schema/gates.schema.json", &["schema", "gates"]),
    ("schema/pack.schema.json", &["schema", "pack"]),
    ("schema/result.schema.json", &["schema", "result"]),
    ("schema/decision.schema.json", &["schema", "decision"]),
    ("schema/trajectory.schema.json", &["schema", "trajectory"]),
    ("schema/replay.schema.json", &["schema", "replay"]),
    ("schema/receipt.schema.json", &["schema", "receipt"]),
    ("schema/admission.schema.json", &["schema", "admission"]),
    ("openapi/control-plane.json", &["reference", "control-plane"]),
    ("openapi/okta.json", &["reference", "okta"]),
    ("openapi/jira.json", &["reference", "jira"]),
    ("openapi/slack.json", &["reference", "slack"]),
    ("openapi/google-drive.json", &["reference", "google-drive"]),
    ("openapi/google-identity.json", &["reference", "google-identity"]),
    ("reference/cli.md", &["reference", "cli"]),
    ("reference/names.md", &["reference", "names"]),
    ("coverage.md", &["reference", "coverage"]),
    ("faults.md", &["reference", "faults"]),
    ("fidelity/okta.md", &["reference", "fidelity", "okta"]),
    ("fidelity/jira.md", &["reference", "fidelity", "jira"]),
    ("fidelity/slack.md", &["reference", "fidelity", "slack"]),
    ("fidelity/google-drive.md", &["reference", "fidelity", "google-drive"]),
    ("fidelity/google-sheets.md", &["reference", "fidelity", "google-sheets"]),
    ("fidelity/google-docs.md", &["reference", "fidelity", "google-docs"]),
    ("fidelity/google-identity.md", &["reference", "fidelity", "google-identity"]),
];

/// The pages of fault plans: one for each file, and the list of them.
fn outages() -> anyhow::Result<Vec<(String, Vec<String>)>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut pages = vec![("outages/README.md".to_owned(), words(&["reference", "outages"]))];
    for entry in fs_err::read_dir(root().join("fixtures/faults"))? {
        let path = entry?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        pages.push((format!("outages/{name}.md"), words(&["reference", "outages", name])));
    }
    Ok(pages)
}

/// Writes the files, or with `check` fails where one is not what it would be.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    cargo(&["build", "--quiet", "--package", "dtu"])?;
    let mut stale = Vec::new();
    let fixed = FILES.iter().map(|(file, arguments)| {
        ((*file).to_owned(), arguments.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>())
    });
    for (file, arguments) in fixed.chain(outages()?) {
        let mut dtu = Command::new(root().join("target/debug/dtu"));
        dtu.args(&arguments);
        let text = output(dtu)?;
        let path = root().join("docs").join(&file);
        let present = fs_err::read_to_string(&path).unwrap_or_default();
        if present == text {
            continue;
        }
        if check {
            stale.push(file);
            continue;
        }
        fs_err::create_dir_all(path.parent().context("a file below docs has a folder")?)?;
        fs_err::write(&path, text)?;
        say(&format!("wrote docs/{file}"));
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!("these files below docs are not what they would be: {}\n  hint: run `cargo xtask docs`", stale.join(", "))
}
