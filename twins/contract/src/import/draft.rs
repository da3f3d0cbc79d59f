//! Operations as they are read, before they are put next to each other.

use smol_str::SmolStr;

use crate::{
    contract::{Facts, Parameter, Place},
    schema::Schema,
};

/// An operation as one part of the document has it.
pub(super) struct Draft {
    pub(super) pointer: String,
    pub(super) id: Option<SmolStr>,
    pub(super) method: SmolStr,
    pub(super) path: SmolStr,
    pub(super) deprecated: bool,
    pub(super) stage: Option<SmolStr>,
    pub(super) facts: Facts,
}

/// A parameter in its place's usual style.
pub(super) const fn parameter(name: SmolStr, place: Place, required: bool, schema: Schema) -> Parameter {
    Parameter { name, place, required, explode: false, style: None, deprecated: false, schema }
}

/// The names in braces.
pub(super) fn placeholders(path: &str) -> Result<Vec<&str>, String> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some(open) = rest.find(['{', '}']) {
        let inside = rest[open..].strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let (name, after) = inside.ok_or_else(|| format!("the braces of `{path}` do not pair"))?;
        if name.is_empty() || name.contains(['{', '/']) {
            return Err(format!("the braces of `{path}` do not pair"));
        }
        if names.contains(&name) {
            return Err(format!("`{path}` names `{name}` twice"));
        }
        names.push(name);
        rest = after;
    }
    Ok(names)
}
