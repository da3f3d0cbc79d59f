//! The kinds of administrator roles.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/guides/roles/#standard-roles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// What an administrator's role is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "OktaRoleType")]
pub enum RoleType {
    /// Everything.
    SuperAdmin,
    /// Everything but administrators, apps, authorization servers, mappings and hooks.
    OrgAdmin,
    /// Apps, and who may use them.
    AppAdmin,
    /// People and groups (Okta's pages call it group administrator).
    UserAdmin,
    /// Passwords, factors and sessions of people.
    HelpDeskAdmin,
    /// Looks, and changes nothing.
    ReadOnlyAdmin,
    /// Mobile devices.
    MobileAdmin,
    /// Authorization servers and OAuth apps.
    ApiAccessManagementAdmin,
    /// Reports and the System Log.
    ReportAdmin,
    /// Who is in which group.
    GroupMembershipAdmin,
    /// Workflows.
    WorkflowsAdmin,
    /// Campaigns of access certifications.
    AccessCertificationsAdmin,
    /// Access requests.
    AccessRequestsAdmin,
    /// A role that the org has made itself.
    Custom,
}

impl RoleType {
    /// All, with their names and labels. Labels of two are recorded, the others are from help.okta.com.
    const ALL: [(Self, &'static str, &'static str); 14] = [
        (Self::SuperAdmin, "SUPER_ADMIN", "Super Administrator"),
        (Self::OrgAdmin, "ORG_ADMIN", "Organization Administrator"),
        (Self::AppAdmin, "APP_ADMIN", "Application Administrator"),
        (Self::UserAdmin, "USER_ADMIN", "User Administrator"),
        (Self::HelpDeskAdmin, "HELP_DESK_ADMIN", "Help Desk Administrator"),
        (Self::ReadOnlyAdmin, "READ_ONLY_ADMIN", "Read-only Administrator"),
        (Self::MobileAdmin, "MOBILE_ADMIN", "Mobile Administrator"),
        (Self::ApiAccessManagementAdmin, "API_ACCESS_MANAGEMENT_ADMIN", "API Access Management Administrator"),
        (Self::ReportAdmin, "REPORT_ADMIN", "Report Administrator"),
        (Self::GroupMembershipAdmin, "GROUP_MEMBERSHIP_ADMIN", "Group Membership Administrator"),
        (Self::WorkflowsAdmin, "WORKFLOWS_ADMIN", "Workflows Administrator"),
        (Self::AccessCertificationsAdmin, "ACCESS_CERTIFICATIONS_ADMIN", "Access Certifications Administrator"),
        (Self::AccessRequestsAdmin, "ACCESS_REQUESTS_ADMIN", "Access Requests Administrator"),
        (Self::Custom, "CUSTOM", "Custom"),
    ];

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        Self::ALL.iter().find(|row| row.0 == self).expect("each kind has a row")
    }

    /// The kind of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// As Okta writes it.
    pub fn text(self) -> &'static str {
        self.row().1
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        self.row().2
    }

    /// Whether it can be narrowed to groups.
    pub const fn takes_groups(self) -> bool {
        matches!(self, Self::UserAdmin | Self::HelpDeskAdmin | Self::GroupMembershipAdmin)
    }

    /// The id of its assignments: its name in base32 without padding, as recorded of two kinds.
    pub fn assignment(self) -> SmolStr {
        base32(self.text().as_bytes()).into()
    }
}

/// Base32 without padding (RFC 4648).
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let letters = (bytes.len() * 8).div_ceil(5);
    let value = |letter: usize| (0..5).fold(0, |value, at| value * 2 + usize::from(bit(letter * 5 + at)));
    (0..letters).map(|letter| char::from(ALPHABET[value(letter)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_of_standard_roles_are_named_after_them() {
        let check = |kind: RoleType, id: &str| assert_eq!(kind.assignment(), id);
        check(RoleType::UserAdmin, "KVJUKUS7IFCE2SKO");
        check(RoleType::AppAdmin, "IFIFAX2BIRGUSTQ");
        check(RoleType::HelpDeskAdmin, "JBCUYUC7IRCVGS27IFCE2SKO");
    }

    #[test]
    fn kinds_are_found_by_their_names() {
        for (kind, name, _) in RoleType::ALL {
            assert_eq!((RoleType::find(name), kind.text()), (Some(kind), name));
            assert_eq!(serde_json::to_value(kind).expect("serializes"), name);
        }
        assert_eq!(RoleType::find("KING"), None);
    }
}
