//! Two bodies side by side: the one recorded, and the twin's.
//!
//! What the recording made itself must be equal in all but what the service draws: ids, times, addresses, secrets.
//! What the recorded org had before is not in the twin's world. An object of it that the twin has as well is compared
//! by its shape; others say nothing.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{ids::Ids, shape};

/// How two answers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Another status.
    Status,
    /// A header is missing, too many or another.
    Header,
    /// A member is missing.
    Missing,
    /// A member is too many.
    Extra,
    /// Another value.
    Value,
    /// A value of another type.
    Type,
    /// A list has another length, or lacks an object.
    List,
    /// Not the id that the object had before, or an id of another kind.
    Id,
}

impl Kind {
    /// The kind as the list of known disagreements names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Header => "header",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Value => "value",
            Self::Type => "type",
            Self::List => "list",
            Self::Id => "id",
        }
    }
}

/// A difference and its place.
#[derive(Clone, Debug)]
pub struct Difference {
    /// How the answers differ.
    pub kind: Kind,
    /// A JSON pointer into the body, or a header's name.
    pub at: String,
    /// What is recorded.
    pub expected: String,
    /// What the twin answered.
    pub got: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, at, expected, got } = self;
        write!(f, "{} at {at}: expected {expected:.160}, got {got:.400}", kind.name())
    }
}

/// How close two values must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    /// Equal.
    Whole,
    /// The same members of the same types; ids are learned where both are one object.
    Shape { learns: bool },
    /// Anything goes; ids are learned where both are one object.
    Silent { learns: bool },
}

impl View {
    const fn learns(self) -> bool {
        matches!(self, Self::Whole | Self::Shape { learns: true } | Self::Silent { learns: true })
    }

    /// What lies below an object that is compared by its shape.
    const fn below(self) -> Self {
        match self {
            Self::Whole => Self::Whole,
            Self::Shape { learns } | Self::Silent { learns } => Self::Silent { learns },
        }
    }
}

/// What a list was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Its order.
    pub sorted: bool,
    /// Only some of its objects.
    pub filtered: bool,
}

impl Wish {
    /// The wish of a raw query.
    pub fn read(query: &str) -> Self {
        let mut wish = Self::default();
        for (name, _) in form_urlencoded::parse(query.as_bytes()) {
            wish.sorted |= matches!(name.as_ref(), "sortBy" | "sortOrder" | "orderBy");
            wish.filtered |=
                !matches!(name.as_ref(), "sortBy" | "sortOrder" | "orderBy" | "limit" | "after" | "expand");
        }
        wish
    }
}

/// A comparison under way.
#[derive(Debug)]
pub struct Compare<'a> {
    ids: &'a mut Ids,
    origin: &'a str,
    wish: Wish,
    place: Vec<String>,
    /// Whether the body is a list of objects all of which the recording made.
    pub made_all: bool,
    /// What was found, in the order of the recorded body.
    pub differences: Vec<Difference>,
}

impl<'a> Compare<'a> {
    /// Nothing compared yet.
    pub const fn new(ids: &'a mut Ids, origin: &'a str, wish: Wish) -> Self {
        Self { ids, origin, wish, place: Vec::new(), made_all: false, differences: Vec::new() }
    }

    /// Compares two bodies.
    pub fn bodies(&mut self, recorded: &Value, ours: &Value) {
        self.value(recorded, ours, View::Whole);
    }

    /// Notes a difference.
    pub fn differ(&mut self, kind: Kind, at: &str, expected: &str, got: &str) {
        self.differences.push(Difference {
            kind,
            at: at.to_owned(),
            expected: expected.to_owned(),
            got: got.to_owned(),
        });
    }

    fn differ_here(&mut self, kind: Kind, expected: &str, got: &str) {
        let at = self.place.iter().fold(String::new(), |mut at, part| {
            let _ = write!(at, "/{part}");
            at
        });
        self.differ(kind, if at.is_empty() { "the body" } else { &at }, expected, got);
    }

    fn within(&mut self, name: &str, compare: impl FnOnce(&mut Self)) {
        self.place.push(name.to_owned());
        compare(self);
        self.place.pop();
    }

    fn value(&mut self, recorded: &Value, ours: &Value, view: View) {
        match (recorded, ours) {
            (Value::Object(recorded), Value::Object(ours)) => self.object(recorded, ours, view),
            (Value::Array(recorded), Value::Array(ours)) => self.list(recorded, ours, view),
            (Value::String(recorded), Value::String(ours)) => self.text(recorded, ours, view),
            _ if recorded == ours || matches!(view, View::Silent { .. }) => {}
            _ if view == View::Whole && same_type(recorded, ours) => {
                self.differ_here(Kind::Value, &recorded.to_string(), &ours.to_string());
            }
            _ if same_type(recorded, ours) || recorded.is_null() || ours.is_null() => {
                if view == View::Whole {
                    self.differ_here(Kind::Type, &recorded.to_string(), &ours.to_string());
                }
            }
            _ => self.differ_here(Kind::Type, &recorded.to_string(), &ours.to_string()),
        }
    }

    fn object(&mut self, recorded: &Map<String, Value>, ours: &Map<String, Value>, view: View) {
        let view = match identity(recorded) {
            Some(id) if self.ids.is_made(id) => View::Whole,
            Some(id) if view == View::Whole && shape::is_id(id) => View::Shape { learns: true },
            _ => view,
        };
        let loud = !matches!(view, View::Silent { .. });
        let below = |name: &str| if name == "id" || name == "kid" { view } else { view.below() };
        for (name, value) in recorded {
            let our_name = self.ids.translate(name);
            match ours.get(&our_name) {
                Some(ours) => self.within(name, |here| match view {
                    View::Shape { .. } if !fits(value, ours) => {
                        here.differ_here(Kind::Type, &value.to_string(), &ours.to_string());
                    }
                    _ => here.value(value, ours, below(name)),
                }),
                None if loud && (view == View::Whole || name != "_embedded") => {
                    self.within(name, |here| here.differ_here(Kind::Missing, &value.to_string(), "nothing"));
                }
                None => {}
            }
        }
        if loud {
            let known: Vec<String> = recorded.keys().map(|name| self.ids.translate(name)).collect();
            for (name, value) in ours.iter().filter(|(name, _)| !known.contains(name)) {
                if view == View::Whole || name != "_embedded" {
                    self.within(name, |here| here.differ_here(Kind::Extra, "nothing", &value.to_string()));
                }
            }
        }
    }

    fn list(&mut self, recorded: &[Value], ours: &[Value], view: View) {
        let objects = recorded.iter().chain(ours).all(Value::is_object);
        let named = |values: &[Value]| values.iter().filter_map(Value::as_object).any(|row| identity(row).is_some());
        match view {
            View::Silent { .. } | View::Shape { .. } => {}
            View::Whole if objects && (named(recorded) || (recorded.is_empty() && named(ours))) => {
                self.rows(recorded, ours);
            }
            // Rows of the org's own history, such as its log: the shape of the first must fit.
            View::Whole if objects && self.place.is_empty() => {
                if let (Some(recorded), Some(ours)) = (recorded.first(), ours.first()) {
                    self.within("0", |here| here.value(recorded, ours, View::Shape { learns: false }));
                }
            }
            View::Whole => {
                if recorded.len() != ours.len() {
                    self.differ_here(Kind::List, &shown(recorded), &shown(ours));
                }
                for (at, (recorded, ours)) in recorded.iter().zip(ours).enumerate() {
                    self.within(&at.to_string(), |here| here.value(recorded, ours, view));
                }
            }
        }
    }

    /// Rows with ids: those that the recording made must be there, and alone where it made all. Others are compared
    /// with a namesake, or with any that stands for nothing yet.
    fn rows(&mut self, recorded: &[Value], ours: &[Value]) {
        let (mut places, mut all_made) = (Vec::new(), true);
        for (at, row) in recorded.iter().enumerate() {
            let id = row.as_object().and_then(identity).unwrap_or_default();
            let made = self.ids.is_made(id);
            all_made &= made;
            match self.counterpart(row, id, made, ours) {
                Some(place) => {
                    places.extend(made.then_some(place));
                    let view = if made { View::Whole } else { View::Shape { learns: true } };
                    self.within(&at.to_string(), |here| here.value(row, &ours[place], view));
                }
                None if made => {
                    self.within(&at.to_string(), |here| here.differ_here(Kind::List, "an object made here", "nothing"));
                }
                None => {}
            }
        }
        self.made_all = all_made && self.place.is_empty();
        // Who asks for all of a collection gets what the twin's world has, too.
        let own = |ours: &&Value| !self.wish.filtered && id_of(ours).is_some_and(|id| self.ids.is_own(id));
        let extra = if self.place.is_empty() { ours.iter().filter(own).count() } else { 0 };
        if all_made && recorded.len() != ours.len() - extra {
            self.differ_here(Kind::List, &shown(recorded), &shown(ours));
        }
        if self.wish.sorted && !places.is_sorted() {
            self.differ_here(Kind::List, "the order asked for", "another order");
        }
    }

    fn counterpart(&self, row: &Value, id: &str, made: bool, ours: &[Value]) -> Option<usize> {
        let our_id = self.ids.translate(id);
        let found = ours.iter().position(|ours| id_of(ours) == Some(our_id.as_str()));
        if made || our_id != id {
            return found;
        }
        let free = |ours: &Value| id_of(ours).is_some_and(|id| !self.ids.is_taken(id));
        let namesake = ours.iter().position(|ours| free(ours) && is_namesake(row, ours));
        found.or(namesake).or_else(|| ours.iter().position(free))
    }

    fn text(&mut self, recorded: &str, ours: &str, view: View) {
        let here = shape::one_org(recorded, self.origin);
        let equal = self.ids.translate(&here) == ours;
        let hidden = shape::is_redacted(recorded) && !ours.is_empty();
        if equal || hidden {
            return;
        }
        let drawn = !self.ids.is_sent(recorded);
        if recorded.starts_with("orn:") && ours.starts_with("orn:") {
            if !self.orn(recorded, ours) && view == View::Whole {
                self.differ_here(Kind::Value, recorded, ours);
            }
            return;
        }
        let fits = match (shape::url(&here), shape::url(ours)) {
            (Some(here), Some(ours)) => self.url(here, ours, view),
            _ if !drawn => false,
            _ if self.place.last().is_some_and(|name| name == "tempPassword") => recorded.len() == ours.len(),
            // A request for a certificate holds a drawn key, and names from bodies that old recordings lack.
            _ if self.place.last().is_some_and(|name| name == "csr") => ours.starts_with("MII"),
            _ if shape::is_error_id(recorded) && shape::is_error_id(ours) => true,
            _ if shape::is_id(recorded) && shape::is_id(ours) => return self.id(recorded, ours, view),
            _ => shape::time(recorded).is_some_and(|pattern| shape::time(ours) == Some(pattern)),
        };
        if !fits && view == View::Whole {
            self.differ_here(Kind::Value, recorded, ours);
        }
    }

    /// Whether two resource names are of one shape. The partition and the org are the recorded org's own.
    fn orn(&self, recorded: &str, ours: &str) -> bool {
        let parts = |text: &str| text.split(':').map(str::to_owned).collect::<Vec<String>>();
        let (recorded, ours) = (parts(recorded), parts(ours));
        let same = |at: usize| {
            let drawn = shape::is_id(&recorded[at]) && shape::is_id(&ours[at]);
            matches!(at, 1 | 3) || drawn || self.ids.translate(&recorded[at]) == ours[at]
        };
        recorded.len() == ours.len() && (0..ours.len()).all(same)
    }

    fn id(&mut self, recorded: &str, ours: &str, view: View) {
        let known = !view.learns() || self.ids.learn(recorded, ours);
        let loud = !matches!(view, View::Silent { .. });
        // Tokens have no letters that tell their kind.
        let token = self.place.last().is_some_and(|name| name.ends_with("Token")) && recorded.len() == ours.len();
        if loud && !(known && (token || shape::is_same_kind(recorded, ours))) {
            self.differ_here(Kind::Id, recorded, ours);
        }
    }

    /// Whether two addresses are of one shape. Pictures may lie anywhere.
    fn url(&mut self, recorded: (&str, &str, &str), ours: (&str, &str, &str), view: View) -> bool {
        let (host, path, query) = recorded;
        let own = self.origin.ends_with(host) && !path.contains("/img/");
        !own || (self.path(path, ours.1, view) && self.query(query, ours.2))
    }

    fn path(&mut self, recorded: &str, ours: &str, view: View) -> bool {
        let (recorded, ours): (Vec<&str>, Vec<&str>) = (recorded.split('/').collect(), ours.split('/').collect());
        let tile = recorded.get(1) == Some(&"home");
        let same = |ids: &mut Ids, recorded: &str, ours: &str| {
            // A drawn token may have no digit by chance.
            let (theirs, own) = (shape::is_id(recorded), shape::is_id(ours));
            let drawn = (theirs && own) || ((theirs || own) && shape::is_same_kind(recorded, ours));
            // Each of Okta's cells counts its app definitions by itself, and tiles end in such a number.
            let counted = tile && [recorded, ours].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
            ids.translate(recorded) == ours || counted || (drawn && (!view.learns() || ids.learn(recorded, ours)))
        };
        recorded.len() == ours.len() && recorded.iter().zip(ours).all(|(recorded, ours)| same(self.ids, recorded, ours))
    }

    /// The same parameters with the same values, but for cursors, which are learned.
    fn query(&mut self, recorded: &str, ours: &str) -> bool {
        let pairs = |query: &str| {
            let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            pairs.sort();
            pairs
        };
        let (recorded, ours) = (pairs(recorded), pairs(ours));
        let mut same = recorded.len() == ours.len();
        for ((name, value), (our_name, our_value)) in recorded.iter().zip(&ours) {
            if name == "after" && our_name == "after" {
                self.ids.learn_cursor(value, our_value);
            } else {
                same &= name == our_name && self.ids.translate(value) == *our_value;
            }
        }
        same
    }

    /// Compares an address in a header.
    pub fn address(&mut self, at: &str, recorded: &str, ours: &str) {
        let here = shape::one_org(recorded, self.origin).into_owned();
        let fits = match (shape::url(&here), shape::url(ours)) {
            (Some(here), Some(ours)) => self.url(here, ours, View::Whole),
            _ => false,
        };
        if !fits {
            self.differ(Kind::Header, at, recorded, ours);
        }
    }
}

/// The id under which an object is known; keys have a name of their own.
fn identity(object: &Map<String, Value>) -> Option<&str> {
    object.get("id").or_else(|| object.get("kid")).and_then(Value::as_str)
}

fn id_of(value: &Value) -> Option<&str> {
    value.as_object().and_then(identity)
}

fn same_type(one: &Value, other: &Value) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn fits(one: &Value, other: &Value) -> bool {
    same_type(one, other) || one.is_null() || other.is_null()
}

/// Whether two objects of two orgs are one by their name: Everyone is Everyone.
fn is_namesake(one: &Value, other: &Value) -> bool {
    const NAMES: [&str; 6] = ["/profile/login", "/profile/name", "/label", "/name", "/key", "/type"];
    let named = NAMES.iter().find_map(|at| Some((*at, one.pointer(at)?)));
    named.is_some_and(|(at, name)| name.is_string() && other.pointer(at) == Some(name))
}

fn shown(values: &[Value]) -> String {
    let noun = if values.len() == 1 { "value" } else { "values" };
    format!("{} {noun}", values.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MADE: &str = "00g1a2b3c4d5e6f7g8h9";
    const OURS: &str = "00gA1B2C3D4E5F6G7H8I";
    const OLD: &str = "00u1a2b3c4d5e6f7g8h9";
    const ADMIN: &str = "00uA1B2C3D4E5F6G7H8I";

    fn check(recorded: &Value, ours: &Value, expected: &[&str]) {
        let mut ids = Ids::new(["00gA1A1A1A1A1A1A1A1A".to_owned()].into());
        ids.make(MADE);
        ids.learn(MADE, OURS);
        ids.send(&json!({ "name": "a-name-of-the-client-77" }));
        let mut compare = Compare::new(&mut ids, "https://test.okta.com", Wish { sorted: true, filtered: false });
        compare.bodies(recorded, ours);
        let found: Vec<String> = compare.differences.iter().map(|d| format!("{} {}", d.kind.name(), d.at)).collect();
        assert_eq!(found, expected, "{recorded} and {ours}");
    }

    #[test]
    fn what_the_recording_made_is_compared_whole() {
        let made = json!({ "id": MADE, "name": "x", "created": "2026-01-02T03:04:05.000Z", "n": 1, "gone": null });
        let with = |name: &str, value: Value| {
            let mut ours =
                json!({ "id": OURS, "name": "x", "created": "2025-01-02T03:04:05.000Z", "n": 1, "gone": null });
            ours[name] = value;
            ours
        };
        check(&made, &with("n", json!(1)), &[]);
        check(&made, &with("n", json!(2)), &["value /n"]);
        check(&made, &with("n", json!("1")), &["type /n"]);
        check(&made, &with("name", json!("y")), &["value /name"]);
        check(&made, &with("gone", json!(1)), &["type /gone"]);
        check(&made, &with("more", json!(1)), &["extra /more"]);
        check(&made, &with("created", json!("2025-01-02")), &["value /created"]);
        check(&made, &with("id", json!(ADMIN)), &["id /id"]);
        check(&made, &json!({ "id": OURS }), &["missing /name", "missing /created", "missing /n", "missing /gone"]);
    }

    #[test]
    fn what_was_there_before_is_compared_by_its_shape() {
        let before = json!({ "id": OLD, "name": "x", "profile": { "a": 1 }, "last": null });
        check(&before, &json!({ "id": ADMIN, "name": "y", "profile": {}, "last": "z" }), &[]);
        check(&before, &json!({ "id": ADMIN, "name": 7, "profile": {}, "last": 1 }), &["type /name"]);
        check(&before, &json!({ "id": ADMIN, "name": "y", "profile": {} }), &["missing /last"]);
        check(&before, &json!({ "id": OURS, "name": "y", "profile": {}, "last": 1 }), &["id /id"]);
    }

    #[test]
    fn lists_hold_what_was_made() {
        let (made, ours) = (json!({ "id": MADE, "name": "x" }), json!({ "id": OURS, "name": "x" }));
        let (old, admin) = (json!({ "id": OLD, "name": "b" }), json!({ "id": ADMIN, "name": "a" }));
        check(&json!([made]), &json!([ours]), &[]);
        check(&json!([made]), &json!([]), &["list /0", "list the body"]);
        check(&json!([made]), &json!([ours, admin]), &["list the body"]);
        check(&json!([made, old]), &json!([admin, ours]), &[]);
        check(&json!([]), &json!([admin]), &["list the body"]);
        check(&json!([]), &json!([{ "id": "00gA1A1A1A1A1A1A1A1A" }]), &[]);
        check(&json!({ "items": ["a"] }), &json!({ "items": ["a", "b"] }), &["list /items"]);
    }

    #[test]
    fn texts_are_equal_but_for_what_the_service_draws() {
        let error = |id: &str| json!({ "errorId": id, "errorSummary": format!("no {MADE}") });
        let ours = json!({ "errorId": "oae1a2b3c4d5e6f7g8h9i0j1k", "errorSummary": format!("no {OURS}") });
        check(&error("oaeA1B2C3D4E5F6G7H8I9J0K1"), &ours, &[]);
        check(&error("oae_short_one_1234"), &ours, &["id /errorId"]);
        let link = |host: &str, path: &str| json!({ "href": format!("https://{host}/{path}") });
        check(
            &json!({ "errorId": "oaeSnBrvgOKSK-egLbdXTfTTA" }),
            &json!({ "errorId": "oaehsSkik12TSO3v0UBh9vBNA" }),
            &[],
        );
        check(&link("dev-1.okta.com", &format!("a/{MADE}")), &link("test.okta.com", &format!("a/{OURS}")), &[]);
        check(&link("dev-1.okta.com", "a/b"), &link("test.okta.com", "a/c"), &["value /href"]);
        check(&json!("a-name-of-the-client-77"), &json!("a-name-of-the-client-78"), &["value the body"]);
        check(&json!("<redacted:9>"), &json!("anything"), &[]);
        check(&json!("<redacted:9>"), &json!(""), &["value the body"]);
    }
}
