//! What is secret by its looks.

use super::cards;
use super::encoded::Seen;
use super::hidden::Hidden;

pub(super) fn find(view: &[Seen], hidden: &mut Hidden) {
    cards::find(view, hidden);
    addresses(view, hidden);
    tokens(view, hidden);
}

/// The same in an id, which may well be a long number.
pub(super) fn find_in_id(view: &[Seen], hidden: &mut Hidden) {
    cards::find_alone(view, hidden);
    addresses(view, hidden);
    tokens(view, hidden);
}

/// E-mail addresses.
fn addresses(view: &[Seen], hidden: &mut Hidden) {
    let is_local = |seen: &Seen| seen.char.is_alphanumeric() || "._%+-!#$'*^~".contains(seen.char);
    let is_domain = |seen: &Seen| seen.char.is_alphanumeric() || "-.[]:_".contains(seen.char);
    for at in (0..view.len()).filter(|at| view[*at].char == '@') {
        let (before, after) = (&view[..at], &view[at + 1..]);
        let mut local = before.iter().rev().take_while(|seen| is_local(seen)).count();
        if before.last().is_some_and(|seen| seen.char == '"') {
            // A quoted one: "ada l"@crm.test
            let quoted = before.iter().rev().skip(1).take(LONGEST_LOCAL);
            local = quoted.take_while(|seen| seen.char != '"').count() + 2;
        }
        let domain = after.iter().take_while(|seen| is_domain(seen)).count();
        if local > 0 && domain > 0 {
            hidden.hide(view[at.saturating_sub(local)].from, view[at + domain].to);
        }
    }
}

/// Tokens and keys that can be told by how they begin.
fn tokens(view: &[Seen], hidden: &mut Hidden) {
    let mut at = 0;
    while at < view.len() {
        let is_inside = at > 0 && view[at - 1].char.is_ascii_alphanumeric();
        let rest = &view[at..];
        if !is_inside && begins(rest, PEM) {
            return hidden.hide(rest[0].from, view[view.len() - 1].to);
        }
        let skipped = if is_inside { None } else { before_token(rest) };
        let from = at + skipped.unwrap_or_default();
        let length = skipped
            .map_or(0, |_| view[from..].iter().take_while(|seen| is_token(seen.char)).count());
        if length >= SHORTEST_TOKEN && !is_prose(&view[from..from + length]) {
            hidden.hide(view[from].from, view[from + length - 1].to);
            at = from + length;
        } else {
            at += 1;
        }
    }
}

/// How much stands before a token that begins here or that is announced here.
fn before_token(rest: &[Seen]) -> Option<usize> {
    if let Some(scheme) = SCHEMES.iter().find(|scheme| begins(rest, scheme)) {
        let is_between =
            |seen: &&Seen| seen.char.is_whitespace() || "+\"'`<[{(".contains(seen.char);
        let between = |from: usize| rest[from..].iter().take_while(is_between).count();
        let token = scheme.len() + between(scheme.len());
        // "bearer token a1b2c3"
        let named = TOKEN.len() + between((token + TOKEN.len()).min(rest.len()));
        let is_named = begins(&rest[token..], TOKEN) && named > TOKEN.len();
        let from = if is_named { token + named } else { token };
        return (token > scheme.len()).then_some(from);
    }
    PREFIXES.iter().any(|prefix| begins_exactly(rest, prefix)).then_some(0)
}

/// Whether a word is what people say about a scheme, and no credential.
fn is_prose(word: &[Seen]) -> bool {
    let word: String = word.iter().take(LONGEST_PROSE + 1).map(|seen| seen.char).collect();
    PROSE.contains(&word.trim_end_matches('.').to_ascii_lowercase().as_str())
}

fn is_token(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-._~+/=*%".contains(char)
}

fn begins(view: &[Seen], with: &str) -> bool {
    let is_it = |(seen, char): (&Seen, char)| seen.char.eq_ignore_ascii_case(&char);
    view.len() >= with.len() && view.iter().zip(with.chars()).all(is_it)
}

fn begins_exactly(view: &[Seen], with: &str) -> bool {
    let is_it = |(seen, char): (&Seen, char)| seen.char == char;
    view.len() >= with.len() && view.iter().zip(with.chars()).all(is_it)
}

/// RFC 5321, 4.5.3.1.1, in quotes.
const LONGEST_LOCAL: usize = 66;
const PEM: &str = "-----BEGIN";
const SCHEMES: [&str; 2] = ["bearer", "basic"];
const TOKEN: &str = "token";
const PROSE: [&str; 8] = [
    "access",
    "authentication",
    "authorization",
    "credentials",
    "expired",
    "realm=",
    "required",
    "scheme",
];
const LONGEST_PROSE: usize = 15;
/// "basic info" is no credential.
const SHORTEST_TOKEN: usize = 6;
/// JSON web tokens, and the keys of those who mark theirs.
const PREFIXES: [&str; 43] = [
    "AGE-SECRET-KEY-",
    "AIza",
    "AKIA",
    "ASIA",
    "ATATT3",
    "ATCTT3",
    "EAAA",
    "EAAC",
    "GOCSPX-",
    "LTAI5",
    "PMAK-",
    "SG.",
    "doo_v1_",
    "dop_v1_",
    "eyJ",
    "gho_",
    "ghp_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "glrt-",
    "hf_",
    "hvs.",
    "lin_api_",
    "npm_",
    "pk_",
    "pypi-",
    "rk_",
    "rzp_live_",
    "rzp_test_",
    "shpat_",
    "shpca_",
    "shppa_",
    "shpss_",
    "sk-",
    "sk_",
    "sq0atp-",
    "sq0csp-",
    "whsec_",
    "xox",
    "ya29.",
];
