//! The page: what it holds can be read back, and nothing that it shows can become part of it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::render;
use crate::{evidence::Folder, plan::Key, record::Record, report::tests::with_report};

/// Writes a run's folder with evidence of one trajectory, and gives its page.
fn page(hostile: &str) -> String {
    let home = tempfile::tempdir().expect("a folder");
    let mut out = Vec::new();
    with_report(|report, records| {
        let folder = Folder::fresh(home.path(), report.plan).expect("is taken");
        let key = Key { scenario: "access.approved".to_owned(), variant: "aa".to_owned(), n: 2 };
        let place = folder.evidence(&key).expect("is made");
        let write = |name: &str, text: &str| fs_err::write(place.join(name), text).expect("is written");
        write("manifest.json", "{}");
        write("checks.json", "[]");
        write("diff.json", "[]");
        write(
            "ledger.ndjson",
            &format!("{}\n{}\n", json!({ "seq": 1, "principal": hostile }), json!({ "seed": u64::MAX })),
        );
        write("target/stdout", hostile);
        render(&mut out, report, &folder, records).expect("is written");
    });
    String::from_utf8(out).expect("is text")
}

/// What stands in the element with this id.
fn element<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, after) = page.split_once(&format!("id=\"{id}\">")).expect("there is such an element");
    after.split_once("</script>").expect("it ends").0
}

#[test]
fn the_data_can_be_read_back_and_only_kept_evidence_is_promised() {
    let page = page("x");
    let data: Value = serde_json::from_str(element(&page, "data")).expect("is JSON");
    assert_eq!(data["verdict"], "fail");
    assert_eq!(data["target"], "access-bot");
    let runs = &data["scenarios"][0]["variants"];
    assert_eq!(
        runs[0]["runs"],
        json!([[1, "101", "s", null, []], [2, "102", "u", 1, []]]),
        "evidence lies there of one"
    );
    assert_eq!(runs[1]["runs"], json!([[1, "101", "u", null, []], [2, "102", "s", null, []]]));
    assert_eq!(data["scenarios"][1]["variants"][0]["runs"][0][2], "v");
    // The page puts a trajectory's number in the place of the last digit.
    assert_eq!(runs[0]["again"], AGAIN);
    assert_eq!(runs[0]["replay"], "dtu replay out/evidence/access.approved/aa-0");
    let trouble = &data["scenarios"][0]["problems"][0];
    assert_eq!(
        (&trouble["what"], &trouble["count"], &trouble["first"]),
        (&json!("one grant"), &json!(2), &json!(["aa", 2]))
    );
}

const AGAIN: &str = "dtu run scenarios/access.approved.yaml --target 'my targets/bot.yaml' --openapi shop.yaml --seed 7 \
                     --only access.approved/aa/0";

#[test]
fn evidence_is_packed_as_the_page_unpacks_it() {
    let page = page("x");
    let bytes = STANDARD.decode(element(&page, "t1")).expect("is base64");
    let bytes = miniz_oxide::inflate::decompress_to_vec(&bytes).expect("is raw deflate");
    let evidence: Value = serde_json::from_slice(&bytes).expect("is JSON");
    assert_eq!(evidence["ledger"], json!([{ "seq": 1, "principal": "x" }, { "seed": u64::MAX.to_string() }]));
    assert_eq!(evidence["stdout"], "x");
    assert_eq!(evidence["stderr"], "");
}

#[test]
fn what_a_target_says_cannot_become_part_of_the_page() {
    let hostile = "</script><script>alert(1)</script><!--";
    let page = page(hostile);
    assert!(!page.contains("alert(1)"));
    // The label of a variant holds an angle bracket; as JSON it is written with none.
    assert!(page.contains("who=\\u003cb>omar|x"));
    let scripts = page.matches("<script").count();
    assert_eq!(scripts, page.matches("</script>").count());
    assert_eq!(scripts, 3, "data, one trajectory, program");
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let page = page("x");
    for word in ["http://", "https://", "src=", "@import", "innerHTML", "eval("] {
        let found = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!found.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn thousands_of_trajectories_take_little_room() {
    let home = tempfile::tempdir().expect("a folder");
    with_report(|report, records| {
        let template = records.values().next().expect("there is one");
        let many: BTreeMap<Key, Record> = (1..=5_000)
            .map(|n| {
                let key = Key { n, ..template.key.clone() };
                (key.clone(), Record { key, seed: u64::MAX, ..template.clone() })
            })
            .collect();
        let folder = Folder::fresh(home.path(), report.plan).expect("is taken");
        let (mut few, mut all) = (Vec::new(), Vec::new());
        render(&mut few, report, &folder, &BTreeMap::new()).expect("is written");
        render(&mut all, report, &folder, &many).expect("is written");
        let each = (all.len() - few.len()) / many.len();
        assert!(each < 50, "{each} bytes for each trajectory, besides its evidence");
        assert!(String::from_utf8_lossy(&all).contains("[5000,\"18446744073709551615\",\"s\",null,[]]"), "exact seeds");
    });
}
