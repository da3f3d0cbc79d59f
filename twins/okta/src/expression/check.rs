//! What can be said of an expression before anybody is looked at.

use std::fmt;

use super::{functions::arity, tree::Expr};

/// What an expression may name.
pub trait Known {
    /// Whether people have an attribute.
    fn attribute(&self, name: &str) -> bool;
    /// Whether there is a group of this id.
    fn group(&self, id: &str) -> bool;
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// An attribute that people do not have.
    Attribute(String),
    /// An object that there is not here.
    Object(String),
    /// A function that there is not.
    Function(String),
    /// A function with more or fewer arguments than it takes.
    Arguments(String),
    /// A group that there is not.
    Group(String),
    /// It comes to something that is neither true nor false.
    NotTrueOrFalse,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => write!(f, "Invalid property {name} in expression"),
            Self::Object(name) => write!(f, "Invalid reference {name} in expression"),
            Self::Function(name) => write!(f, "Function {name} is not supported in expression"),
            Self::Arguments(name) => write!(f, "Parameter count of function {name} does not match"),
            Self::Group(id) => write!(f, "Group {id} in expression does not exist"),
            Self::NotTrueOrFalse => f.write_str("Expression must evaluate to a boolean"),
        }
    }
}

/// Whether a group rule can be made of an expression.
///
/// # Errors
/// The first [`Problem`].
pub fn check(expr: &Expr, known: &dyn Known) -> Result<(), Problem> {
    walk(expr, known)?;
    if is_truth(expr) { Ok(()) } else { Err(Problem::NotTrueOrFalse) }
}

fn walk(expr: &Expr, known: &dyn Known) -> Result<(), Problem> {
    match expr {
        Expr::Field(on, name) => return field(on, name, known),
        Expr::Name(name) => return Err(Problem::Object(name.to_string())),
        Expr::Call(on, name, all) => {
            function(on.as_deref(), name, all)?;
            groups(name, all, known)?;
            return all.iter().try_for_each(|part| walk(part, known));
        }
        _ => {}
    }
    expr.parts().into_iter().try_for_each(|part| walk(part, known))
}

fn field(on: &Expr, name: &str, known: &dyn Known) -> Result<(), Problem> {
    let of_user = |object: &str| match object {
        "user" if known.attribute(name) => Ok(()),
        "user" => Err(Problem::Attribute(name.to_owned())),
        other => Err(Problem::Object(other.to_owned())),
    };
    match on {
        Expr::Name(object) => of_user(object),
        Expr::Field(object, part) if part == "profile" => match &**object {
            Expr::Name(object) => of_user(object),
            _ => Err(Problem::Object(part.to_string())),
        },
        other => walk(other, known),
    }
}

fn function(on: Option<&Expr>, name: &str, all: &[Expr]) -> Result<(), Problem> {
    let family = match on {
        None => "",
        Some(Expr::Name(family)) => family.as_str(),
        Some(_) => return Err(Problem::Function(name.to_owned())),
    };
    let shown = if family.is_empty() { name.to_owned() } else { format!("{family}.{name}") };
    match arity(family, name) {
        None => Err(Problem::Function(shown)),
        Some((least, most)) if all.len() < least || all.len() > most => Err(Problem::Arguments(shown)),
        Some(_) => Ok(()),
    }
}

/// Groups that are named by id must be there.
fn groups(name: &str, all: &[Expr], known: &dyn Known) -> Result<(), Problem> {
    if !matches!(name, "isMemberOfGroup" | "isMemberOfAnyGroup") {
        return Ok(());
    }
    let lacking = all.iter().find_map(|one| match one {
        Expr::Text(id) if !known.group(id) => Some(id.clone()),
        _ => None,
    });
    lacking.map_or(Ok(()), |id| Err(Problem::Group(id)))
}

/// Whether it can come to true or false.
fn is_truth(expr: &Expr) -> bool {
    match expr {
        Expr::Null
        | Expr::Number(_)
        | Expr::Text(_)
        | Expr::Name(_)
        | Expr::List(_)
        | Expr::Map(_)
        | Expr::Select(..)
        | Expr::Minus(_) => false,
        Expr::Bool(_) | Expr::Not(_) | Expr::Field(..) | Expr::Index(..) => true,
        Expr::Pair(operator, ..) => operator.is_test(),
        Expr::Choice(_, a, b) | Expr::Else(a, b) => is_truth(a) && is_truth(b),
        Expr::Call(on, name, _) => match on.as_deref() {
            Some(Expr::Name(family)) => match family.as_str() {
                "String" => matches!(name.as_str(), "startsWith" | "endsWith" | "stringContains"),
                "Arrays" => matches!(name.as_str(), "contains" | "isEmpty" | "get"),
                "Convert" | "Groups" => false,
                _ => true,
            },
            _ => name.starts_with("isMember") || name.starts_with("has"),
        },
    }
}

/// Whether an expression looks at an attribute of people.
pub(crate) fn reads(expr: &Expr, attribute: &str) -> bool {
    matches!(expr, Expr::Field(_, name) if name == attribute)
        || expr.parts().into_iter().any(|part| reads(part, attribute))
}

/// Whether an expression looks at groups.
pub(crate) fn reads_groups(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Call(_, name, _) => {
            name.starts_with("isMember")
                || name == "getFilteredGroups"
                || matches!(name.as_str(), "contains" | "startsWith" | "endsWith")
        }
        _ => false,
    };
    own || expr.parts().into_iter().any(reads_groups)
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};

    struct Org;

    impl Known for Org {
        fn attribute(&self, name: &str) -> bool {
            matches!(name, "department" | "salary" | "isContractor")
        }

        fn group(&self, id: &str) -> bool {
            id == "00g1"
        }
    }

    #[test]
    fn rules_are_judged_before_they_are_used() {
        let check = |text: &str, wanted: Option<&str>| {
            let found = super::check(&parse(text).expect("parses"), &Org).err();
            assert_eq!(found.map(|problem| problem.to_string()).as_deref(), wanted, "{text}");
        };
        check("user.department == \"Eng\"", None);
        check("user.profile.department == \"Eng\" OR !user.isContractor", None);
        check("user.isContractor", None);
        check("isMemberOfAnyGroup(\"00g1\")", None);
        check("user.getLinkedObject(\"manager\").lastName == \"x\"", None);
        check("String.stringContains(user.department, \"x\") ? true : false", None);
        check("user.shoeSize == 5", Some("Invalid property shoeSize in expression"));
        check("profile.department == 5", Some("Invalid reference profile in expression"));
        check("department == 5", Some("Invalid reference department in expression"));
        check(
            "String.reverse(user.department) == \"x\"",
            Some("Function String.reverse is not supported in expression"),
        );
        check(
            "String.startsWith(user.department)",
            Some("Parameter count of function String.startsWith does not match"),
        );
        check("isMemberOfGroup(\"00g9\")", Some("Group 00g9 in expression does not exist"));
        check("user.salary + 5", Some("Expression must evaluate to a boolean"));
        check("\"x\"", Some("Expression must evaluate to a boolean"));
        check("Operator", Some("Invalid reference Operator in expression"));
    }

    #[test]
    fn what_an_expression_reads_is_known() {
        let expr = parse("String.len(user.department) > 3 AND !isMemberOfGroupName(\"x\")").expect("parses");
        assert!(reads(&expr, "department") && !reads(&expr, "salary") && reads_groups(&expr));
    }
}
