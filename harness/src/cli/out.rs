//! The only places that write to standard output and standard error.

use std::{
    fmt,
    io::{self, StdoutLock, Write as _},
};

use anstream::AutoStream;

/// Standard output. Colours are left out where nobody would see them, or `NO_COLOR` says so.
#[derive(Debug)]
pub struct Out(AutoStream<StdoutLock<'static>>);

impl Out {
    /// Locks standard output.
    pub fn stdout() -> Self {
        Self(anstream::stdout().lock())
    }

    /// Writes text.
    ///
    /// # Errors
    /// Where it cannot be written; a reader that has gone away is none.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.write_bytes(text.as_bytes())
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.0.write_all(bytes).and_then(|()| self.0.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

/// Says something on standard error: with nobody to hear it, there is nothing left to do.
pub(super) fn say(what: &impl fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{what}");
}
