//! The face of the module.

use serde_json::Value;

use super::{
    Arguments, Direction, Sent,
    body::{self, Read},
    coerce::Shape,
    compiled::{Unusable, Validators},
    parameters,
    report::Place,
};
use crate::{
    contract::{Document, Facts, RequestBody, Response},
    generic::refusal::Refused,
    schema::Schema,
    violation::{Part, Rule, Violation},
};

/// Checks what goes in and out of one document's operations. Validators are compiled at first use and kept.
#[derive(Debug)]
pub struct Checker {
    document: &'static Document,
    validators: Validators,
}

impl Checker {
    /// A checker that has compiled nothing yet.
    pub const fn new(document: &'static Document) -> Self {
        Self { document, validators: Validators::new(document) }
    }

    /// Reads and checks what a call sent against its operation, the `operation`th of the document.
    ///
    /// Query parameters that the contract does not know are no violation: see [`Arguments::unknown`].
    ///
    /// # Errors
    /// All violations, or a media type that the operation does not take.
    ///
    /// # Panics
    /// Where the document has no operation of that number.
    pub fn request(&self, operation: usize, sent: &Sent<'_>) -> Result<Arguments, Refused> {
        let facts = self.facts(operation);
        let mut arguments = Arguments::default();
        let mut violations = Vec::new();
        parameters::read(self.document, &self.validators, facts, sent, &mut arguments, &mut violations);
        if let Some(declared) = &facts.request {
            arguments.body = self.request_body(declared, sent, &mut violations)?;
        }
        if violations.is_empty() {
            return Ok(arguments);
        }
        violations.sort();
        violations.dedup();
        Err(Refused::Invalid(violations))
    }

    /// What does not fit in an answer: its status, its media type (empty where there is no body), its body.
    ///
    /// # Panics
    /// Where the document has no operation of that number.
    pub fn response(&self, operation: usize, status: u16, media_type: &str, body: &[u8]) -> Vec<Violation> {
        let facts = self.facts(operation);
        // Some documents say nothing at all of answers; then nothing can be undeclared.
        match facts.response(status) {
            Some(response) => self.response_body(response, status, media_type, body),
            None if facts.responses.is_empty() => Vec::new(),
            None => {
                let at = Place { part: Part::Status, name: "" };
                vec![at.violation("", Rule::Undeclared, format!("{status} is no answer of the document"))]
            }
        }
    }

    /// What does not fit in a value that should follow a schema of the document, or one that refers to its schemas.
    pub fn value(&self, schema: &Schema, value: &Value, direction: Direction) -> Vec<Violation> {
        self.validators.any(schema, direction).check(&Place::BODY, value)
    }

    /// Compiles all validators of an operation now, rather than at its first call.
    ///
    /// # Panics
    /// Where the document has no operation of that number.
    pub fn compile(&self, operation: usize) {
        let facts = self.facts(operation);
        let bodies = facts.request.iter().flat_map(|request| request.content.values());
        for schema in bodies.chain(facts.parameters.iter().map(|parameter| &parameter.schema)) {
            self.validators.own(schema, Direction::Request);
        }
        for schema in facts.responses.values().flat_map(|response| response.content.values()) {
            self.validators.own(schema, Direction::Response);
        }
    }

    /// What could not be compiled so far, and so is not checked: regular expressions, in order.
    pub fn unusable(&self) -> Vec<Unusable> {
        self.validators.unusable()
    }

    fn facts(&self, operation: usize) -> &'static Facts {
        self.document.operations[operation].facts.get()
    }

    fn request_body(
        &self,
        declared: &'static RequestBody,
        sent: &Sent<'_>,
        violations: &mut Vec<Violation>,
    ) -> Result<Option<Value>, Refused> {
        if sent.body.is_empty() {
            if declared.required {
                violations.push(Place::BODY.violation("", Rule::Required, "is missing"));
            }
            return Ok(None);
        }
        let Some(schema) = body::declared(&declared.content, &sent.media_type) else {
            if declared.content.is_empty() {
                return Ok(body::json(sent.body).ok());
            }
            return Err(Refused::MediaType { sent: sent.media_type.clone() });
        };
        Ok(self.read_body(schema, sent, violations))
    }

    fn read_body(&self, schema: &'static Schema, sent: &Sent<'_>, violations: &mut Vec<Violation>) -> Option<Value> {
        match body::request(self.document, schema, sent) {
            Ok(Read::Value(value)) => {
                let validator = self.validators.own(schema, Direction::Request);
                violations.extend(validator.check(&Place::BODY, &value));
                Some(value)
            }
            Ok(Read::Form(value)) => {
                violations.extend(self.missing_fields(schema, &value));
                Some(value)
            }
            Ok(Read::Raw(value)) => value,
            Err(violation) => {
                violations.push(violation);
                None
            }
        }
    }

    /// Required fields that a multipart form lacks.
    fn missing_fields(&self, schema: &Schema, form: &Value) -> Vec<Violation> {
        let shape = Shape::of(self.document, schema);
        let missing = shape.required.into_iter().filter(|name| form.get(name.as_str()).is_none());
        let violation = |name: &smol_str::SmolStr| Violation {
            member: name.clone(),
            ..Place::BODY.violation("", Rule::Required, format!("`{name}` is missing"))
        };
        missing.map(violation).collect()
    }

    fn response_body(&self, response: &'static Response, status: u16, media_type: &str, body: &[u8]) -> Vec<Violation> {
        let undeclared = |what: String| vec![Place::BODY.violation("", Rule::Undeclared, what)];
        if body.is_empty() {
            let may_be_empty = response.content.is_empty() || matches!(status, 204 | 205 | 304);
            let missing = Place::BODY.violation("", Rule::Required, "is missing");
            return if may_be_empty { Vec::new() } else { vec![missing] };
        }
        if response.content.is_empty() {
            return undeclared("the document has none".to_owned());
        }
        let Some(schema) = body::declared(&response.content, media_type) else {
            return undeclared(format!("media type `{media_type}` is none of the document's"));
        };
        if !body::is_json(&body::essence(media_type)) {
            return Vec::new();
        }
        match body::json(body) {
            Ok(value) => self.validators.own(schema, Direction::Response).check(&Place::BODY, &value),
            Err(violation) => vec![violation],
        }
    }
}
