//! Payments, shops, mail.

use super::{Fine, JSON, Later, Limit, Login, Refused, Row, each_means, vendors};

#[rustfmt::skip]
pub(super) const PAYMENTS: &[Row] = &[
    ("Stripe, Error codes", 402, JSON, r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}}"#, Refused),
    ("Stripe, Error codes", 429, JSON, r#"{"error":{"type":"invalid_request_error","code":"rate_limit","message":"slower"}}"#, Limit(None)),
    ("Stripe, Rate limits", 429, JSON, r#"{"error":{"type":"invalid_request_error","message":"slower"}}"#, Limit(None)),
    ("Stripe, Rate limits", 429, JSON, r#"{"error":{"type":"invalid_request_error","code":"lock_timeout"}}"#, Later),
    ("Stripe, Errors", 401, JSON, r#"{"error":{"type":"invalid_request_error","message":"Invalid API Key provided"}}"#, Login),
    ("Stripe, Errors", 500, JSON, r#"{"error":{"type":"api_error"}}"#, Later),
    ("Stripe, Idempotent requests", 400, JSON, r#"{"error":{"type":"idempotency_error","message":"other parameters"}}"#, Refused),
    ("Stripe, PaymentIntents", 200, JSON, r#"{"id":"pi_1","status":"requires_payment_method","last_payment_error":{"code":"card_declined"}}"#, Fine),
    ("PayPal, Responses", 422, JSON, r#"{"name":"UNPROCESSABLE_ENTITY","details":[{"issue":"INSTRUMENT_DECLINED"}]}"#, Refused),
    ("PayPal, Rate limiting", 429, JSON, r#"{"name":"RATE_LIMIT_REACHED","message":"Too many requests"}"#, Limit(None)),
    ("PayPal, Responses", 401, JSON, r#"{"error":"invalid_token","error_description":"Token signature verification failed"}"#, Login),
    ("PayPal, Responses", 500, JSON, r#"{"name":"INTERNAL_SERVER_ERROR","debug_id":"b1d"}"#, Later),
    ("PayPal, Show order details", 200, JSON, r#"{"id":"5O1","status":"VOIDED"}"#, Fine),
    ("Square, Handling errors", 429, JSON, r#"{"errors":[{"category":"RATE_LIMIT_ERROR","code":"RATE_LIMITED"}]}"#, Limit(None)),
    ("Square, Handling errors", 401, JSON, r#"{"errors":[{"category":"AUTHENTICATION_ERROR","code":"ACCESS_TOKEN_EXPIRED"}]}"#, Login),
    ("Square, Handling errors", 400, JSON, r#"{"errors":[{"category":"INVALID_REQUEST_ERROR","code":"MISSING_REQUIRED_PARAMETER","field":"id"}]}"#, Refused),
    ("Square, Handling errors", 500, JSON, r#"{"errors":[{"category":"API_ERROR","code":"INTERNAL_SERVER_ERROR"}]}"#, Later),
    ("Adyen, API idempotency", 422, JSON, r#"{"status":422,"errorCode":"704","message":"request already processed or in progress","errorType":"validation"}"#, Later),
    ("Adyen, as its clients meet it", 409, JSON, r#"{"status":409,"errorCode":"704","message":"request already processed or in progress","errorType":"validation"}"#, Later),
    ("Adyen, Response codes", 422, JSON, r#"{"status":422,"errorCode":"14_012","message":"The provided merchantReference is invalid.","errorType":"validation"}"#, Refused),
    ("Adyen, Response codes", 401, JSON, r#"{"status":401,"errorCode":"000","message":"HTTP Status Response - Unauthorized","errorType":"security"}"#, Login),
    ("Adyen, Response codes", 500, JSON, r#"{"status":500,"errorCode":"901","message":"internal","errorType":"internal"}"#, Later),
    ("Adyen, Payment result codes", 200, JSON, r#"{"resultCode":"Refused","refusalReason":"Not enough balance","pspReference":"8"}"#, Fine),
    ("Shopify, REST rate limits", 429, JSON, r#"{"errors":"Exceeded 2 calls per second for api client."}"#, Limit(None)),
    ("Shopify, Response status codes", 401, JSON, r#"{"errors":"[API] Invalid API key or access token"}"#, Login),
    ("Shopify, Response status codes", 402, JSON, r#"{"errors":"This shop is currently unavailable"}"#, Refused),
    ("Shopify, Response status codes", 422, JSON, r#"{"errors":{"title":["can't be blank"]}}"#, Refused),
    ("Shopify, Response status codes", 503, JSON, r#"{"errors":"Service Unavailable"}"#, Later),
    ("Shopify, Response status codes", 200, JSON, r#"{"products":[{"id":1,"status":"archived"}]}"#, Fine),
];

#[rustfmt::skip]
pub(super) const MESSAGES: &[Row] = &[
    ("Twilio, Error 20429", 429, JSON, r#"{"code":20429,"message":"Too Many Requests","more_info":"https://www.twilio.com/docs/errors/20429","status":429}"#, Limit(None)),
    ("Twilio, Error 20003", 401, JSON, r#"{"code":20003,"message":"Authenticate","status":401}"#, Login),
    ("Twilio, Error 21211", 400, JSON, r#"{"code":21211,"message":"Invalid 'To' Phone Number","status":400}"#, Refused),
    ("Twilio, Error 20503", 503, JSON, r#"{"code":20503,"message":"Service unavailable","status":503}"#, Later),
    ("Twilio, Messages", 200, JSON, r#"{"sid":"SM1","status":"undelivered","error_code":30008,"error_message":"Unknown error"}"#, Fine),
    ("SendGrid, Mail send", 202, "", "", Fine),
    ("SendGrid, Errors", 401, JSON, r#"{"errors":[{"message":"The provided authorization grant is invalid, expired, or revoked","field":null}]}"#, Login),
    ("SendGrid, Errors", 401, JSON, r#"{"errors":[{"message":"Maximum credits exceeded","field":null,"help":null}]}"#, Refused),
    ("SendGrid, Rate limits", 429, JSON, r#"{"errors":[{"field":null,"message":"too many requests"}]}"#, Limit(None)),
    ("SendGrid, Errors", 413, JSON, r#"{"errors":[{"message":"too large"}]}"#, Refused),
    ("Mailchimp Marketing, Errors", 429, "application/problem+json; charset=utf-8", r#"{"type":"https://mailchimp.com/developer/marketing/docs/errors/","title":"Too Many Requests","status":429,"detail":"10 simultaneous connections"}"#, Limit(None)),
    ("Mailchimp Marketing, Errors", 400, "application/problem+json; charset=utf-8", r#"{"type":"https://mailchimp.com/developer/marketing/docs/errors/","title":"Member Exists","status":400}"#, Refused),
    ("Mailchimp Marketing, Errors", 401, "application/problem+json; charset=utf-8", r#"{"type":"https://mailchimp.com/developer/marketing/docs/errors/","title":"API Key Invalid","status":401}"#, Login),
    ("Mailchimp Transactional, as its clients meet it", 500, JSON, r#"{"status":"error","code":-1,"name":"Invalid_Key","message":"no"}"#, Login),
    ("Mailchimp Transactional, as its clients meet it", 500, JSON, r#"{"status":"error","code":-1,"name":"ValidationError","message":"no"}"#, Refused),
    ("Mailchimp Transactional, as its clients meet it", 500, JSON, r#"{"status":"error","code":-2,"name":"ValidationError","message":"no"}"#, Refused),
    ("Mailchimp Transactional, as its clients meet it", 500, JSON, r#"{"status":"error","code":10,"name":"PaymentRequired","message":"no"}"#, Refused),
    ("Mailchimp Transactional, as its clients meet it", 500, JSON, r#"{"status":"error","code":12,"name":"Unknown_Subaccount","message":"no"}"#, Refused),
    ("Mailchimp Transactional, as its clients meet it", 500, JSON, r#"{"status":"error","code":5,"name":"Unknown_Template","message":"no"}"#, Refused),
    ("Mailchimp Transactional, as its clients meet it", 500, JSON, r#"{"status":"error","code":-1,"name":"PoorReputation","message":"no"}"#, Refused),
    ("Mailchimp Transactional, as its clients meet it", 500, JSON, r#"{"status":"error","code":-1,"name":"ServiceUnavailable","message":"no"}"#, Later),
    ("Mailchimp Transactional, as its clients meet it", 500, JSON, r#"{"status":"error","code":-99,"name":"GeneralError","message":"no"}"#, Later),
    ("HubSpot, Usage guidelines", 429, JSON, r#"{"status":"error","message":"You have reached your secondly limit.","errorType":"RATE_LIMIT","policyName":"SECONDLY"}"#, Limit(None)),
    ("HubSpot, Error handling", 401, JSON, r#"{"status":"error","category":"EXPIRED_AUTHENTICATION"}"#, Login),
    ("HubSpot, Error handling", 403, JSON, r#"{"status":"error","category":"MISSING_SCOPES"}"#, Refused),
    ("HubSpot, Error handling", 504, HTML, "<html><title>504 Gateway Time-out</title></html>", Later),
    ("HubSpot, Batch", 207, JSON, r#"{"status":"COMPLETE","numErrors":1,"results":[{}],"errors":[{"status":"error"}]}"#, super::Part),
    ("Telegram, Making requests", 429, JSON, r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}"#, Limit(Some(35.0))),
    ("Telegram, Making requests", 400, JSON, r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#, Refused),
    ("Discord, Rate limits", 429, JSON, r#"{"message":"You are being rate limited.","retry_after":64.5,"global":false}"#, Limit(Some(64.5))),
    ("Meta, Handling errors", 400, JSON, r#"{"error":{"message":"(#4) no","type":"OAuthException","code":4,"fbtrace_id":"A"}}"#, Limit(None)),
    ("Meta, as its clients meet it", 403, JSON, r#"{"error":{"message":"(#4) no","type":"OAuthException","code":4,"fbtrace_id":"A"}}"#, Limit(None)),
    ("Meta, Handling errors", 400, JSON, r#"{"error":{"message":"(#17) no","type":"OAuthException","code":17,"fbtrace_id":"A"}}"#, Limit(None)),
    ("Meta, Handling errors", 400, JSON, r#"{"error":{"message":"(#341) no","type":"OAuthException","code":341,"fbtrace_id":"A"}}"#, Limit(None)),
    ("Meta, Handling errors", 400, JSON, r#"{"error":{"message":"(#1) no","type":"OAuthException","code":1,"fbtrace_id":"A"}}"#, Later),
    ("Meta, Handling errors", 400, JSON, r#"{"error":{"message":"(#2) no","type":"OAuthException","code":2,"fbtrace_id":"A"}}"#, Later),
    ("Meta, Handling errors", 400, JSON, r#"{"error":{"message":"(#190) no","type":"OAuthException","code":190,"error_subcode":460,"fbtrace_id":"A"}}"#, Login),
    ("Meta, Handling errors", 400, JSON, r#"{"error":{"message":"(#102) no","type":"OAuthException","code":102,"fbtrace_id":"A"}}"#, Login),
    ("Meta, Handling errors", 400, JSON, r#"{"error":{"message":"(#506) no","type":"OAuthException","code":506,"fbtrace_id":"A"}}"#, Refused),
    ("Meta, errors of the Graph API's nodes", 400, JSON, r#"{"error":{"message":"(#100) no","type":"OAuthException","code":100,"fbtrace_id":"A"}}"#, Refused),
    ("Meta, errors of the Graph API's nodes", 400, JSON, r#"{"error":{"message":"(#613) no","type":"OAuthException","code":613,"fbtrace_id":"A"}}"#, Limit(None)),
    ("Meta, errors of the Graph API's nodes", 400, JSON, r#"{"error":{"message":"(#80004) no","type":"OAuthException","code":80004,"fbtrace_id":"A"}}"#, Limit(None)),
    ("Meta, errors of the Graph API's nodes", 400, JSON, r#"{"error":{"message":"(#80014) no","type":"OAuthException","code":80014,"fbtrace_id":"A"}}"#, Limit(None)),
    ("Meta, its SDK for Python", 400, JSON, r#"{"error":{"message":"(#100) no","type":"OAuthException","code":100,"is_transient":true,"fbtrace_id":"A"}}"#, Later),
    ("Meta, its SDK for Python", 400, JSON, r#"{"error":{"message":"(#100) no","type":"OAuthException","code":100,"is_transient":false,"fbtrace_id":"A"}}"#, Refused),
    ("WhatsApp, as its clients meet it", 400, JSON, r#"{"error":{"message":"(#130429) no","type":"OAuthException","code":130429,"fbtrace_id":"A"}}"#, Limit(None)),
    ("WhatsApp, as its clients meet it", 400, JSON, r#"{"error":{"message":"(#131056) no","type":"OAuthException","code":131056,"error_data":{"messaging_product":"whatsapp"},"fbtrace_id":"A"}}"#, Limit(None)),
    ("WhatsApp, as its clients meet it", 401, JSON, r#"{"error":{"message":"(#190) no","type":"OAuthException","code":190,"fbtrace_id":"A"}}"#, Login),
    ("WhatsApp, as its clients meet it", 400, JSON, r#"{"error":{"message":"(#131051) no","type":"OAuthException","code":131051,"fbtrace_id":"A"}}"#, Refused),
];
use super::HTML;

#[tokio::test(start_paused = true)]
async fn answers_of_payments_and_messages_mean_what_their_pages_say() {
    for rows in [PAYMENTS, MESSAGES] {
        each_means(rows, vendors).await;
    }
}
