//! Texts that a ledger entry's members are compared with and never are: a check that forbids what has no such name
//! always holds, and one that waits for it never sees it.

use super::Lint;
use crate::expr::{Compared, Program};

impl Lint<'_> {
    /// Names of operations and twins that there are not.
    pub(super) fn compared(&mut self, programs: &[&Program]) {
        for program in programs {
            for Compared { member, text, .. } in program.compared().iter().filter(|compared| compared.root == "e") {
                let (message, known) = match member.as_str() {
                    "operation" => (format!("no twin has an operation `{text}`"), self.operations()),
                    "twin" => (format!("there is no twin `{text}` here"), self.twin_names()),
                    _ => continue,
                };
                // Entries that are no requests have no operation.
                if text.is_empty() || known.contains(&text.as_str()) {
                    continue;
                }
                let problem = self.at(program.place(), message);
                self.problems.push(problem.suggest(text, known));
            }
        }
    }

    fn operations(&self) -> Vec<&'static str> {
        self.twins.iter().flat_map(|twin| twin.operations()).map(|info| info.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        expr::{Compiler, Place, Scope},
        testing,
    };

    #[test]
    fn names_that_no_entry_has_are_told() {
        let check = |source: &str, wanted: &[&str]| {
            let twins = testing::twins();
            let mut compiler = Compiler::new("s.yaml", "", None);
            let program = compiler.program(Scope::Entry, source, Place::default());
            let mut lint = Lint::new("s.yaml", "", &twins);
            lint.compared(&[&program]);
            let told: Vec<String> = lint.done().iter().map(|problem| problem.message.clone()).collect();
            assert_eq!(told, wanted, "{source}");
        };
        check("e.operation == 'putItem' && e.twin == 'shelf'", &[]);
        check("e.operation == ''", &[]);
        check("e.kind == 'no such kind'", &[]);
        check("e.args.operation == 'x' || ['x'].exists(e, e.operation == 'x')", &[]);
        check("e.operation == 'putItm'", &["no twin has an operation `putItm`"]);
        check("!('putItm' != e.operation)", &["no twin has an operation `putItm`"]);
        check("e.operation in ['putItem', 'putItm']", &["no twin has an operation `putItm`"]);
        check("e.twin == 'shelves' || e.status == 200", &["there is no twin `shelves` here"]);
    }
}
