//! `admin.analytics.getFile`: a day's figures of people and public channels, one JSON object a line, in gzip.
//!
//! What is not counted at all (calls, views, searches) is 0: nobody did it here.

use std::collections::BTreeMap;

use dtu_kernel::{time::Timestamp, wire::Answer};
use http::header;
use jiff::civil::Date;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Asked, Fields, fields::missing};
use crate::{
    error::Error,
    gzip,
    model::{
        State,
        channels::Channel,
        people::{Role, User},
        time::micros,
    },
};

/// Since when Slack has figures.
const FIRST: Date = jiff::civil::date(2020, 1, 1);

/// A day, in microseconds.
#[derive(Clone, Copy)]
struct Day {
    date: Date,
    from: u64,
    to: u64,
}

impl Day {
    /// The day of an argument, which must be over.
    fn read(text: &str, now: i64) -> Result<Self, Error> {
        let date: Date = text.parse().map_err(|_| "invalid_date")?;
        let start = |date: Date| date.to_zoned(jiff::tz::TimeZone::UTC).map(|at| at.timestamp().as_second());
        let (from, to) = (start(date), date.tomorrow().and_then(start));
        let (Ok(from), Ok(to)) = (from, to) else { return Err("invalid_date".into()) };
        match () {
            () if date < FIRST => Err("data_not_available".into()),
            () if to > now => Err("file_not_yet_available".into()),
            () => {
                let at = |secs| micros(Timestamp::from_secs(secs));
                Ok(Self { date, from: at(from), to: at(to) })
            }
        }
    }
}

/// What was said on a day: by whom, in which channel.
#[derive(Default)]
struct Said {
    by_user: BTreeMap<SmolStr, (u64, u64)>,
    by_channel: BTreeMap<SmolStr, BTreeMap<SmolStr, u64>>,
    reactions: BTreeMap<SmolStr, u64>,
    files: BTreeMap<SmolStr, u64>,
}

impl Said {
    fn on(state: &State, day: Day) -> Self {
        let mut said = Self::default();
        let files = state.index.files_by_time.range((day.from, SmolStr::default())..(day.to, SmolStr::default()));
        for file in files.filter_map(|(_, id)| state.files.get(id)) {
            *said.files.entry(file.user.clone()).or_default() += 1;
        }
        for (id, channel) in state.channels.iter() {
            let rows = state.messages.range((id.clone(), day.from)..(id.clone(), day.to)).map(|(_, row)| row);
            for row in rows.filter(|row| row.subtype().is_none()) {
                let counts = said.by_user.entry(row.user.clone()).or_default();
                counts.0 += 1;
                counts.1 += u64::from(channel.kind.is_channel());
                *said.by_channel.entry(id.clone()).or_default().entry(row.user.clone()).or_default() += 1;
                let marks: usize = row.reactions().iter().map(|reaction| reaction.users.len()).sum();
                *said.reactions.entry(id.clone()).or_default() += marks as u64;
            }
        }
        said
    }
}

/// `admin.analytics.getFile`
pub(super) fn get_file(cx: &Asked<'_>, fields: &Fields) -> Result<Answer, Error> {
    let kind = fields.need("type")?;
    let (metadata, date) = (fields.flag("metadata_only")?, fields.text("date"));
    let lines: Vec<Value> = match (kind.as_str(), metadata, date) {
        ("member", true, _) => return Err("metadata_not_available".into()),
        ("public_channel", true, Some(_)) => return Err("metadata_only_does_not_support_date".into()),
        ("public_channel", true, None) => public(cx.state).map(|row| described(cx, row)).collect(),
        ("member" | "public_channel", false, None) => return Err(missing("date")),
        ("member", false, Some(date)) => {
            let day = Day::read(&date, cx.now)?;
            let said = Said::on(cx.state, day);
            let people = cx.state.users.iter().map(|(_, user)| user).filter(|user| user.role != Role::Bot);
            people.map(|user| member(cx.state, day, user, &said)).collect()
        }
        ("public_channel", false, Some(date)) => {
            let day = Day::read(&date, cx.now)?;
            let said = Said::on(cx.state, day);
            public(cx.state).map(|row| channel(cx.state, day, row, &said)).collect()
        }
        _ => return Err("invalid_type".into()),
    };
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.to_string());
        text.push('\n');
    }
    let mut answer = Answer::text(gzip::MEDIA, "");
    answer.body = Some((gzip::MEDIA, gzip::stored(text.as_bytes())));
    let name = cx.state.enterprise.org.as_ref().map(|org| org.name.clone()).unwrap_or_default();
    let disposition = format!("attachment; filename=\"{name} Analytics.json.gz\"");
    Ok(answer.with_header(header::CONTENT_DISPOSITION, disposition))
}

/// The public channels that there are on the day.
fn public(state: &State) -> impl Iterator<Item = &Channel> {
    state.index.public.iter().filter_map(|id| state.channels.get(id)).map(std::convert::AsRef::as_ref)
}

fn described(cx: &Asked<'_>, row: &Channel) -> Value {
    let day = jiff::Timestamp::from_second(cx.now).map(|at| at.strftime("%F").to_string()).unwrap_or_default();
    json!({
        "channel_id": row.id,
        "name": row.name,
        "topic": row.topic.value,
        "description": row.purpose.value,
        "date": day,
    })
}

fn member(state: &State, day: Day, user: &User, said: &Said) -> Value {
    let (all, in_channels) = said.by_user.get(&user.id).copied().unwrap_or_default();
    json!({
        "enterprise_id": state.enterprise_id(),
        "date": day.date.to_string(),
        "user_id": user.id,
        "email_address": user.email,
        "is_guest": user.role == Role::Guest,
        "is_billable_seat": !user.deleted,
        "is_active": all > 0,
        "is_active_iOS": false,
        "is_active_Android": false,
        "is_active_desktop": all > 0,
        "reactions_added_count": 0,
        "messages_posted_count": all,
        "channel_messages_posted_count": in_channels,
        "files_added_count": said.files.get(&user.id).copied().unwrap_or_default(),
        "is_active_apps": false,
        "is_active_workflows": false,
        "is_active_slack_connect": false,
        "total_calls_count": 0,
        "slack_calls_count": 0,
        "slack_huddles_count": 0,
        "search_count": 0,
        "date_claimed": user.account.created,
    })
}

fn channel(state: &State, day: Day, row: &Channel, said: &Said) -> Value {
    let by = said.by_channel.get(&row.id).cloned().unwrap_or_default();
    let is_person = |id: &SmolStr| state.users.get(id).is_some_and(|user| user.role != Role::Bot);
    let people: u64 = by.iter().filter(|(id, _)| is_person(id)).map(|(_, n)| n).sum();
    let guests = crate::model::convert::members(state, &row.id)
        .filter(|id| state.users.get(id).is_some_and(|user| user.role == Role::Guest))
        .count() as u64;
    let total = u64::from(row.members);
    let team = state.place(&row.id).teams.first().cloned().unwrap_or_default();
    let name = state.enterprise.teams.get(&team).map(|team| team.name.clone()).unwrap_or_default();
    json!({
        "enterprise_id": state.enterprise_id(),
        "team_id": team,
        "originating_team": { "team_id": team, "name": name },
        "channel_id": row.id,
        "channel_type": "single_workspace_channel",
        "visibility": "public",
        "shared_with": [],
        "is_shared_externally": false,
        "date": day.date.to_string(),
        "date_created": row.created,
        "date_last_active": state.timeline(&row.id, day.to).next_back().map_or(0, |message| message.ts / 1_000_000),
        "total_members_count": total,
        "full_members_count": total - guests,
        "guest_member_count": guests,
        "messages_posted_count": by.values().sum::<u64>(),
        "messages_posted_by_members_count": people,
        "members_who_viewed_count": 0,
        "members_who_posted_count": by.keys().filter(|id| is_person(id)).count(),
        "reactions_added_count": said.reactions.get(&row.id).copied().unwrap_or_default(),
    })
}
