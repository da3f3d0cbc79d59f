//! Small changes to an expression, by its text: what is changed has a place, and what comes of it can be read.

use std::ops::Range;

use super::{
    siblings::Siblings,
    token::{Kind, Token, tokens},
};

/// What is done to a part that is put away as a whole.
pub(super) const LEFT_OUT: &str = "left out";

/// A part of an expression, and what is put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// What is done, in a few words.
    pub(super) what: &'static str,
    /// The part.
    pub(super) at: Range<usize>,
    /// What stands there instead.
    pub(super) now: String,
}

impl Edit {
    /// The expression with the change.
    pub(super) fn of(&self, source: &str) -> String {
        format!("{}{}{}", &source[..self.at.start], self.now, &source[self.at.end..])
    }
}

/// All changes to an expression, those of larger parts first. `is_condition`: it is true or false as a whole.
pub(super) fn edits(source: &str, is_condition: bool, siblings: &Siblings) -> Vec<Edit> {
    let tokens = tokens(source);
    let mut walk = Walk { source, tokens: &tokens, siblings, parts: Vec::new(), small: Vec::new() };
    walk.go();
    let whole = tokens.first().zip(tokens.last()).map(|(first, last)| first.at.start..last.at.end);
    let negation = whole.filter(|_| is_condition).map(|at| negated(source, "the opposite", at));
    let mut out: Vec<Edit> = negation.into_iter().chain(walk.parts).chain(walk.small).collect();
    out.retain(|edit| edit.of(source) != source);
    out
}

fn negated(source: &str, what: &'static str, at: Range<usize>) -> Edit {
    let now = format!("!({})", &source[at.clone()]);
    Edit { what, at, now }
}

/// A stretch of tokens between brackets and commas.
#[derive(Debug, Default)]
struct Frame {
    /// Its first token.
    from: usize,
    ands: Vec<usize>,
    ors: Vec<usize>,
    /// The variable of a macro, with the list that it goes through.
    variable: Option<(String, (String, String))>,
}

struct Walk<'a> {
    source: &'a str,
    tokens: &'a [Token],
    siblings: &'a Siblings,
    /// Changes of conditions and their parts.
    parts: Vec<Edit>,
    /// Changes of single tokens.
    small: Vec<Edit>,
}

impl Walk<'_> {
    fn go(&mut self) {
        let mut frames = vec![Frame::default()];
        for at in 0..self.tokens.len() {
            let token = &self.tokens[at];
            match (token.kind, token.of(self.source)) {
                (Kind::Open, _) => {
                    let variable = self.variable(at);
                    frames.push(Frame { from: at + 1, variable, ..Frame::default() });
                }
                (Kind::Close, _) => {
                    if let Some(frame) = frames.pop() {
                        self.close(&frame, at);
                    }
                }
                (Kind::Sign, "," | "?" | ":") => {
                    if let Some(frame) = frames.last_mut() {
                        let next = Frame { from: at + 1, variable: frame.variable.clone(), ..Frame::default() };
                        let done = std::mem::replace(frame, next);
                        self.close(&done, at);
                    }
                }
                (Kind::Sign, sign @ ("&&" | "||")) => {
                    if let Some(frame) = frames.last_mut() {
                        let places = if sign == "&&" { &mut frame.ands } else { &mut frame.ors };
                        places.push(at);
                    }
                }
                _ => self.token(at, &frames),
            }
        }
        while let Some(frame) = frames.pop() {
            self.close(&frame, self.tokens.len());
        }
    }

    /// Changes of the conditions that a stretch is made of.
    fn close(&mut self, frame: &Frame, to: usize) {
        let alternatives = split(frame.from..to, &frame.ors);
        for alternative in &alternatives {
            let inner: Vec<usize> = frame.ands.iter().copied().filter(|and| alternative.contains(and)).collect();
            let conditions = split(alternative.clone(), &inner);
            if conditions.len() > 1 {
                for condition in &conditions {
                    self.part(condition, "true");
                }
            }
            if alternatives.len() > 1 {
                self.part(alternative, "false");
            }
        }
    }

    fn part(&mut self, tokens: &Range<usize>, without: &str) {
        let Some((first, last)) = self.tokens.get(tokens.start).zip(self.tokens.get(tokens.end.wrapping_sub(1))) else {
            return;
        };
        let at = first.at.start..last.at.end;
        self.parts.push(Edit { what: LEFT_OUT, at: at.clone(), now: without.to_owned() });
        self.parts.push(negated(self.source, "turned around", at));
    }

    /// Changes of a token by itself.
    fn token(&mut self, at: usize, frames: &[Frame]) {
        let token = &self.tokens[at];
        let text = token.of(self.source);
        let mut put = |what: &'static str, now: String| {
            self.small.push(Edit { what, at: token.at.clone(), now });
        };
        match (token.kind, text) {
            (Kind::Sign, "==") => put("another comparison", "!=".to_owned()),
            (Kind::Sign, "!=") => put("another comparison", "==".to_owned()),
            (Kind::Sign, sign @ ("<" | "<=" | ">" | ">=")) => {
                for other in comparisons(sign) {
                    put("another comparison", other.to_owned());
                }
            }
            (Kind::Sign, "!") => put("without `!`", String::new()),
            (Kind::Name, "exists") => put("all instead of one", "all".to_owned()),
            (Kind::Name, "all") => put("one instead of all", "exists".to_owned()),
            (Kind::Name, "true") => put("another value", "false".to_owned()),
            (Kind::Name, "false") => put("another value", "true".to_owned()),
            (Kind::Int, _) => {
                let number = text.parse::<u64>().ok();
                let around = number.into_iter().flat_map(|n| [n.checked_add(1), n.checked_sub(1)]).flatten();
                around.for_each(|other| put("another number", other.to_string()));
            }
            (Kind::Text, _) if text.starts_with(['\'', '"']) && text.len() >= 2 => {
                put("another text", format!("{}~{}", &text[..text.len() - 1], &text[text.len() - 1..]));
            }
            (Kind::Name, _) => {
                if let Some(sibling) = self.sibling(at, frames) {
                    self.small.push(Edit { what: "another name", at: token.at.clone(), now: sibling });
                }
            }
            _ => {}
        }
    }

    fn is_sign(&self, at: usize, sign: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.of(self.source) == sign)
    }

    fn name(&self, at: usize) -> Option<&str> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Name)?;
        Some(token.of(self.source))
    }

    /// A member of the same type as a member that stands here.
    fn sibling(&self, at: usize, frames: &[Frame]) -> Option<String> {
        let before = at.checked_sub(1).filter(|before| self.is_sign(*before, "."))?;
        // A name with arguments is a function.
        if self.is_sign(at + 1, "(") {
            return None;
        }
        let member = self.name(at)?;
        let path = self.path(before);
        if path.is_empty() {
            return before
                .checked_sub(1)
                .filter(|end| self.is_sign(*end, "]"))
                .and_then(|end| self.of_person(end, member));
        }
        let list = frames.iter().rev().filter_map(|frame| frame.variable.as_ref()).find(|(name, _)| *name == path[0]);
        match list {
            Some((_, list)) if path.len() == 1 => self.siblings.of_row(list, member),
            Some(_) => None,
            None => self.siblings.of_path(&path, member),
        }
    }

    /// `people[...]` that ends here.
    fn of_person(&self, end: usize, member: &str) -> Option<String> {
        let mut depth = 0_usize;
        for at in (0..=end).rev() {
            match self.tokens[at].kind {
                Kind::Close => depth += 1,
                Kind::Open => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                let root = self.name(at.checked_sub(1)?)?;
                return (root == "people").then(|| self.siblings.of_person(member)).flatten();
            }
        }
        None
    }

    /// The names before a dot: of `params.request.` it is `params`, `request`. Empty where something else stands there.
    fn path(&self, dot: usize) -> Vec<String> {
        let mut path = Vec::new();
        let mut dot = Some(dot);
        while let Some(at) = dot {
            let Some(name) = at.checked_sub(1).and_then(|name| self.name(name)) else { return Vec::new() };
            path.insert(0, name.to_owned());
            dot = at.checked_sub(2).filter(|before| self.is_sign(*before, "."));
        }
        path
    }

    /// Of `slack.messages.exists(m,` at its bracket: `m`, and where it comes from.
    fn variable(&self, open: usize) -> Option<(String, (String, String))> {
        let dot = |at: usize| at.checked_sub(1).filter(|dot| self.is_sign(*dot, "."));
        let variable = self.name(open + 1).filter(|_| self.is_sign(open + 2, ","))?;
        let of = dot(open.checked_sub(1)?)?;
        let list = self.name(of.checked_sub(1)?)?;
        let of = dot(of.checked_sub(1)?)?;
        let root = self.name(of.checked_sub(1)?)?;
        Some((variable.to_owned(), (root.to_owned(), list.to_owned())))
    }
}

const fn comparisons(sign: &str) -> [&'static str; 2] {
    match sign.as_bytes() {
        b"<" => ["<=", ">"],
        b"<=" => ["<", ">"],
        b">" => [">=", "<"],
        _ => [">", "<"],
    }
}

/// The stretches between these tokens; none of them empty.
fn split(of: Range<usize>, at: &[usize]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut from = of.start;
    for cut in at.iter().copied().chain([of.end]) {
        if from < cut {
            out.push(from..cut);
        }
        from = cut + 1;
    }
    out
}
