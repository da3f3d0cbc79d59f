//! The `rich_text` block that Slack makes of a text without blocks.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks/rich-text-block>; which characters mark what is told in
//! <https://docs.slack.dev/messaging/formatting-message-text>.

use std::{borrow::Cow, sync::Arc};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{emoji, text::unescape};

/// What stands around code that has paragraphs of its own.
const FENCE: &str = "```";
/// What quoted lines begin with, as stored.
const QUOTE: &str = "&gt;";

/// The block. Made while it is written: it is told with every message, and never kept.
#[derive(Clone, Debug)]
pub(crate) struct RichText {
    /// The text as stored.
    pub(crate) text: Arc<str>,
    pub(crate) block_id: SmolStr,
}

impl Serialize for RichText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [Block { kind: "rich_text", id: &self.block_id, elements: paragraphs(&self.text) }].serialize(serializer)
    }
}

/// What a person has typed into a field for rich text.
pub(crate) fn typed(text: &str) -> Value {
    let stored = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "type": "rich_text", "elements": paragraphs(&emoji::named(&stored)) })
}

#[derive(Serialize)]
struct Block<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "block_id")]
    id: &'a str,
    elements: Vec<Paragraph<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Paragraph<'a> {
    #[serde(rename = "rich_text_section")]
    Section { elements: Vec<Run<'a>> },
    #[serde(rename = "rich_text_quote")]
    Quote { elements: Vec<Run<'a>> },
    #[serde(rename = "rich_text_preformatted")]
    Code { elements: Vec<Run<'a>>, border: u8 },
}

/// A run of text, or what stands between runs.
#[derive(Serialize)]
struct Run<'a> {
    #[serde(flatten)]
    what: What<'a>,
    #[serde(skip_serializing_if = "Style::is_plain")]
    style: Style,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum What<'a> {
    Text {
        text: Cow<'a, str>,
    },
    Emoji {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        unicode: Option<Cow<'static, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        skin_tone: Option<u8>,
    },
    User {
        user_id: &'a str,
    },
    Channel {
        channel_id: &'a str,
    },
    Broadcast {
        range: &'a str,
    },
    Usergroup {
        usergroup_id: &'a str,
    },
    Date {
        timestamp: i64,
        format: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        fallback: Option<Cow<'a, str>>,
    },
    Link {
        url: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<Cow<'a, str>>,
    },
}

/// How a run is shown. What does not hold is left out.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the members that Slack's styles have")]
struct Style {
    #[serde(skip_serializing_if = "is_false")]
    bold: bool,
    #[serde(skip_serializing_if = "is_false")]
    italic: bool,
    #[serde(skip_serializing_if = "is_false")]
    strike: bool,
    #[serde(skip_serializing_if = "is_false")]
    code: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Style {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The same with what a mark stands for; none where the mark stands for nothing.
    const fn marked(mut self, mark: u8) -> Option<Self> {
        match mark {
            b'*' => self.bold = true,
            b'_' => self.italic = true,
            b'~' => self.strike = true,
            b'`' => self.code = true,
            _ => return None,
        }
        Some(self)
    }
}

fn paragraphs(text: &str) -> Vec<Paragraph<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, code, after)) = fenced(rest) {
        lines(&mut found, before);
        let elements = vec![plain(code.trim_matches('\n'))];
        found.push(Paragraph::Code { elements, border: 0 });
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    lines(&mut found, rest);
    found
}

/// What comes before the first piece of code with paragraphs, the code, and what comes after.
fn fenced(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find(FENCE)?;
    let code = start + FENCE.len();
    let end = code + text[code..].find(FENCE)?;
    let inside = &text[code..end];
    (!inside.trim().is_empty()).then(|| (&text[..start], inside, &text[end + FENCE.len()..]))
}

/// Adds the paragraphs of a text without code: quoted lines that follow each other are one, and so are others.
fn lines<'a>(found: &mut Vec<Paragraph<'a>>, text: &'a str) {
    let mut rest = text;
    while !rest.is_empty() {
        let is_quoted = rest.starts_with(QUOTE);
        let end = run_of_lines(rest, is_quoted);
        let mut elements = Vec::new();
        if is_quoted {
            for (n, line) in rest[..end].trim_end_matches('\n').split('\n').enumerate() {
                if n > 0 {
                    elements.push(plain("\n"));
                }
                let line = line.strip_prefix(QUOTE).unwrap_or(line);
                runs(&mut elements, line.strip_prefix(' ').unwrap_or(line), Style::default());
            }
            found.push(Paragraph::Quote { elements });
        } else {
            runs(&mut elements, &rest[..end], Style::default());
            found.push(Paragraph::Section { elements });
        }
        rest = &rest[end..];
    }
}

/// How many bytes the lines at the start take that are quoted, or that are not.
fn run_of_lines(text: &str, is_quoted: bool) -> usize {
    let lines = text.split_inclusive('\n').take_while(|line| line.starts_with(QUOTE) == is_quoted);
    lines.map(str::len).sum()
}

fn plain(text: &str) -> Run<'_> {
    Run { what: What::Text { text: unescape(text) }, style: Style::default() }
}

/// Adds the runs of a text.
fn runs<'a>(found: &mut Vec<Run<'a>>, text: &'a str, style: Style) {
    let (mut at, mut start) = (0, 0);
    while let Some(mark) = text[at..].find(['<', ':', '`', '*', '~', '_']) {
        at += mark;
        let before = text[..at].chars().next_back();
        let rest = &text[at..];
        if let Some((what, used)) = element(rest).filter(|_| !style.code) {
            push(found, &text[start..at], style);
            found.push(Run { what, style });
            at += used;
            start = at;
        } else if let Some((inside, within)) = styled(rest, before, style) {
            push(found, &text[start..at], style);
            if within.code {
                push(found, inside, within);
            } else {
                runs(found, inside, within);
            }
            at += inside.len() + 2;
            start = at;
        } else {
            at += 1;
        }
    }
    push(found, &text[start..], style);
}

fn push<'a>(found: &mut Vec<Run<'a>>, text: &'a str, style: Style) {
    if !text.is_empty() {
        found.push(Run { what: What::Text { text: unescape(text) }, style });
    }
}

/// What stands at the start of `rest` that is no text, and how many bytes it takes.
fn element(rest: &str) -> Option<(What<'_>, usize)> {
    match rest.as_bytes().first()? {
        b'<' => {
            let end = rest.find('>')?;
            Some((bracketed(&rest[1..end])?, end + 1))
        }
        b':' => {
            let (name, used) = emoji_name(rest)?;
            let tone = rest[used..].strip_prefix(':').and_then(|rest| emoji::tone(&rest[..rest.find(':')?]));
            let used = if tone.is_some() { used + ":skin-tone-2:".len() } else { used };
            Some((What::Emoji { name, unicode: emoji::unicode(name, tone), skin_tone: tone }, used))
        }
        _ => None,
    }
}

/// The name between the colons at the start of `rest`, and how many bytes it takes with them.
fn emoji_name(rest: &str) -> Option<(&str, usize)> {
    let end = 1 + rest[1..].find(':')?;
    let name = &rest[1..end];
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'+' | b'-' | b'\'');
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    let is_name = !name.is_empty() && name.bytes().all(fits) && (!is_number || emoji::is_there(name));
    is_name.then_some((name, end + 1))
}

/// What is between the mark at the start of `rest` and its like, and how it is shown. Marks within words mark nothing.
fn styled(rest: &str, before: Option<char>, style: Style) -> Option<(&str, Style)> {
    let mark = *rest.as_bytes().first()?;
    let within = style.marked(mark).filter(|within| *within != style && !style.code)?;
    let body = &rest[1..];
    let is_one_of_several = before == Some(char::from(mark)) || body.as_bytes().first() == Some(&mark);
    if is_one_of_several || before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let closes = |at: &usize| {
        let inside = &body[..*at];
        let after = body[at + 1..].chars().next();
        !inside.is_empty() && inside.trim() == inside && (mark == b'`' || !after.is_some_and(char::is_alphanumeric))
    };
    let line = &body[..body.find('\n').unwrap_or(body.len())];
    let end = line.match_indices(char::from(mark)).map(|(at, _)| at).find(closes)?;
    Some((&body[..end], within))
}

fn bracketed(inside: &str) -> Option<What<'_>> {
    let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    let first = target.chars().next()?;
    let name = &target[first.len_utf8()..];
    Some(match first {
        '@' => What::User { user_id: name },
        '#' => What::Channel { channel_id: name },
        '!' if matches!(name, "here" | "channel" | "everyone") => What::Broadcast { range: name },
        '!' if name.starts_with("subteam^") => What::Usergroup { usergroup_id: &name["subteam^".len()..] },
        '!' => return date(name, label),
        _ => What::Link { url: unescape(target), text: label.map(unescape) },
    })
}

/// `date^1392734382^Posted {date_num}^https://…`, with what is shown where dates are not.
fn date<'a>(name: &'a str, label: Option<&'a str>) -> Option<What<'a>> {
    let mut parts = name.strip_prefix("date^")?.splitn(3, '^');
    let timestamp = parts.next()?.parse().ok()?;
    let format = unescape(parts.next()?);
    Some(What::Date { timestamp, format, url: parts.next().map(unescape), fallback: label.map(unescape) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> Value {
        let block = RichText { text: text.into(), block_id: "b".into() };
        serde_json::to_value(block).unwrap()[0]["elements"].clone()
    }

    fn section(runs: Value) -> Value {
        json!([{ "type": "rich_text_section", "elements": runs }])
    }

    fn text(text: &str, styles: &[&str]) -> Value {
        let mut run = json!({ "type": "text", "text": text });
        for style in styles {
            run["style"][style] = true.into();
        }
        run
    }

    #[test]
    fn marks_become_styles() {
        let check = |sent: &str, wanted: Value| assert_eq!(made(sent), section(wanted), "{sent}");
        check("plain", json!([text("plain", &[])]));
        check(
            "a *b* _c_ ~d~ `e`",
            json!([
                text("a ", &[]),
                text("b", &["bold"]),
                text(" ", &[]),
                text("c", &["italic"]),
                text(" ", &[]),
                text("d", &["strike"]),
                text(" ", &[]),
                text("e", &["code"])
            ]),
        );
        check("*_both_ one*", json!([text("both", &["bold", "italic"]), text(" one", &["bold"])]));
        check("snake_case_name", json!([text("snake_case_name", &[])]));
        check("2 * 3 * 4", json!([text("2 * 3 * 4", &[])]));
        check("`a *b* <@U1>`", json!([text("a *b* <@U1>", &["code"])]));
        check("*a\nb*", json!([text("*a\nb*", &[])]));
        check("**a**", json!([text("**a**", &[])]));
        check("*<@U1>*", json!([{ "type": "user", "user_id": "U1", "style": { "bold": true } }]));
        check("1 &lt; 2 &amp; *3 &gt; 2*", json!([text("1 < 2 & ", &[]), text("3 > 2", &["bold"])]));
    }

    #[test]
    fn what_is_no_text_is_an_element() {
        let check = |sent: &str, wanted: Value| assert_eq!(made(sent), section(json!([wanted])), "{sent}");
        check(":tada:", json!({ "type": "emoji", "name": "tada", "unicode": "1f389" }));
        check(":acme_logo:", json!({ "type": "emoji", "name": "acme_logo" }));
        check(":100:", json!({ "type": "emoji", "name": "100", "unicode": "1f4af" }));
        let toned = json!({ "type": "emoji", "name": "wave", "unicode": "1f44b-1f3fd", "skin_tone": 4 });
        check(":wave::skin-tone-4:", toned);
        check("10:30:00", text("10:30:00", &[]));
        check("<!here>", json!({ "type": "broadcast", "range": "here" }));
        check("<!subteam^S1>", json!({ "type": "usergroup", "usergroup_id": "S1" }));
        check("<#C1|general>", json!({ "type": "channel", "channel_id": "C1" }));
        check(
            "<https://a.example/?a=1&amp;b=2|A &amp; B>",
            json!({ "type": "link", "url": "https://a.example/?a=1&b=2", "text": "A & B" }),
        );
        check(
            "<!date^1392734382^{date_num}^https://a.example|then>",
            json!({ "type": "date", "timestamp": 1_392_734_382, "format": "{date_num}", "url": "https://a.example", "fallback": "then" }),
        );
    }

    #[test]
    fn code_and_quotes_are_paragraphs() {
        let wanted = json!([
            { "type": "rich_text_section", "elements": [text("Look:\n", &[])] },
            { "type": "rich_text_preformatted", "elements": [text("let a = *b;\n  c", &[])], "border": 0 },
            { "type": "rich_text_quote", "elements": [text("so he", &["bold"]), text("\n", &[]), text("said", &[])] },
            { "type": "rich_text_section", "elements": [text("and left", &[])] },
        ]);
        assert_eq!(made("Look:\n```\nlet a = *b;\n  c\n```\n&gt; *so he*\n&gt;said\nand left"), wanted);
        assert_eq!(made("``` ```"), section(json!([text("``` ```", &[])])));
    }
}
