//! Credentials of a twin made from a document: one for each way that the document has of showing who one is.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use dtu_kernel::{ids::ALNUM, seed::Site, twin::EnvVar, tx::Tx, wire::Request};
use http::header;
use indexmap::IndexMap;
use smol_str::SmolStr;

use crate::contract::{Contract, Place, SecurityScheme};

/// The secrets that the twin believes, drawn from the seed.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    /// In front of the variables' names: the twin's name in capitals.
    prefix: &'static str,
    /// A token for bearers, keys and passwords alike.
    secret: SmolStr,
    schemes: IndexMap<SmolStr, SecurityScheme>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The operation asks nobody.
    Anybody,
    /// Believed, by this scheme.
    Good(SmolStr),
    /// Nothing was shown.
    Missing,
    /// What was shown is not known.
    Wrong,
}

/// The name that goes with the secret where a scheme wants one.
const USER: &str = "dtu";

impl Credentials {
    /// The credentials of a contract.
    pub(super) fn draw(name: &'static str, contract: &Contract, tx: &mut Tx<'_>) -> Self {
        let upper: String = name.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_uppercase() }).collect();
        let drawn = tx.draw(Site::named(name).child("secret")).text(ALNUM, 24);
        let schemes = contract.documents.iter().flat_map(|document| document.security.clone());
        Self {
            prefix: Box::leak(upper.into_boxed_str()),
            secret: SmolStr::from(format!("dtu-fake-{drawn}")),
            schemes: schemes.collect(),
        }
    }

    /// Where the twin is, and what it believes.
    pub(super) fn env(&self, origin: &str) -> Vec<EnvVar> {
        let named = |what: &str| -> &'static str { Box::leak(format!("{}_{what}", self.prefix).into_boxed_str()) };
        let mut env = vec![EnvVar::text(named("URL"), origin)];
        if self.schemes.values().any(|scheme| matches!(scheme, SecurityScheme::Http { scheme } if scheme == "basic")) {
            env.push(EnvVar::text(named("USERNAME"), USER));
        }
        if !self.schemes.is_empty() {
            env.push(EnvVar::text(named("TOKEN"), self.secret.as_str()));
        }
        env
    }

    /// Whether a request shows what one of the entries asks for: all of its schemes.
    pub(super) fn prove(&self, asked: &[IndexMap<SmolStr, Vec<SmolStr>>], request: &Request) -> Proof {
        if asked.is_empty() || asked.iter().any(IndexMap::is_empty) {
            return Proof::Anybody;
        }
        let mut sent = false;
        for entry in asked {
            let shown: Vec<Option<String>> = entry.keys().map(|name| self.shown(name, request)).collect();
            sent |= shown.iter().any(Option::is_some);
            let all_good = entry.keys().zip(&shown).all(|(name, shown)| self.is_good(name, shown.as_deref()));
            if all_good && let Some(first) = entry.keys().next() {
                return Proof::Good(first.clone());
            }
        }
        if sent { Proof::Wrong } else { Proof::Missing }
    }

    /// What a request shows for a scheme, as it was sent.
    fn shown(&self, name: &SmolStr, request: &Request) -> Option<String> {
        let authorization = || request.header(header::AUTHORIZATION).map(str::to_owned);
        match self.schemes.get(name)? {
            SecurityScheme::ApiKey { place: Place::Header, name } => request.header(name.as_str()).map(str::to_owned),
            SecurityScheme::ApiKey { place: Place::Query, name } => {
                request.query_pairs().find(|(key, _)| key == name.as_str()).map(|(_, value)| value.into_owned())
            }
            SecurityScheme::ApiKey { place: Place::Cookie, name } => cookie(request, name),
            SecurityScheme::ApiKey { place: Place::Path, .. } => None,
            SecurityScheme::Http { .. } | SecurityScheme::OAuth2 => authorization(),
        }
    }

    fn is_good(&self, name: &SmolStr, shown: Option<&str>) -> bool {
        let (Some(shown), Some(scheme)) = (shown, self.schemes.get(name)) else { return false };
        match scheme {
            // Keys in a header often stand behind a word of the service's own (`SSWS`, `Token`).
            SecurityScheme::ApiKey { .. } => shown.rsplit(' ').next() == Some(self.secret.as_str()),
            SecurityScheme::Http { scheme } if scheme == "basic" => self.is_basic(shown),
            SecurityScheme::Http { scheme } => self.is_behind(scheme, shown),
            SecurityScheme::OAuth2 => self.is_behind("bearer", shown),
        }
    }

    fn is_behind(&self, scheme: &str, shown: &str) -> bool {
        shown
            .split_once(' ')
            .is_some_and(|(word, rest)| word.eq_ignore_ascii_case(scheme) && rest.trim() == self.secret.as_str())
    }

    fn is_basic(&self, shown: &str) -> bool {
        let Some((word, rest)) = shown.split_once(' ') else { return false };
        let decoded = BASE64_STANDARD.decode(rest.trim()).unwrap_or_default();
        word.eq_ignore_ascii_case("basic") && decoded == format!("{USER}:{}", self.secret).into_bytes()
    }
}

fn cookie(request: &Request, name: &str) -> Option<String> {
    let all = request.header(header::COOKIE)?;
    let pair = all.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name);
    pair.map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    use super::*;

    fn credentials() -> Credentials {
        let http = |scheme: &str| SecurityScheme::Http { scheme: scheme.into() };
        let schemes = [
            ("key", SecurityScheme::ApiKey { place: Place::Header, name: "x-key".into() }),
            ("query", SecurityScheme::ApiKey { place: Place::Query, name: "key".into() }),
            ("cookie", SecurityScheme::ApiKey { place: Place::Cookie, name: "sid".into() }),
            ("basic", http("basic")),
            ("bearer", http("bearer")),
            ("oauth", SecurityScheme::OAuth2),
        ];
        let schemes = schemes.into_iter().map(|(name, scheme)| (SmolStr::from(name), scheme)).collect();
        Credentials { prefix: "PETS", secret: "s3".into(), schemes }
    }

    fn check(asked: &[&[&str]], query: &str, headers: &[(&'static str, &'static str)], expected: Proof) {
        let entry = |names: &&[&str]| names.iter().map(|name| (SmolStr::from(*name), Vec::new())).collect();
        let asked: Vec<IndexMap<SmolStr, Vec<SmolStr>>> = asked.iter().map(entry).collect();
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let headers: HeaderMap = headers.iter().map(header).collect();
        let request = Request {
            method: Method::GET,
            path: "/".into(),
            query: query.into(),
            path_params: Vec::new(),
            headers,
            body: Bytes::new(),
            origin: "http://h".into(),
        };
        assert_eq!(credentials().prove(&asked, &request), expected, "{asked:?} {request:?}");
    }

    #[test]
    fn callers_are_believed_or_refused() {
        let good = |name: &str| Proof::Good(name.into());
        check(&[], "", &[], Proof::Anybody);
        check(&[&["key"], &[]], "", &[], Proof::Anybody);
        check(&[&["key"]], "", &[], Proof::Missing);
        check(&[&["key"]], "", &[("x-key", "s4")], Proof::Wrong);
        check(&[&["key"]], "", &[("x-key", "s3")], good("key"));
        check(&[&["key"]], "", &[("x-key", "SSWS s3")], good("key"));
        check(&[&["query"]], "a=1&key=s3", &[], good("query"));
        check(&[&["cookie"]], "", &[("cookie", "a=b; sid=s3")], good("cookie"));
        check(&[&["bearer"]], "", &[("authorization", "Bearer s3")], good("bearer"));
        check(&[&["oauth"]], "", &[("authorization", "bearer s3")], good("oauth"));
        check(&[&["oauth"]], "", &[("authorization", "s3")], Proof::Wrong);
        check(&[&["basic"]], "", &[("authorization", "Basic ZHR1OnMz")], good("basic"));
        check(&[&["basic"]], "", &[("authorization", "Basic ZHR1OnM0")], Proof::Wrong);
        check(&[&["key"], &["bearer"]], "", &[("authorization", "Bearer s3")], good("bearer"));
        check(&[&["key", "query"]], "", &[("x-key", "s3")], Proof::Wrong);
        check(&[&["key", "query"]], "key=s3", &[("x-key", "s3")], good("key"));
        check(&[&["unknown"]], "", &[], Proof::Missing);
    }
}
