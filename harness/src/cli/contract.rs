//! `dtu contract`: public API documents made into contracts, and what a newer one changes.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use dtu_contract::{
    contract::Contract,
    diff::{self, Change},
    import::{self, Imported, Source, Summary},
    problem::Problem,
    write,
};
use dtu_kernel::diagnostic::Diagnostic;
use serde_json::json;

use super::{Failure, Out, out::say};

/// Public API documents as contracts.
#[derive(Debug, Subcommand)]
pub(super) enum Contracts {
    /// Makes a contract of a service's public documents: OpenAPI 3.0 and 3.1, Swagger 2, Google discovery, and lists of
    /// Slack's methods. Problems go to standard error, each with its JSON pointer.
    Import(Import),
    /// Says what a newer contract or document adds, removes and changes. Exit code 1 where it breaks clients.
    Diff(Diff),
}

/// Makes a contract of a service's public documents.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The documents, in the order in which they count where two say the same.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The twin that serves it; the first file's name where absent.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Where the contract is written; standard output where absent.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Writes nothing: exit code 1 where the file named by `--out` holds something else.
    #[arg(long, requires = "out")]
    check: bool,
}

/// Says what a newer contract or document adds, removes and changes.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The older contract, or document.
    old: PathBuf,
    /// The newer one.
    new: PathBuf,
    /// Prints JSON instead of lines for people.
    #[arg(long)]
    json: bool,
}

/// Exit code: the file differs, or the newer contract breaks clients.
const EXIT_FAIL: u8 = 1;

pub(super) fn main(command: &Contracts) -> Result<u8, Failure> {
    match command {
        Contracts::Import(import) => run_import(import),
        Contracts::Diff(diff) => run_diff(diff),
    }
}

fn run_import(args: &Import) -> Result<u8, Failure> {
    let service = args.service.clone().unwrap_or_else(|| dtu_contract::open::name_of(&shown(&args.files[0])));
    let Imported { contract, problems, summaries } = import_files(&service, &args.files)?;
    tell(&problems);
    for summary in &summaries {
        let Summary { name, operations, left_out, schemas, .. } = summary;
        say(&format!("{name}: {operations} operations, {schemas} schemas, {left_out} operations left out"));
    }
    let text = write::to_text(&contract);
    let Some(path) = &args.out else {
        Out::stdout().write(&text)?;
        return Ok(0);
    };
    if args.check {
        let there = fs_err::read_to_string(path).unwrap_or_default();
        if there == text {
            return Ok(0);
        }
        say(&format!("{} differs from what the documents give", path.display()));
        say(&"  hint: run the same without `--check` to write it");
        return Ok(EXIT_FAIL);
    }
    fs_err::write(path, text).map_err(|error| Diagnostic::whole(&shown(path), error.to_string()))?;
    Ok(0)
}

fn run_diff(args: &Diff) -> Result<u8, Failure> {
    let (old, mut new) = (read_either(&args.old)?, read_either(&args.new)?);
    // Documents are named after their files, and a newer one may well lie in another.
    if let ([old], [new]) = (old.documents.as_slice(), new.documents.as_mut_slice()) {
        new.name = old.name.clone();
    }
    let changes = diff::diff(&old, &new);
    let breaks = diff::breaks(&changes);
    let mut out = Out::stdout();
    if args.json {
        out.write_bytes(&crate::evidence::pretty(&json!({ "breaks": breaks, "changes": changes })))?;
    } else {
        out.write(&lines(&changes))?;
    }
    Ok(if breaks { EXIT_FAIL } else { 0 })
}

fn lines(changes: &[Change]) -> String {
    let mut page = String::new();
    for change in changes {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{change}");
    }
    let breaking = changes.iter().filter(|change| change.breaks.is_some()).count();
    let _ = writeln!(page, "{} changes, {breaking} of them break clients", changes.len());
    page
}

/// A contract, or what the documents of a service give.
fn read_either(path: &Path) -> Result<Contract, Failure> {
    let text: &'static str = Box::leak(read(path)?.into_boxed_str());
    if text.contains(dtu_contract::contract::FORMAT)
        && let Ok(contract) = Contract::read(text)
    {
        return Ok(contract);
    }
    let (contract, problems) = read_documents("diff", &[path.to_owned()])?;
    tell(&problems);
    Ok(contract)
}

/// Imports documents of one service.
pub(super) fn read_documents(service: &str, files: &[PathBuf]) -> Result<(Contract, Vec<Problem>), Failure> {
    let imported = import_files(service, files)?;
    Ok((imported.contract, imported.problems))
}

/// Imports documents. Those of which nothing can be used are refused.
fn import_files(service: &str, files: &[PathBuf]) -> Result<Imported, Failure> {
    let texts = files.iter().map(|path| read(path)).collect::<Result<Vec<String>, Failure>>()?;
    let sources: Vec<Source<'_>> =
        files.iter().zip(&texts).map(|(path, text)| Source { name: stem(path).into(), text }).collect();
    let imported = import::import(service, &sources);
    if imported.contract.operations().next().is_none() {
        let told = |problem: &Problem| {
            let place = if problem.pointer.is_empty() { String::new() } else { format!("{}: ", problem.pointer) };
            Diagnostic::whole(&problem.document, format!("{place}{}", problem.what))
        };
        let mut problems: Vec<Diagnostic> = imported.problems.iter().map(told).collect();
        problems.push(
            Diagnostic::whole(&shown(&files[0]), "no operation can be read from the documents")
                .hint("OpenAPI 3, Swagger 2, Google discovery documents and lists of Slack's methods are known"),
        );
        return Err(Failure::Input(problems));
    }
    Ok(imported)
}

fn read(path: &Path) -> Result<String, Failure> {
    fs_err::read_to_string(path).map_err(|error| Diagnostic::whole(&shown(path), error.kind().to_string()).into())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A file's name without its endings.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let known = [".json", ".yaml", ".yml", ".discovery"];
    let mut stem: &str = &name;
    while let Some(shorter) = known.iter().find_map(|ending| stem.strip_suffix(ending)) {
        stem = shorter;
    }
    stem.to_owned()
}

/// Says which parts of the documents are not used.
pub(super) fn tell(problems: &[Problem]) {
    for problem in problems {
        say(problem);
    }
}
