//! Claims that authorization servers put into tokens.
//!
//! See developer.okta.com/docs/guides/customize-tokens-returned-from-okta/main/.

use dtu_kernel::{ids::IdShape, tx::Tx};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{super::shape, Server, find, write_row};
use crate::{
    error::Error,
    model::{
        Act,
        event_type::{CLAIM_CREATED, CLAIM_DELETED, CLAIM_UPDATED},
        log::Party,
    },
};

/// Ids of claims.
const ID: IdShape = shape("ocl", "oauth2_claim");

/// In which tokens a claim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TokenKind {
    /// Access tokens.
    Resource,
    /// ID tokens.
    Identity,
}

/// How a claim's value is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ValueKind {
    /// By an expression.
    Expression,
    /// From the names of the person's groups.
    Groups,
    /// By Okta itself.
    System,
}

/// How groups' names are compared with a claim's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GroupFilter {
    /// From its first letter on.
    StartsWith,
    /// Whole.
    Equals,
    /// Anywhere.
    Contains,
    /// By a regular expression.
    Regex,
}

/// Whether an object is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// It is.
    #[default]
    Active,
    /// It is not.
    Inactive,
}

/// When a claim is in a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// With any of these scopes; with all where there are none.
    #[serde(default)]
    pub scopes: Vec<SmolStr>,
}

/// A claim, as it is sent and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// `ocl...`.
    #[serde(default)]
    pub id: SmolStr,
    /// Its name.
    #[serde(default)]
    pub name: SmolStr,
    /// Whether it is in use.
    #[serde(default)]
    pub status: Status,
    /// In which tokens it is.
    pub claim_type: TokenKind,
    /// How its value is made.
    pub value_type: ValueKind,
    /// The expression, or what groups' names are compared with; none where Okta itself makes the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// When it is in a token.
    #[serde(default)]
    pub conditions: Conditions,
    /// Whether all servers have it.
    #[serde(default)]
    pub system: bool,
    /// Whether it is in the token itself rather than at the userinfo endpoint alone.
    #[serde(default = "yes")]
    pub always_include_in_token: bool,
    /// How groups' names are compared.
    #[serde(default, rename = "group_filter_type", skip_serializing_if = "Option::is_none")]
    pub group_filter: Option<GroupFilter>,
}

const fn yes() -> bool {
    true
}

/// Okta's expression for the subject of access tokens: recorded.
pub const SUBJECT: &str = "(appuser != null) ? appuser.userName : app.clientId";

/// What every server says of people, with its scope and whether it is in ID tokens beside an access token: recorded.
const SYSTEM: [(&str, &str, bool); 18] = [
    ("address", "address", false),
    ("birthdate", "profile", false),
    ("email", "email", true),
    ("email_verified", "email", false),
    ("family_name", "profile", false),
    ("gender", "profile", false),
    ("given_name", "profile", false),
    ("locale", "profile", false),
    ("middle_name", "profile", false),
    ("name", "profile", true),
    ("nickname", "profile", false),
    ("phone_number", "phone", false),
    ("picture", "profile", false),
    ("preferred_username", "profile", true),
    ("profile", "profile", false),
    ("updated_at", "profile", false),
    ("website", "profile", false),
    ("zoneinfo", "profile", false),
];

/// The claims that a new server has.
pub fn system(tx: &mut Tx<'_>) -> Vec<Claim> {
    let subject = Claim {
        id: tx.id(&ID),
        name: SmolStr::new_static("sub"),
        status: Status::Active,
        claim_type: TokenKind::Resource,
        value_type: ValueKind::Expression,
        value: Some(SUBJECT.to_owned()),
        conditions: Conditions::default(),
        system: true,
        always_include_in_token: true,
        group_filter: None,
    };
    let of_person = SYSTEM.map(|(name, scope, always)| Claim {
        id: tx.id(&ID),
        name: SmolStr::new_static(name),
        claim_type: TokenKind::Identity,
        value_type: ValueKind::System,
        value: None,
        conditions: Conditions { scopes: vec![SmolStr::new_static(scope)] },
        always_include_in_token: always,
        ..subject.clone()
    });
    std::iter::once(subject).chain(of_person).collect()
}

impl Claim {
    /// Whether it is in tokens of a kind with certain scopes.
    pub fn is_in(&self, token: TokenKind, scopes: &[SmolStr]) -> bool {
        let wanted = &self.conditions.scopes;
        let scoped = wanted.is_empty() || scopes.iter().any(|scope| wanted.contains(scope));
        self.claim_type == token && self.status == Status::Active && scoped
    }

    fn party(&self) -> Party {
        Party {
            id: self.id.clone(),
            kind: "OAuth2Claim",
            alternate_id: self.name.clone(),
            display_name: self.name.clone(),
        }
    }
}

impl Server {
    /// A claim by its id.
    ///
    /// # Errors
    /// None such.
    pub fn claim(&self, id: &str) -> Result<&Claim, Error> {
        self.claims.iter().find(|claim| claim.id == id).ok_or_else(|| Error::not_found(id, "OAuth2Claim"))
    }

    /// Its claims as they are listed: what access tokens are about first, the others by name.
    pub fn claims_listed(&self) -> Vec<&Claim> {
        let mut all: Vec<&Claim> = self.claims.iter().collect();
        all.sort_by_key(|claim| (!(claim.system && claim.name == "sub"), claim.name.clone()));
        all
    }
}

/// Claims that tokens have anyway, and that administrators cannot add
/// (developer.okta.com/docs/guides/customize-tokens-returned-from-okta/main/, reserved claims).
const RESERVED: [&str; 24] = [
    "acr",
    "active",
    "aio",
    "amr",
    "app_id",
    "app_type",
    "at_hash",
    "aud",
    "auth_time",
    "c_hash",
    "cid",
    "client_id",
    "cnf",
    "exp",
    "iat",
    "idp",
    "iss",
    "jti",
    "nonce",
    "scp",
    "token_type",
    "uid",
    "ver",
    "username",
];

/// Whether tokens have a claim of this name anyway.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

fn check(server: &Server, claim: &Claim) -> Result<(), Error> {
    let blank = "The field cannot be left blank";
    if claim.name.is_empty() {
        return Err(Error::fields(&[("name", blank)]));
    }
    if RESERVED.contains(&claim.name.as_str()) {
        return Err(Error::fields(&[("name", "The claim name is reserved")]));
    }
    if claim.value_type == ValueKind::System && !claim.system {
        return Err(Error::fields(&[("valueType", "The field has an invalid value")]));
    }
    if claim.value_type != ValueKind::System && claim.value.as_deref().is_none_or(str::is_empty) {
        return Err(Error::fields(&[("value", blank)]));
    }
    if claim.value_type == ValueKind::Groups && claim.group_filter.is_none() {
        return Err(Error::fields(&[("group_filter_type", blank)]));
    }
    let known = |name: &SmolStr| server.scope_named(name).is_some();
    if !claim.conditions.scopes.iter().all(known) {
        return Err(Error::fields(&[("conditions", "One or more scopes do not exist")]));
    }
    let same = |other: &&Claim| other.name == claim.name && other.claim_type == claim.claim_type;
    if server.claims.iter().filter(same).any(|other| other.id != claim.id) {
        return Err(Error::taken("name"));
    }
    Ok(())
}

/// Adds a claim to a server.
///
/// # Errors
/// No such server, or what of the claim cannot be.
pub fn create(act: &mut Act<'_, '_>, server: &str, wish: Claim) -> Result<Claim, Error> {
    let before = find(act.state, server)?;
    let claim = settled(Claim { id: act.tx.id(&ID), system: false, ..wish });
    check(&before, &claim)?;
    let row = claim.clone();
    write_row(act, &before, |server| server.claims.push(row));
    act.log(&CLAIM_CREATED, vec![claim.party(), before.party()]);
    Ok(claim)
}

/// Only claims of groups have a filter, and access tokens always have all of theirs.
fn settled(claim: Claim) -> Claim {
    let groups = claim.value_type == ValueKind::Groups;
    let whole = claim.claim_type == TokenKind::Resource;
    Claim {
        group_filter: claim.group_filter.filter(|_| groups),
        always_include_in_token: whole || claim.always_include_in_token,
        ..claim
    }
}

/// Replaces a claim of a server. Of those that all servers have, only some members can be changed.
///
/// # Errors
/// None such, or what of the claim cannot be.
pub fn replace(act: &mut Act<'_, '_>, server: &str, id: &str, wish: Claim) -> Result<Claim, Error> {
    let before = find(act.state, server)?;
    let own = before.claim(id)?.clone();
    let claim = settled(Claim { id: own.id.clone(), system: own.system, ..wish });
    let fixed = |claim: &Claim| (claim.name.clone(), claim.claim_type, claim.value_type);
    if own.system && fixed(&own) != fixed(&claim) {
        return Err(Error::invalid("claim", "System claims cannot be changed in name or type"));
    }
    check(&before, &claim)?;
    let row = claim.clone();
    write_row(act, &before, |server| {
        if let Some(own) = server.claims.iter_mut().find(|own| own.id == row.id) {
            *own = row;
        }
    });
    act.log(&CLAIM_UPDATED, vec![claim.party(), before.party()]);
    Ok(claim)
}

/// Deletes a claim of a server.
///
/// # Errors
/// None such, or one that all servers have.
pub fn delete(act: &mut Act<'_, '_>, server: &str, id: &str) -> Result<(), Error> {
    let before = find(act.state, server)?;
    let claim = before.claim(id)?.clone();
    if claim.system {
        return Err(Error::invalid("claim", "System claims cannot be deleted"));
    }
    write_row(act, &before, |server| server.claims.retain(|own| own.id != claim.id));
    act.log(&CLAIM_DELETED, vec![claim.party(), before.party()]);
    Ok(())
}
