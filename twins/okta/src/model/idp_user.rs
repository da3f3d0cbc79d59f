//! Whom identity providers know as whom: links between their people and Okta's, with what they said last.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProviderUsers/.

use std::{ops::Bound::Excluded, sync::Arc};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

/// A token that a provider has handed out for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SocialToken {
    /// Its id.
    pub id: SmolStr,
    /// The token itself.
    #[serde(skip)]
    pub token: String,
    /// What it is, by the names of the token exchange grant.
    pub kind: &'static str,
    /// How it is shown (`Bearer`); none of ID tokens.
    pub scheme: Option<SmolStr>,
    /// What it is good for; nothing is said of ID tokens.
    pub scopes: Vec<SmolStr>,
    /// Until when; none where the provider did not say.
    pub expires: Option<Timestamp>,
}

/// Somebody whom a provider knows, and whom they are in Okta.
#[derive(Clone, Debug, Serialize)]
pub struct IdpUser {
    /// The provider's id.
    pub provider: SmolStr,
    /// The person's id in Okta.
    pub user: SmolStr,
    /// The provider's own name for them.
    pub external: SmolStr,
    /// When they were linked.
    pub created: Timestamp,
    /// When the provider last said something new.
    pub last_updated: Timestamp,
    /// What it said.
    pub profile: Map<String, Value>,
    /// What it has handed out at the last sign-in.
    pub tokens: Vec<SocialToken>,
}

type Pair = (SmolStr, SmolStr);

/// All links.
#[derive(Clone, Debug)]
pub struct IdpUsers {
    /// By provider and person.
    table: Table<Pair, IdpUser>,
    /// The person, by provider and the provider's own name.
    by_external: OrdMap<Pair, SmolStr>,
    providers_of: OrdSet<Pair>,
}

impl Default for IdpUsers {
    fn default() -> Self {
        Self { table: Table::new("idp_users"), by_external: OrdMap::new(), providers_of: OrdSet::new() }
    }
}

impl IdpUsers {
    /// A person's link with a provider.
    pub fn get(&self, provider: &str, user: &str) -> Option<&Arc<IdpUser>> {
        self.table.get(&(provider.into(), user.into()))
    }

    /// Whom a provider means by a name of its own.
    pub fn by_external(&self, provider: &str, external: &str) -> Option<&Arc<IdpUser>> {
        self.get(provider, self.by_external.get(&(provider.into(), external.into()))?)
    }

    /// A provider's people behind one of them, in the order of their ids in Okta.
    pub fn of_provider<'a>(&'a self, provider: &str, after: &str) -> impl Iterator<Item = &'a Arc<IdpUser>> + use<'a> {
        let provider = SmolStr::new(provider);
        let from = self.table.range((Excluded((provider.clone(), after.into())), std::ops::Bound::Unbounded));
        from.take_while(move |((of, _), _)| *of == provider).map(|(_, row)| row)
    }

    /// The ids of the providers that know a person.
    pub fn providers_of(&self, user: &str) -> Vec<SmolStr> {
        let user = SmolStr::new(user);
        let from = self.providers_of.range((user.clone(), SmolStr::default())..);
        from.take_while(|(of, _)| *of == user).map(|(_, provider)| provider.clone()).collect()
    }

    /// Writes a link and its indexes. The provider's name for the person is nobody else's: callers see to that.
    pub fn put(&mut self, changes: &mut Changes, row: IdpUser) -> Arc<IdpUser> {
        let key = (row.provider.clone(), row.user.clone());
        if let Some(before) = self.table.get(&key) {
            self.by_external.remove(&(before.provider.clone(), before.external.clone()));
        }
        self.by_external.insert((row.provider.clone(), row.external.clone()), row.user.clone());
        self.providers_of.insert((row.user.clone(), row.provider.clone()));
        self.table.put(changes, key, row)
    }

    /// Ends a link; gives back whether there was one.
    pub fn remove(&mut self, changes: &mut Changes, provider: &str, user: &str) -> bool {
        let Some(row) = self.table.remove(changes, &(provider.into(), user.into())) else { return false };
        self.by_external.remove(&(row.provider.clone(), row.external.clone()));
        self.providers_of.remove(&(row.user.clone(), row.provider.clone()));
        true
    }

    /// Ends all links of a person who is gone.
    pub fn drop_user(&mut self, changes: &mut Changes, user: &str) {
        for provider in self.providers_of(user) {
            self.remove(changes, &provider, user);
        }
    }

    /// Ends all links with a provider that is gone.
    pub fn drop_provider(&mut self, changes: &mut Changes, provider: &str) {
        let users: Vec<SmolStr> = self.of_provider(provider, "").map(|row| row.user.clone()).collect();
        for user in users {
            self.remove(changes, provider, &user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(provider: &str, user: &str, external: &str) -> IdpUser {
        let (created, last_updated) = (Timestamp::from_secs(0), Timestamp::from_secs(0));
        let (profile, tokens) = (Map::new(), Vec::new());
        let (provider, user, external) = (provider.into(), user.into(), external.into());
        IdpUser { provider, user, external, created, last_updated, profile, tokens }
    }

    #[test]
    fn links_are_found_from_both_sides() {
        let (mut links, mut changes) = (IdpUsers::default(), Changes::default());
        for one in [row("i1", "u1", "a"), row("i1", "u2", "b"), row("i2", "u1", "a")] {
            links.put(&mut changes, one);
        }
        let of = |links: &IdpUsers, external: &str| links.by_external("i1", external).map(|row| row.user.clone());
        let people = |links: &IdpUsers, after: &str| -> Vec<SmolStr> {
            links.of_provider("i1", after).map(|row| row.user.clone()).collect()
        };
        assert_eq!((of(&links, "a").as_deref(), people(&links, "").len()), (Some("u1"), 2));
        assert_eq!(people(&links, "u1"), ["u2"]);
        links.put(&mut changes, row("i1", "u1", "c"));
        assert_eq!((of(&links, "a"), of(&links, "c").as_deref()), (None, Some("u1")));
        links.drop_user(&mut changes, "u1");
        assert_eq!((people(&links, ""), links.providers_of("u1").len()), (vec![SmolStr::from("u2")], 0));
        links.drop_provider(&mut changes, "i1");
        assert_eq!((people(&links, "").len(), of(&links, "b")), (0, None));
    }
}
