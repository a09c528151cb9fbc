//! Errors in XML: of AWS, and SOAP's faults.

use super::super::check::Answered;
use super::super::finding::Finding;
use super::super::xml::text_at;
use super::codes::{AWS_THROTTLED, AWS_TRANSIENT, AWS_UNAUTHORIZED};
use crate::terms::Verdict;

/// What a body of XML says.
pub(super) fn find(answer: &Answered<'_>, xml: &str) -> Option<Finding> {
    find_error(answer, xml).or_else(|| find_fault(answer, xml))
}

/// An error of AWS. With a 2xx, a code that isn't in the tables is one only where something was written:
/// what is read may be a file of somebody's.
fn find_error(answer: &Answered<'_>, xml: &str) -> Option<Finding> {
    let (path, code) = ERRORS.iter().find_map(|path| Some((path, text_at(xml, path)?)))?;
    let verdict = match verdict_of(code) {
        None if answer.status.is_success() && !answer.method.is_safe() => Verdict::Permanent,
        known => known?,
    };
    Some(Finding::of(verdict, "an error in xml").at(place(path)))
}

fn verdict_of(code: &str) -> Option<Verdict> {
    let codes = [
        (AWS_THROTTLED, Verdict::Throttled),
        (AWS_TRANSIENT, Verdict::Transient),
        (AWS_UNAUTHORIZED, Verdict::Unauthorized),
    ];
    codes.into_iter().find(|(codes, _)| codes.contains(&code)).map(|(_, verdict)| verdict)
}

/// A fault of SOAP 1.1 or 1.2. Its code says whose fault it is, and its status doesn't: faults of either
/// side have a 500 by SOAP 1.1 (6.2).
fn find_fault(answer: &Answered<'_>, xml: &str) -> Option<Finding> {
    let told = || FAULTS.iter().filter_map(|path| Some((path, text_at(xml, path)?)));
    let known = told().find_map(|(path, code)| Some((path, verdict_of_fault(code)?)));
    // A code of the provider's own: what else the status says, or a refusal.
    let own = || told().next().filter(|_| answer.status.is_success());
    let (path, verdict) = known.or_else(|| own().map(|(path, _)| (path, Verdict::Permanent)))?;
    Some(Finding::of(verdict, "a fault of soap").at(place(path)))
}

/// SOAP's own codes; those of WS-Security 1.1 (*Error Handling*); Salesforce's.
fn verdict_of_fault(code: &str) -> Option<Verdict> {
    // A prefix is a namespace's; what comes after a dot makes the code more exact (SOAP 1.1, 4.4.1).
    let code = code.rsplit(':').next().unwrap_or_default();
    Some(match code.split('.').next().unwrap_or_default() {
        "Server" | "Receiver" | "UNABLE_TO_LOCK_ROW" | "SERVER_UNAVAILABLE" => Verdict::Transient,
        "Client"
        | "Sender"
        | "VersionMismatch"
        | "MustUnderstand"
        | "DataEncodingUnknown"
        | "FailedCheck"
        | "InvalidSecurity"
        | "UnsupportedAlgorithm"
        | "UnsupportedSecurityToken" => Verdict::Permanent,
        "FailedAuthentication" | "InvalidSecurityToken" | "INVALID_SESSION_ID" => {
            Verdict::Unauthorized
        }
        "REQUEST_LIMIT_EXCEEDED" => Verdict::Throttled,
        _ => return None,
    })
}

fn place(path: &[&str]) -> String {
    path.iter().map(|name| format!("/{name}")).collect()
}

/// S3; SQS and SES; EC2.
const ERRORS: [&[&str]; 3] = [
    &["Error", "Code"],
    &["ErrorResponse", "Error", "Code"],
    &["Response", "Errors", "Error", "Code"],
];
/// SOAP 1.2 part 1, 5.4.1.3, which is more exact than the code around it; SOAP 1.1, 4.4; SOAP 1.2 part 1,
/// 5.4.
const FAULTS: [&[&str]; 3] = [
    &["Envelope", "Body", "Fault", "Code", "Subcode", "Value"],
    &["Envelope", "Body", "Fault", "faultcode"],
    &["Envelope", "Body", "Fault", "Code", "Value"],
];
/// Those of answers that may be such an error.
pub(super) const STATUSES: [u16; 6] = [200, 400, 403, 409, 500, 503];
