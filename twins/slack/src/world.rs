//! How a world's `slack` section becomes state.

use std::collections::{BTreeMap, BTreeSet};

use dtu_kernel::{
    diagnostic::Diagnostic,
    ids::{ALNUM, IdShape},
    time::Timestamp,
    tx::Tx,
    world::{Person, PersonStatus, World, before_epoch},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de};
use serde_saphyr::Spanned;
use smol_str::{SmolStr, format_smolstr};

use crate::{
    listeners::SUBSCRIPTIONS,
    model::{
        APP, BOT, SITE, State, TEAM, USER, Workspace,
        apps::{self, App, Command, Distribution, Setup, Token, TokenKind, Verification},
        channels::{self, Kind, NewChannel, Note},
        messages::{self, Draft},
        people::{self, Account, Role, SLACKBOT, User},
        status::About,
        time::micros,
    },
    text::{self, Reading},
    world_org::{self, OrgEntry},
};

/// The `slack` section.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Section {
    /// The workspace.
    #[serde(default)]
    workspace: WorkspaceEntry,
    /// The organization that the workspace is part of; none where it stands for itself.
    #[serde(default)]
    enterprise: Option<OrgEntry>,
    /// People who are guests.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    guests: Vec<Spanned<SmolStr>>,
    /// People who are guests of one channel.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    single_channel_guests: Vec<Spanned<SmolStr>>,
    /// The primary owner.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    owner: Option<Spanned<SmolStr>>,
    /// Workspace administrators, besides those who administer everything.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    admins: Vec<Spanned<SmolStr>>,
    /// People without an account.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    absent: Vec<Spanned<SmolStr>>,
    /// Channels.
    #[serde(default)]
    #[schemars(with = "Vec<ChannelEntry>")]
    channels: Vec<Spanned<ChannelEntry>>,
    /// Installed apps.
    #[serde(default)]
    #[schemars(with = "Vec<AppEntry>")]
    apps: Vec<Spanned<AppEntry>>,
}

/// The workspace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WorkspaceEntry {
    /// Its name.
    name: SmolStr,
    /// Its subdomain of slack.com.
    domain: SmolStr,
}

impl Default for WorkspaceEntry {
    fn default() -> Self {
        Self { name: SmolStr::new_static("Workspace"), domain: SmolStr::new_static("workspace") }
    }
}

/// A channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelEntry {
    /// A short unique handle; the name where absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    key: Option<Spanned<SmolStr>>,
    /// Its name.
    #[schemars(with = "String")]
    name: Spanned<SmolStr>,
    /// Whether it is the channel that everyone is in.
    #[serde(default)]
    general: bool,
    /// Whether only its members see it.
    #[serde(default)]
    private: bool,
    /// Whether it is archived.
    #[serde(default)]
    archived: bool,
    /// Who made it: a person's key.
    #[schemars(with = "String")]
    creator: Spanned<SmolStr>,
    /// When, before the epoch.
    #[schemars(with = "String")]
    created: Spanned<String>,
    /// The topic.
    #[serde(default)]
    topic: SmolStr,
    /// The purpose.
    #[serde(default)]
    purpose: SmolStr,
    /// Who is in it.
    members: Members,
    /// What was said in it.
    #[serde(default)]
    #[schemars(with = "Vec<MessageEntry>")]
    messages: Vec<Spanned<MessageEntry>>,
}

fn connections() -> Vec<SmolStr> {
    vec![SmolStr::new_static("connections:write")]
}

/// `everyone`, or people's keys.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
enum Members {
    /// All full members.
    Everyone(#[schemars(with = "Everyone")] ()),
    /// People's keys.
    These(#[schemars(with = "Vec<String>")] Vec<Spanned<SmolStr>>),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "stands for the word in the schema")]
enum Everyone {
    Everyone,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> de::Visitor<'de> for Visit {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`everyone` or a list of people's keys")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Members, E> {
                match word {
                    "everyone" => Ok(Members::Everyone(())),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Members, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = seq.next_element()? {
                    keys.push(key);
                }
                Ok(Members::These(keys))
            }
        }

        deserializer.deserialize_any(Visit)
    }
}

/// A message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MessageEntry {
    /// Who wrote it: a person's key.
    #[schemars(with = "String")]
    from: Spanned<SmolStr>,
    /// When, before the epoch.
    #[schemars(with = "String")]
    at: Spanned<String>,
    /// What it says. `<@key>` mentions a person.
    #[schemars(with = "String")]
    text: Spanned<String>,
    /// Replies.
    #[serde(default)]
    #[schemars(with = "Vec<ReplyEntry>")]
    thread: Vec<Spanned<ReplyEntry>>,
}

/// A reply.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplyEntry {
    /// Who wrote it: a person's key.
    #[schemars(with = "String")]
    from: Spanned<SmolStr>,
    /// When, before the epoch.
    #[schemars(with = "String")]
    at: Spanned<String>,
    /// What it says.
    #[schemars(with = "String")]
    text: Spanned<String>,
}

/// An installed app.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AppEntry {
    /// A short unique handle.
    #[schemars(with = "String")]
    key: Spanned<SmolStr>,
    /// Its name.
    name: SmolStr,
    /// Its bot's user name.
    bot: SmolStr,
    /// The bot's scopes.
    scopes: Vec<SmolStr>,
    /// The scopes of the user token.
    #[serde(default)]
    user_scopes: Vec<SmolStr>,
    /// Who installed it: a person's key.
    #[schemars(with = "String")]
    installed_by: Spanned<SmolStr>,
    /// The bot's token.
    #[schemars(with = "String")]
    bot_token: Spanned<SmolStr>,
    /// A user token.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    user_token: Option<Spanned<SmolStr>>,
    /// Whom the user token acts for; the installer where absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    user: Option<Spanned<SmolStr>>,
    /// The app's own token.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    app_token: Option<Spanned<SmolStr>>,
    /// What the app's own token may do.
    #[serde(default = "connections")]
    app_scopes: Vec<SmolStr>,
    /// Signs what the app is sent.
    signing_secret: SmolStr,
    /// The older proof of origin.
    #[serde(default)]
    verification_token: Option<SmolStr>,
    /// Where people may be sent back to after they let the app have something.
    #[serde(default)]
    redirect_urls: Vec<SmolStr>,
    /// The domains whose links the app shows.
    #[serde(default)]
    unfurl_domains: Vec<SmolStr>,
    /// Whether the app is sent everything over sockets that it opens, and nothing over HTTP.
    #[serde(default)]
    socket_mode: bool,
    /// The bot events that the app subscribes to.
    #[serde(default)]
    events: Vec<SmolStr>,
    /// The events that it subscribes to on behalf of the people who have let it act for them.
    #[serde(default)]
    user_events: Vec<SmolStr>,
    /// Whether its tokens are given anew every twelve hours.
    #[serde(default)]
    token_rotation: bool,
    /// Who may install it: its `internal` people, anybody through the `marketplace`, or anybody though it is
    /// `unlisted` there.
    #[serde(default)]
    distribution: Distribution,
    /// Slash commands.
    #[serde(default)]
    #[schemars(with = "Vec<CommandEntry>")]
    commands: Vec<Spanned<CommandEntry>>,
    /// Channels that the bot is in, by key.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    channels: Vec<Spanned<SmolStr>>,
}

/// A slash command.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommandEntry {
    /// With the slash.
    command: SmolStr,
    /// What it does.
    #[serde(default)]
    description: SmolStr,
    /// What to write after it.
    #[serde(default)]
    usage_hint: SmolStr,
}

/// The schema of the `slack` section of world files.
pub(crate) fn schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Section>()
}

/// Makes the section into state.
pub(crate) fn load(world: &World, tx: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
    let section: Section = world.section("slack")?;
    let WorkspaceEntry { name, domain } = &section.workspace;
    let email_domain = SmolStr::default();
    let workspace = Workspace { id: tx.id(&TEAM), name: name.clone(), domain: domain.clone(), email_domain };
    let (people, channels, problems) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    let mut loader = Loader { world, tx, state: State::new(workspace), people, channels, problems };
    loader.people(&section);
    for channel in &section.channels {
        loader.channel(&channel.value);
    }
    if let Some(org) = &section.enterprise {
        let place = (&mut loader.state, &mut *loader.tx);
        loader.problems.extend(world_org::load(org, world, &loader.people, place));
    }
    for app in &section.apps {
        loader.app(app);
    }
    if loader.problems.is_empty() { Ok(loader.state) } else { Err(loader.problems) }
}

struct Loader<'a, 't> {
    world: &'a World,
    tx: &'a mut Tx<'t>,
    state: State,
    /// World key to user id.
    people: BTreeMap<SmolStr, SmolStr>,
    /// Key of a channel to its id.
    channels: BTreeMap<SmolStr, SmolStr>,
    problems: Vec<Diagnostic>,
}

impl Loader<'_, '_> {
    fn problem<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        self.problems.push(Diagnostic::on(&self.world.file, at, message));
    }

    /// Keys that name people of the world.
    fn known(&mut self, keys: &[Spanned<SmolStr>]) -> BTreeSet<SmolStr> {
        let mut found = BTreeSet::new();
        for key in keys {
            if self.world.person(&key.value).is_none() {
                self.problems.push(self.world.unknown_person(key));
            }
            found.insert(key.value.clone());
        }
        found
    }

    /// The account of a person; a problem where there is none.
    fn account(&mut self, key: &Spanned<SmolStr>) -> Option<SmolStr> {
        let found = self.people.get(&key.value).cloned();
        if found.is_none() {
            if self.world.person(&key.value).is_none() {
                self.problems.push(self.world.unknown_person(key));
            } else {
                let problem = Diagnostic::on(&self.world.file, key, format!("`{}` has no Slack account", key.value));
                self.problems.push(problem.hint("take the key out of `absent`, or name somebody else"));
            }
        }
        found
    }

    fn people(&mut self, section: &Section) {
        let mut guests = self.known(&section.guests);
        let single = self.known(&section.single_channel_guests);
        guests.extend(single.iter().cloned());
        let admins = self.known(&section.admins);
        let absent = self.known(&section.absent);
        let owner = section.owner.as_ref().map(|key| key.value.clone());
        let _ = self.known(section.owner.as_slice());
        self.slackbot();
        let world = self.world;
        for person in world.people.iter().filter(|person| !absent.contains(&person.key)) {
            let role = match &person.key {
                key if Some(key) == owner.as_ref() => Role::PrimaryOwner,
                key if guests.contains(key) => Role::Guest,
                key if admins.contains(key) => Role::Admin,
                _ => Role::Member,
            };
            self.person(person, role, single.contains(&person.key));
        }
    }

    fn person(&mut self, person: &Person, role: Role, single_channel: bool) {
        let id = self.tx.id(&USER);
        self.people.insert(person.key.clone(), id.clone());
        let user = User {
            id,
            key: Some(person.key.clone()),
            name: person.email.split('@').next().unwrap_or_default().into(),
            real_name: person.full_name().into(),
            first: person.first.as_str().into(),
            last: person.last.as_str().into(),
            email: Some(person.email.clone()),
            title: person.title.as_str().into(),
            phone: person.phone.as_deref().unwrap_or_default().into(),
            tz: person.timezone.as_deref().unwrap_or(&self.world.company.timezone).into(),
            role,
            app: None,
            about: About::default(),
            account: Account { created: self.world.epoch.as_secs(), single_channel, ..Account::default() },
            deleted: person.status == PersonStatus::Deprovisioned,
            updated: self.world.epoch.as_secs(),
        };
        people::add(&mut self.state, self.tx, user);
    }

    fn slackbot(&mut self) {
        let id = SmolStr::new_static(SLACKBOT);
        self.add_bot(&id, "slackbot", "Slackbot", None);
    }

    fn add_bot(&mut self, id: &SmolStr, name: &str, real_name: &str, app: Option<SmolStr>) {
        let user = people::bot(id, name, real_name, app, self.world.epoch.as_secs());
        people::add(&mut self.state, self.tx, user);
    }

    fn time(&mut self, at: &Spanned<String>) -> Timestamp {
        before_epoch(self.world.epoch, &at.value).unwrap_or_else(|why| {
            self.problem(at, why);
            self.world.epoch
        })
    }

    fn channel(&mut self, entry: &ChannelEntry) {
        let name = &entry.name;
        if let Err(code) = channels::check_name(&name.value) {
            self.problem(name, format!("`{}` is not a channel name ({})", name.value, code.as_str()));
        }
        if self.state.has_channel_named(&name.value) {
            return self.problem(name, format!("two channels have the name `{}`", name.value));
        }
        let created = self.time(&entry.created).as_secs();
        let Some(creator) = self.account(&entry.creator) else { return };
        let kind = if entry.private { Kind::Private } else { Kind::Public };
        let new = NewChannel { name: name.value.clone(), kind, creator: creator.clone(), created };
        let id = channels::add(&mut self.state, self.tx, new).id.clone();
        let key = entry.key.as_ref().unwrap_or(name);
        if self.channels.insert(key.value.clone(), id.clone()).is_some() {
            self.problem(key, format!("two channels have the key `{}`", key.value));
        }
        let note = |value: &SmolStr| Note { value: value.clone(), creator: creator.clone(), last_set: created };
        let blank = |value: &SmolStr| if value.is_empty() { Note::default() } else { note(value) };
        self.state.channels.update(&mut self.tx.changes, &id, |row| {
            row.general = entry.general;
            row.archived = entry.archived;
            (row.topic, row.purpose) = (blank(&entry.topic), blank(&entry.purpose));
            row.updated = created * 1000;
        });
        if entry.general {
            self.state.index.general = Some(id.clone());
        }
        self.members(&id, entry, created);
        self.messages(&id, entry);
    }

    fn members(&mut self, channel: &SmolStr, entry: &ChannelEntry, since: i64) {
        let members: Vec<SmolStr> = match &entry.members {
            Members::Everyone(()) => {
                let users = self.state.users.iter().map(|(_, user)| user);
                users.filter(|user| user.is_full_member() && !user.deleted).map(|user| user.id.clone()).collect()
            }
            Members::These(keys) => keys.iter().filter_map(|key| self.member(key)).collect(),
        };
        for user in &members {
            channels::add_member(&mut self.state, self.tx, channel, user, since);
        }
    }

    fn member(&mut self, key: &Spanned<SmolStr>) -> Option<SmolStr> {
        let id = self.account(key)?;
        if self.state.users.get(&id).is_some_and(|user| user.deleted) {
            self.problem(key, format!("`{}` has left the company and is in no channel", key.value));
            return None;
        }
        Some(id)
    }

    fn messages(&mut self, channel: &SmolStr, entry: &ChannelEntry) {
        for message in &entry.messages {
            let MessageEntry { from, at, text, thread } = &message.value;
            let Some(ts) = self.message(channel, from, at, text, None) else { continue };
            for reply in thread {
                let ReplyEntry { from, at, text } = &reply.value;
                self.message(channel, from, at, text, Some(ts));
            }
        }
    }

    fn message(
        &mut self,
        channel: &SmolStr,
        from: &Spanned<SmolStr>,
        at: &Spanned<String>,
        text: &Spanned<String>,
        reply_to: Option<u64>,
    ) -> Option<u64> {
        const FRACTION: dtu_kernel::seed::Site = SITE.child("seeded message");
        let user = self.account(from)?;
        if !self.state.is_member(channel, &user) {
            self.problem(from, format!("`{}` writes in a channel without being in it", from.value));
            return None;
        }
        self.check_mentions(text);
        // The world gives whole seconds; Slack's timestamps never are.
        let mut ts = micros(self.time(at)) + self.tx.draw(FRACTION).below(1_000_000);
        while self.state.message(channel, ts).is_some() {
            ts += 1;
        }
        let stored = text::store(&self.state, &text.value, Reading { link_names: false, typed: true });
        let draft = Draft { reply_to, ..Draft::new(&user, stored) };
        messages::put_at(&mut self.state, self.tx, channel, draft, ts);
        Some(ts)
    }

    fn check_mentions(&mut self, text: &Spanned<String>) {
        for key in text::mentions(&text.value) {
            if !self.people.contains_key(key) {
                let problem = Diagnostic::on(
                    &self.world.file,
                    text,
                    format!("the text mentions `{key}`, who has no Slack account"),
                );
                self.problems.push(problem.suggest(key, self.people.keys().map(SmolStr::as_str)));
            }
        }
    }

    fn app(&mut self, entry: &Spanned<AppEntry>) {
        let app = &entry.value;
        if self.state.index.app_by_key.contains_key(&app.key.value) {
            return self.problem(&app.key, format!("two apps have the key `{}`", app.key.value));
        }
        self.check_app(app);
        let Some(installer) = self.account(&app.installed_by) else { return };
        let (id, bot, bot_user) = (self.tx.id(&APP), self.tx.id(&BOT), self.tx.id(&USER));
        self.add_bot(&bot_user, &app.bot, &app.name, Some(id.clone()));
        self.tokens(app, &id, &bot_user, &installer);
        let text = |value: &Spanned<SmolStr>| value.value.clone();
        let row = App {
            id,
            key: text(&app.key),
            name: app.name.clone(),
            bot,
            bot_user: bot_user.clone(),
            installer,
            signing_secret: app.signing_secret.clone(),
            verification_token: app.verification_token.clone().unwrap_or_else(|| self.tx.id(&VERIFICATION)),
            scopes: app.scopes.clone().into(),
            bot_token: text(&app.bot_token),
            user_token: app.user_token.as_ref().map(text),
            app_token: app.app_token.as_ref().map(text),
            events_url: SmolStr::default(),
            verification: Verification::None,
            events: app.events.clone().into(),
            interactivity_url: SmolStr::default(),
            surfaces: apps::Surfaces::default(),
            redirect_urls: app.redirect_urls.clone().into(),
            unfurl_domains: app.unfurl_domains.clone().into(),
            socket_mode: app.socket_mode,
            rotates: app.token_rotation,
            commands: self.commands(&app.commands),
            setup: Setup {
                classic: app.scopes.iter().any(|scope| scope == apps::CLASSIC),
                distribution: app.distribution,
                user_events: app.user_events.clone().into(),
                ..Setup::default()
            },
            removed: false,
            updated: self.world.epoch.as_secs(),
        };
        apps::put(&mut self.state, self.tx, row);
        self.bot_channels(&app.channels, &bot_user);
    }

    /// What an app asks for that cannot be.
    fn check_app(&mut self, app: &AppEntry) {
        let known = |name: &SmolStr| SUBSCRIPTIONS.iter().any(|(event, _)| event == name);
        if let Some(name) = app.events.iter().chain(&app.user_events).find(|name| !known(name)) {
            self.problem(&app.key, format!("unknown event `{name}`"));
        }
        if app.socket_mode && app.app_token.is_none() {
            self.problem(&app.key, "an app in Socket Mode has an `app_token`");
        }
    }

    fn bot_channels(&mut self, names: &[Spanned<SmolStr>], bot_user: &SmolStr) {
        for name in names {
            if let Some(channel) = self.channels.get(&name.value).cloned() {
                let since = self.world.epoch.as_secs();
                channels::add_member(&mut self.state, self.tx, &channel, bot_user, since);
            } else {
                let problem =
                    Diagnostic::on(&self.world.file, name, format!("no channel has the key `{}`", name.value));
                let known = self.channels.keys().map(SmolStr::as_str);
                self.problems.push(problem.suggest(&name.value, known));
            }
        }
    }

    fn commands(&mut self, entries: &[Spanned<CommandEntry>]) -> BTreeMap<SmolStr, Command> {
        let mut commands = BTreeMap::new();
        for entry in entries {
            let CommandEntry { command, description, usage_hint } = &entry.value;
            if !command.starts_with('/') || command.len() < 2 {
                let problem = Diagnostic::on(&self.world.file, entry, format!("`{command}` is not a slash command"));
                self.problems.push(problem.hint(format!("write `/{command}`")));
            }
            let row =
                Command { description: description.clone(), usage_hint: usage_hint.clone(), ..Command::default() };
            commands.insert(command.clone(), row);
        }
        commands
    }

    fn tokens(&mut self, app: &AppEntry, id: &SmolStr, bot_user: &SmolStr, installer: &SmolStr) {
        let key = &app.key.value;
        self.token(&app.bot_token, TokenKind::Bot, id, bot_user, &app.scopes, key.clone());
        if let Some(token) = &app.user_token {
            let user = app.user.as_ref().and_then(|user| self.account(user)).unwrap_or_else(|| installer.clone());
            let bearer = format_smolstr!("{key}/user");
            self.token(token, TokenKind::User, id, &user, &app.user_scopes, bearer);
        }
        if let Some(token) = &app.app_token {
            self.token(token, TokenKind::App, id, &SmolStr::default(), &app.app_scopes, format_smolstr!("{key}/app"));
        }
    }

    fn token(
        &mut self,
        text: &Spanned<SmolStr>,
        kind: TokenKind,
        app: &SmolStr,
        user: &SmolStr,
        scopes: &[SmolStr],
        bearer: SmolStr,
    ) {
        let prefix = match kind {
            TokenKind::Bot => "xoxb-",
            TokenKind::User => "xoxp-",
            TokenKind::App => "xapp-",
            TokenKind::Config => "xoxe.xoxp-",
        };
        if !text.value.starts_with(prefix) {
            self.problem(text, format!("tokens of this kind begin with `{prefix}`"));
        }
        if self.state.tokens.contains(&text.value) {
            return self.problem(text, "two tokens are the same");
        }
        let names: Vec<&str> = scopes.iter().map(SmolStr::as_str).collect();
        let token = Token {
            kind,
            app: app.clone(),
            user: user.clone(),
            scopes: scopes.into(),
            granted: names.join(",").into(),
            bearer,
            revoked: false,
            expires: None,
        };
        apps::keep_token(&mut self.state, self.tx, text.value.clone(), token);
    }
}

const VERIFICATION: IdShape =
    IdShape { site: SITE.child("verification"), prefix: "", alphabet: ALNUM, drawn: 24, suffix: "" };
