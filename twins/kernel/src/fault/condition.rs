//! What must hold of a call's arguments, in CEL (<https://github.com/google/cel-spec>).

use std::sync::{Arc, LazyLock};

use cel::{
    Context, Program,
    common::ast::{EntryExpr, Expr, IdedExpr},
    objects::Value as CelValue,
};
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

/// What is wrong with a condition, and where in its text: counted from 1, 0 where it is the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// In words.
    pub why: String,
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Wrong {
    fn whole(why: impl Into<String>) -> Self {
        Self { why: why.into(), line: 0, column: 0 }
    }

    /// At a byte of the text.
    fn at(text: &str, byte: usize, why: impl Into<String>) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { why: why.into(), line, column }
    }
}

/// What a condition may name.
const NAMES: [&str; 3] = ["args", "path", "method"];

/// The longest text of a condition: one is asked for each call.
const TEXT_MAX: usize = 1_000;
/// How many brackets may be open at once.
const DEPTH_MAX: usize = 24;

/// How deep an expression's loops (`all`, `exists`, `map`, `filter`) lie within each other. One level costs as much as
/// a list is long; with more, a short condition could take for ever.
fn loops(expression: &IdedExpr) -> usize {
    let most = |parts: Vec<&IdedExpr>| parts.into_iter().map(loops).max().unwrap_or(0);
    match &expression.expr {
        Expr::Comprehension(inner) => {
            // What is gone through is made once; the rest is asked for each item.
            let each = 1 + most(vec![&inner.loop_cond, &inner.loop_step]);
            each.max(most(vec![&inner.iter_range, &inner.accu_init, &inner.result]))
        }
        _ => most(parts(expression)),
    }
}

/// The names that an expression's loops give to what they go through.
fn bound<'e>(expression: &'e IdedExpr, names: &mut Vec<&'e str>) {
    if let Expr::Comprehension(inner) = &expression.expr {
        names.extend([inner.iter_var.as_str(), inner.accu_var.as_str()]);
        names.extend(inner.iter_var2.as_deref());
    }
    for part in parts(expression) {
        bound(part, names);
    }
}

/// The parser's first problem.
fn unread(error: &cel::ParseErrors) -> Wrong {
    let Some(first) = error.errors.first() else { return Wrong::whole(error.to_string()) };
    let why = first.msg.lines().next().unwrap_or_default().to_owned();
    match (usize::try_from(first.pos.0), usize::try_from(first.pos.1)) {
        (Ok(line @ 1..), Ok(column @ 1..)) => Wrong { why, line, column },
        _ => Wrong::whole(why),
    }
}

/// The byte at which an expression first names a variable.
fn place(program: &Program, expression: &IdedExpr, variable: &str) -> Option<usize> {
    if matches!(&expression.expr, Expr::Ident(name) if name == variable) {
        let (start, _) = program.source_info().offset_for(expression.id)?;
        return usize::try_from(start).ok();
    }
    parts(expression).into_iter().find_map(|part| place(program, part, variable))
}

/// What an expression is made of.
fn parts(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Call(call) => call.target.iter().map(|target| &**target).chain(&call.args).collect(),
        Expr::Comprehension(inner) => {
            vec![&inner.iter_range, &inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => map.entries.iter().flat_map(|entry| of_entry(&entry.expr)).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(|entry| of_entry(&entry.expr)).collect(),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
    }
}

fn of_entry(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(field) => vec![&field.value],
    }
}

impl Condition {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        if text.len() > TEXT_MAX {
            return Err(Wrong::whole(format!("it is longer than {TEXT_MAX} bytes")));
        }
        // The parser goes down a level of the machine's stack for each bracket.
        let mut open = 0_usize;
        for (byte, sign) in text.char_indices() {
            match sign {
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > DEPTH_MAX {
                return Err(Wrong::at(text, byte, format!("more than {DEPTH_MAX} brackets are open at once")));
            }
        }
        let program = Program::compile(text).map_err(|error| unread(&error))?;
        if loops(program.expression()) > 1 {
            return Err(Wrong::whole("it goes through lists within lists"));
        }
        let mut known = NAMES.to_vec();
        bound(program.expression(), &mut known);
        let references = program.references();
        if let Some(name) = references.variables().into_iter().find(|name| !known.contains(name)) {
            let byte = place(&program, program.expression(), name).unwrap_or(0);
            return Err(Wrong::at(text, byte, format!("nothing is called `{name}`; known are args, path, method")));
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
            let parsed = Condition::parse(text).map_err(|wrong| wrong.why);
            let got = parsed.and_then(|condition| condition.holds(&facts));
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
        check("[1, 2].all(x, x > 0) && [3].exists(y, y == 3)", Ok(true));
        check("[1, 2].all(x, [3].exists(y, y > x))", Err("lists within lists"));
        check("[[1], [2]].map(x, x.map(y, y + 1)) == [[2], [3]]", Err("lists within lists"));
        check(&"(".repeat(900), Err("brackets are open"));
        check(&"!".repeat(900), Err(""));
        check(&format!("args.x == '{}'", "a".repeat(1_000)), Err("longer than 1000 bytes"));
    }

    #[test]
    fn problems_have_their_place_in_the_text() {
        let check = |text: &str, line: usize, column: usize| {
            let wrong = Condition::parse(text).expect_err("is refused");
            assert_eq!((wrong.line, wrong.column), (line, column), "{text}: {}", wrong.why);
        };
        check("has(args.x) && body.y == 1", 1, 16);
        check("'ü' == args.x &&\n  nobody.y", 2, 3);
        check("args.x === 1", 1, 10);
        check("'ü' === 1", 1, 7);
        check("args.x ==", 1, 10);
        check("[1].all(x, [2].all(y, y > x))", 0, 0);
        check(&format!("{}1", "(".repeat(30)), 1, 25);
    }
}
