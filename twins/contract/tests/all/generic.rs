//! The generic twin on small documents, made up for the purpose.

use bytes::Bytes;
use dtu_contract::{
    contract::Contract,
    generic::{Alone, Body, Call, Engine, Made, Neighbour, Neighbours, Store, customs::Plain, refusal::Refused},
    import::{Source, import},
    validate::{Checker, Sent},
};
use dtu_kernel::{time::Timestamp, tx::Desk};
use http::HeaderMap;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A contract with what it takes to be called.
struct Bench {
    contract: &'static Contract,
    engine: Engine,
    checker: Checker,
    store: Store,
    desk: Desk,
}

const ORIGIN: &str = "http://127.0.0.1:4000";

impl Bench {
    fn new(document: &Value) -> Self {
        let text = document.to_string();
        let imported = import("test", &[Source { name: "test".into(), text: &text }]);
        assert!(imported.contract.documents.len() == 1, "{:?}", imported.problems);
        let contract: &'static Contract = Box::leak(Box::new(imported.contract));
        Self {
            contract,
            engine: Engine::new(contract, "test"),
            checker: Checker::new(&contract.documents[0]),
            store: Store::new("objects"),
            desk: Desk::new(7, Timestamp::parse("2026-03-02T09:00:00Z").unwrap()),
        }
    }

    fn index(&self, method: &str, path: &str) -> usize {
        let found = self.contract.operations().position(|(_, op)| op.method == method && op.path == path);
        found.unwrap_or_else(|| panic!("no {method} {path}"))
    }

    fn plan(&self, method: &str, path: &str) -> String {
        let index = self.index(method, path);
        format!("{} [{}]", self.engine.plan(index), self.engine.level(index).name())
    }

    /// Calls an operation as a listener would; every answer must fit the contract.
    fn try_call(&mut self, method: &str, path: &str, ids: &[&str], query: &str, body: &Value) -> Result<Made, Refused> {
        self.call_beside(method, path, ids, query, body, &Alone)
    }

    fn call_beside(
        &mut self,
        method: &str,
        path: &str,
        ids: &[&str],
        query: &str,
        body: &Value,
        neighbours: &dyn Neighbours,
    ) -> Result<Made, Refused> {
        let index = self.index(method, path);
        let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let params: Vec<(&str, String)> = names.zip(ids).map(|(name, id)| (name, (*id).to_owned())).collect();
        let sent_path =
            params.iter().fold(path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
        let headers = HeaderMap::new();
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let media_type = if body.is_null() { String::new() } else { "application/json".to_owned() };
        let sent = Sent { path_params: &params, query, headers: &headers, media_type, body: text.as_bytes() };
        let arguments = self.checker.request(index, &sent)?;
        let now = self.desk.now;
        let call = Call {
            arguments: &arguments,
            now,
            origin: ORIGIN,
            path: &sent_path,
            query,
            caller: "",
            neighbours,
            customs: &Plain,
        };
        let made = if self.engine.writes(index) {
            // On refusal nothing may have changed, as in a universe.
            let mut store = self.store.clone();
            let made = self.engine.act(index, &call, &mut store, &mut self.desk.tx())?;
            self.store = store;
            made
        } else {
            let made = self.engine.look(index, &call, &self.store)?;
            let again = self.engine.look(index, &call, &self.store)?;
            assert_eq!(made, again, "{method} {path} answers otherwise when read again");
            made
        };
        let bytes = made.body.clone().map(Bytes::from).unwrap_or_default();
        let found = self.checker.response(index, made.status, made.media_type.unwrap_or_default(), &bytes);
        assert!(found.is_empty(), "{method} {path}: {found:?} in {} {bytes:?}", made.status);
        Ok(made)
    }

    fn call(&mut self, method: &str, path: &str, ids: &[&str], query: &str, body: &Value) -> Made {
        let made = self.try_call(method, path, ids, query, body);
        made.unwrap_or_else(|refused| panic!("{method} {path} {ids:?} {query} {body}: {refused:?}"))
    }

    fn json(&mut self, method: &str, path: &str, ids: &[&str], query: &str, body: &Value) -> Value {
        value(&self.call(method, path, ids, query, body))
    }
}

fn value(made: &Made) -> Value {
    made.body.as_ref().and_then(Body::json).cloned().unwrap_or_default()
}

fn id_of(object: &Value) -> String {
    match &object["id"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How a collection's list is read.
#[derive(Clone, Copy, Debug)]
enum Pages {
    Whole,
    Link,
    Token,
    Offset,
}

/// A collection of a made-up service.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that documents do either way")]
struct Resource {
    name: String,
    numbered: bool,
    members: Vec<(String, Value, bool)>,
    wrapped: bool,
    pages: Pages,
    patch: bool,
    posts_update: bool,
    below: Vec<Resource>,
}

fn member_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string"})),
        Just(json!({"type": "string", "minLength": 3, "maxLength": 8})),
        Just(json!({"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"})),
        Just(json!({"type": "string", "format": "date-time"})),
        Just(json!({"type": "string", "format": "email"})),
        Just(json!({"type": "string", "format": "uri"})),
        Just(json!({"type": "string", "format": "uuid", "readOnly": true})),
        Just(json!({"type": "string", "enum": ["RED", "GREEN"]})),
        Just(json!({"type": "integer", "minimum": 5, "maximum": 50})),
        Just(json!({"type": "number", "exclusiveMinimum": true, "minimum": 1})),
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "string", "nullable": true})),
        Just(json!({"type": "string", "writeOnly": true})),
        Just(json!({"$ref": "#/components/schemas/Knot"})),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type": "array", "items": items, "minItems": 1})),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|list| {
                let members: Map<String, Value> = list.into_iter().enumerate().map(|(at, v)| (format!("m{at}"), v)).collect();
                json!({"type": "object", "properties": members, "required": ["m0"]})
            }),
            inner.clone().prop_map(|inner| json!({"allOf": [inner]})),
            inner.prop_map(|inner| json!({"oneOf": [{"type": "object", "required": ["x"], "properties": {"x": inner}}, {"type": "integer"}]})),
        ]
    })
}

fn resource(depth: u32) -> BoxedStrategy<Resource> {
    let members = prop::collection::vec((member_schema(), any::<bool>()), 0..5);
    let pages = prop_oneof![Just(Pages::Whole), Just(Pages::Link), Just(Pages::Token), Just(Pages::Offset)];
    let below =
        if depth == 0 { Just(Vec::new()).boxed() } else { prop::collection::vec(resource(depth - 1), 0..2).boxed() };
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (members, pages, below, flags)
        .prop_map(move |(members, pages, below, (numbered, wrapped, patch, posts_update))| {
            let members =
                members.into_iter().enumerate().map(|(at, (schema, required))| (format!("p{at}"), schema, required));
            let name = format!("things{depth}");
            Resource { name, numbered, members: members.collect(), wrapped, pages, patch, posts_update, below }
        })
        .boxed()
}

/// The document of a tree of collections.
fn document(root: &Resource) -> Value {
    let mut paths = Map::new();
    describe(root, "", &mut Vec::new(), &mut paths);
    let knot = json!({"type": "object", "required": ["next"], "properties": {"next": {"type": "array", "items": {"$ref": "#/components/schemas/Knot"}}}});
    json!({
        "openapi": "3.0.0", "info": {"title": "t", "version": "1"},
        "paths": paths, "components": {"schemas": {"Knot": knot}},
    })
}

fn describe(resource: &Resource, above: &str, parents: &mut Vec<Value>, paths: &mut Map<String, Value>) {
    let path = format!("{above}/{}", resource.name);
    let parameter = format!("{}Id", resource.name);
    let of = |schema: &Value| json!({"content": {"application/json": {"schema": schema}}});
    let object = object_schema(resource);
    let answer = |status: &str, schema: &Value| {
        let mut answer = of(schema);
        answer["description"] = json!("d");
        json!({ status: answer })
    };
    let (list, query, headers) = listing(resource, &object);
    let mut listed = answer("200", &list);
    listed["200"]["headers"] = headers;
    let create = json!({"operationId": format!("create{path}"), "requestBody": of(&object), "responses": answer("201", &object), "parameters": parents});
    let all: Vec<Value> = parents.iter().cloned().chain(query).collect();
    paths.insert(
        path.clone(),
        json!({
            "get": {"operationId": format!("list{path}"), "parameters": all, "responses": listed},
            "post": create,
        }),
    );
    let kind = if resource.numbered { "integer" } else { "string" };
    parents.push(json!({"name": parameter, "in": "path", "required": true, "schema": {"type": kind}}));
    let item = format!("{path}/{{{parameter}}}");
    let mut partial = object.clone();
    partial.as_object_mut().unwrap().remove("required");
    let update = json!({"operationId": format!("update{path}"), "parameters": parents, "requestBody": of(&partial), "responses": answer("200", &object)});
    let replace = json!({"operationId": format!("replace{path}"), "parameters": parents, "requestBody": of(&object), "responses": answer("200", &object)});
    let mut operations = json!({
        "get": {"operationId": format!("get{path}"), "parameters": parents, "responses": answer("200", &object)},
        "put": replace,
        "delete": {"operationId": format!("delete{path}"), "parameters": parents, "responses": {"204": {"description": "gone"}}},
    });
    if resource.patch {
        operations["patch"] = update.clone();
    }
    if resource.posts_update {
        operations["post"] = update;
        operations["post"]["operationId"] = json!(format!("post{path}"));
    }
    paths.insert(item.clone(), operations);
    for below in &resource.below {
        describe(below, &item, parents, paths);
    }
    parents.pop();
}

fn object_schema(resource: &Resource) -> Value {
    let id = if resource.numbered {
        json!({"type": "integer", "readOnly": true})
    } else {
        json!({"type": "string", "readOnly": true})
    };
    let mut properties = Map::from_iter([("id".to_owned(), id), ("label".to_owned(), json!({"type": "string"}))]);
    properties.insert("createdAt".to_owned(), json!({"type": "string", "format": "date-time", "readOnly": true}));
    let mut required = vec![json!("id")];
    for (name, schema, is_required) in &resource.members {
        properties.insert(name.clone(), schema.clone());
        if *is_required {
            required.push(json!(name));
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

/// The list's schema, its parameters and its headers.
fn listing(resource: &Resource, object: &Value) -> (Value, Vec<Value>, Value) {
    let array = json!({"type": "array", "items": object});
    let limit = json!({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 50}});
    let text = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    let number = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}});
    let wrapped = if resource.wrapped { "items" } else { resource.name.as_str() };
    match resource.pages {
        Pages::Whole if resource.wrapped => {
            (json!({"type": "object", "properties": {"values": array}}), vec![], json!({}))
        }
        Pages::Whole => (array, vec![], json!({})),
        Pages::Link => (array, vec![text("after"), limit], json!({"Link": {"schema": {"type": "string"}}})),
        Pages::Token => {
            let list = json!({"type": "object", "required": [wrapped], "properties": {wrapped: array, "nextPageToken": {"type": "string"}}});
            (
                list,
                vec![text("pageToken"), json!({"name": "pageSize", "in": "query", "schema": {"type": "integer"}})],
                json!({}),
            )
        }
        Pages::Offset => {
            let counters = json!({"type": "integer"});
            let properties = json!({wrapped: array, "startAt": counters, "maxResults": counters, "total": counters, "isLast": {"type": "boolean"}});
            let list = json!({"type": "object", "required": [wrapped, "total"], "properties": properties});
            let most = json!({"name": "maxResults", "in": "query", "schema": {"type": "integer"}});
            (list, vec![number("startAt"), most], json!({}))
        }
    }
}

/// The ids that a list shows, page after page of two.
fn ids_in_pages(bench: &mut Bench, resource: &Resource, path: &str, parents: &[&str]) -> Vec<String> {
    let mut seen = Vec::new();
    let size = match resource.pages {
        Pages::Whole => "",
        Pages::Link => "limit=2",
        Pages::Token => "pageSize=2",
        Pages::Offset => "maxResults=2",
    };
    let mut query = size.to_owned();
    for _ in 0..20 {
        let made = bench.call("GET", path, parents, &query, &Value::Null);
        let body = value(&made);
        let lists = || body.as_object()?.values().find(|value| value.is_array())?.as_array();
        let items = body.as_array().or_else(lists).unwrap();
        assert!(query.is_empty() || items.len() <= 2);
        seen.extend(items.iter().map(id_of));
        let next = match resource.pages {
            Pages::Whole => None,
            Pages::Link => made.headers.iter().find(|(_, link)| link.contains("rel=\"next\"")).map(|(_, link)| {
                let address = link.split('>').next().unwrap();
                address.split_once('?').unwrap().1.to_owned()
            }),
            Pages::Token => body["nextPageToken"].as_str().map(|token| format!("{size}&pageToken={token}")),
            Pages::Offset => (body["isLast"] == json!(false)).then(|| format!("{size}&startAt={}", seen.len())),
        };
        let Some(next) = next else { return seen };
        query = next;
    }
    panic!("the pages of {path} never end")
}

/// The whole life of three objects of a collection, and then of the collections below.
fn live(bench: &mut Bench, resource: &Resource, above: &str, parents: &[&str]) {
    let path = format!("{above}/{}", resource.name);
    let item = format!("{path}/{{{}Id}}", resource.name);
    let body = sample(resource);
    let made: Vec<Value> = (0..3).map(|_| bench.json("POST", &path, parents, "", &body)).collect();
    let ids: Vec<String> = made.iter().map(id_of).collect();
    for (object, id) in made.iter().zip(&ids) {
        let at: Vec<&str> = parents.iter().copied().chain([id.as_str()]).collect();
        assert_eq!(&bench.json("GET", &item, &at, "", &Value::Null), object);
        assert_eq!(object["createdAt"], json!("2026-03-02T09:00:00.000Z"));
    }
    assert_eq!(ids_in_pages(bench, resource, &path, parents), ids);

    let at: Vec<&str> = parents.iter().copied().chain([ids[1].as_str()]).collect();
    let ways = [("PATCH", resource.patch), ("POST", resource.posts_update)];
    for (method, _) in ways.iter().filter(|(_, there)| *there) {
        let updated = bench.json(method, &item, &at, "", &json!({"label": *method}));
        let mut expected = made[1].clone();
        expected["label"] = json!(*method);
        assert_eq!(updated, expected);
        assert_eq!(bench.json("GET", &item, &at, "", &Value::Null), expected);
    }
    let mut other = body.clone();
    other["label"] = json!("replaced");
    let replaced = bench.json("PUT", &item, &at, "", &other);
    assert_eq!((&replaced["id"], &replaced["label"]), (&made[1]["id"], &json!("replaced")));
    assert_eq!(bench.json("GET", &item, &at, "", &Value::Null), replaced);

    for below in &resource.below {
        live(bench, below, &item, &at);
    }
    bench.call("DELETE", &item, &at, "", &Value::Null);
    let gone = bench.try_call("GET", &item, &at, "", &Value::Null);
    assert_eq!(gone, Err(Refused::NotFound { collection: resource.name.as_str().into(), id: ids[1].as_str().into() }));
    for below in &resource.below {
        let refused = bench.try_call("GET", &format!("{item}/{}", below.name), &at, "", &Value::Null);
        assert!(matches!(refused, Err(Refused::NotFound { .. })), "{refused:?}");
    }
    assert_eq!(ids_in_pages(bench, resource, &path, parents), [ids[0].clone(), ids[2].clone()]);
}

/// A body with all required members that a caller may set.
fn sample(resource: &Resource) -> Value {
    let settable =
        resource.members.iter().filter(|(_, schema, required)| *required && schema["readOnly"] != json!(true));
    let members: Map<String, Value> = settable.map(|(name, schema, _)| (name.clone(), sample_of(schema))).collect();
    Value::Object(members)
}

fn sample_of(schema: &Value) -> Value {
    if let Some(first) = schema["allOf"].get(0) {
        return sample_of(first);
    }
    if schema["oneOf"].is_array() {
        return json!(3);
    }
    if schema["$ref"].is_string() {
        return json!({"next": [{"next": []}]});
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (_, Some("date-time")) => json!("2026-01-01T00:00:00Z"),
        (_, Some("email")) => json!("a@example.com"),
        (_, Some("uri")) => json!("https://example.com/x"),
        (_, Some("uuid")) => json!("00000000-0000-4000-8000-000000000000"),
        (Some("string"), _) if schema["pattern"].is_string() => json!("AB-12"),
        (Some("string"), _) if schema["enum"].is_array() => json!("GREEN"),
        (Some("string"), _) => json!("text"),
        (Some("integer" | "number"), _) => json!(7),
        (Some("boolean"), _) => json!(true),
        (Some("array"), _) => json!([sample_of(&schema["items"])]),
        _ => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let settable = properties.filter(|(_, schema)| schema["readOnly"] != json!(true));
            Value::Object(settable.map(|(name, schema)| (name.clone(), sample_of(schema))).collect())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn objects_live_as_their_contract_says(root in resource(2)) {
        let document = document(&root);
        let mut bench = Bench::new(&document);
        live(&mut bench, &root, "", &[]);
    }
}

/// A small shop, with everything that the cases below need.
fn shop() -> Value {
    let pet = json!({"type": "object", "required": ["id", "name", "status"], "properties": {
        "id": {"type": "integer", "format": "int64", "readOnly": true},
        "name": {"type": "string", "minLength": 1},
        "tag": {"type": "string"},
        "secret": {"type": "string", "writeOnly": true},
        "status": {"type": "string", "enum": ["DRAFT", "ACTIVE", "INACTIVE", "ARCHIVED"], "readOnly": true},
        "lastUpdated": {"type": "string", "format": "date-time", "readOnly": true},
        "_links": {"type": "object", "readOnly": true, "properties": {"self": {"type": "object", "properties": {"href": {"type": "string"}}}}},
    }});
    let settings = json!({"type": "object", "required": ["theme", "size"], "properties": {
        "theme": {"type": "string", "enum": ["light", "dark"]}, "size": {"type": "integer", "minimum": 3},
    }});
    let code = json!({"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}, "percent": {"type": "integer"}}});
    let user = json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "login": {"type": "string"}}});
    let of = |name: &str| json!({"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}}});
    let answer = |status: &str, name: &str| {
        let mut answer = of(name);
        answer["description"] = json!("d");
        json!({"responses": {status: answer}})
    };
    let op = |id: &str, status: &str, name: &str, more: Value| {
        let mut op = answer(status, name);
        op["operationId"] = json!(id);
        op.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        op
    };
    let list = |id: &str, name: &str, parameters: Value| {
        let schema = json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{name}")}});
        json!({"operationId": id, "parameters": parameters, "responses": {"200": {"description": "d", "content": {"application/json": {"schema": schema}}}}})
    };
    let empty = |id: &str| json!({"operationId": id, "responses": {"204": {"description": "d"}}});
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    let nothing = json!({});
    let path = |name: &str| json!([{"name": name, "in": "path", "required": true, "schema": {"type": "string"}}]);
    let two = |a: &str, b: &str| {
        Value::Array([path(a), path(b)].into_iter().flat_map(|list| list.as_array().unwrap().clone()).collect())
    };
    let id = || path("petId");
    let filters = json!([query("status"), query("tag"), query("filter"), query("sort"), query("expand"), query("after"),
        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20, "maximum": 50}}]);
    let body = |name: &str| json!({"requestBody": of(name)});
    json!({
        "openapi": "3.0.0", "info": {"title": "shop", "version": "1"},
        "components": {"schemas": {"Pet": pet, "Settings": settings, "Code": code, "User": user}},
        "paths": {
            "/pets": {"get": list("listPets", "Pet", filters), "post": op("createPet", "201", "Pet", body("Pet"))},
            "/pets/search": {"parameters": [], "post": list("searchPets", "Pet", json!([]))},
            "/pets/{petId}": {"parameters": id(), "get": op("getPet", "200", "Pet", nothing.clone()),
                "post": op("updatePet", "200", "Pet", body("Pet")), "delete": empty("deletePet")},
            "/pets/{petId}/lifecycle/deactivate": {"parameters": id(), "post": empty("deactivatePet")},
            "/pets/{petId}:archive": {"parameters": id(), "post": op("archivePet", "200", "Pet", nothing.clone())},
            "/pets/{petId}/clone": {"parameters": id(), "post": op("clonePet", "200", "Pet", body("Pet"))},
            "/pets/{petId}/settings": {"parameters": id(), "get": op("getSettings", "200", "Settings", nothing.clone()),
                "put": op("putSettings", "200", "Settings", body("Settings")), "delete": empty("resetSettings")},
            "/pets/{petId}/owners": {"parameters": id(), "get": list("listOwners", "User", json!([]))},
            "/pets/{petId}/owners/{userId}": {"parameters": two("petId", "userId"), "put": empty("addOwner"), "delete": empty("removeOwner")},
            "/codes": {"get": list("listCodes", "Code", json!([])), "post": op("createCode", "201", "Code", body("Code"))},
            "/codes/{code}": {"parameters": path("code"), "get": op("getCode", "200", "Code", nothing.clone())},
            "/features/{featureId}": {"parameters": path("featureId"), "get": op("getFeature", "200", "User", nothing.clone())},
            "/features/{featureId}/notes": {"parameters": path("featureId"), "get": list("listNotes", "Code", json!([])),
                "post": op("createNote", "201", "Code", body("Code"))},
            "/things/bulk": {"post": op("bulk", "200", "Settings", nothing.clone())},
        },
    })
}

#[test]
fn operations_are_understood_from_their_neighbours() {
    let bench = Bench::new(&shop());
    let check =
        |method: &str, path: &str, expected: &str| assert_eq!(bench.plan(method, path), expected, "{method} {path}");
    check("GET", "/pets", "list /pets [stores]");
    check("POST", "/pets", "create /pets [stores]");
    check("POST", "/pets/search", "search /pets [stores]");
    check("GET", "/pets/{petId}", "get /pets [stores]");
    check("POST", "/pets/{petId}", "update /pets [stores]");
    check("DELETE", "/pets/{petId}", "delete /pets [stores]");
    check("POST", "/pets/{petId}/lifecycle/deactivate", "change /pets (status = \"INACTIVE\") [stores]");
    check("POST", "/pets/{petId}:archive", "change /pets (status = \"ARCHIVED\") [stores]");
    check("POST", "/pets/{petId}/clone", "shape [shapes]");
    check("GET", "/pets/{petId}/settings", "read one /pets/{petId}/settings [stores]");
    check("PUT", "/pets/{petId}/settings", "replace one /pets/{petId}/settings [stores]");
    check("DELETE", "/pets/{petId}/settings", "reset one /pets/{petId}/settings [stores]");
    check("PUT", "/pets/{petId}/owners/{userId}", "replace /pets/{petId}/owners [stores]");
    check("GET", "/pets/{petId}/owners", "list /pets/{petId}/owners [stores]");
    check("GET", "/features/{featureId}", "get /features [shapes]");
    check("POST", "/features/{featureId}/notes", "create /features/{featureId}/notes [stores]");
    check("POST", "/things/bulk", "shape [shapes]");
}

#[test]
fn an_object_has_what_the_service_sets_itself() {
    let mut bench = Bench::new(&shop());
    let made = bench.json("POST", "/pets", &[], "", &json!({"name": "Rex", "secret": "bone"}));
    let expected = json!({"id": 1, "name": "Rex", "status": "ACTIVE", "lastUpdated": "2026-03-02T09:00:00.000Z",
        "_links": {"self": {"href": "http://127.0.0.1:4000/pets/1"}}});
    assert_eq!(made, expected);
    assert_eq!(bench.store.to_json()["/pets/1"]["secret"], json!("bone"), "kept, and never shown");
    assert_eq!(bench.json("POST", "/pets", &[], "", &json!({"name": "Tom"}))["id"], json!(2));
}

#[test]
fn verbs_change_the_status_and_nothing_else() {
    let mut bench = Bench::new(&shop());
    let made = bench.json("POST", "/pets", &[], "", &json!({"name": "Rex"}));
    bench.desk.now = Timestamp::parse("2026-03-02T10:00:00Z").unwrap();
    let made_inactive = bench.call("POST", "/pets/{petId}/lifecycle/deactivate", &["1"], "", &Value::Null);
    assert_eq!((made_inactive.status, made_inactive.body), (204, None));
    let mut expected = made;
    expected["status"] = json!("INACTIVE");
    expected["lastUpdated"] = json!("2026-03-02T10:00:00.000Z");
    assert_eq!(bench.json("GET", "/pets/{petId}", &["1"], "", &Value::Null), expected);
    assert_eq!(bench.json("POST", "/pets/{petId}:archive", &["1"], "", &Value::Null)["status"], json!("ARCHIVED"));
}

#[test]
fn one_object_without_id_is_made_up_until_it_is_written() {
    let mut bench = Bench::new(&shop());
    bench.call("POST", "/pets", &[], "", &json!({"name": "Rex"}));
    let path = "/pets/{petId}/settings";
    let initial = json!({"theme": "light", "size": 3});
    assert_eq!(bench.json("GET", path, &["1"], "", &Value::Null), initial);
    bench.call("PUT", path, &["1"], "", &json!({"theme": "dark", "size": 9}));
    assert_eq!(bench.json("GET", path, &["1"], "", &Value::Null), json!({"theme": "dark", "size": 9}));
    bench.call("DELETE", path, &["1"], "", &Value::Null);
    assert_eq!(bench.json("GET", path, &["1"], "", &Value::Null), initial);
}

/// People are kept by hand-written rules, which know one by login.
struct People;

impl Neighbours for People {
    fn find(&self, collection: &str, id: &str) -> Option<Neighbour> {
        let known = |id: &str| if id == "ann@example.com" { Neighbour::Is("u1".into()) } else { Neighbour::Missing };
        (collection == "/pets/{petId}/owners").then(|| known(id))
    }
}

#[test]
fn memberships_are_of_those_that_somebody_knows() {
    let mut bench = Bench::new(&shop());
    bench.call("POST", "/pets", &[], "", &json!({"name": "Rex"}));
    let path = "/pets/{petId}/owners/{userId}";
    bench.call_beside("PUT", path, &["1", "ann@example.com"], "", &Value::Null, &People).unwrap();
    let owners = bench.json("GET", "/pets/{petId}/owners", &["1"], "", &Value::Null);
    assert_eq!(owners, json!([{"id": "u1"}]));
    let refused = bench.call_beside("PUT", path, &["1", "eve"], "", &Value::Null, &People);
    assert_eq!(refused, Err(Refused::NotFound { collection: "owners".into(), id: "eve".into() }));
    bench.call_beside("DELETE", path, &["1", "ann@example.com"], "", &Value::Null, &People).unwrap();
    assert_eq!(bench.json("GET", "/pets/{petId}/owners", &["1"], "", &Value::Null), json!([]));
}

#[test]
fn lists_are_filtered_and_sorted_by_members_and_by_nothing_else() {
    let mut bench = Bench::new(&shop());
    for (name, tag) in [("b", "x"), ("a", "y"), ("c", "x")] {
        bench.call("POST", "/pets", &[], "", &json!({"name": name, "tag": tag}));
    }
    let mut check = |query: &str, expected: Result<&str, &str>| {
        let found = bench.try_call("GET", "/pets", &[], query, &Value::Null);
        let names = found.map(|made| {
            value(&made)
                .as_array()
                .unwrap()
                .iter()
                .map(|pet| pet["name"].as_str().unwrap().to_owned())
                .collect::<String>()
        });
        let expected = expected.map(str::to_owned).map_err(|what| Refused::Unserved { what: what.to_owned() });
        assert_eq!(names, expected, "{query}");
    };
    check("", Ok("bac"));
    check("tag=x", Ok("bc"));
    check("tag=x&status=INACTIVE", Ok(""));
    check("sort=name", Ok("abc"));
    check("sort=-name", Ok("cba"));
    check("sort=name&limit=2", Ok("ab"));
    check("expand=owners&limit=20", Ok("bac"));
    check("filter=", Ok("bac"));
    check("filter=name+eq+1", Err("`filter` here"));
    check("sort=colour", Err("`sort` here"));
}

#[test]
fn what_is_not_there_is_refused() {
    let mut bench = Bench::new(&shop());
    bench.call("POST", "/codes", &[], "", &json!({"code": "SALE", "percent": 5}));
    let not_found = |collection: &str, id: &str| Refused::NotFound { collection: collection.into(), id: id.into() };
    let mut check = |method: &str, path: &str, ids: &[&str], query: &str, body: Value, expected: Option<Refused>| {
        let refused = bench.try_call(method, path, ids, query, &body).err();
        assert_eq!(refused, expected, "{method} {path} {ids:?} {query}");
    };
    check("GET", "/pets/{petId}", &["9"], "", Value::Null, Some(not_found("pets", "9")));
    check("POST", "/pets/{petId}", &["9"], "", json!({"name": "x"}), Some(not_found("pets", "9")));
    check("DELETE", "/pets/{petId}", &["9"], "", Value::Null, Some(not_found("pets", "9")));
    check("GET", "/pets/{petId}/settings", &["9"], "", Value::Null, Some(not_found("pets", "9")));
    check("PUT", "/pets/{petId}/owners/{userId}", &["9", "u"], "", Value::Null, Some(not_found("pets", "9")));
    check("POST", "/pets/{petId}/clone", &["9"], "", json!({"name": "x"}), Some(not_found("pets", "9")));
    let exists = Refused::Exists { collection: "codes".into(), member: "code".into(), value: "SALE".to_owned() };
    check("POST", "/codes", &[], "", json!({"code": "SALE"}), Some(exists));
    check("GET", "/codes/{code}", &["SALE"], "", Value::Null, None);
    let cursor = Refused::BadCursor { parameter: "after".into(), value: "17".to_owned() };
    check("GET", "/pets", &[], "after=17", Value::Null, Some(cursor));
    // Nobody can make a feature, so any is one.
    check("GET", "/features/{featureId}", &["beta"], "", Value::Null, None);
    check("POST", "/features/{featureId}/notes", &["beta"], "", json!({"code": "x"}), None);
}

#[test]
fn one_call_more_changes_no_other_value() {
    let ids = |more: bool| {
        let mut bench = Bench::new(&shop());
        bench.store = Store::new("objects");
        if more {
            bench.call("POST", "/pets", &[], "", &json!({"name": "Rex"}));
            bench.call("POST", "/codes", &[], "", &json!({"code": "A"}));
        }
        let note = bench.json("POST", "/features/{featureId}/notes", &["beta"], "", &json!({"code": "x"}));
        (note, bench.json("GET", "/features/{featureId}", &["beta"], "", &Value::Null))
    };
    assert_eq!(ids(false), ids(true));
}

#[test]
fn a_cursor_survives_what_comes_and_goes() {
    let mut bench = Bench::new(&shop());
    for name in ["a", "b", "c", "d"] {
        bench.call("POST", "/pets", &[], "", &json!({"name": name}));
    }
    let first = bench.call("GET", "/pets", &[], "limit=2", &Value::Null);
    let next = first.headers.iter().find(|(_, link)| link.contains("rel=\"next\"")).unwrap();
    let query = next.1.split(['?', '>']).nth(1).unwrap().to_owned();
    bench.call("DELETE", "/pets/{petId}", &["2"], "", &Value::Null);
    bench.call("POST", "/pets", &[], "", &json!({"name": "e"}));
    let second = bench.json("GET", "/pets", &[], &query, &Value::Null);
    let names: Vec<_> = second.as_array().unwrap().iter().map(|pet| pet["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["c", "d"]);
}

/// Methods in the manner of Slack: a noun and a verb.
fn methods() -> Value {
    let mark = json!({"type": "object", "required": ["id", "title"], "properties": {
        "id": {"type": "string"}, "channel_id": {"type": "string"}, "title": {"type": "string"}, "date_created": {"type": "integer"},
    }});
    let ok = json!({"type": "boolean", "enum": [true]});
    let one = json!({"type": "object", "required": ["ok", "mark"], "properties": {"ok": ok, "mark": mark}});
    let many = json!({"type": "object", "required": ["ok", "marks"], "properties": {"ok": ok, "marks": {"type": "array", "items": mark},
        "response_metadata": {"type": "object", "properties": {"next_cursor": {"type": "string"}}}}});
    let none = json!({"type": "object", "required": ["ok"], "properties": {"ok": ok}});
    let op = |name: &str, names: &[&str], schema: &Value| {
        let parameters: Vec<Value> =
            names.iter().map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}})).collect();
        let answer = json!({"description": "d", "content": {"application/json": {"schema": schema}}});
        (
            format!("/api/{name}"),
            json!({"post": {"operationId": name, "parameters": parameters, "responses": {"200": answer}}}),
        )
    };
    let paths: Map<String, Value> = [
        op("marks.add", &["channel_id", "title"], &one),
        op("marks.list", &["channel_id", "cursor", "limit"], &many),
        op("marks.edit", &["channel_id", "mark_id", "title"], &one),
        op("marks.remove", &["channel_id", "mark_id"], &none),
        op("marks.teleport", &["channel_id"], &none),
    ]
    .into_iter()
    .collect();
    json!({"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": paths})
}

#[test]
fn methods_are_nouns_with_verbs() {
    let mut bench = Bench::new(&methods());
    let check = |path: &str, expected: &str| assert_eq!(bench.plan("POST", path), expected, "{path}");
    check("/api/marks.add", "create /marks/{channel_id} [stores]");
    check("/api/marks.list", "list /marks/{channel_id} [stores]");
    check("/api/marks.edit", "update /marks/{channel_id} [stores]");
    check("/api/marks.remove", "delete /marks/{channel_id} [stores]");
    check("/api/marks.teleport", "shape [shapes]");

    let made = bench.json("POST", "/api/marks.add", &[], "channel_id=C1&title=one", &Value::Null);
    let id = made["mark"]["id"].as_str().unwrap().to_owned();
    assert_eq!((&made["ok"], &made["mark"]["channel_id"]), (&json!(true), &json!("C1")));
    let edit = format!("channel_id=C1&mark_id={id}&title=two");
    let edited = bench.json("POST", "/api/marks.edit", &[], &edit, &Value::Null);
    assert_eq!(edited["mark"]["title"], json!("two"));
    let listed = |bench: &mut Bench, query: &str| {
        let list = bench.json("POST", "/api/marks.list", &[], query, &Value::Null);
        list["marks"].as_array().unwrap().clone()
    };
    assert_eq!(listed(&mut bench, "channel_id=C1"), [edited["mark"].clone()]);
    assert_eq!(listed(&mut bench, "channel_id=C2"), Vec::<Value>::new());
    assert_eq!(bench.json("POST", "/api/marks.remove", &[], &edit, &Value::Null), json!({"ok": true}));
    let gone = bench.try_call("POST", "/api/marks.remove", &[], &edit, &Value::Null);
    assert_eq!(gone, Err(Refused::NotFound { collection: "marks".into(), id: id.into() }));
}

#[test]
fn what_a_world_gives_is_there_and_is_not_made_twice() {
    let mut bench = Bench::new(&shop());
    for id in [7, 41] {
        let pet = json!({"id": id, "name": "Old", "status": "DRAFT"});
        bench.engine.seed(&mut bench.store, "/pets", pet.as_object().unwrap().clone()).unwrap();
    }
    assert_eq!(bench.json("POST", "/pets", &[], "", &json!({"name": "New"}))["id"], json!(42));
    let names: Vec<Value> = bench
        .json("GET", "/pets", &[], "", &Value::Null)
        .as_array()
        .unwrap()
        .iter()
        .map(|pet| pet["id"].clone())
        .collect();
    assert_eq!(names, [json!(7), json!(41), json!(42)]);
    let feature = json!({"id": "beta"});
    bench.engine.seed(&mut bench.store, "/features", feature.as_object().unwrap().clone()).unwrap();
    assert!(bench.try_call("GET", "/features/{featureId}", &["beta"], "", &Value::Null).is_ok());
    let gone = bench.try_call("GET", "/features/{featureId}", &["alpha"], "", &Value::Null);
    assert_eq!(gone, Err(Refused::NotFound { collection: "features".into(), id: "alpha".into() }));
}

#[test]
fn alternatives_that_take_little_are_told_apart_by_what_they_may_have() {
    let hook = |kind: &str| {
        let command = json!({ "type": "object", "properties": { "kind": { "type": "string", "enum": [kind] } } });
        json!({ "type": "object", "properties": { "commands": { "type": "array", "items": command } } })
    };
    let mut bench = Bench::new(&json!({
        "openapi": "3.0.3",
        "info": { "title": "Hooks", "version": "1" },
        "paths": { "/run": { "post": { "operationId": "run", "responses": { "200": {
            "description": "What came of it",
            "content": { "application/json": { "schema": { "oneOf": [hook("grow"), hook("shrink")] } } }
        } } } } }
    }));
    assert_eq!(bench.json("POST", "/run", &[], "", &Value::Null), json!({ "commands": [{ "kind": "grow" }] }));
}

#[test]
fn what_was_sent_strangely_is_shown_plainly() {
    let thing = json!({
        "type": "object",
        "required": ["id", "size"],
        "properties": {
            "id": { "type": "string" },
            "size": { "type": "integer" },
            "self": { "type": "string", "format": "uri", "readOnly": true },
        },
    });
    let answer =
        |schema: &Value| json!({ "description": "It", "content": { "application/json": { "schema": schema } } });
    let body = json!({ "content": { "application/json": { "schema": thing } } });
    let mut bench = Bench::new(&json!({
        "openapi": "3.0.3",
        "info": { "title": "Things", "version": "1" },
        "paths": {
            "/things": { "post": { "requestBody": body, "responses": { "201": answer(&thing) } } },
            "/things/{id}": {
                "get": { "responses": { "200": answer(&thing) } },
                "delete": { "responses": { "204": answer(&json!({})) } },
            },
        },
    }));
    let made = bench.call("POST", "/things", &[], "", &json!({ "id": "\u{e0} 7%/b", "size": 7.0 }));
    let expected = json!({ "id": "\u{e0} 7%/b", "size": 7, "self": format!("{ORIGIN}/things/%C3%A0%207%25%2Fb") });
    assert_eq!(value(&made).to_string(), expected.to_string());
    let gone = bench.call("DELETE", "/things/{id}", &["\u{e0} 7%/b"], "", &Value::Null);
    assert_eq!((gone.status, gone.media_type, gone.body), (204, None, None));
}
