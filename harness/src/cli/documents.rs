//! Twins made from public documents that are named on the command line.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use dtu_contract::open::{self, Open};
use dtu_kernel::{
    diagnostic::Diagnostic,
    host::{Host, host},
};

use super::{Failure, contract, out::say};

/// Documents of services that have no twin of their own.
#[derive(Debug, Default, Args)]
pub(super) struct Documents {
    /// A public API document (OpenAPI, Swagger, Google discovery) to serve a twin of, named after the file; may be given
    /// several times.
    #[arg(long = "openapi", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Documents {
    /// Whether none was named.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// These files.
    pub(super) const fn of(files: Vec<PathBuf>) -> Self {
        Self { files }
    }

    /// The files.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// All twins, and those of the documents.
    ///
    /// # Errors
    /// Documents that cannot be read, and names that are taken.
    pub(super) fn all(&self) -> Result<Arc<[Arc<dyn Host>]>, Failure> {
        let mut all = dtu_universe::all();
        all.extend(self.twins()?);
        Ok(all.into())
    }

    /// The documents' twins. What of a document cannot be served is told on standard error.
    ///
    /// # Errors
    /// Documents that cannot be read, and names that are taken.
    pub(super) fn twins(&self) -> Result<Vec<Arc<dyn Host>>, Failure> {
        let mut names: Vec<String> = dtu_universe::all().iter().map(|twin| twin.name().to_owned()).collect();
        let mut twins = Vec::new();
        for file in &self.files {
            let shown = file.display().to_string();
            let name = open::name_of(&shown);
            if names.contains(&name) {
                let problem = Diagnostic::whole(&shown, format!("there is a twin `{name}` already"));
                return Err(problem.hint("twins are named after their files: give the file another name").into());
            }
            let (read, problems) = contract::read_documents(&name, std::slice::from_ref(file))?;
            if !problems.is_empty() {
                let parts =
                    if problems.len() == 1 { "1 part is".to_owned() } else { format!("{} parts are", problems.len()) };
                say(&format!("{shown}: {parts} not used; `dtu contract import {shown} --out FILE` lists them"));
            }
            // These are good contracts all the same: only to serve them is not possible.
            let (served, unroutable) = open::routable(read);
            contract::tell(&unroutable);
            if served.operations().next().is_none() {
                return Err(Diagnostic::whole(&shown, "none of its operations can be served").into());
            }
            twins.push(host(Open::new(&name, served)));
            names.push(name);
        }
        Ok(twins)
    }
}
