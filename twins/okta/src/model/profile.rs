//! User profiles: the attributes of the default user schema, and what may be in them.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Schema/.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;
use smol_str::SmolStr;

use super::schema::Custom;

/// What the default user schema says of an attribute.
#[derive(Debug)]
pub struct AttributeInfo {
    /// Its name in the profile.
    pub name: &'static str,
    /// Its title in the schema.
    pub title: &'static str,
    /// Whether a profile must have it.
    pub required: bool,
    /// The fewest characters; 0 where there is no bound.
    pub min: usize,
    /// The most characters; 0 where there is no bound.
    pub max: usize,
    /// The schema's `format`; empty where it has none.
    pub format: &'static str,
    /// What the person may do with it: `READ_WRITE`, `READ_ONLY` or `HIDE`.
    pub own: &'static str,
    /// Whether searches by it are served by an index.
    pub indexed: bool,
}

const fn attribute(name: &'static str, title: &'static str, own: &'static str) -> AttributeInfo {
    AttributeInfo { name, title, required: false, min: 0, max: 0, format: "", own, indexed: false }
}

impl AttributeInfo {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn length(mut self, min: usize, max: usize) -> Self {
        self.min = min;
        self.max = max;
        self
    }

    const fn format(mut self, format: &'static str) -> Self {
        self.format = format;
        self
    }

    const fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }
}

const OWN: &str = "READ_WRITE";
const SHOWN: &str = "READ_ONLY";
const HIDDEN: &str = "HIDE";

/// The attributes of the default user schema, in its order.
pub static ATTRIBUTES: [AttributeInfo; 31] = [
    attribute("login", "Username", SHOWN).required().length(5, 100).indexed(),
    attribute("firstName", "First name", OWN).required().length(1, 50).indexed(),
    attribute("lastName", "Last name", OWN).required().length(1, 50).indexed(),
    attribute("middleName", "Middle name", SHOWN),
    attribute("honorificPrefix", "Honorific prefix", SHOWN),
    attribute("honorificSuffix", "Honorific suffix", SHOWN),
    attribute("email", "Primary email", OWN).required().format("email").length(5, 100).indexed(),
    attribute("title", "Title", SHOWN).indexed(),
    attribute("displayName", "Display name", SHOWN).indexed(),
    attribute("nickName", "Nickname", SHOWN),
    attribute("profileUrl", "Profile Url", SHOWN).format("uri"),
    attribute("secondEmail", "Secondary email", OWN).format("email"),
    attribute("mobilePhone", "Mobile phone", OWN).length(0, 100).indexed(),
    attribute("primaryPhone", "Primary phone", HIDDEN).length(0, 100),
    attribute("streetAddress", "Street address", HIDDEN),
    attribute("city", "City", HIDDEN).indexed(),
    attribute("state", "State", HIDDEN),
    attribute("zipCode", "Zip code", HIDDEN),
    attribute("countryCode", "Country code", HIDDEN).format("country-code"),
    attribute("postalAddress", "Postal Address", HIDDEN),
    attribute("preferredLanguage", "Preferred language", SHOWN).format("language-code"),
    attribute("locale", "Locale", SHOWN).format("locale"),
    attribute("timezone", "Time zone", SHOWN).format("timezone"),
    attribute("userType", "User type", SHOWN).indexed(),
    attribute("employeeNumber", "Employee number", SHOWN).indexed(),
    attribute("costCenter", "Cost center", SHOWN).indexed(),
    attribute("organization", "Organization", SHOWN).indexed(),
    attribute("division", "Division", SHOWN).indexed(),
    attribute("department", "Department", SHOWN).indexed(),
    attribute("managerId", "ManagerId", SHOWN).indexed(),
    attribute("manager", "Manager", SHOWN).indexed(),
];

/// An attribute of the default user schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribute(u8);

impl Attribute {
    /// `login`.
    pub const LOGIN: Self = Self::known("login");
    /// `firstName`.
    pub const FIRST_NAME: Self = Self::known("firstName");
    /// `lastName`.
    pub const LAST_NAME: Self = Self::known("lastName");
    /// `email`.
    pub const EMAIL: Self = Self::known("email");
    /// `secondEmail`.
    pub const SECOND_EMAIL: Self = Self::known("secondEmail");
    /// `mobilePhone`.
    pub const MOBILE_PHONE: Self = Self::known("mobilePhone");
    /// `title`.
    pub const TITLE: Self = Self::known("title");
    /// `city`.
    pub const CITY: Self = Self::known("city");
    /// `timezone`.
    pub const TIMEZONE: Self = Self::known("timezone");
    /// `userType`.
    pub const USER_TYPE: Self = Self::known("userType");
    /// `employeeNumber`.
    pub const EMPLOYEE_NUMBER: Self = Self::known("employeeNumber");
    /// `department`.
    pub const DEPARTMENT: Self = Self::known("department");
    /// `managerId`.
    pub const MANAGER_ID: Self = Self::known("managerId");
    /// `manager`.
    pub const MANAGER: Self = Self::known("manager");

    /// Found when compiled: a name that is not in the table does not compile.
    const fn known(name: &'static str) -> Self {
        let mut at = 0;
        while at < ATTRIBUTES.len() {
            if same(ATTRIBUTES[at].name, name) {
                #[expect(clippy::cast_possible_truncation, reason = "the table has far fewer than 256 rows")]
                return Self(at as u8);
            }
            at += 1;
        }
        panic!("no such attribute")
    }

    /// The attribute of a name.
    pub fn find(name: &str) -> Option<Self> {
        let at = ATTRIBUTES.iter().position(|attribute| attribute.name == name)?;
        u8::try_from(at).ok().map(Self)
    }

    /// Its place in the schema.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// What the schema says of it.
    pub fn info(self) -> &'static AttributeInfo {
        &ATTRIBUTES[usize::from(self.0)]
    }

    /// All, in the schema's order.
    pub fn all() -> impl Iterator<Item = Self> {
        ATTRIBUTES.iter().filter_map(|attribute| Self::find(attribute.name))
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A profile: the attributes that have a value, in the schema's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The id of the type of people that it is of; empty for the default type.
    of: SmolStr,
    base: Vec<(Attribute, SmolStr)>,
    custom: Custom,
}

/// A value as a profile shows it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Shown<'a> {
    /// Of a base attribute; none where it is shown without a value.
    Base(Option<&'a str>),
    /// Of a custom attribute.
    Custom(&'a Value),
}

impl Profile {
    /// An empty profile of a type of people; of the default type where the id is empty.
    pub fn of_type(of: SmolStr) -> Self {
        Self { of, ..Self::default() }
    }

    /// The id of the type of people that it is of; empty for the default type.
    pub const fn of(&self) -> &SmolStr {
        &self.of
    }

    /// The values of custom attributes.
    pub const fn custom(&self) -> &Custom {
        &self.custom
    }

    /// Sets a custom attribute, by the number of its name; nothing takes it away.
    pub fn set_custom(&mut self, number: u32, name: &str, value: Option<Value>) {
        self.custom.set(number, name, value);
    }

    /// Takes the value of a custom attribute away.
    pub fn forget(&mut self, number: u32) {
        self.custom.forget(number);
    }

    /// The same profile with only these custom values.
    #[must_use]
    pub fn with_custom(&self, custom: Custom) -> Self {
        Self { custom, ..self.clone() }
    }

    /// An attribute's value; empty where it has none.
    pub fn get(&self, attribute: Attribute) -> &str {
        match self.base.binary_search_by_key(&attribute, |(key, _)| *key) {
            Ok(at) => &self.base[at].1,
            Err(_) => "",
        }
    }

    /// Sets an attribute; an empty value takes it away.
    pub fn set(&mut self, attribute: Attribute, value: &str) {
        match (self.base.binary_search_by_key(&attribute, |(key, _)| *key), value.is_empty()) {
            (Ok(at), true) => drop(self.base.remove(at)),
            (Ok(at), false) => self.base[at].1 = value.into(),
            (Err(_), true) => {}
            (Err(at), false) => self.base.insert(at, (attribute, value.into())),
        }
    }

    /// The base attributes that have a value.
    pub fn iter(&self) -> impl Iterator<Item = (Attribute, &SmolStr)> {
        self.base.iter().map(|(attribute, value)| (*attribute, value))
    }

    /// First and last name.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.get(Attribute::FIRST_NAME), self.get(Attribute::LAST_NAME)).trim().to_owned()
    }

    /// The profile as Okta shows it: names and values in its order, some there even without a value.
    pub fn shown(&self) -> impl Iterator<Item = (&str, Shown<'_>)> {
        use Attribute as A;
        const FIRST: [Attribute; 3] = [A::FIRST_NAME, A::LAST_NAME, A::MOBILE_PHONE];
        const LAST: [Attribute; 3] = [A::SECOND_EMAIL, A::LOGIN, A::EMAIL];
        let middle = self.iter().map(|(attribute, _)| attribute);
        let middle = middle.filter(|attribute| !FIRST.contains(attribute) && !LAST.contains(attribute));
        let base = |attribute: Attribute| {
            let value = self.get(attribute);
            (attribute.info().name, Shown::Base((!value.is_empty()).then_some(value)))
        };
        let custom = self.custom.iter().map(|(name, value)| (name.as_str(), Shown::Custom(value)));
        FIRST.into_iter().chain(middle).map(base).chain(custom).chain(LAST.into_iter().map(base))
    }

    /// What is wrong with the profile, as (field, message), in the order that Okta tells it.
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut problems = Vec::new();
        let required = Attribute::all().filter(|attribute| attribute.info().required);
        for attribute in required.filter(|attribute| self.get(*attribute).trim().is_empty()) {
            problems.push((attribute.info().name, "The field cannot be left blank"));
        }
        for (attribute, value) in self.iter() {
            let info = attribute.info();
            let length = value.chars().count();
            if info.max > 0 && length > info.max {
                problems.push((info.name, "The field is too long"));
            } else if length < info.min {
                problems.push((info.name, "The field is too short"));
            }
            if info.format == "email" && !is_email(value) {
                problems.push((info.name, "Does not match required pattern"));
            }
        }
        if !is_email(self.get(Attribute::LOGIN)) {
            problems.push(("login", "Username must be in the form of an email address"));
        }
        problems
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (attribute, value) in &self.base {
            map.serialize_entry(attribute.info().name, value)?;
        }
        for (name, value) in self.custom.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Whether a text has the form of a mail address.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
    plain(local) && plain(domain) && !domain.starts_with('.') && !domain.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(pairs: &[(&str, &str)]) -> Profile {
        let mut profile = Profile::default();
        for (name, value) in pairs {
            profile.set(Attribute::find(name).expect("is known"), value);
        }
        profile
    }

    #[test]
    fn problems_are_told_field_by_field() {
        let check = |pairs: &[(&str, &str)], fields: &[&str]| {
            let found: Vec<&str> = profile(pairs).problems().iter().map(|(field, _)| *field).collect();
            assert_eq!(found, fields, "{pairs:?}");
        };
        let good = [("login", "a.b@x.example"), ("email", "a.b@x.example"), ("firstName", "A"), ("lastName", "B")];
        let with = |pair| [good.as_slice(), &[pair]].concat();
        check(&good, &[]);
        check(&[], &["login", "firstName", "lastName", "email", "login"]);
        check(&with(("login", "nobody")), &["login"]);
        check(&with(("login", "a@b")), &["login"]);
        check(&with(("email", "a@b@c.example")), &["email"]);
        check(&with(("firstName", &"x".repeat(51))), &["firstName"]);
    }

    #[test]
    fn shown_in_okta_s_order() {
        let profile = profile(&[("login", "l"), ("email", "e"), ("nickName", "n"), ("firstName", "f")]);
        let names: Vec<&str> = profile.shown().map(|(name, _)| name).collect();
        assert_eq!(names, ["firstName", "lastName", "mobilePhone", "nickName", "secondEmail", "login", "email"]);
    }

    #[test]
    fn setting_nothing_takes_away() {
        let mut some = profile(&[("title", "Boss")]);
        some.set(Attribute::TITLE, "");
        assert_eq!(some, Profile::default());
    }
}
