//! Pack files: which program does all that a pack's stories ask, and which programs with a known fault they tell.
//!
//! These types are the format. A pack is a folder of scenarios with a `pack.yaml` in it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dtu_kernel::diagnostic::Diagnostic;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::{
    load::{self, LoadedScenario},
    target::EnvVar,
};

/// What a pack's file is called.
pub const FILE: &str = "pack.yaml";

/// A folder of scenarios, with the programs that show what they are worth.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The format: `dtu/pack/v1`.
    pub schema: PackSchema,
    /// Its name.
    pub name: String,
    /// The target file of a program that does all that the scenarios ask, relative to this file.
    pub oracle: String,
    /// Programs with a known fault, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Defective>")]
    pub defective: IndexMap<String, Defective>,
}

/// The one known version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PackSchema {
    /// `dtu/pack/v1`
    #[serde(rename = "dtu/pack/v1")]
    V1,
}

/// A program with a known fault.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defective {
    /// Its target file, relative to this file; the oracle's where absent.
    #[serde(default)]
    pub target: Option<String>,
    /// Variables of its environment that are otherwise than in the target file.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub env: IndexMap<String, String>,
    /// The scenarios, by id, that must tell it from the oracle. It is run on these alone.
    #[schemars(with = "Vec<String>")]
    pub fails: Vec<Spanned<String>>,
}

/// A pack file, read.
#[derive(Debug, Clone)]
pub struct LoadedPack {
    /// The file as the user named it.
    pub path: String,
    /// What it says.
    pub pack: Pack,
}

impl LoadedPack {
    /// The oracle's target file.
    pub fn oracle(&self) -> PathBuf {
        self.place(&self.pack.oracle)
    }

    fn place(&self, relative: &str) -> PathBuf {
        Path::new(&self.path).parent().unwrap_or(Path::new("")).join(relative)
    }

    /// The target file of a program with a fault, where it has one of its own.
    pub fn target(&self, defective: &Defective) -> Option<PathBuf> {
        defective.target.as_deref().map(|target| self.place(target))
    }

    /// Scenarios that it names and that are not there.
    pub fn problems(&self, scenarios: &[LoadedScenario]) -> Vec<Diagnostic> {
        let ids: Vec<&str> = scenarios.iter().map(|loaded| loaded.scenario.id.value.as_str()).collect();
        let named = self.pack.defective.values().flat_map(|defective| &defective.fails);
        let absent = named.filter(|id| !ids.contains(&id.value.as_str()));
        let problem = |id: &Spanned<String>| {
            let problem = Diagnostic::on(&self.path, id, format!("there is no scenario `{}` in this pack", id.value));
            problem.suggest(&id.value, ids.iter().copied())
        };
        absent.map(problem).collect()
    }
}

impl Defective {
    /// Its variables, as the command line takes them.
    pub fn env(&self) -> Vec<EnvVar> {
        self.env.iter().map(|(name, value)| EnvVar { name: name.clone(), value: value.clone() }).collect()
    }
}

/// Reads a pack file.
///
/// # Errors
/// Every problem found.
pub fn pack(path: &Path) -> Result<LoadedPack, Vec<Diagnostic>> {
    let (path, text) = load::read(path)?;
    pack_from(path, &text)
}

fn pack_from(path: String, text: &str) -> Result<LoadedPack, Vec<Diagnostic>> {
    let pack: Pack = load::parse(&path, text)?;
    let idle = pack.defective.iter().find(|(_, defective)| defective.fails.is_empty());
    if let Some((name, _)) = idle {
        let problem = Diagnostic::whole(&path, format!("nothing tells the defective program `{name}`"));
        return Err(vec![problem.hint("name with `fails` the scenarios that it must fail")]);
    }
    Ok(LoadedPack { path, pack })
}

/// The pack that scenario files or folders are part of: the file in the folder, or beside the file.
///
/// # Errors
/// Where it is not whole, and where the paths are of several packs.
pub fn of(paths: &[PathBuf]) -> Result<Option<LoadedPack>, Vec<Diagnostic>> {
    let folder = |path: &PathBuf| match path.parent() {
        _ if path.is_dir() => path.clone(),
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut files: Vec<PathBuf> =
        paths.iter().map(|path| folder(path).join(FILE)).filter(|file| file.is_file()).collect();
    files.dedup();
    match files.as_slice() {
        [] => Ok(None),
        [file] => pack(file).map(Some),
        [_, second, ..] => {
            let problem = Diagnostic::whole(&second.display().to_string(), "this is another pack than the first");
            Err(vec![problem.hint("admit each pack by itself")])
        }
    }
}

/// The packs in these folders and below them.
pub fn files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() { load::all_yaml(path, &mut files) } else { files.push(path.clone()) }
    }
    files.retain(|file| file.file_name().is_some_and(|name| name == FILE));
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const TEXT: &str = "schema: dtu/pack/v1\nname: one\noracle: bots/good.yaml\n\
                        defective:\n  sleeps: {env: {BAD: '1'}, fails: [test.one]}\n";

    #[test]
    fn a_pack_names_its_programs_from_where_it_lies() {
        let loaded = pack_from("packs/one/pack.yaml".to_owned(), TEXT).expect("is a pack");
        assert_eq!(loaded.oracle(), Path::new("packs/one/bots/good.yaml"));
        let sleeps = &loaded.pack.defective["sleeps"];
        assert_eq!((loaded.target(sleeps), sleeps.env()[0].to_string()), (None, "BAD=1".to_owned()));
        assert!(loaded.problems(&[testing::scenario_with("")]).is_empty());
        assert!(pack_from("p.yaml".to_owned(), &TEXT.replace("fails:", "fials:")).is_err());
        let idle = pack_from("p.yaml".to_owned(), &TEXT.replace("[test.one]", "[]")).expect_err("is idle");
        assert!(idle[0].to_string().contains("nothing tells the defective program `sleeps`"), "{idle:?}");
    }

    #[test]
    fn scenarios_that_are_not_there_are_told_with_their_place() {
        let loaded = pack_from("pack.yaml".to_owned(), &TEXT.replace("test.one", "test.oen")).expect("is a pack");
        let problems = loaded.problems(&[testing::scenario_with("")]);
        let told = problems[0].to_string();
        assert!(told.contains("pack.yaml:5:37") && told.contains("did you mean `test.one`?"), "{told}");
    }

    #[test]
    fn the_pack_of_a_path_lies_in_its_folder() {
        let (_kept, root) = testing::folder(&[("a/pack.yaml", TEXT), ("a/one.yaml", ""), ("b/pack.yaml", TEXT)]);
        let name = |path: &str| of(&[root.join(path)]).expect("reads").map(|loaded| loaded.pack.name);
        assert_eq!(name("a"), Some("one".to_owned()));
        assert_eq!(name("a/one.yaml"), Some("one".to_owned()));
        assert_eq!(name("c"), None);
        assert!(of(&[root.join("a"), root.join("b")]).is_err());
        assert_eq!(files(&[root]).len(), 2);
    }
}
