//! Variables of clients that a target file names and no twin sets.

use std::{collections::BTreeMap, sync::Arc};

use dtu_kernel::{
    clock::ClockMode,
    diagnostic::Diagnostic,
    host::Host,
    universe::{Options, Universe},
    world::World,
};

use super::{Lint, target_programs};
use crate::{expr::Program, load::LoadedTarget};

/// Every problem of a target file with the environment that the twins give clients on these worlds.
pub fn lint_environment(target: &LoadedTarget, twins: &[Arc<dyn Host>], worlds: &[&World]) -> Vec<Diagnostic> {
    let mut lint = Lint::new(&target.path, &target.text, &[]);
    let named: Vec<(&Program, &str)> = target_programs(target).into_iter().flat_map(variables).collect();
    // Each world is loaded once, and none where nothing is asked of it.
    let worlds: BTreeMap<&str, &World> = worlds.iter().map(|world| (world.name.as_str(), *world)).collect();
    for world in worlds.into_values().filter(|_| !named.is_empty()) {
        let options = Options { clock: ClockMode::Stepped, ..Options::default() };
        // Problems of the world itself are told where it is loaded.
        let Ok(universe) = Universe::create("lint", twins.into(), Arc::new(world.clone()), &options) else { continue };
        let known: Vec<&str> = universe.env().iter().map(|variable| variable.name).collect();
        for (program, name) in named.iter().filter(|(_, name)| !known.contains(name)) {
            let message = format!("clients in the world `{}` are told no `{name}`", world.name);
            let problem = lint.at(program.place(), message);
            lint.problems.push(problem.suggest(name, known.iter().copied()));
        }
    }
    lint.done()
}

/// The members of `env` that an expression needs; not those that it asks for with `has`.
fn variables(program: &Program) -> impl Iterator<Item = (&Program, &str)> {
    let mentions = program.mentions().iter().filter(|mention| mention.root == "env");
    let needed = mentions.filter_map(|mention| mention.member.as_deref());
    needed.filter(|name| !program.source().contains(&format!("has(env.{name})"))).map(move |name| (program, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{load, testing};

    #[test]
    fn variables_that_no_twin_sets_are_told_with_their_place() {
        let check = |text: &str, wanted: &[&str]| {
            let file = format!("schema: dtu/target/v1\nname: t\ncommand: [t]\nenv:\n  A: \"{text}\"\n");
            let target = load::target_from("target.yaml".to_owned(), file).expect("is a target file");
            let twins = testing::twins();
            let (world, again) = (testing::world(), testing::world());
            let found = lint_environment(&target, &twins, &[&world, &again]);
            assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), wanted, "{text}");
        };
        check("${env.SHELF_URL}", &[]);
        check("${has(env.SHELF_URI) ? env.SHELF_URI : ''}", &[]);
        check("${port}", &[]);
        check(
            "${env.SHELF_URI}",
            &[
                "target.yaml:5:6: clients in the world `tiny` are told no `SHELF_URI`\n  hint: did you mean `SHELF_URL`?",
            ],
        );
    }
}
