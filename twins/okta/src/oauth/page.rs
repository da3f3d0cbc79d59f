//! The few pages that people see: sign-in, a device's code, and what went wrong.

use dtu_kernel::wire::Answer;
use http::{HeaderName, StatusCode};

use smol_str::SmolStr;

use super::{error::OAuthError, form::Form};

const HTML: &str = "text/html;charset=utf-8";

/// A text in HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// How pages look: a card in the middle.
const STYLE: &str = "body{margin:0;background:#f4f4f4;font:16px/1.5 system-ui,sans-serif;color:#1d1d21}\
    main{box-sizing:border-box;max-width:25rem;margin:12vh auto 0;padding:2rem;background:#fff;border:1px solid #d7d7dc;\
    border-radius:6px}h1{margin:0 0 1rem;font-size:1.3rem;text-align:center}label{display:block;margin:0 0 1rem;\
    font-weight:600}input:not([type=hidden]){display:block;box-sizing:border-box;width:100%;margin-top:.25rem;\
    padding:.5rem;font:inherit;font-weight:400;border:1px solid #8c8c96;border-radius:4px}button{width:100%;margin-top:.5rem;\
    padding:.6rem;font:inherit;font-weight:600;color:#fff;background:#1662dd;border:0;border-radius:4px;cursor:pointer}\
    [role=alert]{padding:.5rem .75rem;background:#fdeceb;border-left:4px solid #da372c}";

/// A page.
pub(crate) fn page(title: &str, body: &str) -> Answer {
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\n\
         <body>\n<main>\n{body}\n</main>\n</body>\n</html>\n",
        escaped(title)
    );
    Answer::text(HTML, text).with_header(HeaderName::from_static("referrer-policy"), "no-referrer")
}

fn hidden(fields: &[(String, String)]) -> String {
    let input = |(name, value): &(String, String)| {
        format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escaped(name), escaped(value))
    };
    fields.iter().map(input).collect()
}

/// The sign-in page; behind it, the browser goes on to `next`, a path of the org.
pub fn sign_in(org: &str, next: &str, login: &str, problem: Option<&str>) -> Answer {
    let problem = problem.map(|text| format!("<p role=\"alert\">{}</p>\n", escaped(text))).unwrap_or_default();
    let fields = hidden(&[("fromURI".to_owned(), next.to_owned())]);
    let body = format!(
        "<h1>Sign In</h1>\n{problem}<form method=\"post\" action=\"/login/login.htm\">\n{fields}\
         <label>Username <input name=\"username\" autocomplete=\"username\" value=\"{}\"></label>\n\
         <label>Password <input type=\"password\" name=\"password\" autocomplete=\"current-password\"></label>\n\
         <button type=\"submit\">Sign In</button>\n</form>",
        escaped(login)
    );
    page(&format!("{org} - Sign In"), &body)
}

/// A page behind the sign-in page, with fields of a label, a name and a type each.
pub fn step(
    org: &str,
    title: &str,
    fields: &[(&str, &str, &str)],
    token: &str,
    next: &str,
    problem: Option<&str>,
) -> Answer {
    let problem = problem.map(|text| format!("<p role=\"alert\">{}</p>\n", escaped(text))).unwrap_or_default();
    let kept = hidden(&[("fromURI".to_owned(), next.to_owned()), ("stateToken".to_owned(), token.to_owned())]);
    let input = |(label, name, kind): &(&str, &str, &str)| {
        format!("<label>{label} <input type=\"{kind}\" name=\"{name}\" autocomplete=\"off\"></label>")
    };
    let inputs = fields.iter().map(input).collect::<Vec<_>>().join("\n");
    let body = format!(
        "<h1>{}</h1>\n{problem}<form method=\"post\" action=\"/login/login.htm\">\n{kept}{inputs}\
         <button type=\"submit\">Next</button>\n</form>",
        escaped(title)
    );
    page(&format!("{org} - {title}"), &body)
}

/// A page that asks whether a client may have scopes; its form sends the request again with the answer. The first two
/// texts are the org's and the client's names.
pub fn consent(names: (&str, &str), path: &str, answer: &str, form: &Form, scopes: &[SmolStr]) -> Answer {
    let kept: Vec<(String, String)> = form
        .iter()
        .filter(|(name, _)| !["request_uri", "sessionToken", answer].contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let item = |scope: &SmolStr| format!("<li>{}</li>\n", escaped(scope));
    let items: String = scopes.iter().map(item).collect();
    let button = |value: &str, text: &str| {
        format!("<button type=\"submit\" name=\"{answer}\" value=\"{value}\">{text}</button>\n")
    };
    let body = format!(
        "<h1>{} would like to:</h1>\n<ul>\n{items}</ul>\n<form method=\"post\" action=\"{}\">\n{}{}{}</form>",
        escaped(names.1),
        escaped(path),
        hidden(&kept),
        button("allow", "Allow Access"),
        button("deny", "Don't Allow"),
    );
    page(&format!("{} - Consent", names.0), &body)
}

/// A page that only says something.
pub fn told(org: &str, text: &str) -> Answer {
    page(org, &format!("<h1>{}</h1>", escaped(text)))
}

/// A page that sends its fields to the client at once (OAuth 2.0 Form Post Response Mode).
pub fn form_post(address: &str, fields: &[(String, String)]) -> Answer {
    let body = format!(
        "<form method=\"post\" action=\"{}\" id=\"appForm\">\n{}<noscript><button type=\"submit\">Continue</button></noscript>\n\
         </form>\n<script>document.getElementById('appForm').submit();</script>",
        escaped(address),
        hidden(fields)
    );
    page("Submit Form", &body)
}

/// A page that tells its fields to the window that opened it, at the client's own address.
pub fn post_message(origin: &str, fields: &[(String, String)]) -> Answer {
    let data: serde_json::Map<String, serde_json::Value> =
        fields.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    // In a script no text may look like its end.
    let json = |value: &serde_json::Value| value.to_string().replace('<', "\\u003c");
    let body = format!(
        "<script>(window.opener || window.parent).postMessage({}, {});</script>",
        json(&data.into()),
        json(&origin.into())
    );
    page("Okta", &body)
}

/// A page that asks for a device's code, or says that the device is let in.
pub fn device(org: &str, user_code: &str, done: bool, problem: Option<&str>) -> Answer {
    let title = format!("{org} - Activate your device");
    if done {
        return page(
            &title,
            "<h1>Device activated</h1>\n<p>Follow the instructions on your device for next steps.</p>",
        );
    }
    let problem = problem.map(|text| format!("<p role=\"alert\">{}</p>\n", escaped(text))).unwrap_or_default();
    let body = format!(
        "<h1>Activate your device</h1>\n{problem}<form method=\"post\" action=\"/activate\">\n\
         <label>Activation Code <input name=\"user_code\" value=\"{}\"></label>\n\
         <button type=\"submit\">Next</button>\n</form>",
        escaped(user_code)
    );
    page(&title, &body)
}

/// What went wrong, where nobody can be sent back to a client.
pub fn refused(error: &OAuthError) -> Answer {
    let body = format!(
        "<h1>400</h1>\n<p>Your request resulted in an error.</p>\n<p class=\"error-code\">{}</p>\n<p class=\"error-description\">{}</p>",
        escaped(error.error),
        escaped(&error.description)
    );
    page("Error", &body).with_status(StatusCode::BAD_REQUEST)
}

/// A redirect.
pub fn redirect(address: &str) -> Answer {
    Answer::empty(StatusCode::FOUND)
        .with_header(http::header::LOCATION, address)
        .with_header(HeaderName::from_static("referrer-policy"), "no-referrer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_say_stays_text() {
        let text = |answer: Answer| String::from_utf8(answer.body.expect("has a body").1.to_vec()).expect("is text");
        let evil = "\"><script>alert(1)</script>'&";
        let fields = [(evil.to_owned(), evil.to_owned())];
        for page in
            [sign_in(evil, evil, evil, Some(evil)), form_post(evil, &fields), device(evil, evil, false, Some(evil))]
        {
            let page = text(page);
            assert!(!page.contains("<script>alert") && !page.contains("\"\">"), "{page}");
        }
        assert!(!text(post_message(evil, &fields)).contains("</script>alert"));
        assert_eq!(text(post_message(evil, &fields)).matches("<script>").count(), 1);
    }
}
