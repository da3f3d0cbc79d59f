//! How lists are read page by page, from the names that services use for it.
//!
//! An operation is paged where a parameter of a known name asks for a place, and its answer of success holds a list.
//! Cursors that are the last item's id (`starting_after`) and next pages whose address is a member of the body have no
//! counterpart in [`Paging`], and are left out.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, format_smolstr};

use crate::{
    contract::{Facts, Paging, Place, Response},
    schema::{Schema, Type},
};

/// Parameters with the size of a page, the most telling first.
const LIMITS: &[&str] = &[
    "limit",
    "maxResults",
    "max_results",
    "pageSize",
    "page_size",
    "per_page",
    "perPage",
    "page_limit",
    "count",
    "size",
    "$top",
    "top",
];

/// Parameters with a token for the next page.
const TOKENS: &[&str] = &[
    "pageToken",
    "nextPageToken",
    "page_token",
    "next_page_token",
    "cursor",
    "nextCursor",
    "next_cursor",
    "nextToken",
    "next_token",
    "continuationToken",
    "continuation_token",
    "after",
];

/// Members of the answer with the token for the next page.
const NEXT: &[&str] = &[
    "nextPageToken",
    "next_page_token",
    "nextCursor",
    "next_cursor",
    "nextToken",
    "next_token",
    "continuationToken",
    "continuation_token",
    "response_metadata.next_cursor",
    "pagination.next_cursor",
    "meta.next_cursor",
    "paging.next_cursor",
    "paging.cursors.after",
    "page_info.end_cursor",
    "cursor",
];

/// Parameters with the number of items before the page.
const OFFSETS: &[&str] = &["startAt", "offset", "skip", "$skip", "startIndex", "start_index", "start"];

/// Parameters with the number of the page.
const PAGES: &[&str] = &["page", "page_number", "pageNumber", "page[number]"];

type Schemas = BTreeMap<SmolStr, Schema>;

/// How an operation's list is read page by page; `None` where it has no list, or no known way.
pub(super) fn infer(facts: &Facts, schemas: &Schemas) -> Option<Paging> {
    let (_, answer) = facts.success()?;
    let schema = answer.content.values().next()?;
    let limit = parameter(facts, LIMITS);
    let token = parameter(facts, TOKENS);
    let whole = is_list(schema, schemas);
    if let Some(cursor) = token.clone().filter(|_| whole && links(facts, answer)) {
        return Some(Paging::Link { cursor, limit });
    }
    if !whole && !holds_list(schema, schemas) {
        return None;
    }
    if let Some((token, next)) = token.zip(next_token(schema, schemas)) {
        return Some(Paging::Token { token, limit, next });
    }
    // A page's place alone (`start` of a period, say) is no paging: its size must be a parameter too.
    limit.as_ref()?;
    let offset = parameter(facts, OFFSETS).map(|offset| (offset, false));
    let (offset, pages) = offset.or_else(|| parameter(facts, PAGES).map(|page| (page, true)))?;
    Some(Paging::Offset { offset, limit, pages })
}

/// Whether next pages are in `Link` headers: the answer speaks of it, or its body is a list and has no room for them.
fn links(facts: &Facts, answer: &Response) -> bool {
    answer.headers.contains_key("link") || parameter(facts, &["after", "cursor"]).is_some()
}

fn parameter(facts: &Facts, names: &[&str]) -> Option<SmolStr> {
    let queries = || facts.parameters.iter().filter(|parameter| parameter.place == Place::Query);
    let found = names.iter().find_map(|name| queries().find(|parameter| parameter.name == *name))?;
    Some(found.name.clone())
}

/// Whether an object holds a list, itself or in one of its members: some services wrap a page in another object.
fn holds_list(schema: &Schema, schemas: &Schemas) -> bool {
    let direct = |schema| members(schema, schemas).iter().any(|(_, member)| is_list(member, schemas));
    // Slack's warnings and scopes are no page.
    let pages = members(schema, schemas).into_iter().filter(|(name, _)| name.as_str() != "response_metadata");
    direct(schema) || pages.into_iter().any(|(_, member)| direct(member))
}

/// The member with the next token: the object's own, or one beside the list in a member.
fn next_token(schema: &Schema, schemas: &Schemas) -> Option<SmolStr> {
    let own = NEXT.iter().find(|path| has_member(schema, path, schemas)).map(|path| SmolStr::new_static(path));
    own.or_else(|| {
        let wrapped = members(schema, schemas).into_iter();
        let mut wrapped =
            wrapped.filter(|(_, member)| members(member, schemas).iter().any(|(_, part)| is_list(part, schemas)));
        wrapped.find_map(|(name, member)| {
            let next = NEXT.iter().find(|path| has_member(member, path, schemas))?;
            Some(format_smolstr!("{name}.{next}"))
        })
    })
}

fn is_list(schema: &Schema, schemas: &Schemas) -> bool {
    parts(schema, schemas).iter().any(|part| part.types.contains(&Type::Array) || part.items.is_some())
}

fn has_member(schema: &Schema, path: &str, schemas: &Schemas) -> bool {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let members = members(schema, schemas);
    let mut found = members.iter().filter(|(member, _)| *member == name);
    found.any(|(_, member)| rest.is_none_or(|rest| has_member(member, rest, schemas)))
}

fn members<'s>(schema: &'s Schema, schemas: &'s Schemas) -> Vec<(&'s SmolStr, &'s Schema)> {
    parts(schema, schemas).into_iter().flat_map(|part| &part.properties).collect()
}

/// A schema with all that holds at the same place, each once.
fn parts<'s>(schema: &'s Schema, schemas: &'s Schemas) -> Vec<&'s Schema> {
    let mut open = vec![schema];
    let mut seen = BTreeSet::new();
    let mut parts = Vec::new();
    while let Some(part) = open.pop() {
        parts.push(part);
        open.extend(part.all_of.iter().chain(&part.any_of).chain(&part.one_of));
        let named = part.reference.as_ref().filter(|name| seen.insert(*name));
        open.extend(named.and_then(|name| schemas.get(name)));
    }
    parts
}
