//! What a scenario does besides acting as a person: told in the ledger, so that checks and reports see it in its place.

use serde_json::{Map, Value};
use smol_str::SmolStr;

use crate::{
    ledger::{Event, Principal},
    universe::Universe,
};

/// Something that a scenario did, or how it came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// Who did it: a person by key or mail address; whoever runs the scenario where absent.
    pub actor: Option<SmolStr>,
    /// The entry that this is the outcome of; none where it begins.
    pub answers: Option<u64>,
    /// What: `http`, `cli`, `pick`, `target.kill`.
    pub action: SmolStr,
    /// The beat's name.
    pub name: SmolStr,
    /// More about it, under the names that calls have in the ledger.
    pub more: Map<String, Value>,
}

impl Act {
    /// From an entry as the ledger shows it.
    pub(crate) fn of_entry(entry: &Value) -> Self {
        const HEAD: [&str; 9] = ["seq", "at", "principal", "twin", "cause", "kind", "action", "name", "changes"];
        let text = |name: &str| SmolStr::from(entry[name].as_str().unwrap_or_default());
        let members = entry.as_object().into_iter().flatten();
        let more = members.filter(|(name, _)| !HEAD.contains(&name.as_str()));
        Self {
            actor: text("principal").strip_prefix("actor:").map(SmolStr::from),
            answers: entry["cause"].as_u64(),
            action: text("action"),
            name: text("name"),
            more: more.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }
}

impl Universe {
    /// Tells of an act in the ledger; gives back its entry. Nothing else comes of it.
    pub fn note_act(&self, act: &Act) -> u64 {
        // The lock is held so that the entry stands where it happened.
        let inner = self.lock();
        let principal = act.actor.clone().map_or(Principal::Operator, Principal::Actor);
        let Act { action, name, more, .. } = act.clone();
        let event = Event::Act { is_answer: act.answers.is_some(), action, name, more };
        self.ledger().append(inner.clock.now(), principal, "", act.answers, event, Vec::new())
    }
}
