//! What must hold of a call's arguments, in CEL (<https://github.com/google/cel-spec>).

use std::sync::{Arc, LazyLock};

use cel::{Context, Program, objects::Value as CelValue};
use serde_json::Value;

/// A condition, ready to be asked.
#[derive(Debug)]
pub(super) struct Condition {
    program: Program,
}

/// The functions of CEL and of its strings library.
static ENV: LazyLock<Arc<cel::Env>> = LazyLock::new(|| {
    let mut env = cel::Env::stdlib();
    // Fails only where a name is declared twice, which a test would see.
    drop(env.add_extension(cel::extensions::strings));
    Arc::new(env)
});

/// What a condition may name.
const NAMES: [&str; 3] = ["args", "path", "method"];

impl Condition {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let program =
            Program::compile(text).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())?;
        let references = program.references();
        if let Some(name) = references.variables().into_iter().find(|name| !NAMES.contains(name)) {
            return Err(format!("nothing is called `{name}`; known are args, path, method"));
        }
        Ok(Self { program })
    }

    /// Whether it holds of `{"args", "path", "method"}`.
    ///
    /// # Errors
    /// Why there is no saying, in words.
    pub(super) fn holds(&self, facts: &Value) -> Result<bool, String> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        for name in NAMES {
            let value = facts.get(name).unwrap_or(&Value::Null);
            context.add_variable(name, value).map_err(|error| error.to_string())?;
        }
        match self.program.execute(&context) {
            Ok(CelValue::Bool(truth)) => Ok(truth),
            Ok(other) => Err(format!("the condition gives a `{}`, not true or false", other.type_of())),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_look_at_arguments() {
        let facts = json!({ "args": { "search": "profile.lastName eq \"Okafor\"", "limit": "2" },
            "path": { "userId": "00u1" }, "method": "GET" });
        let check = |text: &str, wanted: Result<bool, &str>| {
            let got = Condition::parse(text).and_then(|condition| condition.holds(&facts));
            match (got, wanted) {
                (Ok(got), Ok(wanted)) => assert_eq!(got, wanted, "{text}"),
                (Err(got), Err(wanted)) => assert!(got.contains(wanted), "{text}: {got}"),
                (got, wanted) => panic!("{text}: {got:?}, expected {wanted:?}"),
            }
        };
        check("has(args.search)", Ok(true));
        check("has(args.filter)", Ok(false));
        check("args.search.contains('lastName') && method == 'GET'", Ok(true));
        check("path.userId.startsWith('00g')", Ok(false));
        check("int(args.limit) > 1", Ok(true));
        check("args.filter == 'x'", Err("filter"));
        check("args", Err("not true or false"));
        check("body.x == 1", Err("nothing is called `body`"));
        check("args.(", Err(""));
    }
}
