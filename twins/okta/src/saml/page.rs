//! What people see where they cannot be signed in to an app.

use dtu_kernel::wire::Answer;
use http::StatusCode;

use crate::oauth::page::{escaped, page};

fn told(status: StatusCode, title: &str, text: &str) -> Answer {
    let body = format!(
        "<h1>{}</h1>\n<h2 class=\"o-form-title\">{}</h2>\n<p class=\"o-form-explain\">{}</p>",
        status.as_u16(),
        escaped(title),
        escaped(text)
    );
    page(title, &body).with_status(status)
}

/// There is no such app.
pub(crate) fn not_found() -> Answer {
    told(StatusCode::NOT_FOUND, "Page Not Found", "Sorry, we could not find the page that you were looking for.")
}

/// The app is not for this person.
pub(crate) fn not_assigned(label: &str) -> Answer {
    let text = format!("Sorry, you can't access {label} because you are not assigned this app in Okta.");
    told(StatusCode::FORBIDDEN, "User is not assigned to this application", &text)
}

/// The app's policy does not let the person in. How the page words it is inferred.
pub(crate) fn denied(label: &str) -> Answer {
    let text = format!("You do not have permission to access {label}.");
    told(StatusCode::FORBIDDEN, "Access denied", &text)
}

/// The request, or the app's settings, are not in order.
pub(crate) fn bad(text: &str) -> Answer {
    told(StatusCode::BAD_REQUEST, "Bad SAML request", text)
}
