//! Checks whether broken lines of a head could hide where its body ends.

/// Reads the head of one answer, and those of the interim answers before it, as they come.
///
/// hyper leaves out lines that are no fields, and can't be told which must not be left out. Where
/// `Content-Length` or `Transfer-Encoding` is lost, the body ends elsewhere than its sender meant, and
/// the rest may be taken for the next answer (RFC 9112, 11.1).
#[derive(Debug)]
pub(super) struct HeadCheck {
    /// What has come of a line that is incomplete.
    line: Vec<u8>,
    /// The beginning of the present field, in lower case, over all of its lines.
    start: [u8; START],
    start_here: usize,
    /// The present field is one, so that it may go on in the next line.
    is_field: bool,
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

impl HeadCheck {
    pub(super) fn new() -> Self {
        Self {
            line: Vec::new(),
            start: [0; START],
            start_here: 0,
            is_field: false,
            is_status_line: true,
            is_interim: false,
        }
    }

    /// Reads on, to the end of the head.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Checked {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let checked = if self.line.is_empty() {
                self.end_line(&bytes[..end])
            } else {
                self.line.extend_from_slice(&bytes[..end]);
                let mut line = std::mem::take(&mut self.line);
                let checked = self.end_line(&line);
                line.clear();
                self.line = line;
                checked
            };
            if checked != Checked::More {
                return checked;
            }
            bytes = &bytes[end + 1..];
        }
        self.line.extend_from_slice(bytes);
        Checked::More
    }

    fn end_line(&mut self, line: &[u8]) -> Checked {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line, self.is_status_line) {
            // Before the head, empty lines are passed over.
            ([], true) => Checked::More,
            (_, true) => {
                (self.is_status_line, self.is_interim) = (false, is_interim(line));
                Checked::More
            }
            ([], false) if self.is_interim => {
                *self = Self::new();
                Checked::More
            }
            ([], false) => Checked::Complete,
            _ if self.loses_framing(line) => Checked::Broken,
            _ => Checked::More,
        }
    }

    /// Whether hyper would leave this line out and with it where the body ends, or report it as a head
    /// that is too large.
    fn loses_framing(&mut self, line: &[u8]) -> bool {
        // A line that begins with a space continues the field before it.
        let goes_on = self.is_field && line.first().is_some_and(|byte| is_blank(*byte));
        if !goes_on {
            self.start_here = 0;
        }
        let room = self.start[self.start_here..].iter_mut();
        room.zip(line).for_each(|(to, from)| *to = from.to_ascii_lowercase());
        self.start_here = START.min(self.start_here + line.len());
        let start = &self.start[..self.start_here];
        self.is_field = if goes_on { is_value(line) } else { is_field(line) };
        let names = |name: &&[u8]| start.windows(name.len()).any(|part| part == *name);
        // A length of as many digits as the largest number has, or more.
        let digits = || start.iter().filter(|byte| byte.is_ascii_digit()).count();
        !self.is_field && FRAMING.iter().any(names)
            || start.starts_with(FRAMING[0]) && digits() >= 20
    }
}

/// Whether the status is that of an interim answer, after which another one comes (RFC 9110, 15.2).
fn is_interim(status_line: &[u8]) -> bool {
    let status = status_line.get("http/1.1 ".len()..).unwrap_or_default();
    status.starts_with(b"1") && !status.starts_with(b"101")
}

/// Whether it is a field, blanks between its name and the colon allowed.
fn is_field(line: &[u8]) -> bool {
    let name = line.iter().take_while(|byte| is_token(**byte)).count();
    let blanks = line[name..].iter().take_while(|byte| is_blank(**byte)).count();
    let value = line[name + blanks..].strip_prefix(b":");
    name > 0 && value.is_some_and(is_value)
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-!#$%&'*+.^_`|~".contains(&byte)
}

/// RFC 9110, 5.5.
fn is_value(value: &[u8]) -> bool {
    // Without an early end, many bytes are looked at together.
    !value.iter().fold(false, |broken, byte| broken | (*byte != b'\t' && byte.is_ascii_control()))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Where a body ends (RFC 9112, 6).
const FRAMING: [&[u8]; 2] = [b"content-length", b"transfer-encoding"];
/// Enough for the longer name, and some bytes before it that don't belong there.
const START: usize = 48;
