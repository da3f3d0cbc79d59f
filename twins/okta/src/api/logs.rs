//! The System Log.
//!
//! See developer.okta.com/docs/reference/system-log-query/.

use std::{cmp::Reverse, time::Duration};

use dtu_kernel::{operation::Typed, time::Timestamp, twin::Read};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    Okta,
    error::Error,
    model::{
        event_type::{EventType, WRITTEN},
        log::{Entry, Log, LogField, Mark, PartyField, is_common, mark, narrowness},
    },
    paging,
    query::{Condition, Dialect, Fields, Kind, Operator, Rule},
};

/// Arguments of `listLogEvents`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListEvents {
    since: Option<String>,
    until: Option<String>,
    after: Option<String>,
    filter: Option<String>,
    q: Option<String>,
    limit: Option<i64>,
    sort_order: Option<String>,
}

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: i64 = 1_000;
const DAY: Duration = Duration::from_secs(86_400);
/// The longest keyword of `q`.
const WORD_MAX: usize = 40;
/// The most keywords of `q`, by the public document.
const WORDS_MAX: usize = 10;
/// What is older is not shown, whatever is asked.
const KEPT: Duration = Duration::from_secs(90 * 86_400);
/// So many entries are looked at for one page; the page then ends short, with a link to go on.
const SCAN_MAX: usize = 20_000;

const OPERATORS: &[Operator] = &[
    Operator::Eq,
    Operator::Ne,
    Operator::Co,
    Operator::Sw,
    Operator::Ew,
    Operator::Pr,
    Operator::Gt,
    Operator::Ge,
    Operator::Lt,
    Operator::Le,
];
/// As Okta lists them in its errors.
const LISTED: &[Operator] =
    &[Operator::Eq, Operator::Co, Operator::Sw, Operator::Pr, Operator::Gt, Operator::Ge, Operator::Lt, Operator::Le];
const NO_CO: &[Operator] = &[
    Operator::Eq,
    Operator::Ne,
    Operator::Sw,
    Operator::Ew,
    Operator::Pr,
    Operator::Gt,
    Operator::Ge,
    Operator::Lt,
    Operator::Le,
];

const FILTER: Dialect<LogField> = Dialect {
    not: true,
    fold_case: true,
    operators: OPERATORS,
    rule: |path| {
        let field = field(path)?;
        let operators = if matches!(field, LogField::Uri | LogField::Url) { NO_CO } else { OPERATORS };
        Some(Rule { field, kind: Kind::Text, operators })
    },
};

/// Attributes that Okta knows and that no entry of the twin has a value in.
const NULLS: [&str; 14] = [
    "authenticationContext.externalSessionId",
    "authenticationContext.rootSessionId",
    "authenticationContext.authenticationProvider",
    "authenticationContext.credentialProvider",
    "authenticationContext.credentialType",
    "authenticationContext.interface",
    "client.geographicalContext.city",
    "client.geographicalContext.state",
    "client.geographicalContext.country",
    "client.id",
    "securityContext.asOrg",
    "securityContext.isp",
    "securityContext.domain",
    "securityContext.isProxy",
];

fn field(path: &str) -> Option<LogField> {
    let party = |name: &str| match name {
        "id" => Some(PartyField::Id),
        "type" => Some(PartyField::Type),
        "alternateId" => Some(PartyField::AlternateId),
        "displayName" => Some(PartyField::DisplayName),
        _ => None,
    };
    if let Some(name) = path.strip_prefix("actor.") {
        return party(name).map(LogField::Actor);
    }
    if let Some(name) = path.strip_prefix("target.") {
        return party(name).map(LogField::Target);
    }
    match path {
        "uuid" => Some(LogField::Uuid),
        "eventType" => Some(LogField::EventType),
        "legacyEventType" => Some(LogField::Legacy),
        "displayMessage" => Some(LogField::Message),
        "severity" => Some(LogField::Severity),
        "version" => Some(LogField::Version),
        "outcome.result" => Some(LogField::Result),
        "outcome.reason" => Some(LogField::Reason),
        "client.ipAddress" => Some(LogField::Address),
        "client.userAgent.rawUserAgent" => Some(LogField::Agent),
        "transaction.id" => Some(LogField::TransactionId),
        "transaction.type" => Some(LogField::TransactionType),
        "transaction.detail.requestApiTokenId" => Some(LogField::Token),
        "debugContext.debugData.requestUri" => Some(LogField::Uri),
        "debugContext.debugData.url" => Some(LogField::Url),
        "debugContext.debugData.requestId" => Some(LogField::RequestId),
        _ => NULLS.contains(&path).then_some(LogField::Null),
    }
}

/// What is asked, understood.
struct Question {
    /// First number that counts.
    low: u64,
    /// First number that no longer counts.
    high: u64,
    newest_first: bool,
    /// Whether the list never ends.
    polling: bool,
    condition: Option<Condition<LogField>>,
    words: Vec<String>,
    limit: usize,
}

/// `listLogEvents`.
pub fn list(cx: &Read<'_, Okta>, args: ListEvents) -> Result<Typed<Vec<Value>>, Error> {
    let log = &cx.state.log;
    let question = understand(log, &args, cx.scene.now)?;
    let mut rows: Vec<Value> = Vec::new();
    let (mut last, mut more) = (None, false);
    let marks = question.condition.as_ref().and_then(marks);
    let entries = log.between(question.low, question.high, marks.as_deref(), question.newest_first);
    for (seen, entry) in entries.enumerate() {
        let fits = question.fits(entry);
        if seen >= SCAN_MAX || (fits && rows.len() == question.limit) {
            more = true;
            break;
        }
        if fits {
            rows.push(entry.to_json());
        }
        last = Some((entry.published, entry.seq));
    }
    let next = match last {
        _ if !more && !question.polling => None,
        Some((published, seq)) => Some(cursor(published, seq)),
        // Nothing new: the next poll goes on from here.
        None => Some(cursor(cx.scene.now, question.low.saturating_sub(1))),
    };
    Ok(paging::linked(Typed::ok(&rows), cx.scene, question.limit, next.as_deref()))
}

impl Question {
    fn fits(&self, entry: &Entry) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(entry))
            && (self.words.is_empty() || entry.mentions(&self.words))
    }
}

fn cursor(published: Timestamp, seq: u64) -> String {
    format!("{}_{seq}", published.as_millis())
}

fn understand(log: &Log, args: &ListEvents, now: Timestamp) -> Result<Question, Error> {
    let newest_first = match args.sort_order.as_deref().map(str::to_ascii_uppercase).as_deref() {
        None | Some("" | "ASCENDING") => false,
        Some("DESCENDING") => true,
        Some(_) => return Err(invalid("sortOrder", &["must be ASCENDING or DESCENDING."])),
    };
    let (low, high) = bounds(log, args, newest_first, now)?;
    let filter = args.filter.as_deref().filter(|text| !text.trim().is_empty());
    let read = |text: &str| FILTER.read(text).map_err(|fault| Error::log_filter(text, &fault, LISTED));
    Ok(Question {
        low,
        high,
        newest_first,
        polling: args.until.as_deref().is_none_or(str::is_empty) && !newest_first,
        condition: filter.map(read).transpose()?,
        words: words(args.q.as_deref().unwrap_or_default())?,
        limit: limit(args.limit)?,
    })
}

/// The numbers of the entries between `since` and `until`, from behind `after`.
fn bounds(log: &Log, args: &ListEvents, newest_first: bool, now: Timestamp) -> Result<(u64, u64), Error> {
    let until = time("until", args.until.as_deref())?;
    let since = time("since", args.since.as_deref())?;
    if since.is_some_and(|since| now.since(since) > DAY * 180) {
        let summary = "Invalid parameter: The since parameter is over 180 days prior to the current day.";
        return Err(Error::Log { code: "E0000053", summary: summary.to_owned(), causes: Vec::new() });
    }
    let high = until.map_or(log.next_seq(), |until| log.first_since(until));
    let since = since.unwrap_or_else(|| until.unwrap_or(now).before(DAY * 7));
    let kept = log.first_since(now.before(KEPT));
    let low = log.first_since(since).max(kept);
    let Some(after) = args.after.as_deref().filter(|after| !after.is_empty()) else {
        return Ok((low, high));
    };
    let seq = after.split_once('_').and_then(|(millis, seq)| millis.parse::<i64>().ok().and(seq.parse::<u64>().ok()));
    let seq = seq.ok_or_else(|| invalid("after", &["The after parameter is not a valid cursor."]))?;
    // The cursor stands for `since` in polls; bounded questions keep theirs.
    let low = if args.since.is_some() || newest_first { low } else { kept };
    Ok(if newest_first { (low, high.min(seq)) } else { (low.max(seq + 1), high) })
}

fn time(name: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    // An unescaped plus in a query reads as a space.
    let plus = text.replace(' ', "+");
    let parsed = Timestamp::parse(&plus).or_else(|_| Timestamp::parse(&format!("{text}Z")));
    let parsed = parsed.or_else(|_| Timestamp::parse(&format!("{text}T00:00:00Z")));
    parsed.map(Some).map_err(|_| {
        let form = "The date format in your query is not recognized. Please enter dates using ISO8601 string format.";
        invalid(name, &[form, "must be a valid date-time or empty."])
    })
}

/// A bad parameter, in the log's words.
fn invalid(name: &str, problems: &[&str]) -> Error {
    let told: Vec<String> = problems.iter().map(|problem| format!("'{name}': {problem}")).collect();
    let causes = problems.iter().map(|problem| format!("{name}: {problem}")).collect();
    Error::Log { code: "E0000001", summary: format!("Api validation failed: {}", told.join(" ")), causes }
}

fn limit(wish: Option<i64>) -> Result<usize, Error> {
    match wish {
        None => Ok(LIMIT_DEFAULT),
        Some(wish) if wish > LIMIT_MAX => Err(invalid("limit", &["must be less than or equal to 1000"])),
        Some(wish) => match usize::try_from(wish) {
            Ok(wish) => Ok(wish),
            Err(_) => Err(invalid("limit", &["must be greater than or equal to 0"])),
        },
    }
}

fn words(q: &str) -> Result<Vec<String>, Error> {
    let words: Vec<String> = q.split_whitespace().map(str::to_lowercase).collect();
    if words.iter().any(|word| word.chars().count() > WORD_MAX) {
        let long = "Freeform search cannot contain items longer than 40 characters.";
        let help = "Please shorten the items in your search or use an advanced filter to query by specific fields.";
        let summary = format!("Api validation failed: 'q': {long} {help}");
        return Err(Error::Log { code: "E0000001", summary, causes: Vec::new() });
    }
    if words.len() > WORDS_MAX {
        return Err(invalid("q", &["Freeform search cannot contain more than 10 items."]));
    }
    Ok(words)
}

/// More marks than these are taken only where there are no others.
const MANY: usize = 12;

/// Marks of which each fitting entry has one; none where the index cannot tell.
fn marks(condition: &Condition<LogField>) -> Option<Vec<Mark>> {
    match condition {
        Condition::And(parts) => {
            let marked = parts.iter().filter_map(|part| Some((width(part), marks(part)?)));
            // Many types of events are as wide as the log.
            let place =
                |(width, marks): &(Option<u8>, Vec<Mark>)| if marks.len() > MANY { None } else { width.map(Reverse) };
            marked.max_by_key(place).map(|(_, marks)| marks)
        }
        Condition::Or(parts) => Some(parts.iter().map(marks).collect::<Option<Vec<_>>>()?.concat()),
        Condition::Not(_) => None,
        Condition::Test { field, operator, value, .. } => test_marks(condition, *field, *operator, value),
    }
}

/// How narrow the index is by a part of a filter: by the widest field in it.
fn width(condition: &Condition<LogField>) -> Option<u8> {
    match condition {
        Condition::And(parts) => parts.iter().filter_map(width).min(),
        Condition::Or(parts) => parts.iter().map(width).max().flatten(),
        Condition::Not(_) => None,
        Condition::Test { field: LogField::Message | LogField::Legacy, .. } => narrowness(LogField::EventType),
        Condition::Test { field, .. } => narrowness(*field),
    }
}

fn test_marks(
    condition: &Condition<LogField>,
    field: LogField,
    operator: Operator,
    value: &SmolStr,
) -> Option<Vec<Mark>> {
    // There are few types of events: whatever is asked of their names is asked of all of them, not of the entries.
    if matches!(field, LogField::EventType | LogField::Message | LogField::Legacy) {
        let fitting = WRITTEN.iter().filter(|event| condition.holds(&OfEvent(event)));
        return Some(fitting.map(|event| mark(LogField::EventType, event.name)).collect());
    }
    match (field, operator) {
        (LogField::Result, Operator::Ne) if is_common(field, value) => {
            Some(UNCOMMON.iter().map(|result| mark(LogField::Result, result)).collect())
        }
        (_, Operator::Eq) if narrowness(field).is_some() && !is_common(field, value) => Some(vec![mark(field, value)]),
        _ => None,
    }
}

/// All results but `SUCCESS`, as the public document lists them.
const UNCOMMON: [&str; 11] = [
    "FAILURE",
    "SKIPPED",
    "ALLOW",
    "DENY",
    "CHALLENGE",
    "UNKNOWN",
    "RATE_LIMIT",
    "DEFERRED",
    "SCHEDULED",
    "ABANDONED",
    "UNANSWERED",
];

/// A type of event as filters see it.
struct OfEvent<'a>(&'a EventType);

impl Fields<LogField> for OfEvent<'_> {
    fn any(&self, field: &LogField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let value = match field {
            LogField::EventType => self.0.name,
            LogField::Message => self.0.message,
            LogField::Legacy => self.0.legacy,
            _ => "",
        };
        !value.is_empty() && test(value)
    }
}
