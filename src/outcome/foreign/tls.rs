//! The errors of rustls.

use std::error::Error as StdError;

use super::Findings;
use crate::outcome::Fault;

pub(super) fn look_at(error: &(dyn StdError + 'static), findings: &mut Findings) {
    if error.is::<rustls::Error>() {
        findings.fault = Some(Fault::Tls);
    }
}
