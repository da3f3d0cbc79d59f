//! Signing out by an app: the app's signed request ends the person's session in Okta, and is answered by a form.
//!
//! Requests come in addresses, with the signature beside them, or in forms, with the signature inside. Other apps that the person is signed in to are not told.
//! See SAML 2.0's core, section 3.7, and its bindings, section 3.4.4.1, and
//! developer.okta.com/docs/guides/single-logout/.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::{
    operation::Typed,
    time::Timestamp,
    twin::Write,
    wire::{Answer, Request},
};
use serde_json::Value;

use super::{
    attributes::Subject,
    message::LoggedOut,
    request::decode,
    settings::Settings,
    sign::Signer,
    sso::{Refused, find, ids, signing_key},
    tree::Element,
    verify,
    xml::{SAML2, SAML2P},
};
use crate::{
    Okta,
    error::Error,
    events,
    model::{self, Act, Acting, State, app::App, assignment, log::Party, user::User},
    oauth::{self, form::Form, log, session},
};

/// A request to sign somebody out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct LogoutRequest {
    id: String,
    issuer: String,
    destination: Option<String>,
    /// Until when it holds (`NotOnOrAfter`).
    ends: Option<String>,
    /// Who is to be signed out, as the app calls them.
    name: Option<String>,
}

const MALFORMED: &str = "The SAML logout request is not well-formed XML.";
const NO_REQUEST: &str = "The SAML request is no LogoutRequest of SAML 2.0.";

impl LogoutRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence for people.
    fn read(xml: &str) -> Result<Self, &'static str> {
        let root = Element::read(xml).map_err(|_| MALFORMED)?;
        let own = |name: &str| root.get(name).map(str::to_owned);
        let said = |name: &str| root.child(SAML2.1, name).map(Element::text);
        let id = own("ID").filter(|id| !id.is_empty() && root.is(SAML2P.1, "LogoutRequest"));
        Ok(Self {
            id: id.ok_or(NO_REQUEST)?,
            issuer: said("Issuer").unwrap_or_default(),
            destination: own("Destination"),
            ends: own("NotOnOrAfter"),
            name: said("NameID"),
        })
    }
}

impl LogoutRequest {
    /// Whether somebody is the one who is to be signed out; whoever is there where nobody is named.
    fn means(&self, state: &State, app: &App, settings: &Settings<'_>, user: &User) -> bool {
        let Some(name) = &self.name else { return true };
        let Some(found) = assignment::find(state, app, user) else { return false };
        let subject = Subject { state, app, user, found: &found };
        subject.name(settings).is_ok_and(|own| own == *name)
    }
}

fn bad(text: &str) -> Refused {
    Refused::Bad(text.to_owned())
}

/// What is asked, once it is believed.
fn believed(app: &App, request: &Request, form: &Form, now: Timestamp) -> Result<LogoutRequest, Refused> {
    let slo = app.setting("/signOn/slo");
    if slo["enabled"] != true {
        return Err(bad("Single logout is not supported for this app."));
    }
    let text = form.get("SAMLRequest").ok_or_else(|| bad("There is no SAML logout request."))?;
    let xml = decode(text).map_err(bad)?;
    let asked = LogoutRequest::read(&xml).map_err(bad)?;
    if Some(asked.issuer.as_str()) != issuer(slo) {
        return Err(bad("The SAML logout request has another issuer."));
    }
    if asked.destination.as_ref().is_some_and(|destination| !destination.ends_with(request.path.as_str())) {
        return Err(bad("The SAML logout request has another destination."));
    }
    if request.method == http::Method::POST {
        verify::inside(app, &xml, verify::Message::Slo)?;
    } else {
        verify::beside(app, &request.query, verify::Message::Slo)?;
    }
    if asked.ends.as_deref().is_some_and(|end| Timestamp::parse(end).is_ok_and(|end| end <= now)) {
        return Err(bad("The SAML logout request has expired."));
    }
    Ok(asked)
}

fn issuer(slo: &Value) -> Option<&str> {
    slo["issuer"].as_str().filter(|issuer| !issuer.is_empty())
}

/// `samlLogout` and `samlLogoutWithPost`.
pub fn log_out(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    let found = find(cx.state, request.path_param("appName"), request.path_param("externalKey"));
    let asked = found.and_then(|app| Ok((believed(&app, request, &form, cx.scene.now)?, app)));
    let answer = match asked {
        Ok((asked, app)) => signed_out(cx, &app, &asked, form.get("RelayState")),
        Err(refused) => Ok(refused.page()),
    };
    Ok(Typed::from_answer(answer.unwrap_or_else(|refused: Refused| refused.page())))
}

/// Ends the browser's session, if it has one, and tells the app.
fn signed_out(
    cx: &mut Write<'_, '_, Okta>,
    app: &App,
    asked: &LogoutRequest,
    relay_state: Option<&str>,
) -> Result<Answer, Refused> {
    let present = session::current(cx.state, cx.scene.request, cx.scene.now);
    let user = present.as_ref().and_then(|session| cx.state.users.get(&session.user)).cloned();
    let actor = user.as_ref().map_or_else(|| Acting::system().actor, |user| Party::user(user));
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, actor));
    let settings = Settings::of(app)?;
    let address = app.setting("/signOn/slo/logoutUrl").as_str().unwrap_or_default().to_owned();
    if address.is_empty() {
        return Err(bad("The app has no address to post logout responses to."));
    }
    let key = signing_key(act.state, app)?;
    let meant = user.as_ref().is_none_or(|user| asked.means(act.state, app, &settings, user));
    if let Some(session) = present.filter(|_| meant) {
        model::session::end(&mut act, &session);
    }
    let [id, ..] = ids(&mut act);
    let signer = Signer { key: &key, signature: settings.signature, digest: settings.digest };
    let told = LoggedOut { settings: &settings, address: &address, in_response_to: &asked.id, now: act.tx.now, meant };
    let xml = told.signed(&id, &signer);
    events::announce(&mut act);
    let mut fields = vec![("SAMLResponse".to_owned(), STANDARD.encode(xml))];
    fields.extend(relay_state.map(|state| ("RelayState".to_owned(), state.to_owned())));
    let answer = oauth::page::form_post(&address, &fields);
    Ok(if meant { session::clear_cookie(answer) } else { answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logout_requests_are_read() {
        let xml = "<p:LogoutRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"r1\" Destination=\"d\">\
                   <a:Issuer xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">sp</a:Issuer></p:LogoutRequest>";
        let wanted = LogoutRequest {
            id: "r1".to_owned(),
            issuer: "sp".to_owned(),
            destination: Some("d".to_owned()),
            ends: None,
            name: None,
        };
        assert_eq!(LogoutRequest::read(xml).as_ref(), Ok(&wanted));
        let named =
            xml.replace("</p:", "<b:NameID xmlns:b=\"urn:oasis:names:tc:SAML:2.0:assertion\"> a&amp;b </b:NameID></p:");
        assert_eq!(LogoutRequest::read(&named), Ok(LogoutRequest { name: Some("a&b".to_owned()), ..wanted }));
        let check = |xml: &str, wanted: &str| assert_eq!(LogoutRequest::read(xml), Err(wanted), "{xml}");
        check("", MALFORMED);
        check("<a></a>", NO_REQUEST);
        check(&xml.replace(" ID=\"r1\"", ""), NO_REQUEST);
        check(&xml.replace("</a:Issuer>", ""), MALFORMED);
        check(&format!("<!DOCTYPE x>{xml}"), MALFORMED);
    }
}
