//! Mutants of made-up checks over trajectories of the tests' twin.

use std::sync::Arc;

use dtu_kernel::universe::Universe;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    facts::Facts,
    testing::{self, call, facts, scenario_with, take_away},
};

/// What a program does in a trajectory.
type Deeds<'a> = &'a [(&'a str, &'a str)];

fn play(universe: &Universe, deeds: Deeds<'_>) {
    for (what, item) in deeds {
        match *what {
            "take" => drop(take_away(universe, "rob", item)),
            owner => drop(call(universe, "putItem", item, &format!("owner={owner}"))),
        }
    }
}

/// A trajectory in which a program did this before the last beat was over, and that after it.
fn trial(scenario: &LoadedScenario, before: Deeds<'_>, after: Deeds<'_>) -> Trial {
    let mut facts: Facts = facts(json!({ "who": "lena" }));
    let universe = Arc::clone(facts.universe());
    universe.keep_history();
    play(&universe, before);
    let mut watch = Watch::new(scenario, &facts);
    for deed in after {
        watch.poll(&mut facts, universe.now());
        play(&universe, std::slice::from_ref(deed));
    }
    watch.poll(&mut facts, universe.now());
    let late = universe.now().after(std::time::Duration::from_secs(100));
    watch.poll(&mut facts, late);
    let checks = check::evaluate_all(scenario, &mut facts, &watch);
    facts.come_to_rest().expect("reads");
    // What happens later is none of its business.
    call(&universe, "putItem", "late", "owner=late");
    Trial { story: Story::Told, gap: None, unfired: Vec::new(), checks, facts, watch }
}

fn mutation(scenario: &LoadedScenario) -> Mutation {
    let world = Arc::new(testing::world());
    Mutation::new([(scenario, &world)].into_iter(), &testing::twins().into())
}

/// A scenario with one check; whatever is put on the shelf is allowed.
fn scenario(that: &str) -> LoadedScenario {
    scenario_with(&format!(
        "params: {{who: {{one_of: [lena]}}, other: {{one_of: [omar]}}}}\ncollateral: {{allow: [{{table: shelf.items}}]}}\n\
         checks: [{{name: c, that: {that}}}]"
    ))
}

const GOOD: Deeds<'_> = &[("lena", "cup")];

/// What became of each mutant of the one check after a good program, one that does nothing, and these.
fn fates(that: &str, others: &[Deeds<'_>]) -> String {
    let scenario = scenario(that);
    let mutation = mutation(&scenario);
    for deeds in [GOOD, &[]].into_iter().chain(others.iter().copied()) {
        mutation.look("test.one", trial(&scenario, &[], deeds));
    }
    let suspects = &mutation.suspects["test.one"];
    let line = |(mutant, fate): (&Mutant, &AtomicU8)| {
        let alive = mutant.alive(Fate::of(fate.load(Ordering::SeqCst)));
        (mutant.of == Subject::Check(0)).then(|| {
            let fate = serde_json::to_value(alive.fate).expect("is text");
            format!("{:<10}{}: `{}` -> `{}`", fate.as_str().unwrap_or_default(), alive.what, alive.was, alive.now)
        })
    };
    let told = mutation.told("test.one");
    assert!(told.iter().all(|mutants| mutants.not_again == 0), "{told:#?}");
    suspects.mutants.iter().zip(&suspects.fates).filter_map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_becomes_of_the_mutants_of_each_property() {
    let exists = "shelf.items.exists(i, i.name == 'cup' && i.owner == params.who)";
    let twice: Deeds<'_> = &[("lena", "cup"), ("lena", "cup")];
    let cases: [(&str, &[Deeds<'_>]); 9] = [
        (&format!("{{finally: \"{exists}\"}}"), &[&[("omar", "cup")], &[("lena", "pot")]]),
        (&format!("{{eventually: {{within: 8s, that: \"{exists}\"}}}}"), &[]),
        ("{always: shelf.items.size() < 2}", &[&[("lena", "cup"), ("lena", "pot"), ("take", "pot")]]),
        ("{count: {of: e.operation == 'putItem' && e.status == 200, by: target, min: 1, max: 1}}", &[twice]),
        ("{never: {of: e.args.?owner.orValue('') == 'omar', by: target}}", &[&[("omar", "cup")]]),
        ("{order: [e.operation == 'putItem', e.verb == 'shelf.user.take']}", &[&[("lena", "cup"), ("take", "cup")]]),
        (
            "{at_most_once_per: {of: e.operation == 'putItem', key: e.args.item}}",
            &[twice, &[("lena", "a"), ("lena", "b")]],
        ),
        ("{budget: {twin: shelf, calls: 1, per: 1m}}", &[twice]),
        ("{only_after: {of: e.operation == 'putItem', after: e.verb == 'shelf.user.take'}}", &[]),
    ];
    let shown = |(that, others): &(&str, &[Deeds<'_>])| format!("{that}\n{}\n", fates(that, others));
    insta::assert_snapshot!(cases.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_program_that_fails_a_part_kills_its_mutants() {
    let that = "{finally: \"shelf.items.exists(i, i.name == 'cup' && i.owner == params.who)\"}";
    let is_idle = |others: &[Deeds<'_>]| {
        fates(that, others)
            .lines()
            .any(|line| line.starts_with("survived") && line.contains("`i.owner == params.who` -> `true`"))
    };
    assert!(is_idle(&[]), "nobody puts another's cup there");
    assert!(!is_idle(&[&[("omar", "cup")]]), "one who puts another's cup there must be told");
}

#[test]
fn what_another_check_says_too_is_hidden_and_not_missed() {
    let scenario = scenario_with(
        "collateral: {allow: [{table: shelf.items, where: c.after.owner == 'lena'}]}\n\
         checks: [{name: one, that: {finally: shelf.items.size() == 1}}, {name: same, that: {finally: shelf.items.size() == 1}}, \
         {name: info, role: info, that: {finally: 'true'}}]",
    );
    let mutation = mutation(&scenario);
    for deeds in [GOOD, &[], &[("omar", "cup")]] {
        mutation.look("test.one", trial(&scenario, &[], deeds));
    }
    let told = mutation.told("test.one");
    let names: Vec<&str> = told.iter().map(|mutants| mutants.name.as_str()).collect();
    assert_eq!(names, ["one", "same", collateral::NAME], "nothing hangs on what only informs");
    let forgotten = |name: &str| {
        let of = told.iter().find(|mutants| mutants.name == name).expect("is told");
        of.alive.iter().find(|alive| alive.what == "forgotten").map(|alive| alive.fate)
    };
    assert_eq!((forgotten("one"), forgotten("same")), (Some(Fate::Masked), Some(Fate::Masked)));
    assert_eq!(forgotten(collateral::NAME), None, "it alone tells who puts another's cup there");
    let world = told.iter().find(|mutants| mutants.name == collateral::NAME).expect("is told");
    assert!(!world.alive.iter().any(|alive| alive.what == "without its `where`"), "{world:#?}");
    assert!(score(&told).is_some_and(|score| score > 0.0 && score < 1.0));
}

#[test]
fn a_time_that_is_too_short_is_told_by_who_comes_late() {
    let scenario = scenario("{eventually: {within: 8s, that: shelf.items.size() == 1}}");
    let late = |secs: u64| {
        let mut facts = facts(json!({ "who": "lena" }));
        let universe = Arc::clone(facts.universe());
        universe.keep_history();
        let mut watch = Watch::new(&scenario, &facts);
        watch.poll(&mut facts, universe.now());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
        let at = universe.now().after(std::time::Duration::from_secs(secs));
        runtime.block_on(universe.advance_to(at));
        call(&universe, "putItem", "cup", "owner=lena");
        watch.poll(&mut facts, universe.now());
        let checks = check::evaluate_all(&scenario, &mut facts, &watch);
        facts.come_to_rest().expect("reads");
        Trial { story: Story::Told, gap: None, unfired: Vec::new(), checks, facts, watch }
    };
    let fate = |trials: Vec<Trial>, now: &str| {
        let mutation = mutation(&scenario);
        for trial in trials {
            mutation.look("test.one", trial);
        }
        let suspects = &mutation.suspects["test.one"];
        let of = |(mutant, fate): (&Mutant, &AtomicU8)| {
            let fate = Fate::of(fate.load(Ordering::SeqCst));
            let alive = mutant.alive(fate);
            (alive.was == "within: 8s" && alive.now == now).then_some(fate)
        };
        suspects.mutants.iter().zip(&suspects.fates).find_map(of).expect("is a mutant")
    };
    assert_eq!(fate(vec![late(1)], "4s"), Fate::Survived);
    assert_eq!(fate(vec![late(6)], "4s"), Fate::Killed);
    assert_eq!(fate(vec![late(6)], "16s"), Fate::Survived);
    // What came after the time was up is recorded, and a longer time would have let it pass.
    assert_eq!(fate(vec![late(12)], "16s"), Fate::Killed);
}

#[test]
fn mutants_have_their_place_in_the_file() {
    let text = "schema: dtu/scenario/v1\nid: test.one\ntitle: A test\nstory: Once.\nworld: tiny\nbeats: []\nchecks:\n\
                \x20 - name: c\n    that:\n      finally: >-\n        shelf.items.exists(i, i.name == 'cup'\n        && i.owner == 'lena')\n";
    let scenario = crate::load::scenario_from("s.yaml".to_owned(), text.to_owned()).expect("is a scenario");
    let mutation = mutation(&scenario);
    let mutants = &mutation.suspects["test.one"].mutants;
    let found = mutants.iter().map(|mutant| mutant.alive(Fate::Survived));
    let part = found.into_iter().find(|alive| alive.was == "i.owner == 'lena'").expect("is there");
    assert_eq!((part.line, part.column), (12, 12));
    assert_eq!(part.snippet, "12 |         && i.owner == 'lena')\n   |            ^^^^^^^^^^^^^^^^^");
}

#[test]
fn parts_of_a_part_that_nobody_would_miss_are_marked() {
    let scenario = scenario("{finally: \"shelf.items.exists(i, i.name == 'cup' && i.owner == params.who)\"}");
    let mutation = mutation(&scenario);
    for deeds in [GOOD, &[]] {
        mutation.look("test.one", trial(&scenario, &[], deeds));
    }
    let told = mutation.told("test.one");
    let of = |was: &str, now: &str| {
        let mut alive = told[0].alive.iter().filter(|alive| alive.was == was && alive.now == now);
        alive.next().map(|alive| alive.within)
    };
    assert_eq!((of("i.owner == params.who", "true"), of("who", "other")), (Some(false), Some(true)), "{told:#?}");
}

#[test]
fn names_are_replaced_by_others_of_their_type() {
    let scenario = scenario_with(
        "params: {request: {one_of: [{who: lena, boss: omar, n: 1}]}}\nchecks: [{name: c, that: {finally: \
         \"people[params.request.who].email != params.request.boss && params.request.n == 1\"}}, {name: d, that: {never: {of: \
         \"e.operation == 'x' && e.status == 1\"}}}]",
    );
    let mutation = mutation(&scenario);
    let mutants = &mutation.suspects["test.one"].mutants;
    let found = mutants.iter().map(|mutant| mutant.alive(Fate::Survived)).filter(|alive| alive.what == "another name");
    let found: Vec<String> = found.map(|alive| format!("{} {}", alive.was, alive.now)).collect();
    assert_eq!(found, ["who boss", "email manager_email", "boss who", "operation verb"]);
}

fn deeds() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(("(lena|omar|take)", "(cup|pot|bomb)"), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A check as it is says of what was recorded what it said in its trajectory, whatever happened there.
    #[test]
    fn a_check_says_the_same_again(before in deeds(), after in deeds()) {
        let scenario = scenario_with(
            "params: {who: {one_of: [lena]}}\ncollateral: {allow: [{table: shelf.items, where: c.after.owner == 'lena'}]}\nchecks: [\
             {name: a, that: {finally: 'shelf.items.size() == 1'}}, \
             {name: b, that: {eventually: {within: 10s, that: 'shelf.items.size() == 1'}}}, \
             {name: c, that: {eventually: {within: 10s, that: 'shelf.items[1].owner == \"lena\"'}}}, \
             {name: d, that: {always: 'shelf.items.size() < 2'}}, \
             {name: e, that: {count: {of: e.status == 200, by: target, min: 1, max: 2}}}, \
             {name: f, that: {never: {of: e.status == 403}}}, \
             {name: g, that: {order: [e.operation == 'putItem', e.verb != '']}}, \
             {name: h, that: {at_most_once_per: {of: e.operation == 'putItem', key: e.args.item}}}, \
             {name: i, that: {leads_to: {of: e.operation == 'putItem', to: e.verb != '', within: 1s}}}, \
             {name: j, that: {budget: {calls: 2, errors: 0}}}, \
             {name: k, that: {only_after: {of: e.verb != '', after: e.operation == 'putItem'}}}]",
        );
        let before: Vec<(&str, &str)> = before.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let after: Vec<(&str, &str)> = after.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let mut trial = trial(&scenario, &before, &after);
        let mutation = mutation(&scenario);
        let suspects = &mutation.suspects["test.one"];
        let watch = suspects.watch_again(&mut trial);
        for (at, check) in scenario.scenario.checks.iter().enumerate() {
            let again = check::evaluate(&scenario, at, &mut trial.facts, &watch);
            let said = trial.checks.iter().find(|said| said.name == check.value.name).cloned();
            prop_assert_eq!(again, said);
        }
        let world = collateral::evaluate(&scenario, &mut trial.facts);
        let said = trial.checks.iter().find(|said| said.name == collateral::NAME).cloned();
        prop_assert_eq!(Some(world), said);
    }
}
