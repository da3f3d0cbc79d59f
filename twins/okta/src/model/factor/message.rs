//! What was sent to people: codes by text message, call and mail. People read them; programs under test never do.

use std::sync::Arc;

use dtu_kernel::{table::Changes, time::Timestamp};
use serde::Serialize;
use smol_str::SmolStr;

use super::{Factors, Kind};

/// How many messages are kept of each person.
const KEPT: usize = 20;

/// A message with a code.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Whose it is.
    pub user: SmolStr,
    /// The factor's id.
    pub factor: SmolStr,
    /// By what way it went.
    pub kind: Kind,
    /// The number or address that it went to.
    pub to: SmolStr,
    /// The code.
    #[serde(skip)]
    pub code: SmolStr,
    /// The custom template that the caller asked for.
    pub template: Option<SmolStr>,
    /// The language that the caller asked for.
    pub language: Option<SmolStr>,
    /// When it was sent.
    pub sent: Timestamp,
    /// When its code ends.
    pub expires: Timestamp,
}

impl Factors {
    /// A person's messages, the oldest first.
    pub fn messages(&self, user: &str) -> Vec<Arc<Message>> {
        let user = SmolStr::new(user);
        let rows = self.messages.range((user.clone(), 0)..);
        rows.take_while(|((of, _), _)| *of == user).map(|(_, message)| Arc::clone(message)).collect()
    }

    /// All messages, by person. For views.
    pub fn all_messages(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.messages.iter().map(|(_, message)| message)
    }

    /// When something was last sent to an address.
    pub(super) fn last_sent(&self, kind: Kind, to: &SmolStr) -> Option<Timestamp> {
        self.sent.get(&(kind, to.clone())).copied()
    }

    /// Takes a message to be sent; the person's oldest ones go.
    pub(super) fn send(&mut self, changes: &mut Changes, message: Message) {
        let user = message.user.clone();
        self.sent.insert((message.kind, message.to.clone()), message.sent);
        self.messages.put(changes, (user.clone(), self.next_message), message);
        self.next_message += 1;
        let rows = self.messages.range((user.clone(), 0)..).take_while(|((of, _), _)| *of == user);
        let keys: Vec<_> = rows.map(|(key, _)| key.clone()).collect();
        for key in keys.iter().take(keys.len().saturating_sub(KEPT)) {
            self.messages.remove(changes, key);
        }
    }
}
