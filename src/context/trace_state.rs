//! The list of a `tracestate` header (W3C Trace Context, level 2, 3.3).

use http::HeaderValue;

/// The members of all `tracestate` headers, in order, in one value.
///
/// Nothing if one of them is none or there are too many: that is what `test_tracestate_key_illegal_*`,
/// `…_value_illegal_characters` and `…_member_count_limit` of the working group's test suite expect. A
/// key that comes again costs the later member only (`…_duplicated_keys`).
pub(super) fn read<'h>(values: impl Iterator<Item = &'h HeaderValue>) -> Option<HeaderValue> {
    let values: Vec<_> = values.collect();
    if values.iter().map(|value| value.len()).sum::<usize>() > LONGEST_LIST {
        return None;
    }
    let mut kept: Vec<Member<'h>> = Vec::new();
    let members = values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    // Empty members are allowed, and left out.
    let members = members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty());
    for (number, member) in members.enumerate() {
        let member = Member::parse(member).filter(|_| number < MOST_MEMBERS)?;
        if !kept.iter().any(|known| known.key == member.key) {
            kept.push(member);
        }
    }
    shorten(&mut kept);
    let kept: Vec<_> = kept.iter().map(|member| member.text).collect();
    let is_any = !kept.is_empty();
    is_any.then(|| HeaderValue::from_bytes(&kept.join(&b","[..])).ok()).flatten()
}

/// A key and what its vendor keeps under it.
#[derive(Clone, Copy)]
struct Member<'h> {
    text: &'h [u8],
    key: &'h [u8],
}

impl<'h> Member<'h> {
    fn parse(text: &'h [u8]) -> Option<Self> {
        let at = text.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (&text[..at], &text[at + 1..]);
        let is_value_char = |byte: &u8| matches!(byte, 0x20..=0x7e) && !b",=".contains(byte);
        let value_fits = (1..=LONGEST).contains(&value.len()) && value.iter().all(is_value_char);
        (is_key(key) && value_fits).then_some(Self { text, key })
    }

    fn is_long(&self) -> bool {
        self.text.len() > LONG
    }
}

/// Level 2 allows an `@` anywhere but at the beginning; level 1 allowed it between a tenant and a vendor.
fn is_key(key: &[u8]) -> bool {
    let begins = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_char = |byte: &u8| begins(byte) || b"_-*/@".contains(byte);
    key.first().is_some_and(begins) && key.len() <= LONGEST && key.iter().all(is_char)
}

/// Leaves out whole members, the long ones first, from the end, until the rest is short enough.
fn shorten(members: &mut Vec<Member<'_>>) {
    let size = |members: &[Member<'_>]| -> usize {
        members.iter().map(|member| member.text.len() + 1).sum::<usize>().saturating_sub(1)
    };
    while size(members) > MOST_SENT {
        let last_long = members.iter().rposition(Member::is_long);
        members.remove(last_long.unwrap_or(members.len() - 1));
    }
}

/// Of a key, and of a value.
const LONGEST: usize = 256;
const MOST_MEMBERS: usize = 32;
/// As many members as there may be, each as long as it may be, with `=` and `,`.
const LONGEST_LIST: usize = MOST_MEMBERS * (2 * LONGEST + 2);
/// Members over this are left out first.
const LONG: usize = 128;
/// At least 512 characters should be sent on; one member alone may have 513. A server may refuse a request
/// whose headers are larger than a few kilobytes.
const MOST_SENT: usize = 1024;
