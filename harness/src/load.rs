//! Reads scenario and target files. All problems of all files are told at once.

pub mod beat;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use dtu_kernel::{diagnostic::Diagnostic, fault::PlanFile, time::Span, world::World};
use indexmap::IndexMap;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use serde_saphyr::Spanned;

pub use self::beat::{LoadedAct, LoadedBeat};
use crate::{
    expr::{Compiler, Form, Place, Program, Scope, Template},
    facts,
    scenario::{Check, Generated, Param, Property, Reading, Scenario},
    target::{Sign, Target},
};

/// A scenario file, read and compiled.
#[derive(Debug, Clone)]
pub struct LoadedScenario {
    /// The file as the user named it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The text's BLAKE3 hash, hexadecimal.
    pub digest: String,
    /// What it says.
    pub scenario: Scenario,
    /// Where the values of parameters come from that depend on the world, by their names.
    pub picks: Vec<(String, Program)>,
    /// For each fault rule of the scenario, its `when`.
    pub faults: Vec<Option<Program>>,
    /// The expressions of each beat of the scenario.
    pub beats: Vec<LoadedBeat>,
    /// The expressions of each check of the scenario.
    pub checks: Vec<LoadedCheck>,
    /// What must be seen now and then.
    pub sometimes: Vec<Program>,
    /// The `where` of each change that the scenario allows.
    pub allow: Vec<Option<Program>>,
    /// What the target may read; anything where absent.
    pub reads: Option<Vec<ReadRule>>,
}

/// Who may read what.
#[derive(Debug, Clone)]
pub struct LoadedReads {
    /// Who.
    pub by: String,
    /// What must not be read.
    pub deny: Vec<ReadRule>,
    /// What may be read; anything where absent.
    pub allow: Option<Vec<ReadRule>>,
}

/// Objects that are read: [`Reading`], compiled.
#[derive(Debug, Clone)]
pub struct ReadRule {
    /// Twin and view.
    pub view: String,
    /// Only rows for which this holds.
    pub only: Option<Program>,
}

impl ReadRule {
    /// Whether it is about a twin's view.
    pub fn covers(&self, twin: &str, view: &str) -> bool {
        self.view.split_once('.').is_some_and(|(of, named)| of == twin && (named == "*" || named == view))
    }
}

/// A check's expressions.
#[derive(Debug, Clone)]
pub struct LoadedCheck {
    /// Only in variants where this holds.
    pub when: Option<Program>,
    /// The property.
    pub that: LoadedProperty,
}

/// A property, compiled; the members are those of [`crate::scenario::Property`].
#[derive(Debug, Clone)]
pub enum LoadedProperty {
    /// Holds at the end.
    Finally(Program),
    /// Becomes true within a time after the last beat.
    Eventually {
        /// How long (universe time).
        within: Span,
        /// Over the state.
        that: Program,
    },
    /// Holds after each single write, from the first beat on.
    Always(Program),
    /// How many ledger entries fit.
    Count {
        /// Over the entry.
        of: Program,
        /// Only entries of this principal.
        by: Option<String>,
        /// At least so many.
        min: u64,
        /// At most so many.
        max: Option<u64>,
    },
    /// No ledger entry fits.
    Never {
        /// Over the entry.
        of: Program,
        /// Only entries of this principal.
        by: Option<String>,
    },
    /// Entries that fit these come in this order.
    Order(Vec<Program>),
    /// [`Property::OnlyAfter`].
    OnlyAfter {
        /// Which entries.
        of: Program,
        /// What must have come before.
        after: Program,
    },
    /// [`Property::LeadsTo`].
    LeadsTo {
        /// What calls for an answer.
        of: Program,
        /// The answer.
        to: Program,
        /// How much later it may come.
        within: Span,
        /// What an answer has in common with what it answers.
        key: Option<Program>,
    },
    /// [`Property::Reads`].
    Reads(LoadedReads),
    /// [`Property::Budget`].
    Budget(Budget),
    /// Among entries that fit, at most one for each key.
    AtMostOncePer {
        /// Over the entry.
        of: Program,
        /// Over the entry.
        key: Program,
    },
}

/// How often the target may call.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    /// Only calls to this twin.
    pub twin: Option<String>,
    /// At most so many calls.
    pub calls: Option<u64>,
    /// At most so many calls that were refused or failed.
    pub errors: Option<u64>,
    /// Within any span of this length; in the whole trajectory where absent.
    pub per: Option<Span>,
}

/// A target file, read and compiled.
#[derive(Debug, Clone)]
pub struct LoadedTarget {
    /// The file as the user named it.
    pub path: String,
    /// The folder that relative programs and `build.cwd` start from.
    pub dir: PathBuf,
    /// Its text.
    pub text: String,
    /// The text's BLAKE3 hash, hexadecimal.
    pub digest: String,
    /// What it says.
    pub target: Target,
    /// Program and arguments.
    pub command: Vec<Template>,
    /// Environment.
    pub env: IndexMap<String, Template>,
    /// The arguments of each act of `connect`: always an object.
    pub connect: Vec<Form>,
    /// The URL of each sign of `ready` that is one; none for other signs.
    pub ready: Vec<Option<Template>>,
    /// Its commands: program and arguments by name.
    pub commands: IndexMap<String, Vec<Template>>,
    /// The values of its secret variables, once they are known: they come from outside the file.
    pub secrets: BTreeMap<String, String>,
}

impl LoadedTarget {
    /// Whether the value of a variable is nobody's business.
    pub fn is_secret(&self, name: &str) -> bool {
        self.target.secrets.iter().any(|secret| secret.value == name)
    }

    /// Takes the values of secret variables that are not known yet from where `find` looks.
    ///
    /// # Errors
    /// Variables that have no value there.
    pub fn find_secrets(&mut self, find: impl Fn(&str) -> Option<String>) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        for name in &self.target.secrets {
            let known = self.secrets.get(&name.value).cloned();
            if let Some(value) = known.or_else(|| find(&name.value)) {
                self.secrets.insert(name.value.clone(), value);
                continue;
            }
            let problem = Diagnostic::on(&self.path, name, format!("the secret `{}` has no value", name.value));
            problems.push(problem.hint("set it in the environment of `dtu`, or give `--target-env`"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Sets a variable of its environment to a plain text.
    pub fn set_env(&mut self, name: &str, value: &str) {
        if self.is_secret(name) {
            self.secrets.insert(name.to_owned(), value.to_owned());
            return;
        }
        self.env.insert(name.to_owned(), Template::plain(value));
    }
}

/// Reads a scenario file.
///
/// # Errors
/// Every problem found.
pub fn scenario(path: &Path) -> Result<LoadedScenario, Vec<Diagnostic>> {
    let (file, text) = read(path)?;
    scenario_from(file, text)
}

/// Reads a scenario from its text. `file` is what problems name.
///
/// # Errors
/// Every problem found.
pub fn scenario_from(file: String, text: String) -> Result<LoadedScenario, Vec<Diagnostic>> {
    let scenario: Scenario = parse(&file, &text)?;
    let params = scenario.params.keys().map(String::as_str).collect();
    let mut compiler = Compiler::new(&file, &text, Some(params)).with_acts(beat::readable(&scenario.beats));
    check_params(&scenario, &mut compiler);
    let picks = picks(&scenario, &mut compiler);
    let when = |when: &Option<Spanned<String>>, compiler: &mut Compiler<'_>| {
        when.as_ref().map(|when| compiler.spanned(Scope::Params, when))
    };
    let faults = scenario.faults.iter().map(|fault| when(&fault.when, &mut compiler)).collect();
    let beats = beat::load(&scenario.beats, "", &mut compiler);
    let checks = scenario.checks.iter().map(|check| LoadedCheck {
        when: when(&check.value.when, &mut compiler),
        that: loaded_property(&check.value, &mut compiler),
    });
    let checks = checks.collect();
    let only = |only: &Option<Spanned<String>>, compiler: &mut Compiler<'_>| {
        only.as_ref().map(|only| compiler.spanned(Scope::Change, only))
    };
    let allow = scenario.collateral.allow.iter().map(|allow| only(&allow.only, &mut compiler)).collect();
    let reads = scenario.collateral.reads.as_ref().map(|reads| read_rules(reads, &mut compiler));
    let sometimes = scenario.sometimes.iter().map(|seen| compiler.spanned(Scope::Entry, &seen.of)).collect();
    finish(compiler)?;
    let digest = digest(&text);
    Ok(LoadedScenario { path: file, text, digest, scenario, picks, faults, beats, checks, sometimes, allow, reads })
}

fn check_params(scenario: &Scenario, compiler: &mut Compiler<'_>) {
    for (name, param) in &scenario.params {
        let is_empty = match &param.value {
            Param::OneOf(values) | Param::AnyOf(values) => values.is_empty(),
            Param::Int { min, max } => min > max,
            Param::From(_) | Param::Generated(_) => false,
        };
        if let Param::Generated(Generated::Pattern(pattern)) = &param.value
            && !pattern.contains(['#', '?', '*'])
        {
            let message = format!("the pattern `{pattern}` is the same for ever");
            let hint = "`#` stands for a digit, `?` for a small letter, `*` for either: `INC-####`";
            compiler.problem(param.referenced.into(), message, hint);
        }
        if is_empty {
            compiler.problem(
                param.referenced.into(),
                format!("the parameter `{name}` has no values"),
                "give it one at least: without, the scenario has no variants",
            );
        }
    }
}

fn picks(scenario: &Scenario, compiler: &mut Compiler<'_>) -> Vec<(String, Program)> {
    let pick = |(name, param): (&String, &Spanned<Param>)| match &param.value {
        Param::From(list) => Some((name.clone(), compiler.spanned(Scope::World, list))),
        Param::OneOf(_) | Param::AnyOf(_) | Param::Int { .. } | Param::Generated(_) => None,
    };
    scenario.params.iter().filter_map(pick).collect()
}

/// Puts in the values of parameters that depend on the world.
///
/// # Errors
/// Lists that have no value, or nothing in them.
pub fn pick(loaded: &mut LoadedScenario, world: &World) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    for (name, program) in &loaded.picks {
        let Some(param) = loaded.scenario.params.get_mut(name) else { continue };
        let wrong = match facts::of_world(program, world) {
            Ok(Value::Array(values)) if !values.is_empty() => {
                param.value = Param::AnyOf(values);
                continue;
            }
            Ok(Value::Array(_)) => format!("the parameter `{name}` has no values: nobody in the world fits"),
            Ok(_) => format!("the parameter `{name}` is to be drawn from a list, and `{}` gives none", program.shown()),
            Err(why) => format!("the parameter `{name}` has no values: {why}"),
        };
        problems.push(Diagnostic::on(&loaded.path, param, wrong));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn loaded_property(check: &Check, compiler: &mut Compiler<'_>) -> LoadedProperty {
    match &check.that {
        Property::Finally(that) => LoadedProperty::Finally(compiler.spanned(Scope::State, that)),
        Property::Eventually { within, that } => {
            LoadedProperty::Eventually { within: *within, that: compiler.spanned(Scope::State, that) }
        }
        Property::Count { of, by, min, max } => LoadedProperty::Count {
            of: compiler.spanned(Scope::Entry, of),
            by: by.clone(),
            min: min.unwrap_or(0),
            max: *max,
        },
        Property::Never { of, by } => LoadedProperty::Never { of: compiler.spanned(Scope::Entry, of), by: by.clone() },
        Property::Always(that) => LoadedProperty::Always(compiler.spanned(Scope::State, that)),
        Property::LeadsTo { of, to, within, key } => LoadedProperty::LeadsTo {
            of: compiler.spanned(Scope::Entry, of),
            to: compiler.spanned(Scope::Entry, to),
            within: *within,
            key: key.as_ref().map(|key| compiler.spanned(Scope::Entry, key)),
        },
        Property::Reads { by, deny, allow } => LoadedProperty::Reads(LoadedReads {
            by: by.clone().unwrap_or_else(|| "target".to_owned()),
            deny: read_rules(deny, compiler),
            allow: allow.as_ref().map(|allow| read_rules(allow, compiler)),
        }),
        Property::Budget { twin, calls, errors, per } => {
            LoadedProperty::Budget(Budget { twin: twin.clone(), calls: *calls, errors: *errors, per: *per })
        }
        Property::OnlyAfter { of, after } => LoadedProperty::OnlyAfter {
            of: compiler.spanned(Scope::Entry, of),
            after: compiler.spanned(Scope::Entry, after),
        },
        Property::Order(steps) => {
            LoadedProperty::Order(steps.iter().map(|step| compiler.spanned(Scope::Entry, step)).collect())
        }
        Property::AtMostOncePer { of, key } => LoadedProperty::AtMostOncePer {
            of: compiler.spanned(Scope::Entry, of),
            key: compiler.spanned(Scope::Entry, key),
        },
    }
}

fn read_rules(rules: &[Reading], compiler: &mut Compiler<'_>) -> Vec<ReadRule> {
    let rule = |rule: &Reading| ReadRule {
        view: rule.view.value.clone(),
        only: rule.only.as_ref().map(|only| compiler.spanned(Scope::Row, only)),
    };
    rules.iter().map(rule).collect()
}

impl LoadedScenario {
    /// The world as [`dtu_kernel::world::World::find`] takes it: a name as it is, a path from where the program runs.
    pub fn world(&self) -> String {
        let world = &self.scenario.world.value;
        let is_path = world.contains('/') || has_yaml_ending(Path::new(world));
        match Path::new(&self.path).parent() {
            Some(dir) if is_path => dir.join(world).display().to_string(),
            _ => world.clone(),
        }
    }
}

/// Reads scenario files, and those in folders (`*.yaml`, `*.yml`, recursively), sorted by id. In folders, files that
/// say to be of another format of ours (targets, worlds, fault plans) are passed over.
///
/// # Errors
/// Every problem of every file; an id that is there twice; no scenario at all.
pub fn scenarios(paths: &[PathBuf]) -> Result<Vec<LoadedScenario>, Vec<Diagnostic>> {
    let (mut loaded, mut problems) = (Vec::new(), Vec::new());
    for path in files_of(paths, &mut problems) {
        match scenario(&path) {
            Ok(scenario) => loaded.push(scenario),
            Err(found) => problems.extend(found),
        }
    }
    loaded.sort_by(|a, b| a.scenario.id.value.cmp(&b.scenario.id.value));
    for pair in loaded.windows(2) {
        let (first, second) = (&pair[0], &pair[1]);
        let id = &second.scenario.id;
        if first.scenario.id.value == id.value {
            let problem = Diagnostic::on(&second.path, id, format!("two scenarios have the id `{}`", id.value));
            problems.push(problem.hint(format!("the other is {}", first.path)));
        }
    }
    if loaded.is_empty() && problems.is_empty() {
        let named = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        let problem = Diagnostic::whole(&named, "there is no scenario here");
        problems.push(problem.hint("scenarios are files `*.yaml` with `schema: dtu/scenario/v1`"));
    }
    if problems.is_empty() { Ok(loaded) } else { Err(problems) }
}

/// A fault plan, read.
#[derive(Debug, Clone)]
pub struct LoadedPlan {
    /// The file as the user named it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What it says.
    pub plan: PlanFile,
}

/// Reads the fault plans among these files, and in these folders.
///
/// # Errors
/// All problems of all of them.
pub fn plans(paths: &[PathBuf]) -> Result<Vec<LoadedPlan>, Vec<Diagnostic>> {
    let (mut loaded, mut problems, mut files) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() { all_yaml(path, &mut files) } else { files.push(path.clone()) }
    }
    for path in files.iter().filter(|path| is_plan(path)) {
        let name = path.display().to_string();
        let Ok(text) = fs_err::read_to_string(path) else { continue };
        match PlanFile::parse(&name, &text, &[]) {
            Ok(plan) => loaded.push(LoadedPlan { path: name, text, plan }),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(loaded) } else { Err(problems) }
}

/// Whether there is any scenario among these files and folders.
pub fn has_scenarios(paths: &[PathBuf]) -> bool {
    !files_of(paths, &mut Vec::new()).is_empty()
}

/// Whether a file says that it is a fault plan.
pub fn is_plan(path: &Path) -> bool {
    let says = |line: &str| line.trim_start().starts_with("schema: dtu/faults/");
    fs_err::read_to_string(path).is_ok_and(|text| text.lines().any(says))
}

pub(crate) fn all_yaml(dir: &Path, out: &mut Vec<PathBuf>) {
    let listed = fs_err::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    // What cannot be read is told where scenarios are looked for.
    let mut entries = listed.unwrap_or_default();
    entries.sort_by_key(fs_err::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => all_yaml(&entry.path(), out),
            Ok(_) if has_yaml_ending(&entry.path()) => out.push(entry.path()),
            _ => {}
        }
    }
}

/// The files meant by these paths, each once.
fn files_of(paths: &[PathBuf], problems: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut out, problems);
        } else {
            out.push(path.clone());
        }
    }
    let mut seen = BTreeSet::new();
    // A file named twice, as itself and by its folder, is one file.
    out.retain(|path| seen.insert(fs_err::canonicalize(path).unwrap_or_else(|_| path.clone())));
    out
}

fn walk(dir: &Path, out: &mut Vec<PathBuf>, problems: &mut Vec<Diagnostic>) {
    let listed = fs_err::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(error) => return problems.push(Diagnostic::whole(&dir.display().to_string(), error.kind().to_string())),
    };
    entries.sort_by_key(fs_err::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a folder is not followed: it may lead round in a circle.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, out, problems);
        } else if has_yaml_ending(&path) && !is_of_another_format(&path) {
            out.push(path);
        }
    }
}

fn has_yaml_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// Whether a file says to be of a format of ours, but not a scenario.
fn is_of_another_format(path: &Path) -> bool {
    #[derive(Deserialize)]
    struct Peek {
        schema: String,
    }
    let peek = fs_err::read_to_string(path).ok().and_then(|text| serde_saphyr::from_str::<Peek>(&text).ok());
    peek.is_some_and(|peek| peek.schema.starts_with("dtu/") && !peek.schema.starts_with("dtu/scenario/"))
}

/// Reads a target file.
///
/// # Errors
/// Every problem found.
pub fn target(path: &Path) -> Result<LoadedTarget, Vec<Diagnostic>> {
    let (file, text) = read(path)?;
    target_from(file, text)
}

/// Reads a target from its text. `file` is what problems name, and what relative paths start from.
///
/// # Errors
/// Every problem found.
pub fn target_from(file: String, text: String) -> Result<LoadedTarget, Vec<Diagnostic>> {
    let target: Target = parse(&file, &text)?;
    let mut compiler = Compiler::new(&file, &text, None);
    let filled = |value: &Spanned<String>, compiler: &mut Compiler<'_>| {
        compiler.template(Scope::Target, &value.value, value.referenced.into())
    };
    let command: Vec<Template> = target.command.iter().map(|part| filled(part, &mut compiler)).collect();
    check_kind(&target, &mut compiler);
    let env = target.env.iter().map(|(name, value)| (name.clone(), filled(value, &mut compiler))).collect();
    let connect = target
        .connect
        .iter()
        .map(|act| compiler.form(Scope::Target, &Value::Object(act.with.clone()), act.verb.referenced.into()));
    let connect = connect.collect();
    let ready = target.ready.any_of.iter().map(|sign| match sign {
        Sign::Http(url) => {
            let place = compiler.find(url, Place { line: 1, column: 1 });
            Some(compiler.template(Scope::Target, url, place))
        }
        Sign::Log(_) | Sign::Called(_) | Sign::Socket(_) | Sign::Delivered(_) => None,
    });
    let ready = ready.collect();
    let mut commands = IndexMap::new();
    for (name, parts) in &target.commands {
        if parts.is_empty() {
            let place = compiler.find(name, Place::default());
            compiler.problem(place, format!("the command `{name}` is empty"), "give the program and its arguments");
        }
        commands.insert(name.clone(), parts.iter().map(|part| filled(part, &mut compiler)).collect());
    }
    finish(compiler)?;
    let dir = match Path::new(&file).parent() {
        Some(dir) if dir != Path::new("") => dir.to_owned(),
        _ => PathBuf::from("."),
    };
    let digest = digest(&text);
    Ok(LoadedTarget {
        path: file,
        dir,
        text,
        digest,
        target,
        command,
        env,
        connect,
        ready,
        commands,
        secrets: BTreeMap::new(),
    })
}

/// A target is a command, or a program that runs already and can be brought back to its beginning.
fn check_kind(target: &Target, compiler: &mut Compiler<'_>) {
    match (&target.url, target.command.is_empty()) {
        (None, true) => {
            compiler.problem(Place::default(), "`command` is empty", "give the program and its arguments, or `url`");
        }
        (Some(url), false) => {
            compiler.problem(
                url.referenced.into(),
                "a program that runs already has no `command`",
                "leave one of both out",
            );
        }
        (Some(url), true) if url::Url::parse(&url.value).is_err() => {
            compiler.problem(url.referenced.into(), "this is no URL", "such as `http://127.0.0.1:8080`");
        }
        (Some(url), true) if target.reset.is_none() => {
            let hint =
                "say with `reset` how it is brought back to its beginning: else one trajectory is seen in the next";
            compiler.problem(url.referenced.into(), "a program that runs already needs `reset`", hint);
        }
        _ => {}
    }
}

pub(crate) fn read(path: &Path) -> Result<(String, String), Vec<Diagnostic>> {
    let file = path.display().to_string();
    match fs_err::read_to_string(path) {
        Ok(text) => Ok((file, text)),
        Err(error) => {
            let problem = Diagnostic::whole(&file, format!("cannot be read: {}", error.kind()));
            let is_absent = error.kind() == std::io::ErrorKind::NotFound;
            Err(vec![if is_absent { problem.hint(near_names(path)) } else { problem }])
        }
    }
}

/// What is there instead of a file that is not.
fn near_names(path: &Path) -> String {
    let dir = path.parent().filter(|dir| *dir != Path::new("")).unwrap_or_else(|| Path::new("."));
    let Ok(entries) = fs_err::read_dir(dir) else {
        return format!("there is no folder `{}` either", dir.display());
    };
    let names: BTreeSet<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let wanted = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let suggested = Diagnostic::whole("", "").suggest(&wanted, names.iter().map(String::as_str)).hint;
    if suggested.is_empty() {
        format!("the path starts from where the program runs; `{}` is there", dir.display())
    } else {
        suggested
    }
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

pub(crate) fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Vec<Diagnostic>> {
    // As in YAML 1.2: `yes`, `no`, `on` and `y` are texts, which a message may well be.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| vec![Diagnostic::from_yaml_with_hint(file, &error)])
}

fn finish(compiler: Compiler<'_>) -> Result<(), Vec<Diagnostic>> {
    if compiler.problems.is_empty() { Ok(()) } else { Err(compiler.problems) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{facts, folder, scenario_with};

    const HEAD: &str = "schema: dtu/scenario/v1\ntitle: T\nstory: S\nworld: tiny\nbeats: []\nchecks: []\n";

    /// The problems of a scenario with these lines, by line number in them.
    fn problems(lines: &str) -> String {
        let text = format!("{HEAD}id: x\n{lines}\n");
        let found = scenario_from("s.yaml".to_owned(), text).expect_err("has problems");
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn values_can_come_from_the_world() {
        let check = |list: &str, wanted: &str| {
            let mut scenario = crate::testing::scenario_with(&format!("params: {{who: {{from: \"{list}\"}}}}"));
            let found = match pick(&mut scenario, &crate::testing::world()) {
                Ok(()) => match &scenario.scenario.params["who"].value {
                    Param::AnyOf(values) => Value::from(values.clone()).to_string(),
                    other => panic!("no list: {other:?}"),
                },
                Err(problems) => problems.iter().map(|problem| problem.message.clone()).collect(),
            };
            assert_eq!(found, wanted, "{list}");
        };
        check("people.filter(key, people[key].manager == 'rob')", r#"["lena","omar"]"#);
        check("people.filter(key, false)", "the parameter `who` has no values: nobody in the world fits");
        check("1 + 1", "the parameter `who` is to be drawn from a list, and `1 + 1` gives none");
        check(
            "people.filter(key, people[key].shoe == 44)",
            "the parameter `who` has no values: `people.filter(key, people[key].shoe == 44)`: nothing has the name `shoe` \
             there; where it may be absent, ask `has(...)` first",
        );
    }

    #[test]
    fn problems_have_a_place_and_a_hint() {
        let check = |lines: &str, wanted: &str| {
            let found = problems(lines);
            assert!(found.contains(wanted), "{lines}\n{found}");
        };
        check("colateral: {allow: []}", "s.yaml:8:1: unknown key `colateral`\n  hint: did you mean `collateral`?");
        check("meta: {waight: 1}", "s.yaml:8:8: unknown key `waight`\n  hint: did you mean `weight`?");
        check("params: {a: {one_off: [1]}}", "unknown word `one_off`\n  hint: did you mean `one_of`?");
        check("params: {a: {int: {min: 2, max: 1}}}", "s.yaml:8:13: the parameter `a` has no values");
        check("params: {a: {from: 'peeple'}}", "there is no variable `peeple` here\n  hint: did you mean `people`?");
        check("params: {a: {one_of: []}}", "s.yaml:8:13: the parameter `a` has no values");
        check("collateral: {allow: [{table: a.b, where: c.kye == 'x'}]}", "s.yaml:8:42: a change has no `kye`");
        check("collateral: {allow: [{table: a.b, where: 'c.key ==='}]}", "s.yaml:8:42: not an expression: ");
        check(
            "faults: [{rule: {id: r, on: {}, do: {reset: {}}}, when: params.x}]",
            "s.yaml:8:57: the scenario has no parameter `x`",
        );
    }

    #[test]
    fn all_problems_of_a_file_are_told_at_once() {
        let lines = "params: {who: {one_of: [lena]}}\ncollateral:\n  allow:\n    - {table: a.b, where: params.how == 1}\n    - {table: a.c, where: c.befor == null}";
        let found = problems(lines);
        assert_eq!(found.matches("s.yaml:").count(), 2, "{found}");
        assert!(found.contains("s.yaml:11:27: the scenario has no parameter `how`\n  hint: known are who"), "{found}");
    }

    #[test]
    fn a_beat_does_something() {
        let check = |beat: &str, wanted: &str| {
            let text = format!("{}id: x\n", HEAD.replace("beats: []", &format!("beats: [{beat}]")));
            let found = scenario_from("s.yaml".to_owned(), text).expect_err("has problems");
            assert!(found[0].to_string().contains(wanted), "{found:?}");
        };
        check("{id: a}", "this beat does nothing");
        check("{do: shelf.user.take}", "nobody does this");
        check("{as: lena}", "nothing is done here");
        check("{pause: 1s, with: {a: 1}}", "`with` has no verb");
        check("{as: lena, do: a.b, with: {deep: [{x: 'no ${'}]}}", "s.yaml:5:48: a `${` has no `}`");
        check("{as: '${params.who}', do: a.b}", "s.yaml:5:14: the scenario has no parameter `who`");
    }

    #[test]
    fn texts_are_filled() {
        let loaded = scenario_with(
            "params: {who: {one_of: [lena]}, n: {one_of: [2]}}\nbeats:\n  - as: ${params.who}\n    do: shelf.user.take\n    \
             with: {a: '${params.n}', b: 'is ${params.n + 1}, $${x}', c: ['${people[params.who].manager_email}', 4], d: yes, e: ''}",
        );
        let mut facts = facts(json!({ "who": "lena", "n": 2 }));
        let beat = &loaded.beats[0];
        assert_eq!(beat.actor.as_ref().map(|actor| actor.fill_text(&mut facts)), Some(Ok("lena".to_owned())));
        let LoadedAct::Do { with, .. } = &beat.act else { panic!("somebody acts: {beat:?}") };
        let with = Value::Object(with.fill_object(&mut facts).expect("is filled"));
        let wanted = json!({ "a": 2, "b": "is 3, ${x}", "c": ["rob@tiny.example", 4], "d": "yes", "e": "" });
        assert_eq!(with, wanted);
    }

    #[test]
    fn a_target_is_filled_with_its_port_and_environment() {
        let text = "schema: dtu/target/v1\nname: t\ncommand: [./bin, --port, '${port}']\nenv: {A: '${env.SHELF_URL}/x', B: '${params.k}'}\n\
                    connect: [{as: rob, do: shelf.user.take, with: {url: 'http://h:${port}'}}]\nready: {any_of: [{http: 'http://h:${port}/'}, {log: up}]}\n";
        let target = target_from("dir/t.yaml".to_owned(), text.to_owned()).expect("loads");
        let mut facts = facts(json!({ "k": 5 }));
        facts.set_port(81);
        facts.universe().set_origin(0, "http://127.0.0.1:9");
        assert_eq!(target.command[2].fill_text(&mut facts), Ok("81".to_owned()));
        assert_eq!(target.env["A"].fill_text(&mut facts), Ok("http://127.0.0.1:9/x".to_owned()));
        assert_eq!(target.env["B"].fill_text(&mut facts), Ok("5".to_owned()));
        assert_eq!(target.connect[0].fill(&mut facts), Ok(json!({ "url": "http://h:81" })));
        assert_eq!(target.ready.iter().flatten().count(), 1);
        assert_eq!(target.dir, Path::new("dir"));
        let wrong = text.replace("${port}/", "${prt}/");
        let found = target_from("t.yaml".to_owned(), wrong).expect_err("has problems");
        assert_eq!(found[0].to_string(), "t.yaml:6:26: there is no variable `prt` here\n  hint: did you mean `port`?");
    }

    #[test]
    fn folders_are_read_whole() {
        let one = format!("{HEAD}id: b\n");
        let two = format!("{HEAD}id: a\n");
        let (_guard, dir) = folder(&[
            ("z/one.yaml", &one),
            ("two.yml", &two),
            ("target.yaml", "schema: dtu/target/v1\nname: t\n"),
            ("notes.md", "no"),
        ]);
        let loaded = scenarios(&[dir.clone(), dir.join("two.yml")]).expect("loads");
        let ids: Vec<&str> = loaded.iter().map(|s| s.scenario.id.value.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(loaded[1].digest, digest(&one));
        assert_eq!(loaded[1].path, dir.join("z/one.yaml").display().to_string());
    }

    #[test]
    fn what_is_wrong_with_a_set_of_files_is_told_whole() {
        let (good, bad) = (format!("{HEAD}id: b\n"), format!("{HEAD}id: c\nx: 1\n"));
        let (_guard, dir) = folder(&[("one.yaml", &good), ("two.yaml", &good), ("bad.yaml", &bad), ("none/a.txt", "")]);
        let found = scenarios(&[dir.clone(), dir.join("ome.yaml")]).expect_err("has problems");
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(found[0].contains("bad.yaml:8:1: unknown key `x`"), "{found:#?}");
        assert!(
            found[1].ends_with("ome.yaml: cannot be read: entity not found\n  hint: did you mean `one.yaml`?"),
            "{found:#?}"
        );
        assert!(found[2].contains("two.yaml:7:5: two scenarios have the id `b`\n  hint: the other is "), "{found:#?}");
        let none = scenarios(&[dir.join("none")]).expect_err("has problems");
        assert!(none[0].message.contains("there is no scenario here"), "{none:?}");
    }

    #[test]
    fn the_repositorys_own_files_load() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("is in the workspace");
        let loaded = scenarios(&[root.join("scenarios")]).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert!(!loaded.is_empty());
        let bot = target(&root.join("fixtures/targets/access-bot/target.yaml"));
        assert!(bot.is_ok(), "{bot:#?}");
    }

    #[test]
    fn a_world_is_a_name_or_a_path_beside_the_file() {
        let check = |world: &str, wanted: &str| {
            let text = format!("{}id: x\n", HEAD.replace("tiny", world));
            let loaded = scenario_from("pack/s.yaml".to_owned(), text).expect("loads");
            assert_eq!(loaded.world(), wanted);
        };
        check("acme", "acme");
        check("worlds/mine.yaml", "pack/worlds/mine.yaml");
        check("mine.yaml", "pack/mine.yaml");
    }
}
