//! All twins together: the registry from which universes are made, and what crosses services.

use std::sync::Arc;

use dtu_kernel::{
    host::{Host, host},
    multiverse::Multiverse,
    world::SERVICES,
};

/// All twins that there are, in the order of their ports.
pub fn all() -> Vec<Arc<dyn Host>> {
    vec![host::<dtu_okta::Okta>(), host::<dtu_slack::Slack>()]
}

/// Universes of all twins.
pub fn multiverse() -> Multiverse {
    Multiverse::new(all().into_iter().map(numbered).collect())
}

/// Universes of the twins named.
///
/// # Errors
/// The first name that is no twin's.
pub fn multiverse_of(names: &[String]) -> Result<Multiverse, String> {
    let all = all();
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|host| host.name() == *name)) {
        return Err(unknown.clone());
    }
    let wanted = all.into_iter().filter(|host| names.iter().any(|name| name == host.name()));
    Ok(Multiverse::new(wanted.map(numbered).collect()))
}

/// A twin with its number for ports.
fn numbered(host: Arc<dyn Host>) -> (Arc<dyn Host>, u16) {
    let place = SERVICES.iter().position(|name| *name == host.name()).unwrap_or(SERVICES.len());
    let number = u16::try_from(place + 1).unwrap_or(u16::MAX);
    (host, number)
}
