//! What came of an admission, for people: as text, and in Markdown.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use crate::{
    admit::{Admission, Admitted, NoOp, Ruling, Told, Worth},
    mutate::{Alive, Fate, Mutants},
};

fn style(ruling: Ruling) -> (&'static str, Style) {
    match ruling {
        Ruling::Admitted => ("✔", Style::new().green()),
        Ruling::Open => ("?", Style::new().yellow()),
        Ruling::Refused => ("✘", Style::new().red()),
    }
}

/// As text for a terminal.
pub fn text(admission: &Admission) -> String {
    let mut text = String::new();
    for scenario in &admission.scenarios {
        write_scenario(&mut text, scenario);
    }
    for told in &admission.defective {
        let (sign, shown) = style(told.ruling);
        let _ = writeln!(text, "{} {:<17} {}", sign.style(shown), told.name, told_words(told));
    }
    let (_, shown) = style(admission.ruling);
    let _ = writeln!(text, "{}: {}", admission.ruling.name().style(shown.bold()), summary(admission));
    text
}

fn told_words(told: &Told) -> String {
    let by = if told.by.is_empty() { "nothing".to_owned() } else { told.by.join(", ") };
    let not_by = if told.not_by.is_empty() { String::new() } else { format!(", not by {}", told.not_by.join(", ")) };
    format!("told by {by}{not_by}")
}

fn summary(admission: &Admission) -> String {
    let count = admission.scenarios.iter().filter(|scenario| scenario.ruling == Ruling::Admitted).count();
    format!("{count} of {} scenarios tell them apart", admission.scenarios.len())
}

fn write_scenario(text: &mut String, scenario: &Admitted) {
    let (sign, shown) = style(scenario.ruling);
    let _ = writeln!(text, "{} {}", sign.style(shown), scenario.id.bold());
    for score in &scenario.targets {
        let (sign, shown) = style(score.ruling);
        let share = score.score.map_or_else(|| "-".to_owned(), |share| format!("{share:.2}"));
        let void = if score.void > 0 { format!("  void {}", score.void) } else { String::new() };
        let why = if score.why.is_empty() { String::new() } else { format!("  {}", score.why) };
        let line = format!("{:<15} {share:>4}  {}/{}{void}{why}", score.name, score.satisfied, score.decided);
        let _ = writeln!(text, "  {} {line}", sign.style(shown));
    }
    for check in &scenario.checks {
        let sign = if check.inert { "!" } else { "·" };
        let _ = writeln!(text, "    {sign} {}: {}", check.name, worth_words(check));
    }
    write_mutants(text, scenario);
}

fn worth_words(check: &Worth) -> String {
    let no_op = match check.no_op {
        NoOp::Fail => "a program that does nothing fails it",
        NoOp::Pass => "a program that does nothing passes it",
        NoOp::Unseen => "not seen with a program that does nothing",
    };
    let worth = match (check.inert, check.decides.is_empty()) {
        (true, _) => "inert: nobody ever failed it".to_owned(),
        (false, true) => format!("fails {}", check.fails.join(", ")),
        (false, false) => format!("alone tells {}", check.decides.join(", ")),
    };
    if check.fails.is_empty() && !check.inert { no_op.to_owned() } else { format!("{worth}; {no_op}") }
}

/// All counts of a scenario's mutants; none where there are none.
fn mutant_words(scenario: &Admitted) -> Option<String> {
    let score = scenario.mutation_score?;
    let sum = |of: fn(&Mutants) -> u64| scenario.mutants.iter().map(of).sum::<u64>();
    let (killed, masked, survived) = (sum(|m| m.killed), sum(|m| m.masked), sum(|m| m.survived));
    let mut words = format!(
        "{killed} of {} mutants of its checks change an outcome ({score:.2}); hidden by what else fails {masked}, without \
         any effect {survived}",
        killed + masked + survived
    );
    for (count, what) in [(sum(|m| m.unseen), "without a value"), (sum(|m| m.left_out), "not tried")] {
        if count > 0 {
            let _ = write!(words, ", {what} {count}");
        }
    }
    Some(words)
}

/// What stands in one place of a check, with all that could stand there as well.
struct Part<'a> {
    check: &'a str,
    first: &'a Alive,
    others: Vec<String>,
}

/// The largest parts of a scenario's checks that nothing hangs on, in the order of the file.
fn idle_parts(scenario: &Admitted) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for check in &scenario.mutants {
        for alive in check.alive.iter().filter(|alive| alive.fate == Fate::Survived && !alive.within) {
            let same = |part: &&mut Part<'_>| {
                part.check == check.name
                    && (part.first.line, part.first.column, &part.first.was) == (alive.line, alive.column, &alive.was)
            };
            match parts.iter_mut().find(same) {
                Some(part) => part.others.push(other_words(alive)),
                None => parts.push(Part { check: &check.name, first: alive, others: vec![other_words(alive)] }),
            }
        }
    }
    parts
}

fn other_words(alive: &Alive) -> String {
    if alive.now.is_empty() { alive.what.clone() } else { format!("`{}`", one_line(&alive.now)) }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn write_mutants(text: &mut String, scenario: &Admitted) {
    let Some(words) = mutant_words(scenario) else { return };
    let _ = writeln!(text, "    {words}");
    for part in idle_parts(scenario) {
        let place = format!("{}:{}:{}", scenario.file, part.first.line, part.first.column);
        let _ = writeln!(text, "      ! {}: it might as well be {}", part.check, part.others.join(", "));
        let _ = writeln!(text, "        {}", place.dimmed());
        for line in part.first.snippet.lines() {
            let _ = writeln!(text, "        {line}");
        }
    }
    for check in scenario.mutants.iter().filter(|check| check.not_again > 0) {
        let _ = writeln!(
            text,
            "      ? {}: left out {} of the trajectories, which do not show again what their checks said",
            check.name, check.not_again
        );
    }
}

/// In Markdown.
pub fn markdown(admission: &Admission) -> String {
    let mut text =
        format!("# Admission: {}\n\n{}; seed {}.\n", admission.ruling.name(), summary(admission), admission.seed);
    for scenario in &admission.scenarios {
        write_section(&mut text, scenario);
    }
    if !admission.defective.is_empty() {
        text.push_str("\n## Programs with a known fault\n\n| program | |\n|---|---|\n");
    }
    for told in &admission.defective {
        let _ = writeln!(text, "| {} {} | {} |", style(told.ruling).0, told.name, told_words(told));
    }
    text
}

fn write_section(text: &mut String, scenario: &Admitted) {
    let _ = writeln!(text, "\n## {} {}\n\n`{}`\n", style(scenario.ruling).0, scenario.id, scenario.file);
    text.push_str("| target | satisfied | |\n|---|---|---|\n");
    for score in &scenario.targets {
        let _ = writeln!(
            text,
            "| {} {} | {}/{} | {} |",
            style(score.ruling).0,
            score.name,
            score.satisfied,
            score.decided,
            score.why
        );
    }
    text.push_str("\n| check | | mutants killed | hidden | idle |\n|---|---|---|---|---|\n");
    for check in &scenario.checks {
        let of_it = scenario.mutants.iter().find(|mutants| mutants.name == check.name);
        let counts = of_it
            .map_or_else(|| "- | - | -".to_owned(), |of| format!("{} | {} | {}", of.killed, of.masked, of.survived));
        let _ = writeln!(text, "| {} | {} | {counts} |", check.name, worth_words(check));
    }
    let Some(words) = mutant_words(scenario) else { return };
    let _ = writeln!(text, "\n{words}.");
    for part in idle_parts(scenario) {
        let _ = writeln!(text, "\n- *{}*: it might as well be {}\n\n  ```text", part.check, part.others.join(", "));
        for line in part.first.snippet.lines() {
            let _ = writeln!(text, "  {line}");
        }
        text.push_str("  ```\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{admit::AdmissionSchema, plan::PlannedTarget, scenario::Role};

    fn alive(fate: Fate, was: &str, now: &str) -> Alive {
        let snippet = format!("7 |   that: {was}\n  |         {}", "^".repeat(was.len()));
        let (what, was, now) = ("left out".to_owned(), was.to_owned(), now.to_owned());
        Alive { fate, within: now == "within", what, was, now, line: 7, column: 9, snippet }
    }

    #[test]
    fn parts_that_nothing_hangs_on_are_shown_where_they_stand() {
        let of = Mutants {
            name: "it is told".to_owned(),
            role: Role::Must,
            killed: 6,
            masked: 1,
            survived: 3,
            unseen: 1,
            left_out: 2,
            not_again: 1,
            alive: vec![
                alive(Fate::Survived, "a == 1", "true"),
                alive(Fate::Survived, "a == 1", "!(a == 1)"),
                alive(Fate::Masked, "b", "false"),
                alive(Fate::Survived, "c", ""),
                alive(Fate::Survived, "1", "within"),
            ],
        };
        let check = Worth {
            name: "it is told".to_owned(),
            role: Role::Must,
            fails: vec!["nop".to_owned()],
            decides: vec!["nop".to_owned()],
            holds_for_oracle: true,
            no_op: NoOp::Fail,
            inert: false,
        };
        let scenario = Admitted {
            id: "s.one".to_owned(),
            file: "s.yaml".to_owned(),
            digest: String::new(),
            ruling: Ruling::Admitted,
            targets: Vec::new(),
            checks: vec![check],
            mutants: vec![of],
            mutation_score: Some(0.6),
        };
        let admission = Admission {
            schema: AdmissionSchema::V1,
            ruling: Ruling::Admitted,
            version: "1".to_owned(),
            seed: 1,
            oracle: PlannedTarget::default(),
            scenarios: vec![scenario],
            defective: Vec::new(),
        };
        insta::assert_snapshot!("an_admission_in_text", anstream::adapter::strip_str(&text(&admission)));
        insta::assert_snapshot!("an_admission_in_markdown", markdown(&admission));
    }
}
