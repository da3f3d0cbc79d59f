//! Access tokens and refresh tokens.
//!
//! See developers.google.com/identity/protocols/oauth2.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    ids::{ALNUM, IdShape},
    table::{Changes, Table},
    time::Timestamp,
    tx::Tx,
};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};

use crate::SITE;

/// How long an access token lives: an hour less the second in which it was made, as Google counts.
pub const LIFETIME: Duration = Duration::from_secs(3_599);

/// How long the access token of the environment lives: longer than anybody's universe, so that work with a twin that
/// runs for days does not break in the middle. Google's own live for an hour.
pub const STANDING_LIFETIME: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Ids of tokens, which only ledger and views show.
const TOKEN_ID: IdShape =
    IdShape { site: SITE.child("ids").child("token"), prefix: "tok", alphabet: ALNUM, drawn: 14, suffix: "" };
/// Access tokens of people.
const PERSON_VALUE: IdShape = value("person", "ya29.dtu-not-a-real-token-");
/// Access tokens of service accounts, for themselves or for people.
const SERVICE_VALUE: IdShape = value("service", "ya29.c.dtu-not-a-real-token-");

const fn value(name: &str, prefix: &'static str) -> IdShape {
    // Dashes and underscores are left out, so that the whole token is one word.
    IdShape { site: SITE.child("tokens").child(name), prefix, alphabet: ALNUM, drawn: 32, suffix: "" }
}

/// Whose rights a token carries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A person, by the account's id.
    Person(SmolStr),
    /// A service account, by its unique id.
    Service(SmolStr),
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// To call with.
    Access,
    /// To get access tokens with.
    Refresh,
}

/// A token.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// For ledger and views only.
    pub id: SmolStr,
    /// What it is for.
    pub kind: Kind,
    /// Whose rights it carries.
    pub holder: Holder,
    /// The OAuth client or service account that it was issued to, by id.
    pub issued_to: SmolStr,
    /// What it may be used for.
    pub scopes: Vec<SmolStr>,
    /// When it was made.
    pub issued: Timestamp,
    /// When it ends; refresh tokens do not.
    pub expires: Option<Timestamp>,
    /// The refresh token that it came from, by id.
    pub refresh: Option<SmolStr>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The secret: never for the ledger.
    #[serde(skip)]
    pub value: SmolStr,
}

impl Token {
    /// Whether it is good at a time: neither revoked nor expired.
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.revoked && self.expires.is_none_or(|end| now < end)
    }

    /// The scopes as the token endpoint writes them.
    pub fn scope_text(&self) -> String {
        self.scopes.iter().map(SmolStr::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Whether it has one of `wanted`.
    pub fn has_one_of(&self, wanted: &[&str]) -> bool {
        self.scopes.iter().any(|scope| wanted.contains(&scope.as_str()))
    }
}

/// What a token is to be.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Whose rights it carries.
    pub holder: Holder,
    /// The OAuth client or service account that asked, by id.
    pub issued_to: SmolStr,
    /// What it may be used for.
    pub scopes: Vec<SmolStr>,
    /// The refresh token that it comes from, by id.
    pub refresh: Option<SmolStr>,
}

/// All tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    table: Table<SmolStr, Token>,
    by_value: OrdMap<SmolStr, SmolStr>,
    by_holder: OrdSet<(Holder, SmolStr)>,
    /// The access token of the environment; empty where nobody could hold it.
    pub standing: SmolStr,
}

impl Default for Tokens {
    fn default() -> Self {
        let standing = SmolStr::default();
        Self { table: Table::new("tokens"), by_value: OrdMap::new(), by_holder: OrdSet::new(), standing }
    }
}

impl Tokens {
    /// A token by its secret, good or not.
    pub fn by_value(&self, value: &str) -> Option<&Arc<Token>> {
        self.by_value.get(value).and_then(|id| self.table.get(id))
    }

    /// All, by id: for views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Token>> {
        self.table.iter().map(|(_, token)| token)
    }

    fn of_holder(&self, holder: &Holder) -> impl Iterator<Item = &SmolStr> {
        let (start, holder) = ((holder.clone(), SmolStr::default()), holder.clone());
        self.by_holder.range(start..).take_while(move |(of, _)| *of == holder).map(|(_, id)| id)
    }

    fn insert(&mut self, changes: &mut Changes, token: Token) -> Arc<Token> {
        self.by_value.insert(token.value.clone(), token.id.clone());
        self.by_holder.insert((token.holder.clone(), token.id.clone()));
        self.table.put(changes, token.id.clone(), token)
    }

    /// Makes an access token.
    pub fn issue(&mut self, tx: &mut Tx<'_>, grant: Grant, through_service: bool) -> Arc<Token> {
        let value = tx.id(if through_service { &SERVICE_VALUE } else { &PERSON_VALUE });
        let (expires, kind) = (Some(tx.now.after(LIFETIME)), Kind::Access);
        self.add(tx, grant, kind, expires, value)
    }

    /// Adds a token of the world, whose secret is known from the start.
    pub fn add_standing(&mut self, tx: &mut Tx<'_>, grant: Grant, kind: Kind, value: SmolStr) -> Arc<Token> {
        let expires = (kind == Kind::Access).then(|| tx.now.after(STANDING_LIFETIME));
        self.add(tx, grant, kind, expires, value)
    }

    fn add(
        &mut self,
        tx: &mut Tx<'_>,
        grant: Grant,
        kind: Kind,
        expires: Option<Timestamp>,
        value: SmolStr,
    ) -> Arc<Token> {
        let Grant { holder, issued_to, scopes, refresh } = grant;
        let (id, issued) = (tx.id(&TOKEN_ID), tx.now);
        let token = Token { id, kind, holder, issued_to, scopes, issued, expires, refresh, revoked: false, value };
        self.insert(&mut tx.changes, token)
    }

    /// Revokes a token. One that came from a refresh token takes that, and all that came from it, along; so does the
    /// refresh token itself.
    ///
    /// See developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke.
    pub fn revoke(&mut self, changes: &mut Changes, token: &Token) {
        let root = token.refresh.as_ref().unwrap_or(&token.id).clone();
        let family = |id: &&SmolStr| {
            self.table.get(id).is_some_and(|other| other.id == root || other.refresh.as_ref() == Some(&root))
        };
        let ids: Vec<SmolStr> = self.of_holder(&token.holder).filter(family).cloned().collect();
        self.revoke_ids(changes, &ids);
    }

    /// Revokes all that carries a holder's rights; gives back how many there were.
    pub fn revoke_all(&mut self, changes: &mut Changes, holder: &Holder) -> usize {
        let good = |id: &&SmolStr| self.table.get(id).is_some_and(|token| !token.revoked);
        let ids: Vec<SmolStr> = self.of_holder(holder).filter(good).cloned().collect();
        self.revoke_ids(changes, &ids);
        ids.len()
    }

    fn revoke_ids(&mut self, changes: &mut Changes, ids: &[SmolStr]) {
        for id in ids {
            self.table.update(changes, id, |token| token.revoked = true);
        }
    }
}

/// The secret of a token that a world has from the start: plainly no real one.
pub fn standing_value(prefix: &str, world: &str, key: &str) -> SmolStr {
    format_smolstr!("{prefix}dtu-{world}-{key}-token-not-a-real-secret")
}

#[cfg(test)]
mod tests {
    use dtu_kernel::tx::Desk;

    use super::*;

    fn grant(holder: &str, refresh: Option<&Token>) -> Grant {
        let refresh = refresh.map(|token| token.id.clone());
        Grant { holder: Holder::Person(holder.into()), issued_to: "client".into(), scopes: Vec::new(), refresh }
    }

    #[test]
    fn an_access_token_lives_for_an_hour_less_a_second() {
        let mut desk = Desk::new(1, Timestamp::from_secs(1_000));
        let token = Tokens::default().issue(&mut desk.tx(), grant("ann", None), false);
        for (second, good) in [(1_000, true), (4_598, true), (4_599, false)] {
            assert_eq!(token.is_good(Timestamp::from_secs(second)), good, "{second}");
        }
    }

    #[test]
    fn a_family_of_tokens_dies_together() {
        let mut desk = Desk::new(1, Timestamp::from_secs(1_000));
        let (mut tokens, mut tx) = (Tokens::default(), desk.tx());
        let root = tokens.add_standing(&mut tx, grant("ann", None), Kind::Refresh, "1//root".into());
        let first = tokens.issue(&mut tx, grant("ann", Some(&root)), false);
        let second = tokens.issue(&mut tx, grant("ann", Some(&root)), false);
        let other = tokens.issue(&mut tx, grant("ann", None), false);
        let foreign = tokens.issue(&mut tx, grant("bob", None), true);
        tokens.revoke(&mut tx.changes, &first);
        for (token, revoked) in [(&root, true), (&first, true), (&second, true), (&other, false), (&foreign, false)] {
            assert_eq!(tokens.by_value(&token.value).map(|token| token.revoked), Some(revoked), "{}", token.value);
        }
        assert_eq!(tokens.revoke_all(&mut tx.changes, &Holder::Person("ann".into())), 1);
        assert!(foreign.value.starts_with("ya29.c.") && !other.value.starts_with("ya29.c."));
    }
}
