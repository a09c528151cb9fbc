//! The errors of rustls.

use std::error::Error as StdError;

use rustls::{AlertDescription as Alert, Error};

use super::Findings;
use crate::terms::Fault;

pub(super) fn look_at(error: &(dyn StdError + 'static), findings: &mut Findings) {
    if error.is::<Error>() {
        findings.fault = Some(Fault::Tls);
    }
}

/// A certificate was not accepted, the provider's or ours (RFC 8446, 6.2). That stays so until
/// somebody changes a certificate or the trusted roots.
pub(super) fn is_final(error: &(dyn StdError + 'static)) -> bool {
    match error.downcast_ref::<Error>() {
        Some(Error::InvalidCertificate(_) | Error::NoCertificatesPresented) => true,
        Some(Error::AlertReceived(alert)) => matches!(
            alert,
            Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::CertificateRequired
                | Alert::AccessDenied
        ),
        _ => false,
    }
}
