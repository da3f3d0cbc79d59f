//! Slack's objects as they go over the wire, in answers and events alike.

mod conversations;
mod files;
mod messages;
mod people;

pub(crate) use conversations::{ChannelView, ConversationBody, Occasion, conversation};
pub(crate) use files::{file, highlight, name_in_url, thumb_secret, thumb_stem};
pub(crate) use messages::{MessageBody, message, message_value};
pub(crate) use people::{UserBody, UserView, photo, profile, user};
