//! Where entries are kept: the newest in memory, the oldest in a file.
//!
//! Entries are filed on shelves. Once more shelves are full than memory is to hold, a thread moves the oldest to the
//! file, so that no call waits for it; it ends when there is nothing more to move. Readers see no difference.

use std::{
    collections::VecDeque,
    io::{BufReader, Read, Seek, SeekFrom, Write},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use parking_lot::{Condvar, Mutex};
use serde_json::Value;

use super::{entry::Entry, form::put_bodies};

/// How many entries fill a shelf.
const SHELF_ENTRIES: usize = 16_384;
/// How many bytes of bodies fill a shelf.
const SHELF_BYTES: usize = 8 << 20;
/// How large blocks are that bodies are copied into: the first, and the later ones.
const BLOCK: std::ops::RangeInclusive<usize> = 16 << 10..=512 << 10;
/// How many full shelves stay in memory.
const SHELVES_KEPT: usize = 3;
/// How many full shelves there may be before writers wait for the disk.
const SHELVES_MAX: usize = 16;

/// The entries of one ledger.
#[derive(Debug)]
pub(super) struct Store {
    shelf_entries: usize,
    shelves: Mutex<Shelves>,
    /// Told when a shelf has moved, or cannot be.
    moved: Condvar,
    file: Mutex<Option<SpillFile>>,
}

#[derive(Debug, Default)]
struct Shelves {
    next: u64,
    /// How many entries, the oldest, are in the file.
    on_disk: u64,
    full: VecDeque<Arc<Vec<Arc<Entry>>>>,
    open: Vec<Arc<Entry>>,
    open_bytes: usize,
    /// Where bodies are copied to, one behind the other: what was made for an answer can then be used for the next, and
    /// the thread that moves a shelf has little to give back.
    block: BytesMut,
    block_size: usize,
    /// Whether the moving thread is at work.
    moving: bool,
    /// Whether the disk has refused: memory keeps all from then on, and nothing is lost.
    refused: bool,
}

/// The file: for each entry its JSON without bodies, then the bodies as they are.
#[derive(Debug)]
struct SpillFile {
    file: std::fs::File,
    /// Where the entry of each seq begins.
    offsets: Vec<u64>,
    end: u64,
}

impl Store {
    pub(super) fn new() -> Self {
        Self::with_shelves_of(SHELF_ENTRIES)
    }

    pub(super) fn with_shelves_of(entries: usize) -> Self {
        Self { shelf_entries: entries.max(1), shelves: Mutex::default(), moved: Condvar::new(), file: Mutex::new(None) }
    }

    /// How many entries were filed.
    pub(super) fn len(&self) -> u64 {
        self.shelves.lock().next
    }

    /// Takes a position without filing anything there.
    pub(super) fn skip(&self) -> u64 {
        let mut shelves = self.shelves.lock();
        let seq = shelves.next;
        shelves.next += 1;
        seq
    }

    /// Files the entry that `make` makes of its position.
    pub(super) fn push(self: &Arc<Self>, make: impl FnOnce(u64) -> Entry) -> u64 {
        let mut shelves = self.shelves.lock();
        let seq = shelves.next;
        let mut entry = make(seq);
        for body in entry.event.bodies_mut().into_iter().flatten() {
            shelves.pack(body);
        }
        shelves.next += 1;
        shelves.open_bytes += entry.event.body_bytes();
        shelves.open.push(Arc::new(entry));
        if shelves.open.len() < self.shelf_entries && shelves.open_bytes < SHELF_BYTES {
            return seq;
        }
        let shelf = std::mem::take(&mut shelves.open);
        shelves.full.push_back(Arc::new(shelf));
        shelves.open_bytes = 0;
        if shelves.full.len() > SHELVES_KEPT && !shelves.moving && !shelves.refused {
            shelves.moving = self.start_moving();
        }
        while shelves.full.len() > SHELVES_MAX && shelves.moving {
            self.moved.wait(&mut shelves);
        }
        seq
    }

    /// Up to `limit` entries from `from` on, oldest first; those in memory rendered by `render`.
    pub(super) fn read(&self, from: u64, limit: usize, render: fn(&Entry) -> Value) -> std::io::Result<Vec<Value>> {
        let shelves = self.shelves.lock();
        let on_disk = shelves.on_disk;
        let wanted = usize::try_from(on_disk.saturating_sub(from)).unwrap_or(usize::MAX).min(limit);
        let skip = usize::try_from(from.saturating_sub(on_disk)).unwrap_or(usize::MAX);
        let rest = shelves.entries(skip, limit - wanted);
        drop(shelves);
        let mut out = Vec::with_capacity(wanted + rest.len());
        if let (true, Some(file)) = (wanted > 0, &mut *self.file.lock()) {
            out = file.read(from, wanted)?;
        }
        out.extend(rest.iter().map(|entry| render(entry)));
        Ok(out)
    }

    /// Starts the thread that moves shelves to the file; false where there is none to be had.
    fn start_moving(self: &Arc<Self>) -> bool {
        let store = Arc::clone(self);
        let thread = std::thread::Builder::new().name("ledger".to_owned());
        thread.spawn(move || store.move_shelves()).is_ok()
    }

    fn move_shelves(&self) {
        loop {
            let mut shelves = self.shelves.lock();
            let oldest = match shelves.full.front() {
                Some(shelf) if shelves.full.len() > SHELVES_KEPT => Arc::clone(shelf),
                _ => {
                    shelves.moving = false;
                    return;
                }
            };
            drop(shelves);
            let written = self.write(&oldest);
            let mut shelves = self.shelves.lock();
            match written {
                Ok(()) => {
                    shelves.full.pop_front();
                    shelves.on_disk += oldest.len() as u64;
                }
                Err(error) => {
                    tracing::warn!(%error, "the ledger stays in memory: its file cannot be written");
                    shelves.refused = true;
                    shelves.moving = false;
                }
            }
            let over = shelves.refused;
            drop(shelves);
            self.moved.notify_all();
            if over {
                return;
            }
        }
    }

    fn write(&self, shelf: &[Arc<Entry>]) -> std::io::Result<()> {
        let mut file = self.file.lock();
        if file.is_none() {
            *file = Some(SpillFile { file: tempfile::tempfile()?, offsets: Vec::new(), end: 0 });
        }
        file.as_mut().map_or(Ok(()), |file| file.write(shelf))
    }
}

impl Shelves {
    /// Copies a body into the open block. A large one stays where it is.
    fn pack(&mut self, body: &mut Bytes) {
        if body.is_empty() || body.len() > *BLOCK.start() {
            return;
        }
        if self.block.capacity() < body.len() {
            self.block_size = (self.block_size * 2).clamp(*BLOCK.start(), *BLOCK.end());
            self.block = BytesMut::with_capacity(self.block_size);
        }
        self.block.extend_from_slice(body);
        *body = self.block.split().freeze();
    }

    /// Up to `limit` entries in memory, after the first `skip` of them.
    fn entries(&self, mut skip: usize, limit: usize) -> Vec<Arc<Entry>> {
        let mut found = Vec::new();
        for shelf in self.full.iter().map(|shelf| shelf.as_slice()).chain([self.open.as_slice()]) {
            if skip < shelf.len() {
                let left = limit - found.len();
                found.extend(shelf[skip..].iter().take(left).cloned());
            }
            skip = skip.saturating_sub(shelf.len());
        }
        found
    }
}

impl SpillFile {
    fn write(&mut self, shelf: &[Arc<Entry>]) -> std::io::Result<()> {
        let (mut head, mut text) = (Vec::new(), Vec::new());
        let mut offsets = Vec::with_capacity(shelf.len());
        for entry in shelf {
            offsets.push(self.end + text.len() as u64);
            head.clear();
            entry.write_head(&mut head)?;
            let (request, response) = entry.event.bodies();
            for part in [head.as_slice(), request, response] {
                text.extend_from_slice(&(part.len() as u64).to_le_bytes());
                text.extend_from_slice(part);
            }
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&text)?;
        self.end += text.len() as u64;
        self.offsets.extend(offsets);
        Ok(())
    }

    fn read(&mut self, from: u64, count: usize) -> std::io::Result<Vec<Value>> {
        let first = usize::try_from(from).unwrap_or(usize::MAX);
        let Some(offset) = self.offsets.get(first) else {
            return Ok(Vec::new());
        };
        self.file.seek(SeekFrom::Start(*offset))?;
        let mut reader = BufReader::new(&self.file);
        let count = count.min(self.offsets.len() - first);
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            let (head, request, response) = (part(&mut reader)?, part(&mut reader)?, part(&mut reader)?);
            let mut entry: Value = serde_json::from_slice(&head)?;
            put_bodies(&mut entry, &request, &response);
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// One part of an entry in the file: its length, then its bytes.
fn part(reader: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 8];
    reader.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::try_from(u64::from_le_bytes(length)).unwrap_or(0)];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ledger::{Event, Principal},
        time::Timestamp,
    };

    fn entry(seq: u64) -> Entry {
        let event = Event::Timer { name: "t".into() };
        let principal = Principal::System;
        Entry { seq, at: Timestamp::from_secs(1), principal, twin: "slack", cause: None, event, changes: Vec::new() }
    }

    fn seqs(store: &Store, from: u64, limit: usize) -> Vec<u64> {
        let page = store.read(from, limit, Entry::to_json).expect("reads");
        page.iter().filter_map(|entry| entry["seq"].as_u64()).collect()
    }

    #[test]
    fn every_entry_is_read_back_while_others_are_filed_and_moved() {
        const COUNT: u64 = 20_000;
        let store = Arc::new(Store::with_shelves_of(64));
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for _ in 0..COUNT {
                    store.push(entry);
                }
            });
            threads.spawn(|| {
                let mut next = 0;
                while next < COUNT {
                    let page = seqs(&store, next, 100);
                    assert_eq!(page, (next..next + page.len() as u64).collect::<Vec<_>>());
                    next += page.len() as u64;
                }
            });
        });
        assert_eq!(seqs(&store, 0, usize::MAX), (0..COUNT).collect::<Vec<_>>());
        assert!(store.shelves.lock().on_disk > 0, "some went to the file");
    }

    #[test]
    fn pages_begin_and_end_anywhere() {
        let store = Arc::new(Store::with_shelves_of(10));
        for _ in 0..1_000 {
            store.push(entry);
        }
        for (from, limit) in [(0, 3), (8, 5), (500, 100), (950, 40), (985, 50), (999, 1)] {
            let end = (from + limit as u64).min(1_000);
            assert_eq!(seqs(&store, from, limit), (from..end).collect::<Vec<_>>(), "{from} {limit}");
        }
        assert!(seqs(&store, 1_000, 10).is_empty() && seqs(&store, 5_000, 10).is_empty());
    }
}
