//! The domain: plain types and rules, pure and synchronous. Time, draws and the caller come in from outside.

pub mod accounts;
pub mod app;
pub mod app_client;
pub mod app_jwks;
pub mod app_keys;
pub mod app_secrets;
pub mod app_shape;
pub mod assignment;
pub mod authorization_server;
pub mod certificate;
pub mod client;
pub mod consent;
pub mod device;
pub mod event_type;
pub mod factor;
pub mod grant;
pub mod group;
pub mod group_owner;
pub mod group_rule;
pub mod hook;
pub mod hook_filter;
pub mod iam;
pub mod identity_source;
pub mod idp_user;
pub mod imported;
pub mod linked;
pub mod log;
pub mod mapping;
pub mod may;
pub mod one_time;
pub mod org;
pub mod org_settings;
pub mod orn;
pub mod out_of_band;
pub mod password;
pub mod profile;
pub mod property;
pub mod provisioning;
pub mod role;
pub mod role_type;
pub mod rsa_key;
pub mod schema;
pub mod session;
pub mod sight;
pub mod sign_in;
pub mod token;
pub mod user;
pub mod user_type;

use dtu_contract::generic::Store;
use dtu_kernel::{
    ids::{ALNUM, IdShape},
    seed::Site,
    time::Timestamp,
    tx::Tx,
};
use imbl::OrdMap;
use smol_str::SmolStr;

use self::{
    app::Apps,
    assignment::Assignments,
    authorization_server::Servers,
    client::Clients,
    event_type::EventType,
    factor::Factors,
    grant::Grants,
    group::{Groups, Memberships},
    hook::Hooks,
    log::{Client, Entry, Log, Outcome, Party, Transaction},
    token::Tokens,
    user::{User, Users},
};
use crate::oauth::keys::Signing;

/// The root of all draws.
pub const SITE: Site = Site::named("okta");

/// Ids: a prefix for the kind, drawn characters, and what all ids of one org end with.
pub(crate) const fn shape(prefix: &'static str, name: &str) -> IdShape {
    IdShape { site: SITE.child("ids").child(name), prefix, alphabet: ALNUM, drawn: 14, suffix: "5d7" }
}

/// Ids of people.
pub const USER_ID: IdShape = shape("00u", "user");
/// Ids of groups.
pub const GROUP_ID: IdShape = shape("00g", "group");
/// Ids of API tokens.
pub const TOKEN_ID: IdShape = shape("00T", "token");
/// Ids of event hooks.
pub const HOOK_ID: IdShape = shape("who", "hook");
/// Ids of apps.
pub const APP_ID: IdShape = shape("0oa", "app");
/// Ids of authorization servers.
pub const SERVER_ID: IdShape = shape("aus", "authorization server");
/// Ids of refresh tokens.
pub const REFRESH_ID: IdShape = shape("oar", "refresh token");
/// Ids of user types.
pub const TYPE_ID: IdShape = shape("oty", "type");
/// Ids of Okta itself, as the maker of what each org has.
pub const SYSTEM_ID: IdShape = shape("spr", "system");
/// Ids of group rules.
pub const RULE_ID: IdShape = shape("0pr", "group rule");

/// Ids of app definitions, in the addresses of tiles.
pub const LINK_ID: IdShape = shape("aln", "link");
/// Ids of public keys of OAuth clients.
pub const JWK_ID: IdShape = shape("pks", "jwk");
/// Ids of pictures of apps.
pub const LOGO_ID: IdShape = shape("gfs", "logo");
/// Ids of client secrets.
pub const SECRET_ID: IdShape = shape("ocs", "client_secret");
/// Ids of policies.
pub const POLICY_ID: IdShape = shape("rst", "policy");
/// Ids of custom roles.
pub const CUSTOM_ROLE_ID: IdShape = shape("cr0", "custom role");
/// Ids of sets of resources.
pub const RESOURCE_SET_ID: IdShape = shape("iam", "resource set");
/// Ids of resources of sets.
pub const RESOURCE_ID: IdShape = shape("ire", "resource");
/// Ids of custom roles in somebody's hands.
pub const MEMBER_ID: IdShape = shape("irb", "role member");
/// Ids of orgs.
pub const ORG_ID: IdShape = shape("00o", "org");

/// All that an org remembers.
#[derive(Clone, Debug)]
pub struct State {
    /// The org's name: the first label of its host.
    pub org: SmolStr,
    /// What kind of org it is.
    pub kind: org::OrgKind,
    /// When the org was made.
    pub founded: Timestamp,
    /// People.
    pub users: Users,
    /// Groups.
    pub groups: Groups,
    /// Who is in which group.
    pub members: Memberships,
    /// Rules that put people into groups.
    pub rules: group_rule::Rules,
    /// Owners of groups.
    pub owners: group_owner::Owners,
    /// Types of people.
    pub types: user_type::UserTypes,
    /// Schemas of profiles.
    pub schemas: schema::Schemas,
    /// Links between people.
    pub links: linked::Links,
    /// The System Log.
    pub log: Log,
    /// Event hooks.
    pub hooks: Hooks,
    /// API tokens.
    pub tokens: Tokens,
    /// How much of a limit tokens and clients may use up, in percent, where it is not [`crate::limits::SHARE`]. Kept
    /// beside their limits so that no call has to look for them.
    pub shares: OrdMap<SmolStr, u8>,
    /// Apps.
    pub apps: Apps,
    /// Who may use which app.
    pub assignments: Assignments,
    /// People's accounts in apps that are provisioned.
    pub provisioning: provisioning::Provisioning,
    /// OAuth clients.
    pub clients: Clients,
    /// Custom authorization servers.
    pub servers: Servers,
    /// Codes, tokens and sessions.
    pub grants: Grants,
    /// Passwords and recovery answers.
    pub passwords: password::Passwords,
    /// Sessions and session tokens.
    pub sessions: session::Sessions,
    /// Activation and recovery tokens.
    pub one_times: one_time::OneTimes,
    /// Transactions of the Authentication API by their tokens.
    pub transactions: grant::Passing<crate::authn::transaction::Transaction>,
    /// Sign-ins by the interaction code flow.
    pub interactions: crate::idx::transaction::Interactions,
    /// Calls that wait for an inline hook, by the ids of their requests.
    pub inline_calls: grant::Passing<crate::inline_hooks::Waiting>,
    /// Who has registered, or wanted to.
    pub registrations: dtu_kernel::table::Table<SmolStr, crate::inline_hooks::registration::Registration>,
    /// Devices, and who uses them.
    pub devices: device::Devices,
    /// Whom identity providers know as whom.
    pub idp_users: idp_user::IdpUsers,
    /// People on the way to identity providers and back.
    pub sign_ins: crate::idp::SignIns,
    /// What custom identity sources have told.
    pub sources: identity_source::Sources,
    /// Imports of people from apps.
    pub imports: dtu_kernel::table::Table<SmolStr, crate::inline_hooks::import::Import>,
    /// The people whom imports bring, by import and number.
    pub imported_people: dtu_kernel::table::Table<(SmolStr, u64), crate::inline_hooks::import::Row>,
    /// Second factors, and what was asked for them.
    pub factors: Factors,
    /// The org's own authorization server, and how people sign in.
    pub sign_on: SignOn,
    /// Administrator roles in people's, groups' and clients' hands.
    pub roles: role::Roles,
    /// Custom roles and sets of resources.
    pub iam: iam::Iam,
    /// The org's preferences.
    pub settings: org_settings::OrgSettings,
    /// World keys of OAuth clients, with their client ids.
    pub client_keys: OrdMap<SmolStr, SmolStr>,
    /// World keys of people, so that affordances can name the acting person.
    pub people: OrdMap<SmolStr, SmolStr>,
    /// What is served from the public documents alone.
    pub objects: Store,
}

/// The org's own authorization server, and how people sign in.
#[derive(Clone, Debug)]
pub struct SignOn {
    /// The keys of the org's own authorization server.
    pub signing: Signing,
    /// The password that everybody of the world signs in with; none where nobody can sign in by password.
    pub password: Option<SmolStr>,
    /// What the nonces of key proofs are made from.
    pub nonces: SmolStr,
}

impl State {
    /// How much of a limit a token or client may use up, in percent.
    pub fn share(&self, principal: &str) -> u8 {
        self.shares.get(principal).copied().unwrap_or(crate::limits::SHARE)
    }

    /// A person by id, login, shortname or world key.
    pub fn person(&self, name: &str) -> Option<&User> {
        let by_key = || self.people.get(name).and_then(|id| self.users.get(id));
        self.users.find(name).or_else(by_key).map(|user| &**user)
    }
}

/// Who acts, and by what way.
#[derive(Clone, Debug)]
pub struct Acting {
    /// Who.
    pub actor: Party,
    /// From where.
    pub client: Client,
    /// In what request.
    pub transaction: Transaction,
}

impl Acting {
    /// Okta itself: what no person asked for.
    pub fn system() -> Self {
        let text = SmolStr::new_static;
        let actor = Party {
            id: text("unknown"),
            kind: "SystemPrincipal",
            alternate_id: text("system@okta.com"),
            display_name: text("Okta System"),
        };
        Self { actor, client: Client::default(), transaction: Transaction::job() }
    }
}

/// A write under way: the state, the pen, and who acts. What it logs is announced to hooks when it is done.
#[derive(Debug)]
pub struct Act<'a, 't> {
    /// The state.
    pub state: &'a mut State,
    /// Draws, changes and deliveries.
    pub tx: &'a mut Tx<'t>,
    /// Who acts.
    pub by: Acting,
    first: u64,
}

impl<'a, 't> Act<'a, 't> {
    /// A write by `by`.
    pub fn new(state: &'a mut State, tx: &'a mut Tx<'t>, by: Acting) -> Self {
        let first = state.log.next_seq();
        Self { state, tx, by, first }
    }

    /// The time of all that it writes: Okta keeps whole seconds.
    pub fn now(&self) -> Timestamp {
        self.tx.now.floor_secs()
    }

    /// Writes a success into the System Log.
    pub fn log(&mut self, event: &'static EventType, targets: Vec<Party>) {
        self.log_outcome(event, targets, Outcome::SUCCESS);
    }

    /// Writes into the System Log.
    pub fn log_outcome(&mut self, event: &'static EventType, targets: Vec<Party>, outcome: Outcome) {
        self.log_with(event, targets, outcome, Vec::new());
    }

    /// Writes into the System Log, with more debug data.
    pub fn log_with(&mut self, event: &'static EventType, targets: Vec<Party>, outcome: Outcome, debug: log::Debug) {
        let uuid = self.tx.draw(SITE.child("log")).uuid().into();
        let entry = Entry {
            seq: self.state.log.next_seq(),
            uuid,
            published: self.tx.now,
            event,
            actor: self.by.actor.clone(),
            client: self.by.client.clone(),
            outcome,
            targets,
            transaction: self.by.transaction.clone(),
            debug,
        };
        self.state.log.append(&mut self.tx.changes, entry);
    }

    /// What was logged so far, by number.
    pub fn logged(&self) -> std::ops::Range<u64> {
        self.first..self.state.log.next_seq()
    }
}
