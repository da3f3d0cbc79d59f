//! Message text: what Slack makes of what is sent, and how it shows what it has stored.
//!
//! Stored text escapes `&`, `<` and `>`, names emoji, and keeps links and mentions in angle brackets:
//! <https://docs.slack.dev/messaging/formatting-message-text>.

use std::borrow::Cow;

use smol_str::SmolStr;

use crate::{emoji, model::State};

/// How text is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Whether `#name` and `@here` become mentions; `@name` does only where a person typed it.
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
        let used = if let Some((piece, used)) = piece(state, rest, at_word_start && !in_code, reading) {
            out.push_str(&piece);
            used
        } else {
            push_escaped(&mut out, c, rest);
            c.len_utf8()
        };
        in_code ^= c == '`';
        at_word_start = !c.is_alphanumeric();
        rest = &rest[used..];
    }
    out
}

/// What Slack makes of the start of `rest`, and how many bytes of the sent text it stands for; none where it is
/// ordinary text.
fn piece(state: &State, rest: &str, at_word_start: bool, reading: Reading) -> Option<(String, usize)> {
    match rest.as_bytes().first()? {
        // What is in angle brackets is read in code as well; it ends before the next bracket opens.
        b'<' => {
            let end = 1 + rest[1..].find(['<', '>']).filter(|end| rest[1 + end..].starts_with('>'))?;
            Some((format!("<{}>", control(state, &rest[1..end], reading)?), end + 1))
        }
        b'h' if at_word_start && (rest.starts_with("http://") || rest.starts_with("https://")) => {
            let url = bare_url(rest);
            let is_address = url.len() > "https://".len();
            is_address.then(|| (format!("<{}>", url.replace("&amp;", "&").replace('&', "&amp;")), url.len()))
        }
        b'#' | b'@' if at_word_start && reading.link_names => link_name(state, rest, reading.typed),
        // The characters of emoji become names, in code as well.
        _ => emoji::at_start(rest).map(|(name, used)| (format!(":{name}:"), used)),
    }
}

/// Adds the character at the start of `rest`. What was escaped before it was sent stays as it is.
fn push_escaped(out: &mut String, c: char, rest: &str) {
    match c {
        '&' if ["&amp;", "&lt;", "&gt;"].iter().any(|entity| rest.starts_with(entity)) => out.push('&'),
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        _ => out.push(c),
    }
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
    // Brackets that were escaped before they were sent end an address as they do plain.
    let end = ["&lt;", "&gt;"].iter().filter_map(|entity| rest[..end].find(entity)).min().unwrap_or(end);
    rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '*', '_', '~'])
}

fn link_name(state: &State, rest: &str, typed: bool) -> Option<(String, usize)> {
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
    if let Some(id) = state.index.user_by_name.get(name).filter(|_| typed) {
        return Some((format!("<@{id}>"), used));
    }
    let group = state.index.group_by_handle.get(name.to_lowercase().as_str()).and_then(|id| state.groups.get(id));
    let group = group.filter(|group| group.deleted == 0)?;
    Some((format!("<!subteam^{}>", group.id), used))
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

/// Stored text as people read it.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if text.contains('&') {
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").into()
    } else {
        text.into()
    }
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
    dtu_kernel::seed::uuid(a, mix(a)).into()
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
