//! The control plane: makes, forks, inspects and drives universes. It has its own listener and a bearer token, so
//! that a program under test can neither read answers nor erase its record.

mod acts;
mod error;
mod history;
mod time;
mod universes;

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};
use http::Method;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use crate::{
    multiverse::Multiverse,
    openapi::{Document, SchemaOf, of_twin},
};

pub use error::ControlError;

/// What the handlers share.
#[derive(Debug)]
pub struct Control {
    multiverse: Arc<Multiverse>,
    token: String,
}

/// One endpoint: the table of these makes both the router and the OpenAPI document.
struct Endpoint {
    id: &'static str,
    method: Method,
    path: &'static str,
    about: &'static str,
    query: &'static [(&'static str, &'static str)],
    body: Option<SchemaOf>,
    answer: Option<SchemaOf>,
    handler: MethodRouter<Arc<Control>>,
}

impl Endpoint {
    fn new(
        id: &'static str,
        method: Method,
        path: &'static str,
        about: &'static str,
        handler: MethodRouter<Arc<Control>>,
    ) -> Self {
        Self { id, method, path, about, query: &[], body: None, answer: None, handler }
    }

    const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    const fn body(mut self, body: SchemaOf) -> Self {
        self.body = Some(body);
        self
    }

    const fn answer(mut self, answer: SchemaOf) -> Self {
        self.answer = Some(answer);
        self
    }
}

fn endpoints() -> Vec<Endpoint> {
    let mut all = universes::endpoints();
    all.extend(history::endpoints());
    all.extend(time::endpoints());
    all.extend(acts::endpoints());
    all.push(Endpoint::new(
        "getTwinDocument",
        Method::GET,
        "/v1/twins/{twin}/openapi.json",
        "The OpenAPI document of what a twin implements.",
        axum::routing::get(twin_document),
    ));
    all
}

/// The control plane's OpenAPI document.
pub fn document() -> Value {
    let mut document = Document::default();
    for endpoint in endpoints() {
        let in_path = endpoint.path.split('{').skip(1).filter_map(|part| part.split('}').next());
        let mut parameters: Vec<Value> = in_path
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        for (name, about) in endpoint.query {
            parameters
                .push(json!({ "name": name, "in": "query", "description": about, "schema": { "type": "integer" } }));
        }
        let mut answer = json!({ "description": endpoint.about });
        if let Some(schema) = endpoint.answer {
            answer["content"] = json!({ "application/json": { "schema": document.schema(schema) } });
        }
        let failure = json!({ "description": "What is wrong, and what to do about it.",
            "content": { "application/json": { "schema": document.schema(schemars::SchemaGenerator::subschema_for::<error::ErrorBody>) } } });
        let mut operation = json!({
            "operationId": endpoint.id,
            "summary": endpoint.about,
            "parameters": parameters,
            "responses": { "200": answer, "default": failure },
            "security": [{ "token": [] }],
        });
        if let Some(schema) = endpoint.body {
            operation["requestBody"] = json!({ "required": true,
                "content": { "application/json": { "schema": document.schema(schema) } } });
        }
        document.add(endpoint.path, &endpoint.method, operation);
    }
    let security = json!({ "token": { "type": "http", "scheme": "bearer" } });
    document.finish("Control plane of the Digital Twin Universe", env!("CARGO_PKG_VERSION"), security)
}

/// The control plane's routes.
pub fn router(multiverse: Arc<Multiverse>, token: String) -> Router {
    let control = Arc::new(Control { multiverse, token });
    let mut router = Router::new();
    for endpoint in endpoints() {
        router = router.route(endpoint.path, endpoint.handler);
    }
    router
        .route("/openapi.json", axum::routing::get(|| async { Json(document()) }))
        .fallback(|| async { ControlError::not_found("nothing is served at this path").hint("see GET /openapi.json") })
        .method_not_allowed_fallback(|| async { ControlError::method_not_allowed() })
        .layer(axum::extract::DefaultBodyLimit::max(1 << 20))
        .layer(from_fn_with_state(Arc::clone(&control), authorize))
        .with_state(control)
}

async fn authorize(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    let header = request.headers().get(http::header::AUTHORIZATION);
    let given = header.and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
    let known = given.is_some_and(|token| bool::from(token.as_bytes().ct_eq(control.token.as_bytes())));
    if known { next.run(request).await } else { ControlError::unauthorized().into_response() }
}

async fn twin_document(
    State(control): State<Arc<Control>>,
    axum::extract::Path(twin): axum::extract::Path<String>,
) -> Result<Json<Value>, ControlError> {
    let twins = control.multiverse.twins();
    let names = || twins.iter().map(|host| host.name());
    match twins.iter().find(|host| host.name() == twin) {
        Some(host) => Ok(Json(of_twin(host.as_ref()))),
        None => Err(ControlError::unknown("twin", &twin, names())),
    }
}

/// The control plane being served. Dropping it closes its listener.
#[derive(Debug)]
pub struct Serving {
    /// Where.
    pub address: SocketAddr,
    /// What callers must present.
    pub token: String,
    task: tokio::task::AbortHandle,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves the control plane on a port of the loopback interface; 0 takes a free one. The token is new each time.
///
/// # Errors
/// Where the port, or random bytes for the token, cannot be had.
pub async fn serve(multiverse: Arc<Multiverse>, port: u16) -> io::Result<Serving> {
    let token = fresh_token()?;
    let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    let routes = router(multiverse, token.clone());
    let task = tokio::spawn(async move {
        // Ends only with the process or when dropped; an accept error is retried inside.
        let _ = axum::serve(listener, routes).await;
    })
    .abort_handle();
    Ok(Serving { address, token, task })
}

/// A token nobody can guess: the control plane is no part of any universe, so it may use the machine's entropy.
fn fresh_token() -> io::Result<String> {
    use std::fmt::Write as _;
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    let mut token = String::from("dtu-");
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    Ok(token)
}
