//! A headless Chromium, spoken to over two pipes (Chrome DevTools Protocol, `--remote-debugging-pipe`).

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// One page in a browser of its own.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    unread: Vec<u8>,
    /// What the page told meanwhile.
    told: VecDeque<Value>,
    session: Option<String>,
    last_id: u64,
    profile: PathBuf,
}

/// A key that isn't a letter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Tab,
    Enter,
    Space,
    Down,
}

impl Browser {
    /// `None` where there is no Chromium, unless the environment says that there must be one.
    pub(crate) async fn start() -> Option<Self> {
        let Some(program) = PROGRAMS.iter().find(|program| std::path::Path::new(program).exists())
        else {
            let is_required = std::env::var_os("OUTRIGGER_REQUIRE_BROWSER").is_some();
            assert!(!is_required, "there is no Chromium at {PROGRAMS:?}");
            eprintln!("SKIPPED: there is no Chromium at {PROGRAMS:?}");
            return None;
        };
        let profile =
            std::env::temp_dir().join(format!("outrigger-browser-{}", uuid::Uuid::new_v4()));
        // It reads commands from 3 and writes answers to 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", program])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (unread, told) = (Vec::new(), VecDeque::new());
        let mut browser =
            Self { child, to, from, unread, told, session: None, last_id: 0, profile };
        let target = browser.ask("Target.createTarget", json!({"url": "about:blank"})).await;
        let target = target["targetId"].clone();
        let attach = json!({"targetId": target, "flatten": true});
        let session = browser.ask("Target.attachToTarget", attach).await;
        browser.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log"] {
            browser.ask(&format!("{domain}.enable"), json!({})).await;
        }
        Some(browser)
    }

    /// Ends the browser and removes its profile.
    pub(crate) async fn end(mut self) {
        let session = self.session.take();
        let _ = self.send("Browser.close", json!({}), session.as_deref()).await;
        let _ = tokio::time::timeout(LONG, self.child.wait()).await;
        let _ = self.child.kill().await;
        let _ = std::fs::remove_dir_all(&self.profile);
    }

    pub(crate) async fn open(&mut self, address: &str) {
        self.told.retain(|told| told["method"] != LOADED);
        let came = self.ask("Page.navigate", json!({"url": address})).await;
        assert!(came["errorText"].is_null(), "{address}: {came}");
        self.loaded().await;
    }

    /// Waits until a page is there that was asked for.
    pub(crate) async fn loaded(&mut self) {
        let read = async {
            loop {
                if let Some(at) = self.told.iter().position(|told| told["method"] == LOADED) {
                    self.told.remove(at);
                    return;
                }
                let told = self.read().await;
                self.told.push_back(told);
            }
        };
        tokio::time::timeout(LONG, read).await.expect("the page is loaded");
    }

    /// What an expression comes to on the page.
    pub(crate) async fn value(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let came = self.ask("Runtime.evaluate", asked).await;
        assert!(came["exceptionDetails"].is_null(), "{expression}: {came}");
        came["result"]["value"].clone()
    }

    pub(crate) async fn text(&mut self, selector: &str) -> String {
        let expression = format!("document.querySelector({selector:?})?.textContent ?? ''");
        self.value(&expression).await.as_str().unwrap().to_owned()
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&mut self, expression: &str) {
        let asked = async {
            while self.value(expression).await != true {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let came = tokio::time::timeout(LONG, asked).await.is_ok();
        let page = if came { String::new() } else { self.text("main").await };
        assert!(came, "never: {expression}, but {page}");
    }

    pub(crate) async fn look(&mut self, width: u32, scheme: &str) {
        let metrics =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", metrics).await;
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", media).await;
    }

    pub(crate) async fn stand_in(&mut self, zone: &str) {
        self.ask("Emulation.setTimezoneOverride", json!({"timezoneId": zone})).await;
    }

    pub(crate) async fn without_script(&mut self) {
        self.ask("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    }

    pub(crate) async fn press(&mut self, key: Key) {
        let (name, code, text) = match key {
            Key::Tab => ("Tab", 9, ""),
            Key::Enter => ("Enter", 13, "\r"),
            Key::Space => (" ", 32, " "),
            Key::Down => ("ArrowDown", 40, ""),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": name, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.ask("Input.dispatchKeyEvent", event).await;
        }
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.ask("Input.insertText", json!({"text": text})).await;
    }

    /// A click in the middle of an element.
    pub(crate) async fn click(&mut self, selector: &str) {
        let middle = format!(
            "(() => {{ const it = document.querySelector({selector:?}); it.scrollIntoView({{block: 'center'}}); \
             const at = it.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2]; }})()"
        );
        let at = self.value(&middle).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1});
            self.ask("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Keeps a picture, where the environment names a folder for it.
    pub(crate) async fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("OUTRIGGER_SCREENSHOTS") else { return };
        let asked = json!({"captureBeyondViewport": true, "format": "png"});
        let came = self.ask("Page.captureScreenshot", asked).await;
        let png = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            came["data"].as_str().unwrap(),
        );
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), png.unwrap()).unwrap();
    }

    /// What the browser's own log says: violations of the policy, failed loads, errors of the script.
    pub(crate) async fn log(&mut self) -> Vec<String> {
        // What was told before this answer has been read with it.
        self.value("0").await;
        let is_trouble = |told: &&Value| {
            matches!(
                told["method"].as_str(),
                Some("Log.entryAdded" | "Runtime.exceptionThrown" | "Runtime.consoleAPICalled")
            )
        };
        self.told.iter().filter(is_trouble).map(|told| told["params"].to_string()).collect()
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        let session = self.session.clone();
        self.send(method, params, session.as_deref()).await;
        let id = self.last_id;
        let answer = async {
            loop {
                let message = self.read().await;
                if message["id"] == id {
                    return message;
                }
                self.told.push_back(message);
            }
        };
        let answer = tokio::time::timeout(LONG, answer).await;
        let answer = answer.unwrap_or_else(|_| panic!("{method} is not answered"));
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    async fn send(&mut self, method: &str, params: Value, session: Option<&str>) {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await.expect("the browser runs");
    }

    async fn read(&mut self) -> Value {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == 0) {
                let message: Vec<u8> = self.unread.drain(..=end).collect();
                return serde_json::from_slice(&message[..end]).unwrap();
            }
            let read = self.from.read_buf(&mut self.unread).await.unwrap();
            assert!(read > 0, "the browser has ended");
        }
    }
}

const PROGRAMS: [&str; 3] =
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/// It asks nobody but the page.
const FLAGS: [&str; 11] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];
const LOADED: &str = "Page.loadEventFired";
/// Longer than anything takes on a machine that does other things.
const LONG: Duration = Duration::from_secs(60);
