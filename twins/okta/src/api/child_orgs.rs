//! Orgs that an org makes.
//!
//! The twin keeps that they were made, and serves none of them: each would be another address.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgCreator/.

use dtu_kernel::{
    ids::{ALNUM, IdShape},
    operation::{Operation, Typed},
    twin::Write,
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{act, app_body::fits, stamp};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{Act, ORG_ID, SITE, event_type::ORG_CREATE},
    policy::Members,
    resources::party,
};

const ORGS: &str = "/api/v1/orgs";
/// Tokens of child orgs: of the form of all API tokens.
const TOKEN: IdShape =
    IdShape { site: SITE.child("child org token"), prefix: "00", alphabet: ALNUM, drawn: 40, suffix: "" };
/// A name has so many characters at most.
const NAME_MAX: usize = 100;
/// An address has so many.
const SUBDOMAIN_MAX: usize = 57;

/// The operation.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    vec![Operation::write("createChildOrg", &[Method::POST], ORGS, create).limit("other")]
}

/// Arguments of `createChildOrg`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Create {
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

fn text<'a>(body: &'a Members, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default().trim()
}

/// # Errors
/// What is missing, too long, or another org's.
fn check(act: &Act<'_, '_>, body: &Members) -> Result<(), Error> {
    let (name, subdomain) = (text(body, "name"), text(body, "subdomain"));
    let blank = [("name", name), ("subdomain", subdomain)].into_iter().filter(|(_, value)| value.is_empty());
    let blank: Vec<(&str, &str)> = blank.map(|(field, _)| (field, "The field cannot be left blank")).collect();
    if !blank.is_empty() {
        return Err(Error::fields(&blank));
    }
    if name.chars().count() > NAME_MAX {
        return Err(Error::fields(&[("name", "The field is too long")]));
    }
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if subdomain.len() > SUBDOMAIN_MAX || !subdomain.bytes().all(is_label) {
        return Err(Error::fields(&[("subdomain", "The field has an invalid value")]));
    }
    let same = |one: &Members| text(one, "subdomain").eq_ignore_ascii_case(subdomain);
    if act.state.org.eq_ignore_ascii_case(subdomain) || act.state.objects.members(ORGS).any(|(_, one)| same(one)) {
        return Err(Error::taken("subdomain"));
    }
    Ok(())
}

/// `createChildOrg`. The token is shown once; its administrator's password is kept nowhere.
fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<Value>, Error> {
    fits(cx.scene, &args.body)?;
    let (mut shown, token) = act(cx, |act| {
        check(act, &args.body)?;
        let (id, token, now) = (act.tx.id(&ORG_ID), act.tx.id(&TOKEN), stamp(act.now()));
        let mut org = Members::new();
        for name in ["subdomain", "name", "website"] {
            if let Some(value) = args.body.get(name).filter(|value| value.is_string()) {
                org.insert(name.to_owned(), value.clone());
            }
        }
        let more = json!({
            "id": id, "status": "ACTIVE", "edition": "SKU", "created": now, "lastUpdated": now,
            "settings": { "app": { "errorRedirectUrl": null, "interstitialBehavior": null } },
        });
        org.extend(more.as_object().cloned().unwrap_or_default());
        let mut kept = org.clone();
        kept.insert("admin".to_owned(), args.body.get("admin").and_then(|admin| admin.get("profile")).cloned().into());
        act.state.objects.keep(&mut act.tx.changes, ORGS, &id, kept);
        act.log(&ORG_CREATE, vec![party("Org", &id, Some(&org))]);
        Ok((org, token))
    })?;
    shown.insert("token".to_owned(), token.as_str().into());
    shown.insert("tokenType".to_owned(), "SSWS".into());
    let host = format!("https://{}.okta.com", text(&shown, "subdomain"));
    let links = json!({ "organization": { "href": host }, "administrator": { "href": format!("{host}/admin") } });
    shown.insert("_links".to_owned(), links);
    Ok(Typed::ok(&Value::Object(shown)).with_status(StatusCode::CREATED))
}
