//! All twins together: the registry from which universes are made, and what crosses services.

use std::sync::Arc;

use dtu_kernel::{
    host::{Host, host},
    multiverse::Multiverse,
};

/// The names of all twins, in the order of their ports: a twin's port is the base plus its place, counted from 1.
/// The control plane has the base itself.
pub const NAMES: [&str; 7] =
    ["okta", "jira", "slack", "google-drive", "google-sheets", "google-docs", "google-identity"];

/// All twins that there are, with their numbers for ports.
pub fn all() -> Vec<(Arc<dyn Host>, u16)> {
    let twins = [host::<dtu_okta::Okta>(), host::<dtu_slack::Slack>()];
    twins.into_iter().map(numbered).collect()
}

fn numbered(host: Arc<dyn Host>) -> (Arc<dyn Host>, u16) {
    let place = NAMES.iter().position(|name| *name == host.name()).unwrap_or(NAMES.len());
    let number = u16::try_from(place + 1).unwrap_or(u16::MAX);
    (host, number)
}

/// Universes of all twins.
pub fn multiverse() -> Multiverse {
    Multiverse::new(all(), NAMES.to_vec())
}

/// Universes of the twins named, in the registry's order.
///
/// # Errors
/// The first name that is no twin's.
pub fn multiverse_of(names: &[String]) -> Result<Multiverse, String> {
    let all = all();
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|(host, _)| host.name() == *name)) {
        return Err(unknown.clone());
    }
    let wanted = all.into_iter().filter(|(host, _)| names.iter().any(|name| name == host.name()));
    Ok(Multiverse::new(wanted.collect(), NAMES.to_vec()))
}
