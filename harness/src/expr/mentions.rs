//! What an expression names: variables with the members taken of them, and functions.

use std::collections::BTreeSet;

use cel::{
    common::ast::{ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators},
    parser::Expression,
};

/// A name that an expression mentions, and the member taken of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The variable.
    pub root: String,
    /// The member; none where the variable is used as a whole, or the member is computed.
    pub member: Option<String>,
    /// Of `acts.ID`, the member taken of that in turn; none elsewhere.
    pub inner: Option<String>,
}

/// A member that is taken of the items of a list: of `m.text` in `slack.messages.exists(m, m.text == '')`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemMember {
    /// The variable that the list is a member of: `slack`.
    pub root: String,
    /// The list: `messages`.
    pub list: String,
    /// The member: `text`.
    pub member: String,
}

/// A text that a variable's member is compared with: `slack` in `e.twin == 'slack'`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Compared {
    /// The variable.
    pub root: String,
    /// The member.
    pub member: String,
    /// The text.
    pub text: String,
}

/// All that an expression names, but the variables of its own macros.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) mentions: BTreeSet<Mention>,
    pub(super) functions: BTreeSet<String>,
    pub(super) items: BTreeSet<ItemMember>,
    pub(super) compared: BTreeSet<Compared>,
}

/// The names of types are values in CEL.
pub(super) const TYPES: [&str; 10] =
    ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"];

pub(super) fn find(expression: &Expression) -> Found {
    let mut walk = Walk { found: Found::default(), bound: Vec::new(), lists: Vec::new() };
    walk.visit(expression);
    walk.found
}

struct Walk {
    found: Found,
    /// The variables of the macros around the place.
    bound: Vec<String>,
    /// Those of them that go through a list by name, with the list.
    lists: Vec<(String, (String, String))>,
}

impl Walk {
    fn visit(&mut self, expression: &Expression) {
        match &expression.expr {
            Expr::Ident(name) => self.name(name, None, None),
            Expr::Select(select) => match &select.operand.expr {
                Expr::Ident(root) => {
                    // What is asked with `has` may well be absent.
                    if !select.test {
                        self.item(root, &select.field);
                    }
                    self.name(root, Some(&select.field), None);
                }
                Expr::Select(outer) if matches!(&outer.operand.expr, Expr::Ident(root) if root == "acts") => {
                    self.name("acts", Some(&outer.field), Some(&select.field));
                }
                _ => self.visit(&select.operand),
            },
            Expr::Call(call) => self.call(&call.func_name, call.target.as_deref(), &call.args),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Struct(made) => made.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn name(&mut self, root: &str, member: Option<&str>, inner: Option<&str>) {
        if self.bound.iter().any(|bound| bound == root) || (member.is_none() && TYPES.contains(&root)) {
            return;
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.found.mentions.insert(Mention { root: root.to_owned(), member: owned(member), inner: owned(inner) });
    }

    /// A member of a macro's variable: of the innermost of that name.
    fn item(&mut self, variable: &str, member: &str) {
        if let Some((_, (root, list))) = self.lists.iter().rev().find(|(name, _)| name == variable) {
            let member = ItemMember { root: root.clone(), list: list.clone(), member: member.to_owned() };
            self.found.items.insert(member);
        }
    }

    fn call(&mut self, function: &str, target: Option<&Expression>, args: &[Expression]) {
        self.comparison(function, args);
        if let (operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT, [object, key]) = (function, args)
            && let (Expr::Ident(root), Expr::Literal(LiteralValue::String(member))) = (&object.expr, &key.expr)
        {
            return self.name(root, Some(member.inner()), None);
        }
        match target.map(|target| &target.expr) {
            // `optional.of(x)` names a function, not a variable.
            Some(Expr::Ident(space)) if space == "optional" => {
                self.found.functions.insert(format!("optional.{function}"));
            }
            Some(_) | None => {
                self.found.functions.insert(function.to_owned());
                if let Some(target) = target {
                    self.visit(target);
                }
            }
        }
        for arg in args {
            self.visit(arg);
        }
    }

    /// Texts that a member of a variable is compared with, on whichever side it stands.
    fn comparison(&mut self, function: &str, args: &[Expression]) {
        let [a, b] = args else { return };
        let found = match (function, &a.expr, &b.expr) {
            (operators::EQUALS | operators::NOT_EQUALS, member, Expr::Literal(LiteralValue::String(text)))
            | (operators::EQUALS | operators::NOT_EQUALS, Expr::Literal(LiteralValue::String(text)), member) => {
                (member, vec![text.inner()])
            }
            (operators::IN, member, Expr::List(list)) => {
                (member, list.elements.iter().filter_map(|element| text(&element.expr)).collect())
            }
            _ => return,
        };
        let (Expr::Select(select), texts) = found else { return };
        let Expr::Ident(root) = &select.operand.expr else { return };
        if self.bound.contains(root) {
            return;
        }
        let of = |text: &str| Compared { root: root.clone(), member: select.field.clone(), text: text.to_owned() };
        self.found.compared.extend(texts.into_iter().map(of));
    }

    fn comprehension(&mut self, macro_: &ComprehensionExpr) {
        self.visit(&macro_.iter_range);
        self.visit(&macro_.accu_init);
        let outside = self.bound.len();
        self.bound.push(macro_.accu_var.clone());
        self.visit(&macro_.result);
        let known = self.lists.len();
        // A variable of another list hides one of the same name outside.
        self.lists.push((macro_.iter_var.clone(), list_of(&macro_.iter_range).unwrap_or_default()));
        self.bound.push(macro_.iter_var.clone());
        self.bound.extend(macro_.iter_var2.clone());
        self.visit(&macro_.loop_cond);
        self.visit(&macro_.loop_step);
        self.bound.truncate(outside);
        self.lists.truncate(known);
    }

    fn entry(&mut self, entry: &EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key);
                self.visit(&entry.value);
            }
        }
    }
}

/// The text that an expression is.
fn text(expression: &Expr) -> Option<&str> {
    if let Expr::Literal(LiteralValue::String(text)) = expression { Some(text.inner()) } else { None }
}

/// The list that an expression is, where it is a member of a variable.
fn list_of(expression: &Expression) -> Option<(String, String)> {
    let Expr::Select(select) = &expression.expr else { return None };
    let Expr::Ident(root) = &select.operand.expr else { return None };
    Some((root.clone(), select.field.clone()))
}
