//! Records of a JSON page, streamed: a page of any size is read record by record.
//!
//! The page is an array, or an object whose `data` is one (or `releases`, or `records`); such pages may stand one behind
//! the other, as lines. A scanner that knows only strings and brackets cuts the
//! array into elements; each is parsed alone, so that one bad record costs itself only. It uses no recursion: a
//! page nested 100,000 deep is a quarantined record and not a lost stack. Where a quote or bracket is not closed, an
//! element would reach to the end of the file; then it is cut where the next record visibly begins (`}, {`).

use std::io::{self, Read};

use memchr::{memchr, memchr2};

use crate::encoding::BOM;
use crate::error::Reason;

/// Longest record, in bytes.
pub(crate) const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting inside a record.
pub(crate) const DEPTH_MAX: u32 = 64;
const READ_BYTES: usize = 256 * 1024;
/// How often in one file a broken element is searched for the beginning of the next.
const CUTS_MAX: usize = 256;
const KEYS_MAX: usize = 64;
const KEY_BYTES_MAX: usize = 256;

/// What the page held next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// An element; see [`Records::element`].
    Element,
    /// A piece of the page that is no whole element; see [`Records::element`] for its text.
    Broken(Reason, &'static str),
    /// The page's array is at its end.
    End,
}

/// Why a page cannot be read on.
#[derive(Debug)]
pub(crate) enum PageError {
    Io(io::Error),
    /// It ends before its brackets are closed.
    Truncated,
    /// Something else than the rest of a page stands there.
    Damaged(&'static str),
}

impl From<io::Error> for PageError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Follows strings and brackets.
#[derive(Debug, Default)]
struct Scan {
    depth: u32,
    deepest: u32,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Where in `bytes` the value ends: at a `,`, `]` or `}` that stands outside of it.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                let found = at + memchr2(b'"', b'\\', &bytes[at..])?;
                self.in_string = bytes[found] == b'\\';
                self.escaped = self.in_string;
                at = found + 1;
                continue;
            }
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    self.deepest = self.deepest.max(self.depth);
                }
                b',' | b']' | b'}' if self.depth == 0 => return Some(at),
                b']' | b'}' => self.depth -= 1,
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// Where in `bytes` the object ends that begins where the scan began: behind its closing bracket.
    fn value_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                let found = at + memchr2(b'"', b'\\', &bytes[at..])?;
                self.in_string = bytes[found] == b'\\';
                self.escaped = self.in_string;
                at = found + 1;
                continue;
            }
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    self.deepest = self.deepest.max(self.depth);
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// The names of an object's own members, gathered piece by piece.
#[derive(Default)]
struct Keys {
    names: Vec<String>,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// A key may come next.
    expected: bool,
    key: Option<Vec<u8>>,
}

impl Keys {
    fn read(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            at += 1;
            if self.in_string {
                self.read_in_string(byte);
                if self.key.is_none() && self.in_string && !self.escaped {
                    // Nothing of a value's text counts but its end.
                    at += memchr2(b'"', b'\\', &bytes[at..]).unwrap_or(bytes.len() - at);
                }
                continue;
            }
            match byte {
                b'"' => {
                    self.in_string = true;
                    let is_key = self.depth == 1 && self.expected && self.names.len() < KEYS_MAX;
                    self.key = is_key.then(Vec::new);
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    self.expected = self.depth == 1;
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                b',' => self.expected = self.depth == 1,
                b':' => self.expected = false,
                _ => {}
            }
        }
    }

    fn read_in_string(&mut self, byte: u8) {
        if !self.escaped && byte == b'"' {
            self.in_string = false;
            if let Some(key) = self.key.take() {
                self.names.push(String::from_utf8_lossy(&key).into_owned());
            }
            return;
        }
        self.escaped = !self.escaped && byte == b'\\';
        if let Some(key) = self.key.as_mut().filter(|key| key.len() < KEY_BYTES_MAX) {
            key.push(byte);
        }
    }
}

/// How records lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// In an array, or in an object around one.
    Page,
    /// One behind the other, as in JSON Lines; or the file is one record.
    Lines,
    /// In pages that stand one behind the other.
    Pages,
}

/// Members of an object that hold a page's records.
const ARRAYS: &[&[u8]] = &[b"data", b"dados", b"releases", b"records"];
/// A member whose object holds the array of records under a name of its own.
const EMBEDDED: &[u8] = b"_embedded";
/// Members of a page that may stand in a line among others; a record may have a member `data` of its own.
const PAGED_IN_LINES: &[&str] = &["releases", "records"];
/// Members of a release or record of OCDS, which may also have `releases`.
const RECORDS_OWN: &[&str] = &["ocid", "compiledRelease", "versionedRelease"];
/// How far the end of the first record is looked for.
const FIRST_RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Layout {
    /// How the records of a file lie, from its beginning.
    pub(crate) fn of(inner: impl Read) -> io::Result<Self> {
        let mut records = Records::new(inner, Self::Lines);
        let peeked = records.skip_mark().and_then(|()| records.peek_after_blanks());
        if peeked? != Some(b'{') {
            return Ok(Self::Page);
        }
        let first = records.first_members()?;
        let Some(keys) = first else { return Ok(Self::Page) };
        let own = keys.iter().any(|k| RECORDS_OWN.contains(&k.as_str()));
        if records.peek_after_blanks()? == Some(b'{') {
            let paged = !own && keys.iter().any(|k| PAGED_IN_LINES.contains(&k.as_str()));
            return Ok(if paged { Self::Pages } else { Self::Lines });
        }
        // One object: a page, or a record by itself.
        let holds_records = keys.iter().any(|k| ARRAYS.contains(&k.as_bytes()) || k.as_bytes() == EMBEDDED);
        let paged = holds_records || keys.iter().any(|k| k == "totalRegistros" || k == "totalPaginas");
        Ok(if paged && !own { Self::Page } else { Self::Lines })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unopened,
    InArray,
    InLines,
    Done,
}

/// A streaming reader of a page's records.
pub(crate) struct Records<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    exhausted: bool,
    state: State,
    layout: Layout,
    /// Objects that stand around the array and are still open.
    around: u8,
    element_bytes: usize,
    ordinal: u64,
    cuts: usize,
    /// An element that is too long is being left out.
    skipping: Option<Scan>,
    keys: Vec<String>,
    /// The page that is being read has an array of records.
    has_array: bool,
    /// A line that looks like a whole record is given out as one.
    trusts_lines: bool,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(inner: R, layout: Layout) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            exhausted: false,
            state: State::Unopened,
            layout,
            around: 0,
            element_bytes: 0,
            ordinal: 0,
            cuts: 0,
            skipping: None,
            keys: Vec::new(),
            has_array: false,
            trusts_lines: false,
        }
    }

    /// Takes a line that begins and ends as an object for a record, when the next line begins one, without a look at
    /// what stands between: for mappers that check a record whole, its depth too.
    pub(crate) fn trusting_lines(self, trusts_lines: bool) -> Self {
        Self { trusts_lines, ..self }
    }

    /// The current element's text.
    pub(crate) fn element(&self) -> &[u8] {
        self.buffer[self.start..self.start + self.element_bytes].trim_ascii()
    }

    /// The current element's place in the page; 1 is the first.
    pub(crate) fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// The names that the envelope has beside `data`, as far as read; empty for a bare array.
    pub(crate) fn envelope_keys(&self) -> &[String] {
        &self.keys
    }

    /// Goes to the next element.
    pub(crate) fn step(&mut self) -> Result<Piece, PageError> {
        self.start += self.element_bytes;
        self.element_bytes = 0;
        if let Some(scan) = self.skipping.take() {
            self.skip_rest_of_element(scan)?;
        }
        loop {
            if self.state == State::Unopened {
                self.open()?;
                if self.layout == Layout::Pages && !self.has_array {
                    self.ordinal += 1;
                    return Ok(Piece::Broken(Reason::Json, "a page without an array of releases or records"));
                }
            }
            if self.state == State::Done {
                return Ok(Piece::End);
            }
            match self.peek_after_blanks()? {
                None if self.state == State::InLines => return Ok(Piece::End),
                None => return Err(PageError::Truncated),
                Some(_) if self.state == State::InLines => return self.read_line(),
                Some(b',') => self.start += 1,
                Some(b']') => {
                    self.start += 1;
                    self.close()?;
                }
                Some(_) => return self.read_element(),
            }
        }
    }

    fn read_element(&mut self) -> Result<Piece, PageError> {
        self.ordinal += 1;
        let mut scan = Scan::default();
        let mut scanned = 0;
        loop {
            if let Some(at) = scan.end(&self.buffer[self.start + scanned..self.end]) {
                self.element_bytes = scanned + at;
                if self.buffer[self.start + self.element_bytes] == b'}' {
                    // A bracket too many belongs to the piece; the next `,` or `]` ends it.
                    self.element_bytes += 1;
                    scanned = self.element_bytes;
                    continue;
                }
                return Ok(if scan.deepest > DEPTH_MAX {
                    Piece::Broken(Reason::Json, "nested deeper than 64")
                } else {
                    Piece::Element
                });
            }
            scanned = self.end - self.start;
            if scanned > RECORD_BYTES_MAX {
                if self.cut_where_the_next_begins() {
                    return Ok(Piece::Broken(Reason::Json, "a quote or bracket is not closed"));
                }
                self.element_bytes = scanned;
                self.skipping = Some(scan);
                return Ok(Piece::Broken(Reason::TooLong, "a record of more than 16 MiB"));
            }
            if !self.fill()? {
                if self.cut_where_the_next_begins() {
                    return Ok(Piece::Broken(Reason::Json, "a quote or bracket is not closed"));
                }
                self.element_bytes = scanned;
                return Ok(Piece::Broken(Reason::Truncated, "the file ends inside this record"));
            }
        }
    }

    /// A record that ends where its bracket closes; one that does not by the end of its line is cut there if the next
    /// line begins a record.
    fn read_line(&mut self) -> Result<Piece, PageError> {
        self.ordinal += 1;
        let is_object = self.buffer[self.start] == b'{';
        if is_object
            && self.trusts_lines
            && let Some(bytes) = self.whole_line()?
        {
            self.element_bytes = bytes;
            return Ok(Piece::Element);
        }
        let mut scan = Scan::default();
        let mut scanned = 0;
        loop {
            let unseen = &self.buffer[self.start + scanned..self.end];
            let end = if is_object { scan.value_end(unseen) } else { memchr(b'\n', unseen) };
            if let Some(at) = end {
                self.element_bytes = scanned + at;
                let deep = scan.deepest > DEPTH_MAX;
                return Ok(if deep { Piece::Broken(Reason::Json, "nested deeper than 64") } else { Piece::Element });
            }
            scanned = self.end - self.start;
            let ended = scanned > RECORD_BYTES_MAX || !self.fill()?;
            if !ended {
                continue;
            }
            if let Some(at) = next_line_with_record(&self.buffer[self.start..self.end]) {
                self.element_bytes = at;
                return Ok(Piece::Broken(Reason::Json, "a quote or bracket is not closed"));
            }
            self.element_bytes = scanned;
            if scanned > RECORD_BYTES_MAX {
                self.skipping = Some(scan);
                return Ok(Piece::Broken(Reason::TooLong, "a record of more than 16 MiB"));
            }
            self.state = State::Done;
            if !is_object {
                return Ok(Piece::Element);
            }
            return Ok(Piece::Broken(Reason::Truncated, "the file ends inside this record"));
        }
    }

    /// The length of a line that ends with `}` before another that begins with `{`, or before the file's end.
    ///
    /// Inside valid JSON no line break stands between the two, so such a line ends with its record.
    fn whole_line(&mut self) -> io::Result<Option<usize>> {
        let mut searched = 0;
        let end = loop {
            if let Some(found) = memchr(b'\n', &self.buffer[self.start + searched..self.end]) {
                break searched + found;
            }
            searched = self.end - self.start;
            if searched > RECORD_BYTES_MAX {
                return Ok(None);
            }
            if !self.fill()? {
                break searched;
            }
        };
        if self.buffer[self.start..self.start + end].trim_ascii_end().last() != Some(&b'}') {
            return Ok(None);
        }
        while self.start + end + 1 >= self.end && self.fill()? {}
        let next = self.buffer[self.start..self.end].get(end + 1);
        Ok(matches!(next, None | Some(b'{')).then_some(end))
    }

    /// The names of the members of the first object, read to its end; `None` when that is not found.
    fn first_members(&mut self) -> io::Result<Option<Vec<String>>> {
        let mut scan = Scan::default();
        let mut bytes = 0;
        let mut keys = Keys::default();
        loop {
            let unseen = &self.buffer[self.start..self.end];
            let end = scan.value_end(unseen);
            keys.read(&unseen[..end.unwrap_or(unseen.len())]);
            if let Some(at) = end {
                self.start += at;
                return Ok(Some(keys.names));
            }
            bytes += unseen.len();
            self.start = self.end;
            if bytes > FIRST_RECORD_BYTES_MAX || !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Ends the current element before the next `}, {`, if there is one.
    fn cut_where_the_next_begins(&mut self) -> bool {
        if self.cuts >= CUTS_MAX {
            return false;
        }
        self.cuts += 1;
        let bytes = &self.buffer[self.start..self.end];
        let mut from = 0;
        while let Some(found) = memchr(b'}', &bytes[from..]) {
            let brace = from + found;
            if next_record_behind(&bytes[brace + 1..]) == Some(true) {
                self.element_bytes = brace + 1;
                return true;
            }
            from = brace + 1;
        }
        false
    }

    fn skip_rest_of_element(&mut self, mut scan: Scan) -> Result<(), PageError> {
        if self.state == State::InLines {
            return self.skip_rest_of_line(&mut scan);
        }
        loop {
            if let Some(at) = scan.end(&self.buffer[self.start..self.end]) {
                self.start += at;
                if self.buffer[self.start] != b'}' {
                    return Ok(());
                }
                self.start += 1;
                continue;
            }
            self.start = self.end;
            if !self.fill()? {
                return Err(PageError::Truncated);
            }
        }
    }

    fn skip_rest_of_line(&mut self, scan: &mut Scan) -> Result<(), PageError> {
        loop {
            if let Some(at) = scan.value_end(&self.buffer[self.start..self.end]) {
                self.start += at;
                return Ok(());
            }
            self.start = self.end;
            if !self.fill()? {
                return Err(PageError::Truncated);
            }
        }
    }

    fn skip_mark(&mut self) -> io::Result<()> {
        while self.end < BOM.len() && self.fill()? {}
        if self.buffer[..self.end].starts_with(BOM) {
            self.start = BOM.len();
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), PageError> {
        if self.end == 0 {
            self.skip_mark()?;
        }
        self.has_array = false;
        if self.layout == Layout::Lines {
            self.state = State::InLines;
            return Ok(());
        }
        match self.peek_after_blanks()? {
            Some(b'[') => {
                self.state = State::InArray;
                self.has_array = true;
            }
            Some(b'{') => {
                self.around = 1;
                self.start += 1;
                return self.read_members();
            }
            Some(_) => return Err(PageError::Damaged("it does not begin as JSON")),
            None => return Err(PageError::Truncated),
        }
        self.start += 1;
        Ok(())
    }

    /// Reads the envelope's members, up to its end or into its `data`.
    fn read_members(&mut self) -> Result<(), PageError> {
        loop {
            match self.peek_after_blanks()?.ok_or(PageError::Truncated)? {
                b',' => self.start += 1,
                b'}' => {
                    self.start += 1;
                    self.around -= 1;
                    if self.around > 0 {
                        continue;
                    }
                    return self.expect_end();
                }
                b'"' => {
                    let key = self.read_key()?;
                    let value = self.peek_after_blanks()?;
                    if key == EMBEDDED && value == Some(b'{') && self.around == 1 {
                        self.start += 1;
                        self.around = 2;
                        continue;
                    }
                    let is_data = value == Some(b'[') && (self.around == 2 || ARRAYS.contains(&key.as_slice()));
                    if is_data && self.state == State::Unopened {
                        self.start += 1;
                        self.state = State::InArray;
                        self.has_array = true;
                        return Ok(());
                    }
                    if self.keys.len() < KEYS_MAX {
                        self.keys.push(String::from_utf8_lossy(&key).into_owned());
                    }
                    self.skip_value()?;
                }
                _ => return Err(PageError::Damaged("its outer object is not valid JSON")),
            }
        }
    }

    /// A key and the colon behind it; a long key is cut, for no key that we know is long.
    fn read_key(&mut self) -> Result<Vec<u8>, PageError> {
        self.start += 1;
        let mut scan = Scan { in_string: true, ..Scan::default() };
        let mut key = Vec::new();
        loop {
            if self.start == self.end && !self.fill()? {
                return Err(PageError::Truncated);
            }
            let byte = self.buffer[self.start];
            scan.end(&[byte]);
            self.start += 1;
            if !scan.in_string {
                break;
            }
            if key.len() < KEY_BYTES_MAX {
                key.push(byte);
            }
        }
        match self.peek_after_blanks()? {
            Some(b':') => self.start += 1,
            Some(_) => return Err(PageError::Damaged("its outer object is not valid JSON")),
            None => return Err(PageError::Truncated),
        }
        Ok(key)
    }

    fn skip_value(&mut self) -> Result<(), PageError> {
        let mut scan = Scan::default();
        loop {
            if let Some(at) = scan.end(&self.buffer[self.start..self.end]) {
                self.start += at;
                return Ok(());
            }
            self.start = self.end;
            if !self.fill()? {
                return Err(PageError::Truncated);
            }
        }
    }

    /// What may stand behind the array.
    fn close(&mut self) -> Result<(), PageError> {
        self.state = State::Done;
        if self.around > 0 { self.read_members() } else { self.expect_end() }
    }

    /// The end of the file, or of a page with another behind it.
    fn expect_end(&mut self) -> Result<(), PageError> {
        self.state = State::Done;
        match self.peek_after_blanks()? {
            None => Ok(()),
            Some(_) if self.layout == Layout::Pages => {
                self.state = State::Unopened;
                Ok(())
            }
            Some(_) => Err(PageError::Damaged("text stands behind the end of its JSON")),
        }
    }

    fn peek_after_blanks(&mut self) -> io::Result<Option<u8>> {
        loop {
            while self.start < self.end {
                let byte = self.buffer[self.start];
                if !byte.is_ascii_whitespace() {
                    return Ok(Some(byte));
                }
                self.start += 1;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Reads on; `false` at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.exhausted {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + READ_BYTES {
            self.buffer.resize(self.end + READ_BYTES, 0);
        }
        let read = loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += read;
        self.exhausted = read == 0;
        Ok(read > 0)
    }
}

/// Where the first line ends behind which a line begins with `{`.
fn next_line_with_record(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = memchr(b'\n', &bytes[from..]) {
        let line_end = from + found;
        if bytes[line_end + 1..].trim_ascii_start().first() == Some(&b'{') {
            return Some(line_end);
        }
        from = line_end + 1;
    }
    None
}

/// Whether `, {` stands there; `None` when the bytes end before that can be said.
fn next_record_behind(bytes: &[u8]) -> Option<bool> {
    let mut significant = bytes.iter().filter(|b| !b.is_ascii_whitespace());
    Some(*significant.next()? == b',' && *significant.next()? == b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(page: &[u8]) -> (Vec<String>, Option<PageError>) {
        let mut records = Records::new(page, Layout::of(page).unwrap());
        let mut seen = Vec::new();
        loop {
            match records.step() {
                Ok(Piece::End) => return (seen, None),
                Ok(Piece::Element) => seen.push(String::from_utf8_lossy(records.element()).into_owned()),
                Ok(Piece::Broken(reason, _)) => seen.push(format!("!{reason}")),
                Err(error) => return (seen, Some(error)),
            }
        }
    }

    #[test]
    fn an_array_and_an_envelope_give_the_same_records() {
        let bare = pieces(br#" [ {"a":"],}"} , {"b":[1,{"c":"\"}"}]} ] "#);
        let page = pieces(b"\xEF\xBB\xBF{\"total\":2,\"x\":{\"data\":[9]},\"data\":[{\"a\":\"],}\"} , {\"b\":[1,{\"c\":\"\\\"}\"}]}],\"empty\":false}");
        assert!(bare.1.is_none() && page.1.is_none());
        assert_eq!(bare.0, [r#"{"a":"],}"}"#, r#"{"b":[1,{"c":"\"}"}]}"#]);
        assert_eq!(bare.0, page.0);
    }

    #[test]
    fn a_cut_page_gives_its_whole_records_and_says_that_it_is_cut() {
        let (seen, error) = pieces(br#"{"data":[{"a":1},{"b":2},{"c":"#);
        assert_eq!(seen, [r#"{"a":1}"#, r#"{"b":2}"#, "!truncated"]);
        assert!(matches!(error, Some(PageError::Truncated)));
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_its_record_only() {
        let (seen, error) = pieces(br#"[{"a":"x},{"b":2},{"c":3}]"#);
        assert_eq!(seen, ["!json", r#"{"b":2}"#, r#"{"c":3}"#]);
        assert!(error.is_none());
    }

    #[test]
    fn a_page_nested_very_deep_is_one_broken_record() {
        let deep = format!("[{}{},{{\"a\":1}}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(pieces(deep.as_bytes()).0, ["!json", r#"{"a":1}"#]);
        let (seen, error) = pieces("[".repeat(100_000).as_bytes());
        assert_eq!(seen, ["!truncated"]);
        assert!(error.is_some());
        assert!(pieces(format!("{}1", r#"{"a":"#.repeat(100_000)).as_bytes()).1.is_some());
    }

    #[test]
    fn a_record_that_is_too_long_is_left_out_and_the_next_is_read() {
        let long = format!(r#"[{{"a":"{}"}},{{"b":2}}]"#, "x".repeat(RECORD_BYTES_MAX + READ_BYTES));
        let (seen, error) = pieces(long.as_bytes());
        assert_eq!(seen, ["!too_long", r#"{"b":2}"#]);
        assert!(error.is_none());
    }
}
