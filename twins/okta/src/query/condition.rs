//! Tree to typed condition: which attributes and operators an endpoint takes, and whether a row fits.

use std::{fmt::Debug, ops::Range};

use dtu_kernel::time::Timestamp;
use smol_str::SmolStr;

use super::parse::{Expr, Operator, SyntaxError, parse};
use crate::model::property::sortable;

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Text that is compared as written, whatever the dialect.
    Exact,
    /// A time: its text is put into one form before it is compared.
    Time,
    /// A number: its text is put into a form that sorts as the numbers do.
    Number,
}

/// What an endpoint allows of one attribute.
#[derive(Clone, Debug)]
pub struct Rule<F> {
    /// The attribute.
    pub field: F,
    /// What it holds.
    pub kind: Kind,
    /// The operators it may be tested with.
    pub operators: &'static [Operator],
}

/// The language of one endpoint's parameter.
#[derive(Clone, Copy, Debug)]
pub struct Dialect<F> {
    /// Whether `not (...)` is taken.
    pub not: bool,
    /// Whether values are compared without regard to case.
    pub fold_case: bool,
    /// The operators that it knows, as its errors list them.
    pub operators: &'static [Operator],
    /// What it allows of a path; none where it does not know it.
    pub rule: fn(&str) -> Option<Rule<F>>,
}

/// What more is allowed than a dialect knows by itself.
pub type More<'a, F> = &'a dyn Fn(&str) -> Option<Rule<F>>;

/// Why an expression is refused. Places count bytes from zero, as Okta's messages do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The form is wrong.
    Syntax {
        /// Where.
        at: usize,
    },
    /// The word is no operator here.
    Operator {
        /// The word.
        found: String,
        /// Where.
        at: usize,
    },
    /// The attribute cannot be asked for.
    Attribute {
        /// The path as written.
        path: String,
        /// Where.
        at: usize,
    },
    /// The attribute cannot be asked for with this operator.
    Combination {
        /// The path as written.
        path: String,
        /// The operator.
        operator: Operator,
        /// Where.
        at: usize,
    },
    /// The value is no time.
    Value {
        /// The value as written.
        value: String,
        /// Where its comparison stands.
        at: usize,
    },
    /// `not` is not taken.
    Not {
        /// Where.
        at: usize,
    },
}

/// A row that conditions can be put to.
pub trait Fields<F> {
    /// Gives each value that the row has for `field` to `test` until one fits. Times are in Okta's text form.
    fn any(&self, field: &F, test: &mut dyn FnMut(&str) -> bool) -> bool;
}

/// A condition, ready to be put to rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition<F> {
    /// All hold.
    And(Vec<Self>),
    /// One holds.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A comparison.
    Test {
        /// The attribute.
        field: F,
        /// The operator.
        operator: Operator,
        /// The value in its compared form; empty for `pr`.
        value: SmolStr,
        /// Whether case is disregarded.
        fold_case: bool,
    },
}

impl<F: Clone + Debug> Dialect<F> {
    /// Reads `text` as this dialect does.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read(&self, text: &str) -> Result<Condition<F>, Fault> {
        self.read_with(text, &|_| None)
    }

    /// The same with paths that only the caller knows.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read_with(&self, text: &str, more: More<'_, F>) -> Result<Condition<F>, Fault> {
        let expr = parse(text).map_err(|error| match error {
            SyntaxError::Operator { found, at } => Fault::Operator { found, at },
            SyntaxError::Unexpected { at } => Fault::Syntax { at },
        })?;
        self.condition(&expr, more)
    }

    fn condition(&self, expr: &Expr, more: More<'_, F>) -> Result<Condition<F>, Fault> {
        let all = |parts: &[Expr]| parts.iter().map(|part| self.condition(part, more)).collect::<Result<Vec<_>, _>>();
        match expr {
            Expr::And(parts) => Ok(Condition::And(all(parts)?)),
            Expr::Or(parts) => Ok(Condition::Or(all(parts)?)),
            Expr::Not(_, at) if !self.not => Err(Fault::Not { at: at.start }),
            Expr::Not(inner, _) => Ok(Condition::Not(Box::new(self.condition(inner, more)?))),
            Expr::Test { path, path_at, operator, operator_at, value } => {
                let value = value.as_ref().map_or("", |literal| literal.text());
                let rule = (self.rule)(path).or_else(|| more(path));
                let rule = rule.ok_or_else(|| Fault::Attribute { path: path.clone(), at: path_at.start });
                self.test(path, rule, path_at, *operator, operator_at, value)
            }
        }
    }

    fn test(
        &self,
        path: &str,
        rule: Result<Rule<F>, Fault>,
        path_at: &Range<usize>,
        operator: Operator,
        operator_at: &Range<usize>,
        value: &str,
    ) -> Result<Condition<F>, Fault> {
        if !self.operators.contains(&operator) {
            return Err(Fault::Operator { found: operator.text().to_owned(), at: operator_at.start });
        }
        let rule = rule?;
        if !rule.operators.contains(&operator) {
            return Err(Fault::Combination { path: path.to_owned(), operator, at: operator_at.start });
        }
        let fold_case = self.fold_case && rule.kind == Kind::Text;
        let value = match rule.kind {
            Kind::Time if operator != Operator::Pr => match Timestamp::parse(value) {
                Ok(time) => time.iso_millis().into(),
                Err(_) => return Err(Fault::Value { value: value.to_owned(), at: path_at.start }),
            },
            Kind::Number if operator != Operator::Pr => match value.parse() {
                Ok(number) => sortable(number),
                Err(_) => return Err(Fault::Value { value: value.to_owned(), at: path_at.start }),
            },
            _ if fold_case => SmolStr::from(value.to_lowercase()),
            _ => SmolStr::new(value),
        };
        Ok(Condition::Test { field: rule.field, operator, value, fold_case })
    }
}

impl<F> Condition<F> {
    /// Whether `row` fits.
    pub fn holds(&self, row: &dyn Fields<F>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(row)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(row)),
            Self::Not(inner) => !inner.holds(row),
            // Of several values, none may be the one excluded.
            Self::Test { field, operator: Operator::Ne, value, fold_case } => {
                !row.any(field, &mut |found| compare(Operator::Eq, found, value, *fold_case))
            }
            Self::Test { field, operator, value, fold_case } => {
                row.any(field, &mut |found| compare(*operator, found, value, *fold_case))
            }
        }
    }
}

fn compare(operator: Operator, found: &str, value: &str, fold_case: bool) -> bool {
    let folded;
    let found = if fold_case {
        folded = found.to_lowercase();
        folded.as_str()
    } else {
        found
    };
    match operator {
        Operator::Eq => found == value,
        Operator::Ne => found != value,
        Operator::Sw => found.starts_with(value),
        Operator::Ew => found.ends_with(value),
        Operator::Co => found.contains(value),
        Operator::Pr => !found.is_empty(),
        Operator::Gt => found > value,
        Operator::Ge => found >= value,
        Operator::Lt => found < value,
        Operator::Le => found <= value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATORS: &[Operator] = &[Operator::Eq, Operator::Sw, Operator::Co, Operator::Pr, Operator::Gt];

    const DIALECT: Dialect<u8> = Dialect {
        not: false,
        fold_case: true,
        operators: OPERATORS,
        rule: |path| match path {
            "name" => Some(Rule { field: 0, kind: Kind::Text, operators: OPERATORS }),
            "id" => Some(Rule { field: 1, kind: Kind::Exact, operators: &[Operator::Eq] }),
            "made" => Some(Rule { field: 2, kind: Kind::Time, operators: &[Operator::Gt, Operator::Pr] }),
            _ => None,
        },
    };

    struct Row;

    impl Fields<u8> for Row {
        fn any(&self, field: &u8, test: &mut dyn FnMut(&str) -> bool) -> bool {
            match field {
                0 => test("Isaac") || test("Brock"),
                1 => test("00uA"),
                _ => test("2026-03-02T09:00:00.000Z"),
            }
        }
    }

    #[test]
    fn conditions_hold_or_not() {
        let check = |text: &str, wanted: bool| {
            let condition = DIALECT.read(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
            assert_eq!(condition.holds(&Row), wanted, "{text}");
        };
        check(r#"name eq "isaac""#, true);
        check(r#"name EQ "BROCK""#, true);
        check(r#"name eq "isa""#, false);
        check(r#"name sw "isa" and name co "ROC""#, true);
        check(r#"name eq "x" or id eq "00uA""#, true);
        check(r#"id eq "00ua""#, false);
        check(r#"made gt "2026-03-02T08:59:59Z""#, true);
        check(r#"made gt "2026-03-02T10:00:00+02:00""#, true);
        check(r#"made gt "2026-03-02T09:00:00.000Z""#, false);
        check("made pr", true);
    }

    #[test]
    fn what_is_not_taken_is_refused() {
        let check = |text: &str, wanted: Fault| assert_eq!(DIALECT.read(text), Err(wanted), "{text}");
        check("nick pr", Fault::Attribute { path: "nick".into(), at: 0 });
        check("name ne \"x\"", Fault::Operator { found: "ne".into(), at: 5 });
        check("id sw \"x\"", Fault::Combination { path: "id".into(), operator: Operator::Sw, at: 3 });
        check("made gt \"soon\"", Fault::Value { value: "soon".into(), at: 0 });
        check("name pr and not (id eq \"x\")", Fault::Not { at: 12 });
    }
}
