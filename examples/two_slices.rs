//! Two integrations of one API, for pages and for a nightly sync, with settings from a file.
//!
//! `cargo run --example two_slices --features serde`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod folder;
mod provider;

use std::{collections::BTreeMap, error::Error, fs, path::Path};

use outrigger::{ConfigError, Integration, IntegrationConfig, ResponseExt};

const FILE: &str = r#"
[pages]
preset = "user_flow"
deadline = "4s"

[sync]
preset = "background"
bulkhead = { concurrency = 2 }
rate_limit = { requests = 20, per = "1s" }
"#;

type Slices = BTreeMap<String, Integration>;

fn read(file: &Path) -> Result<BTreeMap<String, IntegrationConfig>, Box<dyn Error>> {
    Ok(IntegrationConfig::read_all(toml::Deserializer::parse(&fs::read_to_string(file)?)?)?)
}

fn start(file: &Path, url: &str) -> Result<Slices, Box<dyn Error>> {
    let build = |(name, settings): (String, _)| {
        let slice = Integration::from_config(format!("crm-{name}"), settings)?;
        Ok((name, slice.base_url(url).build()?))
    };
    Ok(read(file)?.into_iter().map(build).collect::<Result<_, ConfigError>>()?)
}

/// When the file has changed. Settings that can't work change nothing.
fn reload(slices: &Slices, file: &Path) -> Result<(), Box<dyn Error>> {
    let settings = read(file)?;
    for (name, one) in &settings {
        slices.get(name).ok_or("a new slice needs a restart")?.check_config(one)?;
    }
    Ok(settings.iter().try_for_each(|(name, settings)| slices[name].apply(settings))?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = provider::start(|nth, _| match nth.is_multiple_of(3) {
        true => provider::answer(503, "try again"),
        false => provider::answer(200, "Ada"),
    });
    let folder = folder::Folder::fresh("two-slices")?;
    let file = folder.write("crm.toml", FILE)?;
    let slices = start(&file, &url.await?)?;
    println!("{}", slices["pages"].get("contacts/42").send().await?.text().await?);
    for page in 1..=3 {
        let contacts = slices["sync"].get("contacts").query(&[("page", page)]).send().await?;
        println!("page {page}: {}", contacts.error_for_status()?.text().await?);
    }
    folder.write("crm.toml", &FILE.replace("concurrency = 2", "concurrency = 4"))?;
    reload(&slices, &file)?;
    println!("the sync has {:?} places", slices["sync"].bulkhead().limit());
    folder.write("crm.toml", &FILE.replace("concurrency = 2", "concurrency = 0"))?;
    println!("and keeps them: {}", reload(&slices, &file).err().ok_or("it can't work")?);
    assert_eq!(slices["sync"].bulkhead().limit(), Some(4));
    Ok(())
}
