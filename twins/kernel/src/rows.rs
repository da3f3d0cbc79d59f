//! Views that are read row by row: what a check does not look at is never made.
//!
//! A twin says once what the rows of a view are, as a static [`Rows`]; a [`Reader`] is that over one state. Rows are
//! shared with the state, their members are made one by one when they are asked for, and a member with an index finds
//! its rows without a look at the others.

use std::{any::Any, fmt, sync::Arc};

use serde_json::Value;
use smol_str::SmolStr;

use crate::states::StateBox;

/// A row of a view as a reader holds it.
pub type RowBox = Arc<dyn Any + Send + Sync>;

/// Rows that come one by one, in the order of their view.
pub type Stream<'s, R> = Box<dyn Iterator<Item = Arc<R>> + 's>;

/// A member of a view's rows.
#[derive(Debug)]
pub struct Column<S, R> {
    name: &'static str,
    value: fn(&S, &R) -> Value,
    many: Option<Many<S, R>>,
}

/// How a list within a row answers without being made.
#[derive(Debug)]
struct Many<S, R> {
    has: fn(&S, &R, &str) -> bool,
    len: fn(&S, &R) -> usize,
}

impl<S, R> Clone for Many<S, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, R> Copy for Many<S, R> {}

impl<S, R> Column<S, R> {
    /// A member by its name.
    pub const fn one(name: &'static str, value: fn(&S, &R) -> Value) -> Self {
        Self { name, value, many: None }
    }

    /// A list of texts that may grow large: `has` says whether it holds a text, and `len` how many it holds.
    pub const fn many(
        name: &'static str,
        value: fn(&S, &R) -> Value,
        has: fn(&S, &R, &str) -> bool,
        len: fn(&S, &R) -> usize,
    ) -> Self {
        Self { name, value, many: Some(Many { has, len }) }
    }
}

/// Finds rows by the text that a member is.
#[derive(Debug)]
pub struct Index<S, R> {
    member: &'static str,
    find: for<'s> fn(&'s S, SmolStr) -> Stream<'s, R>,
}

impl<S, R> Index<S, R> {
    /// `find` gives all rows in which the member is the text, in the order of the view; others among them are dropped.
    pub const fn new(member: &'static str, find: for<'s> fn(&'s S, SmolStr) -> Stream<'s, R>) -> Self {
        Self { member, find }
    }
}

/// What the rows of a view are.
pub struct Rows<S: 'static, R: 'static> {
    /// The members, in the order in which they are shown.
    pub columns: &'static [Column<S, R>],
    /// All rows.
    pub all: for<'s> fn(&'s S) -> Stream<'s, R>,
    /// How many there are.
    pub len: fn(&S) -> usize,
    /// Indexes, the one that finds the fewest rows first.
    pub indexes: &'static [Index<S, R>],
}

impl<S, R> fmt::Debug for Rows<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.columns.iter().map(|column| column.name)).finish()
    }
}

impl<S, R> Rows<S, R> {
    /// The whole view.
    pub fn render(&self, state: &S) -> Value {
        (self.all)(state).map(|row| self.whole(state, &row)).collect()
    }

    fn whole(&self, state: &S, row: &R) -> Value {
        self.columns.iter().map(|column| (column.name.to_owned(), (column.value)(state, row))).collect()
    }

    fn column(&self, name: &str) -> Option<&'static Column<S, R>> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// What rows of unknown types can be read with.
pub trait AnyRows: fmt::Debug + Send + Sync {
    /// A reader of them in a state; none where the state is of another type.
    fn read(&'static self, state: &StateBox) -> Option<Arc<dyn Reader>>;
}

impl<S: Any + Send + Sync, R: Any + Send + Sync> AnyRows for Rows<S, R> {
    fn read(&'static self, state: &StateBox) -> Option<Arc<dyn Reader>> {
        let state = Arc::clone(state).downcast::<S>().ok()?;
        Some(Arc::new(Reading { rows: self, state }))
    }
}

/// A view of one state, to be read row by row.
pub trait Reader: fmt::Debug + Send + Sync {
    /// The names of its rows' members.
    fn members(&self) -> Vec<&'static str>;
    /// How many rows there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }
    /// All rows.
    fn all(&self) -> Box<dyn Iterator<Item = RowBox> + '_>;
    /// The rows that fit one of these pairs of a member and its text, by the best index for any of them; none where
    /// there is no index for any.
    fn find(&self, wanted: &[(&str, &str)]) -> Option<Box<dyn Iterator<Item = RowBox> + '_>>;
    /// Whether rows are found by what a member is.
    fn is_indexed(&self, member: &str) -> bool;
    /// A member of a row; none where there is none of that name.
    fn member(&self, row: &RowBox, name: &str) -> Option<Value>;
    /// Whether a member is a list that answers without being made.
    fn is_many(&self, name: &str) -> bool;
    /// Whether such a list holds a text.
    fn has(&self, row: &RowBox, name: &str, text: &str) -> bool;
    /// How many such a list holds.
    fn count(&self, row: &RowBox, name: &str) -> usize;
    /// The row as a whole.
    fn whole(&self, row: &RowBox) -> Value;
}

struct Reading<S: 'static, R: 'static> {
    rows: &'static Rows<S, R>,
    state: Arc<S>,
}

impl<S, R> fmt::Debug for Reading<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(f)
    }
}

impl<S, R: Any> Reading<S, R> {
    /// A reader never meets rows but its own.
    fn peek(row: &RowBox) -> &R {
        row.downcast_ref().expect("a reader is given its own rows")
    }

    fn many(&self, name: &str) -> Option<Many<S, R>> {
        self.rows.column(name)?.many
    }
}

impl<S: Any + Send + Sync, R: Any + Send + Sync> Reader for Reading<S, R> {
    fn members(&self) -> Vec<&'static str> {
        self.rows.columns.iter().map(|column| column.name).collect()
    }

    fn len(&self) -> usize {
        (self.rows.len)(&self.state)
    }

    fn all(&self) -> Box<dyn Iterator<Item = RowBox> + '_> {
        Box::new((self.rows.all)(&self.state).map(|row| row as RowBox))
    }

    fn find(&self, wanted: &[(&str, &str)]) -> Option<Box<dyn Iterator<Item = RowBox> + '_>> {
        let text_of = |member: &str| wanted.iter().find(|(name, _)| *name == member).map(|(_, text)| *text);
        let mut usable =
            self.rows.indexes.iter().filter_map(|index| Some((index, SmolStr::new(text_of(index.member)?))));
        let (index, text) = usable.next()?;
        let column = self.rows.column(index.member)?;
        let found = (index.find)(&self.state, text.clone());
        let fits = move |row: &Arc<R>| (column.value)(&self.state, row).as_str() == Some(text.as_str());
        Some(Box::new(found.filter(fits).map(|row| row as RowBox)))
    }

    fn is_indexed(&self, member: &str) -> bool {
        self.rows.indexes.iter().any(|index| index.member == member)
    }

    fn member(&self, row: &RowBox, name: &str) -> Option<Value> {
        Some((self.rows.column(name)?.value)(&self.state, Self::peek(row)))
    }

    fn is_many(&self, name: &str) -> bool {
        self.many(name).is_some()
    }

    fn has(&self, row: &RowBox, name: &str, text: &str) -> bool {
        self.many(name).is_some_and(|many| (many.has)(&self.state, Self::peek(row), text))
    }

    fn count(&self, row: &RowBox, name: &str) -> usize {
        self.many(name).map_or(0, |many| (many.len)(&self.state, Self::peek(row)))
    }

    fn whole(&self, row: &RowBox) -> Value {
        self.rows.whole(&self.state, Self::peek(row))
    }
}
