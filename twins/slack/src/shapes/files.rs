//! Files as they go over the wire: <https://docs.slack.dev/reference/objects/file-object>.

use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    media,
    model::{
        State,
        channels::Kind,
        files::{File, Mode, Share},
        time::ts_text,
    },
    text,
};

/// A file as Slack tells it.
pub(crate) fn file(state: &State, file: &File) -> Value {
    if file.mode == Mode::Tombstone {
        return json!({ "id": file.id, "mode": "tombstone" });
    }
    let known = file.processed;
    let kind = media::of(&file.filetype);
    let when = file.created / 1_000_000;
    let is_external = file.remote.is_some();
    let team = &state.workspace.id;
    let name = name_in_url(&file.name);
    let private = format!("{}/files-pri/{team}-{}", file.origin, file.id);
    let url = file.remote.as_ref().map(|remote| remote.url.to_string());
    let is_text = file.is_text() && !is_external;
    let mut told = json!({
        "id": file.id,
        "created": when,
        "timestamp": when,
        "name": file.name,
        "title": file.title,
        "mimetype": if known { kind.mime } else { "" },
        "filetype": if known { file.filetype.as_str() } else { "" },
        "pretty_type": if known { kind.pretty } else { "" },
        "user": file.user,
        "user_team": team,
        "editable": matches!(file.mode, Mode::Snippet | Mode::Canvas | Mode::List),
        "size": file.size,
        "mode": file.mode.as_str(),
        "is_external": is_external,
        "external_type": if is_external { "app" } else { "" },
        "is_public": file.is_public(state),
        "public_url_shared": file.public.is_some(),
        "display_as_bot": false,
        "username": "",
        "url_private": url.clone().unwrap_or_else(|| format!("{private}/{name}")),
        "permalink": format!("{}files/{}/{}/{name}", state.url(), file.user, file.id),
        "comments_count": 0,
        "is_starred": false,
        "shares": shares(state, file),
        "channels": ids_of(state, file, Kinds::Public),
        "groups": ids_of(state, file, Kinds::Private),
        "ims": ids_of(state, file, Kinds::Direct),
        "has_more_shares": false,
        "has_rich_preview": false,
        "file_access": "visible",
        "media_display_type": "unknown",
    });
    if let Some(remote) = &file.remote {
        told["external_id"] = json!(remote.id);
        told["external_url"] = json!(remote.url);
        told["app_id"] = json!(file.app);
        told["app_name"] = json!(state.apps.get(&file.app).map(|app| app.name.clone()));
        told["has_rich_preview"] = json!(remote.preview);
        add_picture(&mut told, file, (team, &name));
        return told;
    }
    told["url_private_download"] = json!(format!("{private}/download/{name}"));
    let secret = file.public.as_deref().map_or_else(|| text::derived_id(&[&file.id], 10), SmolStr::new);
    told["permalink_public"] = json!(format!("{}/files-public/{team}-{}-{secret}", file.origin, file.id));
    if let Some(alt) = &file.alt_txt {
        told["alt_txt"] = json!(alt);
    }
    if is_text && known {
        add_preview(&mut told, file);
    }
    if known {
        add_picture(&mut told, file, (team, &name));
    }
    told
}

/// Adds what is told of a picture, where a file is or has one.
fn add_picture(told: &mut Value, file: &File, (team, name): (&SmolStr, &str)) {
    if let Some(picture) = &file.picture {
        let (stem, secret) = (thumb_stem(name), thumb_secret(&file.id));
        picture.add(told, &format!("{}/files-tmb/{team}-{}-{secret}/{stem}", file.origin, file.id));
    }
}

/// What the names of thumbnails begin with: the file's name without its ending.
pub(crate) fn thumb_stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(name, _)| name)
}

/// A file's name as addresses have it.
pub(crate) fn name_in_url(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(plain).collect()
}

/// What tells the addresses of a file's thumbnails from guesses.
pub(crate) fn thumb_secret(id: &str) -> String {
    format!("{:010x}", text::hash(&[id, "thumbnail"]) & 0xff_ffff_ffff)
}

/// The first lines of a text.
fn add_preview(told: &mut Value, file: &File) {
    const LINES: usize = 5;
    let text = String::from_utf8_lossy(&file.content);
    let lines = text.lines().count();
    let preview: Vec<&str> = text.lines().take(LINES).collect();
    told["preview"] = json!(preview.join("\n"));
    told["preview_highlight"] = json!(highlight(&preview));
    told["lines"] = json!(lines);
    told["lines_more"] = json!(lines.saturating_sub(LINES));
    told["preview_is_truncated"] = json!(lines > LINES);
    told["edit_link"] = json!(format!("{}/edit", told["permalink"].as_str().unwrap_or_default()));
}

/// Lines of a text as Slack's pages draw them: <https://docs.slack.dev/messaging/working-with-files>.
pub(crate) fn highlight(lines: &[&str]) -> String {
    let escaped = |line: &str| line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut drawn = String::new();
    for line in lines {
        drawn.extend(["<div><pre>", &escaped(line), "</pre></div>\n"]);
    }
    let outer = "<div class=\"CodeMirror cm-s-default CodeMirrorServer\">\n<div class=\"CodeMirror-code\">\n";
    format!("{outer}{drawn}</div>\n</div>\n")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Public,
    Private,
    Direct,
}

fn ids_of(state: &State, file: &File, wanted: Kinds) -> Vec<SmolStr> {
    let fits = |share: &&Share| {
        let kind = state.channels.get(&share.channel).map(|channel| channel.kind);
        let found = match kind {
            Some(Kind::Public) => Kinds::Public,
            Some(Kind::Im) => Kinds::Direct,
            _ => Kinds::Private,
        };
        found == wanted
    };
    let mut ids: Vec<SmolStr> = file.shares.iter().filter(fits).map(|share| share.channel.clone()).collect();
    ids.dedup();
    ids
}

fn shares(state: &State, file: &File) -> Value {
    let mut told = json!({});
    for share in &file.shares {
        let (Some(channel), message) = (state.channels.get(&share.channel), state.message(&share.channel, share.ts))
        else {
            continue;
        };
        let family = if state.is_public(&share.channel) { "public" } else { "private" };
        let thread = message.and_then(|message| message.thread.as_deref());
        let mut row = json!({
            "reply_users": thread.map(|thread| thread.users.clone()).unwrap_or_default(),
            "reply_users_count": thread.map_or(0, |thread| thread.users.len()),
            "reply_count": thread.map_or(0, |thread| thread.count),
            "ts": ts_text(share.ts),
            "channel_name": channel.name,
            "team_id": state.workspace.id,
            "share_user_id": file.user,
            "source": "UNKNOWN",
            "is_silent_share": false,
        });
        if let Some(thread) = share.thread {
            row["thread_ts"] = json!(ts_text(thread));
        }
        match told[family][share.channel.as_str()].as_array_mut() {
            Some(rows) => rows.push(row),
            None => told[family][share.channel.as_str()] = json!([row]),
        }
    }
    told
}
