//! What a twin covers of its service's public documents: the contract joined with the operation table, and what is
//! there to prove it.

use std::collections::{BTreeMap, BTreeSet};

use dtu_kernel::{
    operation::{Level, OperationInfo},
    route::numbered,
};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::contract::{Contract, Document, Operation};

/// All levels, the deepest first.
pub const LEVELS: [Level; 4] = [Level::Behaves, Level::Stores, Level::Shapes, Level::Absent];

/// How far a twin goes with each operation of its service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The documents' operations in their order, then what the twin serves beyond them.
    pub rows: Vec<Row>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The provider's own id.
    pub id: SmolStr,
    /// The HTTP method; of a row beyond the documents, the usual one.
    pub method: SmolStr,
    /// The path with `{name}` for parameters.
    pub path: SmolStr,
    /// The public document that has it; none where the twin serves it beyond the documents.
    pub document: Option<SmolStr>,
    /// Whether the document advises against it.
    pub deprecated: bool,
    /// How far the twin goes.
    pub level: Level,
    /// The id under which the twin's table has it; the same as `id` but for a few, and `id` where it is absent.
    pub served: SmolStr,
}

impl Coverage {
    /// Joins a contract with an operation table: by method and path, else by the provider's id. An operation that
    /// several documents have counts once, in the first.
    pub fn of(contract: &Contract, table: &[OperationInfo]) -> Self {
        let index = Index::new(table);
        let mut seen = BTreeSet::new();
        let all = contract.operations().filter(|(_, operation)| seen.insert(key(operation)));
        let found: Vec<_> = all.map(|(document, operation)| (document, operation, index.by_path(operation))).collect();
        let mut used: BTreeSet<usize> = found.iter().filter_map(|(.., at)| *at).collect();
        let by_path = used.clone();
        let mut rows = Vec::with_capacity(found.len());
        for (document, operation, at) in found {
            let at = at.or_else(|| index.by_id(operation).filter(|at| !by_path.contains(at)));
            used.extend(at);
            rows.push(Row::documented(document, operation, at.map(|at| &table[at])));
        }
        let beyond = table.iter().enumerate().filter(|(at, _)| !used.contains(at));
        rows.extend(beyond.map(|(_, info)| Row::beyond(info)));
        Self { rows }
    }

    /// The rows of the public documents.
    pub fn documented(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.document.is_some())
    }

    /// The rows that the twin serves beyond its documents.
    pub fn beyond(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.document.is_none())
    }

    /// How many operations of the documents are at a level.
    pub fn count(&self, level: Level) -> usize {
        self.documented().filter(|row| row.level == level).count()
    }

    /// The ids by which claims and evidence may name operations.
    pub fn ids(&self) -> BTreeSet<&str> {
        self.rows.iter().flat_map(|row| [row.id.as_str(), row.served.as_str()]).collect()
    }
}

impl Row {
    fn documented(document: &Document, operation: &Operation, info: Option<&OperationInfo>) -> Self {
        Self {
            id: operation.id.clone(),
            method: operation.method.clone(),
            path: operation.path.clone(),
            document: Some(document.name.clone()),
            deprecated: operation.deprecated,
            level: info.map_or(Level::Absent, OperationInfo::level),
            served: info.map_or_else(|| operation.id.clone(), |info| SmolStr::new_static(info.id)),
        }
    }

    fn beyond(info: &OperationInfo) -> Self {
        Self {
            id: SmolStr::new_static(info.id),
            method: info.methods.first().map(|method| SmolStr::new(method.as_str())).unwrap_or_default(),
            path: SmolStr::new_static(info.path),
            document: None,
            deprecated: false,
            level: info.level(),
            served: SmolStr::new_static(info.id),
        }
    }

    /// What the operation is about: the path's first fixed part behind the API's root and version; of Slack's methods
    /// the family's name in front of the dot.
    pub fn resource(&self) -> &str {
        let parts: Vec<&str> = self.path.split('/').filter(|part| !part.is_empty()).collect();
        let version = parts.iter().take(3).position(|part| is_version(part));
        let behind = version.map_or(&parts[..], |at| &parts[at + 1..]);
        let first = behind.iter().find(|part| **part != "api" && !part.starts_with('{'));
        let named = first.or(parts.first()).map_or("", |part| part.trim_start_matches('.'));
        named.split(['.', ':']).next().unwrap_or(named)
    }
}

/// Whether a part of a path is a version: `v1`, `3`, `1.0`.
fn is_version(part: &str) -> bool {
    let digits = part.strip_prefix('v').unwrap_or(part);
    digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// A table's rows by what requests and documents call them.
struct Index<'a> {
    by_path: BTreeMap<(&'a str, SmolStr), usize>,
    by_id: BTreeMap<&'a str, usize>,
}

impl<'a> Index<'a> {
    fn new(table: &'a [OperationInfo]) -> Self {
        let (mut by_path, mut by_id) = (BTreeMap::new(), BTreeMap::new());
        for (at, info) in table.iter().enumerate() {
            // Of rows at the same place, the first is the one that is reached.
            for method in info.methods {
                by_path.entry((method.as_str(), numbered(info.path))).or_insert(at);
            }
            by_id.entry(info.id).or_insert(at);
        }
        Self { by_path, by_id }
    }

    fn by_path(&self, operation: &Operation) -> Option<usize> {
        self.by_path.get(&key(operation)).copied()
    }

    fn by_id(&self, operation: &Operation) -> Option<usize> {
        self.by_id.get(operation.id.as_str()).copied()
    }
}

fn key(operation: &Operation) -> (&str, SmolStr) {
    (operation.method.as_str(), numbered(&operation.path))
}

/// What proves a twin's operations besides claims, by operation.
pub type Evidence = BTreeMap<String, Proof>;

/// What proves one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Calls that the service's own client libraries made of it, by library.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clients: BTreeMap<String, u64>,
    /// Answers of the real service that were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
}

/// Recorded answers of the real service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// How many.
    pub exchanges: u64,
    /// With how many of them the twin's answer agrees.
    pub agree: u64,
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn contract() -> Contract {
        let operation = |id: &str, method: &str, path: &str| {
            format!(r#"{{"id":"{id}","method":"{method}","path":"{path}","facts":{{}}}}"#)
        };
        let document = |name: &str, operations: &[String]| {
            format!(
                r#"{{"name":"{name}","kind":"openapi-3.0","version":"1","operations":[{}],"schemas":{{}}}}"#,
                operations.join(",")
            )
        };
        let first = [
            operation("listUsers", "GET", "/api/v1/users"),
            operation("getUser", "GET", "/api/v1/users/{userId}"),
            operation("getThing", "GET", "/api/v1/things/{id}"),
            operation("moved", "GET", "/api/v2/moved"),
        ];
        let second = [operation("listUsersAgain", "GET", "/api/v1/users")];
        let documents = [document("one", &first), document("two", &second)].join(",");
        let text = format!(r#"{{"format":"dtu/contract/v1","service":"x","documents":[{documents}]}}"#);
        Contract::embedded(text.leak())
    }

    fn table() -> Vec<OperationInfo> {
        const GET: &[Method] = &[Method::GET];
        vec![
            OperationInfo::untyped("people", GET, "/api/v1/users", Level::Behaves),
            OperationInfo::untyped("getUser", GET, "/api/v1/users/{id}", Level::Stores),
            OperationInfo::untyped("moved", GET, "/api/v1/moved", Level::Shapes),
            OperationInfo::untyped("respond", GET, "/hooks/{id}", Level::Behaves),
        ]
    }

    #[test]
    fn each_operation_is_in_one_row() {
        let coverage = Coverage::of(&contract(), &table());
        let rows: Vec<String> = coverage
            .rows
            .iter()
            .map(|row| {
                let document = row.document.as_deref().unwrap_or("-");
                format!("{} {} {document} {}", row.id, row.level.name(), row.served)
            })
            .collect();
        let wanted = [
            "listUsers behaves one people",
            "getUser stores one getUser",
            "getThing absent one getThing",
            "moved shapes one moved",
            "respond behaves - respond",
        ];
        assert_eq!(rows, wanted);
        assert_eq!(LEVELS.map(|level| coverage.count(level)), [1, 1, 1, 1]);
        assert_eq!(coverage.beyond().count(), 1);
        assert!(coverage.ids().is_superset(&BTreeSet::from(["people", "listUsers", "respond"])));
    }

    #[test]
    fn resources_are_what_tells_operations_apart() {
        let check = |path: &'static str, wanted: &str| {
            let info = OperationInfo::untyped("x", &[Method::GET], path, Level::Behaves);
            assert_eq!(Row::beyond(&info).resource(), wanted, "{path}");
        };
        check("/api/v1/users/{id}/groups", "users");
        check("/api/chat.postMessage", "chat");
        check("/rest/api/3/issue/{key}", "issue");
        check("/rest/agile/1.0/board", "board");
        check("/v4/spreadsheets/{id}:batchUpdate", "spreadsheets");
        check("/drive/v3/files", "files");
        check("/.well-known/okta-organization", "well-known");
        check("/oauth2/{authorizationServerId}/v1/authorize", "authorize");
        check("/{name}", "{name}");
    }
}
