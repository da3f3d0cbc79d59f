//! People as they are told of.

use dtu_kernel::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};

use crate::{
    model::{
        State,
        people::{Role, SLACKBOT, User},
    },
    text,
};

/// A user.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct UserBody {
    id: SmolStr,
    name: SmolStr,
    is_bot: bool,
    updated: i64,
    is_app_user: bool,
    team_id: SmolStr,
    deleted: bool,
    #[serde(flatten)]
    active: Option<ActiveBody>,
    profile: Profile,
    #[serde(skip_serializing_if = "Option::is_none")]
    enterprise_user: Option<EnterpriseUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'static str>,
}

/// What a user is in the organization.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct EnterpriseUser {
    id: SmolStr,
    enterprise_id: SmolStr,
    enterprise_name: SmolStr,
    is_admin: bool,
    is_owner: bool,
    is_primary_owner: bool,
    teams: Vec<SmolStr>,
}

impl EnterpriseUser {
    /// None where there is no organization. Its owner and administrators are those of the home.
    fn new(state: &State, user: &User) -> Option<Self> {
        let org = state.enterprise.org.as_ref()?;
        let from = (user.id.clone(), SmolStr::default());
        let others = state.enterprise.index.seats_of.range(from..).take_while(|seat| seat.0 == user.id);
        Some(Self {
            id: user.id.clone(),
            enterprise_id: org.id.clone(),
            enterprise_name: org.name.clone(),
            is_admin: user.is_admin(),
            is_owner: user.is_owner(),
            is_primary_owner: user.role == Role::PrimaryOwner,
            teams: std::iter::once(&state.workspace.id).chain(others.map(|seat| &seat.1)).cloned().collect(),
        })
    }
}

/// What is told of users whose account is not deactivated.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are Slack's")]
pub(crate) struct ActiveBody {
    color: SmolStr,
    is_email_confirmed: bool,
    real_name: SmolStr,
    tz: SmolStr,
    tz_label: SmolStr,
    tz_offset: i32,
    is_admin: bool,
    is_owner: bool,
    is_primary_owner: bool,
    is_restricted: bool,
    is_ultra_restricted: bool,
    has_2fa: bool,
    who_can_share_contact_card: &'static str,
}

/// What a user tells of themselves.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Profile {
    real_name: SmolStr,
    display_name: SmolStr,
    avatar_hash: SmolStr,
    real_name_normalized: SmolStr,
    display_name_normalized: SmolStr,
    image_24: String,
    image_32: String,
    image_48: String,
    image_72: String,
    image_192: String,
    image_512: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_1024: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_original: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_custom_image: Option<bool>,
    first_name: SmolStr,
    last_name: SmolStr,
    team: SmolStr,
    title: SmolStr,
    phone: SmolStr,
    skype: &'static str,
    status_text: SmolStr,
    status_text_canonical: &'static str,
    status_emoji: SmolStr,
    status_emoji_display_info: Vec<StatusEmoji>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_emoji_url: Option<SmolStr>,
    status_expiration: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pronouns: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_app_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    always_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_id: Option<SmolStr>,
    huddle_state: &'static str,
    huddle_state_expiration_ts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_invited_by: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_expiration_ts: Option<i64>,
}

impl Profile {
    /// The address of the picture beside what the user says.
    pub(crate) fn small_image(self) -> String {
        self.image_48
    }
}

/// What a status emoji is drawn from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct StatusEmoji {
    emoji_name: SmolStr,
    display_url: String,
    /// What an emoji of the workspace stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_alias: Option<SmolStr>,
}

/// Where an emoji of Slack's is drawn from.
fn standard_emoji(name: &str) -> String {
    format!("https://a.slack-edge.com/production-standard-emoji-assets/14.0/apple-large/{name}.png")
}

/// Of an emoji of the workspace's own what it stands for, if anything, and where its picture is.
fn own_emoji(state: &State, emoji: &str) -> Option<(Option<SmolStr>, SmolStr)> {
    let value = state.emoji.get(&emoji.trim_matches(':').into())?;
    match value.strip_prefix("alias:") {
        None => Some((None, SmolStr::clone(value))),
        Some(other) => Some((Some(other.into()), standard_emoji(other).into())),
    }
}

impl StatusEmoji {
    fn of(state: &State, emoji: &SmolStr) -> Vec<Self> {
        let name = emoji.trim_matches(':');
        if name.is_empty() {
            return Vec::new();
        }
        let (display_alias, display_url) =
            own_emoji(state, name).map_or_else(|| (None, standard_emoji(name)), |(alias, url)| (alias, url.into()));
        vec![Self { emoji_name: name.into(), display_url, display_alias }]
    }
}

/// What of a user is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserView {
    /// The mail address: needs the scope `users:read.email`.
    pub(crate) email: bool,
    pub(crate) locale: bool,
    pub(crate) now: Timestamp,
}

/// Puts a user into words.
pub(crate) fn user(state: &State, user: &User, view: UserView) -> UserBody {
    let is_person = !matches!(user.role, Role::Bot);
    UserBody {
        id: user.id.clone(),
        name: user.name.clone(),
        is_bot: !is_person && user.id != SLACKBOT,
        updated: user.updated,
        is_app_user: false,
        team_id: state.workspace.id.clone(),
        deleted: user.deleted,
        active: (!user.deleted).then(|| active(user, view.now)),
        profile: profile(state, user, view.email),
        enterprise_user: EnterpriseUser::new(state, user),
        locale: view.locale.then_some("en-US"),
    }
}

fn active(user: &User, now: Timestamp) -> ActiveBody {
    let zone = zone_at(&user.tz, now);
    ActiveBody {
        color: color(&user.id),
        is_email_confirmed: user.role != Role::Bot,
        real_name: user.real_name.clone(),
        tz: user.tz.clone(),
        tz_label: zone.0,
        tz_offset: zone.1,
        is_admin: user.is_admin(),
        is_owner: user.is_owner(),
        is_primary_owner: user.role == Role::PrimaryOwner,
        is_restricted: user.role == Role::Guest,
        is_ultra_restricted: user.role == Role::Guest && user.account.single_channel,
        has_2fa: false,
        who_can_share_contact_card: "EVERYONE",
    }
}

/// Where a picture that a person has chosen is.
pub(crate) fn photo(hash: &SmolStr, size: &str) -> String {
    format!("https://avatars.slack-edge.com/{hash}_{size}.jpg")
}

pub(crate) fn profile(state: &State, user: &User, email: bool) -> Profile {
    let chosen = user.about.photo.as_ref();
    let usual = || format_smolstr!("g{:011x}", text::hash(&[&user.id]) & 0xfff_ffff_ffff);
    let avatar = chosen.cloned().unwrap_or_else(usual);
    let image = |size: u32| match chosen {
        Some(hash) => photo(hash, &size.to_string()),
        None => format!("https://secure.gravatar.com/avatar/{avatar}.jpg?s={size}&d=identicon"),
    };
    let app = user.app.as_ref().and_then(|id| state.apps.get(id));
    Profile {
        real_name: user.real_name.clone(),
        display_name: user.about.display_name.clone(),
        real_name_normalized: user.real_name.clone(),
        display_name_normalized: user.about.display_name.clone(),
        image_24: image(24),
        image_32: image(32),
        image_48: image(48),
        image_72: image(72),
        image_192: image(192),
        image_512: image(512),
        image_1024: chosen.map(|hash| photo(hash, "1024")),
        image_original: chosen.map(|hash| photo(hash, "original")),
        is_custom_image: chosen.map(|_| true),
        avatar_hash: avatar,
        first_name: user.first.clone(),
        last_name: user.last.clone(),
        team: state.workspace.id.clone(),
        title: user.title.clone(),
        phone: user.phone.clone(),
        skype: "",
        status_text: user.about.status_text.clone(),
        status_text_canonical: "",
        status_emoji: user.about.status_emoji.clone(),
        status_emoji_display_info: StatusEmoji::of(state, &user.about.status_emoji),
        status_emoji_url: own_emoji(state, &user.about.status_emoji).map(|(_, url)| url),
        status_expiration: user.about.status_expiration,
        pronouns: Some(user.about.pronouns.clone()).filter(|pronouns| !pronouns.is_empty()),
        email: user.email.clone().filter(|_| email),
        api_app_id: app.map(|app| app.id.clone()),
        always_active: app.map(|_| false),
        bot_id: app.map(|app| app.bot.clone()),
        huddle_state: if user.about.huddle.is_some() { "in_a_huddle" } else { "default_unset" },
        huddle_state_expiration_ts: 0,
        guest_invited_by: (user.role == Role::Guest).then(|| user.account.invited_by.clone()),
        guest_expiration_ts: Some(user.account.expires).filter(|at| *at > 0 && user.role == Role::Guest),
    }
}

fn color(id: &str) -> SmolStr {
    const COLORS: [&str; 12] = [
        "9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "e0a729", "684b6c", "5b89d5", "2b6836", "99a949",
        "df3dc0",
    ];
    let at = usize::try_from(text::hash(&[id, "color"]) % 12).unwrap_or(0);
    SmolStr::new_static(COLORS[at])
}

/// A time zone's name for people and its offset in seconds at a time.
fn zone_at(tz: &str, now: Timestamp) -> (SmolStr, i32) {
    const LABELS: &[(&str, &str)] = &[
        ("GMT", "Greenwich Mean Time"),
        ("BST", "British Summer Time"),
        ("IST", "India Standard Time"),
        ("WET", "Western European Time"),
        ("WEST", "Western European Summer Time"),
        ("CET", "Central European Time"),
        ("CEST", "Central European Summer Time"),
        ("EET", "Eastern European Time"),
        ("EEST", "Eastern European Summer Time"),
        ("SAST", "South Africa Standard Time"),
        ("EST", "Eastern Standard Time"),
        ("EDT", "Eastern Daylight Time"),
        ("CST", "Central Standard Time"),
        ("CDT", "Central Daylight Time"),
        ("MST", "Mountain Standard Time"),
        ("MDT", "Mountain Daylight Time"),
        ("PST", "Pacific Standard Time"),
        ("PDT", "Pacific Daylight Time"),
        ("JST", "Japan Standard Time"),
    ];
    let stamp = jiff::Timestamp::from_microsecond(now.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let zone = jiff::tz::TimeZone::get(tz).unwrap_or(jiff::tz::TimeZone::UTC);
    let info = zone.to_offset_info(stamp);
    let label = match (tz, info.abbreviation()) {
        ("Europe/Dublin", "IST") => "Irish Standard Time",
        (_, short) => LABELS.iter().find(|(name, _)| *name == short).map_or(short, |(_, label)| label),
    };
    (label.into(), info.offset().seconds())
}
