//! Two states of a contract, and what changed.

use dtu_contract::{
    contract::Contract,
    diff::{Change, breaks, diff},
};
use serde_json::{Value, json};

/// A contract of one document with one operation.
fn contract(operation: Value, schemas: Value) -> Contract {
    let mut whole = json!({"id": "op", "method": "GET", "path": "/a", "facts": {}});
    whole.as_object_mut().unwrap().extend(operation.as_object().unwrap().clone());
    of(json!({
        "name": "doc", "kind": "openapi-3.0", "version": "1",
        "security": {"token": {"kind": "http", "scheme": "bearer"}},
        "operations": [whole],
        "schemas": schemas,
    }))
}

fn of(document: Value) -> Contract {
    let text = json!({"format": "dtu/contract/v1", "service": "test", "documents": [document]}).to_string();
    Contract::read(Box::leak(text.into_boxed_str())).unwrap()
}

/// Changes as `sign pointer`, with `!` behind those that break and `?` behind those that may.
fn told(changes: &[Change]) -> Vec<String> {
    let one = |change: &Change| {
        let sign = change.to_string().chars().next().unwrap_or_default();
        let mark = change.breaks.as_deref().map_or("", |why| if why.starts_with("may break") { "?" } else { "!" });
        format!("{sign} {}{mark}", change.pointer)
    };
    changes.iter().map(one).collect()
}

fn check(old: &Contract, new: &Contract, wanted: &[&str]) {
    let changes = diff(old, new);
    assert_eq!(told(&changes), wanted, "{changes:#?}");
    assert_eq!(breaks(&changes), wanted.iter().any(|change| change.ends_with(['!', '?'])));
    assert_eq!(diff(old, old), [], "a contract does not differ from itself");
}

fn facts(old: Value, new: Value, wanted: &[&str]) {
    let of = |facts: Value| contract(json!({ "facts": facts }), json!({}));
    check(&of(old), &of(new), wanted);
}

#[test]
fn operations_are_matched_by_id() {
    let one = || contract(json!({}), json!({}));
    check(&one(), &contract(json!({"id": "other"}), json!({})), &["- !", "+ "]);
    check(&one(), &contract(json!({"path": "/b", "method": "PUT"}), json!({})), &["~ /method!", "~ /path!"]);
    check(&one(), &contract(json!({"deprecated": true, "stage": "EA"}), json!({})), &["+ /deprecated", "~ /stage"]);
}

#[test]
fn documents_are_matched_by_name() {
    let named = |name: &str, version: &str| {
        of(json!({"name": name, "kind": "openapi-3.0", "version": version, "operations": [], "schemas": {}}))
    };
    check(&named("a", "1"), &named("b", "1"), &["- !", "+ "]);
    check(&named("a", "1"), &named("a", "2"), &["~ /version"]);
}

#[test]
fn parameters_are_matched_by_place_and_name() {
    let with = |facts: Value| {
        let mut parameter = json!({"name": "p", "in": "query"});
        parameter.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
        json!({ "parameters": [parameter] })
    };
    facts(json!({}), with(json!({})), &["+ /parameters/query/p"]);
    facts(json!({}), with(json!({"required": true})), &["+ /parameters/query/p!"]);
    facts(with(json!({})), json!({}), &["- /parameters/query/p!"]);
    facts(with(json!({})), with(json!({"required": true})), &["+ /parameters/query/p/required!"]);
    facts(with(json!({"required": true})), with(json!({})), &["- /parameters/query/p/required"]);
    facts(with(json!({})), with(json!({"explode": true})), &["~ /parameters/query/p/style!"]);
    facts(with(json!({})), with(json!({"deprecated": true})), &["+ /parameters/query/p/deprecated"]);
    facts(with(json!({})), with(json!({"in": "header"})), &["+ /parameters/header/p", "- /parameters/query/p!"]);
}

/// A change of a schema as seen in requests, then in answers.
fn schema(old: Value, new: Value, request: &[&str], response: &[&str]) {
    let asks = |schema: Value| json!({"request": {"content": {"x": schema}}});
    let answers = |schema: Value| json!({"responses": {"200": {"content": {"x": schema}}}});
    let put = |place: &str, wanted: &[&str]| -> Vec<String> {
        wanted.iter().map(|change| format!("{}{place}{}", &change[..2], &change[2..])).collect()
    };
    let (request, response) = (put("/request/content/x", request), put("/responses/200/content/x", response));
    let borrowed = |all: &'_ [String]| all.iter().map(String::as_str).map(str::to_owned).collect::<Vec<_>>();
    let (request, response) = (borrowed(&request), borrowed(&response));
    facts(asks(old.clone()), asks(new.clone()), &request.iter().map(String::as_str).collect::<Vec<_>>());
    facts(answers(old), answers(new), &response.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn facts_break_in_one_direction() {
    let of = |facts: Value| facts;
    schema(of(json!({})), json!({"type": ["string"]}), &["~ /type!"], &["~ /type"]);
    schema(json!({"type": ["string"]}), json!({"type": ["string", "integer"]}), &["~ /type"], &["~ /type!"]);
    schema(json!({"type": ["string"]}), json!({"type": ["integer"]}), &["~ /type!"], &["~ /type!"]);
    schema(json!({"type": ["number"]}), json!({"type": ["integer"]}), &["~ /type!"], &["~ /type"]);
    schema(json!({}), json!({"nullable": true}), &["+ /nullable"], &["+ /nullable!"]);
    schema(json!({"nullable": true}), json!({}), &["- /nullable!"], &["- /nullable"]);
    schema(json!({"enum": ["A", "B"]}), json!({"enum": ["A"]}), &["- /enum!"], &["- /enum"]);
    schema(json!({"enum": ["A"]}), json!({"enum": ["A", "B"]}), &["+ /enum"], &["+ /enum?"]);
    schema(json!({"enum": ["A", "B"]}), json!({"enum": ["B", "A"]}), &[], &[]);
    schema(json!({}), json!({"enum": ["A"]}), &["+ /enum!"], &["+ /enum"]);
    schema(json!({"maximum": 5}), json!({"maximum": 4}), &["~ /maximum!"], &["~ /maximum"]);
    schema(json!({"maximum": 5}), json!({"maximum": 6}), &["~ /maximum"], &["~ /maximum"]);
    schema(json!({"minLength": 5}), json!({"minLength": 6}), &["~ /minLength!"], &["~ /minLength"]);
    schema(json!({"minLength": 5}), json!({}), &["- /minLength"], &["- /minLength"]);
    schema(json!({}), json!({"pattern": "a"}), &["+ /pattern!"], &["+ /pattern"]);
    schema(json!({"format": "date"}), json!({}), &["~ /format"], &["~ /format!"]);
    schema(json!({}), json!({"format": "date"}), &["~ /format!"], &["~ /format"]);
    schema(json!({}), json!({"default": 1}), &["~ /default"], &["~ /default"]);
    schema(json!({}), json!({"deprecated": true}), &["+ /deprecated"], &["+ /deprecated"]);
    schema(json!({}), json!({"items": {"type": ["string"]}}), &["~ /items/type!"], &["~ /items/type"]);
    schema(json!({}), json!({"not": {"type": ["string"]}}), &["~ /not!"], &["~ /not"]);
}

#[test]
fn members_come_and_go() {
    let object = |properties: Value, required: Value| json!({"properties": properties, "required": required});
    let (none, one) = (object(json!({}), json!([])), object(json!({"a": {}}), json!([])));
    let required = object(json!({"a": {}}), json!(["a"]));
    schema(none.clone(), one.clone(), &["+ /properties/a"], &["+ /properties/a"]);
    schema(none.clone(), required.clone(), &["+ /properties/a!"], &["+ /properties/a"]);
    schema(one.clone(), none, &["- /properties/a!"], &["- /properties/a!"]);
    schema(one.clone(), required.clone(), &["+ /required!"], &["+ /required"]);
    schema(required, one, &["- /required"], &["- /required!"]);
    // What only the service sets is no part of requests.
    let read_only = |required: Value| object(json!({"a": {"readOnly": true}}), required);
    schema(read_only(json!([])), read_only(json!(["a"])), &["+ /required"], &["+ /required"]);
    schema(read_only(json!([])), json!({}), &["- /properties/a"], &["- /properties/a!"]);
    let marked = "/properties/a/readOnly";
    schema(
        object(json!({"a": {}}), json!([])),
        read_only(json!([])),
        &[&format!("+ {marked}!")],
        &[&format!("+ {marked}")],
    );
    let closed = json!({"additionalProperties": false});
    schema(json!({}), closed.clone(), &["- /additionalProperties!"], &["- /additionalProperties"]);
    schema(closed, json!({}), &["+ /additionalProperties"], &["+ /additionalProperties"]);
}

#[test]
fn alternatives_come_and_go() {
    let of = |names: &[&str]| {
        let parts: Vec<Value> = names.iter().map(|name| json!({ "$ref": name })).collect();
        json!({ "oneOf": parts })
    };
    schema(of(&["A"]), of(&["B", "A"]), &["+ /oneOf/B"], &["+ /oneOf/B?"]);
    schema(of(&["A", "B"]), of(&["A"]), &["- /oneOf/B!"], &["- /oneOf/B"]);
    schema(
        json!({"anyOf": [{"type": ["string"]}]}),
        json!({"anyOf": [{"type": ["integer"]}]}),
        &["~ /anyOf/0/type!"],
        &["~ /anyOf/0/type!"],
    );
    let by = |member: &str| json!({"discriminator": {"property": member}});
    schema(by("a"), by("b"), &["~ /discriminator!"], &["~ /discriminator!"]);
    let kinds = |values: &[&str]| {
        let mapping: serde_json::Map<String, Value> =
            values.iter().map(|value| ((*value).to_owned(), json!("A"))).collect();
        json!({"discriminator": {"property": "a", "mapping": mapping}})
    };
    let (came, went) = ("/discriminator/NEW", "/discriminator/OLD");
    schema(
        kinds(&["OLD"]),
        kinds(&["NEW"]),
        &[&format!("+ {came}"), &format!("- {went}!")],
        &[&format!("+ {came}?"), &format!("- {went}")],
    );
}

#[test]
fn bodies_and_answers_come_and_go() {
    let body = json!({"request": {"content": {"x": {}}}});
    facts(json!({}), body.clone(), &["+ /request"]);
    facts(json!({}), json!({"request": {"required": true}}), &["+ /request!"]);
    facts(body.clone(), json!({}), &["- /request!"]);
    facts(body.clone(), json!({"request": {"required": true, "content": {"x": {}}}}), &["+ /request/required!"]);
    facts(body, json!({"request": {"content": {"y/z": {}}}}), &["- /request/content/x!", "+ /request/content/y~1z"]);
    let answers = |statuses: &[&str]| {
        let all: serde_json::Map<String, Value> =
            statuses.iter().map(|status| ((*status).to_owned(), json!({}))).collect();
        json!({ "responses": all })
    };
    facts(answers(&["200", "404"]), answers(&["200"]), &["- /responses/404"]);
    facts(answers(&["200", "404"]), answers(&["404", "201"]), &["- /responses/200!", "+ /responses/201"]);
    let header = json!({"responses": {"200": {"headers": {"link": {}}}}});
    facts(header, answers(&["200"]), &["- /responses/200/headers/link!"]);
    let pages = |cursor: &str| json!({"paging": {"kind": "link", "cursor": cursor}});
    facts(json!({}), pages("after"), &["~ /paging"]);
    facts(pages("after"), pages("next"), &["~ /paging!"]);
}

#[test]
fn callers_must_show_no_more_than_before() {
    let needs = |all: Value| json!({ "security": all });
    let (one, two) = (json!([{"o": ["read"]}]), json!([{"o": ["read", "write"]}]));
    facts(needs(one.clone()), needs(two.clone()), &["+ /security", "- /security!"]);
    facts(needs(two), needs(one.clone()), &["+ /security"]);
    facts(needs(json!([])), needs(one.clone()), &["+ /security", "- /security!"]);
    facts(needs(one.clone()), needs(json!([])), &["+ /security"]);
    facts(needs(one.clone()), needs(json!([{"k": []}, {"o": ["read"]}])), &["+ /security"]);
    facts(needs(json!([{"k": []}, {"o": ["read"]}])), needs(one), &["- /security!"]);
}

/// An operation that sends and gets `User`, and another schema that refers to it.
fn shared(user: Value) -> Contract {
    let user_list = json!({"type": ["array"], "items": {"$ref": "User"}});
    let facts = json!({
        "request": {"content": {"x": {"$ref": "User"}}},
        "responses": {"200": {"content": {"x": user_list}}, "201": {"content": {"x": {"$ref": "User"}}}}});
    contract(json!({ "facts": facts }), json!({"User": user, "Unused": {"items": {"$ref": "Unused"}}}))
}

#[test]
fn shared_schemas_are_told_once_with_their_directions() {
    let old = shared(json!({"properties": {"name": {}, "boss": {"$ref": "User"}}}));
    let new = shared(json!({"properties": {"name": {"type": ["string"]}, "boss": {"$ref": "User"}}}));
    check(&old, &new, &["~ /properties/name/type!"]);
    let change = serde_json::to_value(&diff(&old, &new)[0]).unwrap();
    assert_eq!(change["subject"], json!({"schema": "User"}));
    assert_eq!(change["directions"], json!(["request", "response"]));
    let text = diff(&old, &new)[0].to_string();
    let wanted = "~ doc: schema User /properties/name/type: any type is now string (breaks: requests that were taken are refused)";
    assert_eq!(text, wanted);
}

#[test]
fn unused_schemas_break_nobody() {
    let of = |schema: Value| contract(json!({}), json!({ "A": schema }));
    check(&of(json!({})), &of(json!({"type": ["string"]})), &["~ /type"]);
    check(&of(json!({})), &contract(json!({}), json!({"B": {}})), &["- ", "+ "]);
}

#[test]
fn other_names_for_the_same_are_compared_by_what_they_say() {
    let named = |name: &str, of: Value| {
        let facts = json!({"responses": {"200": {"content": {"x": {"$ref": name}}}}});
        contract(json!({ "facts": facts }), json!({ name: of }))
    };
    let node = |name: &str| json!({"properties": {"next": {"$ref": name}, "all": {"allOf": [{"$ref": name}]}}});
    check(&named("A", node("A")), &named("B", node("B")), &["- ", "+ "]);
    let at = "/responses/200/content/x/properties/more";
    let mut more = node("B");
    more["properties"]["more"] = json!({});
    check(&named("A", node("A")), &named("B", more), &[&format!("+ {at}"), "- ", "+ "]);
    let choice = |name: &str| {
        let facts = json!({"responses": {"200": {"content": {"x": {"oneOf": [{"$ref": name}]}}}}});
        contract(json!({ "facts": facts }), json!({ name: node(name) }))
    };
    check(&choice("A"), &choice("B"), &["- ", "+ "]);
    let inline = json!({"responses": {"200": {"content": {"x": {"type": ["string"]}}}}});
    let inline = contract(json!({ "facts": inline }), json!({}));
    check(&named("A", json!({"type": ["string"]})), &inline, &["- "]);
    check(&named("A", json!({"type": ["object"]})), &inline, &["~ /responses/200/content/x/type!", "- "]);
}

#[test]
fn parts_may_be_put_together_otherwise() {
    let parts = json!({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}, "required": ["a"]}]});
    let whole = json!({"properties": {"a": {}, "b": {}}, "required": ["a"]});
    schema(parts.clone(), whole, &[], &[]);
    schema(parts, json!({"properties": {"a": {}}, "required": ["a"]}), &["- /properties/b!"], &["- /properties/b!"]);
}

#[test]
fn ways_to_sign_in_come_and_go() {
    let of = |security: Value| {
        of(
            json!({"name": "d", "kind": "openapi-3.0", "version": "1", "security": security, "operations": [], "schemas": {}}),
        )
    };
    let bearer = json!({"a": {"kind": "http", "scheme": "bearer"}});
    check(&of(bearer.clone()), &of(json!({})), &["- !"]);
    check(&of(json!({})), &of(bearer.clone()), &["+ "]);
    check(&of(bearer), &of(json!({"a": {"kind": "http", "scheme": "basic"}})), &["~ !"]);
}
