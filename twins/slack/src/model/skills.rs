//! Slackbot's skills: canvases that say how to do something, and who has them turned on.
//!
//! <https://docs.slack.dev/ai/slackbot-skills>

use std::sync::Arc;

use dtu_kernel::tx::Tx;
use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::State;

/// What skills are about.
pub(crate) const CATEGORIES: &[&str] = &[
    "communication",
    "customer_support",
    "data_and_analytics",
    "engineering",
    "other",
    "product_management",
    "productivity",
    "professional_development",
    "project_management",
    "sales",
    "system",
    "team_management",
];

/// For whom a skill is turned on without their asking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Nobody.
    #[default]
    NoOne,
    /// Everybody.
    Everyone,
    /// The people of user groups.
    Groups(Vec<SmolStr>),
}

/// A skill. What it says is in the canvas of the same id.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Skill {
    /// Who made it.
    pub creator: SmolStr,
    /// What people see.
    pub display_name: SmolStr,
    /// When Slackbot should use it.
    pub description: SmolStr,
    /// What it is about; empty where nobody said.
    pub category: SmolStr,
    /// How one asks for it.
    pub example_prompt: SmolStr,
    /// The apps that it needs, as they were named.
    pub mcp_servers: Arc<Value>,
    /// Whether it is in the organization's catalogue.
    pub published: bool,
    /// Whether everybody may read it: what was in the catalogue once stays so.
    pub shared: bool,
    /// For whom it is turned on.
    pub audience: Audience,
    /// When it was made, in seconds.
    pub created: i64,
    /// When it was changed, in seconds.
    pub updated: i64,
}

/// Turns a skill on or off for somebody.
pub(crate) fn turn(state: &mut State, tx: &mut Tx<'_>, skill: &SmolStr, user: &SmolStr, on: bool) {
    state.content.library.put(&mut tx.changes, (skill.clone(), user.clone()), on);
}

/// Forgets the skill of a canvas that is deleted, in every library.
pub(crate) fn forget(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    if state.content.skills.remove(&mut tx.changes, id).is_none() {
        return;
    }
    let rows = state.content.library.range((id.clone(), SmolStr::default())..);
    let keys: Vec<(SmolStr, SmolStr)> = rows.map(|(key, _)| key).take_while(|key| key.0 == *id).cloned().collect();
    for key in keys {
        state.content.library.remove(&mut tx.changes, &key);
    }
}

impl State {
    /// Whether somebody has a skill turned on: what the person chose goes before what administrators set.
    pub fn has_skill(&self, id: &SmolStr, skill: &Skill, user: &SmolStr) -> bool {
        if let Some(on) = self.content.library.get(&(id.clone(), user.clone())) {
            return **on;
        }
        match &skill.audience {
            Audience::NoOne => false,
            Audience::Everyone => true,
            Audience::Groups(groups) => {
                groups.iter().any(|group| self.index.groups_of.contains(&(user.clone(), group.clone())))
            }
        }
    }
}
