//! What a GraphQL document asks for: a query, or perhaps more.
//!
//! No parser: brackets, strings and comments are enough to find the operations. Whatever isn't plainly a query
//! is none, also where a server would refuse it.

/// Whether the operation that a server would run only reads: it is a query, and provably the one that is
/// meant. (A server runs the named operation, or the only one: GraphQL, October 2021, 6.1.)
pub(crate) fn only_reads(document: &str, operation_name: Option<&str>) -> bool {
    let Some(operations) = operations(document) else { return false };
    let mut meant = operations.iter().filter(|operation| match operation_name {
        Some(name) => operation.name == Some(name),
        None => true,
    });
    let (first, second) = (meant.next(), meant.next());
    first.is_some_and(|operation| operation.is_query) && second.is_none()
}

/// An operation of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operation<'d> {
    is_query: bool,
    name: Option<&'d str>,
}

/// What a document is made of, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'d> {
    Name(&'d str),
    Open(u8),
    Close(u8),
    /// A colon, an `@` or a dot, of which selections are made beside names and brackets.
    OfSelections,
    /// A string, a number, or another sign.
    Other,
}

struct Lexer<'d> {
    text: &'d str,
    at: usize,
}

/// The operations of a document; `None` if it isn't made of operations and fragments alone.
fn operations(document: &str) -> Option<Vec<Operation<'_>>> {
    let mut lexer = Lexer { text: document, at: 0 };
    let mut operations = Vec::new();
    while let Some(token) = lexer.next()? {
        let (is_operation, is_query) = match token {
            Token::Open(b'{') => {
                lexer.skip_selections()?;
                operations.push(Operation { is_query: true, name: None });
                continue;
            }
            Token::Name("query") => (true, true),
            Token::Name("mutation" | "subscription") => (true, false),
            Token::Name("fragment") => (false, false),
            _ => return None,
        };
        let name = lexer.skip_definition()?;
        if is_operation {
            operations.push(Operation { is_query, name });
        }
    }
    Some(operations)
}

impl<'d> Lexer<'d> {
    /// Skips the rest of a definition, to the end of its selections. Returns its name, if it has one.
    fn skip_definition(&mut self) -> Option<Option<&'d str>> {
        let (mut name, mut is_first) = (None, true);
        loop {
            match self.next()?? {
                Token::Name(found) if is_first => name = Some(found),
                Token::Open(b'{') => {
                    self.skip_selections()?;
                    return Some(name);
                }
                Token::Open(bracket) => self.skip_group(bracket)?,
                Token::Close(_) => return None,
                Token::Name(_) | Token::OfSelections | Token::Other => {}
            }
            is_first = false;
        }
    }

    /// Skips to the end of selections whose bracket was just read. They have no values outside of
    /// arguments, and are never empty (2.4): JSON looks like selections otherwise.
    fn skip_selections(&mut self) -> Option<()> {
        let (mut depth, mut is_empty) = (1_usize, true);
        while depth > 0 {
            match self.next()?? {
                Token::Open(b'{') if !is_empty => (depth, is_empty) = (depth + 1, true),
                Token::Open(b'(') if !is_empty => self.skip_group(b'(')?,
                Token::Close(b'}') if !is_empty => depth -= 1,
                Token::Name(_) | Token::OfSelections => is_empty = false,
                Token::Open(_) | Token::Close(_) | Token::Other => return None,
            }
        }
        Some(())
    }

    /// Skips to the bracket that closes the one that was just read.
    fn skip_group(&mut self, opened: u8) -> Option<()> {
        let mut open = vec![opened];
        while let Some(bracket) = open.last() {
            match self.next()?? {
                Token::Open(other) => open.push(other),
                Token::Close(other) if closes(*bracket, other) => drop(open.pop()),
                Token::Close(_) => return None,
                Token::Name(_) | Token::OfSelections | Token::Other => {}
            }
        }
        Some(())
    }

    /// The next token, or the end; `None` if the document can't be read.
    fn next(&mut self) -> Option<Option<Token<'d>>> {
        self.skip_ignored();
        let bytes = self.text.as_bytes();
        let Some(first) = bytes.get(self.at) else { return Some(None) };
        let token = match first {
            b'{' | b'(' | b'[' => Token::Open(*first),
            b'}' | b')' | b']' => Token::Close(*first),
            b'"' => {
                self.skip_string()?;
                return Some(Some(Token::Other));
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => return Some(Some(Token::Name(self.name()))),
            b'.' | b':' | b'@' => Token::OfSelections,
            b'!' | b'$' | b'&' | b'=' | b'|' | b'-' | b'+' | b'0'..=b'9' => Token::Other,
            _ => return None,
        };
        self.at += 1;
        Some(Some(token))
    }

    fn name(&mut self) -> &'d str {
        let rest = &self.text[self.at..];
        let is_part = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
        let length = rest.bytes().take_while(|byte| is_part(*byte)).count();
        self.at += length;
        &rest[..length]
    }

    /// White space, line ends, commas, comments and the byte order mark (2.1.1 to 2.1.7).
    fn skip_ignored(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            match rest.as_bytes().first() {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b',') => self.at += 1,
                Some(b'#') => self.at += rest.find(['\n', '\r']).unwrap_or(rest.len()),
                Some(_) if rest.starts_with('\u{feff}') => self.at += '\u{feff}'.len_utf8(),
                _ => return,
            }
        }
    }

    /// A string, or a block string (2.9.4).
    fn skip_string(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let is_block = rest.starts_with(BLOCK);
        let mut at = if is_block { BLOCK.len() } else { 1 };
        loop {
            match (is_block, *rest.get(at)?) {
                (true, b'\\') if rest[at + 1..].starts_with(BLOCK) => at += 1 + BLOCK.len(),
                (true, b'"') if rest[at..].starts_with(BLOCK) => break at += BLOCK.len(),
                (false, b'\\') => at += 2,
                (false, b'"') => break at += 1,
                (false, b'\n' | b'\r') => return None,
                _ => at += 1,
            }
        }
        self.at += at;
        // What was skipped after a backslash may have been a part of a character.
        self.text.is_char_boundary(self.at).then_some(())
    }
}

fn closes(open: u8, close: u8) -> bool {
    matches!((open, close), (b'{', b'}') | (b'(', b')') | (b'[', b']'))
}

const BLOCK: &[u8] = br#"""""#;

#[cfg(test)]
mod tests;
