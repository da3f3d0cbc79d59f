//! The functions that expressions can call.

use smol_str::SmolStr;

use super::{
    evaluate::{Fault, Scope, count, evaluate, index},
    tree::Expr,
    value::Value,
};

/// A family of functions: its name, and its functions with the fewest and the most arguments that they take.
pub(super) type Family = (&'static str, &'static [(&'static str, usize, usize)]);

const MANY: usize = usize::MAX;

/// All functions, those without a family first.
pub(super) const FAMILIES: &[Family] = &[
    (
        "",
        &[
            ("isMemberOfGroup", 1, 1),
            ("isMemberOfGroupName", 1, 1),
            ("isMemberOfAnyGroup", 1, MANY),
            ("isMemberOfGroupNameStartsWith", 1, 1),
            ("isMemberOfGroupNameContains", 1, 1),
            ("isMemberOfGroupNameRegex", 1, 1),
            ("getFilteredGroups", 2, 3),
            ("toUpperCase", 1, 1),
            ("toLowerCase", 1, 1),
            ("substring", 3, 3),
            ("substringBefore", 2, 2),
            ("substringAfter", 2, 2),
            ("hasDirectoryUser", 0, 0),
            ("hasWorkdayUser", 0, 0),
            ("findDirectoryUser", 0, 0),
            ("findWorkdayUser", 0, 0),
        ],
    ),
    (
        "String",
        &[
            ("append", 2, 2),
            ("join", 1, MANY),
            ("len", 1, 1),
            ("removeSpaces", 1, 1),
            ("replace", 3, 3),
            ("replaceFirst", 3, 3),
            ("startsWith", 2, 2),
            ("endsWith", 2, 2),
            ("stringContains", 2, 2),
            ("stringSwitch", 2, MANY),
            ("substring", 3, 3),
            ("substringAfter", 2, 2),
            ("substringBefore", 2, 2),
            ("toUpperCase", 1, 1),
            ("toLowerCase", 1, 1),
        ],
    ),
    (
        "Arrays",
        &[
            ("add", 2, 2),
            ("remove", 2, 2),
            ("clear", 1, 1),
            ("get", 2, 2),
            ("flatten", 0, MANY),
            ("contains", 2, 2),
            ("size", 1, 1),
            ("isEmpty", 1, 1),
            ("toCsvString", 1, 1),
        ],
    ),
    ("Convert", &[("toInt", 1, 1), ("toNum", 1, 1)]),
    ("Groups", &[("contains", 3, 3), ("startsWith", 3, 3), ("endsWith", 3, 3)]),
    ("user", &[("getLinkedObject", 1, 1), ("getInternalProperty", 1, 1), ("isMemberOf", 1, MANY)]),
];

/// The least and the most arguments of a function; none where there is no such function.
pub(super) fn arity(family: &str, name: &str) -> Option<(usize, usize)> {
    let (_, functions) = FAMILIES.iter().find(|(found, _)| *found == family)?;
    functions.iter().find(|(found, ..)| *found == name).map(|(_, least, most)| (*least, *most))
}

/// Calls a function.
pub(super) fn call(on: Option<&Expr>, name: &str, all: &[Expr], scope: &dyn Scope) -> Result<Value, Fault> {
    let family = match on {
        None => "",
        Some(Expr::Name(family)) => family.as_str(),
        Some(_) => return Err(Fault::Unknown(name.to_owned())),
    };
    let shown = if family.is_empty() { name.to_owned() } else { format!("{family}.{name}") };
    let (least, most) = arity(family, name).ok_or_else(|| Fault::Unknown(shown.clone()))?;
    if all.len() < least || all.len() > most {
        return Err(Fault::Arguments(shown));
    }
    if family == "user" && name == "isMemberOf" {
        return all.iter().try_fold(Value::Bool(false), |found, wanted| match found {
            Value::Bool(true) => Ok(found),
            _ => described(wanted, scope),
        });
    }
    let all = all.iter().map(|one| evaluate(one, scope)).collect::<Result<Vec<_>, _>>()?;
    match family {
        "" => plain(name, &all, scope),
        "String" => string(name, &all),
        "Arrays" => array(name, &all),
        "Convert" => convert(name, &all[0]),
        "Groups" => named_groups(name, &all, scope),
        _ => of_user(name, &all[0], scope),
    }
}

fn plain(name: &str, all: &[Value], scope: &dyn Scope) -> Result<Value, Fault> {
    let any_name = |test: &dyn Fn(&str) -> bool| Value::Bool(scope.groups().iter().any(|(_, name)| test(name)));
    let first = all.first().map(Value::shown).unwrap_or_default();
    Ok(match name {
        "isMemberOfGroup" | "isMemberOfAnyGroup" => {
            Value::Bool(all.iter().any(|group| scope.is_member(&group.shown())))
        }
        "isMemberOfGroupName" => any_name(&|name| name == first),
        "isMemberOfGroupNameStartsWith" => any_name(&|name| name.starts_with(&first)),
        "isMemberOfGroupNameContains" => any_name(&|name| name.contains(&first)),
        "isMemberOfGroupNameRegex" => {
            let pattern = pattern(&first)?;
            any_name(&|name| pattern.is_match(name).unwrap_or(false))
        }
        "getFilteredGroups" => filtered(all, scope)?,
        // No directory and no HR system is connected to the org.
        "hasDirectoryUser" | "hasWorkdayUser" => Value::Bool(false),
        "findDirectoryUser" | "findWorkdayUser" => Value::Null,
        _ => return string(name, all),
    })
}

/// A pattern that must fit a whole name.
///
/// # Errors
/// One that cannot be read.
pub(crate) fn pattern(text: &str) -> Result<fancy_regex::Regex, Fault> {
    /// How far a pattern may look back before it is given up: a bound on what a name costs.
    const STEPS_MAX: usize = 100_000;
    let whole = format!("^(?:{text})$");
    fancy_regex::RegexBuilder::new(&whole).backtrack_limit(STEPS_MAX).build().map_err(|_| Fault::Kind)
}

/// `getFilteredGroups({ids}, "group.name", limit)`.
fn filtered(all: &[Value], scope: &dyn Scope) -> Result<Value, Fault> {
    const GROUPS_MAX: f64 = 100.0;
    let Value::List(allowed) = &all[0] else { return Err(Fault::Kind) };
    let limit = match all.get(2) {
        Some(Value::Number(limit)) => limit.min(GROUPS_MAX),
        Some(_) => return Err(Fault::Kind),
        None => GROUPS_MAX,
    };
    let wanted = |id: &SmolStr| allowed.iter().any(|found| found.shown() == id.as_str());
    let mut found = Vec::new();
    for (id, name) in scope.groups().into_iter().filter(|(id, _)| wanted(id)) {
        if count(found.len()) >= limit {
            break;
        }
        match all[1].shown().as_str() {
            "group.name" => found.push(Value::text(name)),
            "group.id" => found.push(Value::text(id)),
            other => return Err(Fault::Unknown(other.to_owned())),
        }
    }
    Ok(Value::List(found))
}

/// `Groups.startsWith("OKTA", "x", limit)`: names of the user's groups. Groups of applications there are none.
fn named_groups(name: &str, all: &[Value], scope: &dyn Scope) -> Result<Value, Fault> {
    let Value::Number(limit) = &all[2] else { return Err(Fault::Kind) };
    let (source, pattern) = (all[0].shown(), all[1].shown());
    let fits = |found: &str| match name {
        "contains" => found.contains(&pattern),
        "startsWith" => found.starts_with(&pattern),
        _ => found.ends_with(&pattern),
    };
    let mut found: Vec<Value> = Vec::new();
    if source.is_empty() || source.eq_ignore_ascii_case("okta") {
        let fitting = scope.groups().into_iter().filter(|(_, name)| fits(name));
        found = fitting
            .enumerate()
            .take_while(|(n, _)| count(*n) < *limit)
            .map(|(_, (_, name))| Value::text(name))
            .collect();
    }
    Ok(Value::List(found))
}

fn of_user(name: &str, what: &Value, scope: &dyn Scope) -> Result<Value, Fault> {
    let what = what.shown();
    if name == "getLinkedObject" {
        return Ok(scope.linked(&what).map_or(Value::Null, Value::Person));
    }
    scope.attribute("user", &what).ok_or(Fault::Unknown(what))
}

/// `user.isMemberOf({'group.id': ...})`: in one of the groups that a map describes.
fn described(wanted: &Expr, scope: &dyn Scope) -> Result<Value, Fault> {
    let Expr::Map(members) = wanted else { return Err(Fault::Kind) };
    let member = |name: &str| members.iter().find(|(found, _)| found == name).map(|(_, value)| evaluate(value, scope));
    let texts = |value: Value| match value {
        Value::List(all) => all.iter().map(Value::shown).collect(),
        one => vec![one.shown()],
    };
    if let Some(ids) = member("group.id").transpose()? {
        return Ok(Value::Bool(texts(ids).iter().any(|id| scope.is_member(id))));
    }
    let names = texts(member("group.profile.name").transpose()?.ok_or(Fault::Kind)?);
    let operator = member("operator").transpose()?.map_or_else(|| "EXACT".to_owned(), |value| value.shown());
    let fits = |found: &str| {
        names.iter().any(|name| match operator.as_str() {
            "STARTS_WITH" => found.starts_with(name.as_str()),
            "CONTAINS" => found.contains(name.as_str()),
            _ => found == name,
        })
    };
    Ok(Value::Bool(scope.groups().iter().any(|(_, name)| fits(name))))
}

/// A text; nothing counts as an empty one.
fn text(value: &Value) -> Result<String, Fault> {
    match value {
        Value::List(_) | Value::Person(_) => Err(Fault::Kind),
        other => Ok(other.shown()),
    }
}

fn string(name: &str, all: &[Value]) -> Result<Value, Fault> {
    if name == "substring" {
        return substring(&text(&all[0])?, &all[1], &all[2]);
    }
    let texts = all.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let at = |n: usize| texts.get(n).map(String::as_str).unwrap_or_default();
    // Spring finds nothing in nothing.
    let absent = all.iter().take(2).any(|value| matches!(value, Value::Null));
    Ok(match name {
        "append" => Value::text(at(0).to_owned() + at(1)),
        "join" => Value::text(texts[1..].join(at(0))),
        "len" => Value::Number(count(at(0).chars().count())),
        "removeSpaces" => Value::text(at(0).split_whitespace().collect::<String>()),
        "replace" => Value::text(at(0).replace(at(1), at(2))),
        "replaceFirst" => Value::text(at(0).replacen(at(1), at(2), 1)),
        "startsWith" => Value::Bool(!absent && at(0).starts_with(at(1))),
        "endsWith" => Value::Bool(!absent && at(0).ends_with(at(1))),
        "stringContains" => Value::Bool(!absent && at(0).contains(at(1))),
        "stringSwitch" => {
            let found = texts[2..].chunks(2).find(|pair| pair.len() == 2 && at(0).contains(pair[0].as_str()));
            Value::text(found.map_or(at(1), |pair| pair[1].as_str()))
        }
        "substringAfter" => Value::text(at(0).split_once(at(1)).map_or("", |(_, rest)| rest)),
        "substringBefore" => Value::text(at(0).split_once(at(1)).map_or(at(0), |(start, _)| start)),
        "toUpperCase" => Value::text(at(0).to_uppercase()),
        _ => Value::text(at(0).to_lowercase()),
    })
}

/// The characters from `start` up to but without `end`; an end behind the text's is the text's.
fn substring(text: &str, start: &Value, end: &Value) -> Result<Value, Fault> {
    let (Value::Number(start), Value::Number(end)) = (start, end) else { return Err(Fault::Kind) };
    let inside = text.chars().enumerate().filter(|(n, _)| count(*n) >= *start && count(*n) < *end);
    Ok(Value::text(inside.map(|(_, c)| c).collect::<String>()))
}

fn array(name: &str, all: &[Value]) -> Result<Value, Fault> {
    if name == "flatten" {
        let flat = all.iter().flat_map(|one| match one {
            Value::List(all) => all.clone(),
            Value::Null => Vec::new(),
            other => vec![other.clone()],
        });
        return Ok(Value::List(flat.collect()));
    }
    let list = match &all[0] {
        Value::List(list) => list.as_slice(),
        Value::Null => &[],
        _ => return Err(Fault::Kind),
    };
    Ok(match name {
        "add" => Value::List([list, &all[1..]].concat()),
        "remove" => Value::List(list.iter().filter(|one| !one.is(&all[1])).cloned().collect()),
        "clear" => Value::List(Vec::new()),
        "get" => index(&all[0], &all[1])?,
        "contains" => Value::Bool(list.iter().any(|one| one.is(&all[1]))),
        "size" => Value::Number(count(list.len())),
        "isEmpty" => Value::Bool(list.is_empty()),
        _ => Value::text(list.iter().map(Value::shown).collect::<Vec<_>>().join(",")),
    })
}

fn convert(name: &str, value: &Value) -> Result<Value, Fault> {
    let number = match value {
        Value::Number(number) => *number,
        Value::Text(text) => match text.trim().parse::<f64>() {
            Ok(number) => number,
            Err(_) => return Err(Fault::Kind),
        },
        Value::Null => return Ok(Value::Null),
        _ => return Err(Fault::Kind),
    };
    Ok(Value::Number(if name == "toInt" { number.round() } else { number }))
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};

    struct Ann;

    impl Scope for Ann {
        fn attribute(&self, object: &str, name: &str) -> Option<Value> {
            match (object, name) {
                ("user", "firstName") => Some(Value::text("Ann")),
                ("user", "salary") => Some(Value::Number(120_000.0)),
                ("user", "langs") => Some(Value::List(vec![Value::text("en"), Value::text("de")])),
                ("user", "isContractor") => Some(Value::Bool(false)),
                ("user", "city" | "isRemote") => Some(Value::Null),
                _ => None,
            }
        }

        fn attribute_of(&self, person: &str, name: &str) -> Option<Value> {
            (name == "lastName").then(|| Value::text(person.to_uppercase()))
        }

        fn linked(&self, primary: &str) -> Option<SmolStr> {
            (primary == "manager").then(|| "bob".into())
        }

        fn is_member(&self, group: &str) -> bool {
            group == "00g1"
        }

        fn groups(&self) -> Vec<(SmolStr, SmolStr)> {
            vec![("00g1".into(), "admins".into()), ("00g2".into(), "staff".into())]
        }
    }

    fn value(text: &str) -> Result<serde_json::Value, Fault> {
        let expr = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        evaluate(&expr, &Ann).map(|value| value.to_json())
    }

    #[test]
    fn functions_do_what_okta_documents() {
        let check = |text: &str, wanted: &str| {
            assert_eq!(value(text).map(|found| found.to_string()).as_deref(), Ok(wanted), "{text}");
        };
        check("String.join('-', 'a', 'b', 1)", "\"a-b-1\"");
        check("String.len(user.city)", "0");
        check("String.replaceFirst('aXbX', 'X', '')", "\"abX\"");
        check("String.replace('aXbX', 'X', '')", "\"ab\"");
        check("String.substring('abcdef', 1, 4)", "\"bcd\"");
        check("String.substring('ab', 1, 40)", "\"b\"");
        check("String.substringAfter('a@b', '@')", "\"b\"");
        check("String.substringBefore('ab', '@')", "\"ab\"");
        check("String.stringSwitch('xring', 'none', 'q', '1', 'ring', '2')", "\"2\"");
        check("String.stringSwitch('x', 'none', 'q', '1')", "\"none\"");
        check("String.startsWith(user.firstName, 'An') AND !String.endsWith(user.firstName, 'x')", "true");
        check("String.stringContains(user.city, 'x')", "false");
        check("toUpperCase(user.firstName) + 1", "\"ANN1\"");
        check("Arrays.add({1, 2}, 3)", "[1,2,3]");
        check("Arrays.contains(user.langs, 'de')", "true");
        check("Arrays.size(NULL)", "0");
        check("Arrays.isEmpty(Arrays.clear(user.langs))", "true");
        check("Arrays.get({5, 6}, 1) + Arrays.size(user.langs)", "8");
        check("Arrays.toCsvString(Arrays.flatten(1, {2, 3}))", "\"1,2,3\"");
        check("Convert.toInt('1234') + Convert.toInt(2.6)", "1237");
        check("Convert.toNum('3.25')", "3.25");
        check("user.salary >= 100000 AND user.salary < 1e5 OR true".replace("1e5", "5").as_str(), "true");
        check("!user.isContractor", "true");
        check("user.isRemote ? 1 : 2", "2");
        check("user.city == null", "true");
        check("user.city > 'a'", "false");
        check("user.city ?: 'none'", "\"none\"");
        check("isMemberOfGroup('00g1')", "true");
        check("isMemberOfAnyGroup('00g9', '00g1')", "true");
        check("isMemberOfGroupName('admin')", "false");
        check("isMemberOfGroupNameStartsWith('admin')", "true");
        check("isMemberOfGroupNameContains('taf')", "true");
        check("isMemberOfGroupNameRegex('.*ff')", "true");
        check("isMemberOfGroupNameRegex('ff')", "false");
        check("getFilteredGroups({'00g2', '00g7'}, 'group.name', 40)", "[\"staff\"]");
        check("Groups.startsWith('OKTA', '', 1)", "[\"admins\"]");
        check("Groups.contains('active_directory', 'a', 10)", "[]");
        check("user.isMemberOf({'group.profile.name': 'sta', 'operator': 'STARTS_WITH'})", "true");
        check("user.isMemberOf({'group.id': {'00g7', '00g1'}})", "true");
        check("user.getLinkedObject('manager').lastName", "\"BOB\"");
        check("user.getLinkedObject('mentor').lastName", "null");
        check("user.profile.firstName", "\"Ann\"");
        check("user.langs[1]", "\"de\"");
        check("hasDirectoryUser() ? findDirectoryUser().x : 'none'", "\"none\"");
        check("(5 - 2) * 4 / 8 % 1", "0.5");
    }

    #[test]
    fn what_is_not_there_is_a_fault() {
        let check = |text: &str, wanted: Fault| assert_eq!(value(text), Err(wanted), "{text}");
        check("user.shoeSize", Fault::Unknown("user.shoeSize".into()));
        check("profile.x", Fault::Unknown("profile.x".into()));
        check("nobody", Fault::Unknown("nobody".into()));
        check("String.reverse('x')", Fault::Unknown("String.reverse".into()));
        check("String.len()", Fault::Arguments("String.len".into()));
        check("Convert.toInt('x')", Fault::Kind);
        check("1 / 0", Fault::Kind);
        check("!'x'", Fault::Kind);
        check("-'x'", Fault::Kind);
        check("isMemberOfGroupNameRegex('(')", Fault::Kind);
        check("user.firstName AND true", Fault::Kind);
    }
}
