//! The environment that clients of a universe's twins read, with the files that it names.

use std::{fs::Permissions, io, os::unix::fs::PermissionsExt as _};

use tempfile::TempDir;

use crate::{twin::EnvValue, universe::Universe};

/// Environment variables for clients. Files that variables name are there until this is dropped.
#[derive(Debug)]
pub struct Environment {
    variables: Vec<(&'static str, String)>,
    files: Option<TempDir>,
}

impl Environment {
    /// The environment for clients of a universe, where its twins are served by now.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn of(universe: &Universe) -> io::Result<Self> {
        let mut made = Self { variables: Vec::new(), files: None };
        for variable in universe.env() {
            let value = match variable.value {
                EnvValue::Text(text) => text,
                EnvValue::File { name, content } => made.write(name, &content)?,
            };
            made.variables.push((variable.name, value));
        }
        Ok(made)
    }

    /// The variables, in the order of the twins.
    pub fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// Writes a file into a folder that only this user may read, and gives back its path.
    fn write(&mut self, name: &str, content: &str) -> io::Result<String> {
        let folder = match self.files.take() {
            Some(folder) => folder,
            None => tempfile::Builder::new().prefix("dtu-env-").permissions(Permissions::from_mode(0o700)).tempdir()?,
        };
        let path = self.files.insert(folder).path().join(name);
        fs_err::write(&path, content)?;
        Ok(path.to_string_lossy().into_owned())
    }
}
