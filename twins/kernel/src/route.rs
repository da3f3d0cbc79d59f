//! From a request's method and path to the operation that serves it.
//!
//! The table is made from the operation table. It takes what the services' paths need and axum's own router does not:
//! fixed endings behind a parameter (`/values/{range}:append`).

use std::{borrow::Cow, sync::Arc};

use http::Method;
use percent_encoding::percent_decode_str;
use smol_str::SmolStr;

use crate::operation::OperationInfo;

/// A path's parameters in the order of its template, decoded.
pub type Params = Vec<(&'static str, String)>;

/// What serves a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The operation of this place in the table.
    Operation(usize, Params),
    /// Nothing is served at the path.
    Nothing,
    /// The path is served under other methods.
    OtherMethods,
}

/// One operation at a path.
#[derive(Debug)]
struct Served {
    method: Method,
    operation: usize,
    names: Arc<[&'static str]>,
}

/// The paths of a twin.
#[derive(Debug)]
pub struct Paths {
    router: matchit::Router<Vec<Served>>,
}

impl Paths {
    /// The paths of an operation table. A row whose method and path an earlier row has is never reached.
    ///
    /// # Panics
    /// Where a path cannot be routed ([`PathCheck`] has looked at paths from documents).
    pub fn new(operations: &[OperationInfo]) -> Self {
        let mut paths: indexmap::IndexMap<SmolStr, Vec<Served>> = indexmap::IndexMap::new();
        for (operation, info) in operations.iter().enumerate() {
            let names: Arc<[&'static str]> = info.path_params().collect();
            let served = paths.entry(numbered(info.path)).or_default();
            for method in info.methods {
                served.push(Served { method: method.clone(), operation, names: Arc::clone(&names) });
            }
        }
        let mut router = matchit::Router::new();
        for (path, served) in paths {
            router.insert(path, served).expect("paths are checked before they come into a table");
        }
        Self { router }
    }

    /// What serves a request. `HEAD` is served as `GET`, whose body is not sent. A path in which letters are escaped
    /// without need is the same path (RFC 3986, section 6.2.2.2).
    pub fn find(&self, method: &Method, path: &str) -> Found {
        let path = without_needless_escapes(path);
        let Ok(matched) = self.router.at(&path) else { return Found::Nothing };
        let of = |method: &Method| matched.value.iter().find(|served| served.method == *method);
        let found = of(method).or_else(|| if method == Method::HEAD { of(&Method::GET) } else { None });
        let Some(served) = found else { return Found::OtherMethods };
        let mut params = Vec::with_capacity(served.names.len());
        for (name, (_, value)) in served.names.iter().zip(matched.params.iter()) {
            // Percent-escapes that are no UTF-8 name nothing.
            let Ok(value) = percent_decode_str(value).decode_utf8() else { return Found::Nothing };
            params.push((*name, value.into_owned()));
        }
        Found::Operation(served.operation, params)
    }
}

/// A path without escapes of what needs none: letters, digits, `-`, `.`, `_`, `~`.
fn without_needless_escapes(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let escaped = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from);
        let needless = escaped.filter(|c| c.is_ascii_alphanumeric() || "-._~".contains(*c));
        plain.push(needless.unwrap_or('%'));
        rest = if needless.is_some() { &after[2..] } else { after };
    }
    Cow::Owned(plain + rest)
}

/// A path template with its parameters' names replaced by their number: two templates that differ only in names are
/// one path.
pub fn numbered(path: &str) -> SmolStr {
    let mut out = String::with_capacity(path.len());
    for (n, part) in path.split('{').enumerate() {
        match part.split_once('}') {
            Some((_, rest)) if n > 0 => {
                out.push('{');
                out.push_str(&n.to_string());
                out.push('}');
                out.push_str(rest);
            }
            // A brace that nothing closes stays, to be found when the path is put into a table.
            None if n > 0 => {
                out.push('{');
                out.push_str(part);
            }
            _ => out.push_str(part),
        }
    }
    out.into()
}

/// Looks whether paths can stand in one table.
#[derive(Debug, Default)]
pub struct PathCheck {
    router: matchit::Router<()>,
    known: indexmap::IndexSet<SmolStr>,
}

impl PathCheck {
    /// Adds a path; one that is there already is another method's.
    ///
    /// # Errors
    /// Why it cannot stand beside the others, for people.
    pub fn add(&mut self, path: &str) -> Result<(), String> {
        let path = numbered(path);
        if self.known.contains(&path) {
            return Ok(());
        }
        if !path.starts_with('/') {
            return Err("a path starts with a slash".to_owned());
        }
        self.router.insert(path.clone(), ()).map_err(|error| error.to_string())?;
        self.known.insert(path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Level;

    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];

    fn paths() -> Paths {
        let rows: [(&[Method], &str); 8] = [
            (GET, "/users"),
            (GET, "/users/{id}"),
            (POST, "/users/{userId}"),
            (GET, "/users/me"),
            (GET, "/v4/sheets/{id}/values/{range}"),
            (POST, "/v4/sheets/{id}/values/{range}:append"),
            (POST, "/v4/sheets/{id}:batchUpdate"),
            (GET, "/users/{userId}/groups"),
        ];
        let infos: Vec<OperationInfo> =
            rows.iter().map(|(methods, path)| OperationInfo::untyped("x", methods, path, Level::Stores)).collect();
        Paths::new(&infos)
    }

    fn check(method: Method, path: &str, expected: &str) {
        let found = match paths().find(&method, path) {
            Found::Operation(at, params) => {
                let params: Vec<String> = params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
                format!("{at}{}", params.concat())
            }
            Found::Nothing => "nothing".to_owned(),
            Found::OtherMethods => "other methods".to_owned(),
        };
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn requests_find_their_operation() {
        check(Method::GET, "/users", "0");
        check(Method::HEAD, "/users", "0");
        check(Method::GET, "/users/7", "1 id=7");
        check(Method::POST, "/users/7", "2 userId=7");
        check(Method::GET, "/users/me", "3");
        check(Method::POST, "/users/me", "other methods");
        check(Method::GET, "/users/7/groups", "7 userId=7");
        check(Method::DELETE, "/users", "other methods");
        check(Method::GET, "/nothing", "nothing");
        check(Method::GET, "/users/", "nothing");
        check(Method::GET, "/users/a%20b%2Fc", "1 id=a b/c");
        check(Method::GET, "/users/%ff", "nothing");
        check(Method::GET, "/%75sers/%6De", "3");
        check(Method::GET, "/users/%6De", "3");
        check(Method::GET, "/%75sers/%2541", "1 id=%41");
        check(Method::GET, "/users%2F7", "nothing");
        check(Method::GET, "/%75sers%2", "nothing");
    }

    #[test]
    fn fixed_endings_are_told_from_parameters() {
        check(Method::GET, "/v4/sheets/S/values/A1:B2", "4 id=S range=A1:B2");
        check(Method::POST, "/v4/sheets/S/values/A1:B2:append", "5 id=S range=A1:B2");
        check(Method::POST, "/v4/sheets/S/values/%27Sheet%201%27%21A1:append", "5 id=S range='Sheet 1'!A1");
        check(Method::POST, "/v4/sheets/S:batchUpdate", "6 id=S");
    }

    #[test]
    fn paths_that_cannot_be_routed_are_told() {
        let mut paths = PathCheck::default();
        let mut check = |path: &str, fits: bool| assert_eq!(paths.add(path).is_ok(), fits, "{path}");
        check("/a/{x}", true);
        check("/a/{y}", true);
        check("/a/{x}:do", true);
        check("/a/{x}...{y}", false);
        check("/a/{x", false);
        check("a", false);
    }
}
