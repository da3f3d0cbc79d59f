//! Importing: Okta's, Jira's, Slack's and Google's own documents where they are at hand, and small documents with
//! everything wrong that can be.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use dtu_contract::{
    contract::Contract,
    import::{Imported, Source, import},
    write::to_text,
};

/// The services with their committed contract, and the files they are made from.
const COMMITTED: &[(&str, &str, &[&str])] = &[
    ("okta", "okta", &["okta-management.json", "okta-oauth.json", "okta-myaccount-idp.json"]),
    ("jira", "jira", &["jira-platform-v3.json", "jira-software-agile.json"]),
    ("slack", "slack", &["slack-methods.json", "slack-web-openapi-archived.json"]),
    ("google-drive", "google/drive", &["google-drive.v3.discovery.json", "google-drive.v2.discovery.json"]),
    ("google-sheets", "google/sheets", &["google-sheets.v4.discovery.json"]),
    ("google-docs", "google/docs", &["google-docs.v1.discovery.json"]),
    ("google-identity", "google/identity", &["google-oauth2.v2.discovery.json"]),
];

/// The folder with the services' documents; `None`, with a word, where this machine has none.
fn specs() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
    if !folder.exists() {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: the services' documents are not here\n");
        return None;
    }
    Some(folder)
}

fn import_files(service: &str, files: &[&str]) -> Option<Imported> {
    let folder = specs()?;
    let texts: Vec<_> = files.iter().map(|file| (file, fs_err::read_to_string(folder.join(file)).unwrap())).collect();
    let sources = texts.iter().map(|(file, text)| {
        let name = file.trim_end_matches(".json").trim_end_matches(".discovery");
        Source { name: name.into(), text }
    });
    Some(import(service, &sources.collect::<Vec<_>>()))
}

fn counts(imported: &Imported) -> Vec<(&str, usize, usize)> {
    imported.summaries.iter().map(|summary| (summary.name.as_str(), summary.operations, summary.left_out)).collect()
}

#[test]
fn every_operation_of_the_services_documents_is_read() {
    let expected: &[&[(&str, usize, usize)]] = &[
        &[("okta-management", 732, 0), ("okta-oauth", 44, 0), ("okta-myaccount-idp", 40, 0)],
        &[("jira-platform-v3", 621, 0), ("jira-software-agile", 95, 0)],
        // The one left out is a helper of Slack's library that makes three calls.
        &[("slack-methods", 281 + 69 + 14 - 1, 1), ("slack-web-openapi-archived", 0, 0)],
        &[("google-drive.v3", 64, 0), ("google-drive.v2", 75, 0)],
        &[("google-sheets.v4", 17, 0)],
        &[("google-docs.v1", 3, 0)],
        &[("google-oauth2.v2", 3, 0)],
    ];
    for ((service, _, files), expected) in COMMITTED.iter().zip(expected) {
        let Some(imported) = import_files(service, files) else { return };
        assert_eq!(counts(&imported), *expected);
    }
    let archived = import_files("slack", &["slack-web-openapi-archived.json"]).unwrap();
    assert_eq!(counts(&archived), [("slack-web-openapi-archived", 174, 0)]);
}

#[test]
fn the_committed_contracts_are_those_of_the_documents() {
    for (service, folder, files) in COMMITTED {
        let Some(imported) = import_files(service, files) else { return };
        let again = import_files(service, files).unwrap();
        let text = to_text(&imported.contract);
        assert!(text == to_text(&again.contract), "{folder}: importing twice gives two texts");
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("contract.json");
        let is_same = fs_err::read_to_string(&committed).is_ok_and(|committed| committed == text);
        assert!(is_same, "twins/{folder}/contract.json differs from its documents\nhint: run `dtu contract import`");
    }
}

#[test]
fn committed_contracts_read_whole_and_write_the_same() {
    for (_, folder, _) in COMMITTED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("contract.json");
        let text: &'static str = fs_err::read_to_string(path).unwrap().leak();
        let contract = Contract::read(text).unwrap();
        assert!(to_text(&contract) == text, "{folder}");
    }
}

#[test]
fn known_operations_have_their_known_facts() {
    let okta = committed("okta");
    let users = facts(&okta, "listUsers");
    assert_eq!(users["paging"], json!({ "kind": "link", "cursor": "after", "limit": "limit" }));
    assert_eq!(users["security"], json!([{ "apiToken": [] }, { "oauth2": ["okta.users.read"] }]));
    let user = serde_json::to_value(okta.documents[0].schemas["User"].get()).unwrap();
    let id = json!({ "kind": "id", "prefix": "00u", "alphabet": "mixed", "length": 20 });
    assert_eq!(user["properties"]["id"]["looks"], id);
    assert_eq!(user["properties"]["created"]["looks"], json!({ "kind": "time", "pattern": "%Y-%m-%dT%H:%M:%S.%3fZ" }));

    let jira = committed("jira");
    let projects = facts(&jira, "searchProjects");
    assert_eq!(projects["paging"], json!({ "kind": "offset", "offset": "startAt", "limit": "maxResults" }));
    let issues = facts(&jira, "searchAndReconsileIssuesUsingJql");
    let token = json!({ "kind": "token", "token": "nextPageToken", "limit": "maxResults", "next": "nextPageToken" });
    assert_eq!(issues["paging"], token);

    let slack = committed("slack");
    let channels = facts(&slack, "conversations.list");
    let token =
        json!({ "kind": "token", "token": "cursor", "limit": "limit", "next": "response_metadata.next_cursor" });
    assert_eq!(channels["paging"], token);
    let error = "/responses/default/content/application~1json/properties/error/enum";
    let codes = facts(&slack, "chat.postMessage").pointer(error).cloned().unwrap();
    assert!(codes.as_array().unwrap().contains(&json!("channel_not_found")), "{codes}");

    let drive = committed("google/drive");
    let create = facts(&drive, "drive.files.create");
    let media: Vec<_> = create["request"]["content"].as_object().unwrap().keys().collect();
    assert_eq!(media, ["application/json", "multipart/related", "*/*"]);
    assert_eq!(drive.operation("drive.files.create").unwrap().1.path, "/drive/v3/files");
    let comment = facts(&drive, "drive.comments.create");
    let request = json!({ "$ref": "Comment", "required": ["content"] });
    assert_eq!(comment["request"]["content"]["application/json"], request);
}

fn committed(folder: &str) -> Contract {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("contract.json");
    Contract::read(fs_err::read_to_string(path).unwrap().leak()).unwrap()
}

fn facts(contract: &Contract, id: &str) -> Value {
    serde_json::to_value(contract.operation(id).unwrap().1.facts.get()).unwrap()
}

/// The import of one document as text: a line for each operation, schema and problem.
fn render(text: &str) -> String {
    let imported = import("test", &[Source { name: "doc".into(), text }]);
    let mut lines = Vec::new();
    for document in &imported.contract.documents {
        lines.extend(
            document
                .security
                .iter()
                .map(|(name, scheme)| format!("security {name}: {}", serde_json::to_string(scheme).unwrap())),
        );
        lines.extend(document.operations.iter().map(|it| {
            let notes = [it.stage.as_deref().unwrap_or_default(), if it.deprecated { "deprecated" } else { "" }];
            let notes = notes.map(|note| if note.is_empty() { String::new() } else { format!(" ({note})") }).concat();
            format!("{} {} {}{notes} {}", it.method, it.path, it.id, serde_json::to_string(&it.facts).unwrap())
        }));
        lines.extend(
            document.schemas.iter().map(|(name, schema)| format!("{name}: {}", serde_json::to_string(schema).unwrap())),
        );
    }
    lines.extend(imported.problems.iter().map(ToString::to_string));
    let read = Contract::read(to_text(&imported.contract).leak()).unwrap();
    assert!(read == imported.contract, "what is written is not what was read: {}", to_text(&read));
    lines.join("\n")
}

#[track_caller]
fn check(document: &str, expected: &str) {
    let expected = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let rendered = render(document);
    assert!(rendered == expected, "got:\n{rendered}\nexpected:\n{expected}");
}

/// An operation `GET /things` whose answer is this schema.
fn answering(version: &str, schema: &str, more: &str) -> String {
    format!(
        r#"{{"openapi": "{version}", "paths": {{"/things": {{"get": {{"operationId": "things", "responses": {{"200":
        {{"content": {{"application/json": {{"schema": {schema}}}}}}}}}}}}}}}{more}}}"#
    )
}

#[track_caller]
fn check_schema(version: &str, schema: &str, expected: &str) {
    let rendered = render(&answering(version, schema, ""));
    let start = r#"GET /things things {"responses":{"200":{"content":{"application/json":"#;
    let at = "doc#/paths/~1things/get/responses/200/content/application~1json/schema";
    let rendered = rendered.replacen(start, "", 1).replacen("}}}}", "", 1).replace(at, "#");
    let expected = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    assert!(rendered == expected, "got:\n{rendered}\nexpected:\n{expected}");
}

#[test]
fn schemas_of_openapi_30_keep_their_facts() {
    check_schema(
        "3.0.3",
        r#"{"type": "string", "nullable": true, "format": "uri", "maxLength": 5, "description": "x", "example": 1}"#,
        r#"{"type":["string"],"nullable":true,"format":"uri","maxLength":5}"#,
    );
    check_schema(
        "3.0.3",
        r#"{"type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false}"#,
        r#"{"type":["integer"],"maximum":9,"exclusiveMinimum":1}"#,
    );
    check_schema(
        "3.0.3",
        r#"{"type": "object", "required": ["a", "a"], "properties": {"a": {"type": "boolean", "readOnly": true}}, "additionalProperties": {}}"#,
        r#"{"type":["object"],"properties":{"a":{"type":["boolean"],"readOnly":true}},"required":["a"],"additionalProperties":true}"#,
    );
    check_schema(
        "3.0.3",
        r#"{"type": "string", "enum": ["a", null, "a"], "x-enumDescriptions": {"a": "x"}}"#,
        r#"{"type":["string"],"nullable":true,"enum":["a"]}"#,
    );
    check_schema("3.0.3", r#"{"allOf": [{"type": "object"}]}"#, r#"{"type":["object"]}"#);
    check_schema(
        "3.0.3",
        r#"{"type": "number", "maximum": 123456789012345678901234567890}"#,
        r#"{"type":["number"],"maximum":1.2345678901234568e+29}"#,
    );
    check_schema(
        "3.0.3",
        r#"{"type": "string", "nullable": true, "default": null}"#,
        r#"{"type":["string"],"nullable":true}"#,
    );
    check_schema(
        "3.0.3",
        r##"{"allOf": [{"$ref": "#/components/schemas/A"}], "readOnly": true}"##,
        r#"{"readOnly":true}
#/allOf/0/$ref: broken: `#/components/schemas/A` leads nowhere"#,
    );
}

#[test]
fn schemas_of_openapi_31_become_the_same_dialect() {
    check_schema(
        "3.1.0",
        r#"{"type": ["string", "null"], "examples": ["x"]}"#,
        r#"{"type":["string"],"nullable":true}"#,
    );
    check_schema(
        "3.1.0",
        r#"{"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9.5}"#,
        r#"{"type":["integer"],"exclusiveMinimum":0,"exclusiveMaximum":9.5}"#,
    );
    check_schema("3.1.0", r#"{"const": "a"}"#, r#"{"enum":["a"]}"#);
    check_schema(
        "3.1.0",
        r#"{"anyOf": [{"type": "string"}, {"type": "null"}]}"#,
        r#"{"type":["string"],"nullable":true}"#,
    );
    check_schema(
        "3.1.0",
        r#"{"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]}"#,
        r#"{"type":["array"],"items":{"anyOf":[{"type":["string"]},{"type":["number"]}]}}
#/prefixItems: not used: a schema for each place of a list; any of them is taken to hold for each item"#,
    );
    check_schema("3.1.0", r#"{"type": "null"}"#, r#"{"nullable":true,"enum":[null]}"#);
    check_schema("3.1.0", r"false", r#"{"not":{}}"#);
    check_schema(
        "3.1.0",
        r#"{"if": {}, "then": {}}"#,
        r"{}
#/if: not used: the keyword `if` is not read
#/then: not used: the keyword `then` is not read",
    );
}

#[test]
fn what_is_wrong_in_a_schema_is_a_problem_and_the_rest_holds() {
    check_schema(
        "3.0.3",
        r#"{"type": "text", "maxLength": -1, "minLength": 1.5, "pattern": "(", "nullable": "yes"}"#,
        r"{}
#/maxLength: not used: a whole number from 0 was expected, not a number
#/minLength: not used: a whole number from 0 was expected, not a number
#/nullable: not used: true or false was expected, not text
#/pattern: not used: not a regular expression of ECMA-262
#/type: not used: `text` is no type",
    );
    check_schema(
        "3.0.3",
        r#"{"type": "object", "required": true, "properties": {"a": 5, "b": {"type": "string"}}}"#,
        r#"{"type":["object"],"properties":{"a":{},"b":{"type":["string"]}}}
#/properties/a: not used: a schema was expected, not a number
#/required: not used: a list of names was expected, not true or false"#,
    );
    check_schema(
        "3.0.3",
        r#"{"type": "string", "enum": "a"}"#,
        r#"{"type":["string"]}
#/enum: not used: a list was expected, not text"#,
    );
    check_schema(
        "3.0.3",
        r#"{"type": "string", "enum": ["a"], "default": "b"}"#,
        r#"{"type":["string"],"enum":["a"],"default":"b"}
#/default: not used: `"b"` is none of the schema's values"#,
    );
    check_schema(
        "3.0.3",
        r#"{"type": "string", "enum": [1]}"#,
        r#"{"type":["string"],"enum":[1]}
#/enum: not used: `1` is not of the schema's type"#,
    );
    check_schema(
        "3.0.3",
        r#"{"enum": []}"#,
        r"{}
#/enum: not used: no value is in the list; it is not kept",
    );
    check_schema(
        "3.0.3",
        r#"{"minimum": 5, "maximum": 4, "minLength": 2, "maxLength": 1, "multipleOf": 0}"#,
        r"{}
#/minLength: not used: the least is above the most; neither is kept
#/minimum: not used: the least is above the most; neither is kept
#/multipleOf: not used: a number above 0 was expected, not a number",
    );
    check_schema(
        "3.0.3",
        r#"{"maxlength": 5, "allOf": {}, "format": 7, "items": [1]}"#,
        r"{}
#/allOf: not used: a list of schemas was expected, not an object
#/format: not used: a word was expected, not a number
#/items: not used: a list of schemas for a value that is no list; taken as alternatives
#/items/0: not used: a schema was expected, not a number
#/maxlength: not used: the keyword `maxlength` is not read",
    );
    check_schema(
        "3.0.3",
        r"7",
        r"{}
#: not used: a schema was expected, not a number",
    );
}

#[test]
fn references_are_followed_wherever_they_lead() {
    check(
        &answering(
            "3.0.3",
            r##"{"$ref": "#/components/schemas/Tree", "nullable": true, "maxLength": 3}"##,
            r##", "components": {"schemas": {"Tree": {"properties": {"next": {"$ref": "#/components/schemas/Tree"}}}, "Unused": {}}}"##,
        ),
        r#"GET /things things {"responses":{"200":{"content":{"application/json":{"$ref":"Tree","nullable":true}}}}}
Tree: {"properties":{"next":{"$ref":"Tree"}}}"#,
    );
    check(
        &answering(
            "3.1.0",
            r##"{"$ref": "#/components/schemas/A", "maxLength": 3}"##,
            r##", "components": {"schemas": {"A": {"$defs": {"B": {"type": "string"}}, "properties": {"b": {"$ref": "#/components/schemas/A/$defs/B"}, "c": {"$ref": "#/components/responses/R%20S/content/a~1b/schema"}}}}, "responses": {"R S": {"content": {"a/b": {"schema": {"type": "integer"}}}}}}"##,
        ),
        r#"GET /things things {"responses":{"200":{"content":{"application/json":{"$ref":"A","maxLength":3}}}}}
A: {"properties":{"b":{"$ref":"A.$defs.B"},"c":{"$ref":"responses.R S.content.a/b.schema"}}}
A.$defs.B: {"type":["string"]}
responses.R S.content.a/b.schema: {"type":["integer"]}"#,
    );
    check(
        &answering(
            "3.0.3",
            r##"{"anyOf": [{"$ref": "#/nowhere"}, {"$ref": "other.json#/a"}, {"$ref": "#"}, {"$ref": 5}, {"$ref": "https://a.example/b"}]}"##,
            r"",
        ),
        r#"GET /things things {"responses":{"200":{"content":{"application/json":{"anyOf":[{},{},{},{},{}]}}}}}
doc#/paths/~1things/get/responses/200/content/application~1json/schema/anyOf/0/$ref: broken: `#/nowhere` leads nowhere
doc#/paths/~1things/get/responses/200/content/application~1json/schema/anyOf/1/$ref: broken: `other.json#/a` is in another document, which is not read
doc#/paths/~1things/get/responses/200/content/application~1json/schema/anyOf/2/$ref: broken: the document as a whole is no part of itself
doc#/paths/~1things/get/responses/200/content/application~1json/schema/anyOf/3/$ref: not used: a reference was expected, not a number
doc#/paths/~1things/get/responses/200/content/application~1json/schema/anyOf/4/$ref: broken: `https://a.example/b` is in another document, which is not read"#,
    );
    check(
        &answering(
            "3.0.3",
            r##"{"$ref": "#/components/schemas/A"}"##,
            r##", "components": {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}}"##,
        ),
        r#"GET /things things {"responses":{"200":{"content":{"application/json":{"$ref":"A"}}}}}
A: {"$ref":"B"}
B: {}
doc#/components/schemas/B/$ref: broken: `A` is made of itself"#,
    );
    check(
        &answering(
            "3.0.3",
            r##"{"$ref": "#/components/schemas/A"}"##,
            r##", "components": {"schemas": {"A": {"type": "object", "allOf": [{"$ref": "#/components/schemas/A"}, {"minProperties": 1}]}}}"##,
        ),
        r#"GET /things things {"responses":{"200":{"content":{"application/json":{"$ref":"A"}}}}}
A: {"type":["object"],"allOf":[{},{"minProperties":1}]}
doc#/components/schemas/A/allOf/0/$ref: broken: `A` is made of itself"#,
    );
}

#[test]
fn parts_given_by_reference_stand_where_they_are_used() {
    check(
        r##"{"openapi": "3.0.3", "paths": {"/a/{id}": {"parameters": [{"$ref": "#/components/parameters/Id"}, {"name": "q", "in": "query"}],
   "post": {"parameters": [{"name": "q", "in": "query", "required": true, "schema": {"type": "array", "items": {"type": "string"}}}],
   "requestBody": {"$ref": "#/components/requestBodies/B"}, "responses": {"201": {"$ref": "#/components/responses/R"}, "4xx": {"$ref": "#/components/responses/Loop"}}}}},
   "components": {"parameters": {"Id": {"name": "id", "in": "path", "schema": {"type": "string"}}},
   "requestBodies": {"B": {"required": true, "content": {"application/json ; charset=UTF-8": {}}}},
   "headers": {"H": {"schema": {"type": "integer"}}},
   "responses": {"R": {"headers": {"X-Rate": {"$ref": "#/components/headers/H"}}}, "Loop": {"$ref": "#/components/responses/Loop"}}}}"##,
        r#"POST /a/{id} post_a_id {"parameters":[{"name":"q","in":"query","required":true,"explode":true,"schema":{"type":["array"],"items":{"type":["string"]}}},{"name":"id","in":"path","required":true,"schema":{"type":["string"]}}],"request":{"required":true,"content":{"application/json;charset=utf-8":{}}},"responses":{"201":{"headers":{"x-rate":{"type":["integer"]}}}}}
doc#/paths/~1a~1{id}/post/responses/4xx/$ref: broken: the reference leads back to itself"#,
    );
}

#[test]
fn parameters_are_what_the_path_names() {
    check(
        r#"{"openapi": "3.0.3", "paths": {
   "/a/{x}": {"get": {"responses": {}, "parameters": [{"name": "y", "in": "path"}, {"name": "q", "in": "query"}, {"name": "q", "in": "query"}, "text", {"in": "query"}, {"name": "z", "in": "body"}]}},
   "b": {"get": {"responses": {}}}, "/c/{": {"get": {"responses": {}}}, "/d/{x}/{x}": {"get": {}}}}"#,
        r#"GET /a/{x} get_a_x {"parameters":[{"name":"q","in":"query","explode":true,"schema":{}},{"name":"x","in":"path","required":true,"schema":{"type":["string"]}}]}
GET /b get_b {}
doc#/paths/b/get: not used: a path begins with `/`
doc#/paths/~1a~1{x}/get: not used: the path has no `{y}`
doc#/paths/~1a~1{x}/get: not used: the path's parameter `x` is not described; taken as text
doc#/paths/~1a~1{x}/get/parameters/2: not used: `q` stands twice; the first holds
doc#/paths/~1a~1{x}/get/parameters/3: not used: an object was expected, not text
doc#/paths/~1a~1{x}/get/parameters/4: broken: a parameter without `name`
doc#/paths/~1a~1{x}/get/parameters/5/in: broken: `body` is no place for a parameter
doc#/paths/~1c~1{/get: broken: the braces of `/c/{` do not pair
doc#/paths/~1d~1{x}~1{x}/get: broken: `/d/{x}/{x}` names `x` twice"#,
    );
    check(
        r#"{"openapi": "3.0.3", "paths": {"/a": {"get": {"responses": {}, "parameters": [
   {"name": "Accept", "in": "header"}, {"name": "a", "in": "query", "style": "deepObject", "explode": true, "schema": {"type": "object"}},
   {"name": "b", "in": "query", "explode": false, "schema": {"type": "array"}}, {"name": "c", "in": "query", "style": "odd", "schema": {"type": "string"}},
   {"name": "d", "in": "cookie", "deprecated": true, "content": {"application/json": {"schema": {"type": "object"}}}}]}}}}"#,
        r#"GET /a get_a {"parameters":[{"name":"a","in":"query","explode":true,"style":"deepObject","schema":{"type":["object"]}},{"name":"b","in":"query","schema":{"type":["array"]}},{"name":"c","in":"query","schema":{"type":["string"]}},{"name":"d","in":"cookie","explode":true,"deprecated":true,"schema":{"type":["object"]}}]}
doc#/paths/~1a/get/parameters/3/style: not used: `odd` is no style"#,
    );
}

#[test]
fn operations_have_one_id_and_one_route_each() {
    check(
        r#"{"openapi": "3.0.3", "paths": {"/b/{x}": {"get": {"operationId": "a", "responses": {}, "parameters": [{"name": "x", "in": "path"}]}},
   "/b/{y}": {"get": {"operationId": "c", "responses": {}, "parameters": [{"name": "y", "in": "path"}]}},
   "/a": {"post": {"operationId": "a", "responses": {}}, "get": {"responses": {}}, "fetch": {}, "put": 5, "delete": {"operationId": 5, "responses": []}}}}"#,
        r#"DELETE /a delete_a {}
GET /a get_a {}
POST /a a-2 {}
GET /b/{x} a {"parameters":[{"name":"x","in":"path","required":true,"schema":{}}]}
doc#/paths/~1a/delete/operationId: not used: text was expected, not a number
doc#/paths/~1a/delete/responses: not used: an object was expected, not a list
doc#/paths/~1a/fetch: not used: `fetch` is no method that is read
doc#/paths/~1a/post: not used: another operation is `a`; this one becomes `a-2`
doc#/paths/~1a/put: broken: an operation is an object, not a number
doc#/paths/~1b~1{y}/get: broken: answers the same calls as /paths/~1b~1{x}/get"#,
    );
}

#[test]
fn servers_security_and_stages_are_read() {
    check(
        r#"{"openapi": "3.0.3", "servers": [{"url": "https://{host}/v1/{stage}/", "variables": {"host": {"default": "a.example"}, "stage": {"default": "live"}}}],
   "security": [{"key": []}], "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"},
   "http": {"type": "http", "scheme": "Bearer"}, "o": {"type": "openIdConnect", "openIdConnectUrl": "https://a.example"}, "bad": {"type": "magic"}}},
   "paths": {"/a": {"get": {"responses": {}}, "put": {"security": [], "responses": {}, "deprecated": true, "x-experimental": true},
   "post": {"security": [{"o": ["read"]}, {"none": []}, {}], "responses": {}, "x-okta-lifecycle": {"lifecycle": "EA"}, "servers": [{"url": "/v2"}]}}}}"#,
        r#"security key: {"kind":"api-key","in":"header","name":"X-Key"}
security http: {"kind":"http","scheme":"bearer"}
security o: {"kind":"oauth2"}
GET /v1/live/a get_v1_live_a {"security":[{"key":[]}]}
PUT /v1/live/a put_v1_live_a (experimental) (deprecated) {}
POST /v2/a post_v2_a (EA) {"security":[{"o":["read"]},{"none":[]},{}]}
doc#/components/securitySchemes/bad: broken: not a security scheme: unknown variant `magic`, expected one of `apiKey`, `http`, `oauth2`, `openIdConnect`
doc#/paths/~1a/post/security/1/none: not used: `none` is none of the document's ways to show who calls"#,
    );
}

#[test]
fn swagger_2_becomes_the_same() {
    check(
        r##"{"swagger": "2.0", "host": "a.example", "basePath": "/v1/", "consumes": ["application/json"], "produces": ["application/json"],
   "securityDefinitions": {"b": {"type": "basic"}, "k": {"type": "apiKey", "in": "query", "name": "key"}, "o": {"type": "oauth2"}, "x": {}},
   "parameters": {"P": {"name": "p", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"}},
   "definitions": {"T": {"type": "object", "discriminator": "kind", "x-nullable": true}},
   "paths": {"/a": {"post": {"security": [{"o": ["s"]}], "parameters": [{"$ref": "#/parameters/P"}, {"name": "body", "in": "body", "required": true, "schema": {"$ref": "#/definitions/T"}}],
   "responses": {"200": {"schema": {"$ref": "#/definitions/T"}, "headers": {"X-A": {"type": "string"}}}}}},
   "/f": {"post": {"consumes": ["multipart/form-data"], "parameters": [{"name": "f", "in": "formData", "type": "file", "required": true},
   {"name": "t", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "tsv"}], "responses": {"204": {}}}}}}"##,
        r#"security b: {"kind":"http","scheme":"basic"}
security k: {"kind":"api-key","in":"query","name":"key"}
security o: {"kind":"oauth2"}
POST /v1/a post_v1_a {"parameters":[{"name":"p","in":"query","explode":true,"schema":{"type":["array"],"items":{"type":["string"]}}}],"request":{"required":true,"content":{"application/json":{"$ref":"T"}}},"responses":{"200":{"content":{"application/json":{"$ref":"T"}},"headers":{"x-a":{"type":["string"]}}}},"security":[{"o":["s"]}]}
POST /v1/f post_v1_f {"parameters":[{"name":"t","in":"query","schema":{"type":["array"],"items":{"type":["string"]}}}],"request":{"required":true,"content":{"multipart/form-data":{"type":["object"],"properties":{"f":{"type":["string"],"format":"binary"}},"required":["f"]}}},"responses":{"204":{}}}
T: {"type":["object"],"nullable":true,"discriminator":{"property":"kind"}}
doc#/paths/~1f/post/parameters/1/collectionFormat: not used: lists written as `tsv` are not read
doc#/securityDefinitions/x: broken: not a way to show who calls that is known"#,
    );
}

#[test]
fn discovery_documents_become_the_same() {
    check(
        r#"{"kind": "discovery#restDescription", "version": "v1", "revision": "7", "rootUrl": "https://a.example/", "servicePath": "drive/v1/",
   "auth": {"oauth2": {"scopes": {}}}, "parameters": {"alt": {"type": "string", "location": "query", "default": "json", "enum": ["json"], "enumDescriptions": ["x"]}},
   "schemas": {"File": {"id": "File", "type": "object", "properties": {"size": {"type": "string", "format": "int64"}, "any": {"type": "any"},
   "name": {"type": "string", "annotations": {"required": ["files.create"]}}, "parent": {"$ref": "File"}, "gone": {"$ref": "Gone"}}}},
   "resources": {"files": {"methods": {
   "create": {"id": "files.create", "httpMethod": "POST", "path": "files", "request": {"$ref": "File"}, "response": {"$ref": "File"}, "scopes": ["a", "b"], "mediaUpload": {"accept": ["*/*"]}},
   "delete": {"id": "files.delete", "httpMethod": "DELETE", "path": "files/{fileId}:now", "parameters": {"fileId": {"type": "string", "location": "path", "required": true},
   "n": {"type": "integer", "location": "query", "repeated": true, "minimum": "1", "default": "5"}}},
   "get": {"id": "files.get", "httpMethod": "GET", "path": "{+name}", "flatPath": "a/{aId}/b/{bId}", "parameters": {"name": {"type": "string", "location": "path"}}, "supportsMediaDownload": true},
   "bad": {"httpMethod": "GET"}}}}}"#,
        r#"security oauth2: {"kind":"oauth2"}
GET /drive/v1/a/{aId}/b/{bId} files.get {"parameters":[{"name":"alt","in":"query","schema":{"type":["string"],"enum":["json"],"default":"json"}},{"name":"aId","in":"path","required":true,"schema":{"type":["string"]}},{"name":"bId","in":"path","required":true,"schema":{"type":["string"]}}],"responses":{"200":{"content":{"*/*":{"type":["string"],"format":"binary"}}}}}
POST /drive/v1/files files.create {"parameters":[{"name":"alt","in":"query","schema":{"type":["string"],"enum":["json"],"default":"json"}}],"request":{"required":true,"content":{"application/json":{"$ref":"File","required":["name"]},"multipart/related":{"type":["string"],"format":"binary"},"*/*":{"type":["string"],"format":"binary"}}},"responses":{"200":{"content":{"application/json":{"$ref":"File"}}}},"security":[{"oauth2":["a"]},{"oauth2":["b"]}]}
DELETE /drive/v1/files/{fileId}:now files.delete {"parameters":[{"name":"fileId","in":"path","required":true,"schema":{"type":["string"]}},{"name":"n","in":"query","explode":true,"schema":{"type":["array"],"items":{"type":["integer"],"default":5,"minimum":1}}},{"name":"alt","in":"query","schema":{"type":["string"],"enum":["json"],"default":"json"}}],"responses":{"204":{}}}
File: {"type":["object"],"properties":{"size":{"type":["string"],"format":"int64"},"any":{},"name":{"type":["string"]},"parent":{"$ref":"File"},"gone":{}}}
doc#/resources/files/methods/bad: broken: a method without `httpMethod` or `path`
doc#/schemas/File/properties/gone/$ref: broken: `Gone` leads nowhere"#,
    );
}

#[test]
fn slack_methods_become_the_same() {
    check(
        r#"{"source": "npm @slack/web-api 8.2.0", "methods": [{"method": "a.list", "args": [{"name": "token", "required": true, "type": "string"}, {"name": "cursor", "required": false, "type": "string"}, {"name": "sort", "required": true, "type": "\"asc\" | \"desc\""}],
   "response": {"ok": "boolean", "items": [{"id": "string", "size": "number", "view": "View"}], "response_metadata": {"next_cursor": "string"}, "odd": {"length": "number", "toString": "() => string"}}},
   {"method": "up", "note": "SDK helper: many calls"}, {"args": []}], "python_only_methods": [{"method": "b.get", "py": {"args": ["id"], "required": ["id"]}}],
   "names_only_in_archived_spec_or_java_samples": ["c.old", "a.list"]}"#,
        r#"security slackAuth: {"kind":"oauth2"}
POST /api/a.list a.list {"parameters":[{"name":"token","in":"query","schema":{"type":["string"]}},{"name":"cursor","in":"query","schema":{"type":["string"]}},{"name":"sort","in":"query","required":true,"schema":{"type":["string"],"enum":["asc","desc"]}}],"responses":{"200":{"content":{"application/json":{"type":["object"],"properties":{"ok":{"type":["boolean"]},"items":{"type":["array"],"items":{"type":["object"],"properties":{"id":{"type":["string"]},"size":{"type":["number"]},"view":{}}}},"response_metadata":{"type":["object"],"properties":{"next_cursor":{"type":["string"]}}},"odd":{"type":["array"]}},"required":["ok"]}}}},"security":[{"slackAuth":[]}],"paging":{"kind":"token","token":"cursor","next":"response_metadata.next_cursor"}}
POST /api/b.get b.get {"parameters":[{"name":"id","in":"query","required":true,"schema":{}}],"responses":{"200":{"content":{"application/json":{"type":["object"],"properties":{"ok":{"type":["boolean"]}},"required":["ok"]}}}}}
POST /api/c.old c.old {"responses":{"200":{"content":{"application/json":{"type":["object"],"properties":{"ok":{"type":["boolean"]}},"required":["ok"]}}}}}
doc#/methods/0/response/odd: not used: the members of a list's own type; taken as a list
doc#/methods/1: not used: `up` is a library's own, not one of the service
doc#/methods/2: broken: a method without a name
doc#/names_only_in_archived_spec_or_java_samples/1: broken: answers the same calls as /methods/0"#,
    );
}

#[test]
fn yaml_is_read_as_yaml_12() {
    check(
        "openapi: 3.0\ninfo: {version: 1.0}\npaths:\n  /a:\n    get:\n      operationId: a\n      responses:\n        200:\n          content:\n            application/json:\n              schema: {type: string, enum: [no, yes, 2020-01-01]}\n",
        r#"GET /a a {"responses":{"200":{"content":{"application/json":{"type":["string"],"enum":["no","yes","2020-01-01"]}}}}}"#,
    );
    check(
        "openapi: 3.0.0\npaths:\n  /a:\n    get: {operationId: a, operationId: b, responses: {}}\n",
        r"GET /a b {}
doc#: not used: names stand twice, and their last values hold: duplicate mapping key: operationId at line 4, column 27",
    );
}

#[test]
fn examples_show_how_texts_look() {
    check(
        r##"{"openapi": "3.0.3", "servers": [{"url": "https://{org}", "variables": {"org": {"default": "a.example"}}}], "paths": {"/a": {"get": {"operationId": "a", "responses": {"200": {"content": {"application/json": {
   "schema": {"type": "array", "items": {"$ref": "#/components/schemas/User"}}, "examples": {"one": {"$ref": "#/components/examples/One"}, "two": {"value": [{"id": "00ub0oNGTSWTBKOLGLNR", "created": "2013-07-02T21:36:25Z"}]}}}}}}}}},
   "components": {"examples": {"One": {"value": [{"id": "00ub0oNGTSWTBKOLGLNX", "created": "2013-07-02T21:36:25.344Z", "updated": "2013-07-02T21:36:25.344+0000", "status": "ACTIVE0001AB", "self": "https://{org}/a", "other": "https://b.example/a", "mail": "a@a.example", "key": "123e4567-e89b-12d3-a456-426614174000"}]}},
   "schemas": {"User": {"type": "object", "properties": {"id": {"type": "string", "example": "x"}, "created": {"type": "string", "format": "date-time", "example": "2013-07-02T21:36:25.344Z"}, "updated": {"type": "string"},
   "status": {"type": "string", "enum": ["ACTIVE0001AB"]}, "self": {"type": "string", "format": "uri"}, "other": {"type": "string", "format": "uri"}, "mail": {"type": "string"}, "key": {"type": "string"}, "none": {"type": "string"}}}}}}"##,
        r#"GET /a a {"responses":{"200":{"content":{"application/json":{"type":["array"],"items":{"$ref":"User"}}}}}}
User: {"type":["object"],"properties":{"id":{"type":["string"],"looks":{"kind":"id","prefix":"00u","alphabet":"mixed","length":20}},"created":{"type":["string"],"format":"date-time","looks":{"kind":"time","pattern":"%Y-%m-%dT%H:%M:%S.%3fZ"}},"updated":{"type":["string"],"looks":{"kind":"time","pattern":"%Y-%m-%dT%H:%M:%S.%3f%z"}},"status":{"type":["string"],"enum":["ACTIVE0001AB"]},"self":{"type":["string"],"format":"uri","looks":{"kind":"url"}},"other":{"type":["string"],"format":"uri"},"mail":{"type":["string"],"looks":{"kind":"email"}},"key":{"type":["string"],"looks":{"kind":"uuid"}},"none":{"type":["string"]}}}"#,
    );
}

#[test]
fn documents_that_cannot_be_read_are_problems() {
    check(
        r"",
        r"doc#: broken: no document of a known kind: OpenAPI 3, Swagger 2.0, Google discovery or Slack's methods",
    );
    check(r"{", r"doc#: broken: not JSON: EOF while parsing an object at line 1 column 1");
    check(r"a: [", r"doc#: broken: neither JSON nor YAML: unclosed bracket '[' at line 1, column 4");
    check(
        r"[1]",
        r"doc#: broken: no document of a known kind: OpenAPI 3, Swagger 2.0, Google discovery or Slack's methods",
    );
    check(
        r#"{"openapi": "2.0"}"#,
        r"doc#: broken: no document of a known kind: OpenAPI 3, Swagger 2.0, Google discovery or Slack's methods",
    );
    check(r#"{"openapi": "3.0.0"}"#, r"doc#: broken: the document has no operation that can be read");
    check(
        r#"{"openapi": "3.0.0", "paths": []}"#,
        r"doc#: broken: the document has no operation that can be read
doc#/paths: not used: an object was expected, not a list",
    );
    check(
        r#"{"openapi": "3.1.0", "paths": {"/a": [], "/b": {"get": []}}, "components": 5, "servers": {}, "security": "x"}"#,
        r"doc#: broken: the document has no operation that can be read
doc#/components: not used: an object was expected, not a number
doc#/paths/~1a: not used: an object was expected, not a list
doc#/paths/~1b/get: broken: an operation is an object, not a list
doc#/security: not used: a list was expected, not text
doc#/servers: not used: a list was expected, not an object",
    );
    check(
        r#"{"swagger": "2.0", "paths": 5}"#,
        r"doc#: broken: the document has no operation that can be read
doc#/paths: not used: an object was expected, not a number",
    );
    check(
        r#"{"discoveryVersion": "v1", "resources": [], "schemas": 1}"#,
        r"doc#: broken: the document has no operation that can be read
doc#/resources: not used: an object was expected, not a list",
    );
    check(
        r#"{"methods": [], "python_only_methods": 5}"#,
        r#"security slackAuth: {"kind":"oauth2"}
doc#: broken: the document has no operation that can be read
doc#/python_only_methods: not used: a list was expected, not a number"#,
    );
}

#[test]
fn lists_are_paged_as_their_names_say() {
    let list = r#"{"type": "array", "items": {}}"#;
    let page = r#"{"properties": {"values": {"type": "array"}, "nextPageToken": {"type": "string"}}}"#;
    let slack = r#"{"properties": {"items": {"items": {}}, "response_metadata": {"properties": {"next_cursor": {}}}}}"#;
    let wrapped = r#"{"properties": {"page": {"properties": {"values": {"type": "array"}, "next_cursor": {}}}}}"#;
    let link = json!({ "kind": "link", "cursor": "after", "limit": "limit" });
    check_paging(&["after", "limit"], list, &link);
    let token = json!({ "kind": "token", "token": "pageToken", "limit": "pageSize", "next": "nextPageToken" });
    check_paging(&["pageToken", "pageSize", "page"], page, &token);
    let token = json!({ "kind": "token", "token": "cursor", "next": "response_metadata.next_cursor" });
    check_paging(&["cursor"], slack, &token);
    check_paging(&["cursor"], wrapped, &json!({ "kind": "token", "token": "cursor", "next": "page.next_cursor" }));
    check_paging(
        &["startAt", "maxResults"],
        page,
        &json!({ "kind": "offset", "offset": "startAt", "limit": "maxResults" }),
    );
    let pages = json!({ "kind": "offset", "offset": "page", "limit": "per_page", "pages": true });
    check_paging(&["page", "per_page"], list, &pages);
    check_paging(&["offset"], list, &Value::Null);
    check_paging(&["after", "limit"], r#"{"type": "object"}"#, &Value::Null);
    check_paging(&["limit"], list, &Value::Null);
}

#[track_caller]
fn check_paging(parameters: &[&str], schema: &str, expected: &Value) {
    let parameters =
        parameters.iter().map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }));
    let mut document: Value = serde_json::from_str(&answering("3.0.0", schema, "")).unwrap();
    document["paths"]["/things"]["get"]["parameters"] = parameters.collect();
    let imported = import("test", &[Source { name: "doc".into(), text: &document.to_string() }]);
    assert_eq!(facts(&imported.contract, "things")["paging"], *expected);
}

#[test]
fn nesting_without_end_is_a_problem() {
    let deep = format!("{{\"openapi\": \"3.0.0\", \"paths\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(render(&deep).starts_with("doc#: broken: not JSON"), "{}", render(&deep));
    let deep = format!("openapi: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(render(&deep).starts_with("doc#: broken: neither JSON nor YAML"), "{}", render(&deep));
    for (open, close) in [(r#"{"properties": {"a": "#, "}}"), (r#"{"items": ["#, "]}"), (r#"{"allOf": [{}, "#, "]}")] {
        let schema = format!("{}{{}}{}", open.repeat(55), close.repeat(55));
        let rendered = render(&answering("3.0.0", &schema, ""));
        assert!(rendered.contains("schemas are nested more than"), "{rendered}");
    }
}

#[test]
fn large_documents_take_time_in_proportion() {
    let names: Vec<_> = (0..20_000).map(|number| format!("\"n{number}\"")).collect();
    let properties: Vec<_> =
        names.iter().map(|name| format!("{name}: {{\"$ref\": \"#/components/schemas/A\"}}")).collect();
    let chain =
        (0..20_000).map(|number| format!(r##""c{number}": {{"$ref": "#/components/schemas/c{}"}}"##, number + 1));
    let schema = format!(
        r##"{{"required": [{0}], "enum": [{0}], "properties": {{{1}}}, "allOf": [{{"$ref": "#/components/schemas/c0"}}, {{}}]}}"##,
        names.join(","),
        properties.join(",")
    );
    let more = format!(r#", "components": {{"schemas": {{"A": {{}}, {}}}}}"#, chain.collect::<Vec<_>>().join(","));
    let rendered = render(&answering("3.0.0", &schema, &more));
    let last = "c19999/$ref: broken: `#/components/schemas/c20000` leads nowhere";
    assert!(rendered.ends_with(last), "{}", &rendered[rendered.len() - 200..]);
}

#[test]
fn numbers_beyond_all_bounds_cost_their_own_place_only() {
    check_schema(
        "3.0.3",
        r#"{"type": "number", "maximum": 1e999, "minLength": 99999999999999999999}"#,
        r#"{"type":["number"]}
        #/maximum: not used: a number was expected, not null
        #/minLength: not used: a whole number from 0 was expected, not a number"#,
    );
}

/// A small document with most that a document can have.
const WHOLE: &str = r##"{"openapi": "3.1.0", "info": {"version": "1"}, "servers": [{"url": "https://a.example/v1"}],
    "security": [{"key": []}], "paths": {"/a/{id}": {"parameters": [{"$ref": "#/components/parameters/Id"}],
    "get": {"operationId": "get", "parameters": [{"name": "after", "in": "query", "explode": true, "style": "form",
    "schema": {"type": ["string", "null"], "enum": ["a", "b"], "default": "a"}}, {"name": "limit", "in": "query"}],
    "responses": {"200": {"headers": {"Link": {"schema": {"type": "string"}}}, "content": {"application/json": {
    "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}, "example": [{"id": "00ub0oNGTSWTBKOLGLNR"}]}}},
    "default": {"$ref": "#/components/responses/Error"}}},
    "post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"oneOf": [{"type": "null"},
    {"$ref": "#/components/schemas/Tree"}], "discriminator": {"propertyName": "kind", "mapping": {"tree": "Tree"}}}}}}}}},
    "components": {"parameters": {"Id": {"name": "id", "in": "path", "schema": {"type": "string", "pattern": "^a"}}},
    "responses": {"Error": {"content": {"application/json": {"schema": {"type": "object", "properties": {"code":
    {"type": "integer", "minimum": 1, "exclusiveMaximum": 9}}, "required": ["code"], "additionalProperties": false}}}}},
    "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    "schemas": {"Tree": {"allOf": [{"type": "object"}, {"properties": {"id": {"type": "string", "minLength": 1},
    "nodes": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}, "maxItems": 9}}}]}}}}"##;

/// Values that stand where others belong.
fn arb_value() -> impl Strategy<Value = Value> {
    const KEYS: &[&str] =
        &["$ref", "type", "schema", "items", "allOf", "get", "properties", "é", "example", "in", "name"];
    const KNOWN: &[&str] =
        &["string", "#/components/schemas/Tree", "#/paths", "#/a", "3.0.0", "{", "/", "query", "é€x", ""];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::sample::select(KNOWN).prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..4)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// All places of a value, as pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let members = value.as_object().into_iter().flatten();
    let members = members.map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value));
    let items = value.as_array().into_iter().flatten().enumerate().map(|(index, value)| (index.to_string(), value));
    members.chain(items).for_each(|(step, value)| places(value, &format!("{at}/{step}"), found));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_wrong_with_a_document_it_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), arb_value()), 1..4),
        kind in prop::sample::select(&["openapi", "swagger", "discoveryVersion"][..]),
    ) {
        let mut document: Value = serde_json::from_str(WHOLE).unwrap();
        for (index, value) in changes {
            let mut all = Vec::new();
            places(&document, "", &mut all);
            let place: &String = index.get(&all);
            *document.pointer_mut(place).unwrap() = value;
        }
        if let Some(map) = document.as_object_mut().filter(|_| kind != "openapi") {
            map.remove("openapi");
            map.insert(kind.to_owned(), json!("2.0"));
        }
        let text = document.to_string();
        let imported = import("test", &[Source { name: "doc".into(), text: &text }]);
        let operations = imported.contract.operations().count();
        prop_assert!(operations > 0 || !imported.problems.is_empty());
        let written = to_text(&imported.contract);
        let read = Contract::read(written.clone().leak()).unwrap();
        prop_assert!(read == imported.contract);
        prop_assert_eq!(to_text(&read), written);
        prop_assert!(imported.problems.is_sorted());
    }
}
