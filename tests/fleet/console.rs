//! A console of one instance, which steers all.

use http::header::{CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use outrigger::Body;
use outrigger::console::{Access, Actor, Console, Right, Scope};
use outrigger::control::Registry;
use outrigger::event::SwitchMode;
use outrigger::fleet::Fleet;
use outrigger::outbox::postgres::PostgresPool;
use tower::ServiceExt;

use crate::bench::{Instance, PATIENCE, Place, named, payments, until};
use crate::foreign::{Foreign, english_on};
use crate::server::Server;

/// Who is named by a header. Only Ada steers, and sees what is secret.
struct AdaSteers;

impl Access for AdaSteers {
    fn actor(&self, request: &Parts) -> Option<Actor> {
        let name = request.headers.get("x-user")?.to_str().ok()?;
        Some(Actor { name: name.to_owned() })
    }

    fn may(&self, actor: &Actor, right: Right, scope: Scope<'_>) -> bool {
        let is_secret = matches!(scope, Scope::Integration("secret"));
        (right == Right::Look && !is_secret) || actor.name == "ada"
    }
}

pub(crate) struct Pages(Console);

impl Pages {
    pub(crate) fn of(instance: &Instance) -> Self {
        Self(Console::builder(&instance.registry, AdaSteers).build().unwrap())
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Response<Body> {
        self.0.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, who: &str, page: &str) -> String {
        let request = Request::get(format!("/{page}")).header("x-user", who);
        let answer = self.ask(request.body(Body::empty()).unwrap()).await;
        answer.into_body().text().await.unwrap()
    }

    /// Sends the form that moves the kill switch.
    async fn set(&self, who: &str, token: &str, to: &str) -> Response<Body> {
        self.set_one(who, token, "payments&control=kill_switch", to).await
    }

    async fn set_one(&self, who: &str, token: &str, of: &str, to: &str) -> Response<Body> {
        let form = format!(
            "act=set&token={token}&integration={of}&to={to}&of_all=yes&until=open&why=%3Ci%3E"
        );
        self.post(who, form).await
    }

    pub(crate) async fn post(&self, who: &str, form: String) -> Response<Body> {
        let request = Request::post("/")
            .header("x-user", who)
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(form)).unwrap()).await
    }
}

/// The token of the forms that set something.
fn token(page: &str) -> &str {
    token_of(page, "set")
}

pub(crate) fn token_of<'p>(page: &'p str, act: &str) -> &'p str {
    let act = format!(r#"name="act" value="{act}""#);
    let (_, form) = page.split_once(&act).expect("a form");
    let (_, token) = form.split_once(r#"name="token" value=""#).expect("a token");
    token.split('"').next().unwrap()
}

#[tokio::test]
async fn an_act_sets_a_control_of_all_instances_and_the_page_says_who_obeys() {
    let Some(place) = Place::new().await else { return };
    let (one, other) = (place.instance("web-1").await, place.instance("<b>web-2").await);
    until("both are there", async || {
        one.fleet.instances().await.unwrap().to_string() == "2 of 2 obey"
    })
    .await;
    let pages = Pages::of(&one);
    let page = pages.get("ada", "?integration=payments").await;
    assert!(page.contains("What is set here is set for all instances."), "{page}");
    assert!(page.contains("the kill switch of all instances to"), "{page}");

    // Nobody else may, and a form of somebody else's isn't taken.
    let token = token(&page).to_owned();
    assert_eq!(pages.set("bob", &token, "off").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(pages.set("ada", "forged", "off").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(one.fleet.instances().await.unwrap().revision, 0);

    let done = pages.set("ada", &token, "off").await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let to = done.headers()[LOCATION].to_str().unwrap().to_owned();
    let page = pages.get("ada", &to).await;
    assert!(page.contains("payments: kill_switch to off on all instances: done"), "{page}");
    let said = "the kill switch is to be at off on all instances: 2 of 2 obey";
    assert!(page.contains(said), "{page}");
    assert_eq!(other.mode(), SwitchMode::Off);
    let position = other.payments.kill_switch().position();
    assert_eq!((position.who(), position.why()), (Some("ada"), Some("<i>")));

    one.payments.kill_switch().set(SwitchMode::On, "<script>", "here");
    until("it is told", async || one.fleet.instances().await.unwrap().disobeying().count() == 1)
        .await;
    let page = pages.get("bob", "?instances").await;
    assert!(page.contains("1 of 2 obey; web-1 disobeys for"), "{page}");
    assert!(
        page.contains(
            "set to &quot;on&quot; on the spot by &lt;script&gt;; the fleet says &quot;off&quot;"
        ),
        "{page}"
    );
    assert!(page.contains("the kill switch") && page.contains("&lt;i&gt;"), "{page}");
    assert!(page.contains("&lt;b&gt;web-2") && !page.contains("<b>web-2"), "{page}");
    let page = pages.get("bob", "").await;
    assert!(page.contains("This instance doesn't obey its fleet"), "{page}");
    // The same for robots.
    let request = Request::get("/?instances").header("x-user", "bob");
    let request = request.header("accept", "application/json").body(Body::empty()).unwrap();
    let text = pages.ask(request).await.into_body().text().await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["instances"][1]["troubles"][0]["of"], "kill_switch", "{json}");
    let told = &json["told"][0];
    assert_eq!((&told["says"], &told["who"]), (&"off".into(), &"ada".into()), "{json}");
}

#[tokio::test]
async fn the_page_of_all_instances_is_in_the_hosts_language() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let set = one.fleet.set("payments", "kill_switch", "off", "ada", "ada");
    one.fleet.wait_obeyed(set.await.unwrap(), PATIENCE).await.unwrap();
    let console = Console::builder(&one.registry, AdaSteers).words(Foreign::new(false));
    let pages = Pages(console.build().unwrap());
    let known = "outrigger ada payments i on off fallback-only cache-only no-retries automatic open closed web UTC TOML s ms";
    let host = one.fleet.instances().await.unwrap().instances[0].host.clone();
    let token = token(&pages.get("ada", "?integration=payments").await).to_owned();
    let done = pages.set("ada", &token, "off").await;
    let note = done.headers()[LOCATION].to_str().unwrap();
    for page in ["?instances", "", "?integration=payments", "?settings=payments", note] {
        let page = pages.get("ada", page).await;
        assert!(page.contains("payments") && page.contains("x-wide"), "{page}");
        let left = english_on(&page.replace(&host, ""), known);
        assert!(left.is_empty(), "{}\n{page}", left.join("\n"));
    }
}

#[tokio::test]
async fn whoever_may_not_look_at_an_integration_does_not_see_what_its_instances_are_told() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let secret = named("secret", &one.registry);
    let set = one.fleet.set("secret", "kill_switch", "off", "ada", "the takeover");
    let revision = set.await.unwrap();
    one.fleet.wait_obeyed(revision, PATIENCE).await.unwrap();
    secret.kill_switch().set(SwitchMode::On, "ada", "here");
    until("it is told", async || one.fleet.instances().await.unwrap().disobeying().count() == 1)
        .await;
    let pages = Pages::of(&one);
    for (who, sees) in [("ada", true), ("bob", false)] {
        let page = pages.get(who, "?instances").await;
        assert!(page.contains("web-1 disobeys for"), "{page}");
        for text in ["secret", "the takeover"] {
            assert_eq!(page.contains(text), sees, "{who} and {text}: {page}");
        }
    }
    let token = token(&pages.get("ada", "?integration=payments").await).to_owned();
    let done = pages.set("ada", &token, "off").await;
    let page = pages.get("ada", done.headers()[LOCATION].to_str().unwrap()).await;
    assert!(page.contains("web-1 disobeys for") && !page.contains("secret"), "{page}");
}

#[tokio::test]
async fn a_name_that_no_instance_has_is_not_stored_and_the_page_says_which_was_meant() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let pages = Pages::of(&one);
    let token = token(&pages.get("ada", "?integration=payments").await).to_owned();
    for (of, to, said) in [
        ("payments&control=kill_swich", "off", "did you mean &quot;kill_switch&quot;?"),
        ("payments&control=kill_switch", "of", "&quot;of&quot; of kill_switch: use one of on, "),
        ("payment&control=kill_switch", "off", "no instance has this integration"),
    ] {
        let done = pages.set_one("ada", &token, of, to).await;
        let act = done.headers()[LOCATION].to_str().unwrap().split("done=").nth(1).unwrap();
        let page = pages.get("ada", &format!("?integration=payments&done={act}")).await;
        assert!(page.contains(said), "{act}: {page}");
    }
    assert_eq!(one.fleet.instances().await.unwrap().revision, 0);
}

#[tokio::test]
async fn while_the_database_is_away_an_act_is_not_done_and_says_so() {
    let Some(server) = Server::start() else { return };
    let pool = PostgresPool::no_tls(&server.connection_string()).unwrap();
    let registry = Registry::new();
    let payments = payments(&registry);
    let fleet = Fleet::postgres(&registry, &pool).build();
    fleet.migrate().await.unwrap();
    server.down();
    let pages = Pages(Console::builder(&registry, AdaSteers).build().unwrap());
    let page = pages.get("ada", "?integration=payments").await;
    assert!(page.contains("This instance hasn't heard its fleet yet"), "{page}");
    let done = pages.set("ada", token(&page), "off").await;
    let page = pages.get("ada", done.headers()[LOCATION].to_str().unwrap()).await;
    assert!(page.contains("failed: postgresql can't be reached"), "{page}");
    assert!(page.contains("it isn't set here either"), "{page}");
    assert_eq!(payments.kill_switch().mode(), SwitchMode::On);
    let page = pages.get("ada", "?instances").await;
    assert!(page.contains("The fleet's database can't be asked: "), "{page}");
}

#[tokio::test]
async fn what_a_page_said_is_for_all_is_not_done_by_one_when_the_fleet_is_gone() {
    let Some(place) = Place::new().await else { return };
    let registry = Registry::new();
    let payments = payments(&registry);
    let fleet = place.fleet(&registry, "web-1");
    let pages = Pages(Console::builder(&registry, AdaSteers).build().unwrap());
    let page = pages.get("ada", "?integration=payments").await;
    assert!(page.contains(r#"name="of_all" value="yes""#), "{page}");
    drop(fleet);
    let done = pages.set("ada", token(&page), "off").await;
    let page = pages.get("ada", done.headers()[LOCATION].to_str().unwrap()).await;
    assert!(page.contains("this process has no fleet any more"), "{page}");
    assert!(!page.contains(r#"name="of_all""#), "{page}");
    assert_eq!(payments.kill_switch().mode(), SwitchMode::On);
}

#[tokio::test]
async fn without_a_fleet_there_is_no_such_page() {
    let registry = outrigger::control::Registry::new();
    let pages = Pages(Console::builder(&registry, AdaSteers).build().unwrap());
    assert!(!pages.get("ada", "").await.contains("?instances"));
    let _payments = payments(&registry);
    for page in ["?instances", "?settings=payments"] {
        assert_eq!(pages.get("ada", page).await.trim(), "There is no such page.");
    }
    assert!(!pages.get("ada", "?integration=payments").await.contains("?settings"));
}
