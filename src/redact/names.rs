use http::HeaderName;

/// Which names are secret.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) headers: Vec<HeaderName>,
    pub(super) shown_headers: Vec<HeaderName>,
    pub(super) shown_query: Vec<String>,
    hidden: Vec<String>,
    shown: Vec<String>,
}

impl Names {
    pub(super) fn hide(&mut self, name: &str) {
        self.hidden.push(joined(name));
    }

    pub(super) fn show(&mut self, name: &str) {
        self.shown.push(joined(name));
    }

    pub(super) fn is_secret_header(&self, name: &HeaderName) -> bool {
        if self.headers.contains(name) {
            return true;
        }
        let is_secret = HEADERS.contains(&name.as_str()) || self.is_secret(name.as_str());
        is_secret && !self.shown_headers.contains(name)
    }

    /// Whether a query's value may be shown.
    pub(super) fn is_shown_query(&self, key: &str) -> bool {
        self.shown_query.iter().any(|shown| shown == key) && !self.is_secret(key)
    }

    /// Whether what stands under this name opens something, pays, or tells who somebody is.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        let joined = joined(name);
        if self.hidden.contains(&joined) {
            return true;
        }
        if self.shown.contains(&joined) {
            return false;
        }
        PERSONAL_NAMES.contains(&joined.as_str())
            || PERSONAL_PARTS.iter().any(|part| joined.contains(part))
            || words(name).any(|word| PERSONAL_WORDS.contains(&word.as_str()))
            || opens(name, &joined)
    }

    /// Whether what stands under this name opens something: less than all that is secret, for names
    /// that are only words of a sentence.
    pub(super) fn is_opening(&self, name: &str) -> bool {
        let joined = joined(name);
        self.hidden.contains(&joined) || (!self.shown.contains(&joined) && opens(name, &joined))
    }
}

fn opens(name: &str, joined: &str) -> bool {
    if HARMLESS.iter().any(|harmless| joined.contains(harmless)) {
        return false;
    }
    OPENING_PARTS.iter().any(|part| joined.contains(part))
        || words(name).any(|word| OPENING_WORDS.contains(&word.as_str()))
}

/// Letters and digits alone, in lower case.
fn joined(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `x-apiKey[HTTPToken]` as `x`, `api`, `key`, `http`, `token`.
fn words(name: &str) -> impl Iterator<Item = String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &char) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(at + 1);
        let begins = char.is_uppercase()
            && (before.is_some_and(|before| !before.is_uppercase())
                || after.is_some_and(|after| after.is_lowercase()));
        if begins || !char.is_alphanumeric() {
            words.push(String::new());
        }
        if char.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(char.to_lowercase());
        }
    }
    words.into_iter().filter(|word| !word.is_empty())
}

/// Headers that are secret by no word of theirs.
const HEADERS: [&str; 6] =
    ["cf-connecting-ip", "forwarded", "from", "true-client-ip", "x-forwarded-for", "x-real-ip"];
/// Keys that open nothing, and tokens that are counted.
const HARMLESS: [&str; 12] = [
    "businesskey",
    "completiontokens",
    "foreignkey",
    "idempotencykey",
    "inputtokens",
    "maxtokens",
    "outputtokens",
    "partitionkey",
    "primarykey",
    "prompttokens",
    "publickey",
    "totaltokens",
];
/// Anywhere in a name, as words are often run together.
const OPENING_PARTS: [&str; 14] = [
    "accesskey",
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "sessionid",
    "signature",
    "token",
];
const OPENING_WORDS: [&str; 20] = [
    "assertion",
    "auth",
    "authentication",
    "bearer",
    "csrf",
    "hmac",
    "jwt",
    "key",
    "nonce",
    "otp",
    "pass",
    "pin",
    "pwd",
    "saml",
    "session",
    "sid",
    "sig",
    "totp",
    "verifier",
    "xsrf",
];
const PERSONAL_PARTS: [&str; 18] = [
    "accountnumber",
    "birth",
    "cardholder",
    "cardnumber",
    "creditcard",
    "cvc",
    "cvv",
    "email",
    "iban",
    "nationalid",
    "passport",
    "phone",
    "postcode",
    "rejectedvalue",
    "routingnumber",
    "sortcode",
    "taxid",
    "telefon",
];
const PERSONAL_WORDS: [&str; 22] = [
    "address", "bic", "card", "city", "csc", "dob", "fax", "forename", "ip", "licence", "license",
    "mail", "mobile", "msisdn", "pan", "postal", "ssn", "street", "surname", "tel", "vat", "zip",
];
/// Names that say so only as a whole: a `name` is a person's, an `event_name` isn't.
const PERSONAL_NAMES: [&str; 18] = [
    "contactname",
    "customername",
    "displayname",
    "familyname",
    "firstname",
    "fullname",
    "givenname",
    "holder",
    "holdername",
    "input",
    "lastname",
    "latitude",
    "login",
    "longitude",
    "middlename",
    "name",
    "nickname",
    "username",
];
