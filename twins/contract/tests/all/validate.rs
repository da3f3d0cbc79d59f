//! Requests and answers against contracts written as JSON.

use dtu_contract::{
    contract::{Contract, Document},
    generic::refusal::Refused,
    schema::Schema,
    validate::{Arguments, Checker, Direction, Sent},
    violation::{Rule, Violation},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};

use Direction::{Request, Response};

/// A document of one operation.
fn document(facts: Value, schemas: Value) -> &'static Document {
    let contract = json!({
        "format": "dtu/contract/v1", "service": "test",
        "documents": [{
            "name": "test", "kind": "openapi-3.0", "version": "1",
            "security": {"key": {"kind": "api-key", "in": "query", "name": "api_key"}},
            "operations": [{"id": "op", "method": "GET", "path": "/", "facts": facts}],
            "schemas": schemas,
        }],
    });
    let text: &'static str = Box::leak(contract.to_string().into_boxed_str());
    let contract: &'static Contract = Box::leak(Box::new(Contract::read(text).unwrap()));
    &contract.documents[0]
}

/// Violations as `pointer rule member`.
fn told(violations: &[Violation]) -> Vec<String> {
    let one = |violation: &Violation| {
        let told = format!("{} {:?} {}", violation.at, violation.rule, violation.member);
        told.trim().to_owned()
    };
    violations.iter().map(one).collect()
}

/// The schemas that the cases refer to.
fn shared() -> Value {
    json!({
        "Node": {"type": ["object"], "required": ["id"], "properties": {
            "id": {"type": ["integer"]},
            "next": {"$ref": "Node"},
            "all": {"type": ["array"], "items": {"$ref": "Node"}}}},
        "Level": {"type": ["string"], "enum": ["LOW", "HIGH"]},
        "MaybeLevel": {"type": ["string"], "enum": ["LOW"], "nullable": true},
        "Pet": {"type": ["object"], "required": ["kind"], "properties": {"kind": {"type": ["string"]}},
            "discriminator": {"property": "kind", "mapping": {"CAT": "Cat", "DOG": "Dog"}}},
        "Cat": {"allOf": [{"$ref": "Pet"}, {"type": ["object"], "required": ["lives"],
            "properties": {"lives": {"type": ["integer"]}}}]},
        "Dog": {"allOf": [{"$ref": "Pet"}, {"type": ["object"], "properties": {"good": {"type": ["boolean"]}}}]},
        "Base": {"type": ["object"], "required": ["id"], "properties": {"id": {"type": ["string"], "readOnly": true}}},
        "Secret": {"type": ["string"], "writeOnly": true},
        "Loop": {"allOf": [{"$ref": "Loop"}], "type": ["object"]},
    })
}

fn check(schema: Value, value: Value, direction: Direction, wanted: &[&str]) {
    let checker = Checker::new(document(json!({}), shared()));
    let parsed: Schema = serde_json::from_value(schema.clone()).unwrap();
    let found = checker.value(&parsed, &value, direction);
    assert_eq!(told(&found), wanted, "{schema} against {value}: {found:#?}");
    assert_eq!(checker.unusable(), [], "{schema}");
}

#[test]
fn plain_facts_are_checked_with_their_places() {
    let user = json!({"type": ["object"], "required": ["name", "age"], "properties": {
        "name": {"type": ["string"], "minLength": 2, "pattern": "^[a-z]+$"},
        "age": {"type": ["integer"], "minimum": 0},
        "tags/all": {"type": ["array"], "maxItems": 2, "uniqueItems": true, "items": {"type": ["string"]}}}});
    let check = |value: Value, wanted: &[&str]| check(user.clone(), value, Request, wanted);
    check(json!({"name": "ab", "age": 3}), &[]);
    check(json!({}), &[" Required age", " Required name"].map(str::trim_start));
    check(json!({"name": "A", "age": -1}), &["/age Range", "/name Pattern", "/name Length"]);
    check(json!({"name": 1, "age": "x"}), &["/age Type", "/name Type"]);
    check(
        json!({"name": "ab", "age": 1, "tags/all": ["a", 1, "a"]}),
        &["/tags~1all Items", "/tags~1all Items", "/tags~1all/1 Type"],
    );
    check(json!([]), &["Type"]);
    check(json!({"name": "ab", "age": 1, "other": 1}), &[]);
}

#[test]
fn null_is_taken_where_it_is_said() {
    let cases = [
        (json!({"type": ["string"]}), false),
        (json!({"type": ["string"], "nullable": true}), true),
        (json!({"type": ["string"], "enum": ["A"], "nullable": true}), true),
        (json!({"enum": ["A"], "nullable": true}), true),
        (json!({"enum": ["A"]}), false),
        (json!({"$ref": "Level"}), false),
        (json!({"$ref": "Level", "nullable": true}), true),
        (json!({"$ref": "MaybeLevel"}), true),
        (json!({"allOf": [{"$ref": "Level"}], "nullable": true}), true),
        (json!({"oneOf": [{"$ref": "Level"}, {"$ref": "Node"}], "nullable": true}), true),
        (json!({}), true),
    ];
    for (schema, taken) in cases {
        let checker = Checker::new(document(json!({}), shared()));
        let parsed: Schema = serde_json::from_value(schema.clone()).unwrap();
        assert_eq!(checker.value(&parsed, &Value::Null, Response).is_empty(), taken, "{schema}");
    }
    // Other values are told as they would be without the way around.
    check(json!({"$ref": "Level", "nullable": true}), json!("MID"), Response, &["Enum"]);
}

#[test]
fn facts_beside_a_reference_hold_as_well() {
    let longer = json!({"$ref": "Level", "minLength": 4});
    check(longer.clone(), json!("HIGH"), Request, &[]);
    check(longer, json!("LOW"), Request, &["Length"]);
}

#[test]
fn members_of_the_other_direction_are_not_required() {
    let thing = json!({"type": ["object"], "required": ["id", "secret", "name"], "properties": {
        "id": {"type": ["string"], "readOnly": true},
        "secret": {"$ref": "Secret"},
        "name": {"type": ["string"]}}});
    check(thing.clone(), json!({"name": "a", "secret": "s"}), Request, &[]);
    check(thing.clone(), json!({"name": "a", "secret": "s", "id": 7}), Request, &[]);
    check(thing.clone(), json!({"name": "a"}), Request, &["Required secret"]);
    check(thing.clone(), json!({"name": "a", "id": "1"}), Response, &[]);
    check(thing, json!({"name": "a", "id": 1}), Response, &["/id Type"]);
    let by_parts = json!({"type": ["object"], "required": ["a"], "properties": {
        "a": {"allOf": [{"type": ["string"]}, {"readOnly": true}]}}});
    check(by_parts, json!({}), Request, &[]);
    // Also where the member is another part's.
    let child = json!({"allOf": [{"$ref": "Base"}, {"required": ["id", "name"], "type": ["object"]}]});
    check(child.clone(), json!({"name": "a"}), Request, &[]);
    check(child, json!({"name": "a"}), Response, &["Required id"]);
}

#[test]
fn unknown_members_are_refused_by_closed_objects_only() {
    let closed = json!({"type": ["object"], "properties": {"a": {}}, "additionalProperties": false});
    check(closed.clone(), json!({"a": 1, "b": 1, "c": 1}), Request, &["Unknown b", "Unknown c"]);
    check(closed, json!({"a": 1, "b": 1}), Response, &["Unknown b"]);
    check(
        json!({"type": ["object"], "additionalProperties": {"type": ["integer"]}}),
        json!({"a": ""}),
        Request,
        &["/a Type"],
    );
    let closed_after_parts =
        json!({"allOf": [{"$ref": "Base"}], "properties": {"a": {}}, "additionalProperties": false});
    check(closed_after_parts.clone(), json!({"id": "1", "a": 1}), Response, &[]);
    check(closed_after_parts, json!({"id": "1", "b": 1}), Response, &["Unknown b"]);
}

#[test]
fn formats_are_checked() {
    let check = |of: &str, format: &str, value: Value, fits: bool| {
        let wanted: &[&str] = match (fits, of) {
            (true, _) => &[],
            (false, "integer") => &["Range"],
            (false, _) => &["Format"],
        };
        check(json!({"type": [of], "format": format}), value, Response, wanted);
    };
    check("string", "date-time", json!("2024-02-29T12:00:00.000Z"), true);
    check("string", "date-time", json!("yesterday"), false);
    check("string", "date", json!("2024-02-30"), false);
    check("string", "email", json!("a@example.com"), true);
    check("string", "email", json!("a"), false);
    check("string", "uri", json!("https://example.com/x"), true);
    check("string", "uri", json!("/x"), false);
    check("string", "uuid", json!("123e4567-e89b-12d3-a456-426614174000"), true);
    check("string", "uuid", json!("123"), false);
    check("integer", "int32", json!(2_147_483_647), true);
    check("integer", "int32", json!(2_147_483_648_u64), false);
    check("integer", "int64", json!(9_223_372_036_854_775_808_u64), false);
    check("string", "int64", json!("-9223372036854775808"), true);
    check("string", "int64", json!("9223372036854775808"), false);
    check("string", "uint64", json!("18446744073709551615"), true);
    check("string", "int64", json!("1.5"), false);
    check("string", "password", json!("anything"), true);
}

#[test]
fn the_alternative_that_fits_best_is_told() {
    let by_tag = json!({"oneOf": [
        {"type": ["object"], "required": ["type", "a"], "properties": {"type": {"enum": ["A"]}, "a": {"type": ["string"]}}},
        {"type": ["object"], "required": ["type", "b", "c"], "properties": {"type": {"enum": ["B"]}, "b": {"type": ["string"]}}}]});
    check(by_tag.clone(), json!({"type": "A"}), Request, &["Required a"]);
    check(by_tag.clone(), json!({"type": "B", "b": 1}), Request, &["Required c", "/b Type"]);
    check(by_tag, json!("text"), Request, &["Alternatives"]);
    let any = json!({"anyOf": [{"type": ["string"]}, {"type": ["object"], "required": ["x", "y"]}]});
    check(any, json!({}), Request, &["Required x", "Required y"]);
    // Documents' alternatives overlap, and services do not mind.
    let both = json!({"oneOf": [{"type": ["integer"]}, {"type": ["number"]}]});
    check(both, json!(1), Request, &[]);
    check(json!({"not": {"type": ["string"]}}), json!("a"), Request, &["Alternatives"]);
    let nested = json!({"type": ["array"], "items": {"anyOf": [{"type": ["string"]}, {"oneOf": [{"$ref": "Node"}]}]}});
    check(nested, json!(["a", {"id": "x"}]), Request, &["/1/id Type"]);
}

#[test]
fn discriminators_choose_the_schema() {
    // The parent says which child; the child is put together from the parent.
    check(json!({"$ref": "Pet"}), json!({"kind": "CAT"}), Response, &["Required lives"]);
    check(json!({"$ref": "Pet"}), json!({"kind": "DOG", "good": 1}), Response, &["/good Type"]);
    check(json!({"$ref": "Cat"}), json!({"kind": "CAT", "lives": 9}), Response, &[]);
    check(json!({"$ref": "Pet"}), json!({"kind": "FISH"}), Response, &[]);
    check(json!({"$ref": "Pet"}), json!({}), Response, &["Required kind"]);
    let choice = json!({"oneOf": [{"$ref": "Cat"}, {"$ref": "Dog"}],
        "discriminator": {"property": "kind", "mapping": {"CAT": "Cat", "DOG": "Dog"}}});
    check(choice.clone(), json!({"kind": "CAT", "lives": "x"}), Request, &["/lives Type"]);
    // Both alternatives would hold.
    check(choice, json!({"kind": "DOG"}), Request, &[]);
}

#[test]
fn circles_end() {
    let node = json!({"$ref": "Node"});
    check(
        node.clone(),
        json!({"id": 1, "next": {"id": 2, "all": [{"id": 3}, {}]}}),
        Response,
        &["/next/all/1 Required id"],
    );
    check(json!({"$ref": "Loop"}), json!({}), Response, &[]);
    check(json!({"$ref": "Loop"}), json!(1), Response, &["Type"]);
    check(json!({"$ref": "Missing"}), json!(1), Response, &[]);
    let deep = (0..120).fold(json!({"id": "x"}), |inner, id| json!({"id": id, "next": inner}));
    let at = format!("{}/id Type", "/next".repeat(120));
    check(node, deep, Response, &[&at]);
}

#[test]
fn expressions_that_cannot_be_compiled_are_left_out() {
    let checker = Checker::new(document(json!({}), json!({})));
    let schema: Schema = serde_json::from_value(json!({"type": ["string"], "pattern": "(", "minLength": 2})).unwrap();
    assert_eq!(told(&checker.value(&schema, &json!("a"), Request)), ["Length"]);
    let unusable: Vec<String> = checker.unusable().into_iter().map(|unusable| unusable.text).collect();
    assert_eq!(unusable, ["("]);
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair =
        |(name, value): &(&str, &str)| (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
    pairs.iter().map(pair).collect()
}

/// Calls the operation with parameters only.
fn call(
    parameters: Value,
    path: &[(&str, String)],
    query: &str,
    header: &[(&str, &str)],
) -> Result<Arguments, Vec<String>> {
    let checker = Checker::new(document(json!({ "parameters": parameters }), shared()));
    let headers = headers(header);
    let sent = Sent { path_params: path, query, headers: &headers, media_type: String::new(), body: b"" };
    checker.request(0, &sent).map_err(|refused| match refused {
        Refused::Invalid(violations) => told(&violations),
        other => panic!("{other:?}"),
    })
}

/// One query parameter `p`: either its value or what is wrong.
fn query(facts: Value, query: &str, wanted: Result<Value, &[&str]>) {
    let mut parameter = json!({"name": "p", "in": "query"});
    parameter.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
    let found = call(json!([parameter]), &[], query, &[]);
    let found = found.map(|mut arguments| arguments.query.shift_remove("p").unwrap_or(json!("absent")));
    let wanted = wanted.map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(found, wanted, "{facts} ? {query}");
}

#[test]
fn query_parameters_are_read_by_their_schemas() {
    let of = |of: &str| json!({"schema": {"type": [of]}});
    query(of("integer"), "p=12", Ok(json!(12)));
    query(of("integer"), "p=-1", Ok(json!(-1)));
    query(of("integer"), "p=1.5", Err(&["p Type"]));
    query(of("integer"), "p=", Err(&["p Type"]));
    query(of("integer"), "p=%2B1", Err(&["p Type"]));
    query(of("number"), "p=1.5", Ok(json!(1.5)));
    query(of("number"), "p=1e999", Err(&["p Type"]));
    query(of("number"), "p=NaN", Err(&["p Type"]));
    query(of("boolean"), "p=true", Ok(json!(true)));
    query(of("boolean"), "p=yes", Err(&["p Type"]));
    query(of("string"), "p=12", Ok(json!("12")));
    query(of("string"), "p=a%20b+c", Ok(json!("a b c")));
    query(of("string"), "p=", Ok(json!("")));
    query(of("string"), "", Ok(json!("absent")));
    query(of("string"), "p=1&p=2", Err(&["p Items"]));
    query(json!({"required": true}), "", Err(&["p Required"]));
    query(json!({"required": true}), "p=x", Ok(json!("x")));
    query(json!({"schema": {"type": ["integer"], "maximum": 200}}), "p=201", Err(&["p Range"]));
    query(json!({"schema": {"$ref": "Level"}}), "p=LOW", Ok(json!("LOW")));
    query(json!({"schema": {"$ref": "Level"}}), "p=low", Err(&["p Enum"]));
    query(
        json!({"schema": {"type": ["string"], "minLength": 2, "pattern": "^a"}}),
        "p=b",
        Err(&["p Pattern", "p Length"]),
    );
    query(json!({"schema": {"type": ["integer"], "nullable": true}}), "p=", Ok(json!(null)));
    query(json!({"schema": {"anyOf": [{"type": ["integer"]}, {"type": ["string"]}]}}), "p=7", Ok(json!(7)));
    query(json!({"schema": {"anyOf": [{"type": ["integer"]}, {"type": ["string"]}]}}), "p=07", Ok(json!("07")));
}

#[test]
fn google_takes_capital_booleans_and_null_for_nothing() {
    let text = json!({"format": "dtu/contract/v1", "service": "test", "documents": [{
        "name": "g", "kind": "google-discovery", "version": "1", "schemas": {},
        "operations": [{"id": "op", "method": "POST", "path": "/", "facts": {
            "parameters": [{"name": "p", "in": "query", "schema": {"type": ["boolean"]}}],
            "request": {"content": {"application/json": {"properties": {"a": {"type": ["string"], "enum": ["A"]}}}}},
            "responses": {"200": {"content": {"application/json": {"properties": {"a": {"type": ["string"]}}}}}}}}]}]});
    let contract = Contract::read(Box::leak(text.to_string().into_boxed_str())).unwrap();
    let checker = Checker::new(&Box::leak(Box::new(contract)).documents[0]);
    let headers = HeaderMap::new();
    let media_type = "application/json".to_owned();
    let sent = Sent { path_params: &[], query: "p=True", headers: &headers, media_type, body: br#"{"a": null}"# };
    assert_eq!(checker.request(0, &sent).unwrap().query["p"], json!(true));
    assert_eq!(told(&checker.response(0, 200, "application/json", br#"{"a": null}"#)), ["/a Type"]);
}

#[test]
fn lists_and_objects_are_read_by_their_styles() {
    let list = |more: Value| {
        let mut facts = json!({"schema": {"type": ["array"], "items": {"type": ["integer"]}}});
        facts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        facts
    };
    query(list(json!({})), "p=1,2", Ok(json!([1, 2])));
    query(list(json!({})), "p=1%2C2", Ok(json!([1, 2])));
    query(list(json!({})), "p=1,x", Err(&["p/1 Type"]));
    query(list(json!({})), "p=", Ok(json!([])));
    query(list(json!({"explode": true})), "p=1&p=2", Ok(json!([1, 2])));
    query(list(json!({"explode": true})), "p=1", Ok(json!([1])));
    query(list(json!({"style": "spaceDelimited"})), "p=1%202", Ok(json!([1, 2])));
    query(list(json!({"style": "pipeDelimited"})), "p=1|2", Ok(json!([1, 2])));
    let members = json!({"type": ["object"], "properties": {"a": {"type": ["integer"]}, "b": {"type": ["string"]}}});
    let object = |style: &str, explode: bool| json!({"style": style, "explode": explode, "schema": members.clone()});
    query(object("deepObject", true), "p[a]=1&p%5Bb%5D=x", Ok(json!({"a": 1, "b": "x"})));
    query(object("deepObject", true), "p[a]=x", Err(&["p/a Type"]));
    query(object("form", true), "a=1&b=x", Ok(json!({"a": 1, "b": "x"})));
    query(object("form", false), "p=a,1,b,x", Ok(json!({"a": 1, "b": "x"})));
    query(object("form", false), "", Ok(json!("absent")));
}

#[test]
fn parameters_elsewhere_are_read_too() {
    let parameters = json!([
        {"name": "id", "in": "path", "required": true, "schema": {"type": ["integer"]}},
        {"name": "ids", "in": "path", "required": true, "style": "matrix", "schema": {"type": ["array"], "items": {"type": ["integer"]}}},
        {"name": "X-Limit", "in": "header", "schema": {"type": ["integer"]}},
        {"name": "X-Tags", "in": "header", "schema": {"type": ["array"], "items": {"type": ["string"]}}},
        {"name": "Authorization", "in": "header", "required": true},
        {"name": "accept", "in": "header", "required": true},
        {"name": "Content-Type", "in": "header", "required": true},
        {"name": "sid", "in": "cookie", "schema": {"type": ["string"]}},
    ]);
    let path = [("id", "7".to_owned()), ("ids", ";ids=1,2".to_owned())];
    let header = [("x-limit", "5"), ("x-tags", "a, b"), ("cookie", "a=1; sid=s")];
    let arguments = call(parameters.clone(), &path, "", &header).unwrap();
    assert_eq!(serde_json::to_value(&arguments.path).unwrap(), json!({"id": 7, "ids": [1, 2]}));
    assert_eq!(serde_json::to_value(&arguments.headers).unwrap(), json!({"X-Limit": 5, "X-Tags": ["a", "b"]}));
    assert_eq!(serde_json::to_value(&arguments.cookies).unwrap(), json!({"sid": "s"}));
    let wrong = call(parameters, &[("id", "x".to_owned())], "", &[("x-limit", "y")]).unwrap_err();
    assert_eq!(wrong, ["id Type", "ids Required", "X-Limit Type"]);
}

#[test]
fn unknown_query_parameters_are_listed_apart() {
    let parameters = json!([{"name": "limit", "in": "query"}]);
    let arguments = call(parameters, &[], "b=1&limit=2&a=1&b=2&api_key=k", &[]).unwrap();
    assert_eq!(arguments.unknown, ["b", "a"]);
}

/// Sends a body of a media type.
fn send(request: Value, content_type: &str, body: &[u8]) -> Result<Option<Value>, Vec<String>> {
    let checker = Checker::new(document(json!({ "request": request }), shared()));
    let headers = headers(&[("content-type", content_type)]);
    let media_type = content_type.split(';').next().unwrap().to_owned();
    let sent = Sent { path_params: &[], query: "", headers: &headers, media_type, body };
    let found = checker.request(0, &sent).map(|arguments| arguments.body);
    found.map_err(|refused| match refused {
        Refused::Invalid(violations) => told(&violations),
        other => vec![format!("{other:?}")],
    })
}

#[test]
fn bodies_are_read_by_their_media_types() {
    let schema = json!({"type": ["object"], "required": ["a"], "properties": {
        "a": {"type": ["integer"]}, "list": {"type": ["array"], "items": {"type": ["integer"]}}, "file": {}}});
    let content = |media_type: &str| json!({"required": true, "content": {media_type: schema.clone()}});
    let check = |declared: &str, sent: &str, body: &str, wanted: Result<Option<Value>, &[&str]>| {
        let wanted = wanted.map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(send(content(declared), sent, body.as_bytes()), wanted, "{declared}: {sent}: {body}");
    };
    let (json_type, form, multi) = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data");
    check(json_type, "application/json; charset=utf-8", r#"{"a": 1}"#, Ok(Some(json!({"a": 1}))));
    check("application/scim+json", "application/scim+json", r#"{"a": "x"}"#, Err(&["/a Type"]));
    check(json_type, json_type, "", Err(&["Required"]));
    check(json_type, json_type, "{", Err(&["Syntax"]));
    check(json_type, "text/plain", "{}", Err(&[r#"MediaType { sent: "text/plain" }"#]));
    check("*/*", json_type, "{}", Err(&["Required a"]));
    check("application/*", json_type, "{}", Err(&["Required a"]));
    check(form, form, "a=1&list=1&list=2&b=%20", Ok(Some(json!({"a": 1, "list": [1, 2], "b": " "}))));
    check(form, form, "a=1&list=%5B1%5D", Ok(Some(json!({"a": 1, "list": [1]}))));
    check(form, form, "a=x", Err(&["/a Type"]));
    check("text/plain", "text/plain", "hello", Ok(Some(json!("hello"))));
    let parts = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--B--\r\n";
    check(multi, "multipart/form-data; boundary=B", parts, Ok(Some(json!({"a": 1, "file": 5}))));
    check(multi, "multipart/form-data; boundary=B", &parts.replace("\"a\"", "\"z\""), Err(&["Required a"]));
    check(multi, "multipart/form-data; boundary=C", parts, Err(&["Syntax"]));
    check(multi, "multipart/form-data", parts, Err(&["Syntax"]));
}

#[test]
fn syntax_errors_have_their_place() {
    let checker = Checker::new(document(json!({"request": {"content": {"application/json": {}}}}), json!({})));
    let headers = HeaderMap::new();
    let media_type = "application/json".to_owned();
    let sent = Sent { path_params: &[], query: "", headers: &headers, media_type, body: b"{\n  \"a\": }" };
    let Err(Refused::Invalid(violations)) = checker.request(0, &sent) else { panic!("taken") };
    assert_eq!(violations[0].what, "line 2, column 8: expected value");
}

#[test]
fn a_megabyte_of_brackets_is_refused() {
    let request = json!({"content": {"application/json": {"$ref": "Node"}}});
    assert_eq!(send(request, "application/json", "[".repeat(1 << 20).as_bytes()), Err(vec!["Syntax".to_owned()]));
}

#[test]
fn answers_are_checked_by_status_and_media_type() {
    let facts = json!({"responses": {
        "200": {"content": {"application/json": {"$ref": "Node"}}},
        "201": {"content": {"text/csv": {}}},
        "204": {},
        "4XX": {"content": {"application/json": {"type": ["object"], "required": ["errorCode"]}}}}});
    let checker = Checker::new(document(facts, shared()));
    let check = |status: u16, media_type: &str, body: &str, wanted: &[&str]| {
        let found = checker.response(0, status, media_type, body.as_bytes());
        assert_eq!(told(&found), wanted, "{status} {media_type} {body}");
    };
    check(200, "application/json; charset=utf-8", r#"{"id": 1, "more": 2}"#, &[]);
    check(200, "application/json", r#"{"id": "1"}"#, &["/id Type"]);
    check(200, "application/json", "", &["Required"]);
    check(200, "application/json", "{", &["Syntax"]);
    check(200, "text/html", "<p>", &["Undeclared"]);
    check(201, "text/csv", "a,b", &[]);
    check(204, "", "", &[]);
    check(204, "application/json", "{}", &["Undeclared"]);
    check(404, "application/json", "{}", &["Required errorCode"]);
    check(500, "application/json", "{}", &["Undeclared"]);
    let silent = Checker::new(document(json!({}), json!({})));
    assert_eq!(silent.response(0, 500, "text/html", b"x"), []);
}

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zA-Z0-9:@/.-]{0,12}".prop_map(Value::from),
    ];
    let name = prop_oneof![Just("id".to_owned()), Just("next".to_owned()), Just("kind".to_owned()), ".{0,4}"];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// One checker for all cases: compiling is what costs.
fn busy_checker() -> &'static Checker {
    static CHECKER: std::sync::LazyLock<Checker> = std::sync::LazyLock::new(|| {
        let schema = json!({"anyOf": [{"$ref": "Node"}, {"$ref": "Pet"}, {"$ref": "Level", "nullable": true}]});
        let content = json!({"application/json": schema, "application/x-www-form-urlencoded": {"$ref": "Node"},
            "multipart/form-data": {"$ref": "Node"}, "*/*": {}});
        let parameters = json!([
            {"name": "a", "in": "query", "explode": true, "schema": {"type": ["array"], "items": {"type": ["number"]}}},
            {"name": "b", "in": "query", "style": "deepObject", "schema": {"$ref": "Node"}},
            {"name": "c", "in": "query", "schema": {"type": ["object"]}},
        ]);
        let facts = json!({"parameters": parameters, "request": {"content": content}, "responses": {"default": {"content": content}}});
        Checker::new(document(facts, shared()))
    });
    &CHECKER
}

proptest! {
    #[test]
    fn any_json_is_checked_to_the_end(value in any_json()) {
        let body = value.to_string();
        let headers = HeaderMap::new();
        let media_type = "application/json".to_owned();
        let sent = Sent { path_params: &[], query: "", headers: &headers, media_type, body: body.as_bytes() };
        let asked = busy_checker().request(0, &sent);
        let answered = busy_checker().response(0, 200, "application/json", body.as_bytes());
        // No member of these schemas goes one way only, so that both directions agree.
        prop_assert_eq!(asked.is_ok(), answered.is_empty());
    }

    #[test]
    fn any_bytes_are_read_to_the_end(
        body in prop::collection::vec(any::<u8>(), 0..64),
        query in "[abc=&%,\\[\\]0-9]{0,24}",
        kind in prop::sample::select(vec!["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "x/y"]),
    ) {
        let headers = headers(&[("content-type", &format!("{kind}; boundary=-"))]);
        let sent = Sent { path_params: &[], query: &query, headers: &headers, media_type: kind.to_owned(), body: &body };
        let first = busy_checker().request(0, &sent);
        prop_assert_eq!(first, busy_checker().request(0, &sent));
    }
}

/// Whatever contracts are committed beside this crate.
fn committed() -> Vec<std::path::PathBuf> {
    let twins = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let inside = |folder: &std::path::Path| -> Vec<std::path::PathBuf> {
        let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    };
    let folders = inside(&twins).into_iter().flat_map(|folder| [vec![folder.clone()], inside(&folder)].concat());
    folders.map(|folder| folder.join("contract.json")).filter(|file| file.exists()).collect()
}

#[test]
fn committed_contracts_compile_whole() {
    for file in committed() {
        let text = fs_err::read_to_string(&file).unwrap();
        let contract: &'static Contract =
            Box::leak(Box::new(Contract::read(Box::leak(text.into_boxed_str())).unwrap()));
        for document in &contract.documents {
            let checker = Checker::new(document);
            (0..document.operations.len()).for_each(|operation| checker.compile(operation));
            assert_eq!(checker.unusable(), [], "{}: {}", file.display(), document.name);
        }
    }
}

#[test]
fn violations_name_rules_for_people() {
    let checker = Checker::new(document(json!({}), shared()));
    let schema: Schema = serde_json::from_value(json!({"$ref": "Level"})).unwrap();
    let violations = checker.value(&schema, &json!("MID"), Request);
    assert_eq!(violations[0].to_string(), "body: must be one of LOW, HIGH");
    assert_eq!(violations[0].rule, Rule::Enum);
}
