//! Methods that Slack has retired: they say so, and what to use.
//!
//! <https://docs.slack.dev/changelog/2020-01-deprecating-antecedents-to-the-conversations-api>,
//! <https://api.slack.com/changelog/2021-03-workspace-apps-to-retire-in-august-2021>

use dtu_kernel::{operation::Typed, twin::Read};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::SPECIAL,
};

/// No argument is looked at.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

/// Rows of methods that are refused as `method_deprecated`, each with the method that has taken its place.
macro_rules! replaced {
    ($($method:literal => $successor:literal),* $(,)?) => {
        vec![$(
            Row::read($method, ANY, concat!("/api/", $method), |_: &Read<'_, Slack>, Nothing {}: Nothing| gone($successor))
                .limit(SPECIAL)
                .errors(&["method_deprecated"]),
        )*]
    };
}

/// Rows of methods that are refused as `method_deprecated` without another to use.
macro_rules! ended {
    ($($method:literal),* $(,)?) => {
        vec![$(
            Row::read($method, ANY, concat!("/api/", $method), |_: &Read<'_, Slack>, Nothing {}: Nothing| over())
                .limit(SPECIAL)
                .errors(&["method_deprecated"]),
        )*]
    };
}

/// Rows of methods that are as if there had never been any.
macro_rules! removed {
    ($($method:literal),* $(,)?) => {
        vec![$(
            Row::read($method, ANY, concat!("/api/", $method), |_: &Read<'_, Slack>, Nothing {}: Nothing| unknown($method))
                .limit(SPECIAL)
                .errors(&["unknown_method"]),
        )*]
    };
}

/// In Slack's words: <https://github.com/soxtoby/SlackNet/issues/55>.
fn gone(successor: &str) -> Result<Typed<Value>, Error> {
    const MORE: &str = "https://api.slack.com/changelog/2020-01-deprecating-antecedents-to-the-conversations-api";
    let words = format!(
        "This method is retired and can no longer be used. Please use {successor} instead. Learn more: {MORE}."
    );
    Err(Error::Explained(Code::MethodDeprecated, words))
}

fn over() -> Result<Typed<Value>, Error> {
    Err(Code::MethodDeprecated.into())
}

fn unknown(method: &'static str) -> Result<Typed<Value>, Error> {
    Err(Error::NoMethod(method))
}

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    [channels(), groups(), direct(), steps(), workspace_apps()].into_iter().flatten().collect()
}

fn channels() -> Vec<Row> {
    replaced![
        "channels.archive" => "conversations.archive",
        "channels.create" => "conversations.create",
        "channels.history" => "conversations.history",
        "channels.info" => "conversations.info",
        "channels.invite" => "conversations.invite",
        "channels.join" => "conversations.join",
        "channels.kick" => "conversations.kick",
        "channels.leave" => "conversations.leave",
        "channels.list" => "conversations.list",
        "channels.mark" => "conversations.mark",
        "channels.rename" => "conversations.rename",
        "channels.replies" => "conversations.replies",
        "channels.setPurpose" => "conversations.setPurpose",
        "channels.setTopic" => "conversations.setTopic",
        "channels.unarchive" => "conversations.unarchive",
    ]
}

fn groups() -> Vec<Row> {
    replaced![
        "groups.archive" => "conversations.archive",
        "groups.close" => "conversations.close",
        "groups.create" => "conversations.create",
        "groups.createChild" => "conversations.create",
        "groups.history" => "conversations.history",
        "groups.info" => "conversations.info",
        "groups.invite" => "conversations.invite",
        "groups.kick" => "conversations.kick",
        "groups.leave" => "conversations.leave",
        "groups.list" => "conversations.list",
        "groups.mark" => "conversations.mark",
        "groups.open" => "conversations.open",
        "groups.rename" => "conversations.rename",
        "groups.replies" => "conversations.replies",
        "groups.setPurpose" => "conversations.setPurpose",
        "groups.setTopic" => "conversations.setTopic",
        "groups.unarchive" => "conversations.unarchive",
    ]
}

fn direct() -> Vec<Row> {
    replaced![
        "im.close" => "conversations.close",
        "im.history" => "conversations.history",
        "im.list" => "conversations.list",
        "im.mark" => "conversations.mark",
        "im.open" => "conversations.open",
        "im.replies" => "conversations.replies",
        "mpim.close" => "conversations.close",
        "mpim.history" => "conversations.history",
        "mpim.list" => "conversations.list",
        "mpim.mark" => "conversations.mark",
        "mpim.open" => "conversations.open",
        "mpim.replies" => "conversations.replies",
    ]
}

/// Steps of the old workflows, comments on files and the tokens of workspace apps: the Java SDK's samples of their
/// answers name the method, as only answers about methods do that there are not. Comments were to be edited no longer
/// than they were to be added: <https://github.com/slackapi/node-slack-sdk/issues/583>.
fn steps() -> Vec<Row> {
    removed![
        "files.comments.add",
        "files.comments.edit",
        "oauth.token",
        "workflows.stepCompleted",
        "workflows.stepFailed",
        "workflows.updateStep",
    ]
}

/// What workspace apps asked for permissions with. They went without a successor.
fn workspace_apps() -> Vec<Row> {
    ended![
        "apps.permissions.info",
        "apps.permissions.request",
        "apps.permissions.resources.list",
        "apps.permissions.scopes.list",
        "apps.permissions.users.list",
        "apps.permissions.users.request",
    ]
}
