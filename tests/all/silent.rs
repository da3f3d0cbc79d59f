//! No silent input: what a public document lets callers say of an operation with hand-written rules is acted on, or
//! refused. And what a twin does not serve is refused by name.
//!
//! For each operation there is a call that works (`tests/silent/<twin>.yaml`). Each parameter and each member of a
//! body is then given the values that its schema allows, each in a fork of its own: one of them must change the
//! answer or the state, or be refused. Values that the schema does not allow prove nothing, but must break nothing
//! either. What stays silent is listed with its reason in `tests/silent/<twin>.txt`, which may only shrink.

mod org;
pub(crate) mod plan;
mod values;

use std::{collections::BTreeMap, sync::Arc};

use dtu_contract::{
    contract::{Document, Operation, Place},
    coverage::Row,
    schema::Schema,
};
use dtu_kernel::{
    host::{Called, Host},
    ledger::NetChange,
    operation::Level,
    route::{Found, Paths},
    twin::Reason,
    universe::Universe,
    wire::Request,
};
use dtu_tests::calls::Call;
use dtu_universe::facts::{self, Facts};
use serde_json::{Value, json};

use self::plan::{Given, Plan, Step};
use crate::{bad_input::is_in_shape, coverage, support::root};

/// A twin in a universe that is ready for calls, forked for each of them.
pub(crate) struct Stage {
    twin: &'static str,
    host: Arc<dyn Host>,
    pub(crate) universe: Arc<Universe>,
    pub(crate) plan: Plan,
}

/// What came of a call.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// The status; 0 where the answer waits for a delivery.
    status: u16,
    body: String,
    changes: Value,
    gap: bool,
}

impl Outcome {
    /// Whether the call did what it is for: services that answer 200 to all say otherwise in the body.
    fn is_good(&self) -> bool {
        self.status < 400 && !self.body.starts_with("{\"ok\":false")
    }

    /// Whether the twin broke, or took the call for none of its own. An input that is refused by name as one that it
    /// does not serve is neither.
    fn is_broken(&self) -> bool {
        let by_name = self.gap && (self.status == 501 || self.body.starts_with("{\"ok\":false,\"error\":\"invalid_a"));
        (self.gap || self.status >= 500) && !by_name
    }
}

impl Stage {
    pub(crate) fn new(facts: &Facts) -> Self {
        Self::in_universe(facts, plan::universe())
    }

    /// The same in a universe that the caller has made.
    pub(crate) fn in_universe(facts: &Facts, universe: Arc<Universe>) -> Self {
        Self::planned(facts, universe, facts.twin)
    }

    /// Administrators of an organization at their work.
    pub(crate) fn administrators(facts: &Facts) -> Self {
        Self::planned(facts, org::universe(), "slack-org")
    }

    /// The same with the calls of another file.
    fn planned(facts: &Facts, universe: Arc<Universe>, plan: &str) -> Self {
        let host = universe.twins().iter().find(|host| host.name() == facts.twin).cloned();
        let mut stage = Self { twin: facts.twin, host: host.expect("is a twin"), universe, plan: Plan::read(plan) };
        stage.plan.expand(&stage.universe, stage.twin);
        for step in stage.plan.take_setup() {
            stage.take(&step);
        }
        stage.plan.finish();
        stage
    }

    /// Takes a step, which must work.
    pub(crate) fn take(&mut self, step: &Step) {
        if !step.act.is_empty() {
            let done = step.perform(&self.universe, &self.plan);
            return self.plan.learn(step, &done);
        }
        let reply = self.call(&step.call, &step.given(&self.plan)).send(&self.universe);
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let good = reply.status.as_u16() < 400 && body["ok"] != false;
        assert!(good != step.refused, "set-up {}: {} {body}", step.call, reply.status);
        self.plan.learn(step, &body);
    }

    /// The same in a universe of its own.
    pub(crate) fn forked(&self) -> Self {
        let universe = self.universe.fork("apart", None);
        Self { twin: self.twin, host: Arc::clone(&self.host), universe, plan: self.plan.clone() }
    }

    /// How an operation is called: by the twin's name for it, where several documents have one name for different ones.
    fn given(&self, row: &Row) -> Option<&Given> {
        let calls = &self.plan.calls;
        calls.get(row.served.as_str()).or_else(|| calls.get(row.id.as_str()))
    }

    /// The call of an operation.
    pub(crate) fn call(&self, operation: &str, given: &Given) -> Call {
        let mut call = Call::new(self.twin, operation).params(given.path.clone());
        let auth = given.auth.as_ref().unwrap_or(&self.plan.auth);
        if !auth.is_empty() {
            call = call.header("authorization", auth);
        }
        for (name, value) in &given.headers {
            call = call.header(name.clone().leak(), &values::text(value));
        }
        if given.body.is_none() && (self.plan.form || given.form) {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(given.with.iter().map(|(name, value)| (name, values::text(value))));
            return call.body("application/x-www-form-urlencoded", form.finish());
        }
        for (name, value) in &given.with {
            call = call.query(name, &values::text(value));
        }
        match &given.body {
            Some(body) => call.body("application/json", body.to_string()),
            None => call,
        }
    }

    /// Makes a call in a fork.
    fn outcome(&self, operation: &str, given: &Given) -> Outcome {
        let fork = self.universe.fork("probe", None);
        let called = self.call(operation, given).called(&fork);
        let journals = self.host.journals();
        // Of what is only recorded it counts how much there is: records hold the request as it came.
        let change = |change: NetChange| {
            let recorded = journals.contains(&change.table.as_str());
            if recorded { json!([change.table]) } else { json!([change.table, change.key, change.after]) }
        };
        let changes = fork.diff(0).expect("the ledger is read").into_iter().map(change).collect();
        match called {
            Called::Waits(_) => Outcome { status: 0, body: String::new(), changes, gap: false },
            Called::Answered(reply, _) => Outcome {
                status: reply.status.as_u16(),
                body: String::from_utf8_lossy(&reply.body).into_owned(),
                changes,
                gap: reply.gap,
            },
        }
    }
}

/// Something that callers can say.
struct Input<'a> {
    /// As the list names it: the parameter's name, or `body.` and the member's.
    name: String,
    schema: &'a Schema,
    place: Said,
}

/// Where callers say it.
enum Said {
    Path(usize),
    Argument(String),
    Header(String),
    Member(String),
}

impl Said {
    /// The call with this value; none where it cannot be said so.
    fn put(&self, given: &Given, value: Option<&Value>) -> Option<Given> {
        let mut given = given.clone();
        let set = |map: &mut BTreeMap<String, Value>, name: &String| match value {
            Some(value) => drop(map.insert(name.clone(), value.clone())),
            None => drop(map.remove(name)),
        };
        match self {
            Self::Path(at) => *given.path.get_mut(*at)? = values::text(value?),
            Self::Argument(name) => set(&mut given.with, name),
            Self::Header(name) => set(&mut given.headers, name),
            Self::Member(name) => {
                let body = given.body.get_or_insert_with(|| json!({})).as_object_mut()?;
                match value {
                    Some(value) => drop(body.insert(name.clone(), value.clone())),
                    None => drop(body.shift_remove(name)),
                }
            }
        }
        Some(given)
    }
}

/// All that the document lets callers say of an operation, but for who they are.
fn inputs<'a>(document: &'a Document, operation: &'a Operation) -> Vec<Input<'a>> {
    let facts = operation.facts.get();
    let in_path: Vec<&str> = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
    let mut inputs = Vec::new();
    for parameter in &facts.parameters {
        let name = parameter.name.to_string();
        let place = match parameter.place {
            Place::Path => Said::Path(in_path.iter().position(|known| *known == name).expect("is in the path")),
            Place::Query => Said::Argument(name.clone()),
            Place::Header => Said::Header(name.to_ascii_lowercase()),
            Place::Cookie => continue,
        };
        if !matches!(name.to_ascii_lowercase().as_str(), "token" | "authorization") {
            inputs.push(Input { name, schema: &parameter.schema, place });
        }
    }
    let content = |kind: &str| facts.request.as_ref().and_then(|request| request.content.get(kind));
    let form = content("application/x-www-form-urlencoded");
    for (name, schema) in form.map(|schema| values::members(document, schema)).unwrap_or_default() {
        inputs.push(Input { name: format!("form.{name}"), schema, place: Said::Argument(name) });
    }
    let json = content("application/json");
    for (name, schema) in json.map(|schema| values::members(document, schema)).unwrap_or_default() {
        inputs.push(Input { name: format!("body.{name}"), schema, place: Said::Member(name) });
    }
    inputs
}

/// The inputs of an operation that nothing shows to be looked at.
fn silent(stage: &Stage, row: &Row, document: &Document, operation: &Operation) -> Result<Vec<String>, String> {
    let place = format!("tests/silent/{}.yaml", stage.twin);
    // What nobody says how to call is silent as a whole, until its line in the list says why that is. What refuses all
    // calls by name is not: it is retired.
    let Some(given) = stage.given(row) else {
        let whole = || vec![format!("{} *", row.id)];
        return Ok(if is_retired(stage, row, document, operation) { Vec::new() } else { whole() });
    };
    let mut quiet = inputs(document, operation);
    let strange = given.samples.keys().find(|name| quiet.iter().all(|input| input.name != **name));
    if let Some(strange) = strange {
        return Err(format!("{place}: `{}` takes no `{strange}`", row.id));
    }
    for given in std::iter::once(given).chain(&given.also) {
        let usual = stage.outcome(&row.served, given);
        if !usual.is_good() {
            return Err(format!("{place}: `{}` does not work: {} {}", row.id, usual.status, usual.body));
        }
        let mut left = Vec::new();
        for input in quiet {
            let samples = stage.given(row).and_then(|usual| usual.samples.get(&input.name));
            let candidates = values::candidates(document, input.schema, given.samples.get(&input.name).or(samples));
            if !acts(stage, row, &input, given, &usual, &candidates)? {
                left.push(input);
            }
        }
        quiet = left;
    }
    Ok(quiet.into_iter().map(|input| format!("{} {}", row.id, input.name)).collect())
}

/// Whether an operation refuses, by a code that says that it is over, whatever callers say.
fn is_retired(stage: &Stage, row: &Row, document: &Document, operation: &Operation) -> bool {
    const OVER: [&str; 2] = ["\"error\":\"method_deprecated\"", "\"error\":\"unknown_method\""];
    let nothing = Given::default();
    let is_over = |given: &Given| {
        let outcome = stage.outcome(&row.served, given);
        outcome.changes == json!([]) && OVER.iter().any(|code| outcome.body.contains(code))
    };
    let said = inputs(document, operation).into_iter().flat_map(|input| {
        let candidates = values::candidates(document, input.schema, None);
        let with = candidates.into_iter().filter_map(|(value, _)| input.place.put(&nothing, Some(&value)));
        with.collect::<Vec<_>>()
    });
    is_over(&nothing) && said.collect::<Vec<_>>().iter().all(is_over)
}

/// Whether leaving an input out, or giving it a value that its schema allows, makes a difference.
fn acts(
    stage: &Stage,
    row: &Row,
    input: &Input<'_>,
    given: &Given,
    usual: &Outcome,
    candidates: &[(Value, bool)],
) -> Result<bool, String> {
    let without = input.place.put(given, None).filter(|without| without != given);
    let mut acts = without.is_some_and(|without| stage.outcome(&row.served, &without) != *usual);
    for (value, allowed) in candidates {
        let Some(with) = input.place.put(given, Some(value)).filter(|_| !(acts && *allowed)) else { continue };
        let outcome = stage.outcome(&row.served, &with);
        if outcome.is_broken() {
            return Err(format!("{} breaks at {} {value}: {} {}", row.id, input.name, outcome.status, outcome.body));
        }
        acts |= *allowed && outcome != *usual;
    }
    Ok(acts)
}

/// Holds what is silent against the list: all that is wrong with either.
fn hold(twin: &str, found: &[String]) -> Vec<String> {
    let path = format!("tests/silent/{twin}.txt");
    let text = fs_err::read_to_string(root().join(&path)).unwrap_or_default();
    let mut problems = Vec::new();
    let mut listed = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
    {
        let (entry, reason) = line.split_once(" # ").unwrap_or((line, ""));
        let entry = entry.trim();
        if reason.trim().is_empty() {
            problems.push(format!("{path}:{number}: `{entry}` has no reason"));
        }
        if !found.iter().any(|name| name == entry) {
            problems.push(format!("{path}:{number}: delete `{line}`: it is not silent (any more)"));
        }
        listed.push(entry);
    }
    let new = found.iter().filter(|name| !listed.contains(&name.as_str()));
    problems.extend(new.map(|name| format!("{path}: `{name}` is silent: act on it, refuse it, or add `{name} # why`")));
    problems
}

fn check(twin: &str) {
    let facts = facts::of(twin).expect("is a twin");
    check_all(facts, &Stage::new(facts), twin, |_| true);
}

/// Walks the operations that are to be walked, and holds what is silent against a list.
fn check_all(facts: &Facts, stage: &Stage, list: &str, is_walked: impl Fn(&str) -> bool) {
    let coverage = coverage::of(facts);
    let contract = (facts.contract)();
    let (mut quiet, mut problems) = (Vec::new(), Vec::new());
    let behaves = |row: &&Row| row.level == Level::Behaves && is_walked(&row.id);
    for row in coverage.documented().filter(behaves) {
        let (document, operation) = contract
            .operations()
            .find(|(document, operation)| operation.id == row.id && row.document.as_ref() == Some(&document.name))
            .expect("rows come from the contract");
        match silent(stage, row, document, operation) {
            Ok(mut found) => quiet.append(&mut found),
            Err(problem) => problems.push(problem),
        }
    }
    let names = |row: &'_ Row| [row.id.to_string(), row.served.to_string()];
    let known: Vec<String> = coverage.documented().filter(behaves).flat_map(names).collect();
    let strange = stage.plan.calls.keys().filter(|name| !known.contains(name));
    problems.extend(strange.map(|name| format!("tests/silent/{list}.yaml: `{name}` has no rules of its own")));
    problems.extend(hold(list, &quiet));
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[tokio::test]
async fn okta_acts_on_its_documented_inputs() {
    check("okta");
}

/// What works in an organization alone: what administrators do, and a few more.
fn needs_organization(id: &str) -> bool {
    const MORE: [&str; 4] =
        ["auth.teams.list", "migration.exchange", "team.accessLogs", "users.discoverableContacts.lookup"];
    id.starts_with("admin.") || MORE.contains(&id)
}

#[tokio::test]
async fn slack_acts_on_its_documented_inputs() {
    let facts = facts::of("slack").expect("is a twin");
    check_all(facts, &Stage::new(facts), "slack", |id| !needs_organization(id));
}

#[tokio::test]
async fn slack_acts_on_the_documented_inputs_of_administrators() {
    let facts = facts::of("slack").expect("is a twin");
    check_all(facts, &Stage::administrators(facts), "slack-org", needs_organization);
}

#[tokio::test]
async fn jira_acts_on_its_documented_inputs() {
    check("jira");
}

#[tokio::test]
async fn google_identity_acts_on_its_documented_inputs() {
    check("google-identity");
}

#[tokio::test]
async fn google_drive_acts_on_its_documented_inputs() {
    check("google-drive");
}

#[tokio::test]
async fn google_sheets_acts_on_its_documented_inputs() {
    check("google-sheets");
}

#[tokio::test]
async fn google_docs_acts_on_its_documented_inputs() {
    check("google-docs");
}

/// Sends a request the way it comes over the wire; gives back the answer and how the ledger tells of the call.
fn send(stage: &Stage, paths: &Paths, method: &str, path: &str) -> (u16, String, Value) {
    let method: http::Method = method.parse().expect("is a method");
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", stage.plan.auth.parse().expect("is a header"));
    let found = paths.find(&method, path);
    let mut request = Request {
        method,
        path: path.into(),
        query: String::new(),
        path_params: Vec::new(),
        headers,
        body: Vec::new().into(),
        origin: "http://twin.localhost".into(),
    };
    let reply = match found {
        Found::Operation(index, params) => {
            request.path_params = params;
            let slot = stage.universe.slot(stage.twin).expect("is a twin");
            stage.host.call(&stage.universe, slot, index, request).reply().expect("waits for nothing")
        }
        Found::Nothing => stage.host.unserved(&stage.universe, request, Reason::NotFound),
        Found::OtherMethods => stage.host.unserved(&stage.universe, request, Reason::MethodNotAllowed),
    };
    let last = stage.universe.ledger().len() - 1;
    let entry = stage.universe.ledger().page(last, 1).expect("the ledger is read").remove(0);
    (reply.status.as_u16(), String::from_utf8_lossy(&reply.body).into_owned(), entry)
}

/// Whether what a twin has not, and what nobody has, is refused in the service's shape, and by name where it has one.
fn check_refusals(twin: &str) {
    let facts = facts::of(twin).expect("is a twin");
    let stage = Stage::new(facts);
    let paths = Paths::new(stage.host.operations());
    let check = |method: &str, path: &str, operation: &str, gap: bool| {
        let (status, body, entry) = send(&stage, &paths, method, path);
        let case = format!("{twin} {method} {path}: {status} {body}\n{entry}");
        assert_eq!((&entry["operation"], &entry["gap"]), (&json!(operation), &json!(gap)), "{case}");
        assert!(status >= 400 || entry["error"] != "", "{case}");
        assert!(is_in_shape(twin, status, &body), "{case}");
    };
    for row in coverage::of(facts).rows.iter().filter(|row| row.level == Level::Absent) {
        check(&row.method, &row.path.replace(['{', '}'], ""), &row.served, true);
    }
    for made_up in &stage.plan.made_up {
        check("POST", &made_up.path, "", made_up.gap);
    }
}

#[tokio::test]
async fn okta_refuses_by_name_what_is_not_served() {
    check_refusals("okta");
}

#[tokio::test]
async fn slack_refuses_by_name_what_is_not_served() {
    check_refusals("slack");
}

#[tokio::test]
async fn jira_refuses_by_name_what_is_not_served() {
    check_refusals("jira");
}

#[tokio::test]
async fn google_identity_refuses_by_name_what_is_not_served() {
    check_refusals("google-identity");
}

#[tokio::test]
async fn google_drive_refuses_by_name_what_is_not_served() {
    check_refusals("google-drive");
}

#[tokio::test]
async fn google_sheets_refuses_by_name_what_is_not_served() {
    check_refusals("google-sheets");
}

#[tokio::test]
async fn google_docs_refuses_by_name_what_is_not_served() {
    check_refusals("google-docs");
}
