//! What expressions see of a person in an org.

use smol_str::SmolStr;

use super::{Scope, Value};
use crate::model::{
    State,
    client::Client,
    linked,
    profile::Attribute,
    user::{Status, User},
};

/// A person, and the app that asks where one does.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// The org.
    pub state: &'a State,
    /// The person; none where an app acts for nobody.
    pub user: Option<&'a User>,
    /// The app.
    pub app: Option<&'a Client>,
}

impl Person<'_> {
    fn of(&self, user: &User, name: &str) -> Option<Value> {
        if let Some(attribute) = Attribute::find(name) {
            return Some(text(user.profile.get(attribute)));
        }
        if self.state.schemas.of_people(name).is_some() {
            let schema = self.state.schemas.get(self.state.users.type_of(user));
            let known = schema.is_some_and(|schema| schema.custom(name).is_some());
            let value = user.profile.custom().named(name).filter(|_| known);
            return Some(value.map_or(Value::Null, Value::from_json));
        }
        match name {
            "id" => Some(Value::text(user.id.clone())),
            "status" => Some(Value::text(user.status.text())),
            "userName" => Some(text(user.login())),
            _ => None,
        }
    }
}

/// An attribute without a value is nothing, not an empty text.
fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { Value::text(value) }
}

impl Scope for Person<'_> {
    fn attribute(&self, object: &str, name: &str) -> Option<Value> {
        match (object, self.user, self.app) {
            ("user" | "appuser", Some(user), _) => self.of(user, name),
            ("user" | "appuser", None, _) => {
                let known = Attribute::find(name).is_some() || self.state.schemas.of_people(name).is_some();
                (known || matches!(name, "id" | "status" | "userName")).then_some(Value::Null)
            }
            ("app", _, Some(app)) => match name {
                "clientId" => Some(Value::text(app.id.clone())),
                "name" | "label" => Some(Value::text(app.name.clone())),
                _ => None,
            },
            ("org", ..) => match name {
                "name" | "subDomain" => Some(Value::text(self.state.org.clone())),
                _ => None,
            },
            _ => None,
        }
    }

    fn attribute_of(&self, person: &str, name: &str) -> Option<Value> {
        match self.state.users.get(person) {
            Some(user) => self.of(user, name),
            None => Some(Value::Null),
        }
    }

    fn linked(&self, primary: &str) -> Option<SmolStr> {
        linked::primary_of(&self.state.links, &self.state.users, &self.user?.id, primary)
    }

    fn is_member(&self, group: &str) -> bool {
        let Some(user) = self.user else { return false };
        if self.state.groups.everyone == group {
            return user.status != Status::Deprovisioned;
        }
        self.state.members.contains(&SmolStr::new(group), &user.id)
    }

    fn groups(&self) -> Vec<(SmolStr, SmolStr)> {
        let Some(user) = self.user else { return Vec::new() };
        let everyone = (user.status != Status::Deprovisioned).then_some(&self.state.groups.everyone);
        let ids = everyone.into_iter().chain(self.state.members.of_user(&user.id));
        let found = ids.filter_map(|id| self.state.groups.get(id));
        let mut groups: Vec<_> = found.map(|group| (group.id.clone(), group.name.clone())).collect();
        groups.sort_by(|a, b| a.1.cmp(&b.1));
        groups
    }
}
