//! `dtu outage`: a whole service fails, for a developer at a keyboard.

use dtu_kernel::{diagnostic::Diagnostic, seed::Ratio, time::parse_span};
use reqwest::Method;
use serde_json::{Value, json};

use super::{super::Failure, Where, fault, with};

/// Makes a whole service fail for a while.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Outage {
    /// The twin.
    twin: String,
    #[command(flatten)]
    place: Where,
    /// How long (virtual time).
    #[arg(long = "for", default_value = "10m", value_name = "SPAN")]
    span: String,
    /// What clients see.
    #[arg(long, default_value = "unavailable", value_name = "KIND")]
    kind: Kind,
    /// Only this share of the calls, such as `1/3`.
    #[arg(long, value_name = "RATIO")]
    share: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// A proxy answers 503 with a page.
    Unavailable,
    /// The service answers with its own internal error.
    Errors,
    /// Too many calls.
    RateLimited,
    /// No answer for 30 seconds.
    Hang,
    /// Answers come with seconds of delay.
    Slow,
    /// Nobody listens at the port.
    Refuse,
}

impl Kind {
    fn effect(self) -> Value {
        match self {
            Self::Unavailable => json!({ "proxy_page": { "status": 503 } }),
            Self::Errors => json!({ "error": {} }),
            Self::RateLimited => json!({ "rate_limited": { "retry_after": "5s" } }),
            Self::Hang => json!({ "hang": { "for": "30s" } }),
            Self::Slow => json!({ "latency": { "median": "2s", "p99": "20s" } }),
            Self::Refuse => json!({ "refuse": {} }),
        }
    }
}

pub(in crate::cli) fn main(args: &Outage) -> Result<u8, Failure> {
    parse_span(&args.span).map_err(|why| Diagnostic::whole("--for", why))?;
    let id = format!("outage-{}", args.twin);
    let mut on = json!({ "twin": args.twin });
    if let Some(share) = &args.share {
        Ratio::parse(share).map_err(|why| Diagnostic::whole("--share", why))?;
        on["probability"] = json!(share);
    }
    let rule = json!({ "id": id, "on": on, "do": args.kind.effect(), "expires": args.span });
    let twin = args.twin.clone();
    with(&args.place, |session| async move {
        let universe = session.call(Method::GET, "", None).await?;
        let twins: Vec<&str> =
            universe["twins"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        if !twins.contains(&twin.as_str()) {
            let problem = Diagnostic::whole("TWIN", format!("there is no twin `{twin}`"));
            return Err(problem.suggest(&twin, twins).into());
        }
        // One outage of a twin takes the place of the other.
        drop(session.call(Method::DELETE, &format!("/faults/{id}"), None).await);
        let armed = session.call(Method::POST, "/faults", Some(json!({ "rules": [rule] }))).await?;
        session.plane.say(&armed, fault::shown)
    })
}
