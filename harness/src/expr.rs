//! Expressions of scenario and target files: CEL, and texts with CEL in `${...}`.
//!
//! CEL is total and has no side effects. Besides its standard functions there are those of its strings library
//! (`lowerAscii`, `split`, `join`, ...). Times are ISO texts, which compare as they should.

mod late;
mod mentions;
mod stream;
mod template;
mod value;

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use cel::{Context, ExecutionError, common::types::CelBool, objects::Value as CelValue};
use dtu_kernel::diagnostic::Diagnostic;
use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

use self::stream::Streamed;
pub(crate) use self::{
    late::Late,
    value::{Object, Owned, from_json},
};
pub use self::{
    mentions::{Compared, ItemMember, Mention},
    template::{Form, Template},
};

/// What an expression may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `params` only: it is asked before anything runs.
    Params,
    /// `params`, `people`, `now`, `port`, `env`, `twins`, `target`, what came of `acts`, the `round` of a repetition, and
    /// the twins' views.
    State,
    /// As [`Scope::State`], and the ledger entry `e`.
    Entry,
    /// As [`Scope::State`], and the change `c`.
    Change,
    /// As [`Scope::State`], and the row `r` of a view.
    Row,
    /// `params`, `port`, `env`, `twins`.
    Target,
    /// `people` only: it is asked of the world before anything is planned.
    World,
}

impl Scope {
    /// The variables there are besides the twins.
    pub const fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Params => &["params"],
            Self::World => &["people"],
            Self::Target => &["params", "port", "env", "twins"],
            Self::State => &["params", "people", "now", "port", "env", "twins", "acts", "target", "round"],
            Self::Entry => &["e", "params", "people", "now", "port", "env", "twins", "acts", "target", "round"],
            Self::Change => &["c", "params", "people", "now", "port", "env", "twins", "acts", "target", "round"],
            Self::Row => &["r", "params", "people", "now", "port", "env", "twins", "acts", "target", "round"],
        }
    }

    /// Whether the twins' views are there.
    pub const fn has_twins(self) -> bool {
        matches!(self, Self::State | Self::Entry | Self::Change | Self::Row)
    }
}

/// The members of a ledger entry `e`. Those that a kind of entry has not are there all the same, empty.
pub const ENTRY_MEMBERS: [&str; 30] = [
    "action",
    "args",
    "at",
    "caller",
    "cause",
    "changes",
    "delivery",
    "detail",
    "effect",
    "error",
    "fault",
    "from",
    "gap",
    "json",
    "kind",
    "name",
    "on",
    "operation",
    "principal",
    "request",
    "resource",
    "response",
    "result",
    "rule",
    "seq",
    "status",
    "to",
    "twin",
    "verb",
    "with",
];

/// The members of a change `c`.
pub const CHANGE_MEMBERS: [&str; 5] = ["after", "before", "key", "table", "twin"];

/// The members of `target`.
pub const TARGET_MEMBERS: [&str; 2] = ["port", "url"];

/// Why an expression has no value: a sentence without a period at the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvalError(pub String);

impl EvalError {
    fn new(program: &Program, error: &ExecutionError) -> Self {
        Self(format!("`{}`: {}", program.shown(), why(error)))
    }
}

/// The error in words. CEL's own words may show whole values; types say enough, and are the same in equal runs.
fn why(error: &ExecutionError) -> String {
    use ExecutionError as E;
    let kind = CelValue::type_of;
    match error {
        E::NoSuchKey(key) => {
            format!("nothing has the name `{key}` there; where it may be absent, ask `has(...)` first")
        }
        E::UndeclaredReference(name) => format!("nothing is called `{name}`"),
        E::IndexOutOfBounds(CelValue::Int(at)) => format!("a list is too short to have an item {at}"),
        E::IndexOutOfBounds(_) => "a list is too short to have such an item".to_owned(),
        E::ValuesNotComparable(a, b) => format!("`{}` and `{}` cannot be compared", kind(a), kind(b)),
        E::UnsupportedBinaryOperator(name, a, b) => {
            format!("`{name}` does not work on `{}` and `{}`", kind(a), kind(b))
        }
        E::UnsupportedIndex(at, of) => format!("a `{}` has no item by a `{}`", kind(of), kind(at)),
        E::UnsupportedKeyType(key) | E::DuplicateKey(key) => format!("a `{}` cannot be a key here", kind(key)),
        E::NotSupportedAsMethod { method, target } => format!("a `{}` has no `{method}`", kind(target)),
        E::UnsupportedTargetType { target } => format!("it does not work on a `{}`", kind(target)),
        E::Overflow(name, ..) => format!("`{name}` gives a number that is too large"),
        other => other.to_string(),
    }
}

/// A place in a file, counted from 1; 0 where it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

impl Place {
    /// A problem at this place of a file.
    pub fn problem(self, file: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic { line: self.line, column: self.column, ..Diagnostic::whole(file, message) }
    }

    /// Where a text stands in a file's text, from this place's line on; this place itself where it is not to be found
    /// as it is (it may be written with quotes or over several lines).
    pub(crate) fn find(self, text: &str, needle: &str) -> Self {
        let first_line = needle.lines().next().unwrap_or_default();
        if first_line.is_empty() {
            return self;
        }
        let skip = usize::try_from(self.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let lines = text.lines().enumerate().skip(skip);
        let mut hits = lines.filter_map(|(number, line)| Some((number, line, line.find(first_line)?)));
        hits.next().map_or(self, |(number, line, at)| Self {
            line: number as u64 + 1,
            column: line[..at].chars().count() as u64 + 1,
        })
    }
}

/// The functions that expressions can call.
static ENV: LazyLock<Arc<cel::Env>> = LazyLock::new(|| {
    let mut env = cel::Env::stdlib();
    // Fails only where a name is declared twice, which a test would see.
    drop(env.add_extension(cel::extensions::strings));
    late::declare(&mut env);
    Arc::new(env)
});

/// Their names, for finding slips when a file is read. Operators are spelt with signs and are left out.
const FUNCTIONS: [&str; 32] = [
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "format",
    "hasValue",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "optional.none",
    "optional.of",
    "optional.ofNonZeroValue",
    "or",
    "orValue",
    "replace",
    "reverse",
    "size",
    "split",
    "startsWith",
    "string",
    "substring",
    "trim",
    "type",
    "uint",
    "upperAscii",
    "value",
];

/// What expressions see: variables by name.
pub(crate) fn context<'v>() -> Context<'static, 'v> {
    Context::with_env(Arc::clone(&ENV))
}

/// A compiled expression. Cloning costs a pointer.
#[derive(Clone)]
pub struct Program(Arc<Compiled>);

struct Compiled {
    source: String,
    place: Place,
    scope: Scope,
    program: Option<cel::Program>,
    /// As it is evaluated where views are read row by row; none where they must be made for it.
    streamed: Option<Streamed>,
    mentions: BTreeSet<Mention>,
    items: BTreeSet<ItemMember>,
    compared: BTreeSet<Compared>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Program({:?})", self.0.source)
    }
}

impl Program {
    /// The expression as written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The expression on one line, cut where it is long: for sentences.
    pub fn shown(&self) -> String {
        const MAX: usize = 120;
        let line = self.0.source.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(MAX) {
            Some((at, _)) => format!("{}...", &line[..at]),
            None => line,
        }
    }

    /// Where it stands in its file.
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// What it may name.
    pub fn scope(&self) -> Scope {
        self.0.scope
    }

    /// What it names.
    pub fn mentions(&self) -> &BTreeSet<Mention> {
        &self.0.mentions
    }

    /// The members that it takes of the items of lists.
    pub fn items(&self) -> &BTreeSet<ItemMember> {
        &self.0.items
    }

    /// The texts that it compares members of variables with.
    pub fn compared(&self) -> &BTreeSet<Compared> {
        &self.0.compared
    }

    /// Whether twins' views may be bound to it unmade.
    pub(crate) fn reads_row_by_row(&self) -> bool {
        self.0.streamed.is_some()
    }

    /// Whether it holds for these parameters: for expressions of [`Scope::Params`], before there is a universe.
    ///
    /// # Errors
    /// Why it has no value.
    pub fn holds_for(&self, params: &Map<String, Value>) -> Result<bool, EvalError> {
        let mut context = context();
        context.add_variable_as_val("params", Box::new(Object::from_json(params)));
        self.truth(&context)
    }

    /// Its value, which must be true or false.
    pub(crate) fn truth(&self, context: &Context<'_, '_>) -> Result<bool, EvalError> {
        self.resolve(context, |value| {
            let truth = value.downcast_ref::<CelBool>().map(|truth| *truth.inner());
            let kind = value.get_type().name();
            truth.ok_or_else(|| EvalError(format!("`{}` is neither true nor false but of type `{kind}`", self.shown())))
        })
    }

    /// Its value as JSON.
    pub(crate) fn json(&self, context: &Context<'_, '_>) -> Result<Value, EvalError> {
        self.resolve(context, value::to_json)
    }

    fn resolve<T>(
        &self,
        context: &Context<'_, '_>,
        read: impl FnOnce(&dyn cel::common::value::Val) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        let Some(program) = &self.0.program else {
            return Err(EvalError(format!("`{}` is not an expression", self.shown())));
        };
        let plain = self.0.streamed.as_ref().map_or(program.expression(), |streamed| &streamed.plain);
        let narrowed = self.0.streamed.as_ref().and_then(|streamed| streamed.narrowed.as_ref());
        if let Some(value) = narrowed.and_then(|narrowed| CelValue::resolve_val(narrowed, context).ok()) {
            return read(value.as_ref());
        }
        let value = CelValue::resolve_val(plain, context).map_err(|why| EvalError::new(self, &why))?;
        read(value.as_ref())
    }
}

/// Compiles the expressions of one file and gathers all that is wrong with them.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    file: &'a str,
    text: &'a str,
    /// The scenario's parameters; none where the file does not declare them.
    params: Option<Vec<&'a str>>,
    /// The scenario's beats by id, with what there is to read of their acts.
    acts: Vec<(&'a str, &'static [&'static str])>,
    /// What is wrong so far.
    pub(crate) problems: Vec<Diagnostic>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str, params: Option<Vec<&'a str>>) -> Self {
        Self { file, text, params, acts: Vec::new(), problems: Vec::new() }
    }

    /// The same that knows beats by id, with the members of what comes of their acts.
    pub(crate) fn with_acts(self, acts: Vec<(&'a str, &'static [&'static str])>) -> Self {
        Self { acts, ..self }
    }

    pub(crate) fn problem(&mut self, place: Place, message: impl Into<String>, hint: &str) {
        self.problems.push(place.problem(self.file, message).hint(hint));
    }

    /// Compiles an expression that knows its place.
    pub(crate) fn spanned(&mut self, scope: Scope, source: &Spanned<String>) -> Program {
        self.program(scope, &source.value, source.referenced.into())
    }

    /// Compiles an expression. Where it is none, the problem is kept and what comes back has no value.
    pub(crate) fn program(&mut self, scope: Scope, source: &str, place: Place) -> Program {
        let (program, found) = match ENV.compile(source) {
            Ok(program) => {
                let found = mentions::find(program.expression());
                (Some(program), found)
            }
            Err(errors) => {
                self.problem(place, parse_problem(source, &errors), "");
                (None, mentions::Found::default())
            }
        };
        for function in found.functions.iter().filter(|name| is_unknown_function(name)) {
            let problem = place.problem(self.file, format!("there is no function `{function}`"));
            self.problems.push(problem.suggest(function, FUNCTIONS));
        }
        for mention in &found.mentions {
            self.check(scope, mention, place);
        }
        let streamed = program.as_ref().filter(|_| scope.has_twins());
        let streamed = streamed.and_then(|program| stream::rewrite(program.expression(), scope.variables()));
        let mentions::Found { mentions, items, compared, .. } = found;
        let source = source.to_owned();
        Program(Arc::new(Compiled { source, place, scope, program, streamed, mentions, items, compared }))
    }

    /// Tells of a name that cannot be right whatever the twins are.
    fn check(&mut self, scope: Scope, mention: &Mention, place: Place) {
        let root = mention.root.as_str();
        if !scope.variables().contains(&root) {
            if scope.has_twins() && !matches!(root, "e" | "c" | "r") {
                return; // It may be a twin: only those who know the twins can tell.
            }
            let problem = place.problem(self.file, format!("there is no variable `{root}` here"));
            return self.problems.push(problem.suggest(root, scope.variables().iter().copied()));
        }
        let Some(member) = mention.member.as_deref() else { return };
        if root == "acts" {
            return self.check_act(member, mention.inner.as_deref(), place);
        }
        let known = match root {
            "e" => ENTRY_MEMBERS.to_vec(),
            "c" => CHANGE_MEMBERS.to_vec(),
            "target" => TARGET_MEMBERS.to_vec(),
            "params" => match &self.params {
                Some(params) => params.clone(),
                None => return,
            },
            _ => return,
        };
        if !known.contains(&member) {
            let message = match root {
                "e" => format!("a ledger entry has no `{member}`"),
                "c" => format!("a change has no `{member}`"),
                "target" => format!("the target has no `{member}`"),
                _ => format!("the scenario has no parameter `{member}`"),
            };
            self.problems.push(place.problem(self.file, message).suggest(member, known));
        }
    }

    /// Tells of what no act leaves behind.
    fn check_act(&mut self, id: &str, member: Option<&str>, place: Place) {
        let Some((_, members)) = self.acts.iter().find(|(known, _)| *known == id) else {
            let problem = place.problem(self.file, format!("no beat has the id `{id}`"));
            let known: Vec<&str> = self.acts.iter().map(|(known, _)| *known).collect();
            return self.problems.push(problem.suggest(id, known));
        };
        if members.is_empty() {
            let hint = "`do`, `http`, `cli`, `pick` and `repeat` leave something behind";
            return self.problem(place, format!("there is nothing to read of the beat `{id}`"), hint);
        }
        if let Some(member) = member.filter(|member| !members.contains(member)) {
            let problem = place.problem(self.file, format!("what comes of the beat `{id}` has no `{member}`"));
            self.problems.push(problem.suggest(member, members.iter().copied()));
        }
    }

    /// Where a text stands in the file, at or after `near`.
    pub(crate) fn find(&self, needle: &str, near: Place) -> Place {
        near.find(self.text, needle)
    }
}

fn is_unknown_function(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && !FUNCTIONS.contains(&name)
}

fn parse_problem(source: &str, errors: &cel::ParseErrors) -> String {
    let Some(error) = errors.errors.first() else {
        return format!("`{source}` is not an expression");
    };
    let (line, column) = error.pos;
    let place = if line > 1 { format!("line {line}, character {column}") } else { format!("character {column}") };
    let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    format!("not an expression: {message} (at {place} of `{}`)", source.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn compile(scope: Scope, source: &str) -> (Program, Vec<String>) {
        let mut compiler = Compiler::new("s.yaml", "", Some(vec!["who", "group"]));
        let program = compiler.program(scope, source, Place { line: 3, column: 7 });
        (program, compiler.problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn expressions_are_evaluated() {
        let check = |source: &str, wanted: Value| {
            let (program, problems) = compile(Scope::State, source);
            assert!(problems.is_empty(), "{problems:?}");
            let mut context = context();
            let params =
                json!({ "who": "lena", "n": 3, "list": ["b", "a"], "map": { "z": 1, "a": [2] }, "none": null });
            context.add_variable_as_val("x", from_json(&params));
            assert_eq!(program.json(&context), Ok(wanted), "{source}");
        };
        check("x.who + '!'", json!("lena!"));
        check("x.n + 1 == 4 && x.none == null", json!(true));
        check("x.map", json!({ "z": 1, "a": [2] }));
        check("x.map.map(k, k)", json!(["z", "a"]));
        check("x.list == ['b', 'a'] && ['b', 'a'] == x.list", json!(true));
        check("x.map == {'a': [2], 'z': 1} && {'a': [2], 'z': 1} == x.map", json!(true));
        check("x.list + ['c']", json!(["b", "a", "c"]));
        check("'a' in x.list && 'z' in x.map && size(x.map) == 2 && x.list.size() == 2", json!(true));
        check("has(x.nope) ? 1 : 2", json!(2));
        check("x.?nope.orValue('d')", json!("d"));
        check("x.list.filter(i, i > 'a')[0]", json!("b"));
        check("x['list'][1].upperAscii()", json!("A"));
        check("{'b': 1, 'a': 2}", json!({ "a": 2, "b": 1 }));
        check("[{'k': 1}, x.map].exists(m, m == x.map)", json!(true));
    }

    #[test]
    fn slips_are_told_with_their_place() {
        let check = |scope: Scope, source: &str, wanted: &str| {
            let (_, problems) = compile(scope, source);
            assert_eq!(problems.len(), 1, "{source}: {problems:?}");
            assert!(problems[0].contains(wanted), "{source}: {}", problems[0]);
            assert!(problems[0].starts_with("s.yaml:3:7: "), "{}", problems[0]);
        };
        check(Scope::Params, "params.whom == 'lena'", "hint: did you mean `who`?");
        check(Scope::Params, "param.who == 'lena'", "hint: did you mean `params`?");
        check(Scope::Params, "okta.users.size() > 0", "there is no variable `okta` here");
        check(Scope::State, "e.kind == ''", "there is no variable `e` here");
        check(Scope::Entry, "e.opertion == 'x'", "hint: did you mean `operation`?");
        check(Scope::Change, "c.afer == null", "hint: did you mean `after`?");
        check(Scope::State, "'a'.contain('b')", "hint: did you mean `contains`?");
        check(Scope::State, "1 +", "not an expression: ");
    }

    #[test]
    fn names_within_macros_are_not_mentioned() {
        let check = |source: &str, wanted: &[(&str, Option<&str>)]| {
            let (program, _) = compile(Scope::State, source);
            let found: Vec<_> = program.mentions().iter().map(|m| (m.root.as_str(), m.member.as_deref())).collect();
            assert_eq!(found, wanted, "{source}");
        };
        check(
            "slack.messages.exists(m, m.text == params.who)",
            &[("params", Some("who")), ("slack", Some("messages"))],
        );
        check(
            "okta['users'].all(u, okta.groups.exists(g, g == u))",
            &[("okta", Some("groups")), ("okta", Some("users"))],
        );
        check("has(okta.users) && type(okta) == map", &[("okta", None), ("okta", Some("users"))]);
        check("optional.of(people[params.who]).hasValue()", &[("params", Some("who")), ("people", None)]);
        check("u.x && [1].all(u, u > 0)", &[("u", Some("x"))]);
    }

    #[test]
    fn what_has_no_value_says_why() {
        let check = |source: &str, wanted: &str| {
            let (program, _) = compile(Scope::Params, source);
            let error = program.holds_for(&Map::new()).expect_err("has no value").to_string();
            assert!(error.contains(wanted), "{source}: {error}");
        };
        check("params.who == 1", "nothing has the name `who` there");
        check("1 + 1", "neither true nor false but of type `int`");
        check("[1][4] == 1", "a list is too short to have an item 4");
        check("params + 1 == 2", "`add` does not work on `map` and `int`");
        check("params < 1", "no matching overload for '_<_' applied to '(map, int)'");
        check("9223372036854775807 + 1 == 2", "`add` gives a number that is too large");
        check("1 / 0 == 1", "Division by zero");
    }

    #[test]
    fn all_listed_functions_are_there() {
        // A function that does not exist fails with another error than one that is called wrongly.
        for name in FUNCTIONS.into_iter().filter(|name| !name.contains('.')) {
            let called = |source: String| {
                let (program, _) = compile(Scope::Params, &source);
                program.json(&context()).err().is_some_and(|error| error.0.contains("nothing is called"))
            };
            assert!(!called(format!("'a'.{name}()")) || !called(format!("{name}('a')")), "{name}");
        }
    }

    proptest! {
        #[test]
        fn json_comes_back_as_it_went(value in any_json()) {
            let (program, _) = compile(Scope::State, "x");
            let mut context = context();
            context.add_variable_as_val("x", from_json(&value));
            prop_assert_eq!(program.json(&context), Ok(value));
        }

        #[test]
        fn compiling_never_panics(source in r#"[a-c.(){}\[\]'"+ &|!?:,0-9=$]{0,20}"#) {
            let (program, _) = compile(Scope::State, &source);
            let _ = program.json(&context());
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            "[a-zé]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec(("[a-z]{0,3}", inner), 0..4).prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }
}
