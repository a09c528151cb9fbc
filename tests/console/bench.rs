//! A console over two integrations and an outbox in memory, and a person with a browser.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use outrigger::console::{
    Access, Actor, Console, ConsoleAct, ConsoleBuilder, Recent, Right, Scope,
};
use outrigger::control::Registry;
use outrigger::outbox::{MemoryStore, Message, MessageId, Outbox};
use outrigger::rt::Clock;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};
use tower::ServiceExt;

/// Who is named by a header, and may do what a test says.
pub(crate) struct Named(pub(crate) fn(&str, Right, Scope<'_>) -> bool);

impl Access for Named {
    fn actor(&self, request: &Parts) -> Option<Actor> {
        let name = request.headers.get("x-user")?.to_str().ok()?;
        Some(Actor { name: name.to_owned() })
    }

    fn may(&self, actor: &Actor, right: Right, scope: Scope<'_>) -> bool {
        self.0(&actor.name, right, scope)
    }
}

/// Everybody may do everything.
pub(crate) fn all() -> Named {
    Named(|_, _, _| true)
}

/// All that a test's console is about.
pub(crate) struct Bench {
    pub(crate) payments: Integration,
    /// The status that the provider of payments answers; 0 refuses connections.
    pub(crate) status: Arc<AtomicU16>,
    pub(crate) outbox: Outbox,
    pub(crate) console: Console,
    /// How many messages it has enqueued.
    pub(crate) enqueued: AtomicUsize,
    pub(crate) recorded: Arc<Mutex<Vec<ConsoleAct>>>,
}

/// What a browser got.
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Bench {
    pub(crate) fn new(access: impl Access) -> Self {
        Self::with(access, |console| console)
    }

    pub(crate) fn with(
        access: impl Access,
        more: impl FnOnce(ConsoleBuilder) -> ConsoleBuilder,
    ) -> Self {
        // It goes with the paused time, from now on.
        let clock = Clock::anchored(Clock::system().wall());
        let recent = Recent::new().clock(clock);
        let registry = Registry::new().subscriber(recent.clone());
        let status = Arc::new(AtomicU16::new(200));
        let answers = Arc::clone(&status);
        let provider = Script::by(move |_| match answers.load(Ordering::Relaxed) {
            0 => Answer::refused(),
            status => Answer::status(status),
        });
        let payments = Integration::user_flow("payments").service(provider);
        let payments = payments.register(&registry).build().unwrap();
        let mailer = Integration::background("mailer").service(Script::new([Answer::status(200)]));
        let mailer = mailer.register(&registry).build().unwrap();
        let store = MemoryStore::new().clock(clock);
        let outbox = Outbox::with_store(store).clock(clock).lane(&mailer).build().unwrap();
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let records = Arc::clone(&recorded);
        let console = Console::builder(&registry, access)
            .recent(recent)
            .outbox(outbox.clone())
            .clock(clock)
            .record_to(move |act: &ConsoleAct| records.lock().unwrap().push(act.clone()));
        let console = more(console).build().unwrap();
        Self { payments, status, outbox, console, enqueued: AtomicUsize::new(0), recorded }
    }

    pub(crate) async fn get(&self, who: &str, query: &str) -> Got {
        let request = Request::get(format!("/{query}")).header("x-user", who);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form that stands on a page, with other values for some of its fields.
    pub(crate) async fn act(
        &self,
        who: &str,
        page: &str,
        act: &str,
        fields: &[(&str, &str)],
    ) -> Got {
        let page = self.get(who, page).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let mut form =
            form_of(&page.text, act).unwrap_or_else(|| panic!("no form {act:?} on {}", page.text));
        form.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.post(who, &form).await
    }

    pub(crate) async fn post(&self, who: &str, form: &BTreeMap<String, String>) -> Got {
        let request = Request::post("/")
            .header("x-user", who)
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(encode(form)));
        self.send(request.unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Got {
        let response: Response<Body> = self.console.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        Got { status: head.status, headers: head.headers, text: body.text().await.unwrap() }
    }

    /// So many messages of the mailer that a provider has refused.
    pub(crate) async fn dead(&self, count: usize) -> Vec<MessageId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let number = self.enqueued.fetch_add(1, Ordering::Relaxed);
            let mail =
                Message::post("http://mail.test/send").lane("mailer").body("to=ada@example.com");
            let mail = mail.dedup_key(format!("order {number}")).deadline(Duration::from_secs(1));
            ids.push(self.outbox.enqueue(mail).await.unwrap().id);
        }
        // Nobody delivers them in time.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let store = self.outbox.store();
        while store.reap(1_000).await.unwrap().has_more {}
        ids
    }
}

impl Got {
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers[LOCATION].to_str().unwrap()
    }
}

/// The hidden fields of the form that does this.
pub(crate) fn form_of(page: &str, act: &str) -> Option<BTreeMap<String, String>> {
    let marked = format!("name=\"act\" value=\"{act}\"");
    let form = page.split("<form").find(|form| form.contains(&marked))?;
    let form = form.split("</form>").next()?;
    let mut fields = BTreeMap::from([("why".to_owned(), "a test".to_owned())]);
    for input in form.split("<input type=\"hidden\"").skip(1) {
        let value = |name: &str| input.split(&format!("{name}=\"")).nth(1)?.split('"').next();
        fields.insert(value("name")?.to_owned(), value("value")?.replace("&amp;", "&"));
    }
    Some(fields)
}

pub(crate) fn encode(form: &BTreeMap<String, String>) -> String {
    serde_urlencoded::to_string(form).unwrap()
}
