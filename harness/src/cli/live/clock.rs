//! `dtu clock`: the time of a running universe.

use std::fmt::Write as _;

use dtu_kernel::{
    diagnostic::Diagnostic,
    time::{Timestamp, parse_span},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{super::Failure, Where, text, with};

/// The clock of a running universe, and what is due on it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Clock {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Shows what the clock shows, and the timers and deliveries to come.
    Show,
    /// Moves the clock on, through all that is due on the way.
    Advance {
        /// By how much: `30s`, `15m`, `2h`, `10d`.
        span: String,
    },
    /// Moves the clock to a time, through all that is due on the way.
    Set {
        /// A time not before the present one: `2026-03-02T09:00:00Z`.
        time: String,
    },
    /// Moves the clock from job to job until none is left.
    RunUntilQuiet {
        /// At most by so much.
        #[arg(long, default_value = "30d", value_name = "SPAN")]
        most: String,
    },
}

pub(in crate::cli) fn main(args: &Clock) -> Result<u8, Failure> {
    let (method, path, body) = match &args.act {
        Act::Show => (Method::GET, "/clock", None),
        Act::Advance { span } => (Method::POST, "/clock/advance", Some(json!({ "by": checked(span)? }))),
        Act::Set { time } => (Method::POST, "/clock/set", Some(json!({ "to": checked_time(time)? }))),
        Act::RunUntilQuiet { most } => {
            (Method::POST, "/clock/run-until-quiet", Some(json!({ "most": checked(most)? })))
        }
    };
    with(&args.place, |session| async move {
        let clock = session.call(method, path, body).await?;
        session.plane.say(&clock, shown)
    })
}

fn checked(span: &str) -> Result<&str, Failure> {
    match parse_span(span) {
        Ok(_) => Ok(span),
        Err(why) => Err(Diagnostic::whole("SPAN", why).into()),
    }
}

fn checked_time(time: &str) -> Result<&str, Failure> {
    match Timestamp::parse(time) {
        Ok(_) => Ok(time),
        Err(why) => {
            let problem = Diagnostic::whole("TIME", format!("`{time}` is not a time: {why}"));
            Err(problem.hint("times are written as `2026-03-02T09:00:00Z`").into())
        }
    }
}

fn shown(clock: &Value) -> String {
    let mut page = format!("{}  ({})\n", text(&clock["now"]), text(&clock["mode"]));
    let due = clock["due"].as_array().map(Vec::as_slice).unwrap_or_default();
    if due.is_empty() {
        page.push_str("nothing is due\n");
    }
    for job in due {
        let _ = write!(page, "  {}  {} {}", text(&job["due"]), text(&job["twin"]), text(&job["what"]));
        if job["attempt"].as_u64().is_some_and(|attempt| attempt > 1) {
            let _ = write!(page, ", attempt {}", job["attempt"]);
        }
        page.push('\n');
    }
    page
}
