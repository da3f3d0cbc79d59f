//! People as Jira shows them, wherever it shows them.

use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

use crate::model::{State, account::Account};

/// What `expand` asks for besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expand {
    /// The groups by name.
    pub groups: bool,
    /// The application roles by name.
    pub roles: bool,
}

impl Expand {
    /// Reads a list with commas; words that mean nothing are passed over, as Jira passes over them.
    pub fn read(text: &str) -> Self {
        let asks = |word: &str| text.split(',').any(|part| part.trim() == word);
        Self { groups: asks("groups"), roles: asks("applicationRoles") }
    }
}

/// A person.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The person's URL.
    #[serde(rename = "self")]
    pub this: String,
    /// The account's id.
    #[schemars(with = "String")]
    pub account_id: SmolStr,
    /// `atlassian` for people.
    pub account_type: &'static str,
    /// The mail address.
    #[schemars(with = "String")]
    pub email_address: SmolStr,
    /// The avatar in four sizes.
    pub avatar_urls: AvatarUrls,
    /// The name that others see.
    #[schemars(with = "String")]
    pub display_name: SmolStr,
    /// Whether the person can sign in.
    pub active: bool,
    /// The person's IANA time zone.
    #[schemars(with = "String")]
    pub time_zone: SmolStr,
    /// The person's language.
    pub locale: &'static str,
    /// The person's groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Counted<GroupName>>,
    /// The products that the person may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_roles: Option<Counted<Role>>,
    /// What can be asked for besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expand: Option<&'static str>,
}

/// An avatar by its size in pixels.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AvatarUrls {
    /// Large.
    #[serde(rename = "48x48")]
    pub large: String,
    /// Small.
    #[serde(rename = "24x24")]
    pub small: String,
    /// Extra small.
    #[serde(rename = "16x16")]
    pub extra_small: String,
    /// Medium.
    #[serde(rename = "32x32")]
    pub medium: String,
}

/// A list that tells its length also where it shows nothing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Counted<T> {
    /// How many there are.
    pub size: usize,
    /// All of them, where they were asked for.
    pub items: Vec<T>,
}

/// A group's name.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupName {
    /// The name.
    #[schemars(with = "String")]
    pub name: SmolStr,
    /// The id.
    #[schemars(with = "String")]
    pub group_id: SmolStr,
    /// The group's URL.
    #[serde(rename = "self")]
    pub this: String,
}

/// The use of a product.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Role {
    /// The product.
    pub key: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// The only product of the site.
const PRODUCT: Role = Role { key: "jira-software", name: "Jira Software" };

/// A person as in lists.
pub fn user(account: &Account, origin: &str) -> User {
    User {
        this: format!("{origin}/rest/api/3/user?accountId={}", encoded(&account.id)),
        account_id: account.id.clone(),
        account_type: "atlassian",
        email_address: account.email.clone(),
        avatar_urls: avatar(account),
        display_name: account.display_name.clone(),
        active: account.active,
        time_zone: account.time_zone.clone(),
        locale: "en_US",
        groups: None,
        application_roles: None,
        expand: None,
    }
}

/// The same with what was asked for besides.
pub fn expanded(state: &State, account: &Account, origin: &str, expand: Expand) -> User {
    let whole = whole(state, account, origin, expand);
    let groups = whole.groups.filter(|_| expand.groups);
    User { groups, application_roles: whole.application_roles.filter(|_| expand.roles), expand: None, ..whole }
}

/// A person alone: the lengths of what can be asked for stand there in any case.
pub fn whole(state: &State, account: &Account, origin: &str, expand: Expand) -> User {
    let group = |group: &crate::model::group::Group| GroupName {
        name: group.name.clone(),
        group_id: group.id.clone(),
        this: format!("{origin}/rest/api/3/group?groupId={}", group.id),
    };
    let groups: Vec<GroupName> = state.groups.of(&account.id).map(group).collect();
    let roles = if account.active { vec![PRODUCT] } else { Vec::new() };
    User {
        groups: Some(counted(groups, expand.groups)),
        application_roles: Some(counted(roles, expand.roles)),
        expand: Some("groups,applicationRoles"),
        ..user(account, origin)
    }
}

fn counted<T>(items: Vec<T>, shown: bool) -> Counted<T> {
    Counted { size: items.len(), items: if shown { items } else { Vec::new() } }
}

/// Initials on one of seven colours, as Atlassian's avatar service draws them for those who have chosen no picture.
fn avatar(account: &Account) -> AvatarUrls {
    const SERVICE: &str = "https://avatar-management--avatars.us-west-2.prod.public.atl-paas.net/initials";
    let initials: String = account.display_name.split_whitespace().filter_map(|word| word.chars().next()).collect();
    let (initials, colour) = (encoded(&initials), account.id.bytes().map(u32::from).sum::<u32>() % 7);
    let url = |size: u8| format!("{SERVICE}/{initials}-{colour}.png?size={size}&s={size}");
    AvatarUrls { large: url(48), small: url(24), extra_small: url(16), medium: url(32) }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
