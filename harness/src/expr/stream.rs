//! Rewrites expressions so that they touch of a twin's views only what they ask about.
//!
//! Two steps, each of which leaves every value what it is:
//!  - *streamed*: a view that is gone through, or counted, and of whose rows members are taken, is never made. Wherever
//!    a view or a row is used in another way, [`late::WHOLE`] makes it.
//!  - *narrowed*: where only rows with a certain member matter, those are found by index. In
//!    `slack.users.exists(u, u.email == who && u.deleted)` a row with another address could only ever give `false`.
//!
//! A narrowed expression may fail where the original would not: what `who` stands for is asked first, and the original
//! does not ask where there are no rows. So one that fails is evaluated again, streamed only, for its value or error.

use cel::{
    common::{
        ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, operators},
        types::CelString,
    },
    parser::Expression,
};

use super::{late, mentions::TYPES};

/// An expression as it is evaluated.
#[derive(Debug)]
pub(super) struct Streamed {
    /// Views are gone through row by row.
    pub(super) plain: Expression,
    /// And indexes are used, where there is a use for one.
    pub(super) narrowed: Option<Expression>,
}

/// Rewrites an expression; none where it names a twin in a way in which views are not told apart. `known` are the
/// variables that are no twins.
pub(super) fn rewrite(expression: &Expression, known: &'static [&'static str]) -> Option<Streamed> {
    let walk = |narrows: bool| {
        let mut walk = Walk { known, narrows, bound: Vec::new(), names_whole_twin: false, found: false };
        let mut out = expression.clone();
        walk.visit(&mut out, false);
        (!walk.names_whole_twin).then_some((out, walk.found))
    };
    let (plain, _) = walk(false)?;
    let narrowed = walk(true).filter(|(_, found)| *found).map(|(out, _)| out);
    Some(Streamed { plain, narrowed })
}

struct Walk {
    known: &'static [&'static str],
    narrows: bool,
    /// The variables of the macros around the place, and which of them are rows of a view.
    bound: Vec<(String, bool)>,
    names_whole_twin: bool,
    /// Whether something was narrowed.
    found: bool,
}

impl Walk {
    /// `is_streamed`: the value is gone through or counted.
    fn visit(&mut self, expression: &mut Expression, is_streamed: bool) {
        match &mut expression.expr {
            Expr::Ident(name) if self.is_row(name) => wrap(expression),
            Expr::Ident(name) => self.names_whole_twin |= self.is_twin(name) && !TYPES.contains(&name.as_str()),
            Expr::Select(select) => match &select.operand.expr {
                Expr::Ident(root) if self.is_twin(root) => {
                    if !select.test && !is_streamed {
                        wrap(expression);
                    }
                }
                // Members of rows and of other variables.
                Expr::Ident(_) => {}
                _ => self.visit(&mut select.operand, false),
            },
            Expr::Call(_) => self.call(expression),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::List(list) => list.elements.iter_mut().for_each(|element| self.visit(element, false)),
            Expr::Map(map) => map.entries.iter_mut().for_each(|entry| self.entry(&mut entry.expr)),
            Expr::Struct(made) => made.entries.iter_mut().for_each(|entry| self.entry(&mut entry.expr)),
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn call(&mut self, expression: &mut Expression) {
        if self.narrows
            && let Some(shorter) = self.shorter(&expression.expr)
        {
            self.found = true;
            expression.expr = shorter;
            if let Expr::Call(CallExpr { args, .. }) = &mut expression.expr
                && args.len() == 3
            {
                self.visit(&mut args[0], false);
            }
            return;
        }
        let Expr::Call(call) = &mut expression.expr else { return };
        let counts = call.func_name == "size" && call.args.len() + usize::from(call.target.is_some()) == 1;
        match call.target.as_deref_mut() {
            // The name of a function, not of a variable.
            Some(Expression { expr: Expr::Ident(space), .. }) if space == "optional" => {}
            Some(target) => self.visit(target, counts),
            None => {}
        }
        call.args.iter_mut().for_each(|arg| self.visit(arg, counts));
    }

    /// The question about a list within a row that needs no list: whether it holds something, or how many.
    fn shorter(&self, expression: &Expr) -> Option<Expr> {
        let Expr::Call(call) = expression else { return None };
        let target = call.target.as_deref();
        match (call.func_name.as_str(), call.args.as_slice(), target) {
            (operators::IN, [item, list], None) => {
                let (row, member) = self.member_of_row(list)?;
                Some(function(late::HAS, vec![item.clone(), row, member]))
            }
            ("size", [list], None) | ("size", [], Some(list)) => {
                let (row, member) = self.member_of_row(list)?;
                Some(function(late::COUNT, vec![row, member]))
            }
            _ => None,
        }
    }

    fn member_of_row(&self, expression: &Expression) -> Option<(Expression, Expression)> {
        let Expr::Select(select) = &expression.expr else { return None };
        let Expr::Ident(name) = &select.operand.expr else { return None };
        (!select.test && self.is_row(name)).then(|| ((*select.operand).clone(), text(&select.field)))
    }

    fn comprehension(&mut self, macro_: &mut ComprehensionExpr) {
        let is_view = macro_.iter_var2.is_none() && self.is_view(&macro_.iter_range);
        self.visit(&mut macro_.iter_range, is_view);
        self.visit(&mut macro_.accu_init, false);
        let outside = self.bound.len();
        self.bound.push((macro_.accu_var.clone(), false));
        self.visit(&mut macro_.result, false);
        self.bound.push((macro_.iter_var.clone(), is_view));
        self.bound.extend(macro_.iter_var2.clone().map(|name| (name, false)));
        self.visit(&mut macro_.loop_cond, false);
        self.visit(&mut macro_.loop_step, false);
        self.bound.truncate(outside);
        if self.narrows && is_view {
            self.narrow(macro_);
        }
    }

    /// Leaves of a view the rows that matter.
    fn narrow(&mut self, macro_: &mut ComprehensionExpr) {
        let wanted = wanted(macro_);
        if wanted.is_empty() {
            return;
        }
        let (members, values): (Vec<_>, Vec<_>) = wanted.into_iter().map(|(name, value)| (text(&name), value)).unzip();
        let list = |elements| IdedExpr { id: 0, expr: Expr::List(ListExpr::new(elements)) };
        let view = std::mem::take(&mut macro_.iter_range);
        macro_.iter_range.expr = function(late::ROWS, vec![view, list(members), list(values)]);
        self.found = true;
    }

    fn entry(&mut self, entry: &mut EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&mut field.value, false),
            EntryExpr::MapEntry(entry) => {
                self.visit(&mut entry.key, false);
                self.visit(&mut entry.value, false);
            }
        }
    }

    fn is_bound(&self, name: &str) -> bool {
        self.bound.iter().any(|(bound, _)| bound == name)
    }

    fn is_row(&self, name: &str) -> bool {
        self.bound.iter().rev().find(|(bound, _)| bound == name).is_some_and(|(_, is_row)| *is_row)
    }

    fn is_twin(&self, name: &str) -> bool {
        !self.is_bound(name) && !self.known.contains(&name)
    }

    fn is_view(&self, expression: &Expression) -> bool {
        let Expr::Select(select) = &expression.expr else { return false };
        !select.test && matches!(&select.operand.expr, Expr::Ident(root) if self.is_twin(root))
    }
}

/// Members of a macro's rows with what each must be, in a row that is to make any difference.
fn wanted(macro_: &ComprehensionExpr) -> Vec<(String, Expression)> {
    let is_result = |expression: &Expression| matches!(&expression.expr, Expr::Ident(name) if *name == macro_.accu_var);
    let Expr::Call(step) = &macro_.loop_step.expr else { return Vec::new() };
    let mut out = Vec::new();
    match (step.func_name.as_str(), step.args.as_slice()) {
        // `exists`: what is false adds nothing.
        (operators::LOGICAL_OR, [result, asked]) if is_result(result) => gather(macro_, asked, true, &mut out),
        // `all`: what is true takes nothing away.
        (operators::LOGICAL_AND, [result, asked]) if is_result(result) => gather(macro_, asked, false, &mut out),
        // `filter`, `map` with a condition, `exists_one`: where the condition is false, all stays as it is.
        (operators::CONDITIONAL, [asked, _, result]) if is_result(result) => gather(macro_, asked, true, &mut out),
        _ => {}
    }
    out
}

/// Gathers what must hold for a condition to be `true` (`is_true`), or for it to be `false`.
fn gather(macro_: &ComprehensionExpr, asked: &Expression, is_true: bool, out: &mut Vec<(String, Expression)>) {
    let Expr::Call(call) = &asked.expr else { return };
    match (call.func_name.as_str(), call.args.as_slice(), is_true) {
        (operators::LOGICAL_AND, [a, b], true) | (operators::LOGICAL_OR, [a, b], false) => {
            gather(macro_, a, is_true, out);
            gather(macro_, b, is_true, out);
        }
        (operators::LOGICAL_NOT, [inner], _) => gather(macro_, inner, !is_true, out),
        (operators::EQUALS, [a, b], true) | (operators::NOT_EQUALS, [a, b], false) => {
            let pair = |row: &Expression, value: &Expression| {
                let is_fixed = is_free_of(value, &[&macro_.iter_var, &macro_.accu_var]);
                is_fixed.then(|| Some((member_of(row, &macro_.iter_var)?, value.clone()))).flatten()
            };
            out.extend(pair(a, b).or_else(|| pair(b, a)));
        }
        _ => {}
    }
}

fn member_of(expression: &Expression, variable: &str) -> Option<String> {
    let Expr::Select(select) = &expression.expr else { return None };
    let is_variable = matches!(&select.operand.expr, Expr::Ident(name) if name == variable);
    (!select.test && is_variable).then(|| select.field.clone())
}

/// Whether an expression names none of these variables. One with macros of its own is taken to name all.
fn is_free_of(expression: &Expression, names: &[&String]) -> bool {
    let free = |expression: &Expression| is_free_of(expression, names);
    match &expression.expr {
        Expr::Ident(name) => !names.contains(&name),
        Expr::Select(select) => free(&select.operand),
        Expr::Call(call) => call.target.as_deref().is_none_or(free) && call.args.iter().all(free),
        Expr::List(list) => list.elements.iter().all(free),
        Expr::Literal(_) => true,
        Expr::Comprehension(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => false,
    }
}

fn wrap(expression: &mut Expression) {
    let inner = std::mem::take(expression);
    expression.expr = function(late::WHOLE, vec![inner]);
}

fn function(name: &str, args: Vec<Expression>) -> Expr {
    Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args })
}

fn text(text: &str) -> Expression {
    let literal = LiteralValue::String(CelString::from(text.to_owned()));
    IdedExpr { id: 0, expr: Expr::Literal(literal) }
}
