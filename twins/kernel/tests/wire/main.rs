//! HTTP as clients really speak it, byte by byte.

mod bell;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use bell::{BODY_MAX, Tower};

/// The statuses of answers, in their order.
fn statuses(text: &str) -> Vec<&str> {
    text.match_indices("HTTP/1.").filter_map(|(at, _)| text.get(at + 9..at + 12)).collect()
}

/// Sends a text whose last request closes the connection: the statuses, and what the last answer ends with.
async fn check(tower: &Tower, sent: &str, wanted: &[&str], end: &str) {
    let text = tower.answers(sent).await;
    assert_eq!(statuses(&text), wanted, "{sent:.300}\n{text:.600}");
    assert!(text.ends_with(end), "{sent:.300}\n{text:.600}");
}

/// A request for a target, after which the connection closes.
fn last(line: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: bell.example\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn targets_come_in_all_forms() {
    let tower = Tower::new();
    let heard = |name: &str, at: &str| json!({ "heard": { "name": name }, "at": at }).to_string();
    for (target, name) in [
        ("/bells/one", "one"),
        ("//bells///one", "one"),
        ("/bells/a%2Fb", "a/b"),
        ("/bells/a%20b?x=//y", "a b"),
        ("/%62ells/%6fne", "one"),
    ] {
        check(&tower, &last(&format!("GET {target}")), &["200"], &heard(name, "http://bell.example")).await;
    }
    let whole = last("GET http://other.example:81/bells/one");
    check(&tower, &whole, &["200"], &heard("one", "http://other.example:81")).await;
    let nameless = "GET /bells/one HTTP/1.1\r\nconnection: close\r\n\r\n";
    check(&tower, nameless, &["200"], &heard("one", &format!("http://{}", tower.address()))).await;
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_the_service() {
    let tower = Tower::new();
    for (line, status, end) in [
        ("GET /nothing", "404", "NotFound"),
        ("GET /bells/one/", "404", "NotFound"),
        ("GET /bells%2Fone", "404", "NotFound"),
        ("OPTIONS *", "404", "NotFound"),
        ("PUT /bells", "405", "MethodNotAllowed"),
        ("OPTIONS /bells", "405", "MethodNotAllowed"),
        ("HEAD /bells", "405", "\r\n\r\n"),
        ("HEAD /nothing", "404", "\r\n\r\n"),
        ("BREW /bells/one", "405", "MethodNotAllowed"),
    ] {
        check(&tower, &last(line), &[status], end).await;
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let tower = Tower::new();
    let text = tower
        .answers(format!("{}{}", last("HEAD /bells/one").replace("close", "keep-alive"), last("GET /bells/one")))
        .await;
    let lengths: Vec<&str> = text.lines().filter(|line| line.starts_with("content-length: ")).collect();
    assert_eq!((statuses(&text).len(), lengths.len()), (2, 2), "{text}");
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(text.matches("heard").count(), 1);
}

#[tokio::test]
async fn requests_may_come_before_their_answers() {
    let tower = Tower::new();
    let some = "GET /bells/one HTTP/1.1\r\nhost: x\r\n\r\n\
                POST /bells HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc\
                GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n";
    let all = format!("{some}{}", last("GET /bells/two"));
    check(&tower, &all, &["200", "200", "404", "200"], "").await;
    let text = tower.answers(all).await;
    let places = ["\"one\"", "\"bytes\":3", "NotFound", "\"two\""].map(|part| text.find(part));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
}

#[tokio::test]
async fn bodies_come_in_pieces() {
    let tower = Tower::new();
    let head = "POST /bells HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let chunked = format!(
        "{head}transfer-encoding: chunked\r\ntrailer: sum\r\n\r\n3;of=it\r\nabc\r\nA\r\n0123456789\r\n0\r\nsum: 7\r\n\r\n"
    );
    check(&tower, &chunked, &["200"], "{\"bytes\":13}").await;
    // One byte after the other, the head too.
    let mut line = tower.connect().await;
    line.0.set_nodelay(true).expect("is set");
    for byte in format!("{head}content-length: 3\r\n\r\nabc").bytes() {
        line.send([byte]).await;
        tokio::task::yield_now().await;
    }
    assert!(line.rest().await.ends_with("{\"bytes\":3}"));
    // Only once the service wants it.
    let mut line = tower.connect().await;
    line.send(format!("{head}content-length: 3\r\nexpect: 100-continue\r\n\r\n")).await;
    assert_eq!(line.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    line.send("abc").await;
    assert!(line.rest().await.ends_with("{\"bytes\":3}"));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_read_to_its_end_and_refused() {
    let tower = Tower::new();
    let sizes = [
        (BODY_MAX, "200", "{\"bytes\":100000}"),
        (BODY_MAX + 1, "413", "BodyTooLarge"),
        (20 << 20, "413", "BodyTooLarge"),
    ];
    for (size, status, end) in sizes {
        for path in ["/bells", "/nothing"] {
            let (status, end) = if path == "/nothing" && status == "200" { ("404", "NotFound") } else { (status, end) };
            let (head, body) = (format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"), "x".repeat(size));
            check(&tower, &format!("{head}content-length: {size}\r\n\r\n{body}"), &[status], end).await;
            let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n");
            check(&tower, &chunked, &[status], end).await;
        }
    }
}

#[tokio::test]
async fn clients_of_http_1_0_are_answered() {
    let tower = Tower::new();
    let text = tower.answers("GET /bells/one HTTP/1.0\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.0 200 OK\r\n"), "{text}");
    let both = "GET /bells/one HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET /bells/two HTTP/1.0\r\n\r\n";
    let text = tower.answers(both).await;
    assert_eq!(statuses(&text), ["200", "200"], "{text}");
    assert!(text.contains("connection: keep-alive\r\n"), "{text}");
}

#[tokio::test]
async fn an_upgrade_that_nobody_serves_is_passed_over() {
    let tower = Tower::new();
    let h2c = "GET /bells/one HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n\
               http2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    check(&tower, &format!("{h2c}{}", last("GET /bells/two")), &["200", "200"], "").await;
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_others_are_served_on() {
    let tower = Tower::new();
    let many = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect::<Vec<_>>().concat();
    let long = format!("x-long: {}\r\n", "y".repeat(1 << 20));
    let with = |headers: &str| format!("GET /bells/one HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
    for (sent, status) in [
        ("nonsense\r\n\r\n".to_owned(), "400"),
        ("GET /bells/one HTTP/3.7\r\n\r\n".to_owned(), "400"),
        ("GET /bells/one two HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("POST /bells HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc".to_owned(), "400"),
        (with(&many), "431"),
        (with("x y: 1\r\n"), "400"),
        (format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(70_000)), "414"),
    ] {
        check(&tower, &sent, &[status], "").await;
    }
    // The connection may be reset before all of it is sent.
    let mut line = tower.connect().await;
    let _ = line.0.write_all(with(&long).as_bytes()).await;
    check(&tower, &last("GET /bells/one"), &["200"], "").await;
}

#[tokio::test]
async fn a_client_that_says_no_more_is_answered() {
    let tower = Tower::new();
    let mut line = tower.connect().await;
    line.send("GET /bells/one HTTP/1.1\r\nhost: x\r\n\r\n").await;
    line.0.shutdown().await.expect("is shut");
    assert_eq!(statuses(&line.rest().await), ["200"]);
}

#[tokio::test]
async fn a_client_that_has_gone_holds_up_nobody() {
    let tower = Tower::new();
    tower.arm(json!({ "id": "hang", "on": { "twin": "bell" }, "times": 1, "do": { "hang": { "for": "1h" } } }));
    let before = tower.entries();
    let mut gone = tower.connect().await;
    gone.send(last("GET /bells/one")).await;
    while tower.entries() == before {
        tokio::task::yield_now().await;
    }
    drop(gone);
    let mut half = tower.connect().await;
    half.send("POST /bells HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc").await;
    drop(half);
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(tower.connect().await);
    }
    check(&tower, &last("GET /bells/one"), &["200"], "").await;
    for mut line in idle {
        line.send(last("GET /bells/two")).await;
        assert_eq!(statuses(&line.rest().await), ["200"]);
    }
}
