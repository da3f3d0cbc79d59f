//! What an app is told of people: their name in it, and attribute statements.
//!
//! Values are expressions, or texts with expressions in `${}`.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/ (`SamlAttributeStatement`) and
//! developer.okta.com/docs/reference/okta-expression-language/.

use serde_json::Value;
use smol_str::SmolStr;

use super::{
    message::{Attribute, AttributeValue},
    settings::Settings,
};
use crate::{
    expression::{self, Scope},
    model::{State, app::App, assignment::Use, profile, user::User},
    views,
};

/// Names of attributes are plain texts, where nobody says.
pub(crate) const FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified";

/// Whom an app is told of.
pub(crate) struct Subject<'a> {
    /// The org.
    pub(crate) state: &'a State,
    /// The app.
    pub(crate) app: &'a App,
    /// The person.
    pub(crate) user: &'a User,
    /// The person's use of the app.
    pub(crate) found: &'a Use,
}

/// Why an app cannot be told of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    /// What of the settings is at fault.
    pub(crate) what: String,
}

impl Scope for Subject<'_> {
    /// `user.userName` is the name in the app, as in user name templates.
    fn attribute(&self, object: &str, name: &str) -> Option<expression::Value> {
        let text = |text: &str| Some(expression::Value::text(text));
        match (object, name) {
            ("user" | "appuser", "userName") => text(self.found.user_name.as_deref().unwrap_or_default()),
            ("user" | "source", "id") => text(&self.user.id),
            ("user" | "source", name) => own(self.user, name),
            ("appuser", name) => self.found.profile.get(name).map(expression::Value::from_json),
            ("app", "name" | "label") => text(&self.app.label),
            ("app", "id" | "clientId") => text(&self.app.id),
            ("org", "name" | "subDomain") => text(&self.state.org),
            ("org", "externalKey") => text(&super::key(&self.app.id)),
            _ => None,
        }
    }

    fn attribute_of(&self, person: &str, name: &str) -> Option<expression::Value> {
        own(self.state.users.get(person)?, name)
    }

    fn linked(&self, _: &str) -> Option<SmolStr> {
        None
    }

    fn is_member(&self, group: &str) -> bool {
        self.groups().iter().any(|(id, _)| id == group)
    }

    fn groups(&self) -> Vec<(SmolStr, SmolStr)> {
        let ids = [&self.state.groups.everyone].into_iter().chain(self.state.members.of_user(&self.user.id));
        let named = |id: &SmolStr| self.state.groups.get(id).map(|group| (id.clone(), group.name.clone()));
        ids.filter_map(named).collect()
    }
}

/// An attribute of a person; null where the person has none.
fn own(user: &User, name: &str) -> Option<expression::Value> {
    let value = user.profile.get(profile::Attribute::find(name)?);
    Some(if value.is_empty() { expression::Value::Null } else { expression::Value::text(value) })
}

impl Subject<'_> {
    /// What the person is called in the app.
    pub(crate) fn name(&self, settings: &Settings<'_>) -> Result<String, Bad> {
        let bad = || Bad { what: "subjectNameIdTemplate".to_owned() };
        let names = self.values(settings.name).map_err(|()| bad())?;
        names.into_iter().next().filter(|name| !name.is_empty()).ok_or_else(bad)
    }

    /// What else the app is told. Attributes that a person lacks are left out.
    pub(crate) fn attributes(&self, settings: &Settings<'_>) -> Result<Vec<Attribute>, Bad> {
        let mut told = Vec::new();
        for statement in &settings.statements {
            let name = statement["name"].as_str().unwrap_or_default().to_owned();
            let values = match statement["type"].as_str() {
                Some("GROUP") => self.group_names(statement),
                _ => self.expressions(statement),
            };
            let values = values.ok_or_else(|| Bad { what: name.clone() })?;
            let format = statement["namespace"].as_str().unwrap_or(FORMAT).to_owned();
            if !values.is_empty() {
                let values = values.into_iter().map(AttributeValue::text).collect();
                told.push(Attribute { name, format, values });
            }
        }
        Ok(told)
    }

    fn expressions(&self, statement: &Value) -> Option<Vec<String>> {
        let texts = statement["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut values = Vec::new();
        for text in texts {
            values.extend(self.values(text).ok()?);
        }
        Some(values)
    }

    fn group_names(&self, statement: &Value) -> Option<Vec<String>> {
        let pattern = statement["filterValue"].as_str().unwrap_or_default();
        let names = views::group_names(self.state, self.user).into_iter();
        let kept: Vec<SmolStr> = match statement["filterType"].as_str().unwrap_or("STARTS_WITH") {
            "EQUALS" => names.filter(|name| name == pattern).collect(),
            "CONTAINS" => names.filter(|name| name.contains(pattern)).collect(),
            "STARTS_WITH" => names.filter(|name| name.starts_with(pattern)).collect(),
            "REGEX" => {
                // Java's patterns must fit the whole name.
                let whole = fancy_regex::Regex::new(&format!("^(?:{pattern})$")).ok()?;
                names.filter(|name| whole.is_match(name.as_str()).unwrap_or(false)).collect()
            }
            _ => return None,
        };
        Some(kept.into_iter().map(String::from).collect())
    }

    /// What a text of the settings comes to: none where the person lacks what it asks for.
    fn values(&self, text: &str) -> Result<Vec<String>, ()> {
        let text = text.trim();
        if text.contains("${") {
            return self.filled(text).map(|text| if text.is_empty() { Vec::new() } else { vec![text] });
        }
        // A word that is no expression stands for itself.
        let literal = text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '@' | ':' | '/'));
        if literal { Ok(vec![text.to_owned()]) } else { self.evaluated(text) }
    }

    /// A text with what stands in `${}` evaluated.
    fn filled(&self, text: &str) -> Result<String, ()> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            let (inner, after) = behind.split_once('}').ok_or(())?;
            out.push_str(before);
            out.push_str(&self.evaluated(inner)?.concat());
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn evaluated(&self, text: &str) -> Result<Vec<String>, ()> {
        let tree = expression::parse(text).map_err(drop)?;
        let value = expression::evaluate(&tree, self).map_err(drop)?;
        Ok(match value {
            expression::Value::Null => Vec::new(),
            expression::Value::List(all) => all.iter().map(expression::Value::shown).collect(),
            other => Some(other.shown()).filter(|text| !text.is_empty()).into_iter().collect(),
        })
    }
}
