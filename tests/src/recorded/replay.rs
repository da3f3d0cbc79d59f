//! Plays a recording's questions to a twin, in order, as its listener would take them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use dtu_kernel::{
    clock::ClockMode,
    diagnostic::Diagnostic,
    host::{Called, Host},
    ledger::Keep,
    operation::Level,
    route::{Found, Paths},
    time::Timestamp,
    twin::Reason,
    universe::{Options, Universe},
    wire::{Reply, Request},
    world::World,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::{
    compare::{Compare, Difference, Kind, Wish},
    headers::headers,
    ids::Ids,
    recording::{Asked, Exchange, Recording},
};

/// How a service's recordings are played.
#[derive(Debug)]
pub struct Stage {
    host: Arc<dyn Host>,
    paths: Paths,
    /// The text of a recording's world without its epoch; of any recording's where there is none.
    world: fn(Option<&Recording>) -> String,
    /// The address that stands for the recorded one.
    origin: &'static str,
    /// A good value of `Authorization`, and a bad one.
    authorization: [&'static str; 2],
    /// What the twin's world has from the beginning.
    own: BTreeSet<String>,
    /// Whether a recorded answer says that the credential was bad.
    was_refused: fn(&Exchange) -> bool,
    /// Puts into a request what recordings leave out.
    fill: fn(&Exchange, &mut Request, &Progress),
}

/// How far the playing of a recording is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The exchange's place, from 0.
    pub index: usize,
    /// The universe's time.
    pub now: Timestamp,
    /// What the last answer with a `dpop-nonce` had there.
    pub nonce: Option<String>,
}

/// What came of an exchange.
#[derive(Debug)]
pub struct Played {
    /// The recording's name.
    pub recording: String,
    /// The exchange's place in it, from 0.
    pub index: usize,
    /// The year of the recording.
    pub year: i64,
    /// The operation's id and how far the twin goes with it; none where its table has none.
    pub operation: Option<(&'static str, Level)>,
    /// How the twin's answer differs.
    pub differences: Vec<Difference>,
    /// Whether it names an object that an earlier answer should have made.
    pub is_lost: bool,
}

impl Played {
    /// Whether it is of this operation.
    pub fn is_of(&self, operation: &str) -> bool {
        self.operation.is_some_and(|(id, _)| id == operation)
    }

    /// Whether its operation has rules of its own in the twin.
    pub fn is_behaviour(&self) -> bool {
        self.operation.is_some_and(|(_, level)| level == Level::Behaves)
    }
}

/// Universes wait so long for a delivery (machine time).
const PATIENCE: Duration = Duration::from_secs(15);
const YEAR: i64 = 31_556_952;
/// When a recording was made that does not say: in 2025.
const USUAL: Timestamp = Timestamp::from_secs(1_750_000_000);

impl Stage {
    /// A stage for a twin whose administrator in each `world` calls with the first of two values of `Authorization`.
    ///
    /// # Errors
    /// A world that does not load.
    pub fn new(
        host: Arc<dyn Host>,
        world: fn(Option<&Recording>) -> String,
        origin: &'static str,
        authorization: [&'static str; 2],
        was_refused: fn(&Exchange) -> bool,
    ) -> anyhow::Result<Self> {
        let paths = Paths::new(host.operations());
        let fill = |_: &Exchange, _: &mut Request, _: &Progress| ();
        let mut stage = Self { host, paths, world, origin, authorization, own: BTreeSet::new(), was_refused, fill };
        stage.own = stage.own_ids()?;
        Ok(stage)
    }

    /// The same with what puts into a request what recordings leave out.
    #[must_use]
    pub fn filling(self, fill: fn(&Exchange, &mut Request, &Progress)) -> Self {
        Self { fill, ..self }
    }

    /// Plays a recording in a universe of its own, at the time at which it was made.
    ///
    /// # Errors
    /// A world that does not load, or an exchange that is no HTTP.
    pub async fn play(&self, recording: &Recording) -> anyhow::Result<Vec<Played>> {
        let made_at = recording.made_at().map_or(USUAL, Timestamp::from_secs);
        let universe = self.universe(Some(recording), made_at)?;
        let mut ids = Ids::new(self.own.clone());
        let lacks_bodies = recording.lacks_bodies();
        let mut played = Vec::new();
        let mut progress = Progress::default();
        for (index, exchange) in recording.exchanges.iter().enumerate() {
            if exchange.response.is_weather() {
                continue;
            }
            universe.advance(Duration::from_secs(1)).await;
            let body =
                if lacks_bodies { exchange.supposed_body(|id| ids.is_seen(id)) } else { exchange.request.body.clone() };
            let sign_in = recording.sign_in_body(index);
            let signs_in = sign_in.is_some();
            let body = sign_in.unwrap_or(body);
            if exchange.response.status < 300 {
                ids.suppose(&exchange.request.path);
            }
            let is_lost = ids.is_lost(&exchange.request.path) || ids.is_lost(&body.to_string());
            let at = || format!("{}:{index}", recording.name);
            let mut request = self.request(&ids, exchange, &body).with_context(at)?;
            if signs_in {
                request.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            (progress.index, progress.now) = (index, universe.now());
            (self.fill)(exchange, &mut request, &progress);
            let (operation, reply) = self.send(&universe, request).await;
            let nonce = reply.headers.get("dpop-nonce").and_then(|nonce| nonce.to_str().ok());
            progress.nonce = nonce.map(str::to_owned).or(progress.nonce);
            if !lacks_bodies {
                ids.send(&body);
            }
            ids.learn_secrets(&exchange.response.body, &read(&reply.body));
            let differences = self.differences(&mut ids, exchange, &reply);
            let (recording, year) = (recording.name.clone(), 1970 + made_at.as_secs() / YEAR);
            played.push(Played { recording, index, year, operation, differences, is_lost });
        }
        Ok(played)
    }

    /// The ids of what the twin's world has from the beginning: all that operations without parameters show. They are
    /// drawn from the seed alone, and the same in each universe.
    fn own_ids(&self) -> anyhow::Result<BTreeSet<String>> {
        let universe = self.universe(None, USUAL)?;
        let (mut own, ids) = (BTreeSet::new(), Ids::default());
        for (at, info) in self.host.operations().iter().enumerate() {
            if info.writes || !info.methods.contains(&http::Method::GET) || info.path.contains('{') {
                continue;
            }
            let asked = Asked { method: "GET".to_owned(), path: info.path.to_owned(), ..Asked::default() };
            let request = self.asked(&ids, &asked, &Value::Null, false)?;
            let body = self.host.call(&universe, 0, at, request).reply().map_or(Value::Null, |reply| read(&reply.body));
            let rows = body.as_array().map_or(std::slice::from_ref(&body), Vec::as_slice);
            own.extend(rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned));
        }
        Ok(own)
    }

    fn universe(&self, of: Option<&Recording>, at: Timestamp) -> anyhow::Result<Arc<Universe>> {
        let told = |problems: Vec<Diagnostic>| anyhow!("the world does not load: {problems:?}");
        let text = format!("epoch: \"{}\"\n{}", at.before(Duration::from_secs(120)).iso_millis(), (self.world)(of));
        let world = World::parse("recorded.yaml", &text, &[self.host.name()]).map_err(told)?;
        let options = Options { clock: ClockMode::Stepped, keep: Keep::Off, ..Options::default() };
        let hosts = Arc::from([Arc::clone(&self.host)]);
        let universe = Universe::create("recorded", hosts, Arc::new(world), &options).map_err(told)?;
        universe.set_origin(0, self.origin);
        Ok(universe)
    }

    fn request(&self, ids: &Ids, exchange: &Exchange, body: &Value) -> anyhow::Result<Request> {
        self.asked(ids, &exchange.request, body, (self.was_refused)(exchange))
    }

    fn asked(&self, ids: &Ids, asked: &Asked, body: &Value, refused: bool) -> anyhow::Result<Request> {
        let body = match body {
            Value::Null => Vec::new(),
            body => ids.translate_body(body).to_string().into_bytes(),
        };
        Ok(Request {
            method: asked.method.parse()?,
            path: self.host.path(&ids.translate(&asked.path)).into_owned(),
            query: ids.translate_query(asked.query.as_deref().unwrap_or_default()),
            path_params: Vec::new(),
            headers: self.headers(asked, refused)?,
            body: body.into(),
            origin: self.origin.into(),
        })
    }

    async fn send(&self, universe: &Arc<Universe>, mut request: Request) -> (Option<(&'static str, Level)>, Reply) {
        let reason = match self.paths.find(&request.method, &request.path) {
            Found::Operation(at, params) => {
                request.path_params = params;
                let info = &self.host.operations()[at];
                let reply = match self.host.call(universe, 0, at, request) {
                    Called::Answered(reply, _) => reply,
                    Called::Waits(waiting) => {
                        universe.settle(PATIENCE).await;
                        self.host.resume(universe, 0, at, waiting).0
                    }
                };
                return (Some((info.id, info.level())), reply);
            }
            Found::Nothing => Reason::NotFound,
            Found::OtherMethods => Reason::MethodNotAllowed,
        };
        (None, self.host.unserved(universe, request, reason))
    }

    fn headers(&self, asked: &Asked, refused: bool) -> anyhow::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static(self.authorization[usize::from(refused)]));
        headers.insert("accept", HeaderValue::from_static("application/json"));
        for (name, value) in &asked.headers {
            let value = value.as_str().with_context(|| format!("the header {name} is no text"))?;
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
        Ok(headers)
    }

    fn differences(&self, ids: &mut Ids, exchange: &Exchange, reply: &Reply) -> Vec<Difference> {
        let (asked, answered) = (&exchange.request, &exchange.response);
        ids.see_text(&asked.path);
        ids.see(&asked.body);
        let creates = matches!(asked.method.as_str(), "POST" | "PUT") && (200..300).contains(&answered.status);
        if let (true, Some(id)) = (creates, answered.body["id"].as_str()) {
            ids.make(id);
        }
        ids.see(&answered.body);
        let ours = read(&reply.body);
        let mut compare = Compare::new(ids, self.origin, Wish::read(asked.query.as_deref().unwrap_or_default()));
        let status = reply.status.as_u16();
        if status == answered.status {
            compare.bodies(&answered.body, &ours);
            headers(&mut compare, answered, reply);
        } else {
            let expected = format!("{} {}", answered.status, answered.body);
            compare.differ(Kind::Status, "the status", &expected, &format!("{status} {ours}"));
        }
        compare.differences
    }
}

/// A body as JSON: null where empty, a text where it is none.
fn read(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}
