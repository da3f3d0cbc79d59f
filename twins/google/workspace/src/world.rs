//! How a world's people and its `google-identity:` section become a workspace.

use std::collections::BTreeSet;

use dtu_kernel::{
    diagnostic::Diagnostic,
    ids::{ALNUM, HEX},
    seed::Draw,
    tx::Tx,
    world::{PersonStatus, World},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_saphyr::Spanned;
use smol_str::{SmolStr, format_smolstr};

use crate::{
    SITE,
    backed::Objects,
    model::{
        State,
        account::{Account, Accounts},
        credential::{Client, Clients, Project, Service, Services},
        token::{Grant, Holder, Kind, Tokens, standing_value},
    },
    scopes,
};

/// The `google-identity:` section.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GoogleIdentitySection")]
struct Section {
    /// The id of the Cloud project of all clients and service accounts; made from the world's name where absent.
    #[serde(default)]
    project: Option<SmolStr>,
    /// Service accounts; one that may act for everybody where there are none. The first is the one of
    /// `GOOGLE_APPLICATION_CREDENTIALS`.
    #[serde(default)]
    service_accounts: Vec<ServiceRow>,
    /// OAuth clients; one where there are none. Tokens of the world belong to the first.
    #[serde(default)]
    clients: Vec<ClientRow>,
    /// Refresh tokens; one of the first administrator where there are none.
    #[serde(default)]
    refresh_tokens: Vec<RefreshRow>,
}

/// A service account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GoogleServiceAccount")]
struct ServiceRow {
    /// A short unique handle: the first part of the mail address, where none is given.
    #[schemars(with = "String")]
    key: Spanned<SmolStr>,
    /// The mail address.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    email: Option<Spanned<SmolStr>>,
    /// Whether it has domain-wide delegation.
    #[serde(default)]
    delegates: bool,
    /// The keys of the people it may act for; everybody where empty.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    acts_for: Vec<Spanned<SmolStr>>,
}

/// An OAuth client.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GoogleClient")]
struct ClientRow {
    /// `NNN-xxxx.apps.googleusercontent.com`.
    #[schemars(with = "String")]
    id: Spanned<SmolStr>,
    /// The secret.
    secret: SmolStr,
}

/// A refresh token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GoogleRefreshToken")]
struct RefreshRow {
    /// The secret.
    #[schemars(with = "String")]
    value: Spanned<SmolStr>,
    /// The key of the person whose rights it carries.
    #[schemars(with = "String")]
    owner: Spanned<SmolStr>,
    /// The id of the client that it was issued to; the first where absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    client: Option<Spanned<SmolStr>>,
    /// What it may be used for; all of Drive, Sheets and Docs where empty.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    scopes: Vec<Spanned<SmolStr>>,
}

/// A section that may be there but has nothing to say yet.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GoogleEmptySection")]
struct Nothing {}

/// The schema of the `google-identity` section.
pub fn schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Section>()
}

/// The schema of the section of an API that reads nothing from worlds yet.
pub fn empty_schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Nothing>()
}

/// Makes the workspace. Whichever of Google's twins comes first in a universe loads it for all.
///
/// # Errors
/// Every problem with the sections.
pub fn load(world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
    for name in ["google-drive", "google-sheets", "google-docs"] {
        world.section::<Nothing>(name)?;
    }
    let section: Section = world.section("google-identity")?;
    let problems = check(world, &section);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut state = State {
        domain: world.company.domain.as_str().into(),
        project: project(world, &section, tx),
        accounts: Accounts::default(),
        services: Services::default(),
        clients: Clients::default(),
        tokens: Tokens::default(),
        objects: Objects::default(),
    };
    add_people(&mut state, world, tx);
    add_services(&mut state, &section, tx);
    add_clients(&mut state, &section, tx);
    add_tokens(&mut state, world, &section, tx);
    Ok(state)
}

fn check(world: &World, section: &Section) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let people = section.service_accounts.iter().flat_map(|row| &row.acts_for);
    let people = people.chain(section.refresh_tokens.iter().map(|row| &row.owner));
    let unknown = people.filter(|key| world.person(&key.value).is_none_or(|person| person.key != key.value));
    problems.extend(unknown.map(|key| world.unknown_person(key)));
    let idle = section.service_accounts.iter().filter(|row| !row.delegates && !row.acts_for.is_empty());
    problems.extend(idle.map(|row| {
        let message = format!("`{}` acts for people but has no delegation", row.key.value);
        Diagnostic::on(&world.file, &row.key, message).hint("add `delegates: true`")
    }));
    let given: Vec<&Spanned<SmolStr>> = section.clients.iter().map(|row| &row.id).collect();
    let is_given = |client: &Spanned<SmolStr>| given.iter().any(|id| id.value == client.value);
    for client in section.refresh_tokens.iter().filter_map(|row| row.client.as_ref()).filter(|client| !is_given(client))
    {
        let problem = Diagnostic::on(&world.file, client, format!("no client has the id `{}`", client.value));
        problems.push(problem.suggest(&client.value, given.iter().map(|id| id.value.as_str())));
    }
    let all = section.refresh_tokens.iter().flat_map(|row| &row.scopes);
    for scope in all.filter(|scope| scopes::known(&scope.value).is_none()) {
        problems.push(Diagnostic::on(&world.file, scope, format!("Google knows no scope `{}`", scope.value)));
    }
    once(world, "service account key", section.service_accounts.iter().map(|row| &row.key), &mut problems);
    let emails = section.service_accounts.iter().filter_map(|row| row.email.as_ref());
    once(world, "service account address", emails, &mut problems);
    once(world, "client id", given.into_iter(), &mut problems);
    once(world, "refresh token", section.refresh_tokens.iter().map(|row| &row.value), &mut problems);
    problems
}

fn once<'a>(
    world: &World,
    what: &str,
    values: impl Iterator<Item = &'a Spanned<SmolStr>>,
    problems: &mut Vec<Diagnostic>,
) {
    let mut seen = BTreeSet::new();
    for value in values.filter(|value| !seen.insert(value.value.clone())) {
        problems.push(Diagnostic::on(&world.file, value, format!("the {what} `{}` is used twice", value.value)));
    }
}

/// A draw for something that the world names: one person more moves no other's.
fn draw(tx: &mut Tx<'_>, kind: &str, name: &str) -> Draw {
    tx.draw(SITE.child(kind).child(name))
}

/// Google's ids of accounts: 21 digits, a one in front.
fn account_id(tx: &mut Tx<'_>, name: &str) -> SmolStr {
    format_smolstr!("1{}", draw(tx, "account", name).text(b"0123456789", 20))
}

fn project(world: &World, section: &Section, tx: &mut Tx<'_>) -> Project {
    let plain: String = world.name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let id = section.project.clone().unwrap_or_else(|| format_smolstr!("dtu-{plain}"));
    let digits = draw(tx, "project", "number").text(b"0123456789", 11);
    Project { id, number: format_smolstr!("4{digits}") }
}

/// Everybody has an account. Those who have left or are suspended have a suspended one, and so have those who are
/// still to start.
fn add_people(state: &mut State, world: &World, tx: &mut Tx<'_>) {
    for person in &world.people {
        let suspended =
            matches!(person.status, PersonStatus::Staged | PersonStatus::Suspended | PersonStatus::Deprovisioned);
        let account = Account {
            id: account_id(tx, &person.key),
            key: person.key.clone(),
            email: person.email.clone(),
            given_name: person.first.as_str().into(),
            family_name: person.last.as_str().into(),
            admin: person.admin,
            suspended,
        };
        state.accounts.put(&mut tx.changes, account);
    }
}

fn add_services(state: &mut State, section: &Section, tx: &mut Tx<'_>) {
    if section.service_accounts.is_empty() {
        add_service(state, tx, "dtu-app", None, true, Vec::new());
    }
    for row in &section.service_accounts {
        let acts_for = row.acts_for.iter().filter_map(|key| Some(state.accounts.find(&key.value)?.id.clone()));
        let acts_for = acts_for.collect();
        let email = row.email.as_ref().map(|email| email.value.clone());
        add_service(state, tx, &row.key.value, email, row.delegates, acts_for);
    }
}

fn add_service(
    state: &mut State,
    tx: &mut Tx<'_>,
    key: &str,
    email: Option<SmolStr>,
    delegates: bool,
    acts_for: Vec<SmolStr>,
) {
    let service = Service {
        id: account_id(tx, &format!("service/{key}")),
        key: key.into(),
        email: email.unwrap_or_else(|| format_smolstr!("{key}@{}.iam.gserviceaccount.com", state.project.id)),
        // A draw has room for 32 characters.
        key_id: format_smolstr!("{}d7d7d7d7", draw(tx, "key", key).text(HEX, 32)),
        delegates,
        acts_for,
    };
    state.services.insert(&mut tx.changes, service);
}

fn add_clients(state: &mut State, section: &Section, tx: &mut Tx<'_>) {
    if section.clients.is_empty() {
        let name = draw(tx, "client", "dtu-app").text(ALNUM, 32).to_ascii_lowercase();
        let id = format_smolstr!("{}-{name}.apps.googleusercontent.com", state.project.number);
        let client = Client { id, secret: SmolStr::new_static("GOCSPX-dtu-not-a-real-secret") };
        state.clients.insert(&mut tx.changes, client);
    }
    for row in &section.clients {
        let client = Client { id: row.id.value.clone(), secret: row.secret.clone() };
        state.clients.insert(&mut tx.changes, client);
    }
}

/// The tokens that are there from the start: the access token of the environment, and refresh tokens.
fn add_tokens(state: &mut State, world: &World, section: &Section, tx: &mut Tx<'_>) {
    let grant = |state: &State, key: &str, client: Option<&SmolStr>, scopes: Vec<SmolStr>| {
        let holder = Holder::Person(state.accounts.find(key)?.id.clone());
        let issued_to = client.or(state.clients.first().map(|client| &client.id))?.clone();
        Some(Grant { holder, issued_to, scopes, refresh: None })
    };
    let standing = || scopes::STANDING.iter().map(|scope| SmolStr::new_static(scope)).collect::<Vec<_>>();
    let works = world.people.iter().filter(|person| state.accounts.find(&person.key).is_some_and(|a| !a.suspended));
    let works: Vec<_> = works.collect();
    let somebody = works.iter().find(|person| person.admin).or(works.first());
    if let Some(somebody) = somebody
        && let Some(grant) = grant(state, &somebody.key, None, standing())
    {
        let value = |prefix: &str| standing_value(prefix, &world.name, &somebody.key);
        state.tokens.standing = value("ya29.");
        state.tokens.add_standing(tx, grant.clone(), Kind::Access, value("ya29."));
        if section.refresh_tokens.is_empty() {
            state.tokens.add_standing(tx, grant, Kind::Refresh, value("1//"));
        }
    }
    for row in &section.refresh_tokens {
        let given = row.scopes.iter().filter_map(|scope| scopes::known(&scope.value)).map(SmolStr::new);
        let scopes = if row.scopes.is_empty() { standing() } else { given.collect() };
        let client = row.client.as_ref().map(|client| &client.value);
        if let Some(grant) = grant(state, &row.owner.value, client, scopes) {
            state.tokens.add_standing(tx, grant, Kind::Refresh, row.value.value.clone());
        }
    }
}
