//! What holders of administrator roles may do.
//!
//! The facts are help.okta.com's comparison of standard administrator roles
//! (help.okta.com/en-us/content/topics/security/administrators-admin-comparison.htm, whose source with all its columns
//! is in github.com/okta/okta-help) with the pages of org, group and group membership administrators, who sees the rate
//! limits (developer.okta.com/docs/reference/rl2-monitor/), and the catalogue of permissions of custom roles
//! (developer.okta.com/docs/api/openapi/okta-management/guides/permissions). What none of them says, and a role
//! therefore may not do here, is the safe side.
//!
//! What lists show of it is in [`super::sight`].

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    State,
    group::Group,
    iam::{CustomRole, Resource},
    orn::Orn,
    role::{self, Role},
    role_type::RoleType,
    user::User,
};

/// Who asks: a person, or a client that acts for itself.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The person's id; empty where it is a client.
    pub user: &'a str,
    /// The client's id, where a client calls.
    pub client: Option<&'a str>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The path with its parameters' names in braces.
    pub path: &'a str,
    /// The method, in capitals.
    pub method: &'a str,
    /// The values of the path's parameters.
    pub params: &'a [(&'static str, String)],
    /// The groups of a person who is to be made.
    pub groups: &'a [SmolStr],
    /// The definition of an app that is to be made.
    pub app_name: &'a str,
}

/// A part of the API that roles speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Area {
    /// Profiles of people, and making and removing them.
    Users,
    /// The lifecycle of people.
    Lifecycle,
    /// Passwords and factors of people.
    Credentials,
    /// Sessions and tokens of people.
    Sessions,
    /// Groups.
    Groups,
    /// Making, removing and ruling over groups.
    GroupLife,
    /// Who is in which group.
    Members,
    /// Apps.
    Apps,
    /// Who may use which app.
    AppUsers,
    /// Administrators and their roles.
    Admins,
    /// Authorization servers and OAuth clients.
    Servers,
    /// Schemas of profiles.
    Schemas,
    /// Mappings of profiles.
    Mappings,
    /// Event hooks and inline hooks.
    Hooks,
    /// The System Log.
    Logs,
    /// Streams of the log, access by Okta's people, features, API tokens: a super administrator's alone.
    Reserved,
    /// Policies.
    Policies,
    /// Identity providers.
    Providers,
    /// Brands, themes, pages, e-mails, domains.
    Customizations,
    /// Devices.
    Devices,
    /// Realms.
    Realms,
    /// Rate limits.
    Limits,
    /// All other settings.
    Settings,
}

const ALL: &[Area] = {
    use Area as A;
    &[
        A::Users,
        A::Lifecycle,
        A::Credentials,
        A::Sessions,
        A::Groups,
        A::GroupLife,
        A::Members,
        A::Apps,
        A::AppUsers,
        A::Servers,
        A::Schemas,
        A::Mappings,
        A::Hooks,
        A::Logs,
        A::Reserved,
        A::Policies,
        A::Providers,
        A::Customizations,
        A::Devices,
        A::Realms,
        A::Limits,
        A::Settings,
    ]
};

/// All that org and read-only administrators look at. Org administrators see no apps, unlike the others here.
const ORG: &[Area] = {
    use Area as A;
    &[
        A::Users,
        A::Lifecycle,
        A::Credentials,
        A::Sessions,
        A::Groups,
        A::GroupLife,
        A::Members,
        A::Servers,
        A::Schemas,
        A::Mappings,
        A::Hooks,
        A::Logs,
        A::Policies,
        A::Providers,
        A::Customizations,
        A::Devices,
        A::Realms,
        A::Limits,
        A::Settings,
    ]
};

/// Paths below the API's root by how they begin, the longest first; and their areas.
const PATHS: &[(&str, Area)] = &[
    ("users/{}/roles", Area::Admins),
    ("users/{}/subscriptions", Area::Settings),
    ("users/{}/lifecycle/reset_password", Area::Credentials),
    ("users/{}/lifecycle/expire_password", Area::Credentials),
    ("users/{}/lifecycle/reset_factors", Area::Credentials),
    ("users/{}/lifecycle/unlock", Area::Credentials),
    ("users/{}/lifecycle", Area::Lifecycle),
    ("users/{}/credentials", Area::Credentials),
    ("users/{}/factors", Area::Credentials),
    ("users/{}/authenticator-enrollments", Area::Credentials),
    ("users/{}/sessions", Area::Sessions),
    ("users/{}/grants", Area::Sessions),
    ("users/{}/clients", Area::Sessions),
    ("users", Area::Users),
    ("sessions", Area::Sessions),
    ("groups/{}/roles", Area::Admins),
    ("groups/{}/users", Area::Members),
    ("groups/{}/owners", Area::GroupLife),
    ("groups/rules", Area::GroupLife),
    ("groups", Area::Groups),
    ("apps/{}/users", Area::AppUsers),
    ("apps/{}/groups", Area::AppUsers),
    ("apps", Area::Apps),
    ("iam", Area::Admins),
    ("roles", Area::Admins),
    ("oauth2/v1/clients/{}/roles", Area::Admins),
    ("oauth2/v1/clients", Area::Servers),
    ("authorizationServers", Area::Servers),
    ("meta/schemas", Area::Schemas),
    ("meta/types", Area::Schemas),
    ("meta/uischemas", Area::Schemas),
    ("mappings", Area::Mappings),
    ("eventHooks", Area::Hooks),
    ("inlineHooks", Area::Hooks),
    ("hook-keys", Area::Hooks),
    ("logs", Area::Logs),
    ("logStreams", Area::Reserved),
    ("org/privacy/oktaSupport", Area::Reserved),
    ("org/privacy/aerial", Area::Reserved),
    ("orgs", Area::Reserved),
    ("dr", Area::Reserved),
    ("features", Area::Reserved),
    ("api-tokens", Area::Reserved),
    ("policies", Area::Policies),
    ("idps", Area::Providers),
    ("brands", Area::Customizations),
    ("domains", Area::Customizations),
    ("email-domains", Area::Customizations),
    ("email-servers", Area::Customizations),
    ("templates", Area::Customizations),
    ("devices", Area::Devices),
    ("device-assurances", Area::Devices),
    ("device-integrations", Area::Devices),
    ("device-posture-checks", Area::Devices),
    ("realms", Area::Realms),
    ("realm-assignments", Area::Realms),
    ("principal-rate-limits", Area::Limits),
    ("rate-limit-settings", Area::Limits),
];

/// What a path is about.
fn area(wish: &Wish<'_>) -> Area {
    let unnamed: Vec<&str> = wish.path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
    let path = unnamed.join("/");
    let below = path.strip_prefix("/api/v1/").unwrap_or(path.trim_start_matches('/'));
    let begins = |start: &str| {
        below.strip_prefix(start).is_some_and(|rest| rest.is_empty() || !rest.starts_with(char::is_alphanumeric))
    };
    let found = PATHS.iter().find(|(start, _)| begins(start)).map_or(Area::Settings, |(_, area)| *area);
    let life = below == "groups" && wish.writes() || below == "groups/{}" && wish.method == "DELETE";
    if life { Area::GroupLife } else { found }
}

impl Wish<'_> {
    fn writes(&self) -> bool {
        self.method != "GET"
    }

    fn param(&self, position: &str) -> Option<&str> {
        let name = self.path.split_once(position)?.1.split_once('}')?.0;
        self.params.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }
}

/// What standard roles may look at and change.
fn standard(kind: RoleType) -> (&'static [Area], &'static [Area]) {
    use Area as A;
    const PEOPLE: &[Area] = &[A::Users, A::Lifecycle, A::Credentials, A::Sessions, A::Groups, A::GroupLife, A::Members];
    match kind {
        RoleType::SuperAdmin => (ALL, ALL),
        RoleType::OrgAdmin => (
            ORG,
            &[
                A::Users,
                A::Lifecycle,
                A::Credentials,
                A::Sessions,
                A::Groups,
                A::GroupLife,
                A::Members,
                A::Schemas,
                A::Policies,
                A::Providers,
                A::Customizations,
                A::Devices,
                A::Realms,
                A::Limits,
                A::Settings,
            ],
        ),
        RoleType::AppAdmin => (
            &[
                A::Users,
                A::Lifecycle,
                A::Groups,
                A::GroupLife,
                A::Members,
                A::Apps,
                A::AppUsers,
                A::Schemas,
                A::Mappings,
                A::Logs,
                A::Providers,
                A::Policies,
                A::Limits,
            ],
            &[A::Apps, A::AppUsers, A::Schemas, A::Mappings],
        ),
        RoleType::UserAdmin => (PEOPLE, &[A::Users, A::Lifecycle, A::Credentials, A::Sessions, A::Groups, A::Members]),
        RoleType::HelpDeskAdmin => (
            &[A::Users, A::Lifecycle, A::Credentials, A::Sessions, A::Groups, A::Members],
            &[A::Credentials, A::Sessions],
        ),
        RoleType::ReadOnlyAdmin => (ALL, &[]),
        RoleType::MobileAdmin => (
            &[A::Users, A::Groups, A::Members, A::Apps, A::AppUsers, A::Devices, A::Policies, A::Logs, A::Limits],
            &[A::Devices],
        ),
        RoleType::ApiAccessManagementAdmin => (
            &[
                A::Users,
                A::Groups,
                A::Members,
                A::Apps,
                A::AppUsers,
                A::Servers,
                A::Schemas,
                A::Mappings,
                A::Logs,
                A::Limits,
            ],
            &[A::Servers, A::Apps, A::AppUsers, A::Schemas, A::Mappings],
        ),
        RoleType::ReportAdmin => (&[A::Logs, A::Limits], &[]),
        RoleType::GroupMembershipAdmin => (&[A::Users, A::Groups, A::Members], &[A::Members]),
        RoleType::AccessRequestsAdmin | RoleType::AccessCertificationsAdmin => (PEOPLE, &[]),
        RoleType::WorkflowsAdmin | RoleType::Custom => (&[], &[]),
    }
}

/// What lists are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// People.
    Users,
    /// Groups.
    Groups,
    /// Apps.
    Apps,
}

impl Listed {
    const fn area(self) -> Area {
        match self {
            Self::Users => Area::Users,
            Self::Groups => Area::Groups,
            Self::Apps => Area::Apps,
        }
    }

    /// Whether holders of a standard role see any of them.
    pub(super) fn is_seen_by(self, kind: RoleType) -> bool {
        standard(kind).0.contains(&self.area())
    }

    /// Permissions of custom roles that are enough to see them.
    pub(super) const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Users => &[
                "okta.users.read",
                "okta.users.userprofile.read",
                "okta.users.manage",
                "okta.users.userprofile.manage",
            ],
            Self::Groups => &["okta.groups.read", "okta.groups.manage"],
            Self::Apps => &["okta.apps.read", "okta.apps.manage"],
        }
    }
}

/// All roles in somebody's hands as they are now.
pub(super) fn held<'a>(state: &'a State, who: &Who<'_>) -> Vec<&'a Role> {
    match (state.users.get(who.user), who.client) {
        (Some(user), _) => role::of_user(state, user).map(|role| &**role).collect(),
        (None, Some(client)) => state.roles.of(client).map(|role| &**role).collect(),
        (None, None) => Vec::new(),
    }
}

/// Whether somebody may do something, by all roles in their hands as they are now.
pub fn may(state: &State, who: &Who<'_>, wish: &Wish<'_>) -> bool {
    // Most callers are super administrators by a role of their own: no need to look at all their groups.
    let is_super = |user: &Arc<User>| state.roles.of(&user.id).any(|role| role.kind == RoleType::SuperAdmin);
    if state.users.get(who.user).is_some_and(is_super) {
        return true;
    }
    let held = held(state, who);
    if held.iter().any(|role| role.kind == RoleType::SuperAdmin) {
        return true;
    }
    let asked = Asked::new(state, who, wish);
    !asked.is_above(&held) && held.iter().any(|role| asked.allowed_by(role))
}

/// A wish, with what it names looked up.
struct Asked<'a> {
    state: &'a State,
    wish: &'a Wish<'a>,
    area: Area,
    user: Option<&'a User>,
    group: Option<&'a Group>,
    app: Option<&'a super::app::App>,
}

impl<'a> Asked<'a> {
    fn new(state: &'a State, who: &Who<'_>, wish: &'a Wish<'a>) -> Self {
        let user = wish.param("/users/{").and_then(|name| match name {
            "me" => state.users.get(who.user),
            name => state.users.find(name),
        });
        let group = wish.param("/groups/{").and_then(|id| state.groups.get(id));
        let app = wish.param("/apps/{").and_then(|id| state.apps.get(id));
        Self {
            state,
            wish,
            area: area(wish),
            user: user.map(|user| &**user),
            group: group.map(|group| &**group),
            app: app.map(|app| &**app),
        }
    }

    /// Whether it changes an administrator, or a group that makes its members administrators: only super
    /// administrators may. An org's administrators and a custom role may change all people but super administrators.
    fn is_above(&self, held: &[&Role]) -> bool {
        if !self.wish.writes() {
            return false;
        }
        let wide = held.iter().any(|role| matches!(role.kind, RoleType::OrgAdmin | RoleType::Custom));
        let of_people = matches!(self.area, Area::Users | Area::Lifecycle | Area::Credentials | Area::Sessions);
        let user = self
            .user
            .filter(|_| of_people)
            .is_some_and(|user| if wide { role::is_super(self.state, user) } else { role::is_admin(self.state, user) });
        let of_groups = matches!(self.area, Area::Groups | Area::GroupLife | Area::Members);
        let privileged = |group: &Group| self.state.roles.of(&group.id).next().is_some();
        user || self.group.filter(|_| of_groups).is_some_and(privileged)
    }

    fn allowed_by(&self, role: &Role) -> bool {
        if role.kind == RoleType::Custom {
            return self.allowed_by_custom(role);
        }
        let (looks, changes) = standard(role.kind);
        let within = if self.wish.writes() { changes } else { looks };
        within.contains(&self.area) && self.is_in_groups(role) && self.is_in_apps(role)
    }

    /// Whether it is about groups that a role is narrowed to, or about their people. Whoever administers memberships
    /// looks at everybody.
    fn is_in_groups(&self, role: &Role) -> bool {
        let free = role.groups.is_empty() || role.kind == RoleType::GroupMembershipAdmin && !self.wish.writes();
        if free {
            return true;
        }
        match (self.group, self.user) {
            (Some(group), _) => role.groups.contains(&group.id),
            (None, Some(user)) => role.groups.iter().any(|group| self.state.members.contains(group, &user.id)),
            (None, None) if !self.wish.writes() => true,
            (None, None) => !self.wish.groups.is_empty() && self.wish.groups.iter().all(|id| role.groups.contains(id)),
        }
    }

    /// Whether it is about apps that a role is narrowed to, and of the kind that it is for.
    fn is_in_apps(&self, role: &Role) -> bool {
        let about = matches!(self.area, Area::Apps | Area::AppUsers);
        if !about || !self.wish.writes() && self.app.is_none() {
            return true;
        }
        if role.kind == RoleType::ApiAccessManagementAdmin {
            return self.app.map_or(self.wish.app_name, |app| &app.name) == "oidc_client";
        }
        let named = |name: &str| role.apps.iter().any(|target| target.app.is_none() && target.name == name);
        match self.app {
            Some(app) => role::covers(role, app),
            None => role.apps.is_empty() || named(self.wish.app_name),
        }
    }

    fn allowed_by_custom(&self, role: &Role) -> bool {
        let Some(custom) = &role.custom else { return false };
        let found = (self.state.iam.role(&custom.role), self.state.iam.set(&custom.set));
        let (Some(custom), Some(set)) = found else { return false };
        let places: &[Place] = match self.area {
            Area::Members => &[Place::User, Place::Group],
            Area::AppUsers => &[Place::User, Place::Group, Place::App],
            Area::Apps => &[Place::App],
            Area::Groups | Area::GroupLife => &[Place::Group],
            Area::Users | Area::Lifecycle | Area::Credentials | Area::Sessions => &[Place::User],
            _ => &[Place::Other],
        };
        let holds = |resource: &Resource, place: Place| self.is_within(resource, place);
        self.permitted(custom) && places.iter().any(|place| set.resources.iter().any(|one| holds(one, *place)))
    }

    /// Whether a custom role has a permission for it.
    fn permitted(&self, custom: &CustomRole) -> bool {
        let (looks, changes) = self.permissions();
        custom.permits(changes) || !self.wish.writes() && custom.permits(looks)
    }

    /// The permissions that are enough to look, and those that are enough to change.
    fn permissions(&self) -> (&'static [&'static str], &'static [&'static str]) {
        let path = self.wish.path;
        match self.area {
            Area::Users if path.ends_with("/users") && self.wish.writes() => {
                (&[], &["okta.users.manage", "okta.users.create"])
            }
            Area::Users if self.wish.method == "DELETE" => {
                (&[], &["okta.users.manage", "okta.users.lifecycle.manage", "okta.users.lifecycle.delete"])
            }
            Area::Users => (
                &["okta.users.read", "okta.users.userprofile.read"],
                &["okta.users.manage", "okta.users.userprofile.manage"],
            ),
            Area::Lifecycle => (&["okta.users.read"], lifecycle(path)),
            Area::Credentials => (&["okta.users.read"], credentials(path)),
            Area::Sessions => (
                &["okta.users.read"],
                &["okta.users.manage", "okta.users.lifecycle.manage", "okta.users.lifecycle.clearSessions"],
            ),
            Area::Groups => (&["okta.groups.read"], &["okta.groups.manage"]),
            Area::GroupLife => (&["okta.groups.read"], &["okta.groups.manage", "okta.groups.create"]),
            Area::Members => (
                &["okta.groups.read"],
                &["okta.groups.manage", "okta.groups.members.manage", "okta.users.groupMembership.manage"],
            ),
            Area::Apps => (&["okta.apps.read"], &["okta.apps.manage"]),
            Area::AppUsers => (
                &["okta.apps.read"],
                &[
                    "okta.apps.manage",
                    "okta.apps.assignment.manage",
                    "okta.users.appAssignment.manage",
                    "okta.groups.appAssignment.manage",
                ],
            ),
            Area::Admins => (&["okta.iam.read"], &[]),
            Area::Servers => (&["okta.authzServers.read"], &["okta.authzServers.manage"]),
            Area::Policies => (&["okta.policies.read"], &["okta.policies.manage"]),
            Area::Providers => (&["okta.identityProviders.read"], &["okta.identityProviders.manage"]),
            Area::Customizations => (&["okta.customizations.read"], &["okta.customizations.manage"]),
            Area::Devices => (&["okta.devices.read"], &["okta.devices.manage"]),
            Area::Realms => (&["okta.realms.read"], &["okta.realms.manage"]),
            Area::Hooks if path.contains("eventHooks") => (&["okta.eventHooks.read"], &["okta.eventHooks.manage"]),
            Area::Hooks => (&["okta.inlineHooks.read"], &["okta.inlineHooks.manage"]),
            Area::Schemas | Area::Mappings | Area::Logs | Area::Reserved | Area::Limits | Area::Settings => (&[], &[]),
        }
    }

    /// Whether a resource of a set holds what it is about.
    fn is_within(&self, resource: &Resource, place: Place) -> bool {
        let orn = &resource.orn;
        let whole = orn.id().is_none();
        match (place, orn.kind()) {
            (Place::User, "users") => {
                self.user.map_or(whole || !self.wish.writes(), |user| whole || orn.id() == Some(&user.id))
            }
            (Place::User, "groups") if orn.is_contained() => match (self.user, orn.id()) {
                (Some(user), Some(group)) => self.state.members.contains(group, &user.id),
                (None, Some(group)) => !self.wish.writes() || self.wish.groups.contains(group),
                (_, None) => false,
            },
            (Place::Group, "groups") => self.group.map_or(whole || !self.wish.writes(), |group| {
                whole || !orn.is_contained() && orn.id() == Some(&group.id)
            }),
            (Place::App, "apps") => self.holds_app(orn),
            (Place::Other, kind) => folded(kind) == folded(self.collection()),
            _ => false,
        }
    }

    /// Whether a resource holds the app that it is about, or the definition of one that is to be made.
    fn holds_app(&self, orn: &Orn) -> bool {
        let of = |wanted: &str| orn.app_name().is_none_or(|name| name == wanted);
        if let Some(app) = self.app {
            return of(&app.name) && orn.id().is_none_or(|id| *id == app.id);
        }
        !self.wish.writes() || orn.id().is_none() && of(self.wish.app_name)
    }

    /// The name of what sets of resources call this part of the API.
    fn collection(&self) -> &'static str {
        match self.area {
            Area::Servers => "authorizationServers",
            Area::Policies => "policies",
            Area::Providers => "identityProviders",
            Area::Customizations => "customizations",
            Area::Devices => "devices",
            Area::Realms => "realms",
            Area::Hooks if self.wish.path.contains("eventHooks") => "eventHooks",
            Area::Hooks => "inlineHooks",
            Area::Admins => "iam",
            _ => "",
        }
    }
}

/// Where sets of resources are looked into.
#[derive(Clone, Copy)]
enum Place {
    User,
    Group,
    App,
    Other,
}

/// A name without what separates its words: `authorization_servers` and `authorizationServers` are one.
fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// What is enough for a step of a person's lifecycle.
fn lifecycle(path: &str) -> &'static [&'static str] {
    match path.rsplit('/').next().unwrap_or_default() {
        "activate" | "reactivate" => {
            &["okta.users.manage", "okta.users.lifecycle.manage", "okta.users.lifecycle.activate"]
        }
        "deactivate" => &["okta.users.manage", "okta.users.lifecycle.manage", "okta.users.lifecycle.deactivate"],
        "suspend" => &["okta.users.manage", "okta.users.lifecycle.manage", "okta.users.lifecycle.suspend"],
        "unsuspend" => &["okta.users.manage", "okta.users.lifecycle.manage", "okta.users.lifecycle.unsuspend"],
        _ => &["okta.users.manage", "okta.users.lifecycle.manage"],
    }
}

/// What is enough for a step with a person's credentials.
fn credentials(path: &str) -> &'static [&'static str] {
    match path.rsplit('/').next().unwrap_or_default() {
        "reset_password" => {
            &["okta.users.manage", "okta.users.credentials.manage", "okta.users.credentials.resetPassword"]
        }
        "reset_factors" => {
            &["okta.users.manage", "okta.users.credentials.manage", "okta.users.credentials.resetFactors"]
        }
        "expire_password" | "expire_password_with_temp_password" => {
            &["okta.users.manage", "okta.users.credentials.manage", "okta.users.credentials.expirePassword"]
        }
        "unlock" => &["okta.users.manage", "okta.users.lifecycle.manage", "okta.users.lifecycle.unlock"],
        _ => &["okta.users.manage", "okta.users.credentials.manage"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the comparison, in the order of its columns.
    #[test]
    fn standard_roles_may_what_the_comparison_says() {
        use RoleType as R;
        const COLUMNS: [RoleType; 10] = [
            R::SuperAdmin,
            R::OrgAdmin,
            R::UserAdmin,
            R::AppAdmin,
            R::ReadOnlyAdmin,
            R::MobileAdmin,
            R::HelpDeskAdmin,
            R::ReportAdmin,
            R::ApiAccessManagementAdmin,
            R::GroupMembershipAdmin,
        ];
        let check = |about: &str, area: Area, changes: bool, row: &str| {
            let may = COLUMNS.map(|kind| {
                let (looks, writes) = standard(kind);
                if (if changes { writes } else { looks }).contains(&area) { 'x' } else { '.' }
            });
            assert_eq!(may.iter().collect::<String>(), row, "{about}");
        };
        check("edit Okta settings", Area::Settings, true, "xx........");
        check("view administrators", Area::Admins, false, "..........");
        check("edit authorization servers", Area::Servers, true, "x.......x.");
        check("view authorization servers", Area::Servers, false, "xx..x...x.");
        check("view the System Log", Area::Logs, false, "xx.xxx.xx.");
        check("manage mappings", Area::Mappings, true, "x..x....x.");
        check("edit e-mail templates", Area::Customizations, true, "xx........");
        check("manage log streams", Area::Reserved, true, "x.........");
        check("view users", Area::Users, false, "xxxxxxx.xx");
        check("manage the lifecycle", Area::Lifecycle, true, "xxx.......");
        check("edit profiles, make and remove users", Area::Users, true, "xxx.......");
        check("reset passwords and factors", Area::Credentials, true, "xxx...x...");
        check("clear sessions", Area::Sessions, true, "xxx...x...");
        check("view groups", Area::Groups, false, "xxxxxxx.xx");
        check("add to and remove from groups", Area::Members, true, "xxx......x");
        check("make and remove groups", Area::GroupLife, true, "xx........");
        check("view apps", Area::Apps, false, "x..xxx..x.");
        check("add and configure apps", Area::Apps, true, "x..x....x.");
        check("assign apps", Area::AppUsers, true, "x..x....x.");
        check("view rate limits", Area::Limits, false, "xx.xxx.xx.");
    }

    #[test]
    fn paths_have_areas() {
        let check = |method: &str, path: &str, expected: Area| {
            let wish = Wish { path, method, params: &[], groups: &[], app_name: "" };
            assert_eq!(area(&wish), expected, "{method} {path}");
        };
        check("GET", "/api/v1/users/{userId}/roles", Area::Admins);
        check("POST", "/api/v1/users/{id}/lifecycle/suspend", Area::Lifecycle);
        check("POST", "/api/v1/users/{id}/lifecycle/expire_password_with_temp_password", Area::Credentials);
        check("PUT", "/api/v1/groups/{groupId}/users/{userId}", Area::Members);
        check("POST", "/api/v1/groups", Area::GroupLife);
        check("GET", "/api/v1/groups", Area::Groups);
        check("PUT", "/api/v1/groups/{groupId}", Area::Groups);
        check("DELETE", "/api/v1/groups/{groupId}", Area::GroupLife);
        check("GET", "/oauth2/v1/clients/{clientId}/roles", Area::Admins);
        check("GET", "/api/v1/org/privacy/oktaSupport", Area::Reserved);
        check("GET", "/api/v1/org", Area::Settings);
        check("POST", "/api/v1/orgs", Area::Reserved);
        check("GET", "/api/v1/dr/status", Area::Reserved);
        check("GET", "/api/v1/apps/{appId}/users/{userId}", Area::AppUsers);
        check("GET", "/api/v1/principal-rate-limits", Area::Limits);
        check("GET", "/attack-protection/api/v1/user-lockout-settings", Area::Settings);
    }
}
