//! JSON as CEL sees it, and back.
//!
//! CEL's own map iterates in another order each run. [`Object`] is the same map with its keys in the order of the
//! JSON, so that equal runs evaluate alike. Both kinds share what they hold: binding one to a variable costs a pointer.

use std::{any::Any, sync::Arc};

use cel::{
    ExecutionError,
    common::{
        traits::{self, Adder, Container, Indexer, Iterable, Sizer},
        types::{
            self, CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelOptional, CelString, CelUInt,
            Type,
        },
        value::{BuiltinRef, CowVal, StaticVal, Val},
    },
};
use serde_json::{Map, Number, Value};

use super::EvalError;

/// A CEL value that owns what it holds.
pub(crate) type Owned = Box<dyn Val>;

/// JSON as a CEL value.
pub(crate) fn from_json(value: &Value) -> Owned {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(truth) => Box::new(CelBool::from(*truth)),
        Value::Number(number) => from_number(number),
        Value::String(text) => Box::new(CelString::from(text.clone())),
        Value::Array(items) => Box::new(List::new(items.iter().map(from_json).collect())),
        Value::Object(members) => Box::new(Object::from_json(members)),
    }
}

/// The same of JSON that nobody else needs.
pub(crate) fn from_value(value: Value) -> Owned {
    match value {
        Value::String(text) => Box::new(CelString::from(text)),
        Value::Array(items) => Box::new(List::new(items.into_iter().map(from_value).collect())),
        Value::Object(members) => {
            Box::new(Object::new(members.into_iter().map(|(key, value)| (key, from_value(value)))))
        }
        scalar => from_json(&scalar),
    }
}

fn from_number(number: &Number) -> Owned {
    match (number.as_i64(), number.as_u64()) {
        (Some(int), _) => Box::new(CelInt::from(int)),
        (None, Some(uint)) => Box::new(CelUInt::from(uint)),
        (None, None) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
    }
}

/// A CEL value as JSON.
pub(crate) fn to_json(value: &dyn Val) -> Result<Value, EvalError> {
    if let Some(scalar) = scalar_to_json(value) {
        return Ok(scalar);
    }
    if let Some(object) = value.downcast_ref::<Object>() {
        return object.0.keys.iter().map(|key| member_to_json(value, key)).collect();
    }
    if let Some(map) = value.downcast_ref::<CelMap>() {
        return map_to_json(map);
    }
    if let Some(optional) = value.downcast_ref::<CelOptional>() {
        return optional.option().map_or(Ok(Value::Null), to_json);
    }
    match value.as_iterable() {
        Some(list) => list_to_json(list),
        None => Err(EvalError(format!("a value of type `{}` cannot be written down", value.get_type().name()))),
    }
}

fn scalar_to_json(value: &dyn Val) -> Option<Value> {
    if let Some(text) = value.downcast_ref::<CelString>() {
        Some(Value::from(text.inner()))
    } else if let Some(int) = value.downcast_ref::<CelInt>() {
        Some(Value::from(*int.inner()))
    } else if let Some(truth) = value.downcast_ref::<CelBool>() {
        Some(Value::from(*truth.inner()))
    } else if let Some(uint) = value.downcast_ref::<CelUInt>() {
        Some(Value::from(*uint.inner()))
    } else if let Some(double) = value.downcast_ref::<CelDouble>() {
        Some(Value::from(*double.inner()))
    } else {
        value.downcast_ref::<CelNull>().map(|_| Value::Null)
    }
}

fn member_to_json(object: &dyn Val, key: &CelString<'static>) -> Result<(String, Value), EvalError> {
    let value = object.as_indexer().and_then(|indexer| indexer.get(key).ok());
    let value = value.map_or(Ok(Value::Null), |value| to_json(value.as_ref()))?;
    Ok((key.inner().to_owned(), value))
}

/// In the order of the keys: a map that an expression made has no order of its own.
fn map_to_json(map: &CelMap<'_>) -> Result<Value, EvalError> {
    let mut entries: Vec<(&CelMapKey<'_>, &dyn Val)> =
        map.inner().iter().map(|(key, value)| (key, value.as_ref() as &dyn Val)).collect();
    entries.sort_by_key(|(key, _)| *key);
    let member = |(key, value): (&CelMapKey<'_>, &dyn Val)| {
        let key = to_json(key.inner())?;
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        Ok((key, to_json(value)?))
    };
    entries.into_iter().map(member).collect()
}

fn list_to_json(list: &dyn Iterable) -> Result<Value, EvalError> {
    let (mut items, mut out) = (list.iter(), Vec::new());
    while let Some(item) = items.next() {
        out.push(to_json(item)?);
    }
    Ok(Value::Array(out))
}

/// A map with texts for keys, in a fixed order.
#[derive(Clone, Debug)]
pub(crate) struct Object(Arc<Members>);

#[derive(Debug)]
struct Members {
    keys: Vec<CelString<'static>>,
    map: CelMap<'static>,
}

impl Object {
    pub(crate) fn new(members: impl IntoIterator<Item = (String, Owned)>) -> Self {
        let mut keys = Vec::new();
        let entry = |(key, value): (String, Owned)| {
            keys.push(CelString::from(key.clone()));
            (CelMapKey::from(key), value)
        };
        #[expect(clippy::disallowed_types, reason = "CEL's own; its order is never seen, iteration goes by `keys`")]
        let map: std::collections::HashMap<_, _> = members.into_iter().map(entry).collect();
        let map = CelMap::from(map);
        Self(Arc::new(Members { keys, map }))
    }

    pub(crate) fn from_json(members: &Map<String, Value>) -> Self {
        Self::new(members.iter().map(|(key, value)| (key.clone(), from_json(value))))
    }
}

impl StaticVal for Object {}

impl Val for Object {
    fn get_type(&self) -> &Type {
        &types::MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &types::MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(&self.0.map)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(&self.0.map)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(&self.0.map)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        self.0.map.equals(other)
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

    // Taken for CEL's own map wherever one is looked for, as by equality with a map that an expression writes out.
    fn as_builtin<'b, 'v>(&'b self) -> BuiltinRef<'b, 'v>
    where
        Self: 'v,
    {
        BuiltinRef::Map(&self.0.map)
    }

    fn into_indexer<'v>(self: Box<Self>) -> Option<Box<dyn Indexer + 'v>>
    where
        Self: 'v,
    {
        Some(self)
    }
}

impl Indexer for Object {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.0.map.get(key)
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Ok(self.0.map.get(key)?.into_owned())
    }
}

impl Iterable for Object {
    fn iter<'b, 'v>(&'b self) -> Box<dyn traits::Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Keys(self.0.keys.iter()))
    }
}

struct Keys<'b>(std::slice::Iter<'b, CelString<'static>>);

impl<'b, 'v> traits::Iterator<'b, 'v> for Keys<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|key| key as &dyn Val)
    }
}

/// A list that is shared, not copied, when it is bound.
#[derive(Clone, Debug)]
pub(crate) struct List(Arc<CelList<'static>>);

impl List {
    pub(crate) fn new(items: Vec<Owned>) -> Self {
        Self(Arc::new(CelList::from(items)))
    }
}

impl Val for List {
    fn get_type(&self) -> &Type {
        &types::LIST_TYPE
    }

    fn cel_type() -> &'static Type {
        &types::LIST_TYPE
    }

    fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
    where
        Self: 'v,
    {
        Some(&*self.0)
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(&*self.0)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(&*self.0)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(&*self.0)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(&*self.0)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        self.0.equals(other)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    // Taken for CEL's own list wherever one is looked for.
    fn as_builtin<'b, 'v>(&'b self) -> BuiltinRef<'b, 'v>
    where
        Self: 'v,
    {
        BuiltinRef::List(&self.0)
    }

    fn into_indexer<'v>(self: Box<Self>) -> Option<Box<dyn Indexer + 'v>>
    where
        Self: 'v,
    {
        Some(self)
    }
}

impl Indexer for List {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.0.get(index)
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Ok(Indexer::get(&*self.0, index)?.into_owned())
    }
}
