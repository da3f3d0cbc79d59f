//! Lists of known differences.

use dtu_contract::{
    differences::Differences,
    violation::{Part, Rule, Violation},
};

const LIST: &str = "
- {operation: listUsers, status: 200, at: '/*/profile/**', rule: type, reason: custom attributes, source: docs}
- {operation: 'get*', at: '/id', rule: required, reason: never there, source: docs}
- {operation: '*', at: '', rule: undeclared, reason: some errors have no schema, source: docs}
- {operation: stale, at: '/a', rule: enum, reason: new value, source: docs}
";

fn violation(at: &str, rule: Rule, member: &str) -> Violation {
    Violation { part: Part::Body, at: at.to_owned(), rule, member: member.into(), what: String::new() }
}

#[test]
fn rows_allow_what_they_name() {
    let list = Differences::parse("differences.yaml", LIST).unwrap();
    let check = |operation: &str, status: u16, at: &str, rule: Rule, member: &str, wanted: Option<u64>| {
        let row = list.allows(operation, status, &violation(at, rule, member));
        assert_eq!(row.map(|row| row.line), wanted, "{operation} {at} {rule:?}");
    };
    check("listUsers", 200, "/0/profile/x", Rule::Type, "", Some(2));
    check("listUsers", 200, "/0/profile/x/y/0", Rule::Type, "", Some(2));
    check("listUsers", 200, "/0/profile", Rule::Type, "", Some(2));
    check("listUsers", 200, "/0/1/profile", Rule::Type, "", None);
    check("listUsers", 404, "/0/profile/x", Rule::Type, "", None);
    check("listUsers", 200, "/0/profile/x", Rule::Enum, "", None);
    check("getUser", 200, "", Rule::Required, "id", Some(3));
    check("getUser", 200, "", Rule::Required, "other", None);
    check("getUser", 200, "/x", Rule::Required, "id", None);
    check("any", 418, "", Rule::Undeclared, "", Some(4));
    let stale: Vec<&str> = list.unused().map(|row| row.operation.as_str()).collect();
    assert_eq!(stale, ["stale"]);
}

#[test]
fn problems_are_told_with_their_places() {
    let check = |yaml: &str, wanted: &[&str]| {
        let problems = Differences::parse("d.yaml", yaml).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, wanted);
    };
    let row = |more: &str| format!("- operation: a\n  at: /a\n  {more}\n");
    check(&row("rule: type"), &["d.yaml:1:14: the row has no `reason`", "d.yaml:1:14: the row has no `source`"]);
    check(
        &row("rule: tipe\n  reason: r\n  source: s"),
        &["d.yaml:3:9: unknown rule `tipe`\n  hint: did you mean `type`?"],
    );
    let no_pointer = "- {operation: a, at: a, rule: type, reason: r, source: s}";
    check(no_pointer, &["d.yaml:1:22: `a` is not a JSON pointer\n  hint: start it with `/`"]);
    assert_eq!(Differences::parse("d.yaml", "- {more: 1}").unwrap_err().len(), 1);
    assert_eq!(Differences::parse("d.yaml", "[]").unwrap().rows(), []);
}
