//! The problems that `dtu lint` finds in the course of a story, each as people see it.

use std::fmt::Write as _;

use dtu_kernel::world::{SERVICES, World};

use crate::{
    lint::{advise, lint, lint_together},
    load,
    testing::{scenario_with, twins, world},
};

const CASES: &[(&str, &str)] = &[
    ("two acts", "beats: [{as: lena, do: shelf.user.take, with: {item: x}, http: {url: /}}]"),
    ("nobody to do it", "beats: [{as: lena, pause: 1s}]"),
    ("a beat that does nothing", "beats: [{id: a}]"),
    ("a request elsewhere", "beats: [{http: {url: 'https://example.com/x'}}]"),
    ("no such status", "beats: [{http: {url: /x, expect: {status: 20x}}}]"),
    ("no such method", "beats: [{http: {method: FETCH, url: /x}}]"),
    ("no such key of a request", "beats: [{http: {url: /x, hedaers: {a: b}}}]"),
    ("no such kind of body", "beats: [{http: {url: /x, body: {jsn: {}}}}]"),
    ("neither a time nor a span", "beats: [{at: noon, pause: 1s}]"),
    ("nothing beside", "beats: [{parallel: [[{pause: 1s}]]}]"),
    ("nothing to choose", "beats: [{pick: [{beats: [{pause: 1s}]}]}]"),
    ("never taken", "beats: [{pick: [{weight: 0, beats: [{pause: 1s}]}, {beats: []}]}]"),
    ("never played", "beats: [{repeat: {times: 0, beats: [{pause: 1s}]}}]"),
    ("no bound", "beats: [{repeat: {until: 'true', beats: [{pause: 1s}]}}]"),
    ("no such beat to read", "beats: [{id: ask, http: {url: /x}}, {when: acts.aks.status == 200}]"),
    ("no such member to read", "beats: [{id: ask, http: {url: /x}}, {when: acts.ask.sttus == 200}]"),
    ("nothing to read", "beats: [{id: rest, pause: 1s}, {when: acts.rest.status == 200}]"),
    ("not yet to read", "beats: [{when: acts.ask.status == 200}, {id: ask, http: {url: /x}}]"),
    ("no such member of the target", "beats: [{http: {url: '${target.uri}/x'}}]"),
    ("no such beat to come after", "beats: [{id: ask, pause: 1s}, {after: asked, pause: 1s}]"),
    ("after what comes later", "beats: [{after: ask, pause: 1s}, {id: ask, pause: 1s}]"),
    ("after each other", "beats: [{parallel: [[{id: a, after: b, pause: 1s}], [{id: b, after: a, pause: 1s}]]}]"),
    ("after what may not come", "beats: [{pick: [{beats: [{id: a, pause: 1s}]}, {beats: []}]}, {after: a, pause: 1s}]"),
    ("a condition that never holds", "beats: [{when: 1 > 2, pause: 1s}]"),
    ("a condition that always holds", "beats: [{when: 1 < 2, pause: 1s}]"),
    ("a round of nothing", "beats: [{http: {url: '/x/${round}'}}]"),
    ("too late", "beats: [{at: 10m, pause: 5m}, {at: 12m, pause: 1s}]\ntime: {mode: stepped}"),
    (
        "before the beginning",
        "beats: [{at: '2026-03-01T09:00:00Z', pause: 1s}]\ntime: {mode: stepped, start: '2026-03-02T09:00:00Z'}",
    ),
    ("a time of no known clock", "beats: [{at: '2026-03-01T09:00:00Z', pause: 1s}]"),
    ("a wait by the machine's clock", "beats: [{pause: 1m}]"),
    ("another", "beats: [{repeat: {times: 3, every: 90s, beats: [{http: {url: /x}}]}}]\ntime: {mode: 'scaled:2'}"),
    ("another type", "beats: [{as: lena, do: shelf.user.take, with: {item: 7}}]"),
    ("two beats of one id", "beats: [{id: a, pause: 1s}, {parallel: [[{id: a, pause: 1s}], [{pause: 1s}]]}]"),
    ("nobody of that name within", "beats: [{repeat: {times: 2, beats: [{as: lina, http: {url: /x}}]}}]"),
    ("no such kind of value", "params: {n: {generated: nmae}}"),
    ("a pattern of nothing", "params: {n: {generated: {pattern: same}}}\nbeats: [{http: {url: '/${params.n}'}}]"),
    ("nothing is asked for", "checks: [{name: a, role: guard, that: {never: {of: e.gap}}}]"),
    ("anything may be read", "checks: [{name: a, that: {reads: {by: target}}}]\nbeats: [{http: {url: /x}}]"),
    ("no such view", "checks: [{name: a, that: {reads: {deny: [{view: shelf.itmes}]}}}]\nbeats: [{http: {url: /x}}]"),
    ("no view at all", "collateral: {reads: [{view: items}]}"),
    (
        "a real secret",
        "beats: [{http: {url: /x, headers: {Authorization: Bearer ghp_0123456789abcdefghijABCDEFGHIJ012345}}}]",
    ),
];

/// All problems of a text, as people see them.
fn shown(lines: &str) -> String {
    let text = format!(
        "schema: dtu/scenario/v1\nid: test.one\ntitle: A test\nstory: Once.\nworld: tiny\n{}{}{lines}\n",
        if lines.contains("beats:") { "" } else { "beats: []\n" },
        if lines.contains("checks:") { "" } else { "checks: [{name: all is well, that: {finally: \"now != ''\"}}]\n" },
    );
    let problems = match load::scenario_from("s.yaml".to_owned(), text.clone()) {
        Ok(loaded) => {
            let found = lint(&loaded, &twins(), &world());
            if found.is_empty() { advise(&loaded, &world()) } else { found }
        }
        Err(problems) => problems,
    };
    let shown: Vec<String> = problems.into_iter().map(|problem| problem.shown_in(&text).to_string() + "\n").collect();
    shown.concat()
}

#[test]
fn every_slip_is_shown_at_its_place() {
    let mut out = String::new();
    for (name, lines) in CASES {
        let found = shown(lines);
        let problems = found.lines().filter(|line| line.starts_with("s.yaml")).count();
        let wanted = if *name == "after each other" { 2 } else { 1 };
        assert!(found.contains('^') && problems == wanted, "{name}: {found}");
        let _ = writeln!(out, "# {name}\n{found}");
    }
    insta::assert_snapshot!("slips_in_stories", out);
}

#[test]
fn sound_stories_have_no_problems() {
    for lines in [
        "beats: [{id: ask, http: {url: /x}}, {when: acts.ask.json.id == 1, http: {url: '/x/${acts.ask.json.id}'}}]",
        "beats: [{id: w, pick: [{name: a, beats: [{id: x, pause: 1s}, {after: x, pause: 1s}]}, {beats: []}]}, {after: w, when: acts.w.chosen == 'a'}]",
        "beats: [{parallel: [[{id: a, pause: 1s}], [{after: {beat: a, by: 5s}, pause: 1s}]]}]",
        "beats: [{repeat: {times: 3, until: acts.look.status == 200, every: 1s, beats: [{id: look, http: {url: '/${round}'}}]}}]",
        "beats: [{at: 10m, advance: 5m}, {at: '2026-03-02T09:15:00Z', pause: 1d}]\ntime: {mode: stepped, start: '2026-03-02T09:00:00Z'}",
        "params: {n: {generated: {pattern: 'A-##'}}, m: {generated: email}}\nbeats: [{http: {url: '/${params.n}/${params.m}'}}]",
        "checks: [{name: a, role: guard, that: {reads: {by: 'actor:lena', deny: [{view: 'shelf.*', where: r.owner == 'rob'}]}}}]\nbeats: [{http: {url: /x}}]",
    ] {
        assert_eq!(shown(lines), "", "{lines}");
    }
}

#[test]
fn members_of_rows_are_known_from_the_world() {
    let (twins, world) = (dtu_universe::all(), World::find("acme", &SERVICES).expect("is part of the program"));
    let problems = |that: &str| {
        let scenario = scenario_with(&format!("checks: [{{name: a, that: {{finally: \"{that}\"}}}}]"));
        lint(&scenario, &twins, &world)
            .into_iter()
            .map(|problem| problem.message + " " + &problem.hint)
            .collect::<String>()
    };
    let wrong = "a row of `slack.messages` has no `txt` did you mean `text`?";
    assert_eq!(problems("slack.messages.exists(m, m.txt == 'hi')"), wrong);
    assert_eq!(problems("slack.messages.filter(m, has(m.txt)).size() == 0"), "");
    let within =
        "slack.channels.all(c, slack.messages.all(m, m.channel == c.name && okta.users.all(u, u.manger == '')))";
    assert_eq!(problems(within), "a row of `okta.users` has no `manger` did you mean `manager`?");
    assert_eq!(problems("slack.messages.all(m, m.blocks.all(b, b.whatever == 1))"), "");
}

#[test]
fn commands_are_those_of_the_target() {
    let target = |commands: &str| {
        let text = format!("schema: dtu/target/v1\nname: t\ncommand: [./x]\n{commands}");
        load::target_from("t.yaml".to_owned(), text).expect("loads")
    };
    let scenario = scenario_with("beats: [{cli: {run: reprt}}]");
    let problems = |commands: &str| {
        let found = lint_together(&target(commands), &scenario, &world());
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(problems("commands: {reprt: [./x, report]}"), "");
    assert!(
        problems("commands: {report: [./x, report]}").ends_with("no command `reprt`\n  hint: did you mean `report`?")
    );
    assert!(problems("").ends_with("hint: name it under `commands` in t.yaml"));
    let empty = load::target_from(
        "t.yaml".to_owned(),
        "schema: dtu/target/v1\nname: t\ncommand: [./x]\ncommands: {a: []}\n".to_owned(),
    );
    assert_eq!(empty.expect_err("has a problem")[0].message, "the command `a` is empty");
}
