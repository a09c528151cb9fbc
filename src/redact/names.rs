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
        PERSONAL_NAMES.contains(&unnumbered(&joined))
            || PERSONAL_PARTS.iter().any(|part| joined.contains(part))
            || words(name).any(|word| PERSONAL_WORDS.contains(&unnumbered(&word)))
            || opens(name, &joined)
    }

    /// Whether what stands under this name opens something: less than all that is secret, for names
    /// that are only words of a sentence.
    pub(super) fn is_opening(&self, name: &str) -> bool {
        let joined = joined(name);
        self.hidden.contains(&joined) || (!self.shown.contains(&joined) && opens(name, &joined))
    }

    /// Whether a sentence that says this word may go on with its value: less than all that opens, for
    /// `key "id"` tells which one is missing.
    pub(super) fn is_spoken(&self, name: &str) -> bool {
        let joined = joined(name);
        let opens = || {
            let rest = without_harmless(&joined);
            SPOKEN_WORDS.contains(&joined.as_str())
                || OPENING_PARTS.iter().any(|part| rest.contains(part))
        };
        self.hidden.contains(&joined) || (!self.shown.contains(&joined) && opens())
    }

    /// Whether values of a type of this name open something: `AccessToken`, but no `TokenExpired`.
    pub(super) fn is_opening_type(&self, name: &str) -> bool {
        name.starts_with(char::is_uppercase)
            && self.is_opening(name)
            && words(name).last().is_some_and(|word| self.is_opening(&word))
    }
}

fn opens(name: &str, joined: &str) -> bool {
    let rest = without_harmless(joined);
    let opens = |word: &str| OPENING_WORDS.contains(&word) || is_key(word);
    OPENING_PARTS.iter().any(|part| rest.contains(part))
        || words(name).any(|word| opens(unnumbered(&word)) && rest.contains(&word))
}

/// What is harmless in a name makes the rest of it no better: `publicKeyPassword`.
fn without_harmless(joined: &str) -> String {
    let harmless = HARMLESS.iter().filter(|harmless| joined.contains(*harmless));
    harmless.fold(joined.to_owned(), |rest, harmless| rest.replace(harmless, " "))
}

/// Whether a word is one for a key, however it is run together with others: `masterkey`.
fn is_key(word: &str) -> bool {
    word.ends_with("key") && !NO_KEYS.iter().any(|other| word.ends_with(other))
}

/// `key` of `key2`.
fn unnumbered(word: &str) -> &str {
    word.trim_end_matches(|char: char| char.is_ascii_digit())
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
const HEADERS: [&str; 16] = [
    "baggage",
    "cf-connecting-ip",
    "forwarded",
    "from",
    "remote-user",
    "true-client-ip",
    "x-client-cert",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-user",
    "x-goog-authenticated-user-id",
    "x-ms-client-principal",
    "x-ovh-consumer",
    "x-real-ip",
    "x-remote-user",
    "x-ssl-client-cert",
];
/// Keys that open nothing, and tokens that are counted. A primary key is none of them: some APIs call
/// the first of two access keys so.
const HARMLESS: [&str; 12] = [
    "businesskey",
    "completiontokens",
    "foreignkey",
    "idempotencykey",
    "inputtokens",
    "maxtokens",
    "outputtokens",
    "partitionkey",
    "prompttokens",
    "publickey",
    "publishablekey",
    "totaltokens",
];
/// Anywhere in a name, as words are often run together.
const OPENING_PARTS: [&str; 32] = [
    "accesscode",
    "accesskey",
    "apikey",
    "authcode",
    "authorization",
    "backupcode",
    "contraseña",
    "cookie",
    "credential",
    "cryptogram",
    "devicecode",
    "kennwort",
    "mfacode",
    "mnemonic",
    "motdepasse",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "privatekey",
    "recoverycode",
    "secret",
    "securitycode",
    "seedphrase",
    "sessid",
    "sessionid",
    "signature",
    "token",
    "usercode",
    "verificationcode",
    "wachtwoord",
];
/// Words that end so, and are no keys.
const NO_KEYS: [&str; 7] = ["donkey", "hockey", "jockey", "monkey", "turkey", "turnkey", "whiskey"];
const OPENING_WORDS: [&str; 25] = [
    "assertion",
    "auth",
    "authentication",
    "bearer",
    "cred",
    "creds",
    "csrf",
    "dpop",
    "hmac",
    "jwt",
    "nonce",
    "otp",
    "pass",
    "pin",
    "psw",
    "pswd",
    "pw",
    "pwd",
    "saml",
    "session",
    "sid",
    "sig",
    "totp",
    "verifier",
    "xsrf",
];
const SPOKEN_WORDS: [&str; 6] = ["jwt", "otp", "pin", "pw", "pwd", "totp"];
const PERSONAL_PARTS: [&str; 20] = [
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
    "track1",
    "track2",
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
