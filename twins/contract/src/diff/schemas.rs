//! Two schemas, part by part.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::{
    change::{Log, Reason, Subject, join},
    effective::effective,
    limits,
    uses::Uses,
};
use crate::{
    contract::Document,
    schema::{Additional, Schema},
};

/// A comparison of two schemas being made.
pub(super) struct Comparison<'a> {
    old: &'a Document,
    new: &'a Document,
    log: &'a mut Log,
    /// What has been compared through differing references: ends circles, and tells each difference once.
    followed: BTreeSet<(Vec<SmolStr>, Vec<SmolStr>, Uses)>,
}

impl<'a> Comparison<'a> {
    pub(super) const fn new(old: &'a Document, new: &'a Document, log: &'a mut Log) -> Self {
        Self { old, new, log, followed: BTreeSet::new() }
    }

    /// All that differs between two schemas.
    pub(super) fn schemas(&mut self, old: &Schema, new: &Schema, at: &str, uses: Uses) {
        if old == new {
            // What the references lead to is compared on its own.
            return;
        }
        let same_parts = old.all_of.len() == new.all_of.len()
            && old.all_of.iter().zip(&new.all_of).all(|(old, new)| old.reference == new.reference);
        if old.reference == new.reference && same_parts {
            for (index, (old, new)) in old.all_of.iter().zip(&new.all_of).enumerate() {
                self.schemas(old, new, &join(&join(at, "allOf"), &index.to_string()), uses);
            }
            self.facts(old, new, at, uses);
            return;
        }
        let (from, to) = (references(old), references(new));
        // Where one side has no references, its own depth is the end.
        if from.is_empty() || to.is_empty() || self.followed.insert((from, to, uses)) {
            self.facts(&effective(self.old, old), &effective(self.new, new), at, uses);
        }
    }

    fn facts(&mut self, old: &Schema, new: &Schema, at: &str, uses: Uses) {
        limits::compare(old, new, at, uses, self.log);
        self.items(old, new, at, uses);
        self.members(old, new, at, uses);
        self.additional(old, new, at, uses);
        self.alternatives(&old.one_of, &new.one_of, &join(at, "oneOf"), uses);
        self.alternatives(&old.any_of, &new.any_of, &join(at, "anyOf"), uses);
        if old.not != new.not {
            let reason = Reason::breaks("requests that were taken may be refused").when(uses.request);
            self.log.changed(&join(at, "not"), reason, "what it must not be is another");
        }
        self.discriminator(old, new, at, uses);
    }

    fn items(&mut self, old: &Schema, new: &Schema, at: &str, uses: Uses) {
        let any = Schema::default();
        let (old, new) = (old.items.as_deref().unwrap_or(&any), new.items.as_deref().unwrap_or(&any));
        self.schemas(old, new, &join(at, "items"), uses);
    }

    fn members(&mut self, old: &Schema, new: &Schema, at: &str, uses: Uses) {
        let place = join(at, "properties");
        for (name, member) in &old.properties {
            let at = join(&place, name);
            let uses = uses.of_member(self.old, member);
            let Some(other) = new.properties.get(name) else {
                let read = Reason::breaks("clients read it").when(uses.response);
                let set = Reason::breaks("requests set it").when(uses.request);
                self.log.removed(&at, read.or(set), format!("member `{name}` is gone"));
                continue;
            };
            self.schemas(member, other, &at, uses);
        }
        for (name, member) in new.properties.iter().filter(|(name, _)| !old.properties.contains_key(*name)) {
            let uses = uses.of_member(self.new, member);
            let required = new.required.contains(name);
            let reason = Reason::breaks("requests do not have it").when(required && uses.request);
            let word = if required { "required member" } else { "member" };
            self.log.added(&join(&place, name), reason, format!("{word} `{name}` is new"));
        }
        self.required(old, new, at, uses);
    }

    /// Members that must be there now, or need not any more; those that are new or gone are told already.
    fn required(&mut self, old: &Schema, new: &Schema, at: &str, uses: Uses) {
        let place = join(at, "required");
        let uses_of = |document: &Document, schema: &Schema, name: &SmolStr| {
            let member = schema.properties.get(name);
            member.map_or(uses, |member| uses.of_member(document, member))
        };
        let is_told = |name: &SmolStr| old.properties.contains_key(name) != new.properties.contains_key(name);
        for name in new.required.iter().filter(|name| !old.required.contains(name) && !is_told(name)) {
            let reason = Reason::breaks("requests may not have it").when(uses_of(self.new, new, name).request);
            self.log.added(&place, reason, format!("member `{name}` must be there now"));
        }
        for name in old.required.iter().filter(|name| !new.required.contains(name) && !is_told(name)) {
            let reason = Reason::breaks("clients rely on it").when(uses_of(self.old, old, name).response);
            self.log.removed(&place, reason, format!("member `{name}` need not be there any more"));
        }
    }

    fn additional(&mut self, old: &Schema, new: &Schema, at: &str, uses: Uses) {
        let at = &join(at, "additionalProperties");
        let any = Schema::default();
        let of = |additional: &Option<Additional>| match additional {
            Some(Additional::Allowed(false)) => None,
            Some(Additional::Of(of)) => Some((**of).clone()),
            Some(Additional::Allowed(true)) | None => Some(any.clone()),
        };
        match (of(&old.additional), of(&new.additional)) {
            (Some(old), Some(new)) => self.schemas(&old, &new, at, uses),
            (Some(_), None) => {
                let reason = Reason::breaks("requests with other members are refused").when(uses.request);
                self.log.removed(at, reason, "no other members may be there any more");
            }
            (None, Some(_)) => self.log.added(at, Reason::None, "other members may be there now"),
            (None, None) => {}
        }
    }

    /// Alternatives are matched by what they refer to; those without a reference by their order.
    fn alternatives(&mut self, old: &[Schema], new: &[Schema], at: &str, uses: Uses) {
        let (old, new) = (keyed(old), keyed(new));
        match (old.is_empty(), new.is_empty()) {
            (true, true) => return,
            (true, false) => {
                let reason = Reason::breaks("requests may follow none of them").when(uses.request);
                return self.log.added(at, reason, "it must follow one of several alternatives now");
            }
            (false, true) => return self.log.removed(at, Reason::None, "it need follow no alternative any more"),
            (false, false) => {}
        }
        let mut unmatched: Vec<_> = new.iter().filter(|(key, _)| !old.iter().any(|(other, _)| other == key)).collect();
        for (key, schema) in &old {
            let at = join(at, key);
            if let Some((_, other)) = new.iter().find(|(other, _)| other == key) {
                self.schemas(schema, other, &at, uses);
            } else if let Some(same) = unmatched.iter().position(|(_, other)| self.is_same(schema, other, uses)) {
                unmatched.remove(same);
            } else {
                let reason = Reason::breaks("requests may follow it").when(uses.request);
                self.log.removed(&at, reason, format!("alternative {key} is gone"));
            }
        }
        for (key, _) in unmatched {
            let reason = Reason::MayBreak("clients do not know it").when(uses.response);
            self.log.added(&join(at, key), reason, format!("alternative {key} is new"));
        }
    }

    /// Whether two schemas say the same under other names.
    fn is_same(&self, old: &Schema, new: &Schema, uses: Uses) -> bool {
        let mut log = Log::new(&self.old.name, Subject::Document);
        let mut trial = Comparison { followed: self.followed.clone(), ..Comparison::new(self.old, self.new, &mut log) };
        trial.schemas(old, new, "", uses);
        log.into_changes().is_empty()
    }

    fn discriminator(&mut self, old: &Schema, new: &Schema, at: &str, uses: Uses) {
        let at = &join(at, "discriminator");
        let (old, new) = match (&old.discriminator, &new.discriminator) {
            (None, None) => return,
            (Some(old), Some(new)) if old.property == new.property => (old, new),
            (before, _) => {
                let reason = Reason::breaks("clients tell the alternatives apart by it").when(before.is_some());
                return self.log.changed(at, reason, "alternatives are told apart in another way");
            }
        };
        // The schemas behind the values are compared on their own.
        for value in old.mapping.keys().filter(|value| !new.mapping.contains_key(*value)) {
            let reason = Reason::breaks("requests may have it").when(uses.request);
            self.log.removed(&join(at, value), reason, format!("kind `{value}` is gone"));
        }
        for value in new.mapping.keys().filter(|value| !old.mapping.contains_key(*value)) {
            let reason = Reason::MayBreak("clients do not know it").when(uses.response);
            self.log.added(&join(at, value), reason, format!("kind `{value}` is new"));
        }
    }
}

/// What a schema is put together from.
fn references(schema: &Schema) -> Vec<SmolStr> {
    let parts = schema.all_of.iter().flat_map(references);
    schema.reference.iter().cloned().chain(parts).collect()
}

fn keyed(alternatives: &[Schema]) -> Vec<(String, &Schema)> {
    let mut unnamed = 0..;
    let key = |schema: &Schema| match &schema.reference {
        Some(name) => name.to_string(),
        None => unnamed.next().unwrap_or(0).to_string(),
    };
    let keys: Vec<String> = alternatives.iter().map(key).collect();
    keys.into_iter().zip(alternatives).collect()
}
