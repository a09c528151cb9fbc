//! The style and the script, under names that change with their content.

use std::sync::LazyLock;

use super::route::link;

pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("style", "text/css; charset=utf-8", include_str!("assets/console.css"))
});
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("script", "text/javascript; charset=utf-8", include_str!("assets/console.js"))
});

pub(super) struct Asset {
    name: &'static str,
    pub(super) media: &'static str,
    pub(super) text: &'static str,
    version: String,
}

impl Asset {
    fn new(name: &'static str, media: &'static str, text: &'static str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        let version = digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name, media, text, version }
    }

    /// Its content, in short.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Where it is.
    pub(super) fn link(&self) -> String {
        link(&[(self.name, &self.version)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_small() {
        assert!(STYLE.text.len() <= 12 * 1024, "{} bytes", STYLE.text.len());
        assert!(SCRIPT.text.len() <= 6 * 1024, "{} bytes", SCRIPT.text.len());
    }
}
