//! What a resource of a set is: a name of Okta's own (`orn:okta:directory:00o1:groups:00g1`) or an address.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/guides/roles/#okta-resource-name-orn.

use serde::Serialize;
use smol_str::SmolStr;

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Orn {
    /// The part of Okta that it is in: `directory`, `idp`.
    pub service: SmolStr,
    /// The org's id.
    pub org: SmolStr,
    /// The kind (`users`), and what of it: ids, or `contained_resources`.
    pub parts: Vec<SmolStr>,
}

/// What stands behind a group where its people are meant rather than the group.
const CONTAINED: &str = "contained_resources";

impl Orn {
    /// A resource by its name or address; none where it is neither.
    pub fn read(text: &str, org: &str, app_name: impl FnOnce(&str) -> Option<SmolStr>) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("orn:") {
            let mut parts = rest.split(':').skip(1).map(SmolStr::new);
            let (service, org) = (parts.next()?, parts.next()?);
            let parts: Vec<SmolStr> = parts.collect();
            return (!parts.is_empty() && parts.iter().all(|part| !part.is_empty())).then_some(Self {
                service,
                org,
                parts,
            });
        }
        let path = text.split_once("/api/v1/")?.1;
        let mut parts: Vec<SmolStr> = path.trim_end_matches('/').split('/').map(SmolStr::new).collect();
        if let [kind, _, people] = parts.as_mut_slice()
            && kind == "groups"
            && people == "users"
        {
            *people = SmolStr::new_static(CONTAINED);
        }
        if let [kind, id] = parts.as_slice()
            && kind == "apps"
        {
            let name = app_name(id)?;
            parts.insert(1, name);
        }
        let service = if matches!(parts[0].as_str(), "users" | "groups") { "directory" } else { "idp" };
        Some(Self { service: service.into(), org: org.into(), parts })
    }

    /// As Okta writes it.
    pub fn text(&self) -> String {
        format!("orn:okta:{}:{}:{}", self.service, self.org, self.parts.join(":"))
    }

    /// The kind: `users`, `groups`, `apps`, ...
    pub fn kind(&self) -> &str {
        self.parts.first().map_or("", SmolStr::as_str)
    }

    /// The id of what it is, where it is one thing. An app's name stands before its id.
    pub fn id(&self) -> Option<&SmolStr> {
        if self.kind() == "apps" { self.parts.get(2) } else { self.parts.get(1) }
    }

    /// The definition's name, of apps.
    pub fn app_name(&self) -> Option<&SmolStr> {
        self.parts.get(1).filter(|_| self.kind() == "apps")
    }

    /// Whether it is a group's people rather than the group.
    pub fn is_contained(&self) -> bool {
        self.parts.get(2).is_some_and(|part| part == CONTAINED)
    }

    /// The path of what it is, where the API has one.
    pub fn path(&self) -> Option<String> {
        let kind = match self.kind() {
            kind @ ("users" | "groups" | "apps") => kind,
            "authorization_servers" | "authorizationServers" => "authorizationServers",
            _ => return None,
        };
        let id = self.id().map(|id| format!("/{id}")).unwrap_or_default();
        Some(format!("/api/v1/{kind}{id}{}", if self.is_contained() { "/users" } else { "" }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_one() {
        let check = |text: &str, orn: &str, path: &str| {
            let read = |text: &str| Orn::read(text, "00o1", |_| Some("bookmark".into())).expect("is a resource");
            let found = read(text);
            assert_eq!((found.text().as_str(), found.path().as_deref()), (orn, Some(path)), "{text}");
            assert_eq!(read(orn), found);
        };
        check("https://o/api/v1/users", "orn:okta:directory:00o1:users", "/api/v1/users");
        check("https://o/api/v1/users/00u1", "orn:okta:directory:00o1:users:00u1", "/api/v1/users/00u1");
        check(
            "https://o/api/v1/groups/00g1/users",
            "orn:okta:directory:00o1:groups:00g1:contained_resources",
            "/api/v1/groups/00g1/users",
        );
        check("https://o/api/v1/apps/0oa1", "orn:okta:idp:00o1:apps:bookmark:0oa1", "/api/v1/apps/0oa1");
        for text in ["", "users", "orn:okta", "orn:okta:directory:00o1", "orn:okta:directory:00o1:users:"] {
            assert!(Orn::read(text, "00o1", |_| None).is_none(), "{text}");
        }
    }
}
