//! Views as expressions see them without their being made: rows and members come when they are asked for.
//!
//! Values of these kinds are only where `stream` leaves them: a [`Late`] is gone through or counted, and members are
//! taken of a [`Row`]. Everywhere else stands the function [`WHOLE`], which makes a list or map of them, so that they
//! are compared and written down like any other.

use std::{
    any::Any,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use cel::{
    ExecutionError,
    common::{
        traits::{self, Indexer, Iterable, Sizer},
        types::{self, CelBool, CelInt, CelList, CelNull, CelString, DYN_TYPE, Type},
        value::{CowVal, StaticVal, Val},
    },
};
use dtu_kernel::rows::{Reader, RowBox};

use super::value::{List, Owned, from_value};

/// The function that makes the list or map of a late value; any other stays what it is.
pub(super) const WHOLE: &str = "@whole";
/// The function that leaves those rows of a view which an index finds: `@rows(view, members, values)`.
pub(super) const ROWS: &str = "@rows";
/// `x in row.member` without the list: `@has(x, row, member)`.
pub(super) const HAS: &str = "@has";
/// `row.member.size()` without the list: `@count(row, member)`.
pub(super) const COUNT: &str = "@count";

/// Declares the functions. No expression can name them: their names are no names in CEL.
pub(super) fn declare(env: &mut cel::Env) {
    let any = |count: usize| (0..count).map(|_| DYN_TYPE).collect();
    // Fails only where a name is declared twice, which a test would see.
    drop(env.add_overload(WHOLE, "whole", any(1), whole));
    drop(env.add_overload(ROWS, "rows", any(3), rows));
    drop(env.add_overload(HAS, "has", any(3), has));
    drop(env.add_overload(COUNT, "count", any(2), count));
}

/// A view, or those rows of it that an index finds. Cloning costs a pointer.
#[derive(Clone, Debug)]
pub(crate) struct Late(Arc<View>);

#[derive(Debug)]
struct View {
    at: Cursor,
    /// Members and their texts of which one decides what rows there are; all rows where empty.
    wanted: Vec<(String, String)>,
    whole: OnceLock<List>,
}

/// Where somebody who goes through a view stands. Whoever binds it to a variable takes the row.
#[derive(Debug)]
struct Cursor {
    reader: Arc<dyn Reader>,
    row: Mutex<Option<RowBox>>,
}

impl Late {
    pub(crate) fn new(reader: Arc<dyn Reader>) -> Self {
        Self::of(reader, Vec::new())
    }

    fn of(reader: Arc<dyn Reader>, wanted: Vec<(String, String)>) -> Self {
        Self(Arc::new(View { at: Cursor { reader, row: Mutex::default() }, wanted, whole: OnceLock::new() }))
    }

    fn reader(&self) -> &Arc<dyn Reader> {
        &self.0.at.reader
    }

    fn rows(&self) -> Box<dyn Iterator<Item = RowBox> + '_> {
        let wanted: Vec<(&str, &str)> = self.0.wanted.iter().map(|(name, text)| (&**name, &**text)).collect();
        let found = if wanted.is_empty() { None } else { self.reader().find(&wanted) };
        found.unwrap_or_else(|| self.reader().all())
    }

    /// All of it; made once.
    pub(crate) fn whole(&self) -> List {
        let reader = self.reader();
        let make = || List::new(self.rows().map(|row| from_value(reader.whole(&row))).collect());
        self.0.whole.get_or_init(make).clone()
    }
}

impl StaticVal for Late {}

impl Val for Late {
    fn get_type(&self) -> &Type {
        &types::LIST_TYPE
    }

    fn cel_type() -> &'static Type {
        &types::LIST_TYPE
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    // What an index finds is gone through once; to count it first would be to find it twice.
    fn as_sizer(&self) -> Option<&dyn Sizer> {
        self.0.wanted.is_empty().then_some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl Sizer for Late {
    fn size(&self) -> CelInt {
        i64::try_from(self.reader().len()).unwrap_or(i64::MAX).into()
    }
}

impl Iterable for Late {
    fn iter<'b, 'v>(&'b self) -> Box<dyn traits::Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Steps { at: &self.0.at, rows: self.rows() })
    }
}

struct Steps<'b> {
    at: &'b Cursor,
    rows: Box<dyn Iterator<Item = RowBox> + 'b>,
}

impl<'b, 'v> traits::Iterator<'b, 'v> for Steps<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        let row = self.rows.next()?;
        *self.at.row.lock().unwrap_or_else(PoisonError::into_inner) = Some(row);
        Some(self.at)
    }
}

impl Val for Cursor {
    fn get_type(&self) -> &Type {
        &types::MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &types::MAP_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        match self.row.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            Some(row) => Box::new(Row { reader: Arc::clone(&self.reader), row }),
            None => Box::new(CelNull),
        }
    }
}

/// A row of a view.
#[derive(Clone, Debug)]
struct Row {
    reader: Arc<dyn Reader>,
    row: RowBox,
}

impl Row {
    fn whole(&self) -> Owned {
        from_value(self.reader.whole(&self.row))
    }
}

impl StaticVal for Row {}

impl Val for Row {
    fn get_type(&self) -> &Type {
        &types::MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &types::MAP_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl Row {
    fn member(&self, name: &dyn Val) -> Result<Owned, ExecutionError> {
        let name = name.downcast_ref::<CelString<'_>>().map(CelString::inner).unwrap_or_default();
        let value = self.reader.member(&self.row, name);
        value.map(from_value).ok_or_else(|| ExecutionError::NoSuchKey(Arc::new(name.to_owned())))
    }
}

impl Indexer for Row {
    fn get<'b, 'v>(&'b self, name: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.member(name).map(CowVal::Owned)
    }

    fn steal<'v>(self: Box<Self>, name: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.member(name).map(|value| value as Box<dyn Val + 'v>)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all functions")]
fn whole<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let value = args.swap_remove(0);
    if let Some(late) = value.downcast_ref::<Late>() {
        return Ok(CowVal::owned(late.whole()));
    }
    match value.downcast_ref::<Row>() {
        Some(row) => Ok(CowVal::Owned(row.whole())),
        None => Ok(value),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all functions")]
fn rows<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (values, members) = (args.pop(), args.pop());
    let view = args.swap_remove(0);
    let lists = (listed(members.as_ref()), listed(values.as_ref()));
    let (Some(late), (Some(members), Some(values))) = (view.downcast_ref::<Late>(), lists) else { return Ok(view) };
    let reader = late.reader();
    let pairs =
        members.iter().zip(values).filter_map(|(member, value)| Some((text(member.as_ref())?, text(value.as_ref())?)));
    let wanted: Vec<(String, String)> = pairs.filter(|(member, _)| reader.is_indexed(member)).collect();
    if wanted.is_empty() {
        return Ok(view);
    }
    Ok(CowVal::owned(Late::of(Arc::clone(reader), wanted)))
}

fn text(value: &dyn Val) -> Option<String> {
    Some(value.downcast_ref::<CelString<'_>>()?.inner().to_owned())
}

fn listed<'l, 'v>(value: Option<&'l CowVal<'_, 'v>>) -> Option<&'l [Box<dyn Val + 'v>]> {
    value?.downcast_ref::<CelList<'v>>().map(CelList::inner)
}

fn has<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [item, row, member] = args.as_slice() else { return Err(unfit()) };
    let name = member.downcast_ref::<CelString<'_>>().map(CelString::inner).unwrap_or_default();
    let (late, text) = (row.downcast_ref::<Row>(), item.downcast_ref::<CelString<'_>>());
    if let (Some(row), Some(text)) = (late, text)
        && row.reader.is_many(name)
    {
        return Ok(CowVal::owned(CelBool::from(row.reader.has(&row.row, name, text.inner()))));
    }
    let list = row.as_indexer().ok_or_else(unfit)?.get(member.as_ref())?;
    let held = list.as_container().ok_or_else(unfit)?.contains(item.as_ref())?;
    Ok(CowVal::owned(CelBool::from(held)))
}

fn count<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [row, member] = args.as_slice() else { return Err(unfit()) };
    let name = member.downcast_ref::<CelString<'_>>().map(CelString::inner).unwrap_or_default();
    let row = row.downcast_ref::<Row>().filter(|row| row.reader.is_many(name)).ok_or_else(unfit)?;
    Ok(CowVal::owned(CelInt::from(i64::try_from(row.reader.count(&row.row, name)).unwrap_or(i64::MAX))))
}

/// Nobody reads it: an expression that fails is evaluated again as it was written.
fn unfit() -> ExecutionError {
    ExecutionError::InternalError(String::new())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dtu_kernel::universe::{Options, Universe};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        expr::{self, Compiler, EvalError, Place, Program, Scope, from_json},
        facts::Facts,
        testing::{call, facts},
    };

    fn program(scope: Scope, source: &str) -> Program {
        Compiler::new("s.yaml", "", None).program(scope, source, Place::default())
    }

    fn filled() -> Facts {
        let facts = facts(json!({ "who": "lena" }));
        for (item, owner) in [("ball", "rob"), ("cup", "lena"), ("hat", ""), ("pen", "lena"), ("pot", "omar")] {
            call(facts.universe(), "putItem", item, &format!("owner={owner}"));
        }
        facts
    }

    /// The value over views that were made as a whole, by the expression as it was written.
    fn over_whole_views(facts: &Facts, source: &str) -> Result<Value, EvalError> {
        let view = |name: &str| (name.to_owned(), facts.universe().view("shelf", name).expect("is there"));
        let shelf: Value = ["items", "log", "owners"].into_iter().map(view).collect();
        let mut context = expr::context();
        context.add_variable_as_val("shelf", from_json(&shelf));
        context.add_variable_as_val("params", from_json(&json!(facts.params())));
        // Without twins in its scope nothing is rewritten.
        let program = program(Scope::World, source);
        assert!(!program.reads_row_by_row());
        program.json(&context)
    }

    #[test]
    fn what_is_read_row_by_row_is_what_it_would_be_as_a_whole() {
        let mut facts = filled();
        let mut check = |source: &str| {
            let wanted = over_whole_views(&facts, source);
            assert_eq!(facts.value(&program(Scope::State, source)), wanted, "{source}");
        };
        let conditions = [
            "i.owner == params.who",
            "params.who == i.owner && i.name == 'cup'",
            "i.name == 'cup' || i.owner == 'rob'",
            "!(i.owner != 'lena')",
            "i.owner != 'lena' || i.name.size() == 3",
            "!(i.owner == 'lena' && i.name == 'pot')",
            "i.owner == 'nobody'",
            "i.owner == 3",
            "i.owner == params.whom",
            "i.nothing == 'lena'",
            "i.nothing == 'lena' && i.owner == 'rob'",
            "i.owner == 'rob' && i.nothing",
            "i.owner == shelf.items[1].owner",
            "i == {'name': 'cup', 'owner': 'lena'}",
            "{'owner': 'lena', 'name': 'cup'} == i",
            "i in shelf.items && i['owner'] == 'lena'",
            "has(i.owner) && !has(i.nothing) && i.?owner.orValue('') == 'lena'",
            "shelf.owners.exists(o, o.owner == i.owner && i.name in o.things && o.things.size() == 2)",
            "shelf.items.exists(i, i.owner == 'omar') && i.owner == 'lena'",
            "shelf.owners.exists(o, size(o.things) == 1 && o.things == [i.name])",
            "shelf.owners.all(o, o.owner != i.owner || i.name in o.things)",
            "shelf.owners.exists(o, 3 in o.things || o.nothing.size() == 1)",
            "i.owner",
        ];
        for condition in conditions {
            for macro_ in ["exists(i, IT)", "all(i, IT)", "filter(i, IT)", "exists_one(i, IT)", "map(i, IT, i.name)"] {
                check(&format!("shelf.items.{}", macro_.replace("IT", condition)));
            }
        }
        check("shelf.items");
        check("shelf.items.size() + size(shelf.items)");
        check("[shelf.items, shelf.items] == [shelf.items, shelf['items']]");
        check("shelf.items[3].name + shelf.items.filter(i, i.owner == 'lena')[0].name");
        check("shelf.items.filter(i, i.owner == 'lena').map(i, i.name).join('+')");
        check("shelf.items + shelf.items.map(i, i)");
        check("shelf.nothing.exists(i, i.owner == 'lena')");
        check("has(shelf.items) && !has(shelf.nothing) && type(shelf.items) == list");
        check("shelf == shelf");
        check("{'all': shelf.items}.all.size()");
    }

    #[test]
    fn rows_are_found_by_index_where_a_condition_allows_it() {
        let check = |source: &str, wanted: bool| {
            let program = program(Scope::State, source);
            let streamed = program.0.streamed.as_ref().expect("names no twin as a whole");
            assert_eq!(streamed.narrowed.is_some(), wanted, "{source}");
        };
        check("a.b.exists(i, i.x == params.y)", true);
        check("a.b.all(i, i.x != 'y' || i.z)", true);
        check("a.b.filter(i, 'y' == i.x && i.z).size() == 1", true);
        check("a.b.exists_one(i, i.x == 'y')", true);
        check("c.d.all(o, a.b.exists(i, i.x == o.x))", true);
        check("a.b.exists(i, 'y' in i.many)", true);
        check("a.b.exists(i, i.x == i.y)", false);
        check("a.b.exists(i, i.x == 'y' || i.z)", false);
        check("a.b.all(i, i.x == 'y')", false);
        check("a.b.exists(i, i.x != 'y')", false);
        check("a.b.map(i, i.x == 'y')", false);
        check("params.list.exists(i, i.x == 'y')", false);
    }

    #[test]
    fn indexes_find_what_a_look_at_all_rows_finds() {
        let world = dtu_kernel::world::World::find("acme", &dtu_kernel::world::SERVICES).expect("is there");
        let made = Universe::create("test", dtu_universe::all().into(), Arc::new(world), &Options::default());
        let universe = made.expect("is made");
        let mut readers = 0;
        for twin in universe.twins() {
            for (view, _) in twin.views() {
                if let Some(reader) = universe.read_view(twin.name(), view) {
                    check_reader(&*reader, &universe.view(twin.name(), view).expect("is there"), view);
                    readers += 1;
                }
            }
        }
        assert!(readers > 5, "{readers}");
    }

    fn check_reader(reader: &dyn Reader, whole: &Value, view: &str) {
        let all: Vec<Value> = reader.all().map(|row| reader.whole(&row)).collect();
        assert_eq!((json!(all), reader.len(), reader.is_empty()), (whole.clone(), all.len(), all.is_empty()), "{view}");
        for member in reader.members() {
            for value in all.iter().map(|row| &row[member]).chain([&json!(""), &json!("dm:nobody")]) {
                if let (true, Some(text)) = (reader.is_indexed(member), value.as_str()) {
                    let found = reader.find(&[(member, text)]).expect("has an index").map(|row| reader.whole(&row));
                    let wanted: Vec<&Value> = all.iter().filter(|row| row[member] == *text).collect();
                    assert_eq!(json!(found.collect::<Vec<_>>()), json!(wanted), "{view} by {member} {text}");
                }
            }
            if reader.is_many(member) {
                check_many(reader, member, view);
            }
        }
        assert!(reader.find(&[("nothing", "at all")]).is_none());
    }

    fn check_many(reader: &dyn Reader, member: &str, view: &str) {
        let lists: Vec<Value> = reader.all().filter_map(|row| reader.member(&row, member)).collect();
        let texts = |list: &Value| list.as_array().into_iter().flatten().cloned().collect::<Vec<Value>>();
        let any: std::collections::BTreeSet<String> =
            lists.iter().flat_map(texts).filter_map(|text| text.as_str().map(str::to_owned)).collect();
        for (row, list) in reader.all().zip(&lists) {
            assert_eq!(reader.count(&row, member), texts(list).len(), "{view}.{member}");
            for text in any.iter().map(String::as_str).chain(["nobody"]) {
                assert_eq!(
                    reader.has(&row, member, text),
                    texts(list).contains(&json!(text)),
                    "{view}.{member} {text}"
                );
            }
        }
    }
}
