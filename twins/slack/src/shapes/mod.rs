//! Slack's objects as they go over the wire, in answers and events alike.

mod conversations;
mod messages;
mod people;

pub(crate) use conversations::{ChannelView, ConversationBody, Occasion, conversation};
pub(crate) use messages::{MessageBody, message, message_value};
pub(crate) use people::{UserBody, UserView, photo, profile, user};
