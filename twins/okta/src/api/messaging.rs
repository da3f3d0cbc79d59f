//! Tries of what carries an org's mail and messages, and addresses that mail comes back from.
//!
//! Nothing leaves the twin: a try that nothing is wrong with counts as delivered, and no address bounces.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/EmailServer/ and the tags beside it.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Write,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{act, no_content};
use crate::{
    Okta,
    error::Error,
    input::object,
    model::{State, profile::Attribute, user::UserField},
    policy::Members,
    resources::shown_member,
};

const SERVERS: &str = "/api/v1/email-servers";
const PROVIDERS: &str = "/api/v1/telephony-providers";

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const POST: &[Method] = &[Method::POST];
    let primary = "/api/v1/telephony-providers/{customTelephonyProviderId}/setAsPrimary";
    let call = "/api/v1/telephony-providers/{customTelephonyProviderId}/test";
    let bounces = "/api/v1/org/email/bounces/remove-list";
    let rows = vec![
        Operation::write("testEmailServer", POST, "/api/v1/email-servers/{emailServerId}/test", test_server),
        Operation::write("setAsPrimaryCustomTelephonyCredential", POST, primary, set_primary),
        Operation::write("sendTestCustomTelephonyProviderCredential", POST, call, test_provider),
        Operation::write("bulkRemoveEmailAddressBounces", POST, bounces, remove_bounces),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

/// Whether a text may be a mail address.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    let is_host = |host: &str| host.contains('.') && host.split('.').all(|label| !label.is_empty());
    let is_plain = !text.contains(|c: char| c.is_whitespace() || c == ',');
    is_plain && parts.is_some_and(|(name, host)| !name.is_empty() && !host.contains('@') && is_host(host))
}

/// Arguments of `testEmailServer`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TestServer {
    email_server_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Addresses,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Addresses {
    #[serde(rename = "fromAddress")]
    from: String,
    #[serde(rename = "toAddress")]
    to: String,
}

fn test_server(cx: &mut Write<'_, '_, Okta>, args: TestServer) -> Result<Typed<()>, Error> {
    let found = cx.state.objects.member(SERVERS, &args.email_server_id);
    found.ok_or_else(|| Error::not_found(&args.email_server_id, "EmailServer"))?;
    for (name, address) in [("fromAddress", &args.body.from), ("toAddress", &args.body.to)] {
        match address.as_str() {
            "" => return Err(Error::fields(&[(name, "The field cannot be left blank")])),
            other if !is_address(other) => {
                return Err(Error::fields(&[(name, "The field must be a valid email address")]));
            }
            _ => {}
        }
    }
    Ok(no_content())
}

fn provider<'s>(state: &'s State, id: &str) -> Result<&'s Members, Error> {
    state.objects.member(PROVIDERS, id).ok_or_else(|| Error::not_found(id, "CustomTelephonyProvider"))
}

/// Arguments: the provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    custom_telephony_provider_id: SmolStr,
}

/// `setAsPrimaryCustomTelephonyCredential`: one provider at a time, and one that is enabled.
fn set_primary(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let id = args.custom_telephony_provider_id;
    let is_off = provider(cx.state, &id)?.get("enabled") == Some(&Value::Bool(false));
    if is_off {
        return Err(Error::invalid("enabled", "enabled: The provider is not enabled"));
    }
    act(cx, |act| {
        let all = act.state.objects.members(PROVIDERS);
        let all: Vec<(SmolStr, Members)> = all.map(|(id, one)| (id.clone(), one.clone())).collect();
        for (other, mut one) in all {
            one.insert("isPrimaryProvider".to_owned(), (other == id).into());
            act.state.objects.keep(&mut act.tx.changes, PROVIDERS, &other, one);
        }
        Ok(())
    })?;
    let one = provider(cx.state, &id)?;
    let mut shown = shown_member(cx.state, cx.scene.request, (PROVIDERS, PROVIDERS), &id, one);
    // Secrets are written only.
    shown.retain(|name, _| SHOWN.contains(&name.as_str()));
    Ok(Typed::ok(&Value::Object(shown)))
}

const SHOWN: [&str; 7] =
    ["id", "enabled", "isPrimaryProvider", "providerCapability", "providerName", "providerSettings", "providerSid"];

/// Arguments of `sendTestCustomTelephonyProviderCredential`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TestProvider {
    custom_telephony_provider_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Message,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Message {
    #[serde(rename = "countryCodeIso2")]
    country: String,
    factor: String,
    #[serde(rename = "phoneNumber")]
    phone: String,
}

fn test_provider(cx: &mut Write<'_, '_, Okta>, args: TestProvider) -> Result<Typed<()>, Error> {
    provider(cx.state, &args.custom_telephony_provider_id)?;
    let Message { country, factor, phone } = args.body;
    let digits = phone.trim_start_matches('+').replace([' ', '-'], "");
    let is_phone = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let is_country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    let checks =
        [("phoneNumber", is_phone), ("countryCodeIso2", is_country), ("factor", ["SMS", "CALL"].contains(&&*factor))];
    match checks.iter().find(|(_, good)| !good) {
        Some((name, _)) => Err(Error::fields(&[(name, "The field has an invalid value")])),
        None => Ok(no_content()),
    }
}

/// Arguments of `bulkRemoveEmailAddressBounces`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Bounces {
    #[serde(deserialize_with = "object")]
    body: Listed,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Listed {
    email_addresses: Option<Vec<String>>,
}

/// `bulkRemoveEmailAddressBounces`: what is wrong with addresses is told one by one, in the twin's words.
fn remove_bounces(cx: &mut Write<'_, '_, Okta>, args: Bounces) -> Result<Typed<Value>, Error> {
    let all = args.body.email_addresses.filter(|all| !all.is_empty());
    let all = all.ok_or_else(|| Error::fields(&[("emailAddresses", "The field cannot be left blank")]))?;
    let wrong = |address: &String| {
        let known = || {
            let field = Attribute::find("email").map(UserField::Profile);
            field.is_some_and(|field| cx.state.users.with_value(field, address).next().is_some())
        };
        let reason = match address {
            address if !is_address(address) => "The address is not valid.",
            _ if !known() => "Nobody in this org has the address.",
            _ => return None,
        };
        Some(json!({ "emailAddress": address, "reason": reason }))
    };
    Ok(Typed::ok(&json!({ "errors": all.iter().filter_map(wrong).collect::<Vec<_>>() })))
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_have_a_name_and_a_host() {
        let check = |text: &str, expected: bool| assert_eq!(super::is_address(text), expected, "{text}");
        check("a@b.example", true);
        check("a@b", false);
        check("@b.example", false);
        check("a@b@c.example", false);
        check("a b@c.example", false);
        check("a@.example", false);
    }
}
