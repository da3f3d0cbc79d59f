//! Fault plans as files: variables, episodes and rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::Location;
use smol_str::SmolStr;

use super::{
    plan::{FaultPlan, RuleError},
    rule::Rule,
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
            vec![Diagnostic::whole(name_or_path, message).suggest(name_or_path, known)]
        })?;
        Self::parse(name_or_path, &text, set)
    }

    /// Reads a plan from its text.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub fn parse(file: &str, text: &str, set: &[(SmolStr, String)]) -> Result<Self, Vec<Diagnostic>> {
        let syntax = |error: &serde_saphyr::Error| vec![Diagnostic::from_yaml(file, error)];
        let Head { mut vars } = serde_saphyr::from_str(text).map_err(|error| syntax(&error))?;
        for (name, value) in set {
            if !vars.contains_key(name) {
                let message = format!("the plan has no variable `{name}`");
                return Err(vec![Diagnostic::whole(file, message).suggest(name, vars.keys().map(SmolStr::as_str))]);
            }
            vars.insert(name.clone(), Value::String(value.clone()));
        }
        let text = substitute(file, text, &vars)?;
        let mut plan: Self = serde_saphyr::from_str(&text).map_err(|error| syntax(&error))?;
        plan.vars = vars;
        plan.name_episodes(file)?;
        let problems = plan.problems(file, &text);
        if problems.is_empty() { Ok(plan) } else { Err(problems) }
    }

    /// Puts the plan's episodes in the place of their names.
    fn name_episodes(&mut self, file: &str) -> Result<(), Vec<Diagnostic>> {
        for (name, episode) in &mut self.episodes {
            episode.name = name.clone();
        }
        for rule in &mut self.rules {
            let Some(During::Named(name)) = &rule.on.during else { continue };
            let Some(episode) = self.episodes.get(name) else {
                let message = format!("rule `{}`: the plan has no episode `{name}`", rule.id);
                let known = self.episodes.keys().map(SmolStr::as_str);
                return Err(vec![Diagnostic::whole(file, message).suggest(name, known)]);
            };
            rule.on.during = Some(During::Whole(episode.clone()));
        }
        Ok(())
    }

    /// What cannot work about its rules, each with its place.
    fn problems(&self, file: &str, text: &str) -> Vec<Diagnostic> {
        let place = |(rule, error): (&Rule, RuleError)| {
            let line = text.lines().position(|line| line.contains(&format!("id: {}", rule.id)));
            let whole = Diagnostic::whole(file, error.to_string());
            match line {
                Some(line) => Diagnostic { line: line as u64 + 1, column: 1, ..whole },
                None => whole,
            }
        };
        FaultPlan::problems(&self.rules).into_iter().map(place).collect()
    }
}

/// Puts the values of variables in the place of `${name}`.
fn substitute(file: &str, text: &str, vars: &BTreeMap<SmolStr, Value>) -> Result<String, Vec<Diagnostic>> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let place = || {
            let line = out.lines().count().max(1) as u64;
            let column = out.lines().last().unwrap_or_default().chars().count() as u64 + 1;
            (line, column)
        };
        let wrong = |message: String| {
            let (line, column) = place();
            Diagnostic { line, column, ..Diagnostic::at(file, Location::UNKNOWN, message) }
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
        check("during: storm", "during: strom", &[], "no episode `strom`");
        check("during: storm", "nth: x", &[], "p.yaml:8");
        check("rate_limited: {retry_after: \"${wait}\"}", "drop: {}", &[], "p.yaml:7");
        check("", "", &[("channel".into(), "C9".into())], "no variable `channel`");
        check("", "", &[("chan".into(), "a: b, }".into())], "no plain text");
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
