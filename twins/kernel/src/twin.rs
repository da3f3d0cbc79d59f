//! What a service's behavioural clone must say of itself. One who knows one twin knows all.

use std::{borrow::Cow, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use crate::{
    args,
    delivery::{Delivery, Next, Outbound, Outcome},
    diagnostic::Diagnostic,
    fault::Injected,
    operation::{info::OperationInfo, row::Operation},
    rows::AnyRows,
    socket::{Frame, SocketId},
    time::Timestamp,
    tx::Tx,
    wire::{self, Answer, Reply, Request},
    world::World,
};

/// A behavioural clone of one service.
///
/// State is a value: [`Twin::State`] is a struct of persistent maps, cloned by pointer. Handlers and hooks are
/// synchronous functions of it; nothing else is ambient. The twin itself (`&self`) holds what never changes: its
/// contract, and for a twin made from a document its name.
pub trait Twin: Sized + Send + Sync + 'static {
    /// The twin's name, as in `--twins`, ledger and faults (`slack`).
    fn name(&self) -> &'static str;

    /// The service's name for people.
    fn title(&self) -> &'static str;

    /// The longest request body it takes, in bytes.
    fn body_max(&self) -> usize;

    /// The store that holds its state. Twins that name the same store share one state, which must be of one type and
    /// is loaded by the first of them: Google's APIs are several services over one workspace.
    fn store(&self) -> &'static str {
        self.name()
    }

    /// All that the service remembers.
    type State: Clone + Send + Sync + std::fmt::Debug + 'static;
    /// What a request says before the state is looked at: arguments, credential, and what is wrong with them.
    type Input: Send;
    /// Who calls, once believed.
    type Caller: Send + Sync;
    /// The service's errors. Only `error.rs` of the twin knows their envelope and statuses.
    type Error: From<Injected> + Send;

    /// The operation table.
    fn operations(&self) -> Vec<Operation<Self>>;

    /// The human verbs; none where people do nothing in the service that matters.
    fn affordances(&self) -> Vec<Affordance<Self>> {
        Vec::new()
    }

    /// What the control plane and checks see of the state; nothing where another twin of the store shows it.
    fn views(&self) -> Vec<View<Self>> {
        Vec::new()
    }

    /// Those of the views, by name, that can be read row by row: all that may grow large.
    fn rows(&self) -> Vec<(&'static str, &'static dyn AnyRows)> {
        Vec::new()
    }

    /// The schema of the twin's section of a world file.
    fn section_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        let _ = generator;
        schemars::json_schema!({ "type": "object" })
    }

    /// Makes the world's section into state.
    ///
    /// # Errors
    /// Every problem found, with its place in the file.
    fn load(&self, world: &World, tx: &mut Tx<'_>) -> Result<Self::State, Vec<Diagnostic>>;

    /// The environment variables that clients of the service read, for a twin served at `origin`.
    fn env(&self, state: &Self::State, origin: &str) -> Vec<EnvVar>;

    /// The path that the service's front server makes of the path sent. By default slashes in a row count as one, as
    /// nginx reads them (<https://nginx.org/en/docs/http/ngx_http_core_module.html#merge_slashes>): clients whose
    /// configured address ends in a slash send two.
    fn path<'p>(&self, sent: &'p str) -> Cow<'p, str> {
        wire::merge_slashes(sent)
    }

    /// Reads a request as far as that needs no state. Never fails: what is wrong is kept, so that authentication,
    /// limits and validation answer in the service's own order.
    fn input(&self, operation: &OperationInfo, request: &Request) -> Self::Input;

    /// Believes or refuses the credential, and the caller's right to call this operation.
    ///
    /// # Errors
    /// The service's refusal.
    fn authenticate(
        &self,
        state: &Self::State,
        scene: &Scene<'_>,
        input: &Self::Input,
    ) -> Result<Self::Caller, Self::Error>;

    /// Reads the operation's arguments.
    ///
    /// # Errors
    /// The service's refusal of malformed, missing or unknown arguments.
    fn decode<A: DeserializeOwned>(operation: &OperationInfo, input: Self::Input) -> Result<A, Self::Error>;

    /// The caller as the ledger names it.
    fn caller_name(&self, caller: &Self::Caller) -> SmolStr;

    /// The object that the call names, for fault rules and the ledger; empty where none.
    fn resource(&self, operation: &OperationInfo, input: &Self::Input) -> SmolStr {
        let _ = (operation, input);
        SmolStr::default()
    }

    /// The calls a minute that the real service allows of this operation and caller, and the bucket they fall in.
    fn limit(&self, operation: &OperationInfo, caller: &Self::Caller) -> Limit;

    /// All limits that a call is counted against where limits are on: [`Twin::limit`] alone, unless the service has
    /// others beside it, for a credential or a person.
    fn allowances(
        &self,
        state: &Self::State,
        scene: &Scene<'_>,
        input: &Self::Input,
        caller: &Self::Caller,
    ) -> Vec<Allowance> {
        let _ = (state, input);
        vec![self.limit(scene.operation, caller).into()]
    }

    /// The refusal of a call that is one too many for a limit.
    fn over(&self, scene: &Scene<'_>, counted: &Counted) -> Self::Error {
        let _ = scene;
        Injected::RateLimited { retry_after: counted.reset.since(scene.now) }.into()
    }

    /// Whether the service writes down how a call stands within its limits.
    fn is_noted(&self, state: &Self::State, counted: &[Counted]) -> bool {
        let _ = (state, counted);
        false
    }

    /// Writes it down: see [`Twin::is_noted`]. What is written stays also where the call is refused.
    fn note(&self, cx: &mut Write<'_, '_, Self>, counted: &[Counted]) {
        let _ = (cx, counted);
    }

    /// The calls that the real service takes at once; any number where none.
    fn concurrency(&self) -> Option<u32> {
        None
    }

    /// The names of the arguments that carry cursors.
    fn cursors(&self) -> &'static [&'static str] {
        &["after", "cursor", "pageToken", "nextPageToken"]
    }

    /// Puts the service's envelope and headers around an answer or error.
    fn render(
        &self,
        scene: &Scene<'_>,
        caller: Option<&Self::Caller>,
        quota: Quota,
        result: Result<Answer, Self::Error>,
    ) -> Reply;

    /// Answers a request that no operation can take, in the service's shape.
    fn unserved(&self, scene: &Unserved<'_>) -> Reply;

    /// Builds the next attempt of a delivery; none where it has lost its object (an endpoint deleted meanwhile).
    /// Only for twins that send something out ([`Tx::deliver`]).
    fn prepare(&self, state: &Self::State, delivery: &Delivery, now: Timestamp) -> Option<Outbound> {
        let _ = (state, delivery, now);
        None
    }

    /// Where a delivery goes (an app, a hook), for fault rules; empty where it cannot be told.
    fn recipient(&self, delivery: &Delivery) -> SmolStr {
        let _ = delivery;
        SmolStr::default()
    }

    /// How long the service waits for the answer to such a delivery, where somebody can do nothing without it (a call
    /// that waits, a person in front of a window). One that comes later than that is given up by then. None where
    /// nobody waits: such a delivery may come as late as it will.
    fn patience(&self, kind: &str) -> Option<Duration> {
        let _ = kind;
        None
    }

    /// Takes in what came of an attempt.
    fn delivered(&self, state: &mut Self::State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
        let _ = (state, tx, delivery, outcome);
        Next::Done
    }

    /// A timer that [`Tx::timer`] set has come due. Only for twins that set some.
    fn on_timer(&self, state: &mut Self::State, tx: &mut Tx<'_>, name: &str, data: &Value) {
        let _ = (state, tx, name, data);
    }

    /// The next attempt of a delivery, where it goes over a socket and not over HTTP. Asked before [`Twin::prepare`].
    fn frame(&self, state: &Self::State, delivery: &Delivery, now: Timestamp) -> Option<Frame> {
        let _ = (state, delivery, now);
        None
    }

    /// A client has sent a text over a socket.
    fn on_frame(&self, state: &mut Self::State, tx: &mut Tx<'_>, socket: SocketId, text: &str) {
        let _ = (state, tx, socket, text);
    }

    /// A socket has ended, whoever ended it.
    fn on_closed(&self, state: &mut Self::State, tx: &mut Tx<'_>, socket: SocketId) {
        let _ = (state, tx, socket);
    }

    /// A fault rule is about to close a socket: what the service tells the client before.
    fn on_closing(&self, state: &Self::State, tx: &mut Tx<'_>, socket: SocketId) {
        let _ = (state, tx, socket);
    }

    /// Whether a request that no operation can take is one that the real service serves: a gap in the twin, which
    /// makes a trajectory say nothing. A mistake of the caller is none.
    fn is_gap(&self, scene: &Unserved<'_>) -> bool {
        let _ = scene;
        true
    }

    /// Tables in which the service only keeps a record of what was done (audit logs, last use of a token): their
    /// rows follow from other changes and are never collateral damage themselves.
    fn journals(&self) -> &'static [&'static str] {
        &[]
    }

    /// What of an answer does not fit the service's public documents, less what is known to differ. Asked for every
    /// answer of a universe that checks them ([`crate::universe::Options::check`]).
    fn misfits(&self, operation: &OperationInfo, reply: &Reply) -> Vec<String> {
        let _ = (operation, reply);
        Vec::new()
    }
}

/// An environment variable that clients of a service read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: EnvValue,
}

/// What an environment variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue {
    /// A text.
    Text(String),
    /// The path of a file: whoever sets the variable writes it.
    File {
        /// The file's name.
        name: &'static str,
        /// What is in it.
        content: String,
    },
}

impl EnvVar {
    /// A variable with a text.
    pub fn text(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: EnvValue::Text(value.into()) }
    }

    /// The text that it holds, or the content of its file.
    pub fn content(&self) -> &str {
        match &self.value {
            EnvValue::Text(text) => text,
            EnvValue::File { content, .. } => content,
        }
    }
}

/// The circumstances of a call.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The universe's time.
    pub now: Timestamp,
    /// What is called.
    pub operation: &'a OperationInfo,
    /// The request as it came.
    pub request: &'a Request,
    /// 128 bits drawn for this request: request ids are made from them.
    pub request_bits: (u64, u64),
}

/// Why no operation can take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is served at the path.
    NotFound,
    /// The path is served under other methods.
    MethodNotAllowed,
    /// The service has this operation, the twin has not: a gap.
    Absent(&'static str),
    /// The body is longer than [`Twin::body_max`].
    BodyTooLarge,
    /// The twin broke: a bug of ours, kept from the client's sight as the service's own failure.
    Broken,
}

/// The circumstances of a call that no operation can take.
#[derive(Debug)]
pub struct Unserved<'a> {
    /// The universe's time.
    pub now: Timestamp,
    /// The request as it came; its body is empty where it was too large.
    pub request: &'a Request,
    /// Why.
    pub reason: Reason,
    /// 128 bits drawn for this request.
    pub request_bits: (u64, u64),
}

/// What a reading handler is given.
#[derive(Debug)]
pub struct Read<'a, T: Twin> {
    /// The state to look at.
    pub state: &'a T::State,
    /// Who calls.
    pub caller: &'a T::Caller,
    /// The circumstances.
    pub scene: &'a Scene<'a>,
}

/// What a writing handler is given.
#[derive(Debug)]
pub struct Write<'a, 't, T: Twin> {
    /// The state to change.
    pub state: &'a mut T::State,
    /// Draws, changes, deliveries and timers.
    pub tx: &'a mut Tx<'t>,
    /// Who calls.
    pub caller: &'a T::Caller,
    /// The circumstances.
    pub scene: &'a Scene<'a>,
}

/// How often a caller may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Calls that share a bucket are counted together.
    pub bucket: SmolStr,
    /// Calls a minute.
    pub per_minute: u32,
}

/// A limit that a call is counted against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Calls that share a bucket are counted together.
    pub bucket: SmolStr,
    /// Calls in a window.
    pub calls: u32,
    /// A window's length. It begins with its first call.
    pub per: Duration,
    /// What it does.
    pub force: Force,
}

/// What a limit does to calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It refuses, and answers tell of it.
    Shown,
    /// It refuses, and only refusals tell of it.
    Quiet,
    /// It counts only.
    Watched,
}

impl From<Limit> for Allowance {
    fn from(limit: Limit) -> Self {
        Self { bucket: limit.bucket, calls: limit.per_minute, per: Duration::from_secs(60), force: Force::Shown }
    }
}

/// Where a call stands within one of its limits once it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The limit, at the universe's scale.
    pub allowance: Allowance,
    /// Calls in this window, without those that were too many.
    pub used: u32,
    /// Calls of this window that were too many.
    pub over: u32,
    /// Whether this call is one of them.
    pub is_over: bool,
    /// When the window ends.
    pub reset: Timestamp,
}

impl Counted {
    /// The bucket of calls at once: see [`Twin::concurrency`].
    pub const AT_ONCE: &str = "at once";

    /// Whether the call is refused for it.
    pub fn refuses(&self) -> bool {
        self.is_over && self.allowance.force != Force::Watched
    }

    /// As answers show it.
    pub fn quota(&self) -> Quota {
        let limit = self.allowance.calls;
        Quota { limit, remaining: limit.saturating_sub(self.used), reset: self.reset }
    }
}

/// Where the caller stands within a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Calls a minute.
    pub limit: u32,
    /// Calls left in this window.
    pub remaining: u32,
    /// When the window ends.
    pub reset: Timestamp,
}

/// Why an affordance was refused: what the person would have seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    /// From words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

type RunAffordance<T> =
    Box<dyn Fn(&mut <T as Twin>::State, &mut Tx<'_>, &str, Map<String, Value>) -> Result<Value, Refusal> + Send + Sync>;

/// A human verb that a twin offers: what a person does in the service's own pages.
pub struct Affordance<T: Twin> {
    /// The verb with the twin's name in front (`slack.user.click`).
    pub verb: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// The schema of its arguments.
    pub arguments: fn(&mut SchemaGenerator) -> Schema,
    pub(crate) run: RunAffordance<T>,
}

impl<T: Twin> std::fmt::Debug for Affordance<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.verb)
    }
}

/// An affordance's act: the person acts under the world's key or e-mail address.
pub type Act<T, A> = fn(&mut <T as Twin>::State, &mut Tx<'_>, &str, A) -> Result<Value, Refusal>;

impl<T: Twin> Affordance<T> {
    /// A verb whose arguments are read into `A`.
    pub fn new<A: DeserializeOwned + JsonSchema + 'static>(
        verb: &'static str,
        about: &'static str,
        act: Act<T, A>,
    ) -> Self {
        let run = move |state: &mut T::State, tx: &mut Tx<'_>, actor: &str, with: Map<String, Value>| {
            let arguments = args::read(with).map_err(|error| Refusal::new(format!("{verb}: {error}")))?;
            act(state, tx, actor, arguments)
        };
        Self { verb, about, arguments: SchemaGenerator::subschema_for::<A>, run: Box::new(run) }
    }
}

/// A part of the state as people and checks see it.
pub struct View<T: Twin> {
    /// The name (`users`).
    pub name: &'static str,
    /// What it holds, in a sentence.
    pub about: &'static str,
    /// Renders it. Costs what it shows.
    pub render: fn(&T::State) -> Value,
}

impl<T: Twin> std::fmt::Debug for View<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
