//! `slackbot.skills.*`: what people teach Slackbot, and which of it they have turned on.
//!
//! <https://docs.slack.dev/ai/slackbot-skills>. Some members of the answers are nowhere shown in full; what they hold
//! is inferred from the pages' words.

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    canvases::object,
    marks::done,
    paging::{self, Limit, PageEnd},
};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{TIER_2, TIER_3},
    model::{
        State,
        apps::Token,
        canvases::{self, Change},
        documents::Access,
        files,
        skills::{self, CATEGORIES, Skill},
    },
};

const WRITE: &[&str] = &["skills:write"];
const READ: &[&str] = &["skills:read"];
/// The longest name, description and example, in characters.
const NAME_MAX: usize = 255;
const DESCRIPTION_MAX: usize = 400;
const PROMPT_MAX: usize = 200;
/// The longest page, and how many skills one page looks at.
const PAGE_MAX: usize = 1_000;
const LOOKED_AT_MAX: usize = 5_000;
/// What skills are called that are Slack's own: nobody makes, changes or deletes them, and the twin has none.
const BUILT_IN: &str = "builtin:";

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    const OF_OTHERS: &[&str] = &["method_not_supported_for_skill_type", "restricted_action", "skill_not_found"];
    let writes = |row: Row, errors| row.limit(TIER_2).scopes(WRITE).errors(errors);
    vec![
        writes(
            Row::write("slackbot.skills.create", ANY, "/api/slackbot.skills.create", create),
            &["canvas_creation_failed", "canvas_not_found", "invalid_mcp_servers", "restricted_action", "skill_exists"],
        ),
        writes(
            Row::write("slackbot.skills.update", ANY, "/api/slackbot.skills.update", update),
            &["canvas_editing_failed", "invalid_mcp_servers", "method_not_supported_for_skill_type", "skill_not_found"],
        ),
        writes(Row::write("slackbot.skills.delete", ANY, "/api/slackbot.skills.delete", delete), OF_OTHERS),
        writes(
            Row::write("slackbot.skills.library.add", ANY, "/api/slackbot.skills.library.add", add),
            &["skill_not_found"],
        ),
        writes(
            Row::write("slackbot.skills.library.remove", ANY, "/api/slackbot.skills.library.remove", remove),
            &["skill_not_found"],
        ),
        Row::read("slackbot.skills.info", ANY, "/api/slackbot.skills.info", info)
            .limit(TIER_3)
            .scopes(READ)
            .errors(&["skill_not_found"]),
        Row::read("slackbot.skills.list", ANY, "/api/slackbot.skills.list", list)
            .limit(TIER_3)
            .scopes(READ)
            .errors(&["invalid_cursor", "invalid_limit"]),
    ]
}

fn invalid(words: &str, at: &str) -> Error {
    Error::Arguments(vec![format!("{words} [json-pointer:/{at}]")])
}

/// What a skill is to be; what is absent stays.
#[derive(Debug, Default)]
struct Changes {
    display_name: Option<SmolStr>,
    description: Option<SmolStr>,
    category: Option<SmolStr>,
    example_prompt: Option<SmolStr>,
    mcp_servers: Option<Value>,
}

impl Changes {
    fn check(&self, state: &State, token: &Token) -> Result<(), Error> {
        let fits = |text: &Option<SmolStr>, most: usize, at: &str| match text {
            Some(text) if text.chars().count() > most => {
                Err(invalid(&format!("must be less than {} characters", most + 1), at))
            }
            _ => Ok(()),
        };
        fits(&self.display_name, NAME_MAX, "display_name")?;
        fits(&self.description, DESCRIPTION_MAX, "description")?;
        fits(&self.example_prompt, PROMPT_MAX, "example_prompt")?;
        if self.display_name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(invalid("must be more than 0 characters", "display_name"));
        }
        if self.category.as_ref().is_some_and(|name| !name.is_empty() && !CATEGORIES.contains(&name.as_str())) {
            return Err(invalid("must be a valid enum value", "category"));
        }
        self.mcp_servers.as_ref().map_or(Ok(()), |servers| check_servers(state, token, servers))
    }

    fn apply(self, skill: &mut Skill) {
        let set = |new: Option<SmolStr>, place: &mut SmolStr| {
            if let Some(new) = new {
                *place = new;
            }
        };
        set(self.display_name, &mut skill.display_name);
        set(self.description, &mut skill.description);
        set(self.category, &mut skill.category);
        set(self.example_prompt, &mut skill.example_prompt);
        if let Some(servers) = self.mcp_servers {
            skill.mcp_servers = Arc::new(servers);
        }
    }
}

/// Servers that the caller may use; which are not is told.
fn check_servers(state: &State, token: &Token, servers: &Value) -> Result<(), Error> {
    let servers = servers.as_array().ok_or_else(|| invalid("must provide an array", "mcp_servers"))?;
    let usable = |row: &Value| {
        let key = (SmolStr::new(row["app_id"].as_str()?), SmolStr::new(row["server_id"].as_str()?));
        state.content.mcp_servers.get(&key).filter(|server| state.may_use(server, &token.user)).map(|_| ())
    };
    let bad: Vec<Value> = servers.iter().filter(|row| usable(row).is_none()).cloned().collect();
    if bad.is_empty() { Ok(()) } else { Err(Error::Members("invalid_mcp_servers", "invalid_mcp_servers", bad)) }
}

/// A skill as its people see it.
pub(super) fn shown(state: &State, (id, skill): (&SmolStr, &Skill), access: Option<Access>) -> Value {
    let text = |text: &SmolStr| if text.is_empty() { Value::Null } else { json!(text) };
    let servers = if skill.mcp_servers.is_null() { json!([]) } else { Value::clone(&skill.mcp_servers) };
    let file = state.files.get(id);
    let others = file.is_some_and(|file| !file.access.is_empty() || !file.shares.is_empty());
    let visibility = if skill.shared {
        "anyone"
    } else if others {
        "shared"
    } else {
        "invite_only"
    };
    json!({
        "id": id,
        "type": "canvas",
        "display_name": skill.display_name,
        "name": null,
        "description": text(&skill.description),
        "category": text(&skill.category),
        "example_prompt": text(&skill.example_prompt),
        "visibility": visibility,
        "access": access,
        "creator_id": skill.creator,
        "is_published": skill.published,
        "mcp_servers": servers,
        "date_created": skill.created,
        "date_updated": skill.updated,
    })
}

fn access(state: &State, id: &SmolStr, user: &SmolStr) -> Option<Access> {
    state.document_access(state.files.get(id)?, user)
}

/// A skill that the caller may do so much with. One that is not seen is as if there were none.
fn find(state: &State, token: &Token, id: &SmolStr, wanted: Access) -> Result<Arc<Skill>, Error> {
    if id.starts_with(BUILT_IN) {
        let code = if wanted == Access::Read { "skill_not_found" } else { "method_not_supported_for_skill_type" };
        return Err(code.into());
    }
    let skill = state.content.skills.get(id).map(Arc::clone).ok_or("skill_not_found")?;
    match access(state, id, &token.user) {
        None => Err("skill_not_found".into()),
        Some(level) if level < wanted => Err(Code::RestrictedAction.into()),
        Some(_) => Ok(skill),
    }
}

fn told(state: &State, token: &Token, id: &SmolStr) -> Result<Typed<Value>, Error> {
    let skill = state.content.skills.get(id).ok_or("skill_not_found")?;
    let mut body = shown(state, (id, skill), access(state, id, &token.user));
    if let Some(canvas) = state.content.canvases.get(id) {
        body["instructions"] = json!(canvases::markdown(canvas));
    }
    Ok(Typed::ok(&json!({ "skill": body })))
}

/// Arguments of `slackbot.skills.create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    display_name: SmolStr,
    instructions: Option<String>,
    canvas_id: Option<SmolStr>,
    description: Option<SmolStr>,
    category: Option<SmolStr>,
    example_prompt: Option<SmolStr>,
    mcp_servers: Option<Value>,
}

/// `slackbot.skills.create`: of Markdown, or of a canvas of the caller's. The caller has it turned on.
fn create(cx: &mut Write<'_, '_, Slack>, args: Create) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let changes = Changes {
        display_name: Some(args.display_name.clone()),
        description: args.description,
        category: args.category,
        example_prompt: args.example_prompt,
        mcp_servers: object(args.mcp_servers, "mcp_servers")?,
    };
    changes.check(cx.state, token)?;
    let text = args.instructions.filter(|text| !text.trim().is_empty());
    let canvas = args.canvas_id.filter(|id| !id.is_empty());
    let id = match (text, canvas) {
        (Some(text), None) => of_text(cx.state, cx.tx, token, &args.display_name, &text)?,
        (None, Some(id)) => {
            let (id, _) = canvases::find(cx.state, &id, &token.user, Access::Owner)?;
            if cx.state.content.skills.contains(&id) {
                return Err("skill_exists".into());
            }
            id
        }
        _ => return Err(Error::Arguments(vec!["must provide exactly one of instructions or canvas_id".to_owned()])),
    };
    let now = cx.tx.now.as_secs();
    let mut skill = Skill { creator: token.user.clone(), created: now, updated: now, ..Skill::default() };
    changes.apply(&mut skill);
    cx.state.content.skills.put(&mut cx.tx.changes, id.clone(), skill);
    skills::turn(cx.state, cx.tx, &id, &token.user, true);
    told(cx.state, token, &id)
}

fn of_text(state: &mut State, tx: &mut Tx<'_>, token: &Token, title: &str, markdown: &str) -> Result<SmolStr, Error> {
    let made = canvases::create(state, tx, token, (Some(title), markdown), None);
    made.map_err(|detail| Error::Detailed(Code::CanvasCreationFailed, detail))
}

/// Arguments of `slackbot.skills.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    skill_id: SmolStr,
    display_name: Option<SmolStr>,
    instructions: Option<String>,
    description: Option<SmolStr>,
    category: Option<SmolStr>,
    example_prompt: Option<SmolStr>,
    mcp_servers: Option<Value>,
}

/// `slackbot.skills.update`: what is sent is changed, what is empty cleared.
fn update(cx: &mut Write<'_, '_, Slack>, args: Update) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let id = args.skill_id;
    let before = find(cx.state, token, &id, Access::Write)?;
    let changes = Changes {
        display_name: args.display_name,
        description: args.description,
        category: args.category,
        example_prompt: args.example_prompt,
        mcp_servers: object(args.mcp_servers, "mcp_servers")?,
    };
    changes.check(cx.state, token)?;
    if let Some(text) = args.instructions.filter(|text| !text.trim().is_empty()) {
        let edited = canvases::edit(cx.state, cx.tx, &id, Change::Replace(None, text));
        edited.map_err(|detail| Error::Detailed(Code::CanvasEditingFailed, detail))?;
    }
    let mut skill = Skill { updated: cx.tx.now.as_secs(), ..Skill::clone(&before) };
    changes.apply(&mut skill);
    cx.state.content.skills.put(&mut cx.tx.changes, id.clone(), skill);
    told(cx.state, token, &id)
}

/// A skill.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneSkill {
    skill_id: SmolStr,
}

/// `slackbot.skills.delete`: with its canvas.
fn delete(cx: &mut Write<'_, '_, Slack>, args: OneSkill) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    find(cx.state, token, &args.skill_id, Access::Owner)?;
    canvases::forget(cx.state, cx.tx, &args.skill_id);
    files::delete(cx.state, cx.tx, &args.skill_id);
    Ok(done())
}

/// `slackbot.skills.library.add`: for the caller alone.
fn add(cx: &mut Write<'_, '_, Slack>, args: OneSkill) -> Result<Typed<Value>, Error> {
    turn(cx, &args.skill_id, true)
}

/// `slackbot.skills.library.remove`: for the caller alone.
fn remove(cx: &mut Write<'_, '_, Slack>, args: OneSkill) -> Result<Typed<Value>, Error> {
    turn(cx, &args.skill_id, false)
}

fn turn(cx: &mut Write<'_, '_, Slack>, id: &SmolStr, on: bool) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    find(cx.state, token, id, Access::Read)?;
    skills::turn(cx.state, cx.tx, id, &token.user, on);
    Ok(done())
}

/// `slackbot.skills.info`
fn info(cx: &Read<'_, Slack>, args: OneSkill) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    find(cx.state, token, &args.skill_id, Access::Read)?;
    told(cx.state, token, &args.skill_id)
}

/// Whose skills are listed.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Filter {
    /// Those that the caller has turned on.
    #[default]
    Library,
    /// Those that the caller made.
    Owned,
    /// Those of the organization's catalogue.
    Catalog,
}

/// Arguments of `slackbot.skills.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct List {
    #[serde(default)]
    filter: Filter,
    category: Option<SmolStr>,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
}

/// `slackbot.skills.list`: without what they say.
fn list(cx: &Read<'_, Slack>, args: List) -> Result<Typed<Value>, Error> {
    let (state, user) = (cx.state, &cx.caller.token()?.user);
    let category = args.category.filter(|name| !name.is_empty());
    if category.as_ref().is_some_and(|name| !CATEGORIES.contains(&name.as_str())) {
        return Err(invalid("must be a valid enum value", "category"));
    }
    let size = args.limit.size(100, PAGE_MAX)?;
    let from = paging::read_cursor(args.cursor.as_deref(), "skill")?.unwrap_or_default();
    let fits = |id: &SmolStr, skill: &Skill| {
        let of_kind = match args.filter {
            Filter::Library => state.has_skill(id, skill, user),
            Filter::Owned => skill.creator == *user,
            Filter::Catalog => skill.published,
        };
        of_kind && category.as_ref().is_none_or(|name| skill.category == *name)
    };
    let (mut page, mut next) = (Vec::new(), None);
    for (looked, (id, skill)) in state.content.skills.range(from..).enumerate() {
        if page.len() == size || looked == LOOKED_AT_MAX {
            next = Some(paging::cursor("skill", id));
            break;
        }
        if let Some(level) = access(state, id, user).filter(|_| fits(id, skill)) {
            page.push(shown(state, (id, skill), Some(level)));
        }
    }
    Ok(Typed::ok(&json!({ "skills": page, "response_metadata": PageEnd::new(next) })))
}
