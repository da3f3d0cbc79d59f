//! Whether an account of Okta Aerial may manage the org.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingAdmin/ and the tags beside it.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Links, act, stamp, tokens::Nothing};
use crate::{Okta, error::Error, input::object, model::State, policy::Members};

const AERIAL: &str = "/api/v1/org/privacy/aerial";

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const POST: &[Method] = &[Method::POST];
    vec![
        Operation::read("getAerialConsent", &[Method::GET], AERIAL, get).limit("other"),
        Operation::write("grantAerialConsent", POST, "/api/v1/org/privacy/aerial/grant", grant).limit("other"),
        Operation::write("revokeAerialConsent", POST, "/api/v1/org/privacy/aerial/revoke", revoke).limit("other"),
    ]
}

/// The consent; none where none is given.
fn consent(state: &State) -> Option<&Members> {
    state.objects.one("/api/v1/org/privacy", "aerial").filter(|one| one.contains_key("accountId"))
}

fn shown(one: &Members, origin: &str) -> Value {
    let own = format!("{origin}{AERIAL}");
    let links = Links::new().to("self", own.clone()).hint("revoke", format!("{own}/revoke"), &["POST"]);
    let mut body = one.clone();
    body.insert("_links".to_owned(), Value::Object(links.0));
    Value::Object(body)
}

fn get(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let one = consent(cx.state).ok_or_else(|| Error::not_found("aerial", "AerialConsent"))?;
    Ok(Typed::ok(&shown(one, &cx.scene.request.origin)))
}

/// Arguments of both writes.
#[derive(Debug, Deserialize, JsonSchema)]
struct Say {
    #[serde(deserialize_with = "object")]
    body: Account,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Account {
    account_id: Option<String>,
}

impl Account {
    fn read(self) -> Result<String, Error> {
        let id = self.account_id.filter(|id| !id.trim().is_empty());
        id.ok_or_else(|| Error::fields(&[("accountId", "The field cannot be left blank")]))
    }
}

/// `grantAerialConsent`: to one account at a time. The words of refusals are the twin's.
fn grant(cx: &mut Write<'_, '_, Okta>, args: Say) -> Result<Typed<Value>, Error> {
    let id = args.body.read()?;
    let of = |one: &Members| one.get("accountId").and_then(Value::as_str).map(str::to_owned);
    match consent(cx.state).and_then(of) {
        Some(own) if own != id => {
            return Err(Error::invalid("accountId", "accountId: Consent is granted to another account"));
        }
        Some(_) => {}
        None => {
            let by = cx.caller.client.clone().filter(|_| cx.caller.user.is_empty());
            let by = by.unwrap_or_else(|| cx.caller.user.clone());
            act(cx, |act| {
                let one = json!({ "accountId": id, "grantedBy": by, "grantedDate": stamp(act.now()) });
                let one = one.as_object().cloned().unwrap_or_default();
                act.state.objects.keep_one(&mut act.tx.changes, AERIAL, one);
                Ok(())
            })?;
        }
    }
    let one = consent(cx.state).cloned().unwrap_or_default();
    Ok(Typed::ok(&shown(&one, &cx.scene.request.origin)))
}

/// `revokeAerialConsent`: of the account that has it.
fn revoke(cx: &mut Write<'_, '_, Okta>, args: Say) -> Result<Typed<Value>, Error> {
    let id = args.body.read()?;
    let granted = consent(cx.state).and_then(|one| one.get("accountId")?.as_str());
    if granted != Some(&id) {
        return Err(Error::invalid("accountId", "accountId: No consent is granted to this account"));
    }
    act(cx, |act| {
        act.state.objects.keep_one(&mut act.tx.changes, AERIAL, Members::new());
        Ok(())
    })?;
    let grant = format!("{}{AERIAL}/grant", cx.scene.request.origin);
    Ok(Typed::ok(&json!({ "_links": Links::new().hint("grant", grant, &["POST"]).0 })))
}
