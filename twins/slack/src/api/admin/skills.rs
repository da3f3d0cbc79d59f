//! `admin.slackbot.skills.*`: the organization's catalogue of skills, and for whom they are turned on.
//!
//! <https://docs.slack.dev/reference/methods/admin.slackbot.skills.publish>

use std::cmp::Reverse;

use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, listed, method};
use crate::{
    api::skills::shown,
    error::Error,
    model::skills::{Audience, CATEGORIES, Skill},
};

/// The most skills, people and groups of one call.
const SKILLS_MAX: usize = 50;
const NAMED_MAX: usize = 100;
const SKILLS: Pages = Pages { kind: "skill", default: 100, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "slackbot.skills.list",
        "skills:read",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["invalid_cursor", "invalid_limit", "user_not_found"],
        Run::Look(list)
    ),
    method!(
        "slackbot.skills.publish",
        "skills:write",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["failed_for_some_skills"],
        Run::Act(|cx, fields| set_published(cx, fields, true))
    ),
    method!(
        "slackbot.skills.unpublish",
        "skills:write",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["failed_for_some_skills"],
        Run::Act(|cx, fields| set_published(cx, fields, false))
    ),
    method!(
        "slackbot.skills.setAutoEnabled",
        "skills:write",
        TIER_2,
        ("not_an_enterprise", "not_an_admin"),
        ["invalid_usergroup_ids", "skill_not_found"],
        Run::Act(set_audience)
    ),
];

/// A skill as administrators see it: what it says is for those alone who may read it.
fn row(cx: &Asked<'_>, id: &SmolStr, skill: &Skill) -> Value {
    let mut told = shown(cx.state, (id, skill), None);
    let (kind, groups): (&str, &[SmolStr]) = match &skill.audience {
        Audience::NoOne => ("no_one", &[]),
        Audience::Everyone => ("everyone", &[]),
        Audience::Groups(groups) => ("named_entities", groups),
    };
    told["auto_enabled"] = json!({ "permission_type": kind, "usergroup_ids": groups });
    if let Some(members) = told.as_object_mut() {
        members.remove("access");
    }
    told
}

/// `admin.slackbot.skills.list`
fn list(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = SKILLS.read(fields)?;
    let category = fields.word("category", CATEGORIES)?;
    let creators = fields.list("creator_ids");
    if creators.len() > NAMED_MAX {
        return Err(Error::Arguments(vec![format!(
            "no more than {NAMED_MAX} items allowed [json-pointer:/creator_ids]"
        )]));
    }
    for user in &creators {
        cx.state.admin_user(user)?;
    }
    let published = fields.word("publish_status", &["published", "unpublished"])?;
    let auto = fields.word("auto_enabled_status", &["auto_enabled", "not_auto_enabled"])?;
    let sort = fields.word("sort", &["name", "date_created", "date_updated"])?.unwrap_or("name");
    let descends = fields.word("sort_dir", &["asc", "desc"])? == Some("desc");
    let fits = |skill: &Skill| {
        category.is_none_or(|name| skill.category == name)
            && (creators.is_empty() || creators.contains(&skill.creator))
            && published.is_none_or(|word| skill.published == (word == "published"))
            && auto.is_none_or(|word| (skill.audience != Audience::NoOne) == (word == "auto_enabled"))
    };
    // An organization has few skills.
    let kept = cx.state.content.skills.iter().filter(|(_, skill)| fits(skill));
    let mut rows: Vec<_> = kept
        .map(|(id, skill)| {
            let first = match sort {
                "date_created" => format_smolstr!("{:020}", skill.created),
                "date_updated" => format_smolstr!("{:020}", skill.updated),
                _ => skill.display_name.to_lowercase().into(),
            };
            (format_smolstr!("{first}/{id}"), (id, skill))
        })
        .collect();
    rows.sort_by(|a, b| if descends { Reverse(&a.0).cmp(&Reverse(&b.0)) } else { a.0.cmp(&b.0) });
    let rest = rows.into_iter().skip_while(|(key, _)| !from.is_empty() && *key != from);
    Ok(listed("skills", SKILLS.cut(size, rest, |(id, skill)| Some(row(cx, id, skill)))))
}

/// `admin.slackbot.skills.publish` and `unpublish`: what can be done is done, the rest told. What was published once
/// stays readable for everybody.
fn set_published(cx: &mut Doing<'_, '_>, fields: &Fields, publish: bool) -> Told {
    let mut failed = Vec::new();
    let mut seen: Vec<SmolStr> = Vec::new();
    for id in fields.some("skill_ids", SKILLS_MAX)? {
        if seen.contains(&id) {
            continue;
        }
        let now = cx.tx.now.as_secs();
        let changed = cx.state.content.skills.update(&mut cx.tx.changes, &id, |skill| {
            skill.shared |= publish;
            (skill.published, skill.updated) = (publish, now);
        });
        if changed.is_none() {
            failed.push(json!({ "skill_id": id, "error": "skill_not_found" }));
        }
        seen.push(id);
    }
    match failed.len() {
        0 => Ok(done()),
        n if n == seen.len() => Err(Error::Members("failed_for_some_skills", "failed_skills", failed)),
        _ => Ok(json!({ "failed_skills": failed })),
    }
}

/// `admin.slackbot.skills.setAutoEnabled`
fn set_audience(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let id = fields.need("skill_id")?;
    fields.need("permission_type")?;
    let kind = fields.word("permission_type", &["everyone", "named_entities", "no_one"])?.unwrap_or("no_one");
    let mut groups = fields.list("usergroup_ids");
    let audience = match kind {
        "named_entities" => {
            fields.some("usergroup_ids", NAMED_MAX)?;
            let is_there = |id: &SmolStr| cx.state.groups.get(id).is_some_and(|group| group.deleted == 0);
            let bad: Vec<SmolStr> = groups.iter().filter(|id| !is_there(id)).cloned().collect();
            if !bad.is_empty() {
                return Err(Error::Listed { code: "invalid_usergroup_ids", name: "invalid_usergroup_ids", ids: bad });
            }
            groups.sort_unstable();
            groups.dedup();
            Audience::Groups(groups.clone())
        }
        _ if !groups.is_empty() => {
            return Err(Error::Arguments(vec!["must be omitted [json-pointer:/usergroup_ids]".to_owned()]));
        }
        "everyone" => Audience::Everyone,
        _ => Audience::NoOne,
    };
    let set = cx.state.content.skills.update(&mut cx.tx.changes, &id, |skill| {
        skill.shared |= audience != Audience::NoOne;
        skill.audience = audience.clone();
    });
    set.ok_or("skill_not_found")?;
    Ok(json!({ "skill_id": id, "permission_type": kind, "usergroup_ids": groups }))
}
