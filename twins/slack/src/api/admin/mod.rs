//! `admin.*`: what administrators of an organization do.
//!
//! Most of these methods are alike: a person's token with a scope, an organization, an administrator; a workspace,
//! person or channel that must be there; an answer of nothing but `ok`, or a list in pages. So each is a row that says
//! what it needs and a function that does what is its own. What each refuses with is its page's list at
//! <https://docs.slack.dev/reference/methods>.

mod analytics;
mod apps;
mod channel_rules;
mod conversations;
mod emoji;
mod fields;
mod functions;
mod invites;
mod mcp;
mod records;
mod roles;
mod sessions;
mod skills;
mod teams;
mod usergroups;
mod users;
mod workflows;

use std::sync::Arc;

use dtu_contract::describe;
use dtu_kernel::{
    operation::{Described, Level, Operation, OperationInfo},
    tx::Tx,
    wire::Answer,
};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

pub(crate) use self::apps::shown as app_shown;
use self::fields::Fields;
use super::paging;
use crate::{
    ANY, Caller, Row, contract,
    error::Error,
    input::Input,
    model::{
        State,
        channels::{Channel, Kind},
        org::Team,
        people::{Role, User},
    },
};

/// What a handler gives back: members of the answer besides `ok`.
type Told = Result<Value, Error>;

/// Who asks, and of what.
struct Asked<'a> {
    state: &'a State,
    /// The administrator.
    by: Arc<User>,
    now: i64,
}

/// The same for what changes something.
struct Doing<'a, 't> {
    state: &'a mut State,
    tx: &'a mut Tx<'t>,
    /// The administrator's id.
    by: SmolStr,
}

/// What a method does.
#[derive(Clone, Copy)]
enum Run {
    Look(fn(&Asked<'_>, &Fields) -> Told),
    /// Looks, and answers otherwise than in JSON.
    Send(fn(&Asked<'_>, &Fields) -> Result<Answer, Error>),
    Act(fn(&mut Doing<'_, '_>, &Fields) -> Told),
}

/// A method of administrators.
#[derive(Clone, Copy)]
struct Method {
    id: &'static str,
    path: &'static str,
    scopes: &'static [&'static str],
    limit: &'static str,
    /// What it refuses with besides the common codes.
    errors: &'static [&'static str],
    /// What it says where there is no organization.
    plain: &'static str,
    /// What it says to those who are no administrators.
    denied: &'static str,
    json: bool,
    run: Run,
}

/// A row: the method's name behind `admin.`, its scope behind that, its tier, what it says without an organization and
/// to those who are no administrators, what else it refuses with, and what it does.
macro_rules! method {
    ($name:literal, $scope:literal, $tier:ident, ($plain:literal, $denied:literal), [$($error:literal),* $(,)?], $run:expr) => {
        $crate::api::admin::Method {
            id: concat!("admin.", $name),
            path: concat!("/api/admin.", $name),
            scopes: &[concat!("admin.", $scope)],
            limit: $crate::limits::$tier,
            errors: &[$plain, $denied, $($error),*],
            plain: $plain,
            denied: $denied,
            json: true,
            run: $run,
        }
    };
}
use method;

/// The rows, by area.
const AREAS: &[&[Method]] = &[
    apps::METHODS,
    channel_rules::METHODS,
    conversations::METHODS,
    emoji::METHODS,
    functions::METHODS,
    invites::METHODS,
    mcp::METHODS,
    records::METHODS,
    roles::METHODS,
    sessions::METHODS,
    skills::METHODS,
    teams::METHODS,
    usergroups::METHODS,
    users::METHODS,
    workflows::METHODS,
];

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    AREAS.iter().copied().flatten().map(Method::row).collect()
}

impl Method {
    /// The same method under another name.
    const fn called(self, id: &'static str, path: &'static str) -> Self {
        Self { id, path, ..self }
    }

    fn row(&'static self) -> Row {
        let mut info = OperationInfo::untyped(self.id, ANY, self.path, Level::Behaves);
        (info.limit, info.scopes, info.errors, info.json_body) = (self.limit, self.scopes, self.errors, self.json);
        if let Some(place) = contract::place(&info) {
            let describe = move |out: &mut _| describe::operation(out, place.document(), place.operation());
            info.described = Some(Described::new(describe));
        }
        match self.run {
            Run::Look(run) => Operation::untyped_read(
                info,
                Box::new(move |cx, input| {
                    let by = self.admit(cx.state, cx.caller, &input)?;
                    let asked = Asked { state: cx.state, by, now: cx.scene.now.as_secs() };
                    Ok(answer(&run(&asked, &Fields::new(input.args))?))
                }),
            ),
            Run::Send(run) => Operation::untyped_read(
                info,
                Box::new(move |cx, input| {
                    let by = self.admit(cx.state, cx.caller, &input)?;
                    let asked = Asked { state: cx.state, by, now: cx.scene.now.as_secs() };
                    run(&asked, &Fields::new(input.args))
                }),
            ),
            Run::Act(run) => Operation::untyped_write(
                info,
                Box::new(move |cx, input| {
                    let by = self.admit(cx.state, cx.caller, &input)?.id.clone();
                    let mut doing = Doing { state: &mut *cx.state, tx: &mut *cx.tx, by };
                    Ok(answer(&run(&mut doing, &Fields::new(input.args))?))
                }),
            ),
        }
    }

    /// The administrator who calls.
    fn admit(&self, state: &State, caller: &Caller, input: &Input) -> Result<Arc<User>, Error> {
        if let Some(problem) = input.problem {
            return Err(problem.into());
        }
        if state.enterprise.org.is_none() {
            return Err(self.plain.into());
        }
        let by = state.users.get(&caller.token()?.user).filter(|user| user.is_admin());
        by.map(Arc::clone).ok_or_else(|| self.denied.into())
    }
}

fn answer(told: &Value) -> Answer {
    Answer::json(told)
}

/// An answer of nothing but `ok`.
fn done() -> Value {
    json!({})
}

impl State {
    /// A workspace of the organization.
    fn admin_team(&self, id: &str) -> Result<&Arc<Team>, Error> {
        self.enterprise.teams.get(&id.into()).ok_or_else(|| "team_not_found".into())
    }

    /// A person or bot.
    fn admin_user(&self, id: &str) -> Result<&Arc<User>, Error> {
        self.users.get(&id.into()).ok_or_else(|| "user_not_found".into())
    }

    /// A channel, whoever is in it: neither a direct message nor the one that everyone is in.
    fn admin_channel(&self, id: &str) -> Result<Arc<Channel>, Error> {
        let channel = self.channels.get(&id.into()).ok_or("channel_not_found")?;
        if !channel.kind.is_channel() || channel.general {
            return Err("channel_type_not_supported".into());
        }
        Ok(Arc::clone(channel))
    }
}

/// A channel, whoever is in it, unless everyone in the organization is in it by default.
fn changeable(state: &State, id: &str) -> Result<Arc<Channel>, Error> {
    let channel = state.admin_channel(id)?;
    let is_default = |team: &Team| team.default_channels.contains(&channel.id);
    let is_everyones =
        state.place(&channel.id).org_wide && state.enterprise.teams.iter().any(|(_, team)| is_default(team));
    if is_everyones { Err("default_org_wide_channel".into()) } else { Ok(channel) }
}

fn is_bot(user: &User) -> bool {
    user.role == Role::Bot
}

fn is_public(channel: &Channel) -> bool {
    channel.kind == Kind::Public
}

/// How many rows one page looks at: of a filter that little fits, pages may be short.
const LOOKED_AT_MAX: usize = 5_000;

/// How a list is cut into pages.
#[derive(Clone, Copy)]
struct Pages {
    /// What its cursors begin with.
    kind: &'static str,
    default: usize,
    most: usize,
}

impl Pages {
    /// Where the page begins, empty at the start, and how long it is.
    fn read(self, fields: &Fields) -> Result<(SmolStr, usize), Error> {
        let size = match fields.number("limit")? {
            None => self.default,
            Some(n) => match usize::try_from(n) {
                Ok(n) if (1..=self.most).contains(&n) => n,
                _ => return Err("invalid_limit".into()),
            },
        };
        let cursor = fields.text("cursor");
        Ok((paging::read_cursor(cursor.as_deref(), self.kind)?.unwrap_or_default(), size))
    }

    /// A page of rows that come in the order of their keys, from the cursor on.
    fn cut<T>(
        self,
        size: usize,
        rows: impl Iterator<Item = (SmolStr, T)>,
        shown: impl Fn(&T) -> Option<Value>,
    ) -> (Vec<Value>, Value) {
        let (mut page, mut next) = (Vec::new(), String::new());
        for (looked, (key, row)) in rows.enumerate() {
            if page.len() == size || looked == LOOKED_AT_MAX {
                next = paging::cursor(self.kind, &key);
                break;
            }
            page.extend(shown(&row));
        }
        (page, json!({ "next_cursor": next }))
    }
}

/// An answer of a list and where its next page begins.
fn listed(name: &str, (page, metadata): (Vec<Value>, Value)) -> Value {
    let mut told = Map::new();
    told.insert(name.to_owned(), Value::Array(page));
    told.insert("response_metadata".to_owned(), metadata);
    Value::Object(told)
}
