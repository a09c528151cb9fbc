//! The longer lists of codes.

/// AWS's throttling codes (*Retry behavior* of its SDKs, standard mode).
pub(super) const AWS_THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];
/// Those that another attempt may mend (the same page; S3, *Error responses*).
pub(super) const AWS_TRANSIENT: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "TransactionInProgressException",
];
/// Those of credentials that others may replace (*Common error types*; S3, *Error responses*).
pub(super) const AWS_UNAUTHORIZED: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

/// DingTalk's limits, beside its code 88 (its list of codes, as clients copy it).
pub(super) const DINGTALK_THROTTLED: &[&str] =
    &["90001", "90002", "90003", "90004", "90005", "90006", "90007"];

/// Lark's codes of tokens that another may replace (its command line's list of codes, which names the page
/// *Generic error codes*).
pub(super) const LARK_UNAUTHORIZED: &[&str] =
    &["99991661", "99991663", "99991664", "99991668", "99991671", "99991677"];

/// Meta's limits (*Handling errors*; *Rate limits*; the lists of errors of the Graph API's nodes), and
/// WhatsApp's (*WhatsApp error codes*).
pub(super) const META_THROTTLED: &[&str] = &[
    "4", "17", "32", "341", "613", "80000", "80001", "80002", "80003", "80004", "80005", "80006",
    "80007", "80008", "80014", "130429", "131048", "131056",
];

/// What Mailchimp Transactional refuses: the names that its clients know, without those of keys and of a
/// service that is down.
pub(super) const MANDRILL_PERMANENT: &[&str] = &[
    "IP_ProvisionLimit",
    "Invalid_CustomDNS",
    "Invalid_CustomDNSPending",
    "Invalid_DeleteDefaultPool",
    "Invalid_DeleteNonEmptyPool",
    "Invalid_EmptyDefaultPool",
    "Invalid_Reject",
    "Invalid_Tag_Name",
    "Invalid_Template",
    "Metadata_FieldLimit",
    "NoSendingHistory",
    "PaymentRequired",
    "PoorReputation",
    "Unknown_Export",
    "Unknown_IP",
    "Unknown_InboundDomain",
    "Unknown_InboundRoute",
    "Unknown_Message",
    "Unknown_MetadataField",
    "Unknown_Pool",
    "Unknown_Sender",
    "Unknown_Subaccount",
    "Unknown_Template",
    "Unknown_TrackingDomain",
    "Unknown_Url",
    "Unknown_Webhook",
    "ValidationError",
];
