//! Beats with their expressions compiled, as they are played.

use std::time::Duration;

use dtu_kernel::time::Span;
use indexmap::IndexMap;
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::{
    expr::{Compiler, Form, Place, Program, Scope, Template},
    scenario::{At, Beat, Body, Cli, Http, Method, Repeat, Status, TargetAct, Times},
};

/// A beat, compiled.
#[derive(Debug, Clone)]
pub struct LoadedBeat {
    /// Its place in the story: `2`, and within others `2.1.3`.
    pub path: String,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// Not before this time.
    pub at: Option<At>,
    /// Not before so long after another beat.
    pub after: Option<(String, Duration)>,
    /// What the beat waits for.
    pub when: Option<Program>,
    /// How long it waits for that.
    pub timeout: Option<Span>,
    /// How long it waits at most for no reason.
    pub jitter: Option<Span>,
    /// Who acts.
    pub actor: Option<Template>,
    /// Whether a refusal is no failure.
    pub optional: bool,
    /// How far the clock moves on.
    pub advance: Option<Span>,
    /// How long it waits.
    pub pause: Option<Span>,
    /// What happens to the target's process.
    pub target: Option<TargetAct>,
    /// The variables of the target's environment that change.
    pub rotate: IndexMap<String, Template>,
    /// What is done.
    pub act: LoadedAct,
}

/// What is done in a beat.
#[derive(Debug, Clone)]
pub enum LoadedAct {
    /// Nothing besides what befalls the target and the clock.
    Nothing,
    /// A person's act in a twin.
    Do {
        /// The verb.
        verb: String,
        /// Its arguments: always an object.
        with: Form,
    },
    /// A request to the target.
    Http(Box<LoadedHttp>),
    /// A command of the target.
    Cli(Box<LoadedCli>),
    /// Lists of beats side by side.
    Parallel(Vec<Vec<LoadedBeat>>),
    /// Beats several times.
    Repeat(Box<LoadedRepeat>),
    /// One of these.
    Pick(Vec<LoadedChoice>),
}

/// [`Http`], compiled.
#[derive(Debug, Clone)]
pub struct LoadedHttp {
    /// The method.
    pub method: Method,
    /// A path at the target, or a URL on its host.
    pub url: Template,
    /// Headers.
    pub headers: IndexMap<String, Template>,
    /// What is sent.
    pub body: Option<LoadedBody>,
    /// How long the answer may take.
    pub timeout: Option<Span>,
    /// What its status must be.
    pub expect: Option<Status>,
}

/// [`Body`], compiled.
#[derive(Debug, Clone)]
pub enum LoadedBody {
    /// JSON.
    Json(Form),
    /// A form: always an object.
    Form(Form),
    /// A text.
    Text(Template),
}

/// [`Cli`], compiled.
#[derive(Debug, Clone)]
pub struct LoadedCli {
    /// The command's name in the target file.
    pub run: String,
    /// More arguments.
    pub args: Vec<Template>,
    /// What it reads.
    pub stdin: Option<Template>,
    /// More variables.
    pub env: IndexMap<String, Template>,
    /// How long it may take.
    pub timeout: Option<Span>,
    /// Its exit code, where it matters.
    pub expect: Option<i32>,
}

/// [`Repeat`], compiled.
#[derive(Debug, Clone)]
pub struct LoadedRepeat {
    /// How many rounds.
    pub times: LoadedTimes,
    /// Ends after the round in which this holds.
    pub until: Option<Program>,
    /// How long it waits between rounds.
    pub every: Option<Span>,
    /// What is played.
    pub beats: Vec<LoadedBeat>,
}

/// How many rounds.
#[derive(Debug, Clone)]
pub enum LoadedTimes {
    /// So many.
    Fixed(u64),
    /// As many as this gives.
    Of(Program),
}

/// [`crate::scenario::Choice`], compiled.
#[derive(Debug, Clone)]
pub struct LoadedChoice {
    /// What it is called: its name or its number.
    pub name: String,
    /// Its weight.
    pub weight: u32,
    /// What is played.
    pub beats: Vec<LoadedBeat>,
}

impl LoadedBeat {
    /// What sentences call it: "beat `ask`", "beat 2".
    pub fn shown(&self) -> String {
        self.id.as_ref().map_or_else(|| format!("beat {}", self.path), |id| format!("beat `{id}`"))
    }

    /// What the ledger calls it: its id, or its place in the story.
    pub fn name(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.path)
    }

    /// The lists of beats within it.
    pub fn lists(&self) -> Vec<&[Self]> {
        match &self.act {
            LoadedAct::Parallel(branches) => branches.iter().map(Vec::as_slice).collect(),
            LoadedAct::Repeat(repeat) => vec![&repeat.beats],
            LoadedAct::Pick(choices) => choices.iter().map(|choice| choice.beats.as_slice()).collect(),
            _ => Vec::new(),
        }
    }

    /// The expressions of the beat itself, without those of beats within it.
    pub fn programs(&self) -> Vec<&Program> {
        let mut out: Vec<&Program> = self.when.iter().collect();
        out.extend(self.actor.iter().chain(self.rotate.values()).flat_map(Template::programs));
        match &self.act {
            LoadedAct::Do { with, .. } => out.extend(with.programs()),
            LoadedAct::Http(http) => out.extend(http.programs()),
            LoadedAct::Cli(cli) => out.extend(cli.programs()),
            LoadedAct::Repeat(repeat) => {
                out.extend(&repeat.until);
                if let LoadedTimes::Of(times) = &repeat.times {
                    out.push(times);
                }
            }
            LoadedAct::Nothing | LoadedAct::Parallel(_) | LoadedAct::Pick(_) => {}
        }
        out
    }
}

impl LoadedHttp {
    fn programs(&self) -> Vec<&Program> {
        let mut out: Vec<&Program> = self.headers.values().chain([&self.url]).flat_map(Template::programs).collect();
        match &self.body {
            Some(LoadedBody::Json(form) | LoadedBody::Form(form)) => out.extend(form.programs()),
            Some(LoadedBody::Text(text)) => out.extend(text.programs()),
            None => {}
        }
        out
    }
}

impl LoadedCli {
    fn programs(&self) -> impl Iterator<Item = &Program> {
        self.args.iter().chain(&self.stdin).chain(self.env.values()).flat_map(Template::programs)
    }
}

/// All beats of a list and those within them, each before what is within it.
pub fn all(beats: &[LoadedBeat]) -> Vec<&LoadedBeat> {
    let within = |beat| {
        let beat: &LoadedBeat = beat;
        std::iter::once(beat).chain(beat.lists().into_iter().flat_map(all)).collect::<Vec<_>>()
    };
    beats.iter().flat_map(within).collect()
}

/// What later expressions can read of beats: their ids, with the members of what comes of their acts.
pub(crate) fn readable(beats: &[Spanned<Beat>]) -> Vec<(&str, &'static [&'static str])> {
    let own = |beat: &Spanned<Beat>| members_of(&beat.value);
    let mut out = Vec::new();
    for beat in beats {
        out.extend(beat.value.id.as_deref().map(|id| (id, own(beat))));
        out.extend(beat.value.lists().into_iter().flat_map(readable));
    }
    out
}

fn members_of(beat: &Beat) -> &'static [&'static str] {
    match acts_of(beat).first() {
        Some(&"do") => &["error", "result"],
        Some(&"http") => &["body", "error", "headers", "json", "status"],
        Some(&"cli") => &["code", "error", "json", "stderr", "stdout"],
        Some(&"pick") => &["chosen"],
        Some(&"repeat") => &["rounds"],
        _ => &[],
    }
}

/// The beats of a list, compiled. `path` is where the list stands: empty, or with a dot at its end.
pub(super) fn load(beats: &[Spanned<Beat>], path: &str, compiler: &mut Compiler<'_>) -> Vec<LoadedBeat> {
    let beat = |(at, beat): (usize, &Spanned<Beat>)| loaded(beat, format!("{path}{}", at + 1), compiler);
    beats.iter().enumerate().map(beat).collect()
}

fn loaded(beat: &Spanned<Beat>, path: String, compiler: &mut Compiler<'_>) -> LoadedBeat {
    let place = Place::from(beat.referenced);
    let beat = &beat.value;
    check(beat, place, compiler);
    let none = IndexMap::new();
    let rotate = match &beat.target {
        Some(TargetAct::Rotate(variables)) => variables,
        _ => &none,
    };
    LoadedBeat {
        id: beat.id.clone(),
        at: beat.at.as_ref().map(|at| at.value),
        after: beat.after.as_ref().map(|after| {
            let (id, by) = after.value.parts();
            (id.to_owned(), by.0)
        }),
        when: beat.when.as_ref().map(|when| compiler.spanned(Scope::State, when)),
        timeout: beat.timeout,
        jitter: beat.jitter,
        actor: beat.actor.as_ref().map(|actor| text(actor, compiler)),
        optional: beat.optional,
        advance: beat.advance,
        pause: beat.pause,
        target: beat.target.clone(),
        rotate: texts(rotate, compiler),
        act: act(beat, place, &path, compiler),
        path,
    }
}

fn act(beat: &Beat, place: Place, path: &str, compiler: &mut Compiler<'_>) -> LoadedAct {
    if let Some(verb) = &beat.verb {
        let with = compiler.form(Scope::State, &Value::Object(beat.with.clone()), place);
        LoadedAct::Do { verb: verb.value.clone(), with }
    } else if let Some(http) = &beat.http {
        LoadedAct::Http(Box::new(loaded_http(http, compiler)))
    } else if let Some(cli) = &beat.cli {
        LoadedAct::Cli(Box::new(loaded_cli(cli, compiler)))
    } else if let Some(branches) = &beat.parallel {
        let branch = |(at, beats): (usize, &Vec<_>)| load(beats, &format!("{path}.{}.", at + 1), compiler);
        LoadedAct::Parallel(branches.iter().enumerate().map(branch).collect())
    } else if let Some(repeat) = &beat.repeat {
        LoadedAct::Repeat(Box::new(loaded_repeat(repeat, place, path, compiler)))
    } else if let Some(choices) = &beat.pick {
        let choices = choices.iter().enumerate().map(|(at, choice)| LoadedChoice {
            name: choice.name.clone().unwrap_or_else(|| (at + 1).to_string()),
            weight: choice.weight,
            beats: load(&choice.beats, &format!("{path}.{}.", at + 1), compiler),
        });
        LoadedAct::Pick(choices.collect())
    } else {
        LoadedAct::Nothing
    }
}

fn loaded_http(http: &Http, compiler: &mut Compiler<'_>) -> LoadedHttp {
    let near = Place::from(http.url.referenced);
    let url = text(&http.url, compiler);
    if url.fixed().is_some_and(|url| !url.starts_with('/')) {
        let hint = "write a path such as `/healthz`, or begin with `${target.url}`: nobody but the target is asked";
        compiler.problem(near, "this is not at the target", hint);
    }
    if let Some(expect) = http.expect.as_ref().filter(|expect| expect.status.value.is_wrong()) {
        let place = expect.status.referenced.into();
        compiler.problem(
            place,
            format!("no answer has the status `{}`", expect.status.value),
            "such as `200`, `[200, 202]` or `2xx`",
        );
    }
    let body = http.body.as_ref().map(|body| match body {
        Body::Json(value) => LoadedBody::Json(compiler.form(Scope::State, value, near)),
        Body::Form(pairs) => LoadedBody::Form(compiler.form(Scope::State, &Value::Object(pairs.clone()), near)),
        Body::Text(text) => LoadedBody::Text(compiler.template(Scope::State, text, compiler.find(text, near))),
    });
    LoadedHttp {
        method: http.method,
        url,
        headers: texts(&http.headers, compiler),
        body,
        timeout: http.timeout,
        expect: http.expect.as_ref().map(|expect| expect.status.value.clone()),
    }
}

fn loaded_cli(cli: &Cli, compiler: &mut Compiler<'_>) -> LoadedCli {
    LoadedCli {
        run: cli.run.value.clone(),
        args: cli.args.iter().map(|arg| text(arg, compiler)).collect(),
        stdin: cli.stdin.as_ref().map(|stdin| text(stdin, compiler)),
        env: texts(&cli.env, compiler),
        timeout: cli.timeout,
        expect: cli.expect.map(|expect| expect.code),
    }
}

fn loaded_repeat(repeat: &Repeat, place: Place, path: &str, compiler: &mut Compiler<'_>) -> LoadedRepeat {
    let times = match &repeat.times {
        Times::Fixed(times) => LoadedTimes::Fixed(*times),
        Times::Of(source) => {
            let place = compiler.find(source, place);
            LoadedTimes::Of(compiler.program(Scope::State, source, place))
        }
    };
    if let Times::Fixed(0) = repeat.times {
        compiler.problem(place, "this is never played", "a `repeat` has one round at least");
    }
    LoadedRepeat {
        times,
        until: repeat.until.as_ref().map(|until| compiler.spanned(Scope::State, until)),
        every: repeat.every,
        beats: load(&repeat.beats, &format!("{path}."), compiler),
    }
}

fn text(text: &Spanned<String>, compiler: &mut Compiler<'_>) -> Template {
    compiler.template(Scope::State, &text.value, text.referenced.into())
}

fn texts(texts: &IndexMap<String, Spanned<String>>, compiler: &mut Compiler<'_>) -> IndexMap<String, Template> {
    texts.iter().map(|(name, value)| (name.clone(), text(value, compiler))).collect()
}

/// A beat has one act at most, and somebody to do it where only people do.
fn check(beat: &Beat, place: Place, compiler: &mut Compiler<'_>) {
    let acts = acts_of(beat);
    if let [first, second, ..] = acts.as_slice() {
        let hint = "make it two beats, or use `parallel`";
        compiler.problem(place, format!("this beat has both `{first}` and `{second}`"), hint);
    }
    let is_for_people = matches!(acts.first(), Some(&("do" | "http" | "cli")));
    match (&beat.actor, acts.first()) {
        (None, Some(&"do")) => compiler.problem(place, "nobody does this", "say who acts with `as`"),
        (Some(_), _) if !is_for_people => {
            compiler.problem(place, "nothing is done here", "say what the person does with `do`, `http` or `cli`");
        }
        (None, None) if is_idle(beat) => {
            let hint = "a beat has `when`, `as` and `do`, `http`, `cli`, `parallel`, `repeat`, `pick`, `advance`, `pause` or `target`";
            compiler.problem(place, "this beat does nothing", hint);
        }
        _ => {}
    }
    if beat.verb.is_none() && !beat.with.is_empty() {
        compiler.problem(place, "`with` has no verb to go with", "say what the person does with `do`");
    }
    let is_short = |lists: usize| lists < 2;
    if beat.parallel.as_ref().is_some_and(|branches| is_short(branches.len())) {
        compiler.problem(place, "nothing goes on beside this", "`parallel` is a list of two lists of beats or more");
    }
    if beat.pick.as_ref().is_some_and(|choices| is_short(choices.len())) {
        compiler.problem(place, "there is nothing to choose from", "`pick` is a list of two courses or more");
    }
    if beat.pick.iter().flatten().any(|choice| choice.weight == 0) {
        compiler.problem(place, "a course of weight 0 is never taken", "weights are whole numbers above 0");
    }
}

/// The keys of what is done in a beat.
fn acts_of(beat: &Beat) -> Vec<&'static str> {
    let acts = [
        ("do", beat.verb.is_some()),
        ("http", beat.http.is_some()),
        ("cli", beat.cli.is_some()),
        ("parallel", beat.parallel.is_some()),
        ("repeat", beat.repeat.is_some()),
        ("pick", beat.pick.is_some()),
    ];
    acts.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

/// Whether nothing happens in a beat, and nothing is waited for.
fn is_idle(beat: &Beat) -> bool {
    let waits = beat.when.is_some() || beat.at.is_some() || beat.after.is_some() || beat.jitter.is_some();
    !waits && beat.advance.is_none() && beat.pause.is_none() && beat.target.is_none()
}
