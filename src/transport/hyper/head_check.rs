//! Checks whether broken lines of a head could hide where its body ends.

/// Reads the head of one answer, and those of the interim answers before it, as they come.
///
/// hyper leaves out lines that are no fields, and can't be told which must not be left out. Where
/// `Content-Length` or `Transfer-Encoding` is lost, the body ends elsewhere than its sender meant, and
/// the rest may be taken for the next answer (RFC 9112, 11.1).
#[derive(Debug)]
pub(super) struct HeadCheck {
    /// The present field, over all of its lines.
    field: Field,
    /// How much of the line has come.
    length: usize,
    is_status_line: bool,
    is_interim: bool,
}

/// The state of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// It is incomplete.
    More,
    /// It is complete.
    Complete,
    /// A line that defines the end of the body is broken.
    Broken,
}

/// The facts of a field so far. The field itself is not stored.
#[derive(Debug)]
struct Field {
    /// Its first bytes, in lower case.
    start: [u8; START],
    length: usize,
    part: Part,
    ends_in_cr: bool,
}

/// The next part of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Name,
    /// Spaces between the name and its colon.
    Blanks,
    Value,
    /// It is no field.
    Broken,
}

impl HeadCheck {
    pub(super) fn new() -> Self {
        Self { field: Field::new(), length: 0, is_status_line: true, is_interim: false }
    }

    /// Reads on, to the end of the head.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Checked {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let line = &bytes[..end];
            bytes = &bytes[end + 1..];
            // Nearly all lines are whole and plain, and read several times as fast.
            if self.length == 0 && !self.is_status_line && self.field.take_plain(line) {
                continue;
            }
            line.iter().for_each(|byte| self.push(*byte));
            match self.end_line() {
                Checked::More => {}
                end => return end,
            }
        }
        bytes.iter().for_each(|byte| self.push(*byte));
        Checked::More
    }

    fn push(&mut self, byte: u8) {
        // A line that begins with a space continues the field before it.
        let goes_on = is_blank(byte) && self.field.part == Part::Value;
        if self.length == 0 && !goes_on {
            self.field = Field::new();
        }
        self.field.push(byte, self.is_status_line);
        self.length += 1;
    }

    fn end_line(&mut self) -> Checked {
        let length = std::mem::take(&mut self.length) - usize::from(self.field.take_cr());
        match (length, self.is_status_line, self.is_interim) {
            // Before the head, empty lines are passed over.
            (0, true, _) => Checked::More,
            (_, true, _) => {
                self.is_status_line = false;
                self.is_interim = self.field.is_interim_status();
                self.field = Field::new();
                Checked::More
            }
            (0, false, true) => {
                *self = Self::new();
                Checked::More
            }
            (0, false, false) => Checked::Complete,
            _ if self.field.part != Part::Value && self.field.names_framing() => Checked::Broken,
            // hyper would report it as a head that is too large.
            _ if self.field.is_endless_length() => Checked::Broken,
            _ => Checked::More,
        }
    }
}

// === impl Field ===

impl Field {
    fn new() -> Self {
        Self { start: [0; START], length: 0, part: Part::Name, ends_in_cr: false }
    }

    /// Accepts a line that is a valid field, and ignores any other.
    fn take_plain(&mut self, line: &[u8]) -> bool {
        let name = line.iter().take_while(|byte| is_token(**byte)).count();
        let Some((b':', value)) = line[name..].split_first() else { return false };
        let value = value.strip_suffix(b"\r").unwrap_or(value);
        // Without an early end, many bytes are looked at together.
        let is_broken = value.iter().fold(false, |broken, byte| broken | !is_value(*byte));
        if name == 0 || is_broken {
            return false;
        }
        *self = Self { length: line.len(), part: Part::Value, ..Self::new() };
        self.start.iter_mut().zip(line).for_each(|(to, from)| *to = from.to_ascii_lowercase());
        !self.is_endless_length()
    }

    fn push(&mut self, byte: u8, is_status_line: bool) {
        if let Some(place) = self.start.get_mut(self.length) {
            *place = byte.to_ascii_lowercase();
        }
        self.length += 1;
        let was_cr = std::mem::replace(&mut self.ends_in_cr, byte == b'\r');
        self.part = match self.part {
            part if is_status_line => part,
            _ if was_cr => Part::Broken,
            part if byte == b'\r' => part,
            Part::Name if is_token(byte) => Part::Name,
            Part::Name | Part::Blanks if self.length > 1 && byte == b':' => Part::Value,
            Part::Name | Part::Blanks if self.length > 1 && is_blank(byte) => Part::Blanks,
            Part::Value if is_value(byte) => Part::Value,
            _ => Part::Broken,
        };
    }

    fn take_cr(&mut self) -> bool {
        std::mem::take(&mut self.ends_in_cr)
    }

    /// The status is that of an interim answer, after which another one comes (RFC 9110, 15.2).
    fn is_interim_status(&self) -> bool {
        let status = self.start.get("http/1.1 ".len()..).unwrap_or_default();
        status.starts_with(b"1") && !status.starts_with(b"101")
    }

    /// A length of as many digits as the largest number has, or more.
    fn is_endless_length(&self) -> bool {
        let digits = || self.start.iter().filter(|byte| byte.is_ascii_digit()).count();
        self.start.starts_with(FRAMING[0]) && digits() >= 20
    }

    fn names_framing(&self) -> bool {
        FRAMING.iter().any(|name| self.start.windows(name.len()).any(|part| part == *name))
    }
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-!#$%&'*+.^_`|~".contains(&byte)
}

/// RFC 9110, 5.5.
fn is_value(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Where a body ends (RFC 9112, 6).
const FRAMING: [&[u8]; 2] = [b"content-length", b"transfer-encoding"];
/// Enough for the longer name, and some bytes before it that don't belong there.
const START: usize = 48;
