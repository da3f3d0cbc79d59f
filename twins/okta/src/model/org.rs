//! What kind of org this is: what its answers show depends on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// What an org runs on.
///
/// See help.okta.com/oie/en-us/content/topics/identity-engine/oie-index.htm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OktaEngine")]
pub enum Engine {
    /// Okta Identity Engine: every org made since March 2022, and most others by now.
    #[default]
    Identity,
    /// Classic Engine, as recorded in 2020: apps and people show less than they do today.
    Classic,
}

/// The kind of an org.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrgKind {
    /// What it runs on.
    pub engine: Engine,
    /// The id of the default realm, which people show in orgs with Okta Identity Governance; none in others. Apps of
    /// such orgs say whether entitlements are managed and whether they can be logged out of.
    pub realm: Option<SmolStr>,
}

impl OrgKind {
    /// Whether it runs on the Classic Engine.
    pub fn is_classic(&self) -> bool {
        self.engine == Engine::Classic
    }

    /// Whether it has Okta Identity Governance.
    pub const fn is_governed(&self) -> bool {
        self.realm.is_some()
    }
}
