//! The client that a team already has: requests and responses stay reqwest's.
//!
//! `cargo run --example existing_reqwest --features reqwest`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use outrigger::{Integration, transport::reqwest::ReqwestTransport};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Contact {
    name: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = provider::start(|nth, _| match nth {
        1 => provider::answer(502, "bad gateway"),
        _ => provider::answer(200, r#"{"name":"Ada"}"#),
    })
    .await?;

    // Its pool, proxies, cookies and decompression stay. Redirects and retries of its own would hide
    // which request an error is of.
    let client = reqwest::Client::builder()
        .user_agent("shop/1.0")
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()?;
    let transport = ReqwestTransport::new(client.clone()).single_hop();
    let crm = Integration::user_flow("crm").reqwest(transport).build()?;

    let response = crm.execute(client.get(format!("{url}/contacts/1")).build()?).await?;
    println!("{} from {}", response.status(), response.url());
    println!("{:?}", response.json::<Contact>().await?);

    let contact = Contact { name: "Grace".into() };
    let response = crm.execute(client.post(url).json(&contact).build()?).await?;
    println!("{}", response.error_for_status()?.status());
    Ok(())
}
