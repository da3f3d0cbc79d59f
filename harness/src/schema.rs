//! JSON Schemas of the files that people write, and of those that programs read.

use serde_json::Value;

/// The names that [`schema`] knows.
pub const KINDS: &[&str] = &[
    "scenario",
    "target",
    "world",
    "faults",
    "gates",
    "pack",
    "result",
    "decision",
    "trajectory",
    "replay",
    "receipt",
    "admission",
];

/// The schema of one of [`KINDS`].
pub fn schema(kind: &str) -> Option<Value> {
    if kind == "world" {
        return Some(dtu_universe::world_schema());
    }
    let schema = match kind {
        "scenario" => schemars::schema_for!(crate::scenario::Scenario),
        "target" => schemars::schema_for!(crate::target::Target),
        "gates" => schemars::schema_for!(crate::gates::Gates),
        "pack" => schemars::schema_for!(crate::pack::Pack),
        "result" => schemars::schema_for!(crate::summary::Summary),
        "trajectory" => schemars::schema_for!(crate::bundle::Manifest),
        "replay" => schemars::schema_for!(crate::replay::Replayed),
        "admission" => schemars::schema_for!(crate::admit::Admission),
        "receipt" => schemars::schema_for!(crate::prove::Receipt),
        "decision" => schemars::schema_for!(crate::gate::Decision),
        "faults" => schemars::schema_for!(dtu_kernel::fault::PlanFile),
        _ => return None,
    };
    Some(schema.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_that_names_its_format() {
        for kind in KINDS {
            let schema = schema(kind).expect("is known");
            let text = schema.to_string();
            assert!(text.contains(&format!("dtu/{kind}/v1")), "{kind}");
            assert!(!text.contains("\"Spanned"), "{kind}: spans are no part of the format");
        }
        assert_eq!(schema("planets"), None);
    }
}
