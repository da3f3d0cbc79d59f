//! The methods, one file per family: parse, call the model, render. Thin.

pub(crate) mod about;
pub(crate) mod admin;
pub(crate) mod agents;
pub(crate) mod assistant;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod blocks;
pub(crate) mod calls;
pub(crate) mod canvases;
pub(crate) mod chat;
pub(crate) mod connect;
pub(crate) mod connections;
pub(crate) mod consent;
pub(crate) mod conversations;
pub(crate) mod dialogs;
pub(crate) mod downloads;
pub(crate) mod entity;
pub(crate) mod files;
pub(crate) mod functions;
pub(crate) mod groups;
pub(crate) mod hooks;
pub(crate) mod later;
pub(crate) mod lists;
pub(crate) mod manifests;
pub(crate) mod marks;
pub(crate) mod openid;
pub(crate) mod paging;
pub(crate) mod photos;
pub(crate) mod remote_files;
pub(crate) mod retired;
pub(crate) mod scim;
pub(crate) mod search;
pub(crate) mod skills;
pub(crate) mod streams;
pub(crate) mod team;
pub(crate) mod timeline;
pub(crate) mod tokens;
pub(crate) mod unfurls;
pub(crate) mod upkeep;
pub(crate) mod users;
pub(crate) mod windows;
pub(crate) mod workspace;

/// Marks, what is said later, people, groups and the workspace.
pub(crate) fn more() -> Vec<crate::Row> {
    let families: [fn() -> Vec<crate::Row>; 15] = [
        marks::operations,
        later::operations,
        about::operations,
        groups::operations,
        workspace::operations,
        tokens::operations,
        consent::operations,
        openid::operations,
        manifests::operations,
        connections::operations,
        dialogs::operations,
        photos::operations,
        team::operations,
        unfurls::operations,
        upkeep::operations,
    ];
    families.into_iter().chain(content()).flat_map(|family| family()).collect()
}

/// What apps and people make besides messages.
fn content() -> Vec<fn() -> Vec<crate::Row>> {
    vec![
        streams::operations,
        assistant::operations,
        canvases::operations,
        calls::operations,
        functions::operations,
        entity::operations,
        lists::operations,
        retired::operations,
        connect::operations,
        agents::operations,
        blocks::operations,
        skills::operations,
    ]
}
