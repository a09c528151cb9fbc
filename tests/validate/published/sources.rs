//! Where the answers are from, and how far each was compared with its page.

use super::{Row, bad_looking, clouds, commerce, graphql, models, others, pages, work};

/// How far the rows of one page were compared with it, in December 2026.
enum Source {
    /// The page was read, at least the part of it that the rows rest on.
    Page(&'static str),
    /// Put together: what a page says, or copies of it, clients of the provider's and reports of their users.
    /// What none of them says is from knowledge.
    Pieces(&'static str),
    /// Written from knowledge of the page, which wasn't read again: it may be wrong.
    Unread,
}

use Source::{Page, Pieces, Unread};

#[rustfmt::skip]
const SOURCES: &[(&str, Source)] = &[
    // Clouds.
    ("AIP-193", Unread),
    ("AWS, Common error types", Page("https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/common-errors.html")),
    ("BigQuery, Error messages", Pieces("https://docs.cloud.google.com/bigquery/docs/error-messages has the statuses; googleapis/python-bigquery, 2256, repeats jobBackendError")),
    ("BigQuery, Jobs: get", Unread),
    ("Drive, Resolve errors", Pieces("https://developers.google.com/drive/handle-errors has the form; tidyverse/googledrive, 380, has userRateLimitExceeded at a 403")),
    ("DynamoDB, Error handling", Pieces("smithy-lang/smithy-typescript, the list of throttling codes")),
    ("EC2, Error codes", Pieces("smithy-lang/smithy-typescript, the list of throttling codes")),
    ("Geocoding requests and responses", Pieces("several list the statuses, and say that UNKNOWN_ERROR is to be repeated")),
    ("Graph, Error responses", Unread),
    ("Graph, Get user", Unread),
    ("Graph, JSON batching", Unread),
    ("Graph, Send mail", Unread),
    ("Graph, Throttling", Pieces("a translation of the page in MicrosoftDocs' repositories has the body")),
    ("S3, CompleteMultipartUpload", Pieces("the page of the action, as the SDKs copy it, has an error in a 200")),
    ("S3, CopyObject", Pieces("the page of the action, as the SDKs copy it, has an error in a 200")),
    ("S3, DeleteObjects", Unread),
    ("S3, Error responses", Pieces("https://docs.aws.amazon.com/AmazonS3/latest/userguide/ErrorBestPractices.html has InternalError and SlowDown; the other codes are from knowledge")),
    ("SES, Query API", Unread),
    ("YouTube Data API, Errors", Unread),
    // Models.
    ("Anthropic, Errors", Unread),
    ("Anthropic, Messages", Unread),
    ("Azure OpenAI, Quotas", Unread),
    ("Gemini, Rate limits; google.rpc.RetryInfo", Pieces("the tests of several clients have delays of 27s, 12.5s and 52758s")),
    ("Gemini, Troubleshooting", Unread),
    ("Gemini, generateContent", Unread),
    ("Gemini, streamGenerateContent", Unread),
    ("OpenAI, Batch object", Unread),
    ("OpenAI, Error codes", Pieces("several meet insufficient_quota at a 429; the others are from knowledge")),
    ("OpenAI, Rate limits", Unread),
    // Payments and shops.
    ("Adyen, API idempotency", Unread),
    ("Adyen, Payment result codes", Unread),
    ("Adyen, as its clients meet it", Pieces("a known issue of Adobe Commerce, with the whole body")),
    ("Adyen, Response codes", Pieces("https://docs.adyen.com/development-resources/response-handling/ has the statuses; the codes are from knowledge")),
    ("PayPal, Rate limiting", Page("https://developer.paypal.com/api/rest/reference/rate-limiting")),
    ("PayPal, Responses", Unread),
    ("PayPal, Show order details", Unread),
    ("Shopify, REST rate limits", Unread),
    ("Shopify, Response status codes", Unread),
    ("Square, Handling errors", Pieces("https://developer.squareup.com/docs/build-basics/handling-errors has the form, https://developer.squareup.com/reference/square/objects/ErrorCategory the categories and RATE_LIMITED; the other codes are from knowledge")),
    ("Stripe, Error codes", Unread),
    ("Stripe, Errors", Unread),
    ("Stripe, Idempotent requests", Unread),
    ("Stripe, PaymentIntents", Unread),
    ("Stripe, Rate limits", Page("https://docs.stripe.com/rate-limits; https://docs.stripe.com/changelog/2015-09-08/rate-limited-requests-return-429-no-rate-limit")),
    // Messages.
    ("Discord, Rate limits", Pieces("the tests of several clients have the body")),
    ("HubSpot, Batch", Pieces("https://developers.hubspot.com/docs/api-reference/error-handling has the status; the body is from knowledge")),
    ("HubSpot, Error handling", Pieces("https://developers.hubspot.com/docs/api-reference/error-handling has the statuses; the tests of several clients have the categories")),
    ("HubSpot, Usage guidelines", Unread),
    ("Mailchimp Marketing, Errors", Pieces("https://mailchimp.com/developer/marketing/docs/errors/ has the form; the titles are from knowledge")),
    ("Mailchimp Transactional, as its clients meet it", Pieces("https://rubydoc.info/gems/mandrill-api has the names; Wylio/meteor-mandrill, 12, has a ValidationError with its status and code")),
    ("Meta, Handling errors", Page("https://developers.facebook.com/docs/graph-api/guides/error-handling")),
    ("Meta, as its clients meet it", Pieces("python-social-auth/social-core, 859")),
    ("Meta, errors of the Graph API's nodes", Page("https://developers.facebook.com/docs/graph-api/reference/user/, and other nodes")),
    ("Meta, its SDK for Python", Pieces("facebook/facebook-python-business-sdk, facebook_business/exceptions.py")),
    ("SendGrid, Errors", Pieces("several that meet Maximum credits exceeded at a 401; the others are from knowledge")),
    ("SendGrid, Mail send", Unread),
    ("SendGrid, Rate limits", Unread),
    ("Telegram, Making requests", Pieces("https://docs.aiogram.dev/en/v3.29.0/api/types/response_parameters.html: a copy of the type")),
    ("Twilio, Error 20003", Pieces("the tests of several clients have the body")),
    ("Twilio, Error 20429", Pieces("the tests of several clients have the body")),
    ("Twilio, Error 20503", Unread),
    ("Twilio, Error 21211", Unread),
    ("Twilio, Messages", Unread),
    ("WhatsApp, as its clients meet it", Pieces("https://docs.ycloud.com/reference-link/whatsapp-errors has a 131056 whole; MarcosNicolau/whatsapp-business-sdk, src/types/error.ts, has the codes")),
    // Work.
    ("Bitbucket, error pages", Unread),
    ("GitHub, Get a blob", Unread),
    ("GitHub, Getting started", Unread),
    ("GitHub, Git commits", Unread),
    ("GitHub, Rate limits for the REST API", Pieces("https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api has the statuses; the sentences are from knowledge")),
    ("GitHub, Troubleshooting the REST API", Pieces("https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api has all but Bad credentials")),
    ("GitHub, as its clients meet it", Pieces("many clients; no page has it any more")),
    ("GitHub, status page", Unread),
    ("JSON:API 1.1, Errors", Unread),
    ("JSON:API 1.1, Top level", Unread),
    ("Jira, Create issue", Unread),
    ("Jira, Get issue", Unread),
    ("Jira, Rate limiting", Unread),
    ("Jira, Search", Unread),
    ("Linear, Rate limiting", Pieces("https://linear.app/developers/rate-limiting is the page; several clients have its code and status")),
    ("RFC 9457", Unread),
    ("SOAP 1.1, 4.3", Unread),
    ("SOAP 1.1, 4.4.1", Unread),
    ("SOAP 1.2 part 1, 5.4.6", Unread),
    ("WS-Security, as its services answer", Pieces("several that read wsse:FailedAuthentication, as a faultcode and as a subcode of s:Sender")),
    ("Salesforce, SOAP API faults", Unread),
    ("Salesforce, Status codes and error responses", Pieces("https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes has 401 and REQUEST_LIMIT_EXCEEDED; clients have UNABLE_TO_LOCK_ROW at a 400 and a 500; the other codes are from knowledge")),
    ("Slack, Rate limits", Pieces("copies of the methods' pages")),
    ("Slack, Using the Web API", Unread),
    ("Slack, chat.postMessage", Pieces("slack_kit 1.0.0-alpha.0, priv/docs/common_errors.json: a copy of the methods' pages")),
    ("Zendesk, Rate limits", Unread),
    ("Zendesk, Response format", Pieces("https://developer.zendesk.com/api-reference/introduction/requests has the form; nowhere was DatabaseConflict found")),
    // GraphQL.
    ("Apollo Router, Errors", Unread),
    ("Apollo Server, Error handling", Unread),
    ("Apollo, Automatic persisted queries", Unread),
    ("Apollo, Batching", Unread),
    ("GitHub GraphQL, Forming calls", Unread),
    ("GitHub GraphQL, Rate limits", Pieces("https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api has the statuses; github/docs, 11071, and cli/cli, 12812, have the bodies")),
    ("GitHub GraphQL, Resource limits", Unread),
    ("GraphQL, 7.1", Unread),
    ("Shopify Storefront, customerCreate", Unread),
    ("Shopify, GraphQL Admin API rate limits", Pieces("https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits has the cost; https://community.shopify.com/t/throttled/254776 has a body")),
    ("Shopify, GraphQL status and error codes", Unread),
    ("Shopify, productCreate", Unread),
    ("monday.com, Changelog", Page("https://developer.monday.com/api-reference/changelog/hotfix-complexity-exception-errors, hotfix-updated-complexity-budget-exhausted-error and breaking-change-updated-complexity-budget-exhausted-error")),
    ("monday.com, Error handling", Page("https://developer.monday.com/api-reference/docs/errors")),
    ("monday.com, Rate limits", Page("https://support.monday.com/hc/en-us/articles/26471164460690-API-Rate-Limits")),
    ("monday.com, as its clients meet it", Pieces("several that list maxConcurrencyExceeded and IP_RATE_LIMIT_EXCEEDED")),
    // Others.
    ("Alpha Vantage, as its clients meet it", Pieces("https://www.fintut.com/alpha-vantage-api-limits/ has the note; the tests of several clients have the others. The provider has no page of them")),
    ("Authorize.Net, Response codes", Pieces("copies of the list of response codes have E00001 to E00007; https://docs.qpilot.cloud/docs/2000-authorizenet-error-code-e00104-server-in-maintenance-please-try-again-later; a client that calls E00053 busy")),
    ("DingTalk, Global return codes", Pieces("https://mabiji.com/dingtalk/errcode.html: a copy of the page; clients have 40014 and 90002 as sub_code")),
    ("EIP-1474", Pieces("wevm/viem: -32005 is LimitExceededRpcError")),
    ("Elasticsearch, Bulk API", Unread),
    ("Etherscan, API Key Rate Limit & Errors", Page("https://kbadm.etherscan.com/api-return-errors/")),
    ("Etherscan, Common error messages", Page("https://docs.etherscan.io/resources/common-error-messages")),
    ("Etherscan, as its clients meet it", Pieces("many clients have the limit of calls per second")),
    ("JSON-RPC 1.0", Unread),
    ("JSON-RPC 2.0, 5", Unread),
    ("JSON-RPC 2.0, 5.1", Unread),
    ("Lark, Generic error codes", Pieces("larksuite/cli, internal/output, has the codes; multica-ai/multica, 7611, go-lark/lark, 28, and satorijs/satori, 370, have answers with a 400")),
    ("Lark, Rate limits", Page("https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control.md")),
    ("Last.fm, Error codes", Pieces("https://hexdocs.pm/elixirfm/0.0.11/Elixirfm.RequestError.html: a copy of the page; the statuses are from knowledge")),
    ("Reddit, as its clients meet it", Pieces("the tests of several clients have the error, and the seconds beside it")),
    ("Vonage, SMS API errors", Page("https://developer.vonage.com/api-errors/sms")),
    ("WeCom, Global error codes", Pieces("copies of the page https://developer.work.weixin.qq.com/document/90000/90139/90313 in many clients")),
    ("WeChat, Global return codes", Pieces("copies of the pages of several methods")),
    // Those who stand between.
    ("Cloudflare API, Errors", Unread),
    ("Cloudflare, Detect a challenge page", Unread),
    ("Cloudflare, Error 1015", Unread),
    ("Cloudflare, Error 1020", Unread),
    ("Cloudflare, Error 502", Unread),
    ("Cloudflare, Error 520", Unread),
    ("Cloudflare, Error 521", Unread),
    ("Cloudflare, Error 522", Unread),
    ("Cloudflare, Error 524", Unread),
    ("Cloudflare, Error 526", Unread),
    ("RFC 6585, 6", Unread),
    ("RFC 6839: a suffix", Unread),
    ("RFC 8259, 8.1: a byte order mark", Unread),
];

const ROWS: &[&[Row]] = &[
    clouds::GOOGLE,
    clouds::AMAZON,
    clouds::MICROSOFT,
    clouds::GRAPH_BATCH,
    commerce::PAYMENTS,
    commerce::MESSAGES,
    graphql::ROWS,
    models::ROWS,
    others::ROWS,
    pages::ROWS,
    work::GITHUB,
    work::CUSTOMERS,
    work::SLACK,
];

/// Nobody published these: they were made up for the tests.
fn is_own(name: &str) -> bool {
    name.starts_with("a ") || name.starts_with("an ") || name == "Several servers write it"
}

#[test]
fn each_answer_says_where_it_is_from_and_how_far_it_was_compared() {
    let mut names: Vec<_> = ROWS.iter().flat_map(|rows| rows.iter().map(|row| row.0)).collect();
    names.retain(|name| !is_own(name));
    for name in &names {
        assert!(SOURCES.iter().any(|(known, _)| known == name), "no source of: {name}");
    }
    for (name, source) in SOURCES {
        assert!(names.contains(name), "no answer is of this source: {name}");
        let told = match source {
            Page(place) => place.starts_with("https://"),
            Pieces(who) => !who.is_empty(),
            Unread => true,
        };
        assert!(told, "{name}");
        assert_eq!(SOURCES.iter().filter(|(other, _)| other == name).count(), 1, "{name} twice");
    }
    assert!(bad_looking::ROWS.iter().all(|row| !SOURCES.iter().any(|(known, _)| *known == row.0)));
}
