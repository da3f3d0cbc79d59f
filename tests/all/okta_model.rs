//! Okta's people, groups and apps against a small model of their own: whatever is done in whatever order, the twin
//! refuses what the model refuses and shows what it shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dtu_kernel::{
    clock::ClockMode,
    universe::{Options, Universe},
};
use dtu_tests::calls::Call;
use proptest::prelude::*;
use serde_json::{Value, json};

/// How many people, groups and apps there are at most.
const MANY: usize = 4;

/// Something that an administrator's program does.
#[derive(Debug, Clone, Copy)]
enum Step {
    Create { person: usize, active: bool, password: bool },
    Lifecycle { person: usize, verb: Verb },
    Delete { person: usize },
    AddGroup { group: usize },
    DeleteGroup { group: usize },
    Join { group: usize, person: usize },
    Leave { group: usize, person: usize },
    Assign { app: usize, person: usize },
    Unassign { app: usize, person: usize },
    AssignGroup { app: usize, group: usize },
    UnassignGroup { app: usize, group: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Activate,
    Deactivate,
    Suspend,
    Unsuspend,
}

impl Verb {
    const fn operation(self) -> &'static str {
        match self {
            Self::Activate => "activateUser",
            Self::Deactivate => "deactivateUser",
            Self::Suspend => "suspendUser",
            Self::Unsuspend => "unsuspendUser",
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let one = || 0..MANY;
    let verb = prop_oneof![Just(Verb::Activate), Just(Verb::Deactivate), Just(Verb::Suspend), Just(Verb::Unsuspend),];
    prop_oneof![
        3 => (one(), any::<bool>(), any::<bool>())
            .prop_map(|(person, active, password)| Step::Create { person, active, password }),
        4 => (one(), verb).prop_map(|(person, verb)| Step::Lifecycle { person, verb }),
        1 => one().prop_map(|person| Step::Delete { person }),
        2 => one().prop_map(|group| Step::AddGroup { group }),
        1 => one().prop_map(|group| Step::DeleteGroup { group }),
        4 => (one(), one()).prop_map(|(group, person)| Step::Join { group, person }),
        2 => (one(), one()).prop_map(|(group, person)| Step::Leave { group, person }),
        3 => (one(), one()).prop_map(|(app, person)| Step::Assign { app, person }),
        2 => (one(), one()).prop_map(|(app, person)| Step::Unassign { app, person }),
        3 => (one(), one()).prop_map(|(app, group)| Step::AssignGroup { app, group }),
        1 => (one(), one()).prop_map(|(app, group)| Step::UnassignGroup { app, group }),
    ]
}

/// Where a person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Staged,
    Provisioned,
    Active,
    Suspended,
    Deprovisioned,
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Staged => "STAGED",
            Self::Provisioned => "PROVISIONED",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Deprovisioned => "DEPROVISIONED",
        }
    }
}

/// The model: sets, and no more rules than developer.okta.com's pages on the user lifecycle, groups and apps have.
#[derive(Debug, Default)]
struct Model {
    people: BTreeMap<usize, (Status, bool)>,
    groups: BTreeMap<usize, BTreeSet<usize>>,
    /// Directly assigned, by app.
    direct: BTreeMap<usize, BTreeSet<usize>>,
    by_group: BTreeMap<usize, BTreeSet<usize>>,
}

impl Model {
    /// Whether the twin is to accept the step, and what becomes of the model then.
    fn take(&mut self, step: Step) -> bool {
        match step {
            Step::Create { person, active, password } => {
                let status = match (active, password) {
                    (false, _) => Status::Staged,
                    (true, false) => Status::Provisioned,
                    (true, true) => Status::Active,
                };
                let new = !self.people.contains_key(&person);
                self.people.entry(person).or_insert((status, password));
                new
            }
            Step::Lifecycle { person, verb } => self.advance(person, verb),
            Step::Delete { person } => self.delete(person),
            Step::AddGroup { group } => {
                let new = !self.groups.contains_key(&group);
                self.groups.entry(group).or_default();
                new
            }
            Step::DeleteGroup { group } => {
                self.by_group.values_mut().for_each(|groups| _ = groups.remove(&group));
                self.groups.remove(&group).is_some()
            }
            Step::Join { group, person } => {
                let there = self.people.get(&person).is_some_and(|(status, _)| *status != Status::Deprovisioned);
                self.groups.get_mut(&group).filter(|_| there).is_some_and(|members| {
                    members.insert(person);
                    true
                })
            }
            Step::Leave { group, person } => {
                let there = self.people.contains_key(&person);
                self.groups.get_mut(&group).filter(|_| there).is_some_and(|members| {
                    members.remove(&person);
                    true
                })
            }
            Step::Assign { app, person } => {
                let may = self.people.get(&person).is_some_and(|(status, _)| *status != Status::Deprovisioned);
                may && {
                    self.direct.entry(app).or_default().insert(person);
                    true
                }
            }
            Step::Unassign { app, person } => {
                // Who has the app through a group keeps it.
                !self.through_groups(app).contains(&person) && self.direct.entry(app).or_default().remove(&person)
            }
            Step::AssignGroup { app, group } => {
                self.groups.contains_key(&group) && {
                    self.by_group.entry(app).or_default().insert(group);
                    true
                }
            }
            Step::UnassignGroup { app, group } => self.by_group.entry(app).or_default().remove(&group),
        }
    }

    fn advance(&mut self, person: usize, verb: Verb) -> bool {
        let Some((status, password)) = self.people.get_mut(&person) else { return false };
        let next = match (verb, *status) {
            (Verb::Activate, Status::Staged | Status::Deprovisioned) if *password => Status::Active,
            (Verb::Activate, Status::Staged | Status::Deprovisioned) => Status::Provisioned,
            (Verb::Deactivate, from) if from != Status::Deprovisioned => Status::Deprovisioned,
            (Verb::Suspend, Status::Active) => Status::Suspended,
            (Verb::Unsuspend, Status::Suspended) => Status::Active,
            _ => return false,
        };
        *status = next;
        if next == Status::Deprovisioned {
            // Deactivation takes credentials, groups and apps.
            *password = false;
            self.forget(person);
        }
        true
    }

    fn delete(&mut self, person: usize) -> bool {
        let Some((status, password)) = self.people.get_mut(&person) else { return false };
        if *status == Status::Deprovisioned {
            self.people.remove(&person);
        } else {
            (*status, *password) = (Status::Deprovisioned, false);
        }
        self.forget(person);
        true
    }

    fn forget(&mut self, person: usize) {
        self.groups.values_mut().for_each(|members| _ = members.remove(&person));
        self.direct.values_mut().for_each(|people| _ = people.remove(&person));
    }

    fn through_groups(&self, app: usize) -> BTreeSet<usize> {
        let groups = self.by_group.get(&app).into_iter().flatten();
        let members = groups.filter_map(|group| self.groups.get(group)).flatten();
        let may =
            |person: &&usize| self.people.get(*person).is_some_and(|(status, _)| *status != Status::Deprovisioned);
        members.filter(may).copied().collect()
    }

    /// Who has an app, and whether in their own right.
    fn app(&self, app: usize) -> BTreeMap<usize, bool> {
        let mut all: BTreeMap<usize, bool> =
            self.through_groups(app).into_iter().map(|person| (person, false)).collect();
        all.extend(self.direct.get(&app).into_iter().flatten().map(|person| (*person, true)));
        all
    }
}

/// The twin, with the ids of what was made in it.
struct Org {
    universe: Arc<Universe>,
    token: String,
    people: BTreeMap<usize, String>,
    groups: BTreeMap<usize, String>,
    apps: Vec<String>,
}

const NOBODY: &str = "00unobody00000000000";

impl Org {
    fn new() -> Self {
        let options = Options { clock: ClockMode::Stepped, check: true, ..Options::default() };
        let universe = dtu_universe::multiverse().create_unserved("acme", &options).expect("acme loads");
        let variables = universe.env();
        let token = variables.into_iter().find(|variable| variable.name == "OKTA_CLIENT_TOKEN");
        let token = token.map(|variable| variable.content().to_owned()).expect("the twin names its token");
        let mut org = Self { universe, token, people: BTreeMap::new(), groups: BTreeMap::new(), apps: Vec::new() };
        for n in 0..MANY {
            let url = format!("https://app{n}.example/");
            let body = json!({ "name": "bookmark", "label": format!("App {n}"), "signOnMode": "BOOKMARK",
                "settings": { "app": { "url": url, "requestIntegration": false } } });
            let made = org.json("createApplication", &[], Some(&body));
            org.apps.push(id(&made));
        }
        org
    }

    fn call(&self, operation: &str, params: &[&str], body: Option<&Value>) -> Call {
        Call::okta(operation, &self.token, params, body)
    }

    fn json(&self, operation: &str, params: &[&str], body: Option<&Value>) -> Value {
        self.call(operation, params, body).json(&self.universe)
    }

    fn does(&self, operation: &str, params: &[&str], body: Option<&Value>) -> bool {
        self.call(operation, params, body).send(&self.universe).status.is_success()
    }

    fn person(&self, person: usize) -> &str {
        self.people.get(&person).map_or(NOBODY, String::as_str)
    }

    fn group(&self, group: usize) -> &str {
        self.groups.get(&group).map_or("00gnobody00000000000", String::as_str)
    }

    /// Does a step; whether it was accepted.
    fn take(&mut self, step: Step) -> bool {
        match step {
            Step::Create { person, active, password } => self.create(person, active, password),
            Step::Lifecycle { person, verb } => self.does(verb.operation(), &[self.person(person)], None),
            Step::Delete { person } => self.does("deleteUser", &[self.person(person)], None),
            Step::AddGroup { group } => {
                let body = json!({ "profile": { "name": format!("Group {group}") } });
                let made = self.json("addGroup", &[], Some(&body));
                let new = made["id"].is_string();
                if new {
                    self.groups.insert(group, id(&made));
                }
                new
            }
            Step::DeleteGroup { group } => self.does("deleteGroup", &[self.group(group)], None),
            Step::Join { group, person } => {
                self.does("assignUserToGroup", &[self.group(group), self.person(person)], None)
            }
            Step::Leave { group, person } => {
                self.does("unassignUserFromGroup", &[self.group(group), self.person(person)], None)
            }
            Step::Assign { app, person } => {
                let body = json!({ "id": self.person(person), "scope": "USER" });
                self.does("assignUserToApplication", &[&self.apps[app]], Some(&body))
            }
            Step::Unassign { app, person } => {
                self.does("unassignUserFromApplication", &[&self.apps[app], self.person(person)], None)
            }
            Step::AssignGroup { app, group } => {
                self.does("assignGroupToApplication", &[&self.apps[app], self.group(group)], Some(&json!({})))
            }
            Step::UnassignGroup { app, group } => {
                self.does("unassignApplicationFromGroup", &[&self.apps[app], self.group(group)], None)
            }
        }
    }

    fn create(&mut self, person: usize, active: bool, password: bool) -> bool {
        let login = format!("model{person}@acme.example");
        let mut body = json!({ "profile": { "login": login, "email": login, "firstName": "Mo", "lastName": "Del" } });
        if password {
            body["credentials"] = json!({ "password": { "value": "Tall-0ak-Lantern" } });
        }
        let call = self.call("createUser", &[], Some(&body)).query("activate", if active { "true" } else { "false" });
        let made = call.json(&self.universe);
        let new = made["id"].is_string();
        if new {
            self.people.insert(person, id(&made));
        }
        new
    }

    fn status(&self, person: usize) -> Option<String> {
        let shown = self.json("getUser", &[self.person(person)], None);
        shown["status"].as_str().map(str::to_owned)
    }

    /// Who of ours is in a list, by what the list says of them.
    fn listed(&self, list: &Value) -> BTreeMap<usize, String> {
        let number = |id: &Value| self.people.iter().find(|(_, known)| **known == *id).map(|(person, _)| *person);
        let rows = list.as_array().into_iter().flatten();
        rows.filter_map(|row| Some((number(&row["id"])?, row["scope"].as_str().unwrap_or_default().to_owned())))
            .collect()
    }
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap_or_else(|| panic!("no id in {made}")).to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn people_groups_and_apps_are_as_the_model_says(steps in prop::collection::vec(step(), 1..40)) {
        let (mut model, mut org) = (Model::default(), Org::new());
        for (at, step) in steps.iter().enumerate() {
            prop_assert_eq!(org.take(*step), model.take(*step), "step {} {:?} is accepted or not", at, step);
            for person in 0..MANY {
                let wanted = model.people.get(&person).map(|(status, _)| status.name().to_owned());
                prop_assert_eq!(org.status(person), wanted, "person {} after step {} {:?}", person, at, step);
            }
            for (group, members) in &model.groups {
                let listed = org.listed(&org.json("listGroupUsers", &[org.group(*group)], None));
                let listed: BTreeSet<usize> = listed.into_keys().collect();
                prop_assert_eq!(&listed, members, "group {} after step {} {:?}", group, at, step);
            }
            for app in 0..MANY {
                let listed = org.listed(&org.json("listApplicationUsers", &[&org.apps[app]], None));
                let wanted: BTreeMap<usize, String> = model
                    .app(app)
                    .into_iter()
                    .map(|(person, direct)| (person, if direct { "USER" } else { "GROUP" }.to_owned()))
                    .collect();
                prop_assert_eq!(listed, wanted, "app {} after step {} {:?}", app, at, step);
            }
        }
    }
}
