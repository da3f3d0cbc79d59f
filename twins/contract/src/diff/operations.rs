//! Operations, matched by the provider's ids.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use smol_str::SmolStr;

use super::{
    change::{Log, Reason, Subject, join},
    schemas::Comparison,
    uses::Uses,
};
use crate::{
    contract::{Document, Facts, Operation, Parameter, RequestBody, Response},
    schema::Schema,
};

/// What changed in two states of a document's operations.
pub(super) fn compare(old: &Document, new: &Document, log: &mut Log) {
    let by_id = |document: &'_ Document| -> BTreeMap<SmolStr, usize> {
        document.operations.iter().enumerate().map(|(index, operation)| (operation.id.clone(), index)).collect()
    };
    let (old_ids, new_ids) = (by_id(old), by_id(new));
    for (id, at) in &old_ids {
        log.subject(Subject::Operation(id.clone()));
        match new_ids.get(id) {
            None => log.removed("", Reason::breaks("clients call it"), "the operation is gone"),
            Some(other) => operation(&mut Pair { old, new, log }, &old.operations[*at], &new.operations[*other]),
        }
    }
    for id in new_ids.keys().filter(|id| !old_ids.contains_key(*id)) {
        log.subject(Subject::Operation(id.clone()));
        log.added("", Reason::None, "the operation is new");
    }
}

/// The two documents, and where changes are written.
struct Pair<'a> {
    old: &'a Document,
    new: &'a Document,
    log: &'a mut Log,
}

impl Pair<'_> {
    fn schemas(&mut self, old: &Schema, new: &Schema, at: &str, uses: Uses) {
        Comparison::new(self.old, self.new, self.log).schemas(old, new, at, uses);
    }
}

fn operation(pair: &mut Pair<'_>, old: &Operation, new: &Operation) {
    for (at, old, new) in [("/method", &old.method, &new.method), ("/path", &old.path, &new.path)] {
        if old != new {
            pair.log.changed(at, Reason::breaks("clients call the old one"), format!("{old} is now {new}"));
        }
    }
    deprecation(pair.log, "/deprecated", old.deprecated, new.deprecated);
    if old.stage != new.stage {
        let named = |stage: &Option<SmolStr>| stage.clone().unwrap_or_else(|| "generally available".into());
        pair.log.changed("/stage", Reason::None, format!("{} is now {}", named(&old.stage), named(&new.stage)));
    }
    let (old, new) = (old.facts.get(), new.facts.get());
    parameters(pair, old, new);
    request(pair, old.request.as_ref(), new.request.as_ref());
    responses(pair, &old.responses, &new.responses);
    security(pair.log, old, new);
    if old.paging != new.paging {
        let reason = Reason::breaks("clients ask for pages in the old way").when(old.paging.is_some());
        pair.log.changed("/paging", reason, "lists are read page by page in another way");
    }
}

fn deprecation(log: &mut Log, at: &str, old: bool, new: bool) {
    match (old, new) {
        (false, true) => log.added(at, Reason::None, "it is deprecated now"),
        (true, false) => log.removed(at, Reason::None, "it is not deprecated any more"),
        _ => {}
    }
}

fn parameters(pair: &mut Pair<'_>, old: &Facts, new: &Facts) {
    let find = |facts: &'_ Facts, wanted: &Parameter| {
        facts.parameters.iter().position(|parameter| parameter.place == wanted.place && parameter.name == wanted.name)
    };
    let place = |parameter: &Parameter| {
        join(&format!("/parameters/{}", format!("{:?}", parameter.place).to_lowercase()), &parameter.name)
    };
    for parameter in &old.parameters {
        if let Some(at) = find(new, parameter) {
            one_parameter(pair, parameter, &new.parameters[at], &place(parameter));
        } else {
            let what = format!("parameter `{}` is gone", parameter.name);
            pair.log.removed(&place(parameter), Reason::breaks("clients send it"), what);
        }
    }
    for parameter in new.parameters.iter().filter(|parameter| find(old, parameter).is_none()) {
        let reason = Reason::breaks("clients do not send it").when(parameter.required);
        let word = if parameter.required { "required parameter" } else { "parameter" };
        pair.log.added(&place(parameter), reason, format!("{word} `{}` is new", parameter.name));
    }
}

fn one_parameter(pair: &mut Pair<'_>, old: &Parameter, new: &Parameter, at: &str) {
    must_be(pair.log, at, old.required, new.required, "clients may not send it");
    deprecation(pair.log, &join(at, "deprecated"), old.deprecated, new.deprecated);
    if (old.style, old.explode) != (new.style, new.explode) {
        let reason = Reason::breaks("clients write it in the old way");
        pair.log.changed(&join(at, "style"), reason, "lists or objects are written in another way");
    }
    pair.schemas(&old.schema, &new.schema, &join(at, "schema"), Uses::REQUEST);
}

fn must_be(log: &mut Log, at: &str, old: bool, new: bool, why: &'static str) {
    match (old, new) {
        (false, true) => log.added(&join(at, "required"), Reason::breaks(why), "it must be there now"),
        (true, false) => log.removed(&join(at, "required"), Reason::None, "it need not be there any more"),
        _ => {}
    }
}

fn request(pair: &mut Pair<'_>, old: Option<&RequestBody>, new: Option<&RequestBody>) {
    match (old, new) {
        (Some(old), Some(new)) => {
            must_be(pair.log, "/request", old.required, new.required, "clients may send no body");
            content(pair, &old.content, &new.content, "/request", Uses::REQUEST);
        }
        (Some(_), None) => pair.log.removed("/request", Reason::breaks("clients send one"), "the body is gone"),
        (None, Some(new)) => {
            let reason = Reason::breaks("clients send none").when(new.required);
            pair.log.added("/request", reason, if new.required { "a body must be sent now" } else { "a body is new" });
        }
        (None, None) => {}
    }
}

type Content = IndexMap<SmolStr, Schema>;

fn content(pair: &mut Pair<'_>, old: &Content, new: &Content, at: &str, uses: Uses) {
    for (media_type, schema) in old {
        let at = join(&join(at, "content"), media_type);
        match new.get(media_type) {
            Some(other) => pair.schemas(schema, other, &at, uses),
            None => pair.log.removed(&at, Reason::breaks("clients use it"), format!("media type {media_type} is gone")),
        }
    }
    for media_type in new.keys().filter(|media_type| !old.contains_key(*media_type)) {
        let at = join(&join(at, "content"), media_type);
        pair.log.added(&at, Reason::None, format!("media type {media_type} is new"));
    }
}

type Responses = IndexMap<SmolStr, Response>;

fn responses(pair: &mut Pair<'_>, old: &Responses, new: &Responses) {
    for (status, response) in old {
        let at = join("/responses", status);
        let Some(other) = new.get(status) else {
            let reason = Reason::breaks("clients wait for it").when(status.starts_with('2'));
            pair.log.removed(&at, reason, format!("status {status} is gone"));
            continue;
        };
        content(pair, &response.content, &other.content, &at, Uses::RESPONSE);
        content_of_headers(pair, &response.headers, &other.headers, &join(&at, "headers"));
    }
    for status in new.keys().filter(|status| !old.contains_key(*status)) {
        pair.log.added(&join("/responses", status), Reason::None, format!("status {status} is new"));
    }
}

fn content_of_headers(pair: &mut Pair<'_>, old: &Content, new: &Content, at: &str) {
    for (name, schema) in old {
        let at = join(at, name);
        match new.get(name) {
            Some(other) => pair.schemas(schema, other, &at, Uses::RESPONSE),
            None => pair.log.removed(&at, Reason::breaks("clients read it"), format!("header {name} is gone")),
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        pair.log.added(&join(at, name), Reason::None, format!("header {name} is new"));
    }
}

/// What a caller must show: schemes with their scopes.
type Needs = IndexMap<SmolStr, Vec<SmolStr>>;

fn security(log: &mut Log, old: &Facts, new: &Facts) {
    if old.security == new.security {
        return;
    }
    let nothing = [Needs::new()];
    let or_nothing = |needs: &'_ [Needs]| if needs.is_empty() { nothing.to_vec() } else { needs.to_vec() };
    let (old, new) = (or_nothing(&old.security), or_nothing(&new.security));
    for needs in old.iter().filter(|needs| !new.iter().any(|other| is_enough(needs, other))) {
        let what = format!("{} is not enough any more", named(needs));
        log.removed("/security", Reason::breaks("callers who show just that are refused"), what);
    }
    for needs in new.iter().filter(|needs| !old.contains(needs)) {
        log.added("/security", Reason::None, format!("{} is enough now", named(needs)));
    }
}

/// Whether a caller who shows what was needed shows what is needed now.
fn is_enough(shown: &Needs, needed: &Needs) -> bool {
    needed
        .iter()
        .all(|(scheme, scopes)| shown.get(scheme).is_some_and(|shown| scopes.iter().all(|scope| shown.contains(scope))))
}

fn named(needs: &Needs) -> String {
    let one = |(scheme, scopes): (&SmolStr, &Vec<SmolStr>)| {
        if scopes.is_empty() { scheme.to_string() } else { format!("{scheme} ({})", scopes.join(", ")) }
    };
    let all: Vec<String> = needs.iter().map(one).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(" with ") }
}
