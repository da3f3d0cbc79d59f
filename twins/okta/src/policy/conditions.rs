//! Conditions of policies and rules: whether they hold for somebody who opens an app.
//!
//! A condition holds, does not, or nobody can tell since nothing is known of what it asks for. Sign-in and the
//! simulation of policies ask alike; who signs in is taken in only by what holds for certain.
//! See developer.okta.com/docs/guides/policy-simulation/.

use std::net::IpAddr;

use serde_json::Value;
use smol_str::SmolStr;

use super::Members;
use crate::{
    expression::{self, Person},
    model::{State, app::App, user::User},
    zone,
};

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Match,
    NotMatch,
    Undefined,
}

impl Status {
    /// As Okta writes it.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Match => "MATCH",
            Self::NotMatch => "NOT_MATCH",
            Self::Undefined => "UNDEFINED",
        }
    }

    const fn of(holds: bool) -> Self {
        if holds { Self::Match } else { Self::NotMatch }
    }

    const fn opposite(self) -> Self {
        match self {
            Self::Match => Self::NotMatch,
            Self::NotMatch => Self::Match,
            Self::Undefined => Self::Undefined,
        }
    }

    /// All of these.
    fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().fold(Self::Match, |all, part| match (all, part) {
            (Self::NotMatch, _) | (_, Self::NotMatch) => Self::NotMatch,
            (Self::Undefined, _) | (_, Self::Undefined) => Self::Undefined,
            _ => Self::Match,
        })
    }

    /// Any of these.
    fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::all(parts.into_iter().map(Self::opposite)).opposite()
    }
}

/// What is said of who opens an app.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The app; none where a program has none.
    pub(crate) app: Option<&'a App>,
    /// The person; none where only groups are said.
    pub(crate) user: Option<&'a User>,
    /// The groups, where no person is said.
    pub(crate) groups: Vec<SmolStr>,
    /// The address.
    pub(crate) ip: Option<IpAddr>,
    /// The network zones that the address is in, where they are said instead.
    pub(crate) zones: Vec<SmolStr>,
    /// `IOS`, `WINDOWS`, ...
    pub(crate) platform: Option<SmolStr>,
    /// Whether the device is registered.
    pub(crate) registered: Option<bool>,
    /// Whether it is managed.
    pub(crate) managed: Option<bool>,
    /// The device assurance policy that it fulfils.
    pub(crate) assurance: Option<SmolStr>,
    /// `LOW`, `MEDIUM` or `HIGH`.
    pub(crate) risk: Option<SmolStr>,
}

/// A condition by its path, and whether it holds.
pub(crate) type Condition = (&'static str, Status);

/// Whether the conditions of a policy or a rule hold, and each of them.
pub(crate) fn attempt(state: &State, context: &Context<'_>, members: &Members) -> (Status, Vec<Condition>) {
    let groups = conditions(state, context, members);
    let status = Status::all(groups.iter().map(|any| Status::any(any.iter().map(|(_, status)| *status))));
    (status, groups.into_iter().flatten().collect())
}

/// Conditions, in groups of which one is enough.
fn conditions(state: &State, context: &Context<'_>, one: &Members) -> Vec<Vec<Condition>> {
    let Some(Value::Object(said)) = one.get("conditions") else { return Vec::new() };
    let mut groups = Vec::new();
    for (name, value) in said.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "people" => groups.extend(people(state, context, value)),
            "network" => groups.extend(network(state, context, value)),
            "device" => groups.extend(device(context, value)),
            "platform" => groups.extend(platform(context, value)),
            "riskScore" => groups.extend(risk(context, value)),
            "userType" => groups.extend(user_type(state, context, value)),
            "elCondition" => groups.extend(written(state, context, value)),
            "app" => groups.extend(app(context, value)),
            // It is a browser that opens an app, and Okta that knows people's passwords.
            "authContext" => groups.extend(fixed(value, "/authType", "authContext.authType", &["ANY"])),
            "identityProvider" => {
                groups.extend(fixed(value, "/provider", "identityProvider.provider", &["ANY", "OKTA"]));
            }
            "authProvider" => groups.extend(fixed(value, "/provider", "authProvider.provider", &["ANY", "OKTA"])),
            _ if is_empty(value) => {}
            _ => groups.push(vec![("other", Status::Undefined)]),
        }
    }
    groups
}

/// Whether a condition says nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::Null => true,
        _ => false,
    }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn people(state: &State, context: &Context<'_>, value: &Value) -> Vec<Vec<Condition>> {
    let named = |pointer: &str| texts(value.pointer(pointer));
    let is_user = |ids: &[&str]| context.user.map_or(Status::Undefined, |user| Status::of(ids.contains(&&*user.id)));
    let is_in = |ids: &[&str]| {
        let member = |id: &str| match context.user {
            _ if id == state.groups.everyone => true,
            Some(user) => state.members.contains(&id.into(), &user.id),
            None => context.groups.iter().any(|group| group == id),
        };
        Status::of(ids.iter().any(|id| member(id)))
    };
    let (users, groups) = (named("/users/include"), named("/groups/include"));
    let mut included = Vec::new();
    if !users.is_empty() {
        included.push(("people.users.include", is_user(&users)));
    }
    if !groups.is_empty() {
        included.push(("people.groups.include", is_in(&groups)));
    }
    let mut all: Vec<Vec<Condition>> = Some(included).filter(|any| !any.is_empty()).into_iter().collect();
    let (users, groups) = (named("/users/exclude"), named("/groups/exclude"));
    if !users.is_empty() {
        all.push(vec![("people.users.exclude", is_user(&users).opposite())]);
    }
    if !groups.is_empty() {
        all.push(vec![("people.groups.exclude", is_in(&groups).opposite())]);
    }
    all
}

fn network(state: &State, context: &Context<'_>, value: &Value) -> Vec<Vec<Condition>> {
    match value["connection"].as_str() {
        None | Some("ANYWHERE") => return Vec::new(),
        Some("ZONE") => {}
        Some(_) => return vec![vec![("network.connection", Status::Undefined)]],
    }
    let within = |ids: &[&str]| {
        let named = |id: &&str| *id == "ALL_ZONES" || context.zones.iter().any(|zone| zone == id);
        match context.ip {
            Some(_) => Status::of(ids.iter().any(|id| zone::contains(state, id, context.ip))),
            None if context.zones.is_empty() => Status::Undefined,
            None => Status::of(ids.iter().any(named)),
        }
    };
    let (include, exclude) = (texts(value.get("include")), texts(value.get("exclude")));
    let mut all = Vec::new();
    if !include.is_empty() {
        all.push(vec![("network.include", within(&include))]);
    }
    if !exclude.is_empty() {
        all.push(vec![("network.exclude", within(&exclude).opposite())]);
    }
    all
}

fn device(context: &Context<'_>, value: &Value) -> Vec<Vec<Condition>> {
    let flag = |name: &'static str, pointer: &str, said: Option<bool>| {
        let wanted = value.pointer(pointer)?.as_bool()?;
        Some(vec![(name, said.map_or(Status::Undefined, |said| Status::of(said == wanted)))])
    };
    let assured = texts(value.pointer("/assurance/include"));
    let by = context.assurance.as_deref().map_or(Status::Undefined, |id| Status::of(assured.contains(&id)));
    let assured = (!assured.is_empty()).then(|| vec![("device.assurance.include", by)]);
    let flags = [
        flag("device.registered", "/registered", context.registered),
        flag("device.managed", "/managed", context.managed),
    ];
    flags.into_iter().flatten().chain(assured).collect()
}

/// The systems of desktops; those of phones are the others.
const DESKTOPS: [&str; 6] = ["WINDOWS", "MACOS", "OSX", "CHROMEOS", "LINUX", "DESKTOP_OTHER"];

fn platform(context: &Context<'_>, value: &Value) -> Vec<Vec<Condition>> {
    let fits = |one: &Value, said: &str| {
        let is_desktop = DESKTOPS.contains(&said);
        let kind = match one["type"].as_str() {
            Some("DESKTOP") => is_desktop,
            Some("MOBILE") => !is_desktop,
            _ => true,
        };
        let same =
            |wanted: &str| wanted == said || [wanted, said] == ["OSX", "MACOS"] || [wanted, said] == ["MACOS", "OSX"];
        let system = match one.pointer("/os/type").and_then(Value::as_str) {
            None | Some("ANY") => true,
            Some("OTHER") => said.ends_with("_OTHER"),
            Some(wanted) => same(wanted),
        };
        kind && system
    };
    let tried = |name: &'static str, list: Option<&Value>| {
        let all = list.and_then(Value::as_array).filter(|all| !all.is_empty())?;
        let said = context.platform.as_deref();
        Some((name, said.map_or(Status::Undefined, |said| Status::of(all.iter().any(|one| fits(one, said))))))
    };
    let include = tried("platform.include", value.get("include"));
    let exclude = tried("platform.exclude", value.get("exclude")).map(|(name, status)| (name, status.opposite()));
    include.into_iter().chain(exclude).map(|one| vec![one]).collect()
}

fn risk(context: &Context<'_>, value: &Value) -> Vec<Vec<Condition>> {
    let Some(wanted) = value["level"].as_str().filter(|level| *level != "ANY") else { return Vec::new() };
    let status = context.risk.as_deref().map_or(Status::Undefined, |said| Status::of(said == wanted));
    vec![vec![("riskScore.level", status)]]
}

fn user_type(state: &State, context: &Context<'_>, value: &Value) -> Vec<Vec<Condition>> {
    let among = |ids: &[&str]| match context.user {
        Some(user) => Status::of(ids.contains(&state.users.type_of(user).as_str())),
        None => Status::Undefined,
    };
    let (include, exclude) = (texts(value.get("include")), texts(value.get("exclude")));
    let include = (!include.is_empty()).then(|| vec![("userType.include", among(&include))]);
    let exclude = (!exclude.is_empty()).then(|| vec![("userType.exclude", among(&exclude).opposite())]);
    include.into_iter().chain(exclude).collect()
}

/// A condition in Okta's expression language.
fn written(state: &State, context: &Context<'_>, value: &Value) -> Vec<Vec<Condition>> {
    let Some(text) = value["condition"].as_str().filter(|text| !text.trim().is_empty()) else { return Vec::new() };
    let holds = || {
        let client = context.app.and_then(|app| state.clients.get(&app.id));
        let person = Person { state, user: Some(context.user?), app: client.map(|client| &**client) };
        expression::holds(&expression::parse(text).ok()?, &person).ok()
    };
    vec![vec![("elCondition.condition", holds().map_or(Status::Undefined, Status::of))]]
}

fn app(context: &Context<'_>, value: &Value) -> Vec<Vec<Condition>> {
    let named = |list: Option<&Value>| {
        let all = list.and_then(Value::as_array).filter(|all| !all.is_empty())?;
        let is_it = |one: &Value| {
            context
                .app
                .is_some_and(|app| one["id"].as_str() == Some(&app.id) || one["name"].as_str() == Some(&app.name))
        };
        Some(Status::of(all.iter().any(is_it)))
    };
    let include = named(value.get("include")).map(|status| vec![("app.include", status)]);
    let exclude = named(value.get("exclude")).map(|status| vec![("app.exclude", status.opposite())]);
    include.into_iter().chain(exclude).collect()
}

/// A condition whose value the simulation knows by itself.
fn fixed(value: &Value, pointer: &str, name: &'static str, usual: &[&str]) -> Vec<Vec<Condition>> {
    match value.pointer(pointer).and_then(Value::as_str) {
        None => Vec::new(),
        Some(said) if usual.contains(&said) => Vec::new(),
        Some(_) => vec![vec![(name, Status::NotMatch)]],
    }
}

#[cfg(test)]
mod tests {
    use super::{Status, Status::*};

    #[test]
    fn what_nobody_can_tell_decides_nothing_by_itself() {
        let check = |parts: &[Status], all: Status, any: Status| {
            let parts = || parts.iter().copied();
            assert_eq!((Status::all(parts()), Status::any(parts())), (all, any), "{:?}", parts().collect::<Vec<_>>());
        };
        check(&[], Match, NotMatch);
        check(&[Match, Undefined], Undefined, Match);
        check(&[NotMatch, Undefined], NotMatch, Undefined);
        check(&[Match, NotMatch], NotMatch, Match);
        check(&[Undefined], Undefined, Undefined);
    }
}
