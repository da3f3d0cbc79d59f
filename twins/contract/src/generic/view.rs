//! All schemas that hold for one value at once: references followed, `allOf` laid flat.

use indexmap::IndexMap;
use serde_json::{Number, Value};
use smol_str::SmolStr;

use crate::{
    contract::Document,
    schema::{Additional, Discriminator, Looks, Schema, Type},
};

/// The schemas that one value must follow. Nothing is copied.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    /// Where references point.
    pub(super) document: &'a Document,
    parts: Vec<&'a Schema>,
    choices: Vec<Choice<'a>>,
}

/// Alternatives of which one must be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    pub(super) branches: &'a [Schema],
    /// Whether no two may hold at once.
    pub(super) just_one: bool,
    pub(super) discriminator: Option<&'a Discriminator>,
}

impl<'a> View<'a> {
    /// Of one schema.
    pub(super) fn of(document: &'a Document, schema: &'a Schema) -> Self {
        Self::all(document, [schema])
    }

    /// Of several at once.
    pub(super) fn all(document: &'a Document, schemas: impl IntoIterator<Item = &'a Schema>) -> Self {
        let mut view = Self { document, parts: Vec::new(), choices: Vec::new() };
        schemas.into_iter().for_each(|schema| view.add(schema));
        view
    }

    /// The same with one of the alternatives of its first choice taken.
    pub(super) fn taking(&self, branch: &'a Schema) -> Self {
        let mut view = self.clone();
        if !view.choices.is_empty() {
            view.choices.remove(0);
        }
        view.add(branch);
        view
    }

    fn add(&mut self, schema: &'a Schema) {
        // A schema may come in twice: by two ways, or because it refers to itself.
        if self.parts.iter().any(|part| std::ptr::eq(*part, schema)) {
            return;
        }
        self.parts.push(schema);
        if let Some(named) = schema.reference.as_ref().and_then(|name| self.document.schemas.get(name)) {
            self.add(named.get());
        }
        schema.all_of.iter().for_each(|part| self.add(part));
        for (branches, just_one) in [(&schema.one_of, true), (&schema.any_of, false)] {
            if !branches.is_empty() {
                self.choices.push(Choice { branches, just_one, discriminator: schema.discriminator.as_ref() });
            }
        }
    }

    /// All alternatives still open.
    pub(super) fn choices(&self) -> &[Choice<'a>] {
        &self.choices
    }

    /// The alternatives to take first.
    pub(super) fn choice(&self) -> Option<Choice<'a>> {
        self.choices.first().copied()
    }

    /// The schemas alone. They make the same view again.
    pub(super) fn into_parts(self) -> Vec<&'a Schema> {
        self.parts
    }

    /// All schemas that hold, alternatives aside.
    pub(super) fn parts(&self) -> &[&'a Schema] {
        &self.parts
    }

    fn first<T>(&self, fact: impl Fn(&'a Schema) -> Option<T>) -> Option<T> {
        self.parts.iter().find_map(|part| fact(part))
    }

    /// The types it may have; where none is said, those that its facts speak of; empty where any.
    pub(super) fn types(&self) -> Vec<Type> {
        let mut said = self.parts.iter().filter(|part| !part.types.is_empty());
        let Some(first) = said.next() else { return self.hinted().into_iter().collect() };
        let mut types = first.types.clone();
        for part in said {
            types = types.into_iter().filter_map(|kind| narrow(kind, &part.types)).collect();
        }
        types
    }

    fn hinted(&self) -> Option<Type> {
        let of_value = |value: &Value| match value {
            Value::Bool(_) => Some(Type::Boolean),
            Value::String(_) => Some(Type::String),
            Value::Number(number) if number.is_i64() => Some(Type::Integer),
            Value::Number(_) => Some(Type::Number),
            _ => None,
        };
        self.first(|part| {
            if !part.properties.is_empty() || !part.required.is_empty() || part.additional.is_some() {
                return Some(Type::Object);
            }
            let text = part.format.is_some() || part.pattern.is_some() || part.looks.is_some();
            let list = part.items.is_some().then_some(Type::Array);
            let valued = part.values.as_ref().and_then(|values| values.first()).and_then(of_value);
            list.or(valued).or_else(|| text.then_some(Type::String))
        })
    }

    /// Whether it may be, and is rather than anything else, of this type.
    pub(super) fn is(&self, kind: Type) -> bool {
        self.types().first() == Some(&kind)
    }

    /// Whether `null` is among its values.
    pub(super) fn nullable(&self) -> bool {
        let mut typed = self.parts.iter().filter(|part| !part.types.is_empty() || part.values.is_some()).peekable();
        typed.peek().is_some() && typed.all(|part| part.nullable) || self.is_anything()
    }

    /// Whether nothing at all is said of it.
    pub(super) fn is_anything(&self) -> bool {
        self.choices.is_empty() && self.types().is_empty() && self.values().is_none()
    }

    /// The values that all of its enums have.
    pub(super) fn values(&self) -> Option<Vec<&'a Value>> {
        let mut lists = self.parts.iter().filter_map(|part| part.values.as_ref());
        let first = lists.next()?;
        let rest: Vec<_> = lists.collect();
        Some(first.iter().filter(|value| rest.iter().all(|list| list.contains(value))).collect())
    }

    pub(super) fn default(&self) -> Option<&'a Value> {
        self.first(|part| part.default.as_ref())
    }

    pub(super) fn format(&self) -> Option<&'a str> {
        self.first(|part| part.format.as_deref())
    }

    pub(super) fn looks(&self) -> Option<&'a Looks> {
        self.first(|part| part.looks.as_ref())
    }

    pub(super) fn patterns(&self) -> impl Iterator<Item = &'a str> {
        self.parts.iter().filter_map(|part| part.pattern.as_deref())
    }

    pub(super) fn min_length(&self) -> usize {
        size(self.parts.iter().filter_map(|part| part.min_length).max().unwrap_or(0))
    }

    pub(super) fn max_length(&self) -> usize {
        self.parts.iter().filter_map(|part| part.max_length).min().map_or(usize::MAX, size)
    }

    pub(super) fn min_items(&self) -> usize {
        size(self.parts.iter().filter_map(|part| part.min_items).max().unwrap_or(0))
    }

    pub(super) fn max_items(&self) -> usize {
        self.parts.iter().filter_map(|part| part.max_items).min().map_or(usize::MAX, size)
    }

    pub(super) fn unique_items(&self) -> bool {
        self.parts.iter().any(|part| part.unique_items)
    }

    pub(super) fn number(&self, fact: impl Fn(&'a Schema) -> Option<&'a Number>) -> impl Iterator<Item = f64> {
        self.parts.iter().filter_map(move |part| fact(part).and_then(Number::as_f64))
    }

    /// What each item of a list is.
    pub(super) fn items(&self) -> Option<Self> {
        let items: Vec<_> = self.parts.iter().filter_map(|part| part.items.as_deref()).collect();
        (!items.is_empty()).then(|| Self::all(self.document, items))
    }

    /// The named members with the schemas that hold for each.
    pub(super) fn properties(&self) -> IndexMap<&'a SmolStr, Vec<&'a Schema>> {
        let mut all: IndexMap<_, Vec<_>> = IndexMap::new();
        for (name, schema) in self.parts.iter().flat_map(|part| &part.properties) {
            all.entry(name).or_default().push(schema);
        }
        all
    }

    /// One member.
    pub(super) fn property(&self, name: &str) -> Option<Self> {
        let schemas: Vec<_> = self.parts.iter().filter_map(|part| part.properties.get(name)).collect();
        (!schemas.is_empty()).then(|| Self::all(self.document, schemas))
    }

    /// A member given by its path (`paging.next`).
    pub(super) fn at(&self, path: &str) -> Option<Self> {
        path.split('.').try_fold(self.clone(), |view, name| view.property(name))
    }

    /// The members that must be there.
    pub(super) fn required(&self) -> impl Iterator<Item = &'a SmolStr> {
        self.parts.iter().flat_map(|part| &part.required)
    }

    pub(super) fn requires(&self, name: &str) -> bool {
        self.required().any(|required| required == name)
    }

    /// What a member without a schema of its own is: none where there may be none, or none is spoken of.
    pub(super) fn additional(&self) -> Extra<'a> {
        let forbidden = self.parts.iter().any(|part| matches!(part.additional, Some(Additional::Allowed(false))));
        if forbidden {
            return Extra::No;
        }
        let named = self.parts.iter().any(|part| !part.properties.is_empty());
        let said = self.first(|part| part.additional.as_ref());
        match said {
            Some(Additional::Of(schema)) => Extra::Of(schema),
            None if named => Extra::Unsaid,
            Some(Additional::Allowed(_)) | None => Extra::Any,
        }
    }

    pub(super) fn min_properties(&self) -> usize {
        size(self.parts.iter().filter_map(|part| part.min_properties).max().unwrap_or(0))
    }

    pub(super) fn read_only(&self) -> bool {
        self.parts.iter().any(|part| part.read_only)
    }

    pub(super) fn write_only(&self) -> bool {
        self.parts.iter().any(|part| part.write_only)
    }

    /// Which member says which schema it follows, where that is said beside no alternatives.
    pub(super) fn discriminator(&self) -> Option<&'a Discriminator> {
        self.first(|part| part.discriminator.as_ref())
    }

    /// Whether it is text or a number.
    pub(super) fn is_scalar(&self) -> bool {
        matches!(self.types().first(), Some(Type::String | Type::Integer | Type::Number | Type::Boolean))
    }

    /// Whether a member of this name that follows it holds the address of the object itself.
    pub(super) fn links(&self, name: &str) -> bool {
        let addressed = matches!(self.looks(), Some(Looks::Url)) || matches!(self.format(), Some("uri" | "url"));
        match name {
            "self" | "selfLink" => self.is(Type::String),
            "href" | "url" => addressed && self.read_only(),
            _ => false,
        }
    }
}

/// Members of an object that have no schema of their own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extra<'a> {
    /// Forbidden.
    No,
    /// Not spoken of: allowed, yet never shown.
    Unsaid,
    /// Anything.
    Any,
    /// Of this schema.
    Of(&'a Schema),
}

fn narrow(kind: Type, others: &[Type]) -> Option<Type> {
    match kind {
        _ if others.contains(&kind) => Some(kind),
        Type::Number if others.contains(&Type::Integer) => Some(Type::Integer),
        Type::Integer if others.contains(&Type::Number) => Some(Type::Integer),
        _ => None,
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
