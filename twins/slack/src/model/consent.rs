//! What the pages do on which people let apps have something: read what the app asks for, and send the person back.
//!
//! <https://docs.slack.dev/authentication/installing-with-oauth>,
//! <https://docs.slack.dev/authentication/sign-in-with-slack>

use std::sync::Arc;

use dtu_kernel::tx::Tx;
use smol_str::SmolStr;

use super::{
    State,
    apps::App,
    channels::Channel,
    oauth::{self, Challenge, Flow, Grant},
    people::User,
    webhooks,
};

/// What an app asks a person for, as its link says it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    pub(crate) flow: Flow,
    pub(crate) client_id: SmolStr,
    pub(crate) scope: Option<String>,
    pub(crate) user_scope: Option<String>,
    pub(crate) redirect_uri: Option<SmolStr>,
    pub(crate) response_type: Option<String>,
    pub(crate) nonce: SmolStr,
    pub(crate) code_challenge: Option<SmolStr>,
    pub(crate) code_challenge_method: Option<SmolStr>,
}

/// The same, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) app: Arc<App>,
    flow: Flow,
    pub(crate) scopes: Arc<[SmolStr]>,
    pub(crate) user_scopes: Arc<[SmolStr]>,
    redirect_uri: SmolStr,
    redirect_named: bool,
    nonce: SmolStr,
    challenge: Option<Challenge>,
}

/// Why a page shows no question. The words in which Slack's pages say it are nowhere documented: the codes are those
/// of the methods that take the codes.
pub(crate) type Trouble = &'static str;

impl Ask {
    /// Reads a link.
    pub(crate) fn read(state: &State, link: &Link) -> Result<Self, Trouble> {
        let app = state.app_by_client(&link.client_id).cloned().ok_or("invalid_client_id")?;
        let redirect_named = link.redirect_uri.is_some();
        let redirect_uri = match link.redirect_uri.clone() {
            Some(uri) if app.redirect_urls.iter().any(|url| covers(url, &uri)) => uri,
            Some(_) => return Err("bad_redirect_uri"),
            // An app without any is installed from its own page at Slack, which sends nobody anywhere.
            None => app.redirect_urls.first().cloned().unwrap_or_default(),
        };
        if link.flow == Flow::SignIn && link.response_type.as_deref() != Some("code") {
            return Err("invalid_response_type");
        }
        if (link.flow == Flow::Legacy) != app.setup.classic {
            return Err("oauth_authorization_url_mismatch");
        }
        let (scopes, user_scopes) = scopes(link)?;
        let challenge = challenge(link, &app)?;
        let (flow, nonce) = (link.flow, link.nonce.clone());
        Ok(Self { app, flow, scopes, user_scopes, redirect_uri, redirect_named, nonce, challenge })
    }

    /// Whether there is an address to send the person to.
    pub(crate) fn leads_back(&self) -> bool {
        !self.redirect_uri.is_empty()
    }

    /// Whether the person chooses a channel for a webhook.
    pub(crate) fn wants_channel(&self) -> bool {
        self.scopes.iter().any(|scope| scope == webhooks::SCOPE)
    }

    /// A person presses Allow. Gives back the code.
    pub(crate) fn allow(
        &self,
        state: &mut State,
        tx: &mut Tx<'_>,
        user: &User,
        channel: Option<&Channel>,
    ) -> Result<SmolStr, Trouble> {
        // Guests may sign in, and install nothing.
        if self.flow != Flow::SignIn && !user.is_full_member() {
            return Err("access_denied");
        }
        if self.wants_channel() && !channel.is_some_and(|channel| may_choose(state, channel, user)) {
            return Err("channel_not_found");
        }
        let grant = Grant {
            app: self.app.id.clone(),
            user: user.id.clone(),
            scopes: Arc::clone(&self.scopes),
            user_scopes: Arc::clone(&self.user_scopes),
            redirect_uri: self.redirect_uri.clone(),
            redirect_named: self.redirect_named,
            flow: self.flow,
            nonce: self.nonce.clone(),
            challenge: self.challenge.clone(),
            channel: channel.filter(|_| self.wants_channel()).map(|channel| channel.id.clone()),
            at: tx.now,
            used: false,
        };
        Ok(oauth::grant(state, tx, grant))
    }

    /// Where the person is sent with an answer: `code` or `error`.
    pub(crate) fn location(&self, name: &str, value: &str, said: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(name, value).append_pair("state", said.unwrap_or_default());
        let joint = if self.redirect_uri.contains('?') { '&' } else { '?' };
        format!("{}{joint}{}", self.redirect_uri, query.finish())
    }
}

/// Whether an address is one that the app has registered, or below it.
fn covers(registered: &str, uri: &str) -> bool {
    uri.strip_prefix(registered)
        .is_some_and(|rest| rest.is_empty() || registered.ends_with('/') || rest.starts_with(['/', '?']))
}

/// Whether somebody may have a webhook post in a conversation: one that they are in, or a public one.
pub(crate) fn may_choose(state: &State, channel: &Channel, user: &User) -> bool {
    !channel.archived && (state.is_public(&channel.id) || state.is_member(&channel.id, &user.id))
}

fn challenge(link: &Link, app: &App) -> Result<Option<Challenge>, Trouble> {
    let Some(text) = link.code_challenge.clone().filter(|text| !text.is_empty()) else { return Ok(None) };
    if !app.setup.pkce {
        return Err("pkce_not_allowed");
    }
    match link.code_challenge_method.as_deref() {
        None | Some("" | "plain") => Ok(Some(Challenge::Plain(text))),
        Some("S256") => Ok(Some(Challenge::S256(text))),
        Some(_) => Err("invalid_code_challenge_method"),
    }
}

/// The scopes of a list, which commas or blanks divide.
fn list(text: Option<&str>) -> Vec<SmolStr> {
    let parts = text.unwrap_or_default().split([',', ' ', '+']);
    parts.map(str::trim).filter(|part| !part.is_empty()).map(SmolStr::new).collect()
}

type Scopes = (Arc<[SmolStr]>, Arc<[SmolStr]>);

/// The bot's and the person's scopes.
fn scopes(link: &Link) -> Result<Scopes, Trouble> {
    let (bot, user) = (list(link.scope.as_deref()), list(link.user_scope.as_deref()));
    if bot.is_empty() && user.is_empty() {
        return Err("no_scopes");
    }
    let known = |scope: &SmolStr| is_scope(scope);
    match link.flow {
        _ if !bot.iter().chain(&user).all(known) => Err("invalid_scope"),
        Flow::Install => Ok((bot.into(), user.into())),
        // One list: what is for people goes to the person, and `bot` and the rest to the bot.
        Flow::Legacy => {
            let is_bots = |scope: &SmolStr| matches!(scope.as_str(), "bot" | "commands" | webhooks::SCOPE);
            let (bot, user): (Vec<SmolStr>, Vec<SmolStr>) = bot.into_iter().partition(is_bots);
            Ok((bot.into(), user.into()))
        }
        Flow::SignIn if bot.iter().any(|scope| scope == "openid") => Ok((Arc::from([]), bot.into())),
        Flow::SignIn => Err("invalid_scope"),
    }
}

/// Whether a word can be a scope: Slack's are words and dots, with colons between.
fn is_scope(scope: &str) -> bool {
    let fits = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'.' | b'_' | b'-'))
    };
    scope.len() <= 50 && scope.split(':').all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_below_registered_ones_are_good() {
        let check = |registered: &str, uri: &str, wanted: bool| assert_eq!(covers(registered, uri), wanted, "{uri}");
        check("https://a.example/oauth", "https://a.example/oauth", true);
        check("https://a.example/oauth", "https://a.example/oauth/slack?x=1", true);
        check("https://a.example/oauth", "https://a.example/oauthx", false);
        check("https://a.example", "https://a.example.evil.example/", false);
        check("https://a.example/", "https://a.example/oauth", true);
    }

    #[test]
    fn scopes_are_words() {
        let check = |scope: &str, wanted: bool| assert_eq!(is_scope(scope), wanted, "{scope}");
        check("chat:write.public", true);
        check("incoming-webhook", true);
        check("conversations.connect:manage", true);
        check("a b", false);
        check("chat:", false);
        check("<x>", false);
    }
}
