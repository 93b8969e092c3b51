//! A deep JSON record as a flat list of its values, each with the place of its text.
//!
//! Formats whose records nest (OCDS) are read from here: one pass over the text, no value is copied before it is asked
//! for, and numbers stay as written. Whatever a mapper keeps is marked as used; what is left at the end goes to the
//! metadata under its path (`tender.items[0].unit.scheme`), so that nothing is lost because nobody thought of it.

use std::borrow::Cow;
use std::cell::Cell;

use model::text::squeeze;
use model::{Money, Quantity, dates, mask_cpfs};

use crate::error::{Fault, Reason};
use crate::fields::{is_squeezed, push_json_text, stated};
use crate::json_fields::{closed, masked_value, minified};
use crate::json_rows::DEPTH_MAX;

/// Longest name or text that is taken for an id, a name or a title; JSON has no limit, a row of a table should.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Longest value that is copied as it stands: no number in it is beyond every float, unless it has an exponent.
const PLAIN_BYTES_MAX: usize = 300;
/// Members that hold ways to reach people; they are dropped with all that is in them.
const CONTACT: &[&str] =
    &["contactpoint", "contactpoints", "email", "telephone", "faxnumber", "streetaddress", "postalcode"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    Text,
    Number,
    /// `true` or `false`.
    Word,
    Null,
}

/// From byte to byte in the record's text.
type Span = (u32, u32);

struct Node {
    kind: Kind,
    /// The text holds escapes.
    escaped: bool,
    used: Cell<bool>,
    /// The member's name between its quotes; empty for elements of arrays.
    key: Span,
    /// The whole value, with quotes and brackets.
    value: Span,
    /// Behind the last value inside.
    next: u32,
}

/// A record's values.
pub(crate) struct Tree<'a> {
    text: &'a str,
    nodes: Vec<Node>,
    /// No blanks stand between the parts.
    is_compact: bool,
    /// Somewhere in the text, as it stands, is a CPF.
    may_hold_cpf: bool,
}

/// Bytes at which a run of plain characters inside a string ends.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut at = 0;
    while at < 32 {
        stops[at] = true;
        at += 1;
    }
    stops[b'"' as usize] = true;
    stops[b'\\' as usize] = true;
    stops
};

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    is_compact: bool,
}

/// Where the text is no JSON, and why.
type Broken = (usize, &'static str);

impl Parser<'_> {
    #[inline]
    fn peek(&mut self) -> Result<u8, Broken> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => {
                    self.is_compact = false;
                    self.at += 1;
                }
                Some(byte) => return Ok(*byte),
                None => return Err((self.at, "it ends too early")),
            }
        }
    }

    fn expect(&mut self, due: u8) -> Result<(), Broken> {
        if self.peek()? != due {
            return Err((self.at, "another character is due"));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, key: Span, depth: u32) -> Result<(), Broken> {
        let first = self.peek()?;
        let place = self.nodes.len();
        let start = self.at;
        let node = |kind, value: Span| Node { kind, escaped: false, used: Cell::new(false), key, value, next: 0 };
        self.nodes.push(node(Kind::Null, (0, 0)));
        let (kind, escaped) = match first {
            b'"' => (Kind::Text, self.string()?),
            b'{' => (Kind::Object, self.members(depth + 1)?),
            b'[' => (Kind::Array, self.elements(depth + 1)?),
            b'-' | b'0'..=b'9' => (Kind::Number, self.number()?),
            b't' => (Kind::Word, self.word(b"true")?),
            b'f' => (Kind::Word, self.word(b"false")?),
            b'n' => (Kind::Null, self.word(b"null")?),
            _ => return Err((self.at, "no value begins so")),
        };
        let next = self.nodes.len() as u32;
        self.nodes[place] = Node { escaped, next, ..node(kind, (start as u32, self.at as u32)) };
        Ok(())
    }

    /// Reads a string; whether it holds escapes.
    #[inline]
    fn string(&mut self) -> Result<bool, Broken> {
        self.at += 1;
        let mut escaped = false;
        loop {
            let run = self.bytes[self.at..].iter().position(|b| STOPS[usize::from(*b)]);
            self.at += run.ok_or((self.bytes.len(), "a quote is not closed"))?;
            match self.bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err((self.at, "a control character in a text")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Broken> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) {
                    return Err((self.at, "a broken escape"));
                }
                self.at += 6;
            }
            _ => return Err((self.at, "a broken escape")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<bool, Broken> {
        let start = self.at;
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        let whole = self.digits();
        let well_begun = whole == 1 || (whole > 1 && self.bytes[self.at - whole] != b'0');
        let mut well = well_begun;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            well &= self.digits() > 0;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            well &= self.digits() > 0;
        }
        if well { Ok(false) } else { Err((start, "no number is written so")) }
    }

    fn digits(&mut self) -> usize {
        let count = self.bytes[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn word(&mut self, word: &'static [u8]) -> Result<bool, Broken> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err((self.at, "no value begins so"));
        }
        self.at += word.len();
        Ok(false)
    }

    fn members(&mut self, depth: u32) -> Result<bool, Broken> {
        self.open(depth)?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(false);
        }
        loop {
            if self.peek()? != b'"' {
                return Err((self.at, "a name is due"));
            }
            let start = self.at + 1;
            self.string()?;
            let key = (start as u32, self.at as u32 - 1);
            self.expect(b':')?;
            self.value(key, depth)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return Err((self.at, "another character is due")),
            }
        }
        self.at += 1;
        Ok(false)
    }

    fn elements(&mut self, depth: u32) -> Result<bool, Broken> {
        self.open(depth)?;
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(false);
        }
        loop {
            self.value((0, 0), depth)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return Err((self.at, "another character is due")),
            }
        }
        self.at += 1;
        Ok(false)
    }

    fn open(&mut self, depth: u32) -> Result<(), Broken> {
        if depth > DEPTH_MAX {
            return Err((self.at, "nested deeper than 64"));
        }
        self.at += 1;
        Ok(())
    }
}

impl<'a> Tree<'a> {
    /// Reads an object; its depth is checked.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Fault> {
        let trimmed = text.trim_ascii();
        let nodes = Vec::with_capacity(trimmed.len() / 12);
        let mut parser = Parser { bytes: trimmed.as_bytes(), at: 0, nodes, is_compact: true };
        let broken = |(at, why): Broken| Fault::new(Reason::Json, format!("not valid JSON at byte {at}: {why}"));
        parser.value((0, 0), 0).map_err(broken)?;
        if parser.at < trimmed.len() {
            return Err(broken((parser.at, "something stands behind its end")));
        }
        if parser.nodes[0].kind != Kind::Object {
            return Err(Fault::new(Reason::Type, "not an object"));
        }
        let may_hold_cpf = matches!(mask_cpfs(trimmed), Cow::Owned(_));
        Ok(Self { text: trimmed, nodes: parser.nodes, is_compact: parser.is_compact, may_hold_cpf })
    }

    /// The record itself.
    pub(crate) fn root(&self) -> Part<'_, 'a> {
        Part { tree: self, at: 0 }
    }

    /// The text without blanks between its parts, CPFs masked: what the record's hash is made of.
    pub(crate) fn canonical(&self) -> Cow<'_, str> {
        let compact = if self.is_compact { Cow::Borrowed(self.text) } else { Cow::Owned(minified(self.text)) };
        if self.may_hold_cpf { Cow::Owned(mask_cpfs(&compact).into_owned()) } else { compact }
    }

    #[inline]
    fn slice(&self, (from, to): Span) -> &'a str {
        &self.text[from as usize..to as usize]
    }

    #[inline]
    fn is_nothing(&self, at: usize) -> bool {
        let Node { kind, value, .. } = self.nodes[at];
        matches!(kind, Kind::Null | Kind::Object | Kind::Array) || (kind == Kind::Text && value.1 - value.0 == 2)
    }

    #[inline]
    fn is_contact(&self, at: usize) -> bool {
        let key = self.slice(self.nodes[at].key);
        key.len() >= 5 && CONTACT.iter().any(|word| word.eq_ignore_ascii_case(key))
    }
}

/// One value of a record.
#[derive(Clone, Copy)]
pub(crate) struct Part<'t, 'a> {
    tree: &'t Tree<'a>,
    at: usize,
}

impl<'t, 'a> Part<'t, 'a> {
    #[inline]
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.at]
    }

    #[inline]
    pub(crate) fn kind(self) -> Kind {
        self.node().kind
    }

    /// Where it stands among the record's values: two parts are the same when this is.
    pub(crate) fn place(self) -> usize {
        self.at
    }

    /// What it holds directly: members of an object, elements of an array.
    #[inline]
    pub(crate) fn inner(self) -> impl Iterator<Item = Part<'t, 'a>> {
        let end = if matches!(self.kind(), Kind::Object | Kind::Array) { self.node().next as usize } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let part = (at < end).then_some(Part { at, ..self })?;
            at = part.node().next as usize;
            Some(part)
        })
    }

    /// Its name in the object around it, as written.
    #[inline]
    pub(crate) fn key(self) -> &'a str {
        self.tree.slice(self.node().key)
    }

    /// Its name as it is meant.
    fn name(self) -> Cow<'a, str> {
        let key = self.key();
        let meant = key.contains('\\').then(|| serde_json::from_str::<String>(&format!("\"{key}\"")).ok());
        meant.flatten().map_or(Cow::Borrowed(key), Cow::Owned)
    }

    /// A member; `None` when missing or null. Of two with one name, the first.
    #[inline]
    pub(crate) fn get(self, key: &str) -> Option<Part<'t, 'a>> {
        if self.kind() != Kind::Object {
            return None;
        }
        self.inner().find(|part| part.key() == key).filter(|part| part.kind() != Kind::Null)
    }

    /// A member that is an object.
    #[inline]
    pub(crate) fn object(self, key: &str) -> Option<Part<'t, 'a>> {
        self.get(key).filter(|part| part.kind() == Kind::Object)
    }

    /// The objects of a member that should be an array; a single object stands for an array of one.
    pub(crate) fn objects(self, key: &str) -> impl Iterator<Item = Part<'t, 'a>> + use<'t, 'a> {
        let found = self.get(key);
        let alone = found.filter(|part| part.kind() == Kind::Object);
        let many = found.filter(|part| part.kind() == Kind::Array);
        let elements = many.into_iter().flat_map(Part::inner).filter(|part| part.kind() == Kind::Object);
        alone.into_iter().chain(elements)
    }

    /// All values inside, at any depth.
    pub(crate) fn everything_inside(self) -> impl Iterator<Item = Part<'t, 'a>> {
        (self.at + 1..self.node().next as usize).map(move |at| Part { at, ..self })
    }

    /// Its text as it came.
    #[inline]
    pub(crate) fn raw(self) -> &'a str {
        self.tree.slice(self.node().value)
    }

    /// Marks it as kept.
    #[inline]
    pub(crate) fn keep(self) {
        self.node().used.set(true);
    }

    /// Takes the mark away: its value could not be kept after all.
    pub(crate) fn leave(self) {
        self.node().used.set(false);
    }

    #[inline]
    fn string(self) -> Option<Cow<'a, str>> {
        let node = self.node();
        let inside = self.tree.slice((node.value.0 + 1, node.value.1 - 1));
        if !node.escaped {
            return Some(Cow::Borrowed(inside));
        }
        // A half of a surrogate pair is valid JSON and no text.
        serde_json::from_str::<String>(self.raw()).ok().map(Cow::Owned)
    }

    /// A text, or a number as written: CPFs masked, blanks squeezed; `None` when nothing is stated. Not marked.
    pub(crate) fn peek_text(self) -> Option<Cow<'a, str>> {
        let text = match self.kind() {
            Kind::Text => self.string()?,
            Kind::Number => Cow::Borrowed(self.raw()),
            _ => return None,
        };
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        if !self.node().escaped
            && !self.tree.may_hold_cpf
            && let Cow::Borrowed(text) = text
        {
            let text = stated(text);
            let plain = is_squeezed(text);
            return Some(if plain { Cow::Borrowed(text) } else { Cow::Owned(squeeze(text)) }).filter(|t| !t.is_empty());
        }
        let masked = mask_cpfs(&text);
        Some(squeeze(stated(&masked))).filter(|t| !t.is_empty()).map(Cow::Owned)
    }

    /// The member's text (see [`Part::peek_text`]), marked as kept.
    pub(crate) fn text(self, key: &str) -> Option<String> {
        let part = self.get(key)?;
        let text = part.peek_text()?.into_owned();
        part.keep();
        Some(text)
    }

    /// The member's text, not marked.
    pub(crate) fn peek(self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key)?.peek_text()
    }

    /// The day of a member's date, as written; another text stays for the metadata.
    pub(crate) fn day(self, key: &str) -> Option<chrono::NaiveDate> {
        let part = self.get(key).filter(|part| part.kind() == Kind::Text)?;
        let day = dates::parse_iso(&part.string()?).ok()?;
        part.keep();
        Some(day)
    }

    /// The member's whole number, also written as a text.
    pub(crate) fn integer(self, key: &str) -> Option<i64> {
        let part = self.get(key)?;
        let number = part.peek_text()?.parse().ok()?;
        part.keep();
        Some(number)
    }

    /// A number with at most four decimals, also written as a text with a dot; anything else stays for the metadata.
    pub(crate) fn amount(self, key: &str) -> Option<Money> {
        let part = self.get(key)?;
        let amount = Money::parse(&part.peek_text()?).ok()?;
        part.keep();
        Some(amount)
    }

    /// As [`Part::amount`].
    pub(crate) fn quantity(self, key: &str) -> Option<Quantity> {
        let part = self.get(key)?;
        let quantity = Quantity::parse(&part.peek_text()?).ok()?;
        part.keep();
        Some(quantity)
    }

    /// What of this part nobody kept, as one JSON object of paths and values; contact data are dropped.
    pub(crate) fn leftovers(self) -> Option<String> {
        let mut object = String::new();
        let mut around = Vec::new();
        for member in self.inner() {
            member.push_leftovers(&mut around, &mut object);
        }
        closed(object)
    }

    fn push_leftovers(self, around: &mut Vec<(Part<'t, 'a>, usize)>, object: &mut String) {
        let (tree, end) = (self.tree, self.node().next as usize);
        let inside = || self.at..end;
        if tree.is_contact(self.at) || inside().all(|at| tree.nodes[at].used.get() || tree.is_nothing(at)) {
            return;
        }
        let is_leaf = end == self.at + 1;
        let touched = !is_leaf && inside().any(|at| tree.nodes[at].used.get() || tree.is_contact(at));
        if touched {
            for (ordinal, part) in self.inner().enumerate() {
                around.push((self, ordinal));
                part.push_leftovers(around, object);
                around.pop();
            }
            return;
        }
        object.push(if object.is_empty() { '{' } else { ',' });
        push_json_text(object, &mask_cpfs(&self.path(around)));
        object.push(':');
        self.push_value(object);
    }

    /// The value as JSON, CPFs masked; nearly every value can be copied as it stands.
    fn push_value(self, object: &mut String) {
        let raw = self.raw();
        let is_far = |at: usize| {
            let Node { kind, value, .. } = self.tree.nodes[at];
            kind == Kind::Number && self.tree.slice(value).bytes().any(|b| matches!(b, b'e' | b'E'))
        };
        let is_plain = self.tree.is_compact && !self.tree.may_hold_cpf && raw.len() <= PLAIN_BYTES_MAX;
        if is_plain
            && memchr::memchr(b'\\', raw.as_bytes()).is_none()
            && !(self.at..self.node().next as usize).any(is_far)
        {
            object.push_str(raw);
        } else {
            object.push_str(&masked_value(raw));
        }
    }

    fn path(self, around: &[(Part<'t, 'a>, usize)]) -> String {
        let mut path = String::new();
        let steps = around.iter().map(|(part, _)| *part).chain([self]);
        let mut ordinals = around.iter().map(|(_, ordinal)| *ordinal);
        let mut in_array = None;
        for part in steps {
            match in_array {
                Some(ordinal) => path.push_str(&format!("[{ordinal}]")),
                None => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(&part.name());
                }
            }
            let ordinal = ordinals.next();
            in_array = ordinal.filter(|_| part.kind() == Kind::Array);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_refused_where_it_breaks() {
        for text in [
            "",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":-}",
            "{\"a\":1e}",
            "{\"a\":tru}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":1}}",
            "{\"a\":[1 2]}",
            "{\"a\":+1}",
        ] {
            assert!(Tree::parse(text).is_err_and(|f| f.reason == Reason::Json), "{text}");
        }
        assert!(Tree::parse("[]").is_err_and(|f| f.reason == Reason::Type));
        let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(Tree::parse(&deep(63)).is_ok() && Tree::parse(&deep(64)).is_err());
    }

    #[test]
    fn values_are_found_by_name_and_read_by_meaning() {
        let text = r#" {"a": {"b": [1, {"c": "x  y"}, null]}, "n": 12.50, "s": "3", "d": "2024-05-06T23:00:00-05:00", "e": "\u00e9", "z": null} "#;
        let tree = Tree::parse(text).unwrap();
        let root = tree.root();
        assert_eq!(root.object("a").unwrap().objects("b").next().unwrap().text("c").as_deref(), Some("x y"));
        assert_eq!(root.amount("n"), Money::parse("12.5").ok());
        assert_eq!((root.integer("s"), root.integer("n")), (Some(3), None));
        assert_eq!(root.day("d"), chrono::NaiveDate::from_ymd_opt(2024, 5, 6));
        assert_eq!((root.text("e").as_deref(), root.text("z"), root.text("none")), (Some("é"), None, None));
        assert_eq!(root.leftovers().as_deref(), Some(r#"{"a.b[0]":1}"#));
        assert_eq!(tree.canonical(), minified(text));
    }

    #[test]
    fn leftovers_keep_whole_what_nobody_touched_and_drop_contacts() {
        let text = r#"{"p":{"name":"X","contactPoint":{"email":"a@example.org"},"address":{"locality":"L","streetAddress":"S"}},
            "q":[{"r":"52998224725"},{"r":[]}],"empty":[{}],"id":"kept"}"#;
        let tree = Tree::parse(text).unwrap();
        tree.root().text("id");
        let expected = r#"{"p.name":"X","p.address.locality":"L","q":[{"r":"***982247**"},{"r":[]}]}"#;
        assert_eq!(tree.root().leftovers().as_deref(), Some(expected));
    }
}
