//! The org's preferences, mail, support and contacts.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingSupport/ and the tags beside it.

use dtu_kernel::{
    operation::{Operation, Typed},
    time::Timestamp,
    twin::{Read, Scene, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Links, act, no_content, stamp, tokens::Nothing};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{
        State,
        org_settings::{self as org, Contact, Settings},
    },
};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];

/// What people may do with Okta Personal.
const PERSONAL: &str = "/okta-personal-settings/api/v1/edit-feature";

/// All rows.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const FOOTER: &str = "/api/v1/org/preferences";
    const MAIL: &str = "/api/v1/org/privacy/oktaCommunication";
    const SUPPORT: &str = "/api/v1/org/privacy/oktaSupport";
    const CONTACT: &str = "/api/v1/org/contacts/{contactType}";
    let rows = vec![
        Operation::read("getOrgPreferences", GET, FOOTER, get_footer),
        Operation::write("setOrgHideOktaUIFooter", POST, "/api/v1/org/preferences/hideEndUserFooter", hide_footer),
        Operation::write("setOrgShowOktaUIFooter", POST, "/api/v1/org/preferences/showEndUserFooter", show_footer),
        Operation::read("getOktaCommunicationSettings", GET, MAIL, get_mail),
        Operation::write(
            "optInUsersToOktaCommunicationEmails",
            POST,
            "/api/v1/org/privacy/oktaCommunication/optIn",
            opt_in,
        ),
        Operation::write(
            "optOutUsersFromOktaCommunicationEmails",
            POST,
            "/api/v1/org/privacy/oktaCommunication/optOut",
            opt_out,
        ),
        Operation::read("getOrgOktaSupportSettings", GET, SUPPORT, get_support),
        Operation::write("grantOktaSupport", POST, "/api/v1/org/privacy/oktaSupport/grant", grant),
        Operation::write("extendOktaSupport", POST, "/api/v1/org/privacy/oktaSupport/extend", extend),
        Operation::write("revokeOktaSupport", POST, "/api/v1/org/privacy/oktaSupport/revoke", revoke),
        Operation::read("listOrgContactTypes", GET, "/api/v1/org/contacts", list_contacts),
        Operation::read("getOrgContactUser", GET, CONTACT, get_contact),
        Operation::write("replaceOrgContactUser", PUT, CONTACT, replace_contact),
        Operation::write("replaceOktaPersonalAdminSettings", PUT, PERSONAL, replace_personal),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

type Shown = Result<Typed<Value>, Error>;

fn footer(settings: &Settings, origin: &str) -> Typed<Value> {
    let other = if settings.hides_footer { "showEndUserFooter" } else { "hideEndUserFooter" };
    let links = Links::new().hint(other, format!("{origin}/api/v1/org/preferences/{other}"), &["POST"]);
    Typed::ok(&json!({ "showEndUserFooter": !settings.hides_footer, "_links": links.0 }))
}

/// `getOrgPreferences`.
///
/// # Errors
/// None.
pub fn get_footer(cx: &Read<'_, Okta>, _: Nothing) -> Shown {
    Ok(footer(&cx.state.settings.get(), &cx.scene.request.origin))
}

fn hide_footer(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Shown {
    let settings = act(cx, |act| Ok(org::show_footer(act, false)))?;
    Ok(footer(&settings, &cx.scene.request.origin))
}

fn show_footer(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Shown {
    let settings = act(cx, |act| Ok(org::show_footer(act, true)))?;
    Ok(footer(&settings, &cx.scene.request.origin))
}

fn mail(settings: &Settings, origin: &str) -> Typed<Value> {
    let other = if settings.takes_mail { "optOut" } else { "optIn" };
    let links = Links::new().hint(other, format!("{origin}/api/v1/org/privacy/oktaCommunication/{other}"), &["POST"]);
    Typed::ok(&json!({ "optOutEmailUsers": !settings.takes_mail, "_links": links.0 }))
}

/// `getOktaCommunicationSettings`.
///
/// # Errors
/// None.
pub fn get_mail(cx: &Read<'_, Okta>, _: Nothing) -> Shown {
    Ok(mail(&cx.state.settings.get(), &cx.scene.request.origin))
}

fn opt_in(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Shown {
    let settings = act(cx, |act| Ok(org::take_mail(act, true)))?;
    Ok(mail(&settings, &cx.scene.request.origin))
}

fn opt_out(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Shown {
    let settings = act(cx, |act| Ok(org::take_mail(act, false)))?;
    Ok(mail(&settings, &cx.scene.request.origin))
}

fn support(settings: &Settings, now: Timestamp, origin: &str) -> Typed<Value> {
    let to = |verb: &str| format!("{origin}/api/v1/org/privacy/oktaSupport/{verb}");
    let until = settings.lets_support_in(now);
    let links = match until {
        Some(_) => Links::new().hint("extend", to("extend"), &["POST"]).hint("revoke", to("revoke"), &["POST"]),
        None => Links::new().hint("grant", to("grant"), &["POST"]),
    };
    let state = if until.is_some() { "ENABLED" } else { "DISABLED" };
    Typed::ok(&json!({ "support": state, "expiration": until.map(stamp), "_links": links.0 }))
}

/// `getOrgOktaSupportSettings`.
///
/// # Errors
/// None.
pub fn get_support(cx: &Read<'_, Okta>, _: Nothing) -> Shown {
    Ok(support(&cx.state.settings.get(), cx.scene.now, &cx.scene.request.origin))
}

fn grant(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Shown {
    let settings = act(cx, |act| Ok(org::grant_support(act)))?;
    Ok(support(&settings, cx.scene.now, &cx.scene.request.origin))
}

fn extend(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Shown {
    let settings = act(cx, org::extend_support)?;
    Ok(support(&settings, cx.scene.now, &cx.scene.request.origin))
}

fn revoke(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Shown {
    let settings = act(cx, |act| Ok(org::revoke_support(act)))?;
    Ok(support(&settings, cx.scene.now, &cx.scene.request.origin))
}

/// `listOrgContactTypes`.
///
/// # Errors
/// None.
pub fn list_contacts(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<Value>>, Error> {
    let row = |kind: Contact| {
        let name = kind.text().to_lowercase();
        let href = format!("{}/api/v1/org/contacts/{name}", cx.scene.request.origin);
        json!({ "contactType": kind.text(), "_links": Links::new().to(&name, href).0 })
    };
    Ok(Typed::ok(&vec![row(Contact::Billing), row(Contact::Technical)]))
}

fn kind(scene: &Scene<'_>) -> Result<Contact, Error> {
    let name = scene.request.path_param("contactType");
    Contact::find(name).ok_or_else(|| Error::not_found(name, "ContactType"))
}

fn contact(user: &str, origin: &str) -> Typed<Value> {
    let links = Links::new().to("user", format!("{origin}/api/v1/users/{user}"));
    Typed::ok(&json!({ "userId": user, "_links": links.0 }))
}

/// Where nobody was chosen, it is the org's first administrator.
fn chosen(state: &State, kind: Contact) -> SmolStr {
    let settings = state.settings.get();
    let chosen = match kind {
        Contact::Billing => settings.billing,
        Contact::Technical => settings.technical,
    };
    let first = || state.roles.people_after("").next().cloned().unwrap_or_default();
    if chosen.is_empty() { first() } else { chosen }
}

fn get_contact(cx: &Read<'_, Okta>, _: Nothing) -> Shown {
    Ok(contact(&chosen(cx.state, kind(cx.scene)?), &cx.scene.request.origin))
}

/// Arguments of `replaceOrgContactUser`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Replace {
    body: ContactInput,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ContactInput {
    user_id: Option<SmolStr>,
    #[serde(default, rename = "_links")]
    _links: Option<Value>,
}

fn replace_contact(cx: &mut Write<'_, '_, Okta>, args: Replace) -> Shown {
    let kind = kind(cx.scene)?;
    let id = args.body.user_id.ok_or_else(|| Error::fields(&[("userId", "The field cannot be left blank")]))?;
    let user = cx.state.users.get(&id).cloned().ok_or_else(|| Error::not_found(&id, "User"))?;
    act(cx, |act| {
        org::choose_contact(act, kind, &user);
        Ok(())
    })?;
    Ok(contact(&user.id, &cx.scene.request.origin))
}

/// Arguments of `replaceOktaPersonalAdminSettings`.
#[derive(Debug, Deserialize, JsonSchema)]
struct ReplacePersonal {
    #[serde(deserialize_with = "object")]
    body: Personal,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Personal {
    enable_enduser_entry_points: bool,
    enable_export_apps: bool,
}

/// `replaceOktaPersonalAdminSettings`: nothing shows them, but the state of the org.
fn replace_personal(cx: &mut Write<'_, '_, Okta>, args: ReplacePersonal) -> Result<Typed<()>, Error> {
    let members = json!(args.body).as_object().cloned().unwrap_or_default();
    act(cx, |act| {
        act.state.objects.keep_one(&mut act.tx.changes, PERSONAL, members);
        Ok(no_content())
    })
}
