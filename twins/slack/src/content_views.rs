//! What the control plane and checks see of canvases, lists, calls, functions and assistants.

use std::sync::Arc;

use dtu_kernel::twin::View;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    model::{
        State,
        agents::{self, AgentView, CodeChannel, Session},
        assistant::Assistant,
        calls::Call,
        canvases::{self, Canvas},
        functions::Execution,
        lists::List,
        skills::Skill,
        time::ts_text,
        workflows::Workflow,
    },
};

/// The views.
pub(crate) fn all() -> Vec<View<Slack>> {
    vec![
        View {
            name: "canvases",
            about: "Canvases as Markdown, with the channels that they belong to.",
            render: all_canvases,
        },
        View { name: "lists", about: "Lists with their columns and what is in their items.", render: all_lists },
        View { name: "calls", about: "Calls of other services, with who is in them.", render: all_calls },
        View { name: "function_executions", about: "Runs of apps' workflow steps.", render: executions },
        View {
            name: "assistants",
            about: "Threads with assistants, what is suggested and going on.",
            render: assistants,
        },
        View {
            name: "code_channels",
            about: "Channels of agents, with their views and commands.",
            render: code_channels,
        },
        View { name: "agent_sessions", about: "Sessions of agents and where they stand.", render: agent_sessions },
        View { name: "skills", about: "Slackbot's skills, and whether they are in the catalogue.", render: all_skills },
        View { name: "workflows", about: "Workflows of apps, and who may change them.", render: workflows },
        View {
            name: "connection_requests",
            about: "Whom apps have asked to connect them to something, and to what.",
            render: connection_requests,
        },
        View { name: "entity_details", about: "What apps have shown behind links.", render: details },
    ]
}

fn channel_name(state: &State, id: &SmolStr) -> SmolStr {
    state
        .channels
        .get(id)
        .map_or_else(|| id.clone(), |row| if row.name.is_empty() { id.clone() } else { row.name.clone() })
}

fn app_key(state: &State, id: &SmolStr) -> Option<SmolStr> {
    state.apps.get(id).map(|app| app.key.clone())
}

fn all_canvases(state: &State) -> Value {
    let row = |(id, canvas): (&SmolStr, &Arc<Canvas>)| {
        let file = state.files.get(id);
        json!({
            "id": id,
            "title": file.map(|file| file.title.clone()),
            "owner": file.map(|file| state.label(&file.user)),
            "channel": canvas.channel.as_ref().map(|id| channel_name(state, id)),
            "is_channels": canvas.is_channels,
            "markdown": canvases::markdown(canvas),
            "access": file.map(|file| file.access.clone()),
        })
    };
    state.content.canvases.iter().map(row).collect()
}

fn all_lists(state: &State) -> Value {
    let row = |(id, list): (&SmolStr, &Arc<List>)| {
        let items = state.content.items.range((id.clone(), 0)..=(id.clone(), u64::MAX)).map(|(_, item)| {
            let mut told = json!({ "id": item.id, "parent": item.parent });
            for (column, cell) in &item.cells {
                let key = list.columns.iter().find(|row| row.id == *column).map(|row| row.key.as_str());
                told[key.unwrap_or(column)] = json!(cell.plain());
            }
            told
        });
        json!({
            "id": id,
            "name": state.files.get(id).map(|file| file.title.clone()),
            "columns": list.columns.iter().map(|column| column.key.clone()).collect::<Vec<_>>(),
            "todo": list.todo,
            "items": items.collect::<Vec<_>>(),
        })
    };
    state.content.lists.iter().map(row).collect()
}

fn all_calls(state: &State) -> Value {
    let row = |(id, call): (&SmolStr, &Arc<Call>)| {
        json!({
            "id": id,
            "app": app_key(state, &call.app),
            "title": call.title,
            "created_by": state.label(&call.created_by),
            "ended": call.date_end.is_some(),
            "users": call.users,
            "channels": call.channels.iter().map(|id| channel_name(state, id)).collect::<Vec<_>>(),
            "rejected_by": call.rejected_by.iter().map(|id| state.label(id)).collect::<Vec<_>>(),
        })
    };
    state.content.calls.iter().map(row).collect()
}

fn executions(state: &State) -> Value {
    let row = |(id, run): (&SmolStr, &Arc<Execution>)| {
        json!({
            "id": id,
            "app": app_key(state, &run.app),
            "callback_id": run.callback_id,
            "user": state.label(&run.user),
            "inputs": *run.inputs,
            "outcome": run.outcome,
        })
    };
    state.content.executions.iter().map(row).collect()
}

fn assistants(state: &State) -> Value {
    let row = |(key, thread): (&(SmolStr, u64), &Arc<Assistant>)| {
        let status = state.statuses.get(key);
        json!({
            "channel_id": key.0,
            "thread_ts": (key.1 > 0).then(|| ts_text(key.1)),
            "app": app_key(state, &thread.app),
            "user": state.label(&thread.user),
            "title": thread.title,
            "looking_at": thread.context.as_ref().map(|id| channel_name(state, id)),
            "prompts": *thread.prompts.list,
            "prompts_title": thread.prompts.title,
            "status": status.map(|status| status.text.clone()),
            "loading_messages": status.map(|status| status.loading.to_vec()),
        })
    };
    state.assistants.iter().map(row).collect()
}

fn details(state: &State) -> Value {
    state.content.details.iter().map(|(_, shown)| Value::clone(shown)).collect()
}

fn code_channels(state: &State) -> Value {
    let row = |(id, row): (&SmolStr, &Arc<CodeChannel>)| {
        let shown = |(key, view): (&SmolStr, &Arc<AgentView>)| json!({ "key": key, "type": view.kind.as_str(), "label": view.label, "content": *view.content });
        let commands: Map<String, Value> = row
            .commands
            .iter()
            .map(|(app, list)| (app_key(state, app).unwrap_or_default().to_string(), list.clone()))
            .collect();
        json!({
            "id": id,
            "channel": channel_name(state, id),
            "app": app_key(state, &row.app),
            "session": row.session,
            "code_channel": row.code_channel,
            "agent_resource": row.agent_resource,
            "commands": commands,
            "views": agents::views(state, id).map(shown).collect::<Vec<_>>(),
        })
    };
    state.content.agents.channels.iter().map(row).collect()
}

fn agent_sessions(state: &State) -> Value {
    let row = |((channel, ts), row): (&(SmolStr, u64), &Arc<Session>)| {
        json!({
            "channel": channel_name(state, channel),
            "thread_ts": (*ts > 0).then(|| ts_text(*ts)),
            "app": app_key(state, &row.app),
            "status": row.status.as_str(),
            "title": row.title,
            "initiator": row.initiator.as_ref().map(|user| state.label(user)),
            "look": row.look,
        })
    };
    state.content.agents.sessions.iter().map(row).collect()
}

fn all_skills(state: &State) -> Value {
    let row = |(id, skill): (&SmolStr, &Arc<Skill>)| {
        json!({
            "id": id,
            "name": skill.display_name,
            "creator": state.label(&skill.creator),
            "category": skill.category,
            "published": skill.published,
            "audience": skill.audience,
            "instructions": state.content.canvases.get(id).map(|canvas| canvases::markdown(canvas)),
        })
    };
    state.content.skills.iter().map(row).collect()
}

fn workflows(state: &State) -> Value {
    let row = |(id, row): (&SmolStr, &Arc<Workflow>)| {
        json!({
            "id": id,
            "app": app_key(state, &row.app),
            "callback_id": row.callback_id,
            "collaborators": row.collaborators.iter().map(|user| state.label(user)).collect::<Vec<_>>(),
            "published": row.published,
        })
    };
    state.content.workflows.iter().map(row).collect()
}

fn connection_requests(state: &State) -> Value {
    let row = |((app, user), provider): (&(SmolStr, SmolStr), &Arc<Value>)| json!({ "app": app_key(state, app), "user": state.label(user), "provider": **provider });
    state.content.connection_requests.iter().map(row).collect()
}
