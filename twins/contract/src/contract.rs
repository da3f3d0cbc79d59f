//! The internal contract: one service's operations and schemas, whatever kind of document they came from.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{lazy::Lazy, schema::Schema};

/// The contract files' format.
pub const FORMAT: &str = "dtu/contract/v1";

/// The machine-readable surface of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"), deny_unknown_fields)]
pub struct Contract {
    /// [`FORMAT`].
    pub format: SmolStr,
    /// The twin that serves it.
    pub service: SmolStr,
    /// What it was made from. Each document is whole in itself: references stay within one.
    pub documents: Vec<Document>,
}

/// What one public document says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"), deny_unknown_fields, rename_all = "camelCase")]
pub struct Document {
    /// Its file's name without ending.
    pub name: SmolStr,
    /// What kind of document it is.
    pub kind: Kind,
    /// The document's own version.
    pub version: SmolStr,
    /// Ways for a caller to show who it is, by the document's names.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub security: IndexMap<SmolStr, SecurityScheme>,
    /// The operations, by path, then method.
    pub operations: Vec<Operation>,
    /// The schemas that operations and schemas refer to, by name.
    pub schemas: IndexMap<SmolStr, Lazy<Schema>>,
}

/// Kinds of public documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// OpenAPI 3.0.
    #[serde(rename = "openapi-3.0")]
    OpenApi30,
    /// OpenAPI 3.1.
    #[serde(rename = "openapi-3.1")]
    OpenApi31,
    /// Swagger 2.0.
    #[serde(rename = "swagger-2.0")]
    Swagger2,
    /// Google's discovery document.
    #[serde(rename = "google-discovery")]
    GoogleDiscovery,
    /// A list of Slack's methods.
    #[serde(rename = "slack-methods")]
    SlackMethods,
}

/// A way for a caller to show who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum SecurityScheme {
    /// A key in a header, the query or a cookie.
    ApiKey {
        /// Where.
        #[serde(rename = "in")]
        place: Place,
        /// Under which name.
        name: SmolStr,
    },
    /// An `Authorization` header of this scheme (`basic`, `bearer`).
    Http {
        /// The scheme, in lower case.
        scheme: SmolStr,
    },
    /// OAuth 2.0 or `OpenID` Connect: a bearer token with scopes.
    #[serde(rename = "oauth2")]
    OAuth2,
}

/// One call of the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"), deny_unknown_fields, rename_all = "camelCase")]
pub struct Operation {
    /// The provider's own id; unique in its document.
    pub id: SmolStr,
    /// The HTTP method, in capitals.
    pub method: SmolStr,
    /// The whole path behind the host, with `{name}` for parameters.
    pub path: SmolStr,
    /// Whether the document advises against it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// How far it is released, where the document says so and it is not generally available (`EA`, `experimental`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<SmolStr>,
    /// The rest.
    pub facts: Lazy<Facts>,
}

/// What an operation takes and answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Facts {
    /// Parameters outside the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestBody>,
    /// Answers by status (`200`, `4XX`, `default`).
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub responses: IndexMap<SmolStr, Response>,
    /// Of which the caller must show one: schemes of the document, all of an entry, with the scopes needed. Empty
    /// where anybody may call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<IndexMap<SmolStr, Vec<SmolStr>>>,
    /// How its list is read page by page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
}

/// A parameter outside the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Parameter {
    /// Its name, as sent.
    pub name: SmolStr,
    /// Where it is sent.
    #[serde(rename = "in")]
    pub place: Place,
    /// Whether it must be there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Whether a list is one parameter for each item (`a=1&a=2`) rather than one text.
    #[serde(default, skip_serializing_if = "is_false")]
    pub explode: bool,
    /// How lists and objects are written, where not in the place's usual way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
    /// Whether the document advises against it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// What it may be.
    #[serde(default)]
    pub schema: Schema,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// As a header.
    Header,
    /// As a cookie.
    Cookie,
}

/// How lists and objects are written in a parameter (OpenAPI's names).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Style {
    /// `;a=1`
    Matrix,
    /// `.1.2`
    Label,
    /// `1,2`, each item a parameter where exploded.
    Form,
    /// `1,2`
    Simple,
    /// `1 2`
    SpaceDelimited,
    /// `1|2`
    PipeDelimited,
    /// `a[key]=1`
    DeepObject,
}

/// What a body may be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    /// Whether there must be one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Schemas by media type; a schema that says nothing where the document has none.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub content: IndexMap<SmolStr, Schema>,
}

/// What an answer is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Schemas by media type; empty where the answer has no body.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub content: IndexMap<SmolStr, Schema>,
    /// Headers, by name in lower case, that the document speaks of.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<SmolStr, Schema>,
}

/// How a list is read page by page. Members are given by their path from the body's root (`paging.next`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "kind")]
pub enum Paging {
    /// The next page's address is in a `Link` header (`rel="next"`), and is this operation with another cursor.
    Link {
        /// The parameter with the cursor.
        cursor: SmolStr,
        /// The parameter with the page's size.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<SmolStr>,
    },
    /// The answer holds a token for the next page.
    Token {
        /// The parameter with the token.
        token: SmolStr,
        /// The parameter with the page's size.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<SmolStr>,
        /// The member of the answer with the next token.
        next: SmolStr,
    },
    /// Pages are asked for by the number of items before them, or by their own number.
    Offset {
        /// The parameter with the place.
        offset: SmolStr,
        /// The parameter with the page's size.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<SmolStr>,
        /// Whether places count pages rather than items.
        #[serde(default, skip_serializing_if = "is_false")]
        pages: bool,
    },
}

impl Contract {
    /// A contract that is part of the program.
    ///
    /// # Panics
    /// Where the text is no contract; a test of each twin reads its contract whole.
    pub fn embedded(text: &'static str) -> Self {
        serde_json::from_str(text).expect("the program's own contracts are tested")
    }

    /// Reads a contract whole.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(text: &'static str) -> Result<Self, serde_json::Error> {
        let contract: Self = serde_json::from_str(text)?;
        for document in &contract.documents {
            document.operations.iter().try_for_each(|operation| operation.facts.check())?;
            document.schemas.values().try_for_each(Lazy::check)?;
        }
        Ok(contract)
    }

    /// All operations, each with its document.
    pub fn operations(&self) -> impl Iterator<Item = (&Document, &Operation)> {
        self.documents
            .iter()
            .flat_map(|document| document.operations.iter().map(move |operation| (document, operation)))
    }

    /// An operation by the provider's id: the first document's that has it.
    pub fn operation(&self, id: &str) -> Option<(&Document, &Operation)> {
        self.operations().find(|(_, operation)| operation.id == id)
    }
}

impl Document {
    /// A schema with its reference followed, as often as one schema is just another's name.
    pub fn resolve<'a>(&'a self, schema: &'a Schema) -> &'a Schema {
        let mut at = schema;
        // A chain cannot be longer than there are names; one that is goes in circles.
        for _ in 0..=self.schemas.len() {
            match at.reference.as_ref().and_then(|name| self.schemas.get(name)) {
                Some(named) => at = named.get(),
                None => break,
            }
        }
        at
    }
}

impl Facts {
    /// The answer that the document gives for a status: its own, its class's, or the one for all others.
    pub fn response(&self, status: u16) -> Option<&Response> {
        let class = format!("{}XX", status / 100);
        let exact = self.responses.get(status.to_string().as_str());
        exact.or_else(|| self.responses.get(class.as_str())).or_else(|| self.responses.get("default"))
    }

    /// The status and answer of success: the lowest 2xx that the document names.
    pub fn success(&self) -> Option<(u16, &Response)> {
        let numbered = self.responses.iter().filter_map(|(status, response)| match status.as_str() {
            "2XX" => Some((200, response)),
            text => text.parse().ok().map(|status: u16| (status, response)),
        });
        numbered.filter(|(status, _)| (200..300).contains(status)).min_by_key(|(status, _)| *status)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
