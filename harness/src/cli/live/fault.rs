//! `dtu fault`: the fault rules of a running universe.

use std::{collections::BTreeMap, fmt::Write as _};

use dtu_kernel::{
    diagnostic::Diagnostic,
    fault::{NAMED, PlanFile, Rule},
    shell::variable,
    time::{Span, parse_span},
};
use reqwest::Method;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    super::{Failure, Out, outages},
    Where, text, with,
};

/// Fault rules of a running universe.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Faults {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Arms a fault plan.
    Add {
        /// A plan that is part of the program, or a file; `-` reads one from standard input.
        plan: String,
        /// Gives a variable of the plan another value; may be given several times.
        #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
        var: Vec<(SmolStr, String)>,
        /// Ends all its rules after so long (virtual time), so that a forgotten outage ends.
        #[arg(long = "for", value_name = "SPAN")]
        span: Option<String>,
    },
    /// Shows the armed rules, and how each has fared.
    List,
    /// Disarms a rule, or all.
    Clear {
        /// The rule's id.
        rule: Option<String>,
    },
    /// Lists the plans that are part of the program.
    Names,
}

pub(in crate::cli) fn main(args: &Faults) -> Result<u8, Failure> {
    match &args.act {
        Act::Names => names(),
        Act::Add { plan, var, span } => {
            let plan = read(plan, var, span.as_deref())?;
            with(&args.place, |session| async move {
                let body = json!({ "rules": plan.rules });
                let armed = session.call(Method::POST, "/faults", Some(body)).await;
                session.plane.say(&armed.map_err(|failure| placed(failure, &plan))?, shown)
            })
        }
        Act::List => with(&args.place, |session| async move {
            let armed = session.call(Method::GET, "/faults", None).await?;
            session.plane.say(&armed, shown)
        }),
        Act::Clear { rule } => {
            let path = rule.as_ref().map_or_else(|| "/faults".to_owned(), |rule| format!("/faults/{rule}"));
            with(&args.place, |session| async move {
                session.call(Method::DELETE, &path, None).await?;
                let armed = session.call(Method::GET, "/faults", None).await?;
                session.plane.say(&armed, shown)
            })
        }
    }
}

/// Reads a plan with its variables; with `span` all its rules end after so long.
fn read(plan: &str, vars: &[(SmolStr, String)], span: Option<&str>) -> Result<PlanFile, Failure> {
    let mut plan = if plan == "-" {
        let text = std::io::read_to_string(std::io::stdin())?;
        PlanFile::parse("standard input", &text, vars)?
    } else {
        PlanFile::find(plan, vars)?
    };
    if let Some(span) = span {
        let span = Span(parse_span(span).map_err(|why| Diagnostic::whole("--for", why))?);
        for rule in &mut plan.rules {
            rule.expires = Some(rule.expires.map_or(span, |own| own.min(span)));
        }
    }
    Ok(plan)
}

/// A refusal with its place in the plan, which the control plane does not know, where it is of a twin or an operation.
fn placed(failure: Failure, plan: &PlanFile) -> Failure {
    let astray = match failure {
        Failure::Input(_) => plan.astray(&dtu_universe::all()),
        _ => Vec::new(),
    };
    if astray.is_empty() { failure } else { astray.into() }
}

fn names() -> Result<u8, Failure> {
    let mut page = String::new();
    for (name, _) in NAMED {
        let plan = PlanFile::find(name, &[])?;
        let _ = writeln!(page, "{name}\n  {}", plan.about);
        let vars: BTreeMap<&str, String> =
            plan.vars.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
        for (name, value) in vars {
            let _ = writeln!(page, "    --var {name}={}", value.trim_matches('"'));
        }
    }
    Out::stdout().write(&page)?;
    Ok(0)
}

/// The armed rules, a line each, and what each does.
pub(super) fn shown(armed: &Value) -> String {
    let rows = armed.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return "no rule is armed\n".to_owned();
    }
    let mut page = String::new();
    for row in rows {
        let rule = &row["rule"];
        let _ = writeln!(page, "{}: struck {} of {} that fit", text(&rule["id"]), row["fired"], row["matched"]);
        let _ = writeln!(page, "    {}: {}", course(rule), rule["do"]);
        for (why, times) in row["skipped"].as_object().into_iter().flatten() {
            let _ = writeln!(page, "    skipped {times}: {why}");
        }
    }
    page
}

/// What a rule strikes and when, in words; as it was written where it is a newer program's.
fn course(rule: &Value) -> String {
    let Ok(read) = serde_json::from_value::<Rule>(rule.clone()) else { return rule["on"].to_string() };
    let span = read.expires.map_or_else(String::new, |span| format!(", for {span} in all"));
    format!("{}, {}{span}", outages::struck(&read), outages::when(&read))
}
