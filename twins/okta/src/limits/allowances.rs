//! All limits that a call is counted against: the org's bucket, the caller's share of it, and those of a person or a
//! client.
//!
//! developer.okta.com/docs/reference/rl2-token-oauth/ (shares), .../rl2-limits/ (people) and .../rl2-client-based/
//! (clients that nobody has signed in with yet). The more calls that authentication endpoints take for a short while
//! (.../rl2-burst/) are not there.

use std::time::Duration;

use dtu_kernel::twin::{Allowance, Counted, Force, Scene};
use http::header;
use smol_str::{SmolStr, format_smolstr};

use super::{WHOLE, bucket, share};
use crate::{Caller, error::Error, input::Input, model::State, oauth::error::TOO_MANY};

/// The org's buckets.
pub(super) const ORG: &str = "org ";
/// Shares of tokens and OAuth clients.
pub(super) const PRINCIPAL: &str = "principal ";
/// Limits of people.
pub(super) const USER: &str = "user ";
/// Limits of a client, address and device.
pub(super) const CLIENT: &str = "client ";
/// What one OAuth client uses up of the org's bucket.
pub(super) const MAJORITY: &str = "majority ";

const MINUTE: Duration = Duration::from_secs(60);
/// Passwords and refresh tokens of one person: 4 a second.
const PASSWORDS: (u32, Duration) = (4, Duration::from_secs(1));
/// What a person's browser asks of one endpoint: 40 in 10 seconds.
const BROWSER: (u32, Duration) = (40, Duration::from_secs(10));
/// Calls a minute of a client, address and device.
const CLIENT_CALLS: u32 = 60;
/// From so many percent of the org's limit on, the log names the client that uses it up
/// (github.com/okta/okta-developer-docs/pull/2428).
const MAJORITY_PERCENT: u8 = 90;

/// All limits of a call.
pub fn of(state: &State, scene: &Scene<'_>, input: &Input, caller: &Caller) -> Vec<Allowance> {
    let whole = bucket(scene.operation);
    let mut all = Vec::with_capacity(3);
    if let Some(principal) = caller.principal().filter(|_| caller.share < WHOLE) {
        let calls = share(whole.per_minute, caller.share);
        all.push(shown(format_smolstr!("{PRINCIPAL}{principal} {}", whole.bucket), calls));
    }
    all.extend(of_client(state, scene, input));
    all.extend(of_person(state, scene, input, caller));
    if let Some(client) = caller.client.as_ref().filter(|_| whole.bucket.starts_with("oauth2 ")) {
        let bucket = format_smolstr!("{MAJORITY}{client} {}", whole.bucket);
        let calls = share(whole.per_minute, MAJORITY_PERCENT);
        all.push(Allowance { force: Force::Watched, ..shown(bucket, calls) });
    }
    all.push(shown(format_smolstr!("{ORG}{}", whole.bucket), whole.per_minute));
    all
}

fn shown(bucket: SmolStr, calls: u32) -> Allowance {
    Allowance { bucket, calls, per: MINUTE, force: Force::Shown }
}

/// The refusal of a call too many: token endpoints refuse one of a person in their own envelope
/// (developer.okta.com/docs/reference/error-codes/#okta-oauth-2-0-error-codes).
pub fn refusal(scene: &Scene<'_>, counted: &Counted) -> Error {
    let of_person = counted.allowance.bucket.starts_with(USER);
    if of_person && matches!(scene.operation.id, "token" | "tokenCustomAS") {
        return TOO_MANY.into();
    }
    Error::RateLimited { retry_after: counted.reset.since(scene.now) }
}

/// The limit of the person whom a call is about: by the name that is signed in with, by the refresh token, or by the
/// session of a browser.
fn of_person(state: &State, scene: &Scene<'_>, input: &Input, caller: &Caller) -> Option<Allowance> {
    let id = scene.operation.id;
    let (name, (calls, per)) = match id {
        "primaryAuthentication" => (lower(input.text("username")?), PASSWORDS),
        "token" | "tokenCustomAS" => match input.text("grant_type")? {
            "password" => (lower(input.text("username")?), PASSWORDS),
            "refresh_token" => (state.grants.token(input.text("refresh_token")?)?.user.clone()?, PASSWORDS),
            _ => return None,
        },
        _ if caller.token.is_empty() && caller.client.is_none() && !caller.user.is_empty() => {
            (caller.user.clone(), BROWSER)
        }
        _ => return None,
    };
    Some(Allowance { bucket: format_smolstr!("{USER}{name} {id}"), calls, per, force: Force::Quiet })
}

fn lower(name: &str) -> SmolStr {
    name.to_lowercase().into()
}

/// The limit of whoever comes with a client id (to the sign-in page without one), from an address, with a device's
/// cookie. All callers of a universe have one address.
fn of_client(state: &State, scene: &Scene<'_>, input: &Input) -> Option<Allowance> {
    let use_case = match scene.operation.id {
        "authorize" | "authorizeWithPost" | "authorizeCustomAS" | "authorizeCustomASWithPost" => "OAUTH2_AUTHORIZE",
        "signInPage" if state.kind.is_classic() => "LOGIN_PAGE",
        _ => return None,
    };
    let settings = state.objects.one("/api/v1/rate-limit-settings", "per-client");
    let said = settings.and_then(|settings| {
        settings
            .get("useCaseModeOverrides")
            .and_then(|modes| modes.get(use_case))
            .or_else(|| settings.get("defaultMode"))
    });
    let force = match said.and_then(|mode| mode.as_str()) {
        Some("DISABLE") => return None,
        Some("PREVIEW") => Force::Watched,
        _ => Force::Shown,
    };
    let cookies = scene.request.header(header::COOKIE).unwrap_or_default();
    let device = cookies.split(';').find_map(|pair| pair.trim().strip_prefix("dt=")).unwrap_or("null");
    let client = input.text("client_id").unwrap_or("null");
    let bucket = format_smolstr!("{CLIENT}{client} {device} {use_case}");
    Some(Allowance { bucket, calls: CLIENT_CALLS, per: MINUTE, force })
}
