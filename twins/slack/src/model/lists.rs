//! Lists: columns with types, items with a cell for each, subtasks.
//!
//! <https://docs.slack.dev/surfaces/lists>

use std::sync::Arc;

use bytes::Bytes;
use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    tx::Tx,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    SITE, State,
    cells::{self, Cell},
    documents::{self, Access},
    files::Mode,
};
use crate::{error::Code, shapes};

const fn id(site: &str, prefix: &'static str) -> IdShape {
    IdShape { site: SITE.child(site), prefix, alphabet: UPPER_ALNUM, drawn: 9, suffix: "" }
}

const COLUMN: IdShape = id("list column", "Col0");
const ITEM: IdShape = id("list item", "Rec0");
const VIEW: IdShape = id("list view", "View0");
const EXPORT: IdShape = id("list export", "Le0");

/// The most columns.
const COLUMNS_MAX: usize = 30;
/// The most items.
const ITEMS_MAX: u64 = 5_000;
/// The longest name, in characters.
const NAME_MAX: usize = 255;

/// A column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Its id.
    pub id: SmolStr,
    /// What programs know it by.
    pub key: SmolStr,
    /// What people see.
    pub name: SmolStr,
    /// What its cells hold.
    #[serde(rename = "type")]
    pub kind: SmolStr,
    /// Whether it names the items.
    pub is_primary_column: bool,
    /// More about the cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Value>,
}

/// A list.
#[derive(Clone, Debug, Serialize)]
pub struct List {
    /// Its columns.
    pub columns: Arc<[Column]>,
    /// What it is for.
    pub description: Value,
    /// Whether its items can be done, assigned and due.
    pub todo: bool,
    /// The list that it was made after.
    pub copied_from: Option<SmolStr>,
    /// The ids of its views: one for an item, one for all.
    pub views: [SmolStr; 2],
    /// The number of the next item.
    pub next: u64,
    /// How many items there are.
    pub count: u64,
    /// Who changed it last.
    pub editor: SmolStr,
    /// When it was changed, in seconds.
    pub updated: i64,
}

/// An item.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// Its id.
    pub id: SmolStr,
    /// Its place among the list's.
    pub number: u64,
    /// The item that it is a part of.
    pub parent: Option<SmolStr>,
    /// Who made it.
    pub by: SmolStr,
    /// When, in seconds.
    pub created: i64,
    /// Who changed it last.
    pub updated_by: SmolStr,
    /// When, in seconds.
    pub updated: i64,
    /// Column to what is in it.
    pub cells: Vec<(SmolStr, Cell)>,
}

/// An export of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Export {
    /// The list.
    pub list: SmolStr,
    /// Who asked for it.
    pub user: SmolStr,
    /// When it is done, in microseconds.
    pub done_at: u64,
}

/// The columns of lists of things to do, which all such lists have in common.
fn todo_columns() -> [Column; 3] {
    let column = |id: &str, key: &str, name: &str, options| Column {
        id: id.into(),
        key: key.into(),
        name: name.into(),
        kind: key.into(),
        is_primary_column: false,
        options,
    };
    [
        column("Col00", "todo_completed", "Completed", None),
        column(
            "Col01",
            "todo_assignee",
            "Assignee",
            Some(json!({ "format": "multi_entity", "show_member_name": true })),
        ),
        column("Col02", "todo_due_date", "Due Date", None),
    ]
}

/// Reads the columns that are asked for.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn read_columns(tx: &mut Tx<'_>, given: &[Value], todo: bool) -> Result<Vec<Column>, Code> {
    let mut columns = Vec::new();
    for item in given {
        let text = |name: &str| item[name].as_str().filter(|text| !text.is_empty()).map(SmolStr::new);
        let (key, name, kind) = (text("key"), text("name"), text("type"));
        let (Some(key), Some(name), Some(kind)) = (key, name, kind) else { return Err(Code::InvalidSchema) };
        if !cells::is_type(&kind) {
            return Err(Code::InvalidColumnType);
        }
        if columns.iter().any(|column: &Column| column.key == key) || !cells::options_fit(&kind, &item["options"]) {
            return Err(Code::InvalidSchema);
        }
        let is_primary_column = item["is_primary_column"] == true;
        if is_primary_column && kind != "text" {
            return Err(Code::InvalidPrimaryColumn);
        }
        let options = item["options"].is_object().then(|| item["options"].clone());
        columns.push(Column { id: tx.id(&COLUMN), key, name, kind, is_primary_column, options });
    }
    if given.is_empty() {
        let (key, name, kind) = (SmolStr::new_static("name"), SmolStr::new_static("Name"), SmolStr::new_static("text"));
        columns.push(Column { id: tx.id(&COLUMN), key, name, kind, is_primary_column: true, options: None });
    }
    if columns.iter().filter(|column| column.is_primary_column).count() != 1 {
        return Err(Code::InvalidPrimaryColumn);
    }
    if todo {
        columns.extend(todo_columns());
    }
    if columns.len() > COLUMNS_MAX { Err(Code::OverColumnMaximum) } else { Ok(columns) }
}

/// Whether a name is short enough.
pub(crate) fn check_name(name: &str) -> Result<(), Code> {
    if name.chars().count() > NAME_MAX { Err(Code::OverTitleLengthMaximum) } else { Ok(()) }
}

/// What a new list is made of.
pub(crate) struct NewList {
    pub(crate) name: SmolStr,
    pub(crate) description: Value,
    pub(crate) columns: Vec<Column>,
    pub(crate) todo: bool,
    pub(crate) copied_from: Option<SmolStr>,
}

/// Makes a list.
pub(crate) fn create(state: &mut State, tx: &mut Tx<'_>, token: &super::apps::Token, new: NewList) -> SmolStr {
    let file = documents::add(state, tx, token, &new.name, Mode::List);
    let list = List {
        columns: new.columns.into(),
        description: new.description,
        todo: new.todo,
        copied_from: new.copied_from,
        views: [tx.id(&VIEW), tx.id(&VIEW)],
        next: 0,
        count: 0,
        editor: token.user.clone(),
        updated: tx.now.as_secs(),
    };
    state.content.lists.put(&mut tx.changes, file.id.clone(), list);
    file.id.clone()
}

/// A list that somebody may read or change.
///
/// # Errors
/// Where it is not there for them, or they may do less.
pub(crate) fn find(state: &State, id: &str, user: &SmolStr, wanted: Access) -> Result<(SmolStr, Arc<List>), Code> {
    let id = SmolStr::new(id);
    let list = state.content.lists.get(&id).map(Arc::clone).ok_or(Code::ListNotFound)?;
    let file = state.files.get(&id).ok_or(Code::ListNotFound)?;
    match state.document_access(file, user) {
        None => Err(Code::ListNotFound),
        Some(level) if level < wanted => Err(Code::PermissionDenied),
        Some(_) => Ok((id, list)),
    }
}

/// Changes what a list is called, what it is for, and whether its items are things to do.
pub(crate) fn update(
    state: &mut State,
    tx: &mut Tx<'_>,
    (id, by): (&SmolStr, &SmolStr),
    (name, description, todo): (Option<SmolStr>, Option<Value>, Option<bool>),
) {
    if let Some(name) = name {
        state.files.update(&mut tx.changes, id, |file| (file.title, file.name) = (name.clone(), name));
    }
    let now = tx.now.as_secs();
    state.content.lists.update(&mut tx.changes, id, |list| {
        (list.editor, list.updated) = (by.clone(), now);
        if let Some(description) = description {
            list.description = description;
        }
        if let Some(todo) = todo {
            let own = list.columns.iter().filter(|column| !column.kind.starts_with("todo_")).cloned();
            let mut columns: Vec<Column> = own.collect();
            if todo {
                columns.extend(todo_columns());
            }
            (list.columns, list.todo) = (columns.into(), todo);
        }
    });
}

/// Adds an item.
///
/// # Errors
/// Where the list is full.
pub(crate) fn add_item(
    state: &mut State,
    tx: &mut Tx<'_>,
    (list, by): (&SmolStr, &SmolStr),
    parent: Option<SmolStr>,
    cells: Vec<(SmolStr, Cell)>,
) -> Result<Arc<Item>, Code> {
    let row = state.content.lists.get(list).map(Arc::clone).ok_or(Code::ListNotFound)?;
    if row.count >= ITEMS_MAX {
        return Err(Code::OverRowMaximum);
    }
    let (id, number, now) = (tx.id(&ITEM), row.next, tx.now.as_secs());
    state.content.lists.update(&mut tx.changes, list, |list| (list.next, list.count) = (list.next + 1, list.count + 1));
    state.content.item_number.insert((list.clone(), id.clone()), number);
    if let Some(parent) = &parent {
        state.content.subtasks.insert((list.clone(), parent.clone(), number));
    }
    let (by, updated_by) = (by.clone(), by.clone());
    let item = Item { id, number, parent, by, created: now, updated_by, updated: now, cells };
    Ok(state.content.items.put(&mut tx.changes, (list.clone(), number), item))
}

/// An item of a list.
pub(crate) fn item<'a>(state: &'a State, list: &SmolStr, id: &SmolStr) -> Option<&'a Arc<Item>> {
    let number = state.content.item_number.get(&(list.clone(), id.clone()))?;
    state.content.items.get(&(list.clone(), *number))
}

/// Puts cells into an item.
pub(crate) fn set_cells(
    state: &mut State,
    tx: &mut Tx<'_>,
    (list, by): (&SmolStr, &SmolStr),
    number: u64,
    cells: Vec<(SmolStr, Cell)>,
) {
    let now = tx.now.as_secs();
    state.content.items.update(&mut tx.changes, &(list.clone(), number), |item| {
        for (column, cell) in cells {
            match item.cells.iter_mut().find(|(id, _)| *id == column) {
                Some(old) => old.1 = cell,
                None => item.cells.push((column, cell)),
            }
        }
        (item.updated_by, item.updated) = (by.clone(), now);
    });
}

/// The subtasks of an item, oldest first.
pub(crate) fn subtasks<'a>(state: &'a State, list: &SmolStr, id: &SmolStr) -> impl Iterator<Item = &'a Arc<Item>> {
    let (list, id) = (list.clone(), id.clone());
    let rows = state.content.subtasks.range((list.clone(), id.clone(), 0)..=(list.clone(), id, u64::MAX));
    rows.filter_map(move |(_, _, number)| state.content.items.get(&(list.clone(), *number)))
}

/// Takes an item off a list, with its subtasks; false where there is none.
pub(crate) fn delete_item(state: &mut State, tx: &mut Tx<'_>, list: &SmolStr, id: &SmolStr) -> bool {
    let Some(row) = item(state, list, id).map(Arc::clone) else { return false };
    let below: Vec<SmolStr> = subtasks(state, list, id).map(|item| item.id.clone()).collect();
    for below in below {
        delete_item(state, tx, list, &below);
    }
    state.content.items.remove(&mut tx.changes, &(list.clone(), row.number));
    state.content.item_number.remove(&(list.clone(), id.clone()));
    if let Some(parent) = &row.parent {
        state.content.subtasks.remove(&(list.clone(), parent.clone(), row.number));
    }
    state.content.lists.update(&mut tx.changes, list, |list| list.count = list.count.saturating_sub(1));
    true
}

/// Begins an export: a moment later it can be fetched where the list's file is.
pub(crate) fn export(state: &mut State, tx: &mut Tx<'_>, list: &SmolStr, user: &SmolStr) -> SmolStr {
    const WORK: std::time::Duration = std::time::Duration::from_secs(1);
    let sheet = Bytes::from(sheet(state, list));
    state.files.update(&mut tx.changes, list, |file| {
        file.size = sheet.len() as u64;
        file.content = sheet;
    });
    let done_at = super::time::micros(tx.now.after(WORK));
    let id = tx.id(&EXPORT);
    state.content.exports.put(&mut tx.changes, id.clone(), Export { list: list.clone(), user: user.clone(), done_at });
    id
}

/// A list as CSV.
fn sheet(state: &State, id: &SmolStr) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let Some(list) = state.content.lists.get(id) else { return String::new() };
    let head: Vec<String> = list.columns.iter().map(|column| quoted(&column.name)).collect();
    let mut out = format!("{}\n", head.join(","));
    for (_, item) in state.content.items.range((id.clone(), 0)..=(id.clone(), u64::MAX)) {
        let text = |column: &Column| {
            let cell = item.cells.iter().find(|(id, _)| *id == column.id);
            cell.map(|(_, cell)| quoted(&cell.plain())).unwrap_or_default()
        };
        let row: Vec<String> = list.columns.iter().map(text).collect();
        out.push_str(&row.join(","));
        out.push('\n');
    }
    out
}

/// An item as methods tell it.
pub(crate) fn render_item(list: &SmolStr, row: &List, item: &Item) -> Value {
    let field = |column: &Column| {
        let (_, cell) = item.cells.iter().find(|(id, _)| *id == column.id)?;
        Some(cell.render(column))
    };
    let fields: Vec<Value> = row.columns.iter().filter_map(field).collect();
    let mut told = json!({
        "id": item.id,
        "list_id": list,
        "date_created": item.created,
        "created_by": item.by,
        "updated_by": item.updated_by,
        "fields": fields,
        "updated_timestamp": item.updated.to_string(),
    });
    if let Some(parent) = &item.parent {
        told["parent_record_id"] = json!(parent);
    }
    told
}

/// Columns and views as methods tell them.
pub(crate) fn metadata(list: &List, created: i64, creator: &SmolStr, whole: bool) -> Value {
    let place = |(n, column): (usize, &Column)| json!({ "visible": true, "key": column.key, "id": column.id, "position": (5_000_000_000_u64 + n as u64).to_string() });
    let columns: Vec<Value> = list.columns.iter().enumerate().map(place).collect();
    let view = |n: usize, name: &str, kind: &str| {
        let mut view = json!({
            "id": list.views[n],
            "name": name,
            "type": kind,
            "is_locked": false,
            "position": format_smolstr!("{}", created + i64::try_from(n).unwrap_or(0)),
        });
        if let (true, Some(view)) = (whole, view.as_object_mut()) {
            view.insert("columns".to_owned(), json!(columns));
            view.insert("date_created".to_owned(), json!(created));
            view.insert("created_by".to_owned(), json!(creator));
            view.insert("stick_column_left".to_owned(), json!(false));
        }
        view
    };
    let mut told = Map::new();
    told.insert("schema".to_owned(), json!(*list.columns));
    told.insert("subtask_schema".to_owned(), json!(*list.columns));
    told.insert("views".to_owned(), json!([view(0, "Record", "record"), view(1, "All items", "table")]));
    told.insert("integrations".to_owned(), json!([]));
    if whole {
        let source = match &list.copied_from {
            Some(from) => json!({ "type": "copy", "reference_id": from }),
            None => json!({ "type": "blank" }),
        };
        told.insert("icon".to_owned(), json!(""));
        told.insert("description".to_owned(), json!(cells::words(&list.description)));
        told.insert("description_blocks".to_owned(), list.description.clone());
        told.insert("is_trial".to_owned(), json!(false));
        told.insert("creation_source".to_owned(), source);
        told.insert("todo_mode".to_owned(), json!(list.todo));
        told.insert("default_view".to_owned(), json!(""));
    }
    Value::Object(told)
}

/// A list's file with all that there is to say of the list.
pub(crate) fn render(state: &State, id: &SmolStr, list: &List, user: &SmolStr) -> Value {
    let Some(file) = state.files.get(id) else { return Value::Null };
    let mut told = shapes::file(state, file);
    let created = i64::try_from(file.created / 1_000_000).unwrap_or(0);
    told["list_metadata"] = metadata(list, created, &file.user, true);
    told["list_limits"] = json!({
        "over_row_maximum": list.count > ITEMS_MAX,
        "row_count_limit": ITEMS_MAX,
        "row_count": list.count,
        "archived_row_count": 0,
        "over_column_maximum": list.columns.len() > COLUMNS_MAX,
        "column_count": list.columns.len(),
        "column_count_limit": COLUMNS_MAX,
        "over_view_maximum": false,
        "view_count": 2,
        "view_count_limit": 50,
        "max_attachments_per_cell": 10,
    });
    told["last_editor"] = json!(list.editor);
    told["updated"] = json!(list.updated);
    told["access"] = json!(state.document_access(file, user));
    told
}
