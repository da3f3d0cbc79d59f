//! Finding rows by condition without looking at all of them: indexes of values, and the plan that uses them.

use std::{
    collections::BTreeSet,
    fmt::Debug,
    ops::Bound::{Excluded, Included, Unbounded},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use imbl::OrdSet;
use smol_str::SmolStr;

use crate::query::{Condition, Fields, Operator};

/// An entry of an index: (field, value in its compared form, id).
pub type Entry<F> = (F, SmolStr, SmolStr);

/// An index of field values, in the order of field, value, id.
#[derive(Clone, Debug)]
pub struct Values<F: Ord + Clone>(OrdSet<Entry<F>>);

impl<F: Ord + Copy> Values<F> {
    /// An empty index.
    pub fn new() -> Self {
        Self(OrdSet::new())
    }

    /// Takes a row's old entries out and puts its new ones in; what stays is not touched.
    pub fn replace(&mut self, old: Vec<Entry<F>>, new: Vec<Entry<F>>) {
        for entry in old.iter().filter(|entry| !new.contains(entry)) {
            self.0.remove(entry);
        }
        for entry in new.into_iter().filter(|entry| !old.contains(entry)) {
            self.0.insert(entry);
        }
    }

    /// The entries whose value is `value`, from behind `after`.
    pub fn equal<'a>(
        &'a self,
        field: F,
        value: &SmolStr,
        after: &SmolStr,
    ) -> impl Iterator<Item = &'a Entry<F>> + use<'a, F> {
        let (start, value) = ((field, value.clone(), after.clone()), value.clone());
        self.0.range((Excluded(start), Unbounded)).take_while(move |entry| entry.0 == field && entry.1 == value)
    }

    /// The entries whose value starts with `prefix`.
    pub fn starting<'a>(&'a self, field: F, prefix: &str) -> impl Iterator<Item = &'a Entry<F>> + use<'a, F> {
        let prefix = SmolStr::new(prefix);
        let start = (field, prefix.clone(), SmolStr::default());
        self.0.range(start..).take_while(move |entry| entry.0 == field && entry.1.starts_with(prefix.as_str()))
    }

    /// The entries of a field from value `from`.
    fn from(&self, field: F, from: SmolStr) -> impl Iterator<Item = &Entry<F>> {
        self.0.range((field, from, SmolStr::default())..).take_while(move |entry| entry.0 == field)
    }

    /// The entries of a field behind a place, or all of them.
    fn behind(&self, field: F, place: Option<&Cursor>, order: Direction) -> Box<dyn Iterator<Item = &Entry<F>> + '_> {
        let at = place.map(|cursor| (field, cursor.key.clone(), cursor.id.clone()));
        let own = move |entry: &&Entry<F>| entry.0 == field;
        match order {
            Direction::Up => {
                let start = at.map_or(Included((field, SmolStr::default(), SmolStr::default())), Excluded);
                Box::new(self.0.range((start, Unbounded)).take_while(own))
            }
            Direction::Down => {
                // No value starts with the last character of all.
                let last = || (field, SmolStr::new_static("\u{10ffff}"), SmolStr::default());
                let end = at.map_or_else(|| Excluded(last()), Excluded);
                Box::new(self.0.range((Unbounded, end)).rev().take_while(own))
            }
        }
    }
}

impl<F: Ord + Copy> Default for Values<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// A table with indexes that can be searched.
pub trait Corpus {
    /// What rows can be searched and sorted by.
    type Field: Copy + Ord + Debug;
    /// A row.
    type Row;

    /// The row of an id.
    fn row(&self, id: &SmolStr) -> Option<&Arc<Self::Row>>;
    /// The rows behind an id, in id order, lazily.
    fn rows_after(&self, after: &SmolStr) -> Box<dyn Iterator<Item = &Arc<Self::Row>> + '_>;
    /// A row's id.
    fn id(row: &Self::Row) -> &SmolStr;
    /// The index.
    fn values(&self) -> &Values<Self::Field>;
    /// A row as conditions see it.
    fn fields<'a>(&'a self, row: &'a Self::Row) -> Box<dyn Fields<Self::Field> + 'a>;
    /// Whether the field is the row's id.
    fn id_field(field: Self::Field) -> bool;
    /// Whether the field's values are in the index.
    fn indexed(field: Self::Field) -> bool;
    /// Where in the index the rows stand whose field equals `value`; none where the index does not know.
    fn equal_key(field: Self::Field, value: &SmolStr) -> Option<(Self::Field, SmolStr)>;
    /// A value as the index holds it.
    fn key(field: Self::Field, value: &str) -> SmolStr;
    /// Whether list cursors in this order are key and id side by side, as Okta's are.
    fn has_plain_cursor(field: Self::Field) -> bool;
}

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Up,
    /// Greatest first.
    Down,
}

/// The order of what is found. Rows without a value come last, ties run by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<F> {
    /// By id.
    Id,
    /// By a field's value.
    By(F, Direction),
}

/// A place between two rows of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Whether the row before has no value in the order's field.
    missing: bool,
    /// The value of the row before.
    key: SmolStr,
    /// The id of the row before.
    id: SmolStr,
}

/// Okta's ids have 20 characters.
const ID_LENGTH: usize = 20;

impl Cursor {
    /// Reads a cursor of an order; none where it is not one.
    pub fn read<C: Corpus>(text: &str, order: Order<C::Field>) -> Option<Self> {
        let plain = |key: &str, id: &str| {
            let ok = id.len() == ID_LENGTH && id.bytes().all(|b| b.is_ascii_alphanumeric());
            ok.then(|| Self { missing: false, key: key.into(), id: id.into() })
        };
        match order {
            Order::Id => plain("", text),
            Order::By(field, _) if C::has_plain_cursor(field) => plain(text.get(..1)?, text.get(1..)?),
            Order::By(..) => {
                let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
                let text = String::from_utf8(bytes).ok()?;
                let mut parts = text.splitn(3, '\0');
                let (missing, id, key) = (parts.next()?, parts.next()?, parts.next()?);
                plain(key, id).map(|cursor| Self { missing: missing == "1", ..cursor })
            }
        }
    }

    fn write<C: Corpus>(&self, order: Order<C::Field>) -> String {
        match order {
            Order::Id => self.id.to_string(),
            Order::By(field, _) if C::has_plain_cursor(field) => format!("{}{}", self.key, self.id),
            Order::By(..) => {
                let missing = u8::from(self.missing);
                URL_SAFE_NO_PAD.encode(format!("{missing}\0{}\0{}", self.id, self.key))
            }
        }
    }
}

/// What of a table whoever asks may see.
pub trait Sight: Debug {
    /// Whether a row is seen, by its id.
    fn sees(&self, id: &SmolStr) -> bool;
    /// The ids of all rows that are seen, where they are few.
    fn few(&self) -> Option<BTreeSet<SmolStr>>;
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask<'a, F> {
    /// The condition; all rows where there is none.
    pub condition: Option<&'a Condition<F>>,
    /// The order.
    pub order: Order<F>,
    /// Where the page starts.
    pub after: Option<Cursor>,
    /// The most rows on the page.
    pub limit: usize,
    /// Rows whose value in the order's field is this or more are left out: a bound, where the order runs up.
    pub below: Option<SmolStr>,
    /// What of the rows may be shown.
    pub sight: &'a dyn Sight,
}

/// A page of what was found.
#[derive(Debug)]
pub struct Found<R> {
    /// The rows.
    pub rows: Vec<Arc<R>>,
    /// The next page's cursor; none on the last page.
    pub next: Option<String>,
}

/// Up to so many candidates, a page is made by sorting them.
const CANDIDATES_MAX: usize = 1_000;
/// So many rows are looked at for one page. Beyond that the page ends short, with a link to go on: nothing that
/// grows with use is scanned in one request.
const SCAN_MAX: usize = 20_000;

/// Finds a page.
pub fn search<C: Corpus>(corpus: &C, ask: &Ask<'_, C::Field>) -> Found<C::Row> {
    let few = ask.condition.and_then(|condition| candidates(corpus, condition)).or_else(|| ask.sight.few());
    if let Some(ids) = few {
        return sorted(corpus, ask, ids.iter().filter_map(|id| corpus.row(id)));
    }
    match ask.order {
        Order::By(field, _) if !C::indexed(field) => sorted(corpus, ask, corpus.rows_after(&SmolStr::default())),
        order => walked(corpus, ask, walk(corpus, ask), order),
    }
}

fn fits<C: Corpus>(corpus: &C, ask: &Ask<'_, C::Field>, row: &C::Row) -> bool {
    ask.condition.is_none_or(|condition| condition.holds(&*corpus.fields(row))) && ask.sight.sees(C::id(row))
}

/// A row's place in an order.
fn place<C: Corpus>(corpus: &C, order: Order<C::Field>, row: &C::Row) -> Cursor {
    let id = C::id(row).clone();
    let Order::By(field, _) = order else {
        return Cursor { missing: false, key: SmolStr::default(), id };
    };
    let mut key = None;
    corpus.fields(row).any(&field, &mut |value| {
        key = Some(C::key(field, value));
        true
    });
    Cursor { missing: key.is_none(), key: key.unwrap_or_default(), id }
}

fn compare<F>(order: Order<F>, a: &Cursor, b: &Cursor) -> std::cmp::Ordering {
    let value = a.key.cmp(&b.key).then_with(|| a.id.cmp(&b.id));
    let value = match order {
        Order::By(_, Direction::Down) if !a.missing && !b.missing => value.reverse(),
        _ => value,
    };
    a.missing.cmp(&b.missing).then(value)
}

fn sorted<'a, C: Corpus + 'a>(
    corpus: &C,
    ask: &Ask<'_, C::Field>,
    rows: impl Iterator<Item = &'a Arc<C::Row>>,
) -> Found<C::Row> {
    let fitting = rows.filter(|row| fits(corpus, ask, row));
    let placed = fitting.map(|row| (place(corpus, ask.order, row), row));
    let behind = |at: &Cursor| ask.after.as_ref().is_none_or(|after| compare(ask.order, at, after).is_gt());
    let within = |at: &Cursor| ask.below.as_ref().is_none_or(|below| at.missing || at.key < *below);
    let mut placed: Vec<_> = placed.filter(|(at, _)| behind(at) && within(at)).collect();
    placed.sort_by(|(a, _), (b, _)| compare(ask.order, a, b));
    let more = placed.len() > ask.limit;
    placed.truncate(ask.limit);
    let next = placed.last().filter(|_| more).map(|(at, _)| at.write::<C>(ask.order));
    Found { rows: placed.into_iter().map(|(_, row)| Arc::clone(row)).collect(), next }
}

/// Rows in the asked order from behind the cursor, lazily.
fn walk<'a, C: Corpus>(corpus: &'a C, ask: &Ask<'_, C::Field>) -> Box<dyn Iterator<Item = &'a Arc<C::Row>> + 'a> {
    let equal = ask.condition.and_then(equal_part::<C>);
    let after = ask.after.as_ref();
    let (field, direction) = match ask.order {
        Order::By(field, direction) => (field, direction),
        Order::Id => {
            let id = after.map(|cursor| cursor.id.clone()).unwrap_or_default();
            return match equal {
                Some((field, key)) => {
                    Box::new(corpus.values().equal(field, &key, &id).filter_map(|entry| corpus.row(&entry.2)))
                }
                None => corpus.rows_after(&id),
            };
        }
    };
    if let (Some((equal_field, key)), Direction::Up) = (equal, direction)
        && equal_field == field
    {
        let id = after.filter(|cursor| cursor.key == key).map(|cursor| cursor.id.clone()).unwrap_or_default();
        let passed = after.is_some_and(|cursor| cursor.key > key);
        let entries = corpus.values().equal(field, &key, &id).filter(move |_| !passed);
        return Box::new(entries.filter_map(|entry| corpus.row(&entry.2)));
    }
    let tail_from = after.filter(|cursor| cursor.missing).map(|cursor| cursor.id.clone());
    let lacking = move |row: &&Arc<C::Row>| !corpus.fields(row).any(&field, &mut |_| true);
    let tail = |from: &SmolStr| corpus.rows_after(from).filter(lacking);
    if let Some(id) = tail_from {
        return Box::new(tail(&id));
    }
    let head = corpus.values().behind(field, after, direction);
    match ask.below.clone() {
        Some(below) => Box::new(head.take_while(move |entry| entry.1 < below).filter_map(|entry| corpus.row(&entry.2))),
        None => Box::new(head.filter_map(|entry| corpus.row(&entry.2)).chain(tail(&SmolStr::default()))),
    }
}

fn walked<'a, C: Corpus>(
    corpus: &C,
    ask: &Ask<'_, C::Field>,
    rows: Box<dyn Iterator<Item = &'a Arc<C::Row>> + 'a>,
    order: Order<C::Field>,
) -> Found<C::Row> {
    let mut page: Vec<Arc<C::Row>> = Vec::new();
    let mut last: Option<&'a Arc<C::Row>> = None;
    for (seen, row) in rows.enumerate() {
        let fits = fits(corpus, ask, row);
        if seen >= SCAN_MAX || (fits && page.len() == ask.limit) {
            let next = last.map(|row| place(corpus, order, row).write::<C>(order));
            return Found { rows: page, next };
        }
        if fits {
            page.push(Arc::clone(row));
        }
        last = Some(row);
    }
    Found { rows: page, next: None }
}

/// The part of a condition that every fitting row equals, where the index knows it.
fn equal_part<C: Corpus>(condition: &Condition<C::Field>) -> Option<(C::Field, SmolStr)> {
    match condition {
        Condition::And(parts) => parts.iter().find_map(equal_part::<C>),
        Condition::Test { field, operator: Operator::Eq, value, .. } => C::equal_key(*field, value),
        _ => None,
    }
}

/// Ids among which all fitting rows are, where the index can tell and they are few.
fn candidates<C: Corpus>(corpus: &C, condition: &Condition<C::Field>) -> Option<BTreeSet<SmolStr>> {
    match condition {
        Condition::And(parts) => {
            let found = parts.iter().filter_map(|part| candidates(corpus, part));
            found.min_by_key(BTreeSet::len)
        }
        Condition::Or(parts) => {
            let mut all = BTreeSet::new();
            for part in parts {
                all.extend(candidates(corpus, part)?);
            }
            (all.len() <= CANDIDATES_MAX).then_some(all)
        }
        Condition::Not(_) => None,
        Condition::Test { field, operator, value, .. } => test_candidates(corpus, *field, *operator, value),
    }
}

fn test_candidates<C: Corpus>(
    corpus: &C,
    field: C::Field,
    operator: Operator,
    value: &SmolStr,
) -> Option<BTreeSet<SmolStr>> {
    let values = corpus.values();
    if operator == Operator::Eq {
        if C::id_field(field) {
            return Some(BTreeSet::from([value.clone()]));
        }
        let (field, key) = C::equal_key(field, value)?;
        return few(values.equal(field, &key, &SmolStr::default()));
    }
    if !C::indexed(field) {
        return None;
    }
    let key = C::key(field, value);
    match operator {
        Operator::Sw => few(values.starting(field, &key)),
        Operator::Gt | Operator::Ge => few(values.from(field, key)),
        Operator::Lt | Operator::Le => {
            few(values.from(field, SmolStr::default()).take_while(move |entry| entry.1 <= key))
        }
        _ => None,
    }
}

fn few<'a, F: 'a>(entries: impl Iterator<Item = &'a Entry<F>>) -> Option<BTreeSet<SmolStr>> {
    let ids: BTreeSet<SmolStr> = entries.take(CANDIDATES_MAX + 1).map(|entry| entry.2.clone()).collect();
    (ids.len() <= CANDIDATES_MAX).then_some(ids)
}
