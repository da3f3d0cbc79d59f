//! Tests of the Slack twin through a universe in process: requests in, answers out.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod admin_apps;
mod admin_channels;
mod affordances;
mod agents;
mod answers;
mod attack;
mod audit;
mod blocks;
mod calls;
mod chat;
mod codes;
mod connect;
mod conversations;
mod deliveries;
mod desk;
mod dialogs;
mod documents;
mod enterprise;
mod files;
mod installs;
mod limits;
mod manifests;
mod marks;
mod menus;
mod office;
mod paging;
mod platform;
mod policies;
mod restrictions;
mod rtm;
mod scim;
mod search;
mod skills;
mod socket_mode;
mod subscriptions;
mod unfurls;
mod universe;
mod upkeep;
mod users;
mod validate;
mod webhooks;
mod windows;
mod work;
mod world;
