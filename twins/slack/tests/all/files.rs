//! Files: the three steps of an upload, shares, downloads, deletion, and files that other services keep.

use std::{io::Cursor, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use image::{Frame, ImageFormat, Rgb, RgbImage, RgbaImage, codecs::gif::GifEncoder};
use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk, TESTER};

/// Uploads in two steps; gives back the file's id.
fn put(desk: &Desk, token: &str, name: &str, content: &[u8]) -> String {
    let begun = desk.call(token, "files.getUploadURLExternal", &format!("filename={name}&length={}", content.len()));
    let url = begun["upload_url"].as_str().unwrap_or_else(|| panic!("{begun}"));
    let reply = desk.request(Method::POST, url.strip_prefix("http://127.0.0.1:7003").unwrap(), &[], content);
    assert_eq!(reply.body, format!("OK - {}", content.len()));
    begun["file_id"].as_str().unwrap().to_owned()
}

fn complete(desk: &Desk, token: &str, file: &str, rest: &str) -> Value {
    desk.call(token, "files.completeUploadExternal", &format!("files=[{{\"id\":\"{file}\",\"title\":\"T\"}}]&{rest}"))
}

async fn shared(desk: &Desk, token: &str, name: &str, content: &[u8]) -> String {
    let file = put(desk, token, name, content);
    assert_eq!(complete(desk, token, &file, "channel_id={#general}&initial_comment=see")["ok"], true);
    desk.universe.run_until_quiet(Duration::from_secs(10)).await;
    file
}

fn get(desk: &Desk, token: &str, url: &Value) -> (u16, Vec<u8>) {
    let target = url.as_str().unwrap().strip_prefix("http://127.0.0.1:7003").unwrap();
    let reply = desk.request(Method::GET, target, &[("authorization", format!("Bearer {token}"))], b"");
    (reply.status.as_u16(), reply.body.to_vec())
}

#[tokio::test]
async fn a_file_is_uploaded_then_shared_a_little_later() {
    let desk = Desk::new();
    let file = put(&desk, TESTER, "notes.txt", b"one\ntwo");
    assert_eq!(desk.error(TESTER, "files.info", &format!("file={file}")), "file_not_found", "not completed");
    let answer = complete(&desk, TESTER, &file, "channel_id={#general}&initial_comment=see *this*");
    let told = &answer["files"][0];
    assert_eq!((&told["title"], &told["mimetype"], &told["shares"]), (&json!("T"), &json!(""), &json!({})));
    desk.universe.run_until_quiet(Duration::from_secs(10)).await;
    let general = desk.expand("{#general}");
    let told = desk.call(TESTER, "files.info", &format!("file={file}"))["file"].clone();
    assert_eq!(
        (&told["mimetype"], &told["filetype"], &told["size"]),
        (&json!("text/plain"), &json!("text"), &json!(7))
    );
    assert_eq!((&told["mode"], &told["editable"], &told["lines"]), (&json!("snippet"), &json!(true), &json!(2)));
    assert!(told["preview_highlight"].as_str().unwrap().contains("<pre>one</pre>"), "{told}");
    assert_eq!((&told["channels"], &told["is_public"]), (&json!([general]), &json!(true)));
    let ts = told["shares"]["public"][&general][0]["ts"].clone();
    let newest = desk.call(TESTER, "conversations.history", "channel={#general}&limit=1")["messages"][0].clone();
    assert_eq!((&newest["ts"], &newest["subtype"], &newest["text"]), (&ts, &json!("file_share"), &json!("see *this*")));
    assert_eq!((&newest["files"][0]["id"], &newest["upload"]), (&json!(file), &json!(false)));
    assert_eq!(get(&desk, TESTER, &told["url_private"]), (200, b"one\ntwo".to_vec()));
    assert_eq!(get(&desk, TESTER, &told["url_private_download"]), (200, b"one\ntwo".to_vec()));
    assert_eq!(get(&desk, "xoxb-nonsense", &told["url_private"]).0, 302);
    assert_eq!(get(&desk, BOT, &told["url_private"]).0, 302, "no scope");
}

#[test]
fn uploads_are_checked() {
    let desk = Desk::new();
    desk.refuses(
        TESTER,
        "files.getUploadURLExternal",
        &[
            ("length=5", "invalid_arguments"),
            ("filename=a&length=x", "invalid_arguments"),
            ("filename=a&length=0", "missing_argument"),
            ("filename=a&length=99999999", "file_upload_size_restricted"),
            ("filename=a&length=1048577&snippet_type=text", "snippet_too_large"),
            ("filename=a&length=5&snippet_type=nonsense", "unknown_snippet_type"),
            (&format!("filename=a&length=5&alt_txt={}", "x".repeat(1001)), "alt_txt_too_large"),
        ],
    );
    assert_eq!(desk.error(BOT, "files.getUploadURLExternal", "filename=a&length=5"), "missing_scope");
    assert_eq!(desk.request(Method::POST, "/upload/v1/nonsense", &[], b"x").status.as_u16(), 404);
    let form = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nraw\r\n--b--\r\n";
    let begun = desk.call(TESTER, "files.getUploadURLExternal", "filename=a&length=3");
    let target = begun["upload_url"].as_str().unwrap().strip_prefix("http://127.0.0.1:7003").unwrap().to_owned();
    let headers = [("content-type", "multipart/form-data; boundary=b".to_owned())];
    assert_eq!(desk.request(Method::POST, &target, &headers, form).body, "OK - 3");
    let file = put(&desk, TESTER, "a.png", b"x");
    let begun = desk.call(TESTER, "files.getUploadURLExternal", "filename=b&length=3")["file_id"].clone();
    let one = format!("files=[{{\"id\":\"{file}\"}}]");
    desk.refuses(
        TESTER,
        "files.completeUploadExternal",
        &[
            ("files=nonsense", "invalid_arguments"),
            ("files=[]", "invalid_arguments"),
            ("files=[{}]", "invalid_arguments"),
            ("files=[1]", "invalid_arguments"),
            ("files=[{\"id\":1}]", "invalid_arguments"),
            ("files=[{\"id\":\"F000000000\"}]", "file_not_found"),
            (&format!("files=[{{\"id\":{begun}}}]"), "file_not_found"),
            (&format!("{one}&channel_id=C000000000"), "channel_not_found"),
            (&format!("{one}&channels=C000000000"), "invalid_channel"),
            (&format!("{one}&channel_id={{#random}}"), "not_in_channel"),
            (&format!("{one}&channel_id={{#general}}&blocks=[{{}}]"), "invalid_blocks"),
        ],
    );
    let spoilt = format!("files=[{{\"id\":\"{file}\",\"highlight_type\":null,\"initial_comment\":\"x\"}}]");
    let wanted = "[ERROR] invalid additional property: initial_comment [json-pointer:/files/0]";
    let answer = desk.call(TESTER, "files.completeUploadExternal", &spoilt);
    assert_eq!(answer["response_metadata"]["messages"][0], wanted);
    assert_eq!(complete(&desk, DANA, &file, "")["error"], "file_not_found", "somebody else's");
    assert_eq!(complete(&desk, TESTER, &file, "")["ok"], true);
    assert_eq!(complete(&desk, TESTER, &file, "")["error"], "file_not_found", "completed already");
    assert_eq!(desk.error(TESTER, "files.upload", "content=x"), "method_deprecated");
}

#[tokio::test]
async fn files_are_listed_opened_and_deleted() {
    let desk = Desk::new();
    let text = shared(&desk, TESTER, "a.txt", b"x").await;
    let picture = shared(&desk, DANA, "b.png", b"y").await;
    let list = |args: &str| {
        let answer = desk.call(TESTER, "files.list", args);
        let names: Vec<Value> = answer["files"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"))
            .iter()
            .map(|f| f["name"].clone())
            .collect();
        (names, answer["paging"]["total"].clone())
    };
    assert_eq!(list(""), (vec![json!("b.png"), json!("a.txt")], json!(2)));
    assert_eq!(list("types=images"), (vec![json!("b.png")], json!(1)));
    assert_eq!(list("user={@dtutester}&channel={#general}"), (vec![json!("a.txt")], json!(1)));
    assert_eq!(list("count=1&page=2"), (vec![json!("a.txt")], json!(2)));
    assert_eq!(list("ts_from=9999999999"), (vec![], json!(0)));
    desk.refuses(
        TESTER,
        "files.list",
        &[("types=nonsense", "unknown_type"), ("user=U0", "user_not_found"), ("channel=C0", "channel_not_found")],
    );
    let of = |file: &str| format!("file={file}");
    assert_eq!(desk.error(TESTER, "files.sharedPublicURL", &of(&text)), "not_allowed_token_type");
    let open = desk.call(DANA, "files.sharedPublicURL", &of(&picture))["file"].clone();
    assert_eq!(open["public_url_shared"], true);
    assert_eq!(get(&desk, "", &open["permalink_public"]).0, 200);
    let secret = open["permalink_public"].as_str().unwrap().rsplit('-').next().unwrap();
    let url = json!(format!("{}?pub_secret={secret}", open["url_private"].as_str().unwrap()));
    assert_eq!(get(&desk, "", &url).0, 200);
    assert_eq!(desk.call(DANA, "files.revokePublicURL", &of(&picture))["file"]["public_url_shared"], false);
    assert_eq!(get(&desk, "", &url).0, 302);
    assert_eq!(desk.error(TESTER, "files.comments.delete", &format!("file={text}&id=Fc1")), "comment_not_found");
    assert_eq!(desk.error(TESTER, "files.delete", &of(&picture)), "cant_delete_file");
    assert_eq!(desk.error(DANA, "files.delete", &of(&text)), "", "administrators delete all");
    assert_eq!(desk.error(DANA, "files.delete", &of(&text)), "file_deleted");
    assert_eq!(desk.error(DANA, "files.delete", "file=F000000000"), "file_not_found");
    assert_eq!(desk.error(TESTER, "files.info", &of(&text)), "file_deleted");
    let history = desk.call(TESTER, "conversations.history", "channel={#general}&limit=2");
    assert_eq!(history["messages"][1]["files"], json!([{ "id": text, "mode": "tombstone" }]));
}

#[tokio::test]
async fn people_upload_too() {
    let desk = Desk::new();
    let with = json!({ "channel": "general", "name": "a.md", "content": "# x", "comment": "look" });
    let done = desk.act("slack.user.upload", "lena", with);
    assert_eq!(desk.texts("general").last().unwrap(), "look");
    let row = desk.view("files").pop().unwrap();
    assert_eq!((&row["id"], &row["channels"], &row["text"]), (&done["file"], &json!(["general"]), &json!("# x")));
    let nowhere = json!({ "channel": "nowhere", "name": "a", "content": "x" });
    assert!(desk.try_act("slack.user.upload", "lena", nowhere).is_err());
}

/// A picture of a size.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    RgbImage::from_pixel(width, height, Rgb([9, 90, 200])).write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

/// The size of a picture.
fn size(bytes: &[u8]) -> (u32, u32) {
    let picture = image::load_from_memory(bytes).unwrap();
    (picture.width(), picture.height())
}

#[tokio::test]
async fn pictures_have_thumbnails() {
    let desk = Desk::new();
    let content = png(960, 540);
    let begun = desk.call(TESTER, "files.getUploadURLExternal", &format!("filename=a.png&length={}", content.len()));
    let url = begun["upload_url"].as_str().unwrap().strip_prefix("http://127.0.0.1:7003").unwrap();
    desk.request(Method::POST, url, &[], &content);
    let file = begun["file_id"].as_str().unwrap();
    let told = complete(&desk, TESTER, file, "channel_id={#general}")["files"][0].clone();
    assert_eq!(told.get("thumb_64"), None, "Slack has not looked at it yet");
    desk.universe.run_until_quiet(Duration::from_secs(10)).await;
    let told = desk.call(TESTER, "files.info", &format!("file={file}"))["file"].clone();
    assert_eq!((&told["original_w"], &told["original_h"]), (&json!(960), &json!(540)));
    assert_eq!((&told["thumb_360_w"], &told["thumb_360_h"]), (&json!(360), &json!(203)));
    assert_eq!((told.get("thumb_64_w"), told.get("thumb_1024")), (None, None));
    let thumb = &told["thumb_360"];
    assert!(thumb.as_str().unwrap().contains("/files-tmb/") && thumb.as_str().unwrap().ends_with("/a_360.png"));
    for (name, wanted) in [("thumb_360", (360, 203)), ("thumb_960", (960, 540)), ("thumb_80", (80, 80))] {
        let (status, bytes) = get(&desk, TESTER, &told[name]);
        assert_eq!((status, size(&bytes)), (200, wanted), "{name}");
    }
    let tiny = STANDARD.decode(told["thumb_tiny"].as_str().unwrap()).unwrap();
    assert_eq!(tiny[..5], [3, 0, 27, 0, 48]);
    assert_eq!(get(&desk, "xoxb-nonsense", thumb).0, 302);
    let guessed = thumb.as_str().unwrap().replace("_360", "_361");
    assert_eq!(get(&desk, TESTER, &json!(guessed)).0, 404);
    let shown = desk.call(TESTER, "conversations.history", "channel={#general}&limit=1");
    assert_eq!(&shown["messages"][0]["files"][0]["thumb_360"], thumb);
}

#[tokio::test]
async fn moving_and_broken_pictures_are_told_as_such() {
    let desk = Desk::new();
    let told = async |name: &str, content: &[u8]| {
        let file = shared(&desk, TESTER, name, content).await;
        desk.call(TESTER, "files.info", &format!("file={file}"))["file"].clone()
    };
    let mut film = Vec::new();
    let mut encoder = GifEncoder::new(&mut film);
    for shade in [0, 200] {
        encoder.encode_frame(Frame::new(RgbaImage::from_pixel(500, 250, [shade, 0, 0, 255].into()))).unwrap();
    }
    drop(encoder);
    let moving = told("a.gif", &film).await;
    let (_, small) = get(&desk, TESTER, &moving["thumb_360_gif"]);
    assert!(small.starts_with(b"GIF89a") && size(&small) == (360, 180));
    let (_, still) = get(&desk, TESTER, &moving["deanimate_gif"]);
    assert!(still.starts_with(b"\x89PNG") && size(&still) == (500, 250));
    let broken = told("b.png", &png(300, 300)[..60]).await;
    assert_eq!((&broken["mimetype"], broken.get("thumb_64")), (&json!("image/png"), None));
    let nameless = told("upload", &png(30, 30)).await;
    let (_, square) = get(&desk, TESTER, &nameless["thumb_64"]);
    assert_eq!(
        (&nameless["filetype"], &nameless["pretty_type"], size(&square)),
        (&json!("png"), &json!("PNG"), (64, 64))
    );
}

#[test]
fn people_upload_pictures() {
    let desk = Desk::new();
    let with = json!({ "channel": "general", "name": "a.png", "base64": STANDARD.encode(png(400, 200)) });
    let done = desk.act("slack.user.upload", "lena", with);
    let told = desk.call(TESTER, "files.info", &format!("file={}", done["file"].as_str().unwrap()))["file"].clone();
    assert_eq!((&told["size"], told.get("thumb_64")), (&json!(png(400, 200).len()), None), "not looked at yet");
    let bad = json!({ "channel": "general", "name": "a.png", "base64": "%" });
    assert!(desk.try_act("slack.user.upload", "lena", bad).is_err());
}

#[tokio::test]
async fn an_update_shows_other_files() {
    let desk = Desk::new();
    let first = shared(&desk, TESTER, "one.txt", b"1").await;
    let second = shared(&desk, TESTER, "two.txt", b"2").await;
    let foreign =
        desk.act("slack.user.upload", "lena", json!({ "channel": "general", "name": "c.txt", "content": "c" }));
    let newest = |at: usize| desk.call(TESTER, "conversations.history", "channel={#general}")["messages"][at].clone();
    let ts = newest(1)["ts"].as_str().unwrap().to_owned();
    let update = |ids: &Value| {
        let body = json!({ "channel": "{#general}", "ts": ts, "file_ids": ids, "text": "see" });
        desk.call_json(TESTER, "chat.update", &body)
    };
    assert_eq!(update(&json!([foreign["file"]]))["error"], "file_not_found");
    let told = update(&json!([first, second]));
    let ids = |message: &Value| -> Vec<String> {
        let files = message["files"].as_array().cloned().unwrap_or_default();
        files.iter().map(|file| file["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&told["message"]), [first.clone(), second.clone()], "{told}");
    let shares = |file: &str| {
        let told = desk.call(TESTER, "files.info", &format!("file={file}"))["file"]["shares"]["public"].clone();
        told[desk.expand("{#general}")].as_array().map_or(0, Vec::len)
    };
    assert_eq!((shares(&first), shares(&second)), (2, 1));
    assert_eq!(ids(&update(&json!(format!("[\"{first}\"]")))["message"]), std::slice::from_ref(&first));
    assert_eq!((shares(&first), shares(&second)), (2, 0));
}

#[test]
fn a_remote_file_comes_with_its_picture_and_words() {
    let desk = Desk::new();
    let add = |title: &str, picture: Option<&[u8]>, words: &str| {
        let mut body = Vec::new();
        let mut part = |head: &str, content: &[u8]| {
            body.extend_from_slice(format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        };
        part("name=\"external_id\"", b"plan-1");
        part("name=\"external_url\"", b"https://drive.example/plan");
        part("name=\"title\"", title.as_bytes());
        part("name=\"indexable_file_contents\"; filename=\"words.txt\"", words.as_bytes());
        if let Some(picture) = picture {
            part("name=\"preview_image\"; filename=\"a.png\"", picture);
        }
        body.extend_from_slice(b"--b--\r\n");
        let headers = [
            ("authorization", format!("Bearer {TESTER}")),
            ("content-type", "multipart/form-data; boundary=b".to_owned()),
        ];
        let reply = desk.request(Method::POST, "/api/files.remote.add", &headers, &body);
        serde_json::from_slice::<Value>(&reply.body).unwrap()["file"].clone()
    };
    let content = png(400, 200);
    let made = add("Plan", Some(&content), "quokka");
    assert_eq!((&made["has_rich_preview"], &made["thumb_360_h"]), (&json!(true), &json!(180)), "{made}");
    let again = add("Plans", None, "numbat");
    assert_eq!((&again["id"], &again["title"]), (&made["id"], &json!("Plans")), "it is the same file, changed");
    assert_eq!(again["thumb_360"], made["thumb_360"], "what was not sent stays");
}
