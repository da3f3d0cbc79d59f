//! Pages about the fault plans that are part of the program: what a service did, what programs got wrong, how to use it.

use std::fmt::Write as _;

use dtu_kernel::fault::{During, Episode, NAMED, PlanFile, Rule, Strikes};

use super::Failure;

/// The page of a plan; the list of all where none is named.
pub(super) fn page(name: Option<&str>) -> Result<String, Failure> {
    match name {
        Some(name) => Ok(one(&PlanFile::find(name, &[])?)),
        None => list(),
    }
}

fn list() -> Result<String, Failure> {
    let mut page = "# Outages\n\nFault plans that are part of the program. Arm one with `--faults NAME` of `dtu up`, or \
        with `dtu fault add NAME` while it runs.\n\nWritten by `cargo xtask docs`.\n\n| plan | what happens |\n|---|---|\n"
        .to_owned();
    for (name, _) in NAMED {
        let plan = PlanFile::find(name, &[])?;
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| [{name}]({name}.md) | {} |", plan.about.trim_end());
    }
    Ok(page)
}

fn one(plan: &PlanFile) -> String {
    let mut page = format!("# {}\n\n{}\n\nWritten by `cargo xtask docs`.\n", plan.name, plan.about.trim_end());
    for (title, text) in [("What the service did", &plan.did), ("What programs got wrong", &plan.wrong)] {
        if !text.is_empty() {
            let _ = write!(page, "\n## {title}\n\n{}\n", text.trim_end());
        }
    }
    let _ = write!(page, "\n## What the plan does\n\n| rule | strikes | when | does |\n|---|---|---|---|\n");
    for rule in &plan.rules {
        let does = serde_json::to_value(&rule.effect).unwrap_or_default();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | `{}` |",
            rule.id,
            cell(&struck(rule)),
            when(rule),
            cell(&does.to_string())
        );
    }
    usage(&mut page, plan);
    if !plan.sources.is_empty() {
        page.push_str("\n## Sources\n\n");
        for source in &plan.sources {
            let _ = writeln!(page, "- <{source}>");
        }
    }
    page
}

fn usage(page: &mut String, plan: &PlanFile) {
    let name = &plan.name;
    let _ = write!(page, "\n## How to use it\n\n```sh\ndtu up --faults {name}\ndtu fault add {name} --for 10m\n```\n");
    if plan.vars.is_empty() {
        return;
    }
    page.push_str("\n| variable | usually |\n|---|---|\n");
    for (name, value) in &plan.vars {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = writeln!(page, "| `{name}` | `{value}` |");
    }
    if let Some((name, _)) = plan.vars.first_key_value() {
        let _ = write!(
            page,
            "\n`--fault-var {name}=...` of `dtu up`, or `--var {name}=...` of `dtu fault add`, sets one.\n"
        );
    }
}

/// What a rule strikes, in words.
pub(super) fn struck(rule: &Rule) -> String {
    let on = &rule.on;
    let name = on.deliver.as_ref().or(on.timer.as_ref()).or(on.operation.as_ref());
    let mut words = rule.strikes().name().to_owned();
    if let Some(name) = name.filter(|name| *name != "*" && rule.strikes() != Strikes::Connections) {
        let _ = write!(words, " `{name}`");
    }
    if let Some(twin) = on.twin.as_deref().filter(|twin| *twin != "*") {
        let _ = write!(words, " of {twin}");
    }
    if let Some(condition) = &on.condition {
        let _ = write!(words, ", where `{condition}`");
    }
    words
}

/// When a rule is in force, in words.
pub(super) fn when(rule: &Rule) -> String {
    let on = &rule.on;
    let mut parts = Vec::new();
    parts.extend(on.after.map(|span| format!("after {span}")));
    parts.extend(on.until.map(|span| format!("until {span}")));
    parts.extend(on.burst.map(|burst| format!("{} of every {}", burst.span, burst.every)));
    if let Some(During::Whole(episode)) = &on.during {
        parts.push(storm(episode));
    }
    parts.extend(on.nth.map(|nth| format!("match {nth}")));
    match (on.probability, on.ramp) {
        (from, Some(ramp)) => {
            let from = from.map_or_else(|| "0/1".to_owned(), |odds| odds.to_string());
            parts.push(format!("odds from {from} to {} over {}", ramp.to, ramp.over));
        }
        (Some(odds), None) => parts.push(format!("odds {odds}")),
        (None, None) => {}
    }
    if parts.is_empty() { "always".to_owned() } else { parts.join(", ") }
}

fn storm(episode: &Episode) -> String {
    let mut words = format!("during `{}`: {}", episode.name, episode.lasts);
    if let Some(every) = episode.every {
        let _ = write!(words, " every {every}");
    }
    if let Some(odds) = episode.probability {
        let _ = write!(words, " with odds {odds}");
    }
    words
}

/// Text inside a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_says_what_happened_and_what_went_wrong() {
        for (name, _) in NAMED {
            let plan = PlanFile::find(name, &[]).expect("is a plan");
            assert_eq!(plan.name, *name);
            for text in [&plan.about, &plan.did, &plan.wrong] {
                assert!(text.len() > 40, "{name} says too little: {text}");
            }
            assert!(plan.sources.iter().all(|source| source.starts_with("https://")) && !plan.sources.is_empty());
            let page = one(&plan);
            for rule in &plan.rules {
                assert!(page.contains(rule.id.as_str()), "{name} lacks {}", rule.id);
            }
        }
    }

    #[test]
    fn a_rule_is_told_in_words() {
        let rule: Rule = serde_json::from_value(serde_json::json!({
            "id": "a",
            "on": { "twin": "okta", "operation": "listUsers", "where": "has(args.search) || true", "after": "1m",
                "burst": { "for": "5s", "every": "20s" }, "ramp": { "to": "1/2", "over": "1h" } },
            "do": { "reset": {} }
        }))
        .expect("is a rule");
        assert_eq!(struck(&rule), "calls `listUsers` of okta, where `has(args.search) || true`");
        assert_eq!(when(&rule), "after 1m, 5s of every 20s, odds from 0/1 to 1/2 over 1h");
    }
}
