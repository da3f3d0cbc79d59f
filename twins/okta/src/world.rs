//! How a world's people, groups and `okta:` section become an org.

use std::{collections::BTreeSet, time::Duration};

use dtu_contract::generic::Store;
use dtu_kernel::{
    diagnostic::Diagnostic,
    ids::BASE64_URL,
    time::Timestamp,
    tx::Tx,
    world::{Person, PersonStatus, World},
};
use imbl::OrdMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use crate::{
    authn,
    model::{
        GROUP_ID, SITE, SignOn, State, TOKEN_ID, TYPE_ID, USER_ID,
        assignment::Assignments,
        authorization_server::Servers,
        client::Clients,
        factor::Factors,
        grant::Grants,
        group::{Group, GroupType, Groups, Memberships},
        group_owner, group_rule,
        hook::Hooks,
        iam, linked,
        log::Log,
        one_time,
        org::{Engine, OrgKind},
        org_settings::OrgSettings,
        password,
        profile::{Attribute, Profile},
        role::{self, Holder},
        role_type::RoleType,
        schema, session,
        token::{Network, Token, Tokens},
        user::{Provider, Status, Tag, User, Users},
        user_type,
    },
    oauth::{self, keys::Signing},
    resources,
    world_apps::{self, AppRow},
    world_devices::{self, DeviceRow},
    world_sources::{self, SourceRow},
};

/// The `okta:` section.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OktaSection")]
struct Section {
    /// The org's name; the world's where absent.
    #[serde(default)]
    org: Option<SmolStr>,
    /// What the org runs on.
    #[serde(default)]
    engine: Engine,
    /// Whether the org has Okta Identity Governance: people show their realm, and apps whether they can be logged out
    /// of and whether their entitlements are managed.
    #[serde(default)]
    governance: bool,
    /// How long after a change group rules are evaluated, in milliseconds; half a second where absent.
    #[serde(default)]
    group_rule_delay_ms: Option<u64>,
    /// API tokens. The first is the one that clients find in `OKTA_CLIENT_TOKEN`.
    #[serde(default)]
    tokens: Vec<TokenRow>,
    /// Groups that are in Okta only, besides the shared ones.
    #[serde(default)]
    groups: Vec<GroupRow>,
    /// Apps, and who may use them.
    #[serde(default)]
    apps: Vec<AppRow>,
    /// OAuth clients: apps that ask for tokens.
    #[serde(default)]
    oauth_clients: Vec<oauth::world::ClientRow>,
    /// Custom authorization servers, besides the one called `default`.
    #[serde(default)]
    authorization_servers: Vec<oauth::world::ServerRow>,
    /// What people had enrolled before the world begins.
    #[serde(default)]
    devices: Vec<DeviceRow>,
    /// Custom identity sources that administrators had set up before the world begins.
    #[serde(default)]
    identity_sources: Vec<SourceRow>,
    /// The password with which everybody signs in on pages and by the password grant; nobody can where absent.
    #[serde(default)]
    password: Option<SmolStr>,
}

impl Section {
    fn sign_on(&self) -> oauth::world::Rows<'_> {
        oauth::world::Rows { clients: &self.oauth_clients, servers: &self.authorization_servers }
    }
}

/// An API token.

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OktaToken")]
struct TokenRow {
    /// Its name, which scenarios and affordances use.
    #[schemars(with = "String")]
    name: Spanned<SmolStr>,
    /// The key of the person who owns it; the owner counts as an administrator.
    #[schemars(with = "String")]
    owner: Spanned<SmolStr>,
    /// The secret.
    #[schemars(with = "String")]
    value: Spanned<SmolStr>,
}

/// A group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OktaGroup")]
struct GroupRow {
    /// A short unique handle.
    #[schemars(with = "String")]
    key: Spanned<SmolStr>,
    /// Its name.
    #[schemars(with = "String")]
    name: Spanned<SmolStr>,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// Its members' keys.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    members: Vec<Spanned<SmolStr>>,
}

/// The schema of the `okta` section of world files.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Section>()
}

const REALMS: &str = "/api/v1/realms";
const DAY: Duration = Duration::from_secs(86_400);

/// Makes the org.
///
/// # Errors
/// Every problem with the section.
pub(crate) fn load(world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
    let section: Section = world.section("okta")?;
    let mut problems = check(world, &section);
    problems.extend(oauth::world::check(world, &section.sign_on()));
    problems.extend(world_devices::check(world, &section.devices));
    problems.extend(world_sources::check(world, &section.identity_sources));
    if !problems.is_empty() {
        return Err(problems);
    }
    let founded = world.epoch.before(DAY * 365).floor_secs();
    let type_id = tx.id(&TYPE_ID);
    let schema_id = schema::id_of(&type_id);
    let org = section.org.clone().unwrap_or_else(|| world.name.clone());
    let mut state = State {
        apps: world_apps::none(tx, &org),
        assignments: Assignments::default(),
        org,
        kind: OrgKind { engine: section.engine, realm: None },
        founded,
        users: Users::new(type_id, schema_id),
        groups: Groups::new(tx.id(&GROUP_ID)),
        members: Memberships::default(),
        rules: group_rule::Rules::new(section.group_rule_delay_ms.map_or(group_rule::DELAY, Duration::from_millis)),
        owners: group_owner::Owners::default(),
        types: user_type::UserTypes::default(),
        schemas: schema::Schemas::default(),
        links: linked::Links::default(),
        log: Log::default(),
        hooks: Hooks::default(),
        tokens: Tokens::default(),
        shares: imbl::OrdMap::new(),
        provisioning: crate::model::provisioning::Provisioning::default(),
        clients: Clients::default(),
        servers: Servers::default(),
        grants: Grants::default(),
        passwords: password::Passwords::default(),
        sessions: session::Sessions::default(),
        one_times: one_time::OneTimes::default(),
        transactions: authn::transaction::table(),
        interactions: crate::idx::transaction::Interactions::default(),
        inline_calls: crate::inline_hooks::table(),
        idp_users: crate::model::idp_user::IdpUsers::default(),
        sign_ins: crate::idp::SignIns::default(),
        registrations: dtu_kernel::table::Table::new(crate::inline_hooks::registration::TABLE),
        devices: crate::model::device::Devices::default(),
        sources: crate::model::identity_source::Sources::default(),
        imported_people: dtu_kernel::table::Table::new(crate::inline_hooks::import::ROWS),
        imports: dtu_kernel::table::Table::new(crate::inline_hooks::import::TABLE),
        factors: Factors::default(),
        sign_on: SignOn {
            signing: Signing::new(founded),
            password: section.password.clone(),
            nonces: tx.draw(SITE.child("nonces")).text(BASE64_URL, 32).into(),
        },
        roles: role::Roles::default(),
        iam: iam::Iam::default(),
        settings: OrgSettings::default(),
        client_keys: OrdMap::new(),
        people: OrdMap::new(),
        objects: Store::new("objects"),
    };
    user_type::found(&mut state, tx);
    add_people(&mut state, tx, world);
    add_groups(&mut state, tx, world, &section);
    add_tokens(&mut state, tx, &section);
    oauth::world::add(&mut state, tx, &section.sign_on());
    world_apps::add(&mut state, tx, world, &section.apps, |key| group_name(world, &section, key))?;
    resources::start(&mut state, tx);
    world_devices::add(&mut state, tx, world, section.devices);
    world_sources::add(&mut state, tx, section.identity_sources);
    if section.governance {
        state.kind.realm = state.objects.members(REALMS).next().map(|(id, _)| id.clone());
    }
    Ok(state)
}

fn check(world: &World, section: &Section) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let people = section.tokens.iter().map(|token| &token.owner);
    let people = people.chain(section.groups.iter().flat_map(|group| &group.members));
    let unknown = people.filter(|key| world.person(&key.value).is_none_or(|person| person.key != key.value));
    problems.extend(unknown.map(|key| world.unknown_person(key)));
    let mut keys: BTreeSet<SmolStr> = world.groups.iter().map(|group| group.key.clone()).collect();
    let lower = |name: &str| SmolStr::from(name.to_lowercase());
    let mut names = BTreeSet::from([lower(EVERYONE)]);
    let shared = world.groups.iter().filter(|group| !names.insert(lower(&group.name)));
    let twice = |name: &str| Diagnostic::whole(&world.file, format!("two groups are called `{name}`"));
    problems.extend(shared.map(|group| twice(&group.name)));
    for group in &section.groups {
        once(world, &mut keys, group.key.value.clone(), &group.key, "group key", &mut problems);
        once(world, &mut names, lower(&group.name.value), &group.name, "group name", &mut problems);
    }
    problems.extend(world_apps::check(world, &section.apps, &keys));
    let left = |token: &&TokenRow| {
        world.person(&token.owner.value).is_some_and(|person| person.status == PersonStatus::Deprovisioned)
    };
    for token in section.tokens.iter().filter(left) {
        let message = format!("`{}` has left, and the tokens of those who left are dead", token.owner.value);
        problems.push(Diagnostic::on(&world.file, &token.owner, message).hint("let somebody else own the token"));
    }
    let (mut token_names, mut values) = (BTreeSet::new(), BTreeSet::new());
    for token in &section.tokens {
        once(world, &mut token_names, token.name.value.clone(), &token.name, "token name", &mut problems);
        once(world, &mut values, token.value.value.clone(), &token.value, "token value", &mut problems);
        if token.value.value.trim().is_empty() {
            problems.push(Diagnostic::on(&world.file, &token.value, "a token needs a value"));
        }
    }
    problems
}

fn once(
    world: &World,
    seen: &mut BTreeSet<SmolStr>,
    key: SmolStr,
    place: &Spanned<SmolStr>,
    what: &str,
    problems: &mut Vec<Diagnostic>,
) {
    if !seen.insert(key) {
        let problem = Diagnostic::on(&world.file, place, format!("the {what} `{}` is used twice", place.value));
        problems.push(problem.hint("shared `groups` are in Okta as well; each group and token must be told apart"));
    }
}

const fn status(person: &Person) -> Status {
    match person.status {
        PersonStatus::Active => Status::Active,
        PersonStatus::Staged => Status::Staged,
        PersonStatus::Provisioned => Status::Provisioned,
        PersonStatus::Suspended => Status::Suspended,
        PersonStatus::Deprovisioned => Status::Deprovisioned,
        PersonStatus::PasswordExpired => Status::PasswordExpired,
        PersonStatus::LockedOut => Status::LockedOut,
    }
}

fn add_people(state: &mut State, tx: &mut Tx<'_>, world: &World) {
    for (at, person) in world.people.iter().enumerate() {
        let mut user = user(world, person, 1_001 + at, tx);
        user.id = tx.id(&USER_ID);
        state.people.insert(person.key.clone(), user.id.clone());
        let user = state.users.put(&mut tx.changes, user);
        if person.admin && user.status != Status::Deprovisioned {
            make_super(state, tx, &user);
        }
    }
}

fn user(world: &World, person: &Person, number: usize, tx: &mut Tx<'_>) -> User {
    let status = status(person);
    let created = created(world, person);
    let lived = status != Status::Staged;
    let signed_in = !matches!(status, Status::Staged | Status::Provisioned);
    let mut draw = tx.draw(SITE.child("world"));
    let before_epoch = |days: u64, seconds: u64| {
        world.epoch.before(DAY * u32::try_from(days).unwrap_or(0)).before(Duration::from_secs(seconds)).floor_secs()
    };
    let changed = before_epoch(1 + draw.below(20), draw.below(36_000)).max(created);
    let login = before_epoch(draw.below(4), draw.below(36_000)).max(created);
    let status_changed = match status {
        Status::Active | Status::Staged | Status::Provisioned => created,
        _ => changed,
    };
    let has_password = signed_in && status != Status::Deprovisioned;
    User {
        id: SmolStr::default(),
        status,
        created,
        activated: lived.then_some(created),
        status_changed: lived.then_some(status_changed),
        last_login: signed_in.then(|| login.min(if status == Status::Active { login } else { status_changed })),
        last_updated: status_changed,
        password_changed: has_password.then_some(created),
        profile: profile(world, person, number),
        has_password,
        question: None,
        provider: Provider::default(),
        realm: None,
        tag: Tag::default(),
    }
}

/// Accounts are made on the first day; those of people who are still to come, a week before the epoch.
fn created(world: &World, person: &Person) -> Timestamp {
    let hired = person.hired.as_ref().and_then(|day| Timestamp::parse(&format!("{day}T08:00:00Z")).ok());
    let late = world.epoch.before(DAY * 7).floor_secs();
    match hired {
        Some(hired) => hired.min(late),
        None => world.epoch.before(DAY * 300).floor_secs(),
    }
}

fn profile(world: &World, person: &Person, number: usize) -> Profile {
    let manager = person.manager.as_ref().and_then(|key| world.person(key));
    let kind = match () {
        () if person.title.contains("(Contract)") => "Contractor",
        () if person.title == "Service Account" => "Service",
        () => "Employee",
    };
    let manager_name = manager.map(Person::full_name).unwrap_or_default();
    let mut profile = Profile::default();
    for (attribute, value) in [
        (Attribute::FIRST_NAME, person.first.as_str()),
        (Attribute::LAST_NAME, &person.last),
        (Attribute::EMAIL, &person.email),
        (Attribute::LOGIN, &person.email),
        (Attribute::TITLE, &person.title),
        (Attribute::DEPARTMENT, &person.department),
        (Attribute::MANAGER_ID, manager.map_or("", |manager| &manager.email)),
        (Attribute::MANAGER, &manager_name),
        (Attribute::MOBILE_PHONE, person.phone.as_deref().unwrap_or_default()),
        (Attribute::TIMEZONE, person.timezone.as_ref().unwrap_or(&world.company.timezone)),
        (Attribute::CITY, &person.location),
        (Attribute::USER_TYPE, kind),
        (Attribute::EMPLOYEE_NUMBER, &number.to_string()),
    ] {
        profile.set(attribute, value);
    }
    profile
}

/// A group's name by its key.
fn group_name(world: &World, section: &Section, key: &str) -> Option<SmolStr> {
    let shared = world.groups.iter().find(|group| group.key == key).map(|group| SmolStr::new(&group.name));
    let own = || section.groups.iter().find(|group| group.key.value == key).map(|group| group.name.value.clone());
    shared.or_else(own)
}

const EVERYONE: &str = "Everyone";

fn add_groups(state: &mut State, tx: &mut Tx<'_>, world: &World, section: &Section) {
    let id = state.groups.everyone.clone();
    add_group(state, tx, id, GroupType::BuiltIn, EVERYONE, "All users in your organization");
    for group in &world.groups {
        let id = tx.id(&GROUP_ID);
        add_group(state, tx, id.clone(), GroupType::OktaGroup, &group.name, &group.description);
        add_members(state, tx, &id, group.members.iter());
    }
    for group in &section.groups {
        let id = tx.id(&GROUP_ID);
        add_group(state, tx, id.clone(), GroupType::OktaGroup, &group.name.value, &group.description);
        add_members(state, tx, &id, group.members.iter().map(|member| &member.value));
    }
}

fn add_group(state: &mut State, tx: &mut Tx<'_>, id: SmolStr, kind: GroupType, name: &str, description: &str) {
    let at = state.founded;
    let description = (!description.is_empty()).then(|| description.into());
    let group = Group {
        id,
        r#type: kind,
        name: name.into(),
        description,
        source: None,
        custom: schema::Custom::default(),
        created: at,
        last_updated: at,
        last_membership_updated: at,
    };
    state.groups.put(&mut tx.changes, group);
}

/// Puts people into a group. Those who have left are in none, as Okta takes them out when it deactivates them.
fn add_members<'a>(state: &mut State, tx: &mut Tx<'_>, group: &SmolStr, keys: impl Iterator<Item = &'a SmolStr>) {
    for key in keys {
        let Some(id) = state.people.get(key).cloned() else { continue };
        if state.users.get(&id).is_some_and(|user| user.status != Status::Deprovisioned) {
            state.members.insert(&mut tx.changes, group, &id, state.founded);
        }
    }
}

/// Adds the tokens. Whoever owns one holds an administrator's role: only administrators can make tokens.
fn add_tokens(state: &mut State, tx: &mut Tx<'_>, section: &Section) {
    for row in &section.tokens {
        let Some(owner) = state.person(&row.owner.value).cloned() else { continue };
        let token = Token {
            id: tx.id(&TOKEN_ID),
            name: row.name.value.clone(),
            user: owner.id.clone(),
            created: owner.created.max(state.founded),
            network: Network::default(),
            value: row.value.value.clone(),
        };
        state.tokens.insert(&mut tx.changes, token);
        make_super(state, tx, &owner);
    }
}

/// Makes a person a super administrator.
fn make_super(state: &mut State, tx: &mut Tx<'_>, user: &User) {
    role::seed(state, &mut tx.changes, Holder::user(user), RoleType::SuperAdmin, BTreeSet::new());
}
