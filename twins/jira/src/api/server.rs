//! The site itself.

use dtu_kernel::operation::Typed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Answered, Cx};
use crate::model::time;

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Nothing {}

/// What the site is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerInformation {
    /// The site's address.
    #[schemars(with = "String")]
    pub base_url: SmolStr,
    /// The address that people see.
    #[schemars(with = "String")]
    pub display_url: SmolStr,
    /// The address of its service desk.
    #[schemars(with = "String")]
    pub display_url_servicedesk_help_center: SmolStr,
    /// The address of its Confluence.
    #[schemars(with = "String")]
    pub display_url_confluence: SmolStr,
    /// The version.
    pub version: &'static str,
    /// The same in numbers.
    pub version_numbers: [u32; 3],
    /// `Cloud`.
    pub deployment_type: &'static str,
    /// The number of the build.
    pub build_number: u32,
    /// When it was made.
    pub build_date: String,
    /// The time on the site.
    pub server_time: String,
    /// The revision that the build was made from.
    #[schemars(with = "String")]
    pub scm_info: SmolStr,
    /// The site's name.
    pub server_title: &'static str,
    /// The language for those who have chosen none.
    pub default_locale: Locale,
    /// The site's IANA time zone.
    #[schemars(with = "String")]
    pub server_time_zone: SmolStr,
}

/// A language.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Locale {
    /// Its code.
    pub locale: &'static str,
}

/// `getServerInfo`. The site's address is the one that the caller used, so that links lead back to the twin.
pub fn info(cx: &Cx<'_>, _: Nothing) -> Answered<ServerInformation> {
    let (state, origin) = (cx.state, &cx.scene.request.origin);
    Ok(Typed::ok(&ServerInformation {
        base_url: origin.clone(),
        display_url: origin.clone(),
        display_url_servicedesk_help_center: origin.clone(),
        display_url_confluence: origin.clone(),
        version: "1001.0.0-SNAPSHOT",
        version_numbers: [1001, 0, 0],
        deployment_type: "Cloud",
        build_number: 100_280,
        build_date: time::local(state.build.made, &state.time_zone),
        server_time: time::local(cx.scene.now, &state.time_zone),
        scm_info: state.build.revision.clone(),
        server_title: "Jira",
        default_locale: Locale { locale: "en_US" },
        server_time_zone: state.time_zone.clone(),
    }))
}
