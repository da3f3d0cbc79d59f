//! Beats within beats, their triggers, and what a story does at the target's own surface.

use std::{collections::BTreeSet, sync::Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

/// A program that runs already: answers by path, and keeps what it was asked.
struct Surface {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Surface {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("has an address"));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                    let nth = {
                        let mut kept = kept.lock().expect("is not poisoned");
                        kept.push(request);
                        kept.iter().filter(|request| request.split(' ').nth(1) == Some(&path)).count()
                    };
                    let _ = stream.write_all(answer(&path, nth).as_bytes()).await;
                });
            }
        });
        Self { url, asked }
    }

    fn target(&self) -> String {
        format!(
            "schema: dtu/target/v1\nname: surface\nurl: '{0}/'\nreset: '{0}/reset'\nquiesce: {{idle: 20ms}}\n\
             env: {{SECRET: for-all}}\ncommands: {{say: [sh, -c, 'cat; echo \"$0 $SECRET $MORE\"; exit $1'], hang: [sleep, '60']}}\n",
            self.url
        )
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("is not poisoned").clone()
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let length = |head: &str| {
            let line = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            line.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0)
        };
        let is_whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| body.len() >= length(head));
        if read == 0 || is_whole {
            return text;
        }
    }
}

fn answer(path: &str, nth: usize) -> String {
    let (status, body) = match path.split('?').next().unwrap_or_default() {
        "/thing" => (201, r#"{"id":"t-7"}"#.to_owned()),
        "/status" => (200, format!(r#"{{"done":{}}}"#, nth >= 3)),
        "/gone" => (302, String::new()),
        "/silent" => return String::new(),
        _ => (200, "fine".to_owned()),
    };
    format!("HTTP/1.1 {status} So\r\ncontent-length: {}\r\nx-kind: test\r\nconnection: close\r\n\r\n{body}", body.len())
}

async fn told(clock: ClockMode, seed: u64, surface: &Surface, scenario: &str) -> Played {
    let folder = tempfile::tempdir().expect("makes a folder");
    let scenario = testing::scenario_with(scenario);
    let world = Arc::new(testing::world());
    let options = Options { clock, ..Options::default() };
    let master = Universe::create("master", testing::twins().into(), world, &options).expect("is made");
    let universe = master.fork("test", Some(seed));
    let file = folder.path().join("target.yaml");
    fs_err::write(&file, surface.target()).expect("writes");
    let target = load::target(&file).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let setup = Setup::new(target, Supervisor::at(dtu()), &testing::twins(), true);
    let evidence = folder.path().join("evidence");
    fs_err::create_dir_all(&evidence).expect("makes a folder");
    let unit = Unit { seed, ..unit(&scenario) };
    let record = run(&setup, &scenario, &unit, Arc::clone(&universe), &evidence).await.expect("the run goes on");
    Played { record, universe, folder }
}

/// What a story comes to, and why.
async fn check(surface: &Surface, beats: &str, outcome: Outcome, why: &str) {
    let played = told(ClockMode::Real, 5, surface, beats).await;
    assert_eq!(played.record.outcome, outcome, "{beats}\n{:#?}", played.record);
    assert_eq!(played.record.reasons.join("; "), why, "{beats}");
}

fn entries(played: &Played, kind: &str) -> Vec<Value> {
    let all = played.universe.ledger().page(0, usize::MAX).expect("reads");
    all.into_iter().filter(|entry| entry["kind"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_is_asked_and_its_answer_read() {
    use Outcome::{Satisfied, Unsatisfied, Void};
    let surface = Surface::start().await;
    let story = "
beats:
  - id: make
    as: lena
    http: {method: POST, url: '/thing?by=${people.lena.key}', headers: {X-Who: '${people.lena.email}'}, body: {json: {n: 1, t: ['${people.rob.name}']}}, expect: {status: 201}}
  - {when: acts.make.json.id == 't-7', http: {method: PUT, url: '${target.url}/thing/${acts.make.json.id}', body: {form: {a: 'b c'}}}}
  - {http: {url: /gone, body: {text: 'hi ${port > 0}'}, expect: {status: [301, 302]}}}
checks:
  - {name: read, that: {finally: \"acts.make.status == 201 && acts.make.headers['x-kind'] == 'test' && acts.make.error == ''\"}}
  - {name: told, that: {count: {of: \"e.kind == 'answer' && e.action == 'http' && e.name == 'make' && e.json.id == 't-7'\", by: 'actor:lena', min: 1, max: 1}}}
  - {name: asked, that: {order: [\"e.kind == 'act' && e.name == 'make'\", \"e.kind == 'answer' && e.status == 302\"]}}";
    let played = told(ClockMode::Real, 5, &surface, story).await;
    assert_eq!(played.record.outcome, Satisfied, "{:#?}", played.record);
    let asked = surface.asked();
    assert!(asked[0].starts_with("POST /reset "), "{asked:?}");
    assert!(asked[1].starts_with("POST /thing?by=lena HTTP/1.1\r\n"), "{asked:?}");
    assert!(
        asked[1].contains("x-who: lena@tiny.example") && asked[1].ends_with(r#"{"n":1,"t":["Rob Ray"]}"#),
        "{asked:?}"
    );
    assert!(asked[2].starts_with("PUT /thing/t-7 ") && asked[2].ends_with("\r\n\r\na=b+c"), "{asked:?}");
    assert!(asked[3].contains("content-type: text/plain") && asked[3].ends_with("hi true"), "{asked:?}");
    let moment = &played.record.checks[1].moments[0];
    assert_eq!((moment.what.as_str(), moment.shows.as_str()), ("http make answered", "-> 201"));

    let one = |beat: &str| format!("beats: [{beat}]");
    check(&surface, &one("{http: {url: /x, expect: {status: 2xx}}}"), Satisfied, "").await;
    let other = "beat 1: GET /thing answered 201, 200 was expected";
    check(&surface, &one("{http: {url: /thing, expect: {status: 200}}}"), Unsatisfied, other).await;
    check(&surface, &one("{http: {url: /thing, expect: {status: 200}}, optional: true}"), Satisfied, "").await;
    check(&surface, &one("{http: {url: /silent}}"), Unsatisfied, "beat 1: GET /silent: the connection broke").await;
    let nobody = "beat `ask`: GET /: nobody answers";
    check(&surface, &one("{id: ask, http: {url: \"${'http://127.0.0.1:1'}/\"}}"), Unsatisfied, nobody).await;
    let elsewhere = "beat 1: this is not at the target, and nobody else is asked";
    check(&surface, &one("{http: {url: \"${'http://example.com'}/\"}}"), Void, elsewhere).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_the_target_are_run() {
    use Outcome::{Satisfied, Unsatisfied};
    let surface = Surface::start().await;
    let story = "
beats:
  - {id: say, as: lena, cli: {run: say, args: ['hi ${people.lena.first}', '3'], stdin: 'from ${target.url}; ', env: {MORE: more}, expect: {code: 3}}}
checks: [{name: said, that: {finally: \"acts.say.code == 3 && acts.say.stdout == 'from ' + target.url + '; hi Lena for-all more\\\\n' && acts.say.json == null\"}}]";
    let played = told(ClockMode::Real, 5, &surface, story).await;
    assert_eq!(played.record.outcome, Satisfied, "{:#?}\n{:#?}", played.record, entries(&played, "answer"));
    let stdout = fs_err::read_to_string(played.folder.path().join("evidence/cli/say-1/stdout")).expect("is there");
    assert!(stdout.ends_with("hi Lena for-all more\n"), "{stdout}");
    let one = |beat: &str| format!("beats: [{beat}]");
    let other = "beat 1: `say` ended with exit code 4, 0 was expected";
    check(&surface, &one("{cli: {run: say, args: [x, '4'], expect: {code: 0}}}"), Unsatisfied, other).await;
    let late = "beat 1: `hang`: it did not end within 80ms";
    check(&surface, &one("{cli: {run: hang, timeout: 80ms}}"), Unsatisfied, late).await;
    check(&surface, &one("{cli: {run: hang, timeout: 80ms}, optional: true}"), Satisfied, "").await;
}

/// Who took what, in the order of the ledger.
fn taken(played: &Played) -> String {
    let items = entries(played, "affordance");
    items.iter().map(|entry| entry["with"]["item"].as_str().unwrap_or_default()).collect::<Vec<_>>().join(" ")
}

fn take(item: &str) -> String {
    format!("{{as: lena, do: shelf.user.take, with: {{item: {item}}}, optional: true}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_take_turns_as_the_seed_says() {
    let surface = Surface::start().await;
    let branch = |names: [&str; 3]| format!("[{}]", names.map(take).join(", "));
    let story = format!(
        "beats: [{{id: both, parallel: [{}, {}]}}, {{after: both, as: lena, do: shelf.user.take, with: {{item: end}}, optional: true}}]",
        branch(["a1", "a2", "a3"]),
        branch(["b1", "b2", "b3"])
    );
    let mut orders = BTreeSet::new();
    for seed in 0..12 {
        let order = taken(&told(ClockMode::Stepped, seed, &surface, &story).await);
        assert_eq!(order, taken(&told(ClockMode::Stepped, seed, &surface, &story).await), "the seed says it all");
        let of = |branch: char| order.split(' ').filter(|item| item.starts_with(branch)).collect::<Vec<_>>().join(" ");
        assert_eq!((of('a'), of('b')), ("a1 a2 a3".to_owned(), "b1 b2 b3".to_owned()), "each branch keeps its order");
        assert!(order.ends_with(" end"), "{order}");
        orders.insert(order);
    }
    assert!(orders.len() > 4, "seeds differ: {orders:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_go_on_while_others_wait() {
    let surface = Surface::start().await;
    let story = "
beats:
  - parallel:
      - - {id: slow, cli: {run: say, args: [x, '0'], stdin: ''}}
        - {as: lena, do: shelf.user.take, with: {item: second}, optional: true}
      - - {after: slow, as: rob, do: shelf.user.take, with: {item: third}, optional: true}
      - - {at: 2h, as: rob, do: shelf.user.take, with: {item: last}, optional: true}
      - - {after: {beat: slow, by: 1h}, as: rob, do: shelf.user.take, with: {item: hour}, optional: true}
      - - {when: \"now > '2026-03-02T09:30'\", timeout: 2h, as: rob, do: shelf.user.take, with: {item: half}, optional: true}";
    let order = taken(&told(ClockMode::Stepped, 5, &surface, story).await);
    let last = order.split(' ').skip(2).collect::<Vec<_>>().join(" ");
    // A condition over the time alone is looked at where the clock stops.
    assert!(last == "hour half last" || last == "half hour last", "{order}");
}

#[tokio::test(flavor = "multi_thread")]
async fn beats_are_repeated() {
    use Outcome::{Satisfied, Unsatisfied, Void};
    let surface = Surface::start().await;
    let rounds = "params: {n: {one_of: [3]}}\nbeats: [{id: many, repeat: {times: params.n, beats: [{as: lena, do: shelf.user.take, with: {item: 'i${round}'}, optional: true}]}}]\n\
                  checks: [{name: counted, that: {finally: acts.many.rounds == 3}}]";
    let played = told(ClockMode::Stepped, 5, &surface, rounds).await;
    assert_eq!((played.record.outcome, taken(&played).as_str()), (Satisfied, "i1 i2 i3"), "{:#?}", played.record);
    let polls = "beats: [{id: poll, repeat: {times: 5, until: acts.look.json.done, every: 10m, beats: [{id: look, http: {url: /status}}]}}]\n\
                 checks: [{name: waited, that: {finally: \"acts.poll.rounds == 3 && now >= '2026-03-02T09:20' && now < '2026-03-02T09:30'\"}}]";
    let played = told(ClockMode::Stepped, 5, &surface, polls).await;
    assert_eq!(played.record.outcome, Satisfied, "{:#?}", played.record);
    let one = |beat: &str| format!("beats: [{beat}]");
    let never = "beat 1: after 2 rounds, `1 > 2` did not hold";
    check(&surface, &one("{repeat: {times: 2, until: 1 > 2, beats: [{pause: 1ms}]}}"), Unsatisfied, never).await;
    let wrong = "beat 1: `0 - 1` is no number of rounds";
    check(&surface, &one("{repeat: {times: 0 - 1, beats: [{pause: 1ms}]}}"), Void, wrong).await;
    check(&surface, &one("{repeat: {times: 1 - 1, beats: [{pause: 1ms}]}}"), Satisfied, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_course_is_picked_by_its_weight() {
    let surface = Surface::start().await;
    let story = format!(
        "beats: [{{id: way, pick: [{{name: often, weight: 3, beats: [{}]}}, {{weight: 1, beats: []}}]}}]\n\
         checks: [{{name: chosen, that: {{finally: \"acts.way.chosen in ['often', '2']\"}}}}]",
        take("cup")
    );
    let mut often = 0;
    for seed in 0..40 {
        let played = told(ClockMode::Stepped, seed, &surface, &story).await;
        assert_eq!(played.record.outcome, Outcome::Satisfied, "{:#?}", played.record);
        let acts = entries(&played, "act");
        assert_eq!((acts.len(), &acts[0]["action"], &acts[0]["name"]), (1, &json!("pick"), &json!("way")));
        let is_often = acts[0]["result"]["chosen"] == "often";
        assert_eq!(taken(&played), if is_often { "cup" } else { "" });
        often += u64::from(is_often);
    }
    assert!((22..=37).contains(&often), "{often} of 40, 30 are expected");
}

#[tokio::test(flavor = "multi_thread")]
async fn beats_come_at_their_time() {
    let surface = Surface::start().await;
    let story = "
beats:
  - {at: 10m, as: lena, do: shelf.user.take, with: {item: ten}, optional: true}
  - {id: clock, at: '2026-03-02T09:30:00Z', as: lena, do: shelf.user.take, with: {item: thirty}, optional: true}
  - {after: {beat: clock, by: 5m}, as: lena, do: shelf.user.take, with: {item: more}, optional: true}
  - {jitter: 10m, as: lena, do: shelf.user.take, with: {item: late}, optional: true}";
    let minutes = |seed| {
        let surface = &surface;
        async move {
            let played = told(ClockMode::Stepped, seed, surface, story).await;
            let at = |entry: &Value| entry["at"].as_str().map(|at| at[11..16].to_owned()).unwrap_or_default();
            entries(&played, "affordance").iter().map(at).collect::<Vec<_>>()
        }
    };
    let (one, two) = (minutes(1).await, minutes(2).await);
    assert_eq!(one[..3], ["09:10", "09:30", "09:35"]);
    assert!(one[3].as_str() >= "09:35" && one[3].as_str() <= "09:45", "{one:?}");
    assert_ne!(one[3], two[3], "the seed says how late");
}
