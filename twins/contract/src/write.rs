//! Contracts as they are committed.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::contract::{Contract, Document};

/// The contract as committed: one operation and one schema a line, so that diffs can be read. Ends with a newline; the
/// same contract is the same text.
pub fn to_text(contract: &Contract) -> String {
    let mut text = String::new();
    write(contract, &mut text).expect("writing into text does not fail");
    text
}

fn write(contract: &Contract, out: &mut String) -> fmt::Result {
    writeln!(out, "{{")?;
    writeln!(out, "\"format\": {},", json(&contract.format))?;
    writeln!(out, "\"service\": {},", json(&contract.service))?;
    write!(out, "\"documents\": [")?;
    for (index, document) in contract.documents.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        write_document(document, out)?;
    }
    writeln!(out, "]\n}}")
}

fn write_document(document: &Document, out: &mut String) -> fmt::Result {
    writeln!(out, "{{")?;
    writeln!(out, "\"name\": {},", json(&document.name))?;
    writeln!(out, "\"kind\": {},", json(&document.kind))?;
    writeln!(out, "\"version\": {},", json(&document.version))?;
    if !document.security.is_empty() {
        writeln!(out, "\"security\": {},", json(&document.security))?;
    }
    let operations: Vec<_> = document.operations.iter().map(json).collect();
    writeln!(out, "\"operations\": [\n{}\n],", operations.join(",\n"))?;
    let schemas = document.schemas.iter().map(|(name, schema)| format!("{}: {}", json(name), json(schema)));
    let schemas: Vec<_> = schemas.collect();
    writeln!(out, "\"schemas\": {{\n{}\n}}", schemas.join(",\n"))?;
    out.push('}');
    Ok(())
}

fn json(part: &impl Serialize) -> String {
    serde_json::to_string(part).expect("a contract is made of names, numbers and texts")
}
