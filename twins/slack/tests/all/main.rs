//! Tests of the Slack twin through a universe in process: requests in, answers out.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod affordances;
mod attack;
mod blocks;
mod calls;
mod chat;
mod codes;
mod conversations;
mod deliveries;
mod desk;
mod files;
mod marks;
mod paging;
mod search;
mod socket_mode;
mod universe;
mod users;
mod windows;
mod world;
