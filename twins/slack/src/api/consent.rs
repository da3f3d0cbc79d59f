//! The pages on which people let apps have something. Slack asks somebody who is signed in; these pages ask who it is.

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Write, wire::Answer};
use http::{Method, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use smol_str::SmolStr;

use crate::{
    Row, Slack,
    error::Error,
    limits::SPECIAL,
    model::{
        State,
        consent::{Ask, Link},
        oauth::Flow,
        people::Role,
    },
};

const BOTH: &[Method] = &[Method::GET, Method::POST];

/// The rows.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::write("oauth.v2.authorize", BOTH, "/oauth/v2/authorize", install).limit(SPECIAL),
        Row::write("oauth.authorize", BOTH, "/oauth/authorize", legacy).limit(SPECIAL),
        Row::write("openid.connect.authorize", BOTH, "/openid/connect/authorize", sign_in).limit(SPECIAL),
    ]
}

/// What the link says, and what the person has filled in.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Form {
    #[serde(default)]
    client_id: SmolStr,
    scope: Option<String>,
    user_scope: Option<String>,
    redirect_uri: Option<SmolStr>,
    state: Option<String>,
    #[serde(default)]
    nonce: SmolStr,
    response_type: Option<String>,
    code_challenge: Option<SmolStr>,
    code_challenge_method: Option<SmolStr>,
    /// The workspace that is offered first; there is one.
    team: Option<SmolStr>,
    /// Who it is: mail address or user name.
    user: Option<String>,
    /// Where a webhook is to post.
    channel: Option<SmolStr>,
    /// `allow` or `cancel`.
    decision: Option<String>,
}

impl Form {
    fn link(&self, flow: Flow) -> Link {
        Link {
            flow,
            client_id: self.client_id.clone(),
            scope: self.scope.clone(),
            user_scope: self.user_scope.clone(),
            redirect_uri: self.redirect_uri.clone().filter(|uri| !uri.is_empty()),
            response_type: self.response_type.clone(),
            nonce: self.nonce.clone(),
            code_challenge: self.code_challenge.clone(),
            code_challenge_method: self.code_challenge_method.clone(),
        }
    }

    /// What the form sends along unseen.
    fn hidden(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("client_id", Some(self.client_id.as_str())),
            ("scope", self.scope.as_deref()),
            ("user_scope", self.user_scope.as_deref()),
            ("redirect_uri", self.redirect_uri.as_deref()),
            ("state", self.state.as_deref()),
            ("nonce", Some(self.nonce.as_str()).filter(|nonce| !nonce.is_empty())),
            ("response_type", self.response_type.as_deref()),
            ("code_challenge", self.code_challenge.as_deref()),
            ("code_challenge_method", self.code_challenge_method.as_deref()),
            ("team", self.team.as_deref()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// `/oauth/v2/authorize`
#[expect(clippy::unnecessary_wraps, reason = "rows take handlers that may fail")]
fn install(cx: &mut Write<'_, '_, Slack>, form: Form) -> Result<Typed<()>, Error> {
    Ok(Typed::from_answer(answer(cx, &form, Flow::Install)))
}

/// `/oauth/authorize`: for classic apps.
#[expect(clippy::unnecessary_wraps, reason = "rows take handlers that may fail")]
fn legacy(cx: &mut Write<'_, '_, Slack>, form: Form) -> Result<Typed<()>, Error> {
    Ok(Typed::from_answer(answer(cx, &form, Flow::Legacy)))
}

/// `/openid/connect/authorize`
#[expect(clippy::unnecessary_wraps, reason = "rows take handlers that may fail")]
fn sign_in(cx: &mut Write<'_, '_, Slack>, form: Form) -> Result<Typed<()>, Error> {
    Ok(Typed::from_answer(answer(cx, &form, Flow::SignIn)))
}

fn answer(cx: &mut Write<'_, '_, Slack>, form: &Form, flow: Flow) -> Answer {
    let ask = match Ask::read(cx.state, &form.link(flow)) {
        Ok(ask) if ask.leads_back() => ask,
        Ok(_) => return wrong("bad_redirect_uri"),
        Err(trouble) => return wrong(trouble),
    };
    if form.team.as_ref().is_some_and(|team| !team.is_empty() && *team != cx.state.workspace.id) {
        return wrong("invalid_team");
    }
    let is_sent = cx.scene.request.method == Method::POST;
    match form.decision.as_deref().filter(|_| is_sent) {
        None => question(cx.state, &ask, form, None),
        Some("allow") => match allow(cx, &ask, form) {
            Ok(code) => go(&ask.location("code", &code, form.state.as_deref())),
            Err(why) => question(cx.state, &ask, form, Some(why)),
        },
        Some(_) => go(&ask.location("error", "access_denied", form.state.as_deref())),
    }
}

fn allow(cx: &mut Write<'_, '_, Slack>, ask: &Ask, form: &Form) -> Result<SmolStr, &'static str> {
    let named = form.user.as_deref().unwrap_or_default().trim();
    let user = cx.state.find_user(named).filter(|user| !user.deleted && user.role != Role::Bot).cloned();
    let user = user.ok_or("nobody here goes by that name")?;
    let channel = form.channel.as_ref().and_then(|id| cx.state.channels.get(id)).map(Arc::clone);
    ask.allow(cx.state, cx.tx, &user, channel.as_deref()).map_err(|trouble| match trouble {
        "channel_not_found" => "choose a channel",
        _ => "you may not install this app",
    })
}

fn go(location: &str) -> Answer {
    Answer::empty(StatusCode::FOUND).with_header(header::LOCATION, location)
}

fn wrong(trouble: &str) -> Answer {
    page("Something went wrong", &format!("<p class=\"error\">{trouble}</p>"))
}

fn question(state: &State, ask: &Ask, form: &Form, why: Option<&str>) -> Answer {
    let name = escape(&ask.app.name);
    let title = format!("{name} is requesting permission to access the {} workspace", escape(&state.workspace.name));
    let mut body = String::new();
    if let Some(why) = why {
        body.extend(["<p class=\"error\">", why, "</p>\n"]);
    }
    body.push_str("<ul>");
    for scope in ask.scopes.iter().chain(ask.user_scopes.iter()) {
        body.extend(["<li>", &escape(scope), "</li>"]);
    }
    body.push_str("</ul>\n<form method=\"post\">\n");
    for (name, value) in form.hidden() {
        body.extend(["<input type=\"hidden\" name=\"", name, "\" value=\"", &escape(value), "\">\n"]);
    }
    body.push_str("<label>Your name or mail address <input name=\"user\" required autofocus></label>\n");
    if ask.wants_channel() {
        add_channels(state, &mut body);
    }
    // The enter key presses the first of them.
    body.push_str("<button name=\"decision\" value=\"allow\">Allow</button>\n");
    body.push_str("<button name=\"decision\" value=\"cancel\" formnovalidate>Cancel</button>\n</form>");
    page(&title, &body)
}

/// How many channels the page offers.
const OFFERED_MAX: usize = 100;

fn add_channels(state: &State, body: &mut String) {
    body.push_str("<label>Post to <select name=\"channel\">");
    let public = state.index.public.iter().filter_map(|id| state.channels.get(id));
    for channel in public.filter(|channel| !channel.archived).take(OFFERED_MAX) {
        body.extend(["<option value=\"", &channel.id, "\">#", &escape(&channel.name), "</option>"]);
    }
    body.push_str("</select></label>\n");
}

/// How pages look: a card in the middle.
const STYLE: &str = "body{margin:0;background:#f8f8f8;font:16px/1.5 system-ui,sans-serif;color:#1d1c1d}\
    main{box-sizing:border-box;max-width:30rem;margin:10vh auto 0;padding:2rem;background:#fff;border:1px solid #ddd;\
    border-radius:8px}h1{margin:0 0 1rem;font-size:1.4rem;line-height:1.3;overflow-wrap:anywhere}label{display:block;\
    margin:0 0 1rem;font-weight:600}input:not([type=hidden]),select{display:block;box-sizing:border-box;width:100%;\
    margin-top:.25rem;padding:.5rem;font:inherit;font-weight:400;border:1px solid #868686;border-radius:4px}\
    button{margin:.5rem .5rem 0 0;padding:.6rem 1.4rem;font:inherit;font-weight:600;border:1px solid #868686;\
    border-radius:4px;background:#fff;color:inherit;cursor:pointer}button[value=allow]{color:#fff;background:#007a5a;\
    border-color:#007a5a}.error{padding:.5rem .75rem;background:#fdeceb;border-left:4px solid #e01e5a}";

fn page(title: &str, body: &str) -> Answer {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><meta charset=\"utf-8\"><title>{title} | Slack</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    Answer::text("text/html; charset=utf-8", html)
}

/// A text within HTML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}
