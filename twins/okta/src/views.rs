//! The state as people and checks see it.

use dtu_kernel::twin::View;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Okta,
    model::{
        State,
        app::App,
        device::Device,
        user::{Status, User},
    },
    provisioning, rows,
};

/// All views.
pub fn views() -> Vec<View<Okta>> {
    vec![
        View {
            name: "users",
            about: "People by login: id, login, email, status, department, manager (login), groups (names)",
            render: |state| rows::USERS.render(state),
        },
        View {
            name: "groups",
            about: "Groups by name: id, name, type, members (logins)",
            render: |state| rows::GROUPS.render(state),
        },
        View {
            name: "memberships",
            about: "Who is in which group, Everyone left out: group (name), user (login)",
            render: |state| rows::MEMBERSHIPS.render(state),
        },
        View { name: "apps", about: "Apps by label: id, label, name, status, signOnMode, clientId", render: apps },
        View {
            name: "app_assignments",
            about: "Who may use which app: app (label), and user (login) where it is assigned to the person, or group \
                    (name) where to a group",
            render: app_assignments,
        },
        View {
            name: "app_accounts",
            about: "People's accounts in apps that are provisioned: app (label), user (login), externalId, status, \
                    syncState, error",
            render: app_accounts,
        },
        View {
            name: "log",
            about: "The System Log, oldest first: eventType, actor, targets, outcome, published",
            render: |state| rows::LOG.render(state),
        },
        View { name: "devices", about: "Devices by id: id, name, platform, status, users (logins)", render: devices },
        View {
            name: "factors",
            about: "Factors by login: id, user (login), factorType, provider, status, address (phone or mail)",
            render: factors,
        },
        View {
            name: "factor_codes",
            about: "Codes that were sent to people, by person, oldest first: user (login), factorType, to, code, sent, \
                    expires, factor (id), template, language",
            render: factor_codes,
        },
        View {
            name: "sessions",
            about: "Sessions that were begun and not ended: user (login), signedIn, expires, amr",
            render: sessions,
        },
        View {
            name: "recovery_mails",
            about: "Mails and messages that let people in once: user (login), purpose, token, expires; of text messages \
                    and calls, the code",
            render: recovery_mails,
        },
        View {
            name: "event_hooks",
            about: "Event hooks: id, name, status, verificationStatus, uri, events",
            render: event_hooks,
        },
        View {
            name: "registrations",
            about: "People who have registered themselves or wanted to, oldest first: id, login, status, message and \
                    errors (as they see them), user (id)",
            render: crate::inline_hooks::registration::view,
        },
        View {
            name: "imports",
            about: "Imports of people from apps, oldest first: id, app (id), users (userName, status, user (id), message)",
            render: crate::inline_hooks::import::view,
        },
    ]
}

/// The names of a person's groups, Everyone among them, sorted.
pub fn group_names(state: &State, user: &User) -> Vec<SmolStr> {
    let everyone = (user.status != Status::Deprovisioned).then_some(&state.groups.everyone);
    let ids = everyone.into_iter().chain(state.members.of_user(&user.id));
    let mut names: Vec<SmolStr> = ids.filter_map(|id| state.groups.get(id)).map(|group| group.name.clone()).collect();
    names.sort();
    names
}

fn devices(state: &State) -> Value {
    let row = |device: &Device| {
        let users = state.devices.users(&device.id).filter_map(|(user, _)| state.users.get(user));
        json!({
            "id": device.id,
            "name": device.name(),
            "platform": device.profile.get("platform"),
            "status": device.status,
            "users": users.map(|user| user.login()).collect::<Vec<_>>(),
        })
    };
    state.devices.iter().map(|device| row(device)).collect()
}

fn by_label(state: &State) -> Vec<&App> {
    let mut apps: Vec<&App> = state.apps.iter().map(|app| &**app).collect();
    apps.sort_by(|a, b| (&a.label, &a.id).cmp(&(&b.label, &b.id)));
    apps
}

fn apps(state: &State) -> Value {
    let row = |app: &App| {
        json!({
            "id": app.id,
            "label": app.label,
            "name": app.name,
            "status": app.status(),
            "signOnMode": app.mode,
            "clientId": (!app.client.is_empty()).then_some(&app.client),
        })
    };
    by_label(state).into_iter().map(row).collect()
}

fn app_assignments(state: &State) -> Value {
    let rows = |app: &App| {
        let groups = state.assignments.groups_of(&app.id, None).filter_map(|row| state.groups.get(&row.group));
        let groups = groups.map(|group| json!({ "app": app.label, "group": group.name }));
        let users = state.assignments.direct_users(app).filter_map(|user| state.users.get(user));
        let users = users.map(|user| json!({ "app": app.label, "user": user.login() }));
        groups.chain(users).collect::<Vec<_>>()
    };
    by_label(state).into_iter().flat_map(rows).collect()
}

fn app_accounts(state: &State) -> Value {
    state.provisioning.accounts().map(|account| provisioning::settings::shown(state, account)).collect()
}

fn login(state: &State, id: &str) -> SmolStr {
    state.users.get(id).map_or_else(|| id.into(), |user| user.login().into())
}

fn factors(state: &State) -> Value {
    let row = |factor: &std::sync::Arc<crate::model::factor::Factor>| {
        json!({
            "id": factor.id,
            "user": login(state, &factor.user),
            "factorType": factor.kind.factor_type(),
            "provider": factor.kind.provider(),
            "status": factor.status.text(),
            "address": factor.address(),
        })
    };
    state.factors.iter().map(row).collect()
}

fn factor_codes(state: &State) -> Value {
    let row = |message: &std::sync::Arc<crate::model::factor::message::Message>| {
        json!({
            "user": login(state, &message.user),
            "factorType": message.kind.factor_type(),
            "to": message.to,
            "code": message.code,
            "sent": message.sent.iso_millis(),
            "expires": message.expires.iso_millis(),
            "factor": message.factor,
            "template": message.template,
            "language": message.language,
        })
    };
    state.factors.all_messages().map(row).collect()
}

fn login_of(state: &State, user: &SmolStr) -> SmolStr {
    state.users.get(user).map(|user| SmolStr::new(user.login())).unwrap_or_default()
}

fn sessions(state: &State) -> Value {
    let row = |session: &std::sync::Arc<crate::model::session::Session>| {
        json!({
            "user": login_of(state, &session.user),
            "signedIn": session.signed_in.iso_millis(),
            "expires": session.expires.iso_millis(),
            "amr": session.proof.amr,
        })
    };
    state.sessions.iter().map(row).collect()
}

fn recovery_mails(state: &State) -> Value {
    let mails = state.one_times.iter().map(|(text, token)| {
        json!({
            "user": login_of(state, &token.user), "purpose": token.purpose, "token": text,
            "expires": token.expires.iso_millis(),
        })
    });
    let coded = state.transactions.iter().filter(|(_, row)| !row.code.is_empty() && !row.user.is_empty());
    let messages = coded.map(|(_, row)| {
        json!({
            "user": login_of(state, &row.user), "purpose": row.recovery_factor, "code": row.code,
            "expires": row.expires.iso_millis(),
        })
    });
    mails.chain(messages).collect()
}

fn event_hooks(state: &State) -> Value {
    let row = |hook: &std::sync::Arc<crate::model::hook::Hook>| {
        json!({
            "id": hook.id,
            "name": hook.name,
            "status": if hook.active { "ACTIVE" } else { "INACTIVE" },
            "verificationStatus": if hook.verified { "VERIFIED" } else { "UNVERIFIED" },
            "uri": hook.channel.uri,
            "events": hook.items,
        })
    };
    state.hooks.iter().map(row).collect()
}
