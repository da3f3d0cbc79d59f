//! `dtu ledger`: what happened in a running universe.

use reqwest::Method;
use serde_json::Value;

use super::{
    super::{Failure, Out},
    Where, with,
};

/// What happened in a running universe.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Ledger {
    #[command(flatten)]
    place: Where,
    /// The first entry to show; with a minus, so many from the end.
    #[arg(long, default_value_t = -20, allow_negative_numbers = true, value_name = "N")]
    from: i64,
    /// Only entries of this kind (`request`, `delivery`, `fault`, ...).
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Goes on with new entries as they come.
    #[arg(long)]
    follow: bool,
}

pub(in crate::cli) fn main(args: &Ledger) -> Result<u8, Failure> {
    with(&args.place, |session| async move {
        let length = session.call(Method::GET, "/ledger?from=0&limit=1", None).await?["length"].as_u64();
        let length = length.unwrap_or_default();
        let mut next = match u64::try_from(args.from) {
            Ok(from) => from,
            Err(_) => length.saturating_sub(args.from.unsigned_abs()),
        };
        loop {
            let page = session.call(Method::GET, &format!("/ledger?from={next}&limit=500"), None).await?;
            let entries = page["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
            for entry in entries.iter().filter(|entry| args.kind.as_deref().is_none_or(|kind| entry["kind"] == kind)) {
                let line = if session.plane.json { entry.to_string() } else { line(entry) };
                Out::stdout().write(&format!("{line}\n"))?;
            }
            next = page["next"].as_u64().unwrap_or(next);
            if entries.is_empty() {
                if !args.follow {
                    return Ok(());
                }
                pause().await;
            }
        }
    })
}

#[expect(clippy::disallowed_methods, reason = "waits for news, as a person would")]
async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
}

/// An entry in one line.
fn line(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let what = match text("kind") {
        "request" => {
            let error = if text("error").is_empty() { String::new() } else { format!(" {}", text("error")) };
            let fault = if text("fault").is_empty() { String::new() } else { format!(" (fault {})", text("fault")) };
            format!("{} -> {}{error}{fault}", text("operation"), entry["status"])
        }
        "delivery" => {
            let (kind, attempt) = (&entry["delivery"]["kind"], &entry["delivery"]["attempt"]);
            format!("{} attempt {attempt} -> {} {}", kind.as_str().unwrap_or_default(), entry["status"], text("error"))
        }
        "affordance" => format!("{} {}", text("verb"), text("error")),
        "fault" => format!("{} struck {}", text("rule"), text("on")),
        "fault_skipped" => format!("{} passed over {}: {}", text("rule"), text("on"), text("error")),
        "timer" => text("name").to_owned(),
        "clock" => format!("{} -> {}", text("from"), text("to")),
        "control" => format!("{} {}", text("action"), entry["detail"]),
        _ => text("operation").to_owned(),
    };
    let (at, twin, who) = (text("at"), text("twin"), text("principal"));
    format!("{:>6}  {at}  {:<13} {twin:<15} {who:<14} {}", entry["seq"], text("kind"), what.trim_end())
}
