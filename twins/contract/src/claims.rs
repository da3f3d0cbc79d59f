//! What a document cannot say: claims about a twin's behaviour, each with where it is known from and its test.
//!
//! ```yaml
//! - claim: a person who was deactivated is in no list
//!   operations: [listUsers]
//!   class: documented
//!   source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
//!   caller: tokens of administrators
//!   test: twins/okta/tests/okta/people.rs::lists_leave_out_who_is_deactivated
//! ```

use std::collections::BTreeSet;

use dtu_kernel::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_saphyr::{Location, Spanned};
use smol_str::SmolStr;

use crate::differences::matches_text;

/// A twin's claims, in the file's order.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    file: String,
    rows: Vec<Claim>,
}

/// One claim.
#[derive(Clone, Debug)]
pub struct Claim {
    /// What holds.
    pub claim: String,
    /// The operations it is about: ids, with `*` for any characters.
    pub operations: Vec<SmolStr>,
    /// How well it is known.
    pub class: Class,
    /// Where it is known from: a page's address, a recording, or what it is inferred from.
    pub source: String,
    /// For whom it holds.
    pub caller: String,
    /// The test that fails where it does not hold.
    pub test: TestName,
    /// The row's line in its file.
    pub line: u64,
    places: Places,
}

/// How well something is known, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The service's public documents say it.
    Documented,
    /// A recorded exchange with the real service shows it.
    Recorded,
    /// Somebody met it in the real service and wrote it down in public.
    Observed,
    /// Nothing says it: the likeliest reading of what is known.
    Inferred,
}

impl Class {
    /// All classes, best first.
    pub const ALL: [Self; 4] = [Self::Documented, Self::Recorded, Self::Observed, Self::Inferred];

    /// The class's name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Recorded => "recorded",
            Self::Observed => "observed",
            Self::Inferred => "inferred",
        }
    }
}

/// A test: a file of the repository, and the name of a function or of a claim in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestName {
    /// The file's path from the repository's root.
    pub file: String,
    /// The function's name; in scripts of other languages, any text in the file.
    pub name: String,
}

impl std::fmt::Display for TestName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{}", self.file, self.name)
    }
}

impl TestName {
    /// Whether the file with this text has the test.
    pub fn is_in(&self, text: &str) -> bool {
        let is_rust = self.file.rsplit('.').next() == Some("rs");
        if !is_rust {
            return text.contains(&self.name);
        }
        let head = format!("fn {}", self.name);
        let ends = |at: usize| text[at + head.len()..].starts_with(['(', '<']);
        text.match_indices(&head).any(|(at, _)| ends(at))
    }
}

/// Where in the file a row's parts stand.
#[derive(Clone, Debug)]
struct Places {
    operations: Vec<Location>,
    test: Location,
}

/// A row as people write it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    claim: Spanned<String>,
    #[serde(default)]
    operations: Vec<Spanned<String>>,
    class: Option<Spanned<String>>,
    #[serde(default)]
    source: String,
    #[serde(default)]
    caller: String,
    test: Option<Spanned<String>>,
}

impl Claims {
    /// Reads a list; `file` is for messages.
    ///
    /// # Errors
    /// All that is wrong with the file. Each row must name operations, a class, a source, a caller and a test.
    pub fn parse(file: &str, yaml: &str) -> Result<Self, Vec<Diagnostic>> {
        let written: Vec<Written> =
            serde_saphyr::from_str(yaml).map_err(|error| vec![Diagnostic::from_yaml(file, &error)])?;
        let mut problems = Vec::new();
        let rows: Vec<Claim> = written.into_iter().filter_map(|row| row.read(file, &mut problems)).collect();
        let mut said = BTreeSet::new();
        for row in rows.iter().filter(|row| !said.insert(row.claim.as_str())) {
            let twice = Diagnostic::whole(file, format!("the claim is there twice: {}", row.claim));
            problems.push(Diagnostic { line: row.line, column: 1, ..twice });
        }
        if problems.is_empty() { Ok(Self { file: file.to_owned(), rows }) } else { Err(problems) }
    }

    /// All claims.
    pub fn rows(&self) -> &[Claim] {
        &self.rows
    }

    /// The claims about an operation, each with its number, counted from 1; not those about all operations.
    pub fn about<'a>(&'a self, operation: &'a str) -> impl Iterator<Item = (usize, &'a Claim)> {
        self.numbered().filter(move |(_, row)| !row.is_general() && row.is_about(operation))
    }

    /// The claims about all operations, each with its number.
    pub fn general(&self) -> impl Iterator<Item = (usize, &Claim)> {
        self.numbered().filter(|(_, row)| row.is_general())
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &Claim)> {
        (1..).zip(&self.rows)
    }

    /// How many claims are of a class.
    pub fn count(&self, class: Class) -> usize {
        self.rows.iter().filter(|row| row.class == class).count()
    }

    /// Names of operations that are not among the known ones.
    pub fn unknown_operations(&self, known: &BTreeSet<&str>) -> Vec<Diagnostic> {
        let named = self.rows.iter().flat_map(|row| row.operations.iter().zip(&row.places.operations));
        let unknown = named.filter(|(name, _)| !known.iter().any(|id| matches_text(name.as_bytes(), id.as_bytes())));
        unknown
            .map(|(name, place)| {
                let message = format!("there is no operation `{name}`");
                Diagnostic::at(&self.file, *place, message).suggest(name, known.iter().copied())
            })
            .collect()
    }

    /// Tests that do not exist; `read` gives the text of a file of the repository.
    pub fn missing_tests(&self, mut read: impl FnMut(&str) -> Option<String>) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for row in &self.rows {
            let what = match read(&row.test.file) {
                None => format!("there is no file `{}`", row.test.file),
                Some(text) if row.test.is_in(&text) => continue,
                Some(_) => format!("`{}` has no test `{}`", row.test.file, row.test.name),
            };
            problems.push(Diagnostic::at(&self.file, row.places.test, what));
        }
        problems
    }
}

impl Claim {
    /// Whether the claim is about all operations.
    pub fn is_general(&self) -> bool {
        self.operations.iter().any(|name| name == "*")
    }

    /// Whether the claim is about an operation.
    pub fn is_about(&self, operation: &str) -> bool {
        self.operations.iter().any(|name| matches_text(name.as_bytes(), operation.as_bytes()))
    }
}

impl Written {
    /// The row, where nothing is wrong with it.
    fn read(self, file: &str, problems: &mut Vec<Diagnostic>) -> Option<Claim> {
        let before = problems.len();
        let claim = &self.claim;
        let lacks = |name: &str| Diagnostic::on(file, claim, format!("the claim has no `{name}`"));
        let texts = [("claim", &claim.value), ("source", &self.source), ("caller", &self.caller)];
        problems.extend(texts.iter().filter(|(_, text)| text.trim().is_empty()).map(|(name, _)| lacks(name)));
        if self.operations.is_empty() {
            problems.push(lacks("operations"));
        }
        let class = match &self.class {
            None => Err(lacks("class")),
            Some(class) => read_class(file, class),
        };
        let test = match &self.test {
            None => Err(lacks("test")),
            Some(test) => read_test(file, test).map(|name| (name, test.referenced)),
        };
        let class = class.map_err(|problem| problems.push(problem)).ok();
        let test = test.map_err(|problem| problems.push(problem)).ok();
        let (class, (test, test_at)) = class.zip(test).filter(|_| problems.len() == before)?;
        let places = Places { operations: self.operations.iter().map(|name| name.referenced).collect(), test: test_at };
        Some(Claim {
            line: self.claim.referenced.line(),
            claim: self.claim.value,
            operations: self.operations.into_iter().map(|name| name.value.into()).collect(),
            class,
            source: self.source,
            caller: self.caller,
            test,
            places,
        })
    }
}

fn read_class(file: &str, written: &Spanned<String>) -> Result<Class, Diagnostic> {
    let found = Class::ALL.into_iter().find(|class| class.name() == written.value);
    found.ok_or_else(|| {
        let unknown = Diagnostic::on(file, written, format!("unknown class `{}`", written.value));
        unknown.suggest(&written.value, Class::ALL.map(Class::name))
    })
}

fn read_test(file: &str, written: &Spanned<String>) -> Result<TestName, Diagnostic> {
    match written.value.split_once("::") {
        Some((path, name)) if !path.is_empty() && !name.is_empty() => {
            Ok(TestName { file: path.to_owned(), name: name.to_owned() })
        }
        _ => Err(Diagnostic::on(file, written, format!("`{}` names no test", written.value))
            .hint("write `path/to/test.rs::name`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
- claim: lists are sorted
  operations: [list*, getUser]
  class: recorded
  source: a recording
  caller: anyone
  test: tests/a.rs::lists_are_sorted
- claim: nobody is listed twice
  operations: [listUsers]
  class: inferred
  source: nothing says otherwise
  caller: anyone
  test: tests/a.py::nobody is there twice
";

    fn good() -> Claims {
        Claims::parse("claims.yaml", GOOD).expect("is read")
    }

    fn told(problems: &[Diagnostic]) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn claims_are_found_by_operation() {
        let claims = good();
        assert_eq!(claims.about("listUsers").count(), 2);
        assert_eq!(claims.about("getUser").count(), 1);
        assert_eq!(claims.about("getGroup").count(), 0);
        assert_eq!(claims.about("listUsers").map(|(number, _)| number).collect::<Vec<_>>(), [1, 2]);
        let general = GOOD.replace("[listUsers]", "[\"*\"]");
        let general = Claims::parse("claims.yaml", &general).expect("is read");
        assert_eq!((general.about("listUsers").count(), general.general().count()), (1, 1));
        assert_eq!(Class::ALL.map(|class| claims.count(class)), [0, 1, 0, 1]);
        assert_eq!(claims.rows()[1].line, 8);
        assert_eq!(claims.rows()[0].test.to_string(), "tests/a.rs::lists_are_sorted");
    }

    #[test]
    fn all_problems_are_told_with_their_places() {
        let check = |yaml: &str, wanted: &[&str]| {
            let problems = Claims::parse("c.yaml", yaml).expect_err("is refused");
            assert_eq!(told(&problems), wanted, "{yaml}");
        };
        check(
            "- claim: one\n- claim: two\n  class: guessed\n  test: nowhere\n  operations: [a]\n  source: s\n  caller: c\n",
            &[
                "c.yaml:1:10: the claim has no `source`",
                "c.yaml:1:10: the claim has no `caller`",
                "c.yaml:1:10: the claim has no `operations`",
                "c.yaml:1:10: the claim has no `class`",
                "c.yaml:1:10: the claim has no `test`",
                "c.yaml:3:10: unknown class `guessed`\n  hint: known are documented, recorded, observed, inferred",
                "c.yaml:4:9: `nowhere` names no test\n  hint: write `path/to/test.rs::name`",
            ],
        );
        let twice = GOOD.replace("nobody is listed twice", "lists are sorted");
        check(&twice, &["c.yaml:8:1: the claim is there twice: lists are sorted"]);
        let problems = Claims::parse("c.yaml", "- claim: one\n  because: x\n").expect_err("is refused");
        assert!(problems[0].to_string().starts_with("c.yaml:2:"), "{problems:?}");
    }

    #[test]
    fn unknown_operations_and_missing_tests_are_told() {
        let claims = good();
        let unknown = claims.unknown_operations(&BTreeSet::from(["getUser", "listUser"]));
        let hint = "  hint: did you mean `listUser`?";
        assert_eq!(told(&unknown), [format!("claims.yaml:9:16: there is no operation `listUsers`\n{hint}")]);

        let check = |rust: Option<&str>, wanted: &[&str]| {
            let read = |file: &str| {
                if file == "tests/a.py" { Some("nobody is there twice".into()) } else { rust.map(str::to_owned) }
            };
            assert_eq!(told(&claims.missing_tests(read)), wanted, "{rust:?}");
        };
        check(Some("async fn lists_are_sorted() {"), &[]);
        check(Some("fn lists_are_sorted<T>() {"), &[]);
        check(Some("fn lists_are_sorted_too() {"), &["claims.yaml:7:9: `tests/a.rs` has no test `lists_are_sorted`"]);
        check(None, &["claims.yaml:7:9: there is no file `tests/a.rs`"]);
    }
}
