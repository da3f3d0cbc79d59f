//! What an operation is understood as, from its own facts and those of its neighbours.

use std::fmt;

use serde_json::Value;
use smol_str::SmolStr;

use super::collection::{Collection, Fill};

/// How much of an operation the generic twin does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Answers are valid, and nothing is remembered: nothing sensible could be.
    Shapes,
    /// What is written is there when it is read.
    Stores,
}

impl Level {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shapes => "shapes",
            Self::Stores => "stores",
        }
    }
}

/// What an operation was understood as.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it does.
    pub kind: Kind,
    /// How much of it is done.
    pub level: Level,
    /// The objects it is about.
    pub(super) collection: Option<Collection>,
    /// Where the caller says which object.
    pub(super) key: Option<SmolStr>,
    /// What a change sets.
    pub(super) sets: Option<(SmolStr, Value)>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Lists a collection.
    List,
    /// Lists a collection, though it is posted.
    Search,
    /// Adds an object.
    Create,
    /// Shows an object.
    Get,
    /// Writes an object whole.
    Replace,
    /// Writes some members of an object.
    Update,
    /// Removes an object.
    Delete,
    /// Removes all objects of a collection.
    Clear,
    /// Changes how an object is, by a verb.
    Change,
    /// Shows the one object of a path without ids.
    ReadOne,
    /// Writes it whole.
    ReplaceOne,
    /// Writes some members of it.
    UpdateOne,
    /// Makes it as it was in the beginning.
    ResetOne,
    /// Answers in the right shape.
    Shape,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.collection.as_ref().filter(|_| self.kind != Kind::Shape);
        let template = place.map_or("", |collection| collection.template.as_str());
        write!(f, "{}", self.kind.name())?;
        if !template.is_empty() {
            write!(f, " {template}")?;
        }
        if let Some((member, value)) = &self.sets {
            write!(f, " ({member} = {value})")?;
        }
        Ok(())
    }
}

impl Kind {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Search => "search",
            Self::Create => "create",
            Self::Get => "get",
            Self::Replace => "replace",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Clear => "clear",
            Self::Change => "change",
            Self::ReadOne => "read one",
            Self::ReplaceOne => "replace one",
            Self::UpdateOne => "update one",
            Self::ResetOne => "reset one",
            Self::Shape => "shape",
        }
    }

    /// Whether it changes nothing.
    pub const fn reads(self) -> bool {
        matches!(self, Self::List | Self::Search | Self::Get | Self::ReadOne | Self::Shape)
    }
}

impl Plan {
    pub(super) const fn shape() -> Self {
        Self { kind: Kind::Shape, level: Level::Shapes, collection: None, key: None, sets: None }
    }

    pub(super) fn about(kind: Kind, collection: Collection, key: Option<SmolStr>) -> Self {
        let remembered = collection.fill != Fill::Open { written: false };
        let level = if remembered { Level::Stores } else { Level::Shapes };
        Self { kind, level, collection: Some(collection), key, sets: None }
    }
}
