//! What a log stream is made of, by its kind: the same bounds that writing one has.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Schema/#tag/Schema/operation/getLogStreamSchema.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Read,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Links, tokens::Nothing};
use crate::{Okta, error::Error};

const ALL: &str = "/api/v1/meta/schemas/logStream";

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    vec![
        Operation::read("listLogStreamSchemas", GET, ALL, list).limit("other"),
        Operation::read("getLogStreamSchema", GET, "/api/v1/meta/schemas/logStream/{logStreamType}", get)
            .limit("other"),
    ]
}

const KINDS: [&str; 2] = ["aws_eventbridge", "splunk_cloud_logstreaming"];

const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// A choice of values, each with its name.
fn choice(values: &[&str]) -> Vec<Value> {
    values.iter().map(|value| json!({ "const": value, "title": value })).collect()
}

/// What the settings of a kind are made of.
fn settings(kind: &str) -> Value {
    if kind == KINDS[0] {
        return json!({
            "type": "object",
            "required": ["eventSourceName", "accountId", "region"],
            "properties": {
                "accountId": { "title": "AWS Account ID", "type": "string", "writeOnce": true, "pattern": "^\\d{12}$" },
                "eventSourceName": {
                    "title": "AWS Event Source Name", "type": "string", "writeOnce": true,
                    "pattern": "^[\\.\\-_A-Za-z0-9]{1,75}$",
                },
                "region": { "title": "AWS Region", "type": "string", "writeOnce": true, "oneOf": choice(&REGIONS) },
            },
        });
    }
    json!({
        "type": "object",
        "required": ["edition", "host", "token"],
        "properties": {
            "edition": { "title": "Splunk edition", "type": "string", "oneOf": choice(&["aws", "aws_govcloud", "gcp"]) },
            "host": { "title": "Splunk host", "type": "string", "minLength": 17, "maxLength": 116 },
            "token": {
                "title": "HEC token", "type": "string", "writeOnly": true,
                "pattern": "(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
            },
        },
    })
}

fn schema(kind: &str, origin: &str) -> Value {
    let own = format!("{origin}{ALL}/{kind}");
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "id": own,
        "type": "object",
        "required": ["name", "settings"],
        "properties": {
            "name": { "title": "Name", "type": "string", "writeOnce": false, "pattern": "^.{1,100}$" },
            "settings": settings(kind),
        },
        "_links": Links::new().to("self", own).0,
    })
}

/// `listLogStreamSchemas`.
pub fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<Value>>, Error> {
    Ok(Typed::ok(&KINDS.iter().map(|kind| schema(kind, &cx.scene.request.origin)).collect()))
}

/// Arguments: the kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    log_stream_type: SmolStr,
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let kind = KINDS.iter().find(|kind| **kind == args.log_stream_type);
    let kind = kind.ok_or_else(|| Error::not_found(&args.log_stream_type, "LogStreamType"))?;
    Ok(Typed::ok(&schema(kind, &cx.scene.request.origin)))
}
