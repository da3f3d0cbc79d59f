//! Fault plans as files: variables, episodes and rules.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    aim::{Target, aimed},
    places::Places,
    plan::FaultPlan,
    rule::{Part, Rule},
    told::RuleError,
    window::{During, Episode},
};
use crate::diagnostic::Diagnostic;

/// A fault plan as a person writes it (`fixtures/faults/*.yaml`, or inside a scenario).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// The format: `dtu/faults/v1`.
    pub schema: SchemaV1,
    /// The plan's name.
    pub name: String,
    /// What the plan imitates, for people.
    #[serde(default)]
    pub about: String,
    /// What the service did, for the plan's page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub did: String,
    /// What programs got wrong then, for the plan's page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wrong: String,
    /// Where that is told: addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// What may be set when the plan is armed, with its usual value. `${name}` stands for it anywhere in the rules.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<SmolStr, Value>,
    /// Episodes by name, for rules that are in force together.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub episodes: BTreeMap<SmolStr, Episode>,
    /// The rules; the first that matches and fires wins.
    pub rules: Vec<Rule>,
    /// Where it was read from, for problems that show later.
    #[serde(skip)]
    source: Source,
}

/// A plan's file, with its text.
#[derive(Clone, Debug, Default)]
struct Source {
    file: String,
    text: String,
    /// The text with the values of its variables.
    filled: String,
}

/// The one known version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SchemaV1 {
    /// `dtu/faults/v1`
    #[serde(rename = "dtu/faults/v1")]
    V1,
}

/// The part of a plan that is read before its variables have values.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    vars: BTreeMap<SmolStr, Value>,
}

impl PlanFile {
    /// Finds a plan by the name of one that is part of the program, else by path. `set` gives variables other values.
    ///
    /// # Errors
    /// What is wrong with the file, with its place.
    pub fn find(name_or_path: &str, set: &[(SmolStr, String)]) -> Result<Self, Vec<Diagnostic>> {
        if let Some((name, text)) = super::NAMED.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(&format!("{name}.yaml"), text, set);
        }
        let text = fs_err::read_to_string(name_or_path).map_err(|error| {
            let message = format!("no fault plan of this name, and no such file ({})", error.kind());
            let known = super::NAMED.iter().map(|(name, _)| *name);
            let problem = Diagnostic::whole(name_or_path, message).hint("`dtu fault names` lists those there are");
            vec![problem.suggest(name_or_path, known)]
        })?;
        Self::parse(name_or_path, &text, set)
    }

    /// Reads a plan from its text.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub fn parse(file: &str, text: &str, set: &[(SmolStr, String)]) -> Result<Self, Vec<Diagnostic>> {
        let syntax =
            |text: &str, error: &serde_saphyr::Error| vec![Diagnostic::from_yaml_with_hint(file, error).shown_in(text)];
        let Head { mut vars } = serde_saphyr::from_str(text).map_err(|error| syntax(text, &error))?;
        for (name, value) in set {
            if !vars.contains_key(name) {
                let message = format!("the plan has no variable `{name}`");
                return Err(vec![Diagnostic::whole(file, message).suggest(name, vars.keys().map(SmolStr::as_str))]);
            }
            vars.insert(name.clone(), Value::String(value.clone()));
        }
        let filled = substitute(file, text, &vars)?;
        let mut plan: Self = serde_saphyr::from_str(&filled).map_err(|error| syntax(&filled, &error))?;
        plan.vars = vars;
        plan.source = Source { file: file.to_owned(), text: text.to_owned(), filled };
        plan.name_episodes()?;
        let problems = plan.placed(&FaultPlan::problems(&plan.rules));
        if problems.is_empty() { Ok(plan) } else { Err(problems) }
    }

    /// Puts the plan's episodes in the place of their names.
    fn name_episodes(&mut self) -> Result<(), Vec<Diagnostic>> {
        for (name, episode) in &mut self.episodes {
            episode.name = name.clone();
        }
        let mut wrong = Vec::new();
        for (at, rule) in self.rules.iter_mut().enumerate() {
            let Some(During::Named(name)) = &rule.on.during else { continue };
            let Some(episode) = self.episodes.get(name) else {
                let known = self.episodes.keys().map(SmolStr::as_str);
                let Diagnostic { hint, .. } = Diagnostic::whole("", "").suggest(name, known);
                let what = format!("the plan has no episode `{name}`");
                wrong.push((at, RuleError::Nobody { rule: rule.id.clone(), what, hint, part: Part::During }));
                continue;
            };
            rule.on.during = Some(During::Whole(episode.clone()));
        }
        if wrong.is_empty() { Ok(()) } else { Err(self.placed(&wrong)) }
    }

    /// What of it can strike nothing among these twins: twins and operations that are not there, each with its place.
    pub fn astray<T: Target + ?Sized>(&self, twins: &[Arc<T>]) -> Vec<Diagnostic> {
        let rules = self.rules.iter().enumerate();
        let wrong: Vec<_> = rules.filter_map(|(at, rule)| Some((at, aimed(rule, twins).err()?))).collect();
        self.placed(&wrong)
    }

    /// Problems of its rules with their places.
    fn placed(&self, problems: &[(usize, RuleError)]) -> Vec<Diagnostic> {
        if problems.is_empty() {
            return Vec::new();
        }
        let Source { file, text, filled } = &self.source;
        // People see their own text. With variables in it, it may be no YAML.
        let own = Places::of_plan(text);
        let (places, text) = if own.is_empty() { (Places::of_plan(filled), filled) } else { (own, text) };
        problems.iter().map(|(at, error)| places.problem(file, text, *at, error)).collect()
    }
}

/// Puts the values of variables in the place of `${name}`.
fn substitute(file: &str, text: &str, vars: &BTreeMap<SmolStr, Value>) -> Result<String, Vec<Diagnostic>> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let wrong = |message: String| {
            let before = &text[..text.len() - behind.len()];
            let line = before.matches('\n').count() as u64 + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
            Diagnostic { line, column, ..Diagnostic::whole(file, message) }.shown_in(text)
        };
        let Some((name, after)) = behind[2..].split_once('}') else {
            return Err(vec![wrong("`${` without its `}`".to_owned())]);
        };
        let Some(value) = vars.get(name) else {
            let known = vars.keys().map(SmolStr::as_str);
            return Err(vec![wrong(format!("the plan has no variable `{name}`")).suggest(name, known)]);
        };
        match value {
            Value::String(text) if text.chars().all(is_plain) => out.push_str(text),
            Value::Number(_) | Value::Bool(_) => out.push_str(&value.to_string()),
            _ => {
                let message = format!("the value of `{name}` is no plain text, number or truth value");
                return Err(vec![wrong(message).hint("letters, digits and the signs - _ . / : @ * are plain")]);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether a character means nothing to YAML inside a text.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_./:@*".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "schema: dtu/faults/v1\nname: p\nvars: {chan: C1, wait: 3s}\nepisodes:\n  storm: {lasts: 5m, \
        every: 1h}\nrules:\n  - id: a\n    on: {twin: slack, resource: \"${chan}\", during: storm}\n    do: \
        {rate_limited: {retry_after: \"${wait}\"}}\n";

    #[test]
    fn variables_and_episodes_are_put_in() {
        let plan = PlanFile::parse("p.yaml", PLAN, &[("chan".into(), "C9".into())]).expect("is a plan");
        let on = &plan.rules[0].on;
        assert_eq!(on.resource.as_deref(), Some("C9"));
        assert!(matches!(&on.during, Some(During::Whole(episode)) if episode.name == "storm"));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let check = |from: &str, to: &str, set: &[(SmolStr, String)], wanted: &str| {
            let text = PLAN.replace(from, to);
            let problems = PlanFile::parse("p.yaml", &text, set).expect_err("is refused");
            let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert!(shown.join("\n").contains(wanted), "{shown:?}");
        };
        check("${chan}", "${chann}", &[], "no variable `chann`");
        check("${chan}", "${chann}", &[], "p.yaml:8:");
        check("during: storm", "during: strom", &[], "p.yaml:8:52: rule `a`: the plan has no episode `strom`");
        check("during: storm", "nth: x", &[], "p.yaml:8");
        check("during: storm", "probabilty: 1/2", &[], "unknown key `probabilty`");
        check("during: storm", "probabilty: 1/2", &[], "hint: did you mean `probability`?");
        check("during: storm", "where: args.x === 1", &[], "p.yaml:8:60: rule `a`: bad condition");
        check("during: storm", "where: 'has(args.x) && nobody.y'", &[], "p.yaml:8:67: rule `a`: bad condition");
        check(
            "during: storm",
            "where: 'has(args.x) && nobody.y'",
            &[],
            "\n    |                                                                   ^^^^^^^^",
        );
        check("during: storm", "caller: '['", &[], "p.yaml:8:52: rule `a`: bad pattern");
        check("id: a", "id: a\n    times: x", &[], "p.yaml:8:12: ");
        check(
            "rate_limited: {retry_after: \"${wait}\"}",
            "drop: {}",
            &[],
            "p.yaml:9:9: rule `a`: `drop` cannot strike calls",
        );
        check("", "", &[("channel".into(), "C9".into())], "no variable `channel`");
        check("", "", &[("chan".into(), "a: b, }".into())], "no plain text");
    }

    #[test]
    fn conditions_over_several_lines_are_told_with_their_place() {
        let plan = "schema: dtu/faults/v1\nname: p\nrules:\n- id: a\n  on:\n    where: |\n      has(args.x)\n      && body.y\n  do: \
            {reset: {}}\n- {id: a, on: {}, do: {reset: {}}}\n";
        let problems = PlanFile::parse("p.yaml", plan, &[]).expect_err("is refused");
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "p.yaml:8:10: rule `a`: bad condition: nothing is called `body`; known are args, path, method\n  8 |       \
                 && body.y\n    |          ^^^^^^",
                "p.yaml:10:8: rule `a` is there twice\n  10 | - {id: a, on: {}, do: {reset: {}}}\n     |        ^",
            ]
        );
    }

    #[test]
    fn named_plans_can_be_armed() {
        for (name, _) in super::super::NAMED {
            if let Err(problems) = PlanFile::find(name, &[]) {
                panic!("{name}: {problems:?}");
            }
        }
    }
}
