//! Field masks: the `fields` parameter, which asks for a part of an answer.
//!
//! `a,b/c,files(id,owners(emailAddress))`, and `*` for all; see
//! developers.google.com/workspace/drive/api/guides/fields-parameter.

use dtu_contract::{contract::Document, schema::Schema};
use dtu_kernel::wire::Request;
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// How deep a mask may go: more than any answer does.
const DEPTH_MAX: usize = 32;

/// What of an object is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    all: bool,
    fields: IndexMap<String, Self>,
}

/// A mask that cannot be read, or names what is not there: the part that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadField(pub String);

/// The mask that a request asks with; none where it asks for all.
pub fn wanted(request: &Request) -> Option<String> {
    let found = request.query_pairs().filter(|(name, _)| name == "fields").last();
    found.map(|(_, mask)| mask.into_owned()).filter(|mask| !mask.is_empty())
}

impl Mask {
    /// Reads a mask.
    ///
    /// # Errors
    /// The part that cannot be read.
    pub fn parse(text: &str) -> Result<Self, BadField> {
        let mut reader = Reader { rest: text };
        let mask = reader.list(0)?;
        if reader.rest.is_empty() { Ok(mask) } else { Err(reader.bad()) }
    }

    /// The wanted part of a value. Of a list, the wanted part of each item.
    pub fn pick(&self, value: &Value) -> Value {
        match value {
            _ if self.all || self.fields.is_empty() => value.clone(),
            Value::Array(items) => items.iter().map(|item| self.pick(item)).collect(),
            Value::Object(members) => {
                let wanted = members.iter().filter_map(|(name, value)| Some((name, value, self.fields.get(name)?)));
                Value::Object(wanted.map(|(name, value, mask)| (name.clone(), mask.pick(value))).collect())
            }
            _ => value.clone(),
        }
    }

    /// Refuses fields that `whole` has not, where `whole` has every field there is. What `is_free` names at the top
    /// may have any.
    ///
    /// # Errors
    /// The first field that there is not.
    pub fn check(&self, whole: &Map<String, Value>, is_free: fn(&str) -> bool) -> Result<(), BadField> {
        for (name, mask) in &self.fields {
            let value = whole.get(name).ok_or_else(|| BadField(name.clone()))?;
            let item = value.as_array().and_then(|items| items.first()).unwrap_or(value);
            match item {
                _ if is_free(name) => {}
                Value::Object(members) => mask.check(members, |_| false)?,
                _ => mask.fields.keys().next().map_or(Ok(()), |below| Err(BadField(format!("{name}/{below}"))))?,
            }
        }
        Ok(())
    }

    /// Refuses fields that an answer's schema has not.
    ///
    /// # Errors
    /// The first field that there is not.
    pub fn check_schema(&self, document: &Document, schema: &Schema) -> Result<(), BadField> {
        let mut schema = document.resolve(schema);
        while let Some(items) = &schema.items {
            schema = document.resolve(items);
        }
        if schema.additional.is_some() {
            return Ok(());
        }
        for (name, mask) in &self.fields {
            let below = schema.properties.get(name.as_str()).ok_or_else(|| BadField(name.clone()))?;
            mask.check_schema(document, below)?;
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        // A field that is named without parts is wanted whole, whatever else is said of it.
        if self.fields.is_empty() || other.fields.is_empty() {
            self.all = true;
        }
        self.all |= other.all;
        for (name, mask) in other.fields {
            self.add(name, mask);
        }
    }

    fn add(&mut self, name: String, mask: Self) {
        match self.fields.get_mut(&name) {
            Some(there) => there.merge(mask),
            None => drop(self.fields.insert(name, mask)),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn bad(&self) -> BadField {
        BadField(self.rest.to_owned())
    }

    fn take(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn list(&mut self, depth: usize) -> Result<Mask, BadField> {
        let mut mask = Mask::default();
        loop {
            self.item(&mut mask, depth)?;
            if !self.take(',') {
                return Ok(mask);
            }
        }
    }

    fn item(&mut self, into: &mut Mask, depth: usize) -> Result<(), BadField> {
        if depth > DEPTH_MAX {
            return Err(self.bad());
        }
        if self.take('*') {
            into.all = true;
            return Ok(());
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.bad());
        }
        self.rest = rest;
        let mut below = Mask::default();
        if self.take('/') || self.take('.') {
            self.item(&mut below, depth + 1)?;
        } else if self.take('(') {
            below = self.list(depth + 1)?;
            if !self.take(')') {
                return Err(self.bad());
            }
        }
        into.add(name.to_owned(), below);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mask_picks_what_it_names() {
        let whole =
            json!({ "kind": "k", "files": [{ "id": "1", "owners": [{ "me": true, "name": "a" }], "size": "5" }] });
        let check = |mask: &str, wanted: Value| {
            assert_eq!(Mask::parse(mask).expect("is a mask").pick(&whole), wanted, "{mask}");
        };
        check("*", whole.clone());
        check("kind", json!({ "kind": "k" }));
        check("files/id", json!({ "files": [{ "id": "1" }] }));
        check("files.id", json!({ "files": [{ "id": "1" }] }));
        check("files(id,owners/me),kind", json!({ "kind": "k", "files": [{ "id": "1", "owners": [{ "me": true }] }] }));
        check("files(id),files", json!({ "files": whole["files"] }));
        check("files(id),files(size)", json!({ "files": [{ "id": "1", "size": "5" }] }));
        check("files/*", json!({ "files": whole["files"] }));
    }

    #[test]
    fn what_is_no_mask_is_refused() {
        for (mask, wanted) in
            [("", ""), ("a,", ""), ("a(b", ""), ("a)b", ")b"), ("a b", " b"), (",a", ",a"), ("a()", ")")]
        {
            assert_eq!(Mask::parse(mask), Err(BadField(wanted.to_owned())), "{mask}");
        }
        assert!(Mask::parse(&"a(".repeat(10_000)).is_err());
        let whole = json!({ "kind": "k", "user": { "me": true }, "formats": {} });
        let whole = whole.as_object().expect("is an object");
        for (mask, wanted) in [
            ("kind,user/me", Ok(())),
            ("formats/anything", Ok(())),
            ("nothing", Err("nothing")),
            ("user(you)", Err("you")),
            ("kind/x", Err("kind/x")),
        ] {
            let checked = Mask::parse(mask).expect("is a mask").check(whole, |name| name == "formats");
            assert_eq!(checked, wanted.map_err(|field| BadField(field.to_owned())), "{mask}");
        }
    }
}
