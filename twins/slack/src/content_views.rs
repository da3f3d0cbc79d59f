//! What the control plane and checks see of canvases, lists, calls, functions and assistants.

use std::sync::Arc;

use dtu_kernel::twin::View;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    model::{
        State,
        assistant::Assistant,
        calls::Call,
        canvases::{self, Canvas},
        drafts::Draft,
        functions::Execution,
        lists::List,
        time::ts_text,
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
            name: "drafts",
            about: "What people have written and not sent, with what apps show of its links.",
            render: drafts,
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

fn drafts(state: &State) -> Value {
    let row = |(id, draft): (&SmolStr, &Arc<Draft>)| {
        json!({
            "unfurl_id": id,
            "user": state.label(&draft.user),
            "app": app_key(state, &draft.app),
            "text": draft.text,
            "previews": draft.previews,
            "asks_to_sign_in": draft.asks,
        })
    };
    state.drafts.iter().map(row).collect()
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
