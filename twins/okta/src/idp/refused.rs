//! Why nobody is signed in through a provider, as the log, the client and the person are told.

use dtu_kernel::wire::Answer;
use http::StatusCode;
use smol_str::SmolStr;

use crate::{
    model::Act,
    oauth::{
        authorize,
        error::{self, OAuthError},
        form::Form,
        page,
        server::Issuer,
    },
};

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What the log says.
    pub(crate) reason: SmolStr,
    /// The code that a client is told.
    pub(crate) error: &'static str,
    /// The words that a client or the person is told.
    pub(crate) words: String,
}

impl Refused {
    /// The same words for everybody.
    pub(crate) fn new(words: impl Into<String>) -> Self {
        let words = words.into();
        Self { reason: words.as_str().into(), error: "access_denied", words }
    }

    /// Words for clients and people, and others for the log.
    pub(crate) fn logged(words: impl Into<String>, reason: impl Into<SmolStr>) -> Self {
        Self { reason: reason.into(), error: "access_denied", words: words.into() }
    }

    /// The same with another code.
    pub(crate) fn coded(self, error: &'static str) -> Self {
        Self { error, ..self }
    }

    /// The answer to whoever is on the way to `next`: the client is told where one has sent them, or else they are.
    pub(crate) fn answer(&self, act: &mut Act<'_, '_>, next: &str) -> Answer {
        let error = error::elsewhere(self.error, &self.words);
        client(act, next, &error).unwrap_or_else(|| self.page())
    }

    /// The page (support.okta.com/help/s/article/unable-to-transform-email-to-username-failure-on-inbound-sso).
    pub(crate) fn page(&self) -> Answer {
        let error = error::elsewhere("GENERAL_NONSUCCESS", &self.words);
        page::refused(&error).with_status(StatusCode::BAD_REQUEST)
    }
}

/// The answer that takes somebody back to the client on whose request they are; none where they are on no such way.
fn client(act: &mut Act<'_, '_>, next: &str, error: &OAuthError) -> Option<Answer> {
    let (path, query) = next.split_once('?').unwrap_or((next, ""));
    let server = match path.split('/').collect::<Vec<_>>()[..] {
        ["", "oauth2", "v1", "authorize"] => "",
        ["", "oauth2", server, "v1", "authorize"] => server,
        _ => return None,
    };
    let issuer = Issuer::named(act.state, &act.tx.origin.clone(), server).ok()?;
    let form = Form::of(form_urlencoded::parse(query.as_bytes())).ok()?;
    let asked = authorize::read(act, &issuer, &form).ok()?;
    Some(asked.refused(error))
}
