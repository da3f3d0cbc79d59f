//! Tree to value.

use smol_str::SmolStr;

use super::{
    functions,
    tree::{Expr, Operator},
    value::Value,
};

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An object, attribute or function that there is not.
    Unknown(String),
    /// A function with other arguments than it takes.
    Arguments(String),
    /// A value of another kind than is needed here.
    Kind,
}

/// What an expression can look at.
pub trait Scope {
    /// An attribute of an object by name (`user`, `app`, `org`, ...); none where there is no such object or attribute.
    fn attribute(&self, object: &str, name: &str) -> Option<Value>;
    /// An attribute of a person by id; nobody is seen where an expression is not about people of the org.
    fn attribute_of(&self, person: &str, name: &str) -> Option<Value> {
        let _ = (person, name);
        None
    }
    /// The person whom the user is linked to by the name of the primary.
    fn linked(&self, primary: &str) -> Option<SmolStr> {
        let _ = primary;
        None
    }
    /// Whether the user is in a group, by id.
    fn is_member(&self, group: &str) -> bool {
        let _ = group;
        false
    }
    /// The user's groups: ids and names, by name.
    fn groups(&self) -> Vec<(SmolStr, SmolStr)> {
        Vec::new()
    }
}

/// What an expression comes to.
///
/// # Errors
/// [`Fault`].
pub fn evaluate(expr: &Expr, scope: &dyn Scope) -> Result<Value, Fault> {
    let value = |expr: &Expr| evaluate(expr, scope);
    let truth = |expr: &Expr| evaluate(expr, scope).and_then(|value| is_true(&value));
    match expr {
        Expr::Null => Ok(Value::Null),
        Expr::Bool(value) => Ok(Value::Bool(*value)),
        Expr::Number(text) => Ok(text.parse().map_or(Value::Null, Value::Number)),
        Expr::Text(text) => Ok(Value::text(text.as_str())),
        Expr::Name(name) => Err(Fault::Unknown(name.to_string())),
        Expr::List(all) => all.iter().map(value).collect::<Result<_, _>>().map(Value::List),
        // Only filters of events select.
        Expr::Map(_) | Expr::Select(..) => Err(Fault::Kind),
        Expr::Field(on, name) => field(on, name, scope),
        Expr::Call(on, name, all) => functions::call(on.as_deref(), name, all, scope),
        Expr::Index(on, at) => index(&value(on)?, &value(at)?),
        Expr::Not(one) => Ok(Value::Bool(!truth(one)?)),
        Expr::Minus(one) => match value(one)? {
            Value::Number(number) => Ok(Value::Number(-number)),
            _ => Err(Fault::Kind),
        },
        Expr::Pair(Operator::And, a, b) => Ok(Value::Bool(truth(a)? && truth(b)?)),
        Expr::Pair(Operator::Or, a, b) => Ok(Value::Bool(truth(a)? || truth(b)?)),
        Expr::Pair(operator, a, b) => pair(*operator, &value(a)?, &value(b)?),
        Expr::Choice(test, a, b) => value(if truth(test)? { a } else { b }),
        Expr::Else(a, b) => match value(a)? {
            Value::Null => value(b),
            Value::Text(text) if text.is_empty() => value(b),
            found => Ok(found),
        },
    }
}

/// Whether an expression holds. What has no value, as an attribute that a person lacks, does not.
///
/// # Errors
/// [`Fault`], also where what it comes to is neither true nor false.
pub fn holds(expr: &Expr, scope: &dyn Scope) -> Result<bool, Fault> {
    is_true(&evaluate(expr, scope)?)
}

const fn is_true(value: &Value) -> Result<bool, Fault> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Null => Ok(false),
        _ => Err(Fault::Kind),
    }
}

fn field(on: &Expr, name: &str, scope: &dyn Scope) -> Result<Value, Fault> {
    if let Expr::Name(object) = on {
        return scope.attribute(object, name).ok_or_else(|| Fault::Unknown(format!("{object}.{name}")));
    }
    // `user.profile.login` is how newer forms of the language write `user.login`.
    if let Expr::Field(object, part) = on
        && let Expr::Name(object) = &**object
        && part == "profile"
    {
        return scope.attribute(object, name).ok_or_else(|| Fault::Unknown(format!("{object}.profile.{name}")));
    }
    match evaluate(on, scope)? {
        Value::Person(id) => scope.attribute_of(&id, name).ok_or_else(|| Fault::Unknown(name.to_owned())),
        Value::Null => Ok(Value::Null),
        _ => Err(Fault::Unknown(name.to_owned())),
    }
}

/// An item of a list; nothing where the list is shorter.
pub(super) fn index(list: &Value, at: &Value) -> Result<Value, Fault> {
    match (list, at) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::List(all), Value::Number(at)) => {
            let found = all.iter().enumerate().find(|(n, _)| Value::Number(count(*n)).is(&Value::Number(*at)));
            Ok(found.map_or(Value::Null, |(_, value)| value.clone()))
        }
        _ => Err(Fault::Kind),
    }
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "nothing here is counted beyond 2^53")]
pub(super) const fn count(n: usize) -> f64 {
    n as f64
}

fn pair(operator: Operator, a: &Value, b: &Value) -> Result<Value, Fault> {
    match (operator, a, b) {
        (Operator::Eq, a, b) => Ok(Value::Bool(a.is(b))),
        (Operator::Ne, a, b) => Ok(Value::Bool(!a.is(b))),
        (Operator::Add, Value::Number(a), Value::Number(b)) => Ok(Value::Number(a + b)),
        (Operator::Add, Value::List(a), Value::List(b)) => Ok(Value::List([a.as_slice(), b].concat())),
        (Operator::Add, a, b) => Ok(Value::text(a.shown() + &b.shown())),
        (_, Value::Number(a), Value::Number(b)) => number(operator, *a, *b),
        (_, Value::Text(a), Value::Text(b)) if operator.is_test() => Ok(Value::Bool(ordered(operator, a.cmp(b)))),
        // An order with what has no value never holds.
        (_, Value::Null, _) | (_, _, Value::Null) if operator.is_test() => Ok(Value::Bool(false)),
        _ => Err(Fault::Kind),
    }
}

fn number(operator: Operator, a: f64, b: f64) -> Result<Value, Fault> {
    match operator {
        Operator::Sub => Ok(Value::Number(a - b)),
        Operator::Mul => Ok(Value::Number(a * b)),
        Operator::Div | Operator::Rem if b.total_cmp(&0.0).is_eq() => Err(Fault::Kind),
        Operator::Div => Ok(Value::Number(a / b)),
        Operator::Rem => Ok(Value::Number(a % b)),
        _ => Ok(Value::Bool(ordered(operator, a.total_cmp(&b)))),
    }
}

const fn ordered(operator: Operator, found: std::cmp::Ordering) -> bool {
    match operator {
        Operator::Lt => found.is_lt(),
        Operator::Le => found.is_le(),
        Operator::Gt => found.is_gt(),
        _ => found.is_ge(),
    }
}
