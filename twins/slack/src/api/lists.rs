//! `slackLists.*`

use std::sync::Arc;

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    canvases::{Entities, object},
    marks::done,
    paging::{self, Limit, PageEnd},
};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{TIER_2, TIER_3, TIER_4},
    model::{
        State,
        cells::Cell,
        documents::{self, Access},
        lists::{self, List, NewList},
        time::micros,
    },
};

/// The most cells that are changed at once.
const CELLS_MAX: usize = 100;
const CELLS: &[&str] = &[
    "channel_not_found",
    "duplicated_item_not_found",
    "file_not_found",
    "invalid_column_id",
    "invalid_date",
    "invalid_email",
    "invalid_input_type",
    "invalid_link",
    "invalid_option_id",
    "invalid_phone_number",
    "invalid_text_block",
    "list_not_found",
    "over_cell_fields_limit",
    "over_row_maximum",
    "permission_denied",
    "record_not_found",
    "uneditable_column",
    "user_not_found",
];
const CELL_UPDATES: &[&str] = &[
    "channel_not_found",
    "column_id_not_provided",
    "file_not_found",
    "invalid_column_id",
    "invalid_date",
    "invalid_email",
    "invalid_input_type",
    "invalid_link",
    "invalid_option_id",
    "invalid_phone_number",
    "invalid_row_id",
    "invalid_text_block",
    "list_not_found",
    "over_cell_fields_limit",
    "over_row_maximum",
    "permission_denied",
    "row_id_not_provided",
    "uneditable_column",
    "user_not_found",
];
const SCHEMA: &[&str] = &[
    "invalid_column_type",
    "invalid_copy_and_schema_args",
    "invalid_primary_column",
    "invalid_schema",
    "list_not_found",
    "missing_arg_copy_from_list_id",
    "over_column_maximum",
    "over_title_length_maximum",
];
const ACCESS: &[&str] =
    &["channel_not_found", "invalid_parameters", "list_not_found", "permission_denied", "user_not_found"];

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    let write =
        |row: Row, tier, errors: &'static [&'static str]| row.limit(tier).scopes(&["lists:write"]).errors(errors);
    let read = |row: Row, tier, errors: &'static [&'static str]| row.limit(tier).scopes(&["lists:read"]).errors(errors);
    let gone: &[&str] = &["list_not_found", "permission_denied", "record_not_found"];
    let jobs: &[&str] = &["job_not_found", "list_not_found"];
    vec![
        write(Row::write("slackLists.create", ANY, "/api/slackLists.create", create), TIER_2, SCHEMA),
        write(
            Row::write("slackLists.update", ANY, "/api/slackLists.update", update),
            TIER_2,
            &["list_not_found", "missing_arguments", "over_title_length_maximum", "permission_denied"],
        ),
        write(Row::write("slackLists.access.set", ANY, "/api/slackLists.access.set", set_access), TIER_3, ACCESS),
        write(
            Row::write("slackLists.access.delete", ANY, "/api/slackLists.access.delete", delete_access),
            TIER_3,
            ACCESS,
        ),
        write(Row::write("slackLists.items.create", ANY, "/api/slackLists.items.create", add_item), TIER_3, CELLS),
        write(
            Row::write("slackLists.items.update", ANY, "/api/slackLists.items.update", set_cells),
            TIER_3,
            CELL_UPDATES,
        ),
        write(Row::write("slackLists.items.delete", ANY, "/api/slackLists.items.delete", delete_item), TIER_3, gone),
        write(
            Row::write("slackLists.items.deleteMultiple", ANY, "/api/slackLists.items.deleteMultiple", delete_items),
            TIER_2,
            gone,
        ),
        read(Row::read("slackLists.items.info", ANY, "/api/slackLists.items.info", item), TIER_2, gone),
        read(
            Row::read("slackLists.items.list", ANY, "/api/slackLists.items.list", items),
            TIER_2,
            &["invalid_cursor", "invalid_limit", "list_not_found"],
        ),
        read(Row::write("slackLists.download.start", ANY, "/api/slackLists.download.start", export), TIER_2, jobs),
        read(Row::read("slackLists.download.get", ANY, "/api/slackLists.download.get", exported), TIER_4, jobs),
    ]
}

fn array(given: Option<Value>, name: &str) -> Result<Option<Vec<Value>>, Error> {
    match object(given, name)? {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => Err(Error::Arguments(vec![format!("must provide an array [json-pointer:/{name}]")])),
    }
}

/// Arguments of `slackLists.create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: SmolStr,
    description_blocks: Option<Value>,
    schema: Option<Value>,
    copy_from_list_id: Option<SmolStr>,
    include_copied_list_records: Option<bool>,
    #[serde(default)]
    todo_mode: bool,
}

/// `slackLists.create`: with columns of its own, or another list's.
fn create(cx: &mut Write<'_, '_, Slack>, args: Create) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    lists::check_name(&args.name)?;
    let schema = array(args.schema, "schema")?;
    let description = array(args.description_blocks, "description_blocks")?.unwrap_or_default();
    let copied = args.copy_from_list_id.filter(|id| !id.is_empty());
    let from = copied.map(|id| lists::find(cx.state, &id, &token.user, Access::Read)).transpose()?;
    let (columns, todo) = match (&from, schema) {
        (Some(_), Some(_)) => return Err(Code::InvalidCopyAndSchemaArgs.into()),
        (Some((_, list)), None) => (list.columns.to_vec(), list.todo),
        (None, _) if args.include_copied_list_records == Some(true) => {
            return Err(Code::MissingArgCopyFromListId.into());
        }
        (None, schema) => (lists::read_columns(cx.tx, &schema.unwrap_or_default(), args.todo_mode)?, args.todo_mode),
    };
    let copied_from = from.as_ref().map(|(id, _)| id.clone());
    let new = NewList { name: args.name, description: Value::Array(description), columns, todo, copied_from };
    let id = lists::create(cx.state, cx.tx, token, new);
    if let (Some((from, _)), Some(true)) = (from, args.include_copied_list_records) {
        copy_items(cx, &from, &id)?;
    }
    let list = cx.state.content.lists.get(&id).map(Arc::clone).ok_or(Code::ListNotFound)?;
    let metadata = lists::metadata(&list, cx.tx.now.as_secs(), &token.user, false);
    Ok(Typed::ok(&json!({ "list_id": id, "list_metadata": metadata })))
}

/// Copies all items; subtasks stay with their items.
fn copy_items(cx: &mut Write<'_, '_, Slack>, from: &SmolStr, to: &SmolStr) -> Result<(), Error> {
    let by = cx.caller.token()?.user.clone();
    let rows = cx.state.content.items.range((from.clone(), 0)..=(from.clone(), u64::MAX));
    let rows: Vec<_> = rows.map(|(_, item)| Arc::clone(item)).collect();
    let mut copies: Vec<(SmolStr, SmolStr)> = Vec::new();
    for item in rows {
        let parent = item.parent.as_ref().and_then(|id| copies.iter().find(|(old, _)| old == id));
        let parent = parent.map(|(_, new)| new.clone());
        let copy = lists::add_item(cx.state, cx.tx, (to, &by), parent, item.cells.clone())?;
        copies.push((item.id.clone(), copy.id.clone()));
    }
    Ok(())
}

/// Arguments of `slackLists.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    id: SmolStr,
    name: Option<SmolStr>,
    description_blocks: Option<Value>,
    todo_mode: Option<bool>,
}

/// `slackLists.update`
fn update(cx: &mut Write<'_, '_, Slack>, args: Update) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let description = array(args.description_blocks, "description_blocks")?.map(Value::Array);
    let name = args.name.filter(|name| !name.is_empty());
    let (id, _) = lists::find(cx.state, &args.id, &token.user, Access::Write)?;
    if name.is_none() && description.is_none() && args.todo_mode.is_none() {
        return Err(Code::MissingArguments.into());
    }
    name.as_deref().map_or(Ok(()), lists::check_name)?;
    lists::update(cx.state, cx.tx, (&id, &token.user), (name, description, args.todo_mode));
    Ok(done())
}

/// Arguments of `slackLists.access.set`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetAccess {
    list_id: SmolStr,
    access_level: Access,
    #[serde(default)]
    channel_ids: Vec<SmolStr>,
    #[serde(default)]
    user_ids: Vec<SmolStr>,
}

/// `slackLists.access.set`
fn set_access(cx: &mut Write<'_, '_, Slack>, args: SetAccess) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let whom = Entities { channel_ids: args.channel_ids, user_ids: args.user_ids }.whom()?;
    let wanted = args.access_level.max(Access::Write);
    let (id, _) = lists::find(cx.state, &args.list_id, &token.user, wanted)?;
    documents::set_access(cx.state, cx.tx, (&id, &token.user), &whom, Some(args.access_level))?;
    Ok(done())
}

/// Arguments of `slackLists.access.delete`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DeleteAccess {
    list_id: SmolStr,
    #[serde(default)]
    channel_ids: Vec<SmolStr>,
    #[serde(default)]
    user_ids: Vec<SmolStr>,
}

/// `slackLists.access.delete`
fn delete_access(cx: &mut Write<'_, '_, Slack>, args: DeleteAccess) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let whom = Entities { channel_ids: args.channel_ids, user_ids: args.user_ids }.whom()?;
    let (id, _) = lists::find(cx.state, &args.list_id, &token.user, Access::Write)?;
    documents::set_access(cx.state, cx.tx, (&id, &token.user), &whom, None)?;
    Ok(done())
}

/// Reads one cell: its column, by id, and what is to be in it.
fn read_cell(state: &State, list: &List, given: &Value) -> Result<(SmolStr, Cell), Code> {
    let id = given["column_id"].as_str().ok_or(Code::ColumnIdNotProvided)?;
    let column = list.columns.iter().find(|column| column.id == id).ok_or(Code::InvalidColumnId)?;
    Ok((column.id.clone(), Cell::read(state, column, given)?))
}

/// Arguments of `slackLists.items.create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AddItem {
    list_id: SmolStr,
    duplicated_item_id: Option<SmolStr>,
    parent_item_id: Option<SmolStr>,
    initial_fields: Option<Value>,
}

/// `slackLists.items.create`: subtasks have no subtasks.
fn add_item(cx: &mut Write<'_, '_, Slack>, args: AddItem) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let (id, list) = lists::find(cx.state, &args.list_id, &token.user, Access::Write)?;
    let given = |id: Option<SmolStr>| id.filter(|id| !id.is_empty());
    let parent = given(args.parent_item_id);
    if let Some(parent) = &parent {
        let row = lists::item(cx.state, &id, parent).ok_or(Code::RecordNotFound)?;
        if row.parent.is_some() {
            return Err(Error::Arguments(vec!["must not be a subtask [json-pointer:/parent_item_id]".to_owned()]));
        }
    }
    let mut cells = match given(args.duplicated_item_id) {
        Some(copied) => lists::item(cx.state, &id, &copied).ok_or(Code::DuplicatedItemNotFound)?.cells.clone(),
        None => Vec::new(),
    };
    for field in array(args.initial_fields, "initial_fields")?.unwrap_or_default() {
        let (column, cell) = read_cell(cx.state, &list, &field)?;
        cells.retain(|(id, _)| *id != column);
        cells.push((column, cell));
    }
    let item = lists::add_item(cx.state, cx.tx, (&id, &token.user), parent, cells)?;
    Ok(Typed::ok(&json!({ "item": lists::render_item(&id, &list, &item) })))
}

/// Arguments of `slackLists.items.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetCells {
    list_id: SmolStr,
    cells: Vec<Value>,
}

/// `slackLists.items.update`: cells of items that are there, or of one that is made for them.
fn set_cells(cx: &mut Write<'_, '_, Slack>, args: SetCells) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let (id, list) = lists::find(cx.state, &args.list_id, &token.user, Access::Write)?;
    if args.cells.is_empty() || args.cells.len() > CELLS_MAX {
        return Err(Error::Arguments(vec!["must have 1 to 100 items [json-pointer:/cells]".to_owned()]));
    }
    let mut made: Vec<(Value, u64)> = Vec::new();
    for given in &args.cells {
        let (column, cell) = read_cell(cx.state, &list, given)?;
        let number = match (given["row_id"].as_str(), &given["row_id_to_create"]) {
            (Some(row), _) => lists::item(cx.state, &id, &row.into()).ok_or(Code::InvalidRowId)?.number,
            (None, Value::Null | Value::Bool(false)) => return Err(Code::RowIdNotProvided.into()),
            (None, named) => {
                if let Some((_, number)) = made.iter().find(|(name, _)| name == named) {
                    *number
                } else {
                    let item = lists::add_item(cx.state, cx.tx, (&id, &token.user), None, Vec::new())?;
                    made.push((named.clone(), item.number));
                    item.number
                }
            }
        };
        lists::set_cells(cx.state, cx.tx, (&id, &token.user), number, vec![(column, cell)]);
    }
    Ok(done())
}

/// Arguments of `slackLists.items.delete`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DeleteItem {
    list_id: SmolStr,
    id: SmolStr,
}

/// `slackLists.items.delete`
fn delete_item(cx: &mut Write<'_, '_, Slack>, args: DeleteItem) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let (list, _) = lists::find(cx.state, &args.list_id, &token.user, Access::Write)?;
    if lists::delete_item(cx.state, cx.tx, &list, &args.id) { Ok(done()) } else { Err(Code::RecordNotFound.into()) }
}

/// Arguments of `slackLists.items.deleteMultiple`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DeleteItems {
    list_id: SmolStr,
    ids: Vec<SmolStr>,
}

/// `slackLists.items.deleteMultiple`: all or none.
fn delete_items(cx: &mut Write<'_, '_, Slack>, args: DeleteItems) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let (list, _) = lists::find(cx.state, &args.list_id, &token.user, Access::Write)?;
    if args.ids.is_empty() {
        return Err(Error::Arguments(vec!["must provide at least 1 items [json-pointer:/ids]".to_owned()]));
    }
    if !args.ids.iter().all(|id| lists::item(cx.state, &list, id).is_some()) {
        return Err(Code::RecordNotFound.into());
    }
    for id in &args.ids {
        lists::delete_item(cx.state, cx.tx, &list, id);
    }
    Ok(done())
}

/// Arguments of `slackLists.items.info`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneItem {
    list_id: SmolStr,
    id: SmolStr,
    #[serde(default)]
    include_is_subscribed: bool,
}

/// `slackLists.items.info`
fn item(cx: &Read<'_, Slack>, args: OneItem) -> Result<Typed<Value>, Error> {
    let user = &cx.caller.token()?.user;
    let (id, list) = lists::find(cx.state, &args.list_id, user, Access::Read)?;
    let row = lists::item(cx.state, &id, &args.id).ok_or(Code::RecordNotFound)?;
    let mut record = lists::render_item(&id, &list, row);
    if args.include_is_subscribed {
        // Who made an item follows it.
        record["is_subscribed"] = json!(row.by == *user);
    }
    let below: Vec<Value> =
        lists::subtasks(cx.state, &id, &row.id).map(|item| lists::render_item(&id, &list, item)).collect();
    let mut answer = json!({ "list": lists::render(cx.state, &id, &list, user), "record": record, "subtasks": below });
    if let Some(parent) = row.parent.as_ref().and_then(|parent| lists::item(cx.state, &id, parent)) {
        answer["parent_task"] = lists::render_item(&id, &list, parent);
    }
    Ok(Typed::ok(&answer))
}

/// Arguments of `slackLists.items.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Items {
    list_id: SmolStr,
    #[serde(default)]
    limit: Limit,
    cursor: Option<String>,
    #[serde(default)]
    archived: bool,
}

/// `slackLists.items.list`: oldest first, subtasks among them. No item is ever archived here.
fn items(cx: &Read<'_, Slack>, args: Items) -> Result<Typed<Value>, Error> {
    let (id, list) = lists::find(cx.state, &args.list_id, &cx.caller.token()?.user, Access::Read)?;
    let size = args.limit.size(100, 1000)?;
    let from = paging::read_cursor(args.cursor.as_deref(), "item")?;
    let from = from.map(|number| number.parse::<u64>().map_err(|_| Code::InvalidCursor)).transpose()?.unwrap_or(0);
    let to = if args.archived { from } else { u64::MAX };
    let mut rows = cx.state.content.items.range((id.clone(), from)..(id.clone(), to)).map(|(_, item)| item);
    let page: Vec<Value> = rows.by_ref().take(size).map(|item| lists::render_item(&id, &list, item)).collect();
    let end = PageEnd::new(rows.next().map(|item| paging::cursor("item", &item.number.to_string())));
    Ok(Typed::ok(&json!({ "items": page, "response_metadata": end })))
}

/// Arguments of `slackLists.download.start`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Download {
    list_id: SmolStr,
    /// No item is ever archived here.
    #[serde(rename = "include_archived")]
    _include_archived: Option<bool>,
}

/// `slackLists.download.start`
fn export(cx: &mut Write<'_, '_, Slack>, args: Download) -> Result<Typed<Value>, Error> {
    let user = cx.caller.token()?.user.clone();
    let (id, _) = lists::find(cx.state, &args.list_id, &user, Access::Read)?;
    let job = lists::export(cx.state, cx.tx, &id, &user);
    Ok(Typed::ok(&json!({ "job_id": job })))
}

/// Arguments of `slackLists.download.get`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Exported {
    list_id: SmolStr,
    job_id: SmolStr,
}

/// `slackLists.download.get`
fn exported(cx: &Read<'_, Slack>, args: Exported) -> Result<Typed<Value>, Error> {
    let user = &cx.caller.token()?.user;
    let (id, _) = lists::find(cx.state, &args.list_id, user, Access::Read)?;
    let job = cx.state.content.exports.get(&args.job_id).filter(|job| job.list == id && job.user == *user);
    let job = job.ok_or(Code::JobNotFound)?;
    if micros(cx.scene.now) < job.done_at {
        return Ok(Typed::ok(&json!({ "status": "PROCESSING" })));
    }
    let file = cx.state.files.get(&id).ok_or(Code::ListNotFound)?;
    let url = format!("{}/files-pri/{}-{id}/download/list.csv", file.origin, cx.state.workspace.id);
    Ok(Typed::ok(&json!({ "status": "COMPLETED", "download_url": url })))
}
