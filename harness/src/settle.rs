//! Brings finished files to the disk in batches, behind the back of whoever writes them.
//!
//! A file that was written and renamed outlives the program, however it ends. To outlive the machine it must be on the
//! disk, and to wait for that after each trajectory would cost more than the rest of what the harness does for it.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::time::Instant;

/// How long a file may wait for the disk.
const EVERY: Duration = Duration::from_secs(1);

/// See above. Dropping it waits for the disk.
#[derive(Debug, Default)]
pub(crate) struct Settler(Mutex<Option<Work>>);

#[derive(Debug)]
struct Work {
    files: Sender<PathBuf>,
    ended: JoinHandle<io::Result<()>>,
}

impl Settler {
    /// Has a file brought to the disk within a second.
    ///
    /// # Errors
    /// Where the disk has refused an earlier one.
    pub(crate) fn add(&self, file: &Path) -> io::Result<()> {
        let sent = self.lock().get_or_insert_with(Work::begin).files.send(file.to_owned());
        // It ends by itself only where the disk refused.
        if sent.is_err() { self.settle() } else { Ok(()) }
    }

    /// Waits until all files are on the disk.
    ///
    /// # Errors
    /// Where the disk refused one.
    pub(crate) fn settle(&self) -> io::Result<()> {
        let Some(Work { files, ended }) = self.lock().take() else { return Ok(()) };
        drop(files);
        ended.join().unwrap_or_else(|_| Err(io::Error::other("what brings files to the disk broke")))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Work>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Settler {
    fn drop(&mut self) {
        // Whoever wants to know asks before.
        let _ = self.settle();
    }
}

impl Work {
    fn begin() -> Self {
        let (files, received) = mpsc::channel();
        Self { files, ended: thread::spawn(move || work(&received)) }
    }
}

fn work(files: &Receiver<PathBuf>) -> io::Result<()> {
    while let Ok(first) = files.recv() {
        let deadline = Instant::now() + EVERY;
        let mut batch = BTreeSet::from([first]);
        while let Ok(next) = files.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            batch.insert(next);
        }
        let folders: BTreeSet<&Path> = batch.iter().filter_map(|file| file.parent()).collect();
        // The folders last: a name on the disk is that of a whole file.
        batch.iter().map(PathBuf::as_path).chain(folders).try_for_each(|path| fs_err::File::open(path)?.sync_all())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_disk_refuses_is_told() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let settler = Settler::default();
        assert!(settler.settle().is_ok(), "nothing to do");
        let file = folder.path().join("a");
        fs_err::write(&file, "a").expect("writes");
        assert!(settler.add(&file).is_ok() && settler.settle().is_ok());
        settler.add(&folder.path().join("gone")).expect("is taken");
        assert!(settler.settle().is_err(), "one was not there");
        assert!(settler.settle().is_ok(), "which is told once");
    }
}
