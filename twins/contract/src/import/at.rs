//! A place in a document.

use std::fmt;

/// A place in a document: a list of steps from its root, kept on the stack and written out (as a JSON pointer, RFC
/// 6901) only where there is something to say.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'p> {
    /// The place with this pointer.
    Root(&'p str),
    /// A member of an object.
    Key(&'p At<'p>, &'p str),
    /// An item of a list.
    Index(&'p At<'p>, usize),
}

impl<'p> At<'p> {
    /// A member of the object here.
    pub(super) const fn key(&'p self, key: &'p str) -> Self {
        Self::Key(self, key)
    }

    /// An item of the list here.
    pub(super) const fn index(&'p self, index: usize) -> Self {
        Self::Index(self, index)
    }

    /// What the value here is called: the nearest member's name that is no part of a schema for lists.
    pub(super) fn called(&self) -> &str {
        match self {
            Self::Root(pointer) => pointer.rsplit('/').next().unwrap_or_default(),
            Self::Key(parent, "items") | Self::Index(parent, _) => parent.called(),
            Self::Key(_, key) => key,
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(pointer) => f.write_str(pointer),
            Self::Key(parent, key) => write!(f, "{parent}/{}", escape(key)),
            Self::Index(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// A name as a step of a JSON pointer.
pub(super) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A step of a JSON pointer as a name.
pub(super) fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
