//! Pages of the documentation that say how far each twin goes, and how that is known.

use std::{collections::BTreeMap, fmt::Write as _};

use dtu_contract::{
    claims::{Claim, Class},
    coverage::{LEVELS, Row},
    differences::Row as Difference,
};
use dtu_kernel::operation::Level;

use super::coverage::{Fidelity, share};

const WRITTEN_BY: &str = "Written by `cargo xtask docs`.";

/// What the levels mean.
const LEGEND: &str = "\
- **behaves**: hand-written rules; the twin does what the service does.
- **stores**: generic and stateful; what is written can be read again.
- **shapes**: answers are valid, and nothing is remembered.
- **absent**: refused by name in the service's shape; a trajectory that calls it is void.
";

/// The summary of all twins: `docs/coverage.md`.
pub(super) fn overview(twins: &[Fidelity]) -> String {
    let mut page = format!("# Coverage\n\n{WRITTEN_BY}\n\nOperations of the services' public documents, by level:\n\n");
    page.push_str(LEGEND);
    page.push('\n');
    let heads = ["twin", "operations", "behaves", "stores", "shapes", "absent", "beyond the documents", "claims"];
    head(&mut page, &heads);
    for twin in twins {
        let whole = twin.coverage.documented().count();
        let levels = LEVELS.map(|level| {
            let count = twin.coverage.count(level);
            format!("{count} ({})", share(count, whole))
        });
        let mut cells = vec![format!("[{}](fidelity/{}.md)", twin.title, twin.twin), whole.to_string()];
        cells.extend(levels);
        cells.extend([twin.coverage.beyond().count().to_string(), twin.claims.rows().len().to_string()]);
        line(&mut page, &cells);
    }
    page
}

/// A twin's page: `docs/fidelity/<twin>.md`.
pub(super) fn page(twin: &Fidelity) -> String {
    let mut page = format!("# {}: fidelity\n\n{WRITTEN_BY}\n\n", twin.title);
    summary(&mut page, twin);
    page.push_str("\n## All operations\n\n");
    twin.claims.general().for_each(|(number, claim)| item(&mut page, number, claim));
    page.push_str("\n## behaves\n");
    for (resource, rows) in by_resource(twin, Level::Behaves) {
        say(&mut page, format_args!("\n### {resource}\n"));
        for row in rows {
            in_full(&mut page, twin, row);
        }
    }
    for level in [Level::Stores, Level::Shapes, Level::Absent] {
        in_short(&mut page, twin, level);
    }
    claims(&mut page, twin);
    differences(&mut page, twin);
    page
}

/// Writing to a string cannot fail.
fn say(page: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(what);
}

fn line<T: AsRef<str>>(page: &mut String, cells: &[T]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.as_ref().replace('|', "\\|")).collect();
    say(page, format_args!("| {} |\n", cells.join(" | ")));
}

fn head(page: &mut String, names: &[&str]) {
    line(page, names);
    say(page, format_args!("|{}\n", "---|".repeat(names.len())));
}

fn summary(page: &mut String, twin: &Fidelity) {
    let whole = twin.coverage.documented().count();
    page.push_str(LEGEND);
    page.push('\n');
    head(page, &["level", "operations", "share"]);
    for level in LEVELS {
        let count = twin.coverage.count(level);
        line(page, &[level.name(), &count.to_string(), &share(count, whole)]);
    }
    line(page, &["all of the documents", &whole.to_string(), ""]);
    line(page, &["beyond the documents", &twin.coverage.beyond().count().to_string(), ""]);
    let classes = Class::ALL.map(|class| format!("{} {}", twin.claims.count(class), class.name()));
    let exchanges = twin.coverage.rows.iter().filter_map(|row| twin.recorded(row));
    let (exchanges, agree) = exchanges.fold((0, 0), |(all, agreeing), (n, m)| (all + n, agreeing + m));
    say(
        page,
        format_args!("\nClaims: {}. Recorded exchanges: {exchanges}, of which {agree} agree.\n", classes.join(", ")),
    );
}

/// A twin's operations of a level, by what they are about.
fn by_resource(twin: &Fidelity, level: Level) -> BTreeMap<&str, Vec<&Row>> {
    let mut resources: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in twin.coverage.rows.iter().filter(|row| row.level == level) {
        resources.entry(row.resource()).or_default().push(row);
    }
    resources
}

fn in_full(page: &mut String, twin: &Fidelity, row: &Row) {
    let from = row.document.as_deref().unwrap_or("beyond the documents");
    say(page, format_args!("\n#### `{}`\n\n`{} {}` ({from})\n\n", row.id, row.method, row.path));
    let calls: Vec<String> = twin.clients(row).map(|(name, count)| format!("{name} {count}")).collect();
    let mut facts =
        vec![if calls.is_empty() { "no client calls".to_owned() } else { format!("calls: {}", calls.join(", ")) }];
    facts.extend(recorded(twin, row));
    let known = twin.differences.rows().iter().filter(|known| known.is_about(&row.served)).count();
    if known > 0 {
        facts.push(format!("[known differences](#known-differences): {known}"));
    }
    say(page, format_args!("{}\n", facts.join("; ")));
    let mut claims = twin.claims.about(&row.served).peekable();
    if claims.peek().is_some() {
        page.push('\n');
    }
    claims.for_each(|(number, claim)| item(page, number, claim));
}

fn item(page: &mut String, number: usize, claim: &Claim) {
    say(page, format_args!("- {} ({}, [{number}](#claims))\n", claim.claim, claim.class.name()));
}

fn recorded(twin: &Fidelity, row: &Row) -> Option<String> {
    twin.recorded(row).map(|(exchanges, agree)| format!("recorded exchanges: {exchanges}, agreeing: {agree}"))
}

fn in_short(page: &mut String, twin: &Fidelity, level: Level) {
    let resources = by_resource(twin, level);
    say(page, format_args!("\n## {}\n\n", level.name()));
    if resources.is_empty() {
        return page.push_str("None.\n");
    }
    if resources.values().flatten().any(|row| twin.recorded(row).is_some()) {
        page.push_str("Behind an operation: with how many of its recorded exchanges the twin agrees.\n\n");
    }
    head(page, &["resource", "number", "client calls", "operations"]);
    for (resource, rows) in &resources {
        let calls: u64 = rows.iter().flat_map(|row| twin.clients(row)).map(|(_, count)| count).sum();
        let calls = if calls == 0 { String::new() } else { calls.to_string() };
        let named: Vec<String> = rows.iter().map(|row| named(twin, row)).collect();
        line(page, &[(*resource).to_owned(), rows.len().to_string(), calls, named.join(", ")]);
    }
}

fn named(twin: &Fidelity, row: &Row) -> String {
    let recorded = twin.recorded(row).map(|(exchanges, agree)| format!(" {agree}/{exchanges}"));
    format!("`{}`{}", row.id, recorded.unwrap_or_default())
}

fn claims(page: &mut String, twin: &Fidelity) {
    page.push_str("\n## Claims\n\nWhat the documents' schemas cannot say.\n\n");
    head(page, &["", "claim", "class", "source", "holds for", "test"]);
    for (number, claim) in twin.claims.rows().iter().enumerate() {
        let Claim { claim, class, source, caller, test, .. } = claim;
        let cells = [&(number + 1).to_string(), claim, class.name(), source, caller, &format!("`{test}`")];
        line(page, &cells);
    }
}

fn differences(page: &mut String, twin: &Fidelity) {
    page.push_str(
        "\n## Known differences\n\nWhere real answers differ from the documents, the twin follows the service.\n\n",
    );
    let rows = twin.differences.rows();
    if rows.is_empty() {
        return page.push_str("None are listed.\n");
    }
    head(page, &["operation", "status", "at", "why", "source"]);
    for Difference { operation, status, at, reason, source, .. } in rows {
        let status = status.map_or_else(|| "any".to_owned(), |status| status.to_string());
        let at = if at.is_empty() { "the body".to_owned() } else { format!("`{at}`") };
        line(page, &[&format!("`{operation}`"), &status, &at, reason, source]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::coverage;

    #[test]
    fn pages_tell_of_every_operation_once() {
        for twin in coverage::all().unwrap_or_else(|failure| panic!("{failure}")) {
            let text = page(&twin);
            for row in twin.coverage.rows.iter().filter(|row| row.level != Level::Behaves) {
                assert!(text.contains(&format!("`{}`", row.id)), "{} of {}", row.id, twin.twin);
            }
            let behaving = twin.coverage.rows.iter().filter(|row| row.level == Level::Behaves).count();
            assert_eq!(text.matches("\n#### `").count(), behaving, "{}", twin.twin);
        }
    }
}
