//! Failing an org's domains over to another region, and back.
//!
//! The twin keeps which domains were failed over; it answers at the same address all the while.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/DisasterRecovery/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{act, tokens::Nothing};
use crate::{Okta, error::Error, input::object, model::State, policy::Members};

const OVER: &str = "/api/v1/dr/domains";

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    let rows = vec![
        Operation::read("getDRStatus", GET, "/api/v1/dr/status", list),
        Operation::read("getDRStatusForDomain", GET, "/api/v1/dr/status/{domain}", get),
        Operation::write("startOrgFailover", POST, "/api/v1/dr/failover", over),
        Operation::write("startOrgFailback", POST, "/api/v1/dr/failback", back),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

/// The org's domains: its own, and custom ones that are proven.
fn domains(state: &State) -> Vec<String> {
    let own = format!("{}.okta.com", state.org);
    let text = |one: &Members, name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let proven = |one: &&Members| ["VERIFIED", "COMPLETED"].contains(&text(one, "validationStatus").as_str());
    let custom = state.objects.members("/api/v1/domains").map(|(_, one)| one).filter(proven);
    let custom = custom.map(|one| text(one, "domain")).filter(|domain| *domain != own);
    std::iter::once(own.clone()).chain(custom.collect::<Vec<_>>()).collect()
}

fn status(state: &State, domain: &str) -> Value {
    let is_over = state.objects.member(OVER, domain).is_some();
    json!({ "domain": domain, "isFailedOver": is_over })
}

/// `getDRStatus`.
pub fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let all: Vec<Value> = domains(cx.state).iter().map(|domain| status(cx.state, domain)).collect();
    Ok(Typed::ok(&json!({ "status": all })))
}

/// Arguments of `getDRStatusForDomain`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Which {
    domain: SmolStr,
}

/// A domain that is none of the org's. The document has no 404 here.
fn unknown(domain: &str) -> Error {
    Error::invalid("domain", format!("domain: '{domain}' is no domain of this org"))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    if !domains(cx.state).iter().any(|domain| *domain == args.domain) {
        return Err(unknown(&args.domain));
    }
    Ok(Typed::ok(&json!({ "status": [status(cx.state, &args.domain)] })))
}

/// Arguments of both writes: all domains where none is named.
#[derive(Debug, Deserialize, JsonSchema)]
struct Say {
    #[serde(default, deserialize_with = "object")]
    body: Option<Wanted>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    domains: Option<Vec<String>>,
}

fn over(cx: &mut Write<'_, '_, Okta>, args: Say) -> Result<Typed<Value>, Error> {
    switch(cx, args, true)
}

fn back(cx: &mut Write<'_, '_, Okta>, args: Say) -> Result<Typed<Value>, Error> {
    switch(cx, args, false)
}

fn switch(cx: &mut Write<'_, '_, Okta>, args: Say, is_over: bool) -> Result<Typed<Value>, Error> {
    let own = domains(cx.state);
    let wanted = args.body.and_then(|body| body.domains).filter(|domains| !domains.is_empty());
    let wanted = wanted.unwrap_or_else(|| own.clone());
    if let Some(strange) = wanted.iter().find(|domain| !own.contains(domain)) {
        return Err(unknown(strange));
    }
    act(cx, |act| {
        for domain in &wanted {
            if is_over {
                let members = Members::from_iter([("domain".to_owned(), domain.as_str().into())]);
                act.state.objects.keep(&mut act.tx.changes, OVER, domain, members);
            } else {
                act.state.objects.forget(&mut act.tx.changes, OVER, domain);
            }
        }
        Ok(())
    })?;
    let message = if is_over { "The domain is failed over" } else { "The domain is failed back" };
    let results: Vec<Value> = wanted.iter().map(|domain| json!({ "domain": domain, "message": message })).collect();
    Ok(Typed::ok(&json!({ "results": results })))
}
