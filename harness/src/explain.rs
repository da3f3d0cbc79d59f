//! Scenarios in words: what is going to happen, and who would be caught.

use std::{fmt::Write as _, time::Duration};

use dtu_kernel::time::Span;
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::{
    load::{LoadedProperty, LoadedScenario, ReadRule},
    scenario::{Beat, Check, FaultPlan, Generated, Param, Require, Role, TargetAct, Times, all_beats},
    variant,
};

/// More values of a parameter than these are counted and not named.
const VALUES_MAX: usize = 4;

/// A scenario in words.
pub fn explain(loaded: &LoadedScenario) -> String {
    let s = &loaded.scenario;
    let mut text = format!("{}\n  {}\n", s.id.value, s.title);
    for line in s.story.lines() {
        let _ = writeln!(text, "  | {line}");
    }
    write_variants(&mut text, loaded);
    write_people(&mut text, loaded);
    write_faults(&mut text, loaded);
    let _ = writeln!(text, "\nwhat happens");
    if s.beats.is_empty() {
        let _ = writeln!(text, "  nobody does anything: the target is started, and left alone");
    }
    write_beats(&mut text, &s.beats, "", 1);
    write_checks(&mut text, loaded);
    write_collateral(&mut text, loaded);
    write_nothing(&mut text, loaded);
    text
}

fn write_variants(text: &mut String, loaded: &LoadedScenario) {
    let s = &loaded.scenario;
    let variants = variant::variants(s);
    let world = &s.world.value;
    let mode = s.time.mode.as_deref().unwrap_or("real");
    let start = s.time.start.as_ref().map_or_else(String::new, |start| format!(", from {start} on"));
    let _ = writeln!(text, "\nworld {world}, {mode} time{start}");
    match variants.as_slice() {
        [only] if only.label.is_empty() => drop(writeln!(text, "one variant")),
        many => {
            let count = if many.len() == 1 { "one variant".to_owned() } else { format!("{} variants", many.len()) };
            let _ = writeln!(text, "{count}");
            for variant in many {
                let _ = writeln!(text, "  {}  {}", variant.id, variant.label);
            }
        }
    }
    for (name, param) in &s.params {
        if let Param::Generated(kind) = &param.value {
            let _ = writeln!(text, "  `{name}` is made up for each trajectory: {}", generated_words(kind));
        }
        if let Param::AnyOf(values) = &param.value {
            let shown: Vec<String> = values.iter().take(VALUES_MAX).map(ToString::to_string).collect();
            let more = if values.len() > VALUES_MAX { ", …" } else { "" };
            let _ = writeln!(text, "  `{name}` is drawn anew for each trajectory: {}{more}", shown.join(", "));
        }
    }
}

fn generated_words(kind: &Generated) -> String {
    match kind {
        Generated::Name => "a person's name".to_owned(),
        Generated::Email => "a mail address".to_owned(),
        Generated::Word => "a word".to_owned(),
        Generated::Slug => "words with dashes".to_owned(),
        Generated::Sentence => "a sentence".to_owned(),
        Generated::Uuid => "a UUID".to_owned(),
        Generated::Date => "a date".to_owned(),
        Generated::Pattern(pattern) => format!("`{pattern}`, filled"),
    }
}

/// Beats by number, those within others further to the right.
fn write_beats(text: &mut String, beats: &[Spanned<Beat>], path: &str, depth: usize) {
    for (at, beat) in beats.iter().enumerate() {
        let (margin, number, beat) = ("  ".repeat(depth), format!("{path}{}", at + 1), &beat.value);
        let _ = writeln!(text, "{margin}{number}. {}", beat_words(beat));
        for (at, branch) in beat.parallel.iter().flatten().enumerate() {
            write_beats(text, branch, &format!("{number}.{}.", at + 1), depth + 1);
        }
        if let Some(repeat) = &beat.repeat {
            write_beats(text, &repeat.beats, &format!("{number}."), depth + 1);
        }
        for (at, choice) in beat.pick.iter().flatten().enumerate() {
            let name = choice.name.as_ref().map_or_else(|| format!("course {}", at + 1), |name| format!("`{name}`"));
            let nothing = if choice.beats.is_empty() { ": nothing" } else { "" };
            let _ = writeln!(text, "{margin}  {name}, weight {}{nothing}", choice.weight);
            write_beats(text, &choice.beats, &format!("{number}.{}.", at + 1), depth + 2);
        }
    }
}

fn write_people(text: &mut String, loaded: &LoadedScenario) {
    let mut people: Vec<&str> = Vec::new();
    for actor in all_beats(&loaded.scenario.beats).into_iter().filter_map(|beat| beat.value.actor.as_ref()) {
        if !people.contains(&actor.value.as_str()) {
            people.push(&actor.value);
        }
    }
    if !people.is_empty() {
        let _ = writeln!(text, "people: {}", people.join(", "));
    }
}

fn write_faults(text: &mut String, loaded: &LoadedScenario) {
    if loaded.scenario.faults.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nwhat goes wrong");
    for plan in &loaded.scenario.faults {
        let _ = writeln!(text, "  {}", fault_words(plan));
    }
}

fn fault_words(plan: &FaultPlan) -> String {
    let on = serde_json::to_value(&plan.rule.on).unwrap_or_default();
    let effect = serde_json::to_value(&plan.rule.effect).unwrap_or_default();
    let when = plan.when.as_ref().map_or_else(String::new, |when| format!(", where {}", when.value));
    let must = if plan.require == Require::Fired { "; without it a trajectory means nothing" } else { "" };
    format!("{}: {} -> {}{when}{must}", plan.rule.id, members(&on), members(&effect))
}

/// `twin shelf, nth 1`
fn members(value: &Value) -> String {
    let word = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name} {text}"),
        Value::Object(inner) if inner.is_empty() => name.clone(),
        Value::Object(_) => format!("{name} ({})", members(value)),
        value => format!("{name} {value}"),
    };
    value.as_object().into_iter().flatten().map(word).collect::<Vec<_>>().join(", ")
}

fn beat_words(beat: &Beat) -> String {
    let mut words = Vec::new();
    if let Some(at) = &beat.at {
        words.push(format!("not before {}", at.value));
    }
    if let Some(after) = &beat.after {
        let (id, by) = after.value.parts();
        let by = if by.0.is_zero() { String::new() } else { format!("{} ", shown(by)) };
        words.push(format!("{by}after `{id}`"));
    }
    if let Some(when) = &beat.when {
        let patience = beat.timeout.map_or_else(|| "15s".to_owned(), shown);
        words.push(format!("once {} (within {patience})", one_line(&when.value)));
    }
    if let Some(span) = beat.jitter {
        words.push(format!("up to {} pass, as the seed says", shown(span)));
    }
    if let Some(span) = beat.advance {
        words.push(format!("the clock moves on by {}", shown(span)));
    }
    if let Some(span) = beat.pause {
        words.push(format!("{} pass", shown(span)));
    }
    if let Some(act) = &beat.target {
        words.push(target_words(act));
    }
    if let (Some(actor), Some(verb)) = (&beat.actor, &beat.verb) {
        let with: Vec<String> = beat.with.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let may = if beat.optional { ", if that is still possible" } else { "" };
        words.push(format!("{} does {} {}{may}", actor.value, verb.value, with.join(" ")));
    }
    words.extend(surface_words(beat));
    words.extend(within_words(beat));
    let name = beat.id.as_ref().map_or_else(String::new, |id| format!("[{id}] "));
    format!("{name}{}", words.join(", then "))
}

/// What is done at the target's own surface.
fn surface_words(beat: &Beat) -> Option<String> {
    let who = beat.actor.as_ref().map_or("somebody", |actor| &actor.value);
    let may = if beat.optional { ", whatever comes of it" } else { "" };
    if let Some(http) = &beat.http {
        let wanted =
            http.expect.as_ref().map_or_else(String::new, |expect| format!(", which answers {}", expect.status.value));
        return Some(format!("{who} asks the target {} {}{wanted}{may}", http.method.as_str(), http.url.value));
    }
    let cli = beat.cli.as_ref()?;
    let words: Vec<&str> = cli.args.iter().map(|arg| arg.value.as_str()).collect();
    let args = if words.is_empty() { String::new() } else { format!(" {}", words.join(" ")) };
    let wanted = cli.expect.map_or_else(String::new, |expect| format!(", which ends with exit code {}", expect.code));
    Some(format!("{who} runs the target's command `{}`{args}{wanted}{may}", cli.run.value))
}

/// What happens to the beats within a beat.
fn within_words(beat: &Beat) -> Option<String> {
    if beat.parallel.is_some() {
        return Some("side by side, in an order that the seed draws:".to_owned());
    }
    if beat.pick.is_some() {
        return Some("one of these, as the seed says:".to_owned());
    }
    let repeat = beat.repeat.as_ref()?;
    let times = match &repeat.times {
        Times::Fixed(times) => times.to_string(),
        Times::Of(source) => one_line(source),
    };
    let every = repeat.every.map_or_else(String::new, |every| format!(", {} apart", shown(every)));
    Some(match &repeat.until {
        Some(until) => format!("again and again{every}, at most {times} times, until {}:", one_line(&until.value)),
        None => format!("{times} times{every}:"),
    })
}

fn target_words(act: &TargetAct) -> String {
    match act {
        TargetAct::Kill => "the target is killed".to_owned(),
        TargetAct::Start => "the target is started again".to_owned(),
        TargetAct::Restart => "the target is ended and started again".to_owned(),
        TargetAct::Pause(span) => format!("the target stands still for {}", shown(*span)),
        TargetAct::Rotate(variables) => {
            let names: Vec<&str> = variables.keys().map(String::as_str).collect();
            format!("the target is started again with another {}", names.join(", "))
        }
    }
}

fn write_checks(text: &mut String, loaded: &LoadedScenario) {
    let _ = writeln!(text, "\nwhat must hold");
    for (check, compiled) in loaded.scenario.checks.iter().zip(&loaded.checks) {
        let check = &check.value;
        let when = check.when.as_ref().map_or_else(String::new, |when| format!(" (where {})", when.value));
        let _ = writeln!(text, "  {:<6} {}{when}: {}", role(check.role), check.name, property(&compiled.that));
    }
    for seen in &loaded.scenario.sometimes {
        let _ = writeln!(text, "  now and then  {}: {}", seen.name, one_line(&seen.of.value));
    }
    if let Some(share) = loaded.scenario.satisfied_when {
        let _ = writeln!(text, "  of the `should` checks, {:.0} % by weight", share * 100.0);
    }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Must => "must",
        Role::Guard => "guard",
        Role::Should => "should",
        Role::Info => "info",
    }
}

fn property(that: &LoadedProperty) -> String {
    let by = |by: &Option<String>| by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
    match that {
        LoadedProperty::Finally(that) => format!("at the end, {}", that.shown()),
        LoadedProperty::Always(that) => format!("at every moment, {}", that.shown()),
        LoadedProperty::Eventually { within, that } => format!("within {}, {}", shown(*within), that.shown()),
        LoadedProperty::Count { of, by: who, min, max } => {
            let bounds = match (min, max) {
                (min, Some(max)) if min == max => format!("exactly {min}"),
                (0, Some(max)) => format!("at most {max}"),
                (min, Some(max)) => format!("{min} to {max}"),
                (min, None) => format!("at least {min}"),
            };
            format!("{bounds} of these{}: {}", by(who), of.shown())
        }
        LoadedProperty::Never { of, by: who } => format!("no entry{}: {}", by(who), of.shown()),
        LoadedProperty::Order(steps) => {
            format!("in this order: {}", steps.iter().map(crate::expr::Program::shown).collect::<Vec<_>>().join(" | "))
        }
        LoadedProperty::OnlyAfter { of, after } => format!("{} only after {}", of.shown(), after.shown()),
        LoadedProperty::AtMostOncePer { of, key } => format!("at most once for each {}: {}", key.shown(), of.shown()),
        LoadedProperty::LeadsTo { of, to, within, .. } => {
            format!("{} is answered within {} by {}", of.shown(), shown(*within), to.shown())
        }
        LoadedProperty::Budget(_) => "calls stay within a budget".to_owned(),
        LoadedProperty::Reads(rules) => {
            let deny = rules.deny.iter().map(|rule| format!("never {}", reading(rule)));
            let allow = rules
                .allow
                .as_ref()
                .map(|allow| format!("only {}", allow.iter().map(reading).collect::<Vec<_>>().join(", ")));
            format!("{} reads {}", rules.by, deny.chain(allow).collect::<Vec<_>>().join(", "))
        }
    }
}

fn reading(rule: &ReadRule) -> String {
    let only = rule.only.as_ref().map_or_else(String::new, |only| format!(" where {}", only.shown()));
    format!("{}{only}", rule.view)
}

fn write_collateral(text: &mut String, loaded: &LoadedScenario) {
    if let Some(reads) = &loaded.reads {
        let words: Vec<String> = reads.iter().map(reading).collect();
        let words = if words.is_empty() { "nothing at all".to_owned() } else { words.join(", ") };
        let _ = writeln!(text, "  guard  nothing else read: the target may be shown {words}");
    }
    let allowed = &loaded.scenario.collateral.allow;
    if allowed.is_empty() {
        let _ = writeln!(text, "  guard  nothing else changed: the target may change nothing at all");
        return;
    }
    let _ = writeln!(text, "  guard  nothing else changed: besides what people do, only these may");
    for allow in allowed {
        let only = allow.only.as_ref().map_or_else(String::new, |only| format!(", where {}", one_line(&only.value)));
        let _ = writeln!(text, "           {}{only}", allow.table.value);
    }
}

/// Which checks a program that does nothing cannot pass. What only forbids, it passes; what the state says at the end
/// is for a run to show.
fn write_nothing(text: &mut String, loaded: &LoadedScenario) {
    let mut sure = Vec::new();
    let mut open = Vec::new();
    for (check, compiled) in loaded.scenario.checks.iter().zip(&loaded.checks) {
        match catches_nothing(&check.value, &compiled.that) {
            Some(true) => sure.push(check.value.name.as_str()),
            None => open.push(check.value.name.as_str()),
            Some(false) => {}
        }
    }
    let waits = waits_for_the_target(loaded);
    let _ = writeln!(text, "\na program that does nothing");
    for name in &sure {
        let _ = writeln!(text, "  fails `{name}`");
    }
    if waits {
        let _ =
            writeln!(text, "  keeps a beat waiting that needs something of it, unless people alone bring that about");
    }
    for name in &open {
        let _ = writeln!(text, "  fails `{name}`, unless that holds of the world already");
    }
    if sure.is_empty() && open.is_empty() && !waits {
        let _ = writeln!(text, "  satisfies: no check asks for anything to be done");
    }
    let _ = writeln!(text, "  (`dtu admit` shows what really comes of it)");
}

/// Whether a program that does nothing satisfies: no check asks for anything, and no beat waits for it or asks it.
pub fn nothing_satisfies(loaded: &LoadedScenario) -> bool {
    let mut checks = loaded.scenario.checks.iter().zip(&loaded.checks);
    !waits_for_the_target(loaded)
        && checks.all(|(check, that)| catches_nothing(&check.value, &that.that) == Some(false))
}

/// Whether a beat waits for something, or needs an answer of the target.
fn waits_for_the_target(loaded: &LoadedScenario) -> bool {
    let asks = |beat: &Beat| (beat.http.is_some() || beat.cli.is_some()) && !beat.optional;
    let until = |beat: &Beat| beat.repeat.as_ref().is_some_and(|repeat| repeat.until.is_some());
    let beats = all_beats(&loaded.scenario.beats);
    beats.iter().any(|beat| beat.value.when.is_some() || asks(&beat.value) || until(&beat.value))
}

/// Whether a program that does nothing fails a check; none where the world decides.
fn catches_nothing(check: &Check, that: &LoadedProperty) -> Option<bool> {
    if !matches!(check.role, Role::Must | Role::Guard) {
        return Some(false);
    }
    match that {
        LoadedProperty::Count { by: Some(by), min, .. } if by == "target" => Some(*min > 0),
        LoadedProperty::Count { min: 0, .. }
        | LoadedProperty::Never { .. }
        | LoadedProperty::OnlyAfter { .. }
        | LoadedProperty::AtMostOncePer { .. }
        | LoadedProperty::Reads(_)
        | LoadedProperty::Budget(_) => Some(false),
        LoadedProperty::Count { .. }
        | LoadedProperty::Order(_)
        | LoadedProperty::LeadsTo { .. }
        | LoadedProperty::Finally(_)
        | LoadedProperty::Always(_)
        | LoadedProperty::Eventually { .. } => None,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `15m`, `1500ms`.
fn shown(span: Span) -> String {
    let Span(span) = span;
    let secs = span.as_secs();
    if span != Duration::from_secs(secs) {
        format!("{}ms", span.as_millis())
    } else if secs > 0 && secs.is_multiple_of(3_600) {
        format!("{}h", secs / 3_600)
    } else if secs > 0 && secs.is_multiple_of(60) {
        format!("{}m", secs / 60)
    } else {
        format!("{secs}s")
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::scenario_with;

    #[test]
    fn a_scenario_is_told_in_words() {
        let scenario = scenario_with(
            "
params: {who: {one_of: [lena, omar]}, item: {any_of: [cup, pot]}}
faults: [{rule: {id: busy, on: {twin: shelf, nth: 1}, do: {rate_limited: {retry_after: 1s}}}, require: fired}]
sometimes: [{name: a retry, of: \"e.status == 429\"}]
beats:
  - {id: ask, as: \"${params.who}\", do: shelf.user.take, with: {item: \"${params.item}\"}, optional: true}
  - {when: 'shelf.items.size() > 0', timeout: 2m, target: restart}
  - {advance: 1h}
checks:
  - {name: it is there, that: {eventually: {within: 90s, that: 'shelf.items.size() == 1'}}}
  - {name: put once, role: guard, that: {count: {of: \"e.operation == 'putItem'\", by: target, min: 1, max: 1}}}
  - {name: never refused, role: guard, that: {never: {of: e.status == 403}}}
collateral: {allow: [{table: shelf.items, where: \"c.key == 'cup'\"}]}",
        );
        insta::assert_snapshot!("a_scenario_in_words", super::explain(&scenario));
    }

    #[test]
    fn stories_within_stories_are_told_in_words() {
        let scenario = scenario_with(
            "
params: {title: {generated: sentence}, code: {generated: {pattern: 'INC-##'}}, n: {one_of: [2]}}
beats:
  - {id: report, at: 10m, as: lena, http: {method: POST, url: /incidents, body: {json: {t: '${params.title}'}}, expect: {status: 201}}}
  - parallel:
      - - {as: omar, do: shelf.user.take, with: {item: cup}}
      - - {after: {beat: report, by: 5m}, jitter: 30s, cli: {run: escalate, args: ['${params.code}'], expect: {code: 0}}, optional: true}
  - {repeat: {times: 10, every: 30s, until: acts.look.json.done, beats: [{id: look, http: {url: '/incidents/${round}'}}]}}
  - {repeat: {times: params.n, beats: [{pause: 1s}]}}
  - {after: report, pick: [{name: resolved, weight: 3, beats: [{target: restart}]}, {}]}
checks:
  - {name: private, role: guard, that: {reads: {deny: [{view: shelf.items, where: r.owner == 'rob'}]}}}
collateral: {reads: [{view: 'shelf.*'}]}",
        );
        insta::assert_snapshot!("a_story_of_stories_in_words", super::explain(&scenario));
    }

    #[test]
    fn who_asks_for_nothing_gets_nothing() {
        let scenario = scenario_with("checks: [{name: c, role: guard, that: {never: {of: 'e.status == 500'}}}]");
        let text = super::explain(&scenario);
        assert!(text.contains("satisfies: no check asks for anything to be done"), "{text}");
        assert!(text.contains("the target may change nothing at all"), "{text}");
    }
}
