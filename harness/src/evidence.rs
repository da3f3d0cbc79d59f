//! The folder of a run: its plan, the records of finished trajectories, and their evidence.
//!
//! A record is written last and in one step. A trajectory with a record is finished for ever; one without has never
//! happened, whatever else lies there.

use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use dtu_kernel::{diagnostic::Diagnostic, tape::Note, universe::Universe, veil};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    bundle::{FaultLine, Manifest},
    ledger::for_each_entry,
    plan::{Key, Plan},
    record::{Record, checks_json},
    redact::Redactor,
    settle::Settler,
    verdict::Outcome,
};

/// Which evidence stays when a run is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum KeepEvidence {
    /// That of all trajectories.
    #[default]
    All,
    /// Not that of trajectories that satisfied.
    Failed,
    /// Of those that satisfied, the first of each variant and a twentieth of the others; the manifests of all.
    Sample,
}

impl KeepEvidence {
    /// What stays of a trajectory.
    pub fn of(self, key: &Key, outcome: Outcome) -> Kept {
        const ONE_IN: u8 = 20;
        let is_chosen = || key.n == 1 || blake3::hash(key.to_string().as_bytes()).as_bytes()[0].is_multiple_of(ONE_IN);
        match self {
            _ if outcome != Outcome::Satisfied => Kept::All,
            Self::All => Kept::All,
            Self::Failed => Kept::Nothing,
            Self::Sample if is_chosen() => Kept::All,
            Self::Sample => Kept::Manifest,
        }
    }
}

/// What stays of a trajectory's evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of it.
    All,
    /// What it was made of and what came of it.
    Manifest,
    /// Nothing but its record.
    Nothing,
}

/// The file that says what a trajectory was made of and what came of it.
const MANIFEST: &str = "manifest.json";

/// Why a folder cannot take a run.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The user must decide.
    #[error("{0}")]
    Refused(Diagnostic),
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The folder of a run. While it is held no other run can have it.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// Brings records to the disk.
    settler: Settler,
    /// Unlocks when dropped, also by SIGKILL.
    _lock: Option<fs_err::File>,
}

impl Folder {
    /// Takes a folder for a run, or for the rest of one that was cut short.
    ///
    /// # Errors
    /// [`FolderError`]: another run is in it, or at it.
    pub fn open(root: &Path, plan: &Plan) -> Result<Self, FolderError> {
        let folder = Self::lock(root)?;
        let file = root.join("plan.json");
        match fs_err::read(&file) {
            Ok(bytes) => folder.check_same(&bytes, plan)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => folder.check_empty()?,
            Err(error) => return Err(error.into()),
        }
        write_atomically(&file, &pretty(&json!(plan)))?;
        Ok(folder)
    }

    /// Takes a folder for a run that starts from nothing: an earlier run in it is thrown away.
    ///
    /// # Errors
    /// [`FolderError`]: another run is at it, or it holds something else.
    pub fn fresh(root: &Path, plan: &Plan) -> Result<Self, FolderError> {
        let folder = Self::lock(root)?;
        if root.join("plan.json").exists() {
            for part in ["done", "evidence", "inputs"] {
                remove_folder(&root.join(part))?;
            }
            let _ = fs_err::remove_file(root.join("first.json"));
        } else {
            folder.check_empty()?;
        }
        write_atomically(&root.join("plan.json"), &pretty(&json!(plan)))?;
        Ok(folder)
    }

    /// Looks at the folder of an earlier run.
    ///
    /// # Errors
    /// Where it is none.
    pub fn look(root: &Path) -> Result<(Self, Plan), FolderError> {
        let name = root.display().to_string();
        let refused = |message: &str| {
            let problem = Diagnostic::whole(&name, message);
            FolderError::Refused(problem.hint("name the folder that was given to `dtu run --out`"))
        };
        let bytes = fs_err::read(root.join("plan.json")).map_err(|_| refused("this is not the folder of a run"))?;
        let plan = serde_json::from_slice(&bytes).map_err(|_| refused("its plan.json is not one that dtu wrote"))?;
        Ok((Self { root: root.to_owned(), settler: Settler::default(), _lock: None }, plan))
    }

    fn lock(root: &Path) -> Result<Self, FolderError> {
        fs_err::create_dir_all(root)?;
        let lock = fs_err::File::create(root.join(".lock"))?;
        if lock.try_lock().is_err() {
            let problem = Diagnostic::whole(&root.display().to_string(), "another run is at work in this folder");
            return Err(FolderError::Refused(problem.hint("wait for it to end, or choose another folder with --out")));
        }
        Ok(Self { root: root.to_owned(), settler: Settler::default(), _lock: Some(lock) })
    }

    fn check_same(&self, bytes: &[u8], plan: &Plan) -> Result<(), FolderError> {
        let found = serde_json::from_slice::<Plan>(bytes).ok();
        if found.is_some_and(|found| found.digest == plan.digest) {
            return Ok(());
        }
        let message = "this folder holds a run of another plan: other scenarios, seeds, target or program";
        Err(self.refuse(message, "choose another folder with --out, or delete this one"))
    }

    fn check_empty(&self) -> Result<(), FolderError> {
        let mut entries = fs_err::read_dir(&self.root)?;
        if entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() != ".lock")) {
            return Err(self.refuse("this folder is not empty, and holds no run", "choose another folder with --out"));
        }
        Ok(())
    }

    fn refuse(&self, message: &str, hint: &str) -> FolderError {
        FolderError::Refused(Diagnostic::whole(&self.root.display().to_string(), message).hint(hint))
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The records of all finished trajectories.
    ///
    /// # Errors
    /// Where a record cannot be read.
    pub fn records(&self) -> io::Result<BTreeMap<Key, Record>> {
        let mut records = BTreeMap::new();
        let done = self.root.join("done");
        if !done.exists() {
            return Ok(records);
        }
        for scenario in fs_err::read_dir(done)? {
            for file in fs_err::read_dir(scenario?.path())? {
                let file = file?.path();
                if file.extension().is_some_and(|extension| extension == "json") {
                    let record = read_record(&fs_err::read(&file)?)?;
                    records.extend(record.map(|record| (record.key.clone(), record)));
                }
            }
        }
        Ok(records)
    }

    /// Finishes a trajectory: for ever where the program ends, however it does, and within a second also where the
    /// machine does.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn finish(&self, record: &Record) -> io::Result<()> {
        let file = self.root.join("done").join(format!("{}.json", place(&record.key)));
        if let Some(folder) = file.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let temporary = file.with_extension("tmp");
        fs_err::write(&temporary, pretty(&json!(record)))?;
        fs_err::rename(&temporary, &file)?;
        self.settler.add(&file)
    }

    /// Where a trajectory's evidence lies, relative to the folder.
    pub fn evidence_place(key: &Key) -> String {
        format!("evidence/{}", place(key))
    }

    /// An empty folder for a trajectory's evidence: what a run that was cut short left there is thrown away.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn evidence(&self, key: &Key) -> io::Result<PathBuf> {
        let folder = self.root.join(Self::evidence_place(key));
        remove_folder(&folder)?;
        fs_err::create_dir_all(folder.join("target"))?;
        Ok(folder)
    }

    /// Throws away what is not to stay of a trajectory's evidence.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn forget(&self, key: &Key, kept: Kept) -> io::Result<()> {
        let folder = self.root.join(Self::evidence_place(key));
        match kept {
            Kept::All => Ok(()),
            Kept::Nothing => remove_folder(&folder),
            Kept::Manifest => {
                for entry in fs_err::read_dir(&folder)? {
                    let path = entry?.path();
                    if path.is_dir() {
                        remove_folder(&path)?;
                    } else if !path.ends_with(MANIFEST) {
                        fs_err::remove_file(&path)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Keeps a file that the run is made of, under its digest.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn keep_input(&self, digest: &str, text: &str) -> io::Result<()> {
        let folder = self.root.join("inputs");
        fs_err::create_dir_all(&folder)?;
        write_atomically(&folder.join(format!("{digest}.yaml")), text.as_bytes())
    }

    /// Writes a file of the run as a whole.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // What tells of records is not to outlive them.
        self.settler.settle()?;
        write_atomically(&self.root.join(name), bytes)
    }
}

/// What is written down of a trajectory besides its ledger.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// Its record.
    pub record: &'a Record,
    /// What it was made of.
    pub manifest: Manifest,
    /// How long its parts took, in milliseconds of machine time.
    pub timings: Value,
}

impl Evidence<'_> {
    /// Writes it into the trajectory's folder, without the secrets that are known.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn write(&self, folder: &Path, universe: &Universe, redactor: &Redactor) -> io::Result<()> {
        let document = |name: &str, value: &Value| fs_err::write(folder.join(name), redactor.hidden(pretty(value)));
        document(MANIFEST, &json!(self.manifest))?;
        document("checks.json", &checks_json(&self.record.checks))?;
        document("diff.json", &json!(universe.diff(0)?))?;
        document("timings.json", &self.timings)?;
        fs_err::write(folder.join("sealed.json"), pretty(&json!(redactor.sealed(universe.world().text()))))?;
        write_lines(&folder.join("tape.ndjson"), notes(universe, redactor), redactor)?;
        write_lines(&folder.join("faults.ndjson"), fault_lines(universe), redactor)?;
        write_ledger(&folder.join("ledger.ndjson"), universe, redactor)
    }
}

/// What the ledger does not say, also without the secrets in bodies that are written in base64.
fn notes(universe: &Universe, redactor: &Redactor) -> Vec<Note> {
    let mut notes = universe.notes();
    for note in &mut notes {
        veil::replace_note(note, &|text| redactor.hide(text));
    }
    notes
}

fn fault_lines(universe: &Universe) -> impl Iterator<Item = FaultLine> {
    let line =
        |(rule, tally): (_, dtu_kernel::fault::Tally)| FaultLine { rule, matched: tally.matched, fired: tally.fired };
    universe.faults().into_iter().map(line)
}

fn write_lines<T: Serialize>(file: &Path, rows: impl IntoIterator<Item = T>, redactor: &Redactor) -> io::Result<()> {
    let mut out = BufWriter::new(fs_err::File::create(file)?);
    for row in rows {
        write_line(&mut out, &row, redactor)?;
    }
    out.flush()
}

fn write_ledger(file: &Path, universe: &Universe, redactor: &Redactor) -> io::Result<()> {
    let mut out = BufWriter::new(fs_err::File::create(file)?);
    for_each_entry(universe, |entry| write_line(&mut out, entry, redactor))?;
    out.flush()
}

fn write_line(out: &mut impl io::Write, row: &impl Serialize, redactor: &Redactor) -> io::Result<()> {
    out.write_all(&redactor.hidden(serde_json::to_vec(row)?))?;
    out.write_all(b"\n")
}

/// A trajectory's place below a folder. Ids that are no file names are made into some, and kept apart by a hash.
fn place(key: &Key) -> String {
    format!("{}/{}-{}", file_name(&key.scenario), file_name(&key.variant), key.n)
}

/// An id as the name of a file.
pub(crate) fn file_name(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if id.chars().all(plain) && !id.starts_with('.') && !id.is_empty() && id.len() <= 100 {
        return id.to_owned();
    }
    let kept: String = id.chars().filter(|c| plain(*c) && *c != '.').take(60).collect();
    format!("{kept}_{}", &blake3::hash(id.as_bytes()).to_hex()[..12])
}

/// JSON for people and programs, with a line's end at its end.
pub fn pretty(value: &Value) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Writes a file so that it is there as a whole or not at all, also after a power cut.
fn write_atomically(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = file.with_extension("tmp");
    let mut out = fs_err::File::create(&temporary)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    fs_err::rename(&temporary, file)
}

/// A record; none where the machine failed before all of it was on the disk, so that its trajectory never happened.
fn read_record(bytes: &[u8]) -> io::Result<Option<Record>> {
    match serde_json::from_slice(bytes) {
        Ok(record) => Ok(Some(record)),
        // The end of it is missing, or blocks that were never written are read as zeros.
        Err(error) if error.is_eof() || bytes.contains(&0) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs_err::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
