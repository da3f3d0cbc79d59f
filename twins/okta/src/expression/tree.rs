//! The tree, and how it is written.

use std::fmt;

use smol_str::SmolStr;

/// What stands between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Both hold.
    And,
    /// One holds.
    Or,
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Sum, or texts one behind the other.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
    /// What is left of a quotient.
    Rem,
}

impl Operator {
    /// All.
    pub const ALL: [Self; 13] = [
        Self::And,
        Self::Or,
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Rem,
    ];

    /// As it is written.
    pub const fn text(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::Or => "OR",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
        }
    }

    /// Whether what it makes is true or false.
    pub const fn is_test(self) -> bool {
        !matches!(self, Self::Add | Self::Sub | Self::Mul | Self::Div | Self::Rem)
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as written, without a sign.
    Number(String),
    /// Quoted text.
    Text(String),
    /// A name: of an object, or of a family of functions.
    Name(SmolStr),
    /// `{1, 2}`.
    List(Vec<Self>),
    /// `{'a': 1}`; never empty.
    Map(Vec<(String, Self)>),
    /// `a.b`.
    Field(Box<Self>, SmolStr),
    /// `f(a)` or `x.f(a)`.
    Call(Option<Box<Self>>, SmolStr, Vec<Self>),
    /// `a[0]`.
    Index(Box<Self>, Box<Self>),
    /// `a.?[b]`: those of a list for which something holds. In it, names are members of an item.
    Select(Box<Self>, Box<Self>),
    /// `!a`.
    Not(Box<Self>),
    /// `-a`.
    Minus(Box<Self>),
    /// Two with an operator between them.
    Pair(Operator, Box<Self>, Box<Self>),
    /// `a ? b : c`.
    Choice(Box<Self>, Box<Self>, Box<Self>),
    /// `a ?: b`.
    Else(Box<Self>, Box<Self>),
}

impl Expr {
    /// The expressions right below.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Name(_) => Vec::new(),
            Self::List(all) => all.iter().collect(),
            Self::Map(all) => all.iter().map(|(_, value)| value).collect(),
            Self::Field(one, _) | Self::Not(one) | Self::Minus(one) => vec![one],
            Self::Call(on, _, all) => on.as_deref().into_iter().chain(all).collect(),
            Self::Index(a, b) | Self::Select(a, b) | Self::Pair(_, a, b) | Self::Else(a, b) => vec![a, b],
            Self::Choice(a, b, c) => vec![a, b, c],
        }
    }

    /// Whether it must stand in brackets below others.
    const fn is_loose(&self) -> bool {
        matches!(self, Self::Pair(..) | Self::Choice(..) | Self::Else(..))
    }

    /// Whether a dot may stand right behind it.
    const fn is_stem(&self) -> bool {
        matches!(
            self,
            Self::Text(_)
                | Self::Name(_)
                | Self::List(_)
                | Self::Field(..)
                | Self::Call(..)
                | Self::Index(..)
                | Self::Select(..)
        )
    }
}

/// Text in quotes.
fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            _ => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

fn list(f: &mut fmt::Formatter<'_>, all: &[Expr]) -> fmt::Result {
    for (n, one) in all.iter().enumerate() {
        write!(f, "{}{one}", if n > 0 { ", " } else { "" })?;
    }
    Ok(())
}

fn within(f: &mut fmt::Formatter<'_>, one: &Expr, free: bool) -> fmt::Result {
    if free { write!(f, "{one}") } else { write!(f, "({one})") }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |f: &mut fmt::Formatter<'_>, one: &Self| within(f, one, !one.is_loose());
        let stem = |f: &mut fmt::Formatter<'_>, one: &Self| within(f, one, one.is_stem());
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => quote(f, text),
            Self::Name(name) => f.write_str(name),
            Self::List(all) => {
                f.write_str("{")?;
                list(f, all)?;
                f.write_str("}")
            }
            Self::Map(all) => {
                for (n, (name, value)) in all.iter().enumerate() {
                    f.write_str(if n > 0 { ", " } else { "{" })?;
                    quote(f, name)?;
                    write!(f, ": {value}")?;
                }
                f.write_str("}")
            }
            Self::Field(on, name) => {
                stem(f, on)?;
                write!(f, ".{name}")
            }
            Self::Call(on, name, all) => {
                if let Some(on) = on {
                    stem(f, on)?;
                    f.write_str(".")?;
                }
                write!(f, "{name}(")?;
                list(f, all)?;
                f.write_str(")")
            }
            Self::Index(on, at) => {
                stem(f, on)?;
                write!(f, "[{at}]")
            }
            Self::Select(on, test) => {
                stem(f, on)?;
                write!(f, ".?[{test}]")
            }
            Self::Not(one) => {
                f.write_str("!")?;
                part(f, one)
            }
            Self::Minus(one) => {
                f.write_str("-")?;
                part(f, one)
            }
            Self::Pair(operator, a, b) => {
                part(f, a)?;
                write!(f, " {} ", operator.text())?;
                part(f, b)
            }
            Self::Choice(a, b, c) => {
                part(f, a)?;
                f.write_str(" ? ")?;
                part(f, b)?;
                f.write_str(" : ")?;
                part(f, c)
            }
            Self::Else(a, b) => {
                part(f, a)?;
                f.write_str(" ?: ")?;
                part(f, b)
            }
        }
    }
}
