//! One call over and over in one thread, for profilers that count instructions: such figures do not drift with the
//! machine. What a call costs is the difference of two counts.
//!
//! `valgrind --tool=callgrind BENCHMARK --profile full,post,1000`

use std::net::SocketAddr;

use anyhow::Context as _;
use dtu_kernel::ledger::Keep;

use crate::{
    Served, bare_axum,
    load::{fire_once, fire_times},
    shots,
};

/// What is called, where, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    place: Place,
    call: String,
    times: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Bare,
    Twin(Keep),
}

impl std::str::FromStr for Plan {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts: Vec<&str> = text.split(',').collect();
        let [place, call, times] = parts[..] else { anyhow::bail!("`{text}`: want PLACE,CALL,TIMES") };
        let place = match place {
            "bare" => Place::Bare,
            "full" => Place::Twin(Keep::Full),
            "off" => Place::Twin(Keep::Off),
            other => anyhow::bail!("no place `{other}`: want bare, full or off"),
        };
        Ok(Self { place, call: call.to_owned(), times: times.parse()? })
    }
}

/// Makes the calls.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let keep = if let Place::Twin(keep) = plan.place { keep } else { Keep::Off };
        let served = Served::start(keep)?;
        let shots = shots(&served)?;
        let (_, _, twin, shot, _) =
            shots.iter().find(|(key, ..)| *key == plan.call).with_context(|| format!("no call `{}`", plan.call))?;
        let address: SocketAddr = if plan.place == Place::Bare {
            let (_, body) = fire_once(served.address(twin), shot).await;
            bare_axum(serde_json::from_slice(&body)?).await?
        } else {
            served.address(twin)
        };
        fire_times(address, shot, plan.times).await;
        Ok(())
    })
}
