//! Secrets in what is written to disk.
//!
//! A bundle holds placeholders for credentials. Those of a universe derive from its world and seed: their placeholders
//! are hashes, by which a replay knows them again (see [`Reveal`]). Secrets that the target file declares are real: their
//! placeholders hold nothing but the variable's name.
//!
//! What a target made up or signed itself (assertions, proofs) no replay could find anywhere: all but declared secrets
//! lie sealed beside the ledger, and only who has the world's file can open them.

mod find;
mod reveal;
mod seal;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use dtu_kernel::{tape::Note, twin::EnvValue, universe::Universe};
use serde_json::Value;

pub use self::reveal::Reveal;
use crate::{ledger::for_each_entry, target::EnvVar};

/// How placeholders begin. With its capital, small letters, digits and dash it passes most rules for passwords, so that
/// a replay with it takes the same course.
const MARK: &str = "Dtu-Redacted-";
/// How many hexadecimal digits of a hash follow.
const DIGITS: usize = 16;
/// Shorter texts are no secrets: they would be found in everything.
const LEAST: usize = 8;
/// The same for declared ones.
const LEAST_DECLARED: usize = 4;

/// What stands for a text of the universe's own.
fn placeholder(text: &str) -> String {
    let hash = blake3::Hasher::new_derive_key("dtu secret v1").update(text.as_bytes()).finalize();
    format!("{MARK}{}", &hash.to_hex()[..DIGITS])
}

/// Knows secrets, and hides them.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// What stands for each text.
    texts: BTreeMap<String, String>,
    /// Texts of real secrets.
    declared: BTreeSet<String>,
    finder: Option<AhoCorasick>,
    placeholders: Vec<String>,
    longest: usize,
}

impl Redactor {
    /// Knows the credentials that a universe's clients are given, the secrets of its world's file, and real secrets by the
    /// names of their variables.
    pub fn new<'a>(
        universe: &Universe,
        of_world: &[String],
        declared: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        let mut redactor = Self::default();
        for (name, secret) in declared {
            redactor.declare(name, secret);
        }
        for variable in universe.env() {
            match variable.value {
                EnvValue::Text(text) if find::is_secret_name(variable.name) => redactor.keep(&text),
                EnvValue::Text(_) => {}
                EnvValue::File { content, .. } => find::in_text(&content, &mut |secret| redactor.keep(secret)),
            }
        }
        redactor.read_world(of_world);
        redactor.seal();
        redactor
    }

    /// Takes note of a secret of the universe's own.
    pub fn keep(&mut self, secret: &str) {
        // The name of a secret is none, whoever may have chosen it for one.
        let is_word = secret.len() < LEAST || secret.contains(MARK) || find::is_name(secret);
        if is_word || self.texts.contains_key(secret) {
            return;
        }
        self.put(secret, &placeholder);
    }

    /// Takes note of a real secret.
    fn declare(&mut self, name: &str, secret: &str) {
        if secret.len() >= LEAST_DECLARED {
            let before: BTreeSet<String> = self.texts.keys().cloned().collect();
            self.put(secret, &|_| format!("{MARK}env-{name}"));
            self.declared.extend(self.texts.keys().filter(|text| !before.contains(*text)).cloned());
        }
    }

    /// A text in all spellings: as it is, within JSON, within JSON within JSON, and in a query.
    fn put(&mut self, secret: &str, named: &dyn Fn(&str) -> String) {
        let (within, twice) = (escaped(secret), escaped(&escaped(secret)));
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        self.texts.insert(secret.to_owned(), named(secret));
        // What a placeholder stands for is the text as it is once the document around it is parsed.
        for (spelling, stands_for) in [(encoded.as_str(), encoded.as_str()), (&twice, &within), (&within, secret)] {
            self.texts.entry(spelling.to_owned()).or_insert_with(|| named(stands_for));
        }
        self.finder = None;
    }

    /// Takes note of the secrets in an entry of the ledger.
    pub fn read_entry(&mut self, entry: &Value) {
        find::in_entry(entry, &mut |secret| self.keep(secret));
    }

    /// Takes note of the secrets in what the ledger does not say.
    pub fn read_note(&mut self, note: &Note) {
        find::in_note(note, &mut |secret| self.keep(secret));
    }

    /// Takes note of the secrets of a world's file.
    pub fn read_world(&mut self, secrets: &[String]) {
        for secret in secrets {
            self.keep(secret);
        }
    }

    /// Makes ready to hide what is known by now.
    pub fn seal(&mut self) {
        if self.finder.is_some() || self.texts.is_empty() {
            return;
        }
        // Made for each trajectory, and once more where new secrets came up. A trajectory writes little: the table that would
        // be fastest to look with takes longer to make than all the looking.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let mut builder = AhoCorasick::builder();
        // Fails only beyond sizes that no trajectory has.
        self.finder = builder.match_kind(MatchKind::LeftmostLongest).kind(kind).build(self.texts.keys()).ok();
        self.placeholders = self.texts.values().cloned().collect();
        self.longest = self.texts.keys().map(String::len).max().unwrap_or(0);
    }

    /// A text with placeholders; none where there is no secret in it.
    pub fn hide(&self, text: &[u8]) -> Option<Vec<u8>> {
        let finder = self.finder.as_ref()?;
        finder.is_match(text).then(|| finder.replace_all_bytes(text, &self.placeholders))
    }

    /// The same for texts that are written as they are.
    pub fn hidden(&self, text: Vec<u8>) -> Vec<u8> {
        self.hide(&text).unwrap_or(text)
    }

    /// Hides secrets in a stream: gives back what may be written by now. `held` keeps an end that a secret may begin in.
    pub fn flow(&self, held: &mut Vec<u8>, chunk: &[u8], is_end: bool) -> Vec<u8> {
        held.extend_from_slice(chunk);
        let Some(finder) = self.finder.as_ref().filter(|_| !is_end) else { return self.hidden(std::mem::take(held)) };
        let begins = |at: &usize| self.texts.keys().any(|text| text.as_bytes().starts_with(&held[*at..]));
        let first = held.len().saturating_sub(self.longest.saturating_sub(1));
        let mut cut = (first..held.len()).find(begins).unwrap_or(held.len());
        if let Some(found) = finder.find_iter(&*held).find(|found| found.start() < cut && found.end() > cut) {
            cut = found.end();
        }
        let rest = held.split_off(cut);
        self.hidden(std::mem::replace(held, rest))
    }

    /// Takes note of all secrets in what a universe has told.
    ///
    /// # Errors
    /// Where entries on disk cannot be read back.
    pub fn read_all(&mut self, universe: &Universe) -> io::Result<()> {
        for note in universe.notes() {
            self.read_note(&note);
        }
        for_each_entry(universe, |entry| {
            self.read_entry(entry);
            Ok(())
        })?;
        self.seal();
        Ok(())
    }

    /// Knows the secrets in the files that a run is made of: of a world, and what a target's file says of its
    /// environment.
    pub fn of_inputs<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        env: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut redactor = Self::default();
        for text in texts {
            redactor.read_world(&of_world(text));
        }
        for (name, value) in env {
            if find::is_secret_name(name) && !value.contains("${") {
                redactor.keep(value);
            }
        }
        redactor.seal();
        redactor
    }

    /// All secrets but declared ones, sealed with a world's file: by their placeholders.
    pub fn sealed(&self, world: &str) -> BTreeMap<String, String> {
        // Spellings that only a document around them needs have the placeholder of the text itself.
        let is_own = |text: &String, named: &String| !self.declared.contains(text) && placeholder(text) == *named;
        let own = self.texts.iter().filter(|(text, named)| is_own(text, named));
        own.map(|(text, named)| (named.clone(), seal::close(world, named, text))).collect()
    }

    /// Takes note of what the files that programs have written below a folder show of secrets otherwise than as they are:
    /// within base64, or by what only who knows them can make.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn read_output(&mut self, folder: &Path) -> io::Result<()> {
        for file in files(folder)? {
            let bytes = fs_err::read(&file)?;
            self.read_text(&String::from_utf8_lossy(&bytes));
        }
        self.seal();
        Ok(())
    }

    fn read_text(&mut self, text: &str) {
        let mut found: Vec<String> = Vec::new();
        find::in_output(text, &mut |secret| found.push(secret.to_owned()));
        let encoded = find::encoded(text).filter(|(_, decoded)| self.hide(decoded).is_some());
        found.extend(encoded.map(|(part, _)| part.to_owned()));
        for secret in found {
            self.keep(&secret);
        }
    }

    /// Hides secrets in the files that programs have written below a folder.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn clean(&self, folder: &Path) -> io::Result<()> {
        for file in files(folder)? {
            if let Some(hidden) = self.hide(&fs_err::read(&file)?) {
                fs_err::write(&file, hidden)?;
            }
        }
        Ok(())
    }
}

/// All files below a folder; none where there is no folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// A variable of a target's environment as plans hold it: `NAME=VALUE`, with a placeholder for what is a secret by its
/// name.
pub fn shown_env(variable: &EnvVar) -> String {
    let EnvVar { name, value } = variable;
    if find::is_secret_name(name) && !value.contains("${") && value.len() >= LEAST {
        return format!("{name}={}", placeholder(value));
    }
    variable.to_string()
}

/// A text as it is within a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// The secrets of a world's file.
pub fn of_world(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    if let Ok(world) = serde_saphyr::from_str::<Value>(text) {
        find::in_json(&world, &mut |secret| out.push(secret.to_owned()));
    }
    out
}

#[cfg(test)]
mod tests;
