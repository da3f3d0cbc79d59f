//! Message text: what Slack makes of what is sent, and how it shows what it has stored.
//!
//! Stored text escapes `&`, `<` and `>` and keeps links and mentions in angle brackets:
//! <https://docs.slack.dev/messaging/formatting-message-text>.

use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::model::State;

/// How text is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Whether `@name` and `#name` become mentions.
    pub(crate) link_names: bool,
    /// Whether a person typed it: world keys in `<@key>` are resolved as well.
    pub(crate) typed: bool,
}

/// The text as stored.
pub(crate) fn store(state: &State, text: &str, reading: Reading) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut in_code = false;
    let mut at_word_start = true;
    while let Some(c) = rest.chars().next() {
        let (piece, used) = if in_code { escape(rest) } else { piece(state, rest, at_word_start, reading) };
        in_code ^= c == '`';
        at_word_start = !c.is_alphanumeric();
        out.push_str(&piece);
        rest = &rest[used..];
    }
    out
}

/// The next piece of stored text, and how many bytes of the sent text it stands for.
fn piece(state: &State, rest: &str, at_word_start: bool, reading: Reading) -> (String, usize) {
    if rest.starts_with('<')
        && let Some(end) = rest.find('>')
        && let Some(control) = control(state, &rest[1..end], reading)
    {
        return (format!("<{control}>"), end + 1);
    }
    if at_word_start && (rest.starts_with("http://") || rest.starts_with("https://")) {
        let url = bare_url(rest);
        if url.len() > "https://".len() {
            return (format!("<{}>", url.replace("&amp;", "&").replace('&', "&amp;")), url.len());
        }
    }
    if at_word_start
        && reading.link_names
        && let Some(linked) = link_name(state, rest)
    {
        return linked;
    }
    escape(rest)
}

fn escape(rest: &str) -> (String, usize) {
    let Some(c) = rest.chars().next() else { return (String::new(), 0) };
    let text = match c {
        '&' if ["&amp;", "&lt;", "&gt;"].iter().any(|entity| rest.starts_with(entity)) => "&".to_owned(),
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        _ => c.to_string(),
    };
    (text, c.len_utf8())
}

/// The inside of angle brackets where it is a link, mention or command.
fn control(state: &State, inside: &str, reading: Reading) -> Option<String> {
    let target = inside.split('|').next().unwrap_or_default();
    if let Some(user) = target.strip_prefix('@') {
        let known = state.users.get(&user.into());
        let known = known.or_else(|| state.find_user(user).filter(|_| reading.typed));
        // An id that nobody has stays as it was sent.
        let is_id = user.len() > 4 && user.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        return known.map(|user| format!("@{}", user.id)).or_else(|| is_id.then(|| target.to_owned()));
    }
    if let Some(channel) = target.strip_prefix('#') {
        let by_name = || state.index.channel_by_name.get(channel).and_then(|id| state.channels.get(id));
        let known = state.channels.get(&channel.into()).or_else(by_name)?;
        return Some(format!("#{}|{}", known.id, known.name));
    }
    let schemes = ["http://", "https://", "mailto:", "tel:", "slack://"];
    (target.starts_with('!') || schemes.iter().any(|scheme| target.starts_with(scheme))).then(|| inside.to_owned())
}

fn bare_url(rest: &str) -> &str {
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '|' | '`')).unwrap_or(rest.len());
    rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '*', '_', '~'])
}

fn link_name(state: &State, rest: &str) -> Option<(String, usize)> {
    let sign = rest.chars().next().filter(|c| matches!(c, '@' | '#'))?;
    let body = &rest[1..];
    let end = body.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))).unwrap_or(body.len());
    let name = body[..end].trim_end_matches('.');
    let used = 1 + name.len();
    if sign == '#' {
        let id = state.index.channel_by_name.get(name)?;
        return Some((format!("<#{id}|{name}>"), used));
    }
    if matches!(name, "here" | "channel" | "everyone") {
        return Some((format!("<!{name}>"), used));
    }
    let id = state.index.user_by_name.get(name)?;
    Some((format!("<@{id}>"), used))
}

/// Standard Markdown as Slack's own markup: bold and links are what differs in practice.
pub(crate) fn from_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((label, url, used)) = markdown_link(rest) {
            out.extend(["<", url, "|", label, ">"]);
            rest = &rest[used..];
        } else if rest.starts_with("**") {
            out.push('*');
            rest = &rest[2..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn markdown_link(rest: &str) -> Option<(&str, &str, usize)> {
    let middle = rest.strip_prefix('[')?.find("](")? + 1;
    let end = middle + rest[middle..].find(')')?;
    let (label, url) = (&rest[1..middle], &rest[middle + 2..end]);
    (!label.contains('\n') && url.starts_with("http")).then_some((label, url, end + 1))
}

/// The users that stored text mentions.
pub(crate) fn mentions(text: &str) -> impl Iterator<Item = &str> {
    text.split("<@").skip(1).filter_map(|rest| rest.split(['>', '|']).next())
}

/// The `rich_text` block that Slack makes of a text without blocks.
pub(crate) fn rich_text(text: &str, block_id: &str) -> Value {
    let mut elements = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((element, used)) = element(rest) {
            flush(&mut plain, &mut elements);
            elements.push(element);
            rest = &rest[used..];
        } else {
            let len = rest.chars().next().map_or(1, char::len_utf8);
            plain.push_str(&rest[..len]);
            rest = &rest[len..];
        }
    }
    flush(&mut plain, &mut elements);
    json!([{
        "type": "rich_text",
        "block_id": block_id,
        "elements": [{ "type": "rich_text_section", "elements": elements }],
    }])
}

fn flush(plain: &mut String, elements: &mut Vec<Value>) {
    if !plain.is_empty() {
        elements.push(json!({ "type": "text", "text": unescape(plain) }));
        plain.clear();
    }
}

/// Stored text as people read it.
pub(crate) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The rich element at the start of `rest`, and how many bytes it takes.
fn element(rest: &str) -> Option<(Value, usize)> {
    match rest.as_bytes().first()? {
        b'<' => {
            let end = rest.find('>')?;
            Some((bracketed(&rest[1..end])?, end + 1))
        }
        b':' => {
            let end = 1 + rest[1..].find(':')?;
            let name = &rest[1..end];
            let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'+' | b'-');
            let is_name = !name.is_empty() && name.bytes().all(fits) && !name.bytes().all(|b| b.is_ascii_digit());
            is_name.then(|| (json!({ "type": "emoji", "name": name }), end + 1))
        }
        b'`' => styled(rest, '`', "code"),
        b'*' => styled(rest, '*', "bold"),
        b'~' => styled(rest, '~', "strike"),
        _ => None,
    }
}

fn styled(rest: &str, mark: char, style: &str) -> Option<(Value, usize)> {
    let end = 1 + rest[1..].find(mark)?;
    let inside = &rest[1..end];
    let fits = !inside.is_empty() && inside.trim() == inside && !inside.contains(['\n', '<']);
    fits.then(|| (json!({ "type": "text", "text": unescape(inside), "style": { style: true } }), end + 1))
}

fn bracketed(inside: &str) -> Option<Value> {
    let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    let mut chars = target.chars();
    Some(match chars.next()? {
        '@' => json!({ "type": "user", "user_id": chars.as_str() }),
        '#' => json!({ "type": "channel", "channel_id": chars.as_str() }),
        '!' => match chars.as_str() {
            range @ ("here" | "channel" | "everyone") => json!({ "type": "broadcast", "range": range }),
            _ => return None,
        },
        _ => match label {
            Some(label) => json!({ "type": "link", "url": unescape(target), "text": unescape(label) }),
            None => json!({ "type": "link", "url": unescape(target) }),
        },
    })
}

/// A short id that depends on what it is for only: nothing need be stored to give it again.
pub(crate) fn derived_id(parts: &[&str], len: usize) -> SmolStr {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut bits = hash(parts);
    let mut out = String::with_capacity(len);
    for _ in 0..len {
        let at = usize::try_from(bits % ALPHABET.len() as u64).unwrap_or(0);
        out.push(char::from(ALPHABET[at]));
        bits = mix(bits);
    }
    out.into()
}

/// A version 4 UUID that depends on what it is for only.
pub(crate) fn derived_uuid(parts: &[&str]) -> SmolStr {
    let a = hash(parts);
    let b = mix(a);
    smol_str::format_smolstr!(
        "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        8 + (b >> 62),
        (b >> 48) & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

pub(crate) fn hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mix(hash)
}

/// The finaliser of `SplitMix64`.
const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
