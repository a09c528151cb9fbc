use super::words;

/// A place in somebody's JSON, as a JSON pointer (RFC 6901) whose segments are indices and names of fields.
/// A key that may be a value (an id, a person, a date) is shown as `*`.
pub(crate) fn shown_pointer<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> String {
    let mut pointer = String::new();
    for segment in segments {
        let segment = segment.as_ref();
        let is_index =
            segment.len() <= LONGEST_INDEX && segment.bytes().all(|byte| byte.is_ascii_digit());
        let is_shown = is_index || words::is_identifier(segment);
        pointer.push('/');
        pointer.push_str(if is_shown { segment } else { "*" });
    }
    pointer
}

/// A longer number is an id.
const LONGEST_INDEX: usize = 5;
