//! The rows of a twin's table: an operation with what runs it.

use http::Method;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::info::{Depth, Level, OperationInfo};
use crate::{
    fault::Injected,
    socket::{self, SocketId},
    twin::{Read, Twin, Write},
    wire::Answer,
};

/// How a row that looks runs, where its arguments and answer have no Rust types.
pub type RunRead<T> = Box<dyn Fn(&Read<'_, T>, <T as Twin>::Input) -> Result<Answer, <T as Twin>::Error> + Send + Sync>;

/// How a row that changes runs, where its arguments and answer have no Rust types.
pub type RunWrite<T> =
    Box<dyn Fn(&mut Write<'_, '_, T>, <T as Twin>::Input) -> Result<Answer, <T as Twin>::Error> + Send + Sync>;

type RunThen<T> = Box<dyn Fn(&Read<'_, T>) -> Result<Answer, <T as Twin>::Error> + Send + Sync>;

/// How an operation runs: with a look at the state, or with the universe's only pen.
pub(crate) enum Run<T: Twin> {
    Read(RunRead<T>),
    Write(RunWrite<T>),
    Absent,
}

/// One row of a twin's table.
pub struct Operation<T: Twin> {
    pub(crate) info: OperationInfo,
    pub(crate) run: Run<T>,
    pub(crate) then: Option<RunThen<T>>,
}

impl<T: Twin> std::fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.info.fmt(f)
    }
}

/// A body that an answer declares for the OpenAPI document: the handler gives back a `Typed<B>`.
#[derive(Debug)]
pub struct Typed<B> {
    answer: Answer,
    body: std::marker::PhantomData<fn() -> B>,
}

impl<B: serde::Serialize> Typed<B> {
    /// 200 with `body`.
    pub fn ok(body: &B) -> Self {
        Self::from_answer(Answer::json(body))
    }

    /// An answer made by hand whose body fits `B`.
    pub const fn from_answer(answer: Answer) -> Self {
        Self { answer, body: std::marker::PhantomData }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: impl Into<String>) -> Self {
        self.answer = self.answer.with_header(name, value);
        self
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: http::StatusCode) -> Self {
        self.answer = self.answer.with_status(status);
        self
    }
}

/// A handler that looks. `A` is read from the request, `B` is the answer's body.
pub type ReadHandler<T, A, B> = fn(&Read<'_, T>, A) -> Result<Typed<B>, <T as Twin>::Error>;

/// A handler that changes. An error leaves no trace: what it had changed is undone.
pub type WriteHandler<T, A, B> = fn(&mut Write<'_, '_, T>, A) -> Result<Typed<B>, <T as Twin>::Error>;

/// A handler that opens a socket, whose number it is told. An error refuses it, in the service's own way.
pub type OpenHandler<T, A> = fn(&mut Write<'_, '_, T>, SocketId, A) -> Result<(), <T as Twin>::Error>;

/// A handler that answers once the delivery that its call waits for is over.
pub type ThenHandler<T, B> = fn(&Read<'_, T>) -> Result<Typed<B>, <T as Twin>::Error>;

impl<T: Twin> Operation<T> {
    /// An operation that changes nothing.
    pub fn read<A, B>(
        id: &'static str,
        methods: &'static [Method],
        path: &'static str,
        handler: ReadHandler<T, A, B>,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + 'static,
        B: JsonSchema + 'static,
    {
        let run =
            move |cx: &Read<'_, T>, input: T::Input| Ok(handler(cx, T::decode(cx.scene.operation, input)?)?.answer);
        Self { info: OperationInfo::new::<A, B>(id, methods, path, false), run: Run::Read(Box::new(run)), then: None }
    }

    /// An operation that changes state.
    pub fn write<A, B>(
        id: &'static str,
        methods: &'static [Method],
        path: &'static str,
        handler: WriteHandler<T, A, B>,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + 'static,
        B: JsonSchema + 'static,
    {
        let run = move |cx: &mut Write<'_, '_, T>, input: T::Input| {
            let args = T::decode(cx.scene.operation, input)?;
            Ok(handler(cx, args)?.answer)
        };
        Self { info: OperationInfo::new::<A, B>(id, methods, path, true), run: Run::Write(Box::new(run)), then: None }
    }

    /// An operation that opens a socket: a GET that asks for a WebSocket. Any other is answered as a bad request.
    pub fn socket<A>(id: &'static str, path: &'static str, open: OpenHandler<T, A>) -> Self
    where
        A: DeserializeOwned + JsonSchema + 'static,
    {
        let run = move |cx: &mut Write<'_, '_, T>, input: T::Input| {
            if !socket::is_upgrade(cx.scene.request) {
                return Err(Injected::Failure { status: Some(400), code: None }.into());
            }
            let args = T::decode(cx.scene.operation, input)?;
            let socket = cx.tx.open_socket();
            open(cx, socket, args)?;
            Ok(Answer::empty(http::StatusCode::SWITCHING_PROTOCOLS))
        };
        let info = OperationInfo::new::<A, ()>(id, &[Method::GET], path, true);
        Self { info, run: Run::Write(Box::new(run)), then: None }
    }

    /// A row that looks, made from a contract.
    pub fn untyped_read(info: OperationInfo, run: RunRead<T>) -> Self {
        Self { info: OperationInfo { writes: false, ..info }, run: Run::Read(run), then: None }
    }

    /// A row that changes, made from a contract.
    pub fn untyped_write(info: OperationInfo, run: RunWrite<T>) -> Self {
        Self { info: OperationInfo { writes: true, ..info }, run: Run::Write(run), then: None }
    }

    /// A row that is refused by name: the service has the operation, the twin has not.
    pub fn absent(info: OperationInfo) -> Self {
        Self {
            info: OperationInfo { writes: false, depth: Depth::Is(Level::Absent), ..info },
            run: Run::Absent,
            then: None,
        }
    }

    /// What is known of it without running it.
    pub const fn info(&self) -> &OperationInfo {
        &self.info
    }

    /// How it answers once a delivery queued with [`crate::tx::Tx::deliver_and_wait`] is over.
    #[must_use]
    pub fn then<B: 'static>(mut self, answer: ThenHandler<T, B>) -> Self {
        self.then = Some(Box::new(move |cx| Ok(answer(cx)?.answer)));
        self
    }

    /// A row whose writes are remembered and shown by later reads, and whose rules are not known whole: it counts as
    /// storing rather than behaving.
    #[must_use]
    pub fn stores(mut self) -> Self {
        self.info.depth = Depth::Is(Level::Stores);
        self
    }

    /// The limit that counts its calls.
    #[must_use]
    pub const fn limit(mut self, key: &'static str) -> Self {
        self.info.limit = key;
        self
    }

    /// The scopes of which the caller needs one.
    #[must_use]
    pub const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.info.scopes = scopes;
        self
    }

    /// The error codes that it can answer besides the common ones.
    #[must_use]
    pub const fn errors(mut self, errors: &'static [&'static str]) -> Self {
        self.info.errors = errors;
        self
    }

    /// Arguments may not come as a JSON body.
    #[must_use]
    pub const fn form_only(mut self) -> Self {
        self.info.json_body = false;
        self
    }
}
