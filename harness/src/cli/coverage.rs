//! `dtu coverage`: how far twins go with each operation of their services' public documents, and what proves it.

use std::{fmt::Write as _, sync::Arc};

use dtu_contract::{
    claims::{Claim, Claims, Class},
    coverage::{Coverage, Evidence, LEVELS, Row},
    differences::Differences,
};
use dtu_kernel::{diagnostic::Diagnostic, host::Host};
use dtu_universe::facts::{self, Facts};
use serde_json::{Map, Value, json};

use super::{Failure, Out};

/// The form of `--json`.
const FORMAT: &str = "dtu/coverage/v1";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The twin whose operations are listed; a summary of all twins where absent.
    twin: Option<String>,
    /// Prints JSON instead of tables for people.
    #[arg(long)]
    json: bool,
}

/// What is known of a twin's fidelity.
pub(super) struct Fidelity {
    pub(super) twin: &'static str,
    pub(super) title: &'static str,
    pub(super) coverage: Coverage,
    pub(super) claims: Claims,
    pub(super) evidence: Evidence,
    pub(super) differences: Differences,
}

pub(super) fn main(args: &Args) -> Result<u8, Failure> {
    let twins = match &args.twin {
        Some(name) => vec![of(name)?],
        None => all()?,
    };
    let text = match (&args.twin, args.json) {
        (_, true) => return written(&json(&twins)),
        (None, false) => summary(&twins),
        (Some(_), false) => twins.iter().map(list).collect(),
    };
    Out::stdout().write(&text)?;
    Ok(0)
}

fn written(value: &Value) -> Result<u8, Failure> {
    Out::stdout().write_bytes(&crate::evidence::pretty(value))?;
    Ok(0)
}

/// All twins of which something is written down.
pub(super) fn all() -> Result<Vec<Fidelity>, Failure> {
    let hosts = dtu_universe::all();
    let known = hosts.iter().filter_map(|host| facts::of(host.name()).map(|facts| (host, facts)));
    known.map(|(host, facts)| Ok(Fidelity::read(host, facts)?)).collect()
}

/// One twin by its name.
pub(super) fn of(name: &str) -> Result<Fidelity, Failure> {
    let hosts = dtu_universe::all();
    let host = hosts.iter().find(|host| host.name() == name);
    if let Some((host, facts)) = host.zip(facts::of(name)) {
        return Ok(Fidelity::read(host, facts)?);
    }
    let problem = Diagnostic::whole("coverage", format!("there is no twin `{name}` with a contract"));
    Err(problem.suggest(name, facts::ALL.iter().map(|facts| facts.twin)).into())
}

impl Fidelity {
    fn read(host: &Arc<dyn Host>, facts: &Facts) -> Result<Self, Vec<Diagnostic>> {
        let twin = facts.twin;
        let evidence: Evidence = serde_json::from_str(facts.evidence)
            .map_err(|error| vec![Diagnostic::whole(&format!("tests/evidence/{twin}.json"), error.to_string())])?;
        let differences = match facts.differences {
            "" => Differences::default(),
            text => Differences::parse(&format!("{}/differences.yaml", facts.folder), text)?,
        };
        Ok(Self {
            twin,
            title: host.title(),
            coverage: Coverage::of((facts.contract)(), host.operations()),
            claims: Claims::parse(&format!("{}/claims.yaml", facts.folder), facts.claims)?,
            evidence,
            differences,
        })
    }

    /// How many calls the service's own client libraries made of an operation, by library.
    pub(super) fn clients(&self, row: &Row) -> impl Iterator<Item = (&str, u64)> {
        let proof = self.evidence.get(row.served.as_str());
        proof.into_iter().flat_map(|proof| proof.clients.iter().map(|(name, count)| (name.as_str(), *count)))
    }

    /// Recorded exchanges of an operation, and with how many of them the twin agrees.
    pub(super) fn recorded(&self, row: &Row) -> Option<(u64, u64)> {
        let recorded = self.evidence.get(row.served.as_str())?.recorded?;
        Some((recorded.exchanges, recorded.agree))
    }
}

/// A share in words: one digit behind the point.
pub(super) fn share(part: usize, whole: usize) -> String {
    let tenths = (part * 1000 + whole / 2).checked_div(whole).unwrap_or(0);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn summary(twins: &[Fidelity]) -> String {
    let mut rows =
        vec![["twin", "operations", "behaves", "stores", "shapes", "absent", "beyond", "claims"].map(str::to_owned)];
    for twin in twins {
        let whole = twin.coverage.documented().count();
        let [behaves, stores, shapes, absent] = LEVELS.map(|level| {
            let count = twin.coverage.count(level);
            format!("{count} ({})", share(count, whole))
        });
        let beyond = twin.coverage.beyond().count().to_string();
        let claims = twin.claims.rows().len().to_string();
        rows.push([twin.title.to_owned(), whole.to_string(), behaves, stores, shapes, absent, beyond, claims]);
    }
    let mut text = table(&rows);
    text.push_str(
        "\nOperations are those of the services' public documents; `beyond` counts what a twin serves besides.\n",
    );
    text
}

fn list(twin: &Fidelity) -> String {
    let mut rows =
        vec![["level", "operation", "method", "path", "claims", "client calls", "recorded"].map(str::to_owned)];
    for row in &twin.coverage.rows {
        let calls: u64 = twin.clients(row).map(|(_, count)| count).sum();
        let recorded = twin.recorded(row).map(|(count, agree)| format!("{agree}/{count}"));
        let level =
            if row.document.is_some() { row.level.name().to_owned() } else { format!("{}, beyond", row.level.name()) };
        let claims = twin.claims.about(&row.served).count();
        let [claims, calls] = [claims as u64, calls].map(|n| if n == 0 { String::new() } else { n.to_string() });
        let (id, method, path) = (row.id.to_string(), row.method.to_string(), row.path.to_string());
        rows.push([level, id, method, path, claims, calls, recorded.unwrap_or_default()]);
    }
    let classes = Class::ALL.map(|class| format!("{} {}", twin.claims.count(class), class.name()));
    let mut text = summary(std::slice::from_ref(twin));
    // Writing to a string cannot fail.
    let general = twin.claims.general().count();
    let _ = write!(text, "Claims: {}; {general} are about all operations.\n\n", classes.join(", "));
    text + &table(&rows)
}

/// Rows as columns of equal width.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn json(twins: &[Fidelity]) -> Value {
    json!({ "format": FORMAT, "twins": twins.iter().map(twin_json).collect::<Vec<_>>() })
}

fn twin_json(twin: &Fidelity) -> Value {
    let levels: Map<String, Value> =
        LEVELS.into_iter().map(|level| (level.name().to_owned(), json!(twin.coverage.count(level)))).collect();
    let classes: Map<String, Value> =
        Class::ALL.into_iter().map(|class| (class.name().to_owned(), json!(twin.claims.count(class)))).collect();
    json!({
        "twin": twin.twin,
        "title": twin.title,
        "operations": twin.coverage.documented().count(),
        "levels": levels,
        "beyond": twin.coverage.beyond().count(),
        "claims": classes,
        "general": twin.claims.general().map(|(_, claim)| claim_json(claim)).collect::<Vec<_>>(),
        "rows": twin.coverage.rows.iter().map(|row| row_json(twin, row)).collect::<Vec<_>>(),
    })
}

fn claim_json(claim: &Claim) -> Value {
    let Claim { claim, class, source, caller, test, .. } = claim;
    json!({ "claim": claim, "class": class, "source": source, "caller": caller, "test": test.to_string() })
}

fn row_json(twin: &Fidelity, row: &Row) -> Value {
    let claims = twin.claims.about(&row.served).map(|(_, claim)| claim_json(claim));
    let clients: Map<String, Value> = twin.clients(row).map(|(name, count)| (name.to_owned(), json!(count))).collect();
    let recorded = twin.recorded(row).map(|(exchanges, agree)| json!({ "exchanges": exchanges, "agree": agree }));
    json!({
        "operation": row.id,
        "method": row.method,
        "path": row.path,
        "document": row.document,
        "deprecated": row.deprecated,
        "level": row.level,
        "claims": claims.collect::<Vec<_>>(),
        "clients": clients,
        "recorded": recorded,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded() {
        assert_eq!([share(1, 3), share(0, 7), share(7, 7), share(0, 0)], ["33.3 %", "0.0 %", "100.0 %", "0.0 %"]);
    }

    #[test]
    fn each_operation_of_the_documents_is_at_one_level() {
        let twins = all().unwrap_or_else(|failure| panic!("{failure}"));
        for twin in &twins {
            let at_levels: usize = LEVELS.iter().map(|level| twin.coverage.count(*level)).sum();
            assert_eq!(at_levels, twin.coverage.documented().count(), "{}", twin.twin);
            assert!(at_levels > 0, "{}", twin.twin);
        }
        let json = json(&twins);
        assert_eq!(json["format"], FORMAT);
        let rows = json["twins"][0]["rows"].as_array().expect("rows");
        let list_users = rows.iter().find(|row| row["operation"] == "listUsers").expect("is an operation of Okta");
        assert_eq!(list_users["level"], "behaves");
        assert!(list_users["clients"].as_object().is_some_and(|clients| !clients.is_empty()), "{list_users}");
    }

    #[test]
    fn a_list_has_a_line_for_each_operation() {
        let twin = of("slack").unwrap_or_else(|failure| panic!("{failure}"));
        let text = list(&twin);
        assert!(text.lines().any(|line| line.starts_with("behaves") && line.contains("chat.postMessage")), "{text}");
        assert!(text.lines().any(|line| line.starts_with("behaves, beyond") && line.contains("/actions/")), "{text}");
        assert!(of("slak").is_err_and(|failure| failure.to_string().contains("did you mean `slack`?")));
    }
}
