//! What people do, what is recorded of it, and what is said afterwards.

use std::time::Duration;

use http::StatusCode;
use outrigger::BoxError;
use outrigger::console::ActResult;
use outrigger::event::SwitchMode;
use outrigger::outbox::{DeadReason, Message, Seal, Sealed, State, Timestamp};
use outrigger::rt::Rng;

use super::bench::{Bench, all};

#[tokio::test(start_paused = true)]
async fn a_kill_switch_is_thrown_with_a_reason_and_the_page_says_where_it_is() {
    let bench = Bench::new(all());
    let fields = [("to", "off"), ("until", "1h"), ("why", "they charge twice")];
    let done = bench.act("ada", "?integration=payments", "set", &fields).await;
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::Off);
    let page = bench.get("ada", done.location()).await.text;
    assert!(page.contains("the kill switch is at off"), "{page}");
    assert!(page.contains("they charge twice") && page.contains("ada"), "{page}");
    let overview = bench.get("bob", "").await.text;
    assert!(overview.contains("payments has been stopped"), "{overview}");
    assert!(overview.contains("Wanted until"), "{overview}");

    let acts = bench.recorded.lock().unwrap().clone();
    assert_eq!(acts[0].result, ActResult::Begun, "it is recorded before it runs");
    assert!(matches!(acts[1].result, ActResult::Done(_)), "{acts:?}");
    assert_eq!((acts[0].number, acts[1].number), (1, 1));
    assert_eq!(acts[0].until.unwrap(), acts[0].at + Duration::from_secs(3600));
}

#[tokio::test(start_paused = true)]
async fn a_switch_is_wanted_until_the_time_that_somebody_wrote_in_their_zone() {
    let bench = Bench::new(all());
    let fields = [("to", "off"), ("until", "at"), ("time", "18:00"), ("zone", "-120")];
    bench.act("ada", "?integration=payments", "set", &fields).await.location();
    let until = bench.recorded.lock().unwrap()[0].until.unwrap();
    assert_eq!(Timestamp::from(until).0 % 86_400_000, 16 * 3_600_000, "six in the evening there");
    let nonsense = [("to", "on"), ("until", "at"), ("time", "6 <b>o'clock</b>")];
    let refused = bench.act("ada", "?integration=payments", "set", &nonsense).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("is no time: write it as 18:00"), "{}", refused.text);
    assert!(refused.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::Off);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_set_back_needs_a_time_and_a_tick_is_a_yes() {
    let bench = Bench::new(all());
    for fields in [
        [("to", "off"), ("until", "open"), ("auto", "yes")],
        [("to", "off"), ("until", "1h"), ("auto", "no")],
    ] {
        let refused = bench.act("ada", "?integration=payments", "set", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    }
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::On);
    bench.dead(1).await;
    let forced = [("force", "false")];
    let refused = bench.act("ada", "?lane=mailer&state=dead", "replay_all", &forced).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
}

#[tokio::test(start_paused = true)]
async fn past_its_time_a_switch_stays_and_the_page_reminds() {
    let bench = Bench::new(all());
    bench
        .act("ada", "?integration=payments", "set", &[("to", "off"), ("until", "1h")])
        .await
        .location();
    tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::Off);
    let overview = bench.get("ada", "").await.text;
    assert!(overview.contains("Is the reason still true?"), "{overview}");
}

#[tokio::test(start_paused = true)]
async fn a_switch_is_set_back_at_its_time_only_where_that_was_asked_for_and_nobody_moved_it_since()
{
    let bench = Bench::new(all());
    let page = "?integration=payments";
    let fields = [("to", "off"), ("until", "1h"), ("auto", "yes")];
    bench.act("ada", page, "set", &fields).await.location();
    tokio::time::sleep(Duration::from_secs(3599)).await;
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::Off);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::On);

    bench.act("ada", page, "set", &fields).await.location();
    let later = [("to", "fallback-only"), ("until", "open")];
    bench.act("bob", page, "set", &later).await.location();
    tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::FallbackOnly);
}

#[tokio::test(start_paused = true)]
async fn a_switch_is_set_back_to_where_it_was_and_that_is_recorded() {
    let bench = Bench::new(all());
    let page = "?integration=payments";
    let until = |to| [("to", to), ("until", "1h"), ("auto", "yes")];
    bench.act("ada", page, "set", &[("to", "no-retries")]).await.location();
    bench.act("ada", page, "set", &until("off")).await.location();
    tokio::time::sleep(Duration::from_secs(1800)).await;
    // It is prolonged.
    bench.act("bob", page, "set", &until("off")).await.location();
    tokio::time::sleep(Duration::from_secs(1801)).await;
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::Off);
    tokio::time::sleep(Duration::from_secs(1800)).await;
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::NoRetries);
    let acts = bench.recorded.lock().unwrap().clone();
    let last = acts.last().unwrap();
    assert_eq!((last.who.as_str(), &last.result), ("the console", &ActResult::Done(String::new())));
    assert!(last.what.contains("back to no-retries") && last.why.contains("bob"), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_one_act_does_not_undo_another_that_wanted_the_same() {
    let bench = Bench::new(all());
    let page = "?integration=payments";
    let auto = [("to", "off"), ("until", "1h"), ("auto", "yes")];
    bench.act("ada", page, "set", &auto).await.location();
    bench.act("bob", page, "set", &[("to", "on")]).await.location();
    bench.act("bob", page, "set", &[("to", "off"), ("until", "1h")]).await.location();
    tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::Off);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_set_says_so_and_is_recorded() {
    let bench = Bench::new(all());
    let done = bench.act("ada", "?integration=payments", "set", &[("to", "sideways")]).await;
    let page = bench.get("ada", done.location()).await.text;
    assert!(page.contains("no position"), "{page}");
    assert!(matches!(bench.recorded.lock().unwrap()[1].result, ActResult::Failed(_)));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_without_a_reason() {
    let bench = Bench::new(all());
    for why in ["", "  ", "\u{200b}", "..."] {
        let fields = [("to", "off"), ("why", why)];
        let done = bench.act("ada", "?integration=payments", "set", &fields).await;
        assert_eq!(done.status, StatusCode::UNPROCESSABLE_ENTITY, "{why:?}");
        assert!(done.text.contains("say why"), "{}", done.text);
    }
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::On);
}

#[tokio::test(start_paused = true)]
async fn twenty_acts_a_minute_are_a_person_and_more_are_not() {
    let bench = Bench::new(all());
    for _ in 0..20 {
        bench.act("ada", "?integration=payments", "set", &[("to", "off")]).await.location();
    }
    let more = bench.act("ada", "?integration=payments", "set", &[("to", "on")]).await;
    assert_eq!(more.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::Off);
    // It is hers alone, and for a minute.
    bench.act("bob", "?integration=payments", "set", &[("to", "on")]).await.location();
    tokio::time::sleep(Duration::from_secs(61)).await;
    bench.act("ada", "?integration=payments", "set", &[("to", "off")]).await.location();
}

#[tokio::test(start_paused = true)]
async fn a_lane_is_paused_and_resumed() {
    let bench = Bench::new(all());
    let done = bench
        .act("ada", "?lane=mailer", "pause", &[("until", "day"), ("why", "they asked us")])
        .await;
    let page = bench.get("ada", done.location()).await.text;
    assert!(page.contains("Paused by") && page.contains("they asked us"), "{page}");
    let pause = bench.outbox.stats("mailer").await.unwrap().paused.unwrap();
    assert_eq!(pause.until.0 % 86_400_000, 0, "the end of a day");
    bench.act("ada", "?lane=mailer", "resume", &[]).await.location();
    assert_eq!(bench.outbox.stats("mailer").await.unwrap().paused, None);
    let open = [("until", "open")];
    bench.act("ada", "?lane=mailer", "pause", &open).await.location();
    assert_eq!(bench.outbox.stats("mailer").await.unwrap().paused.unwrap().until, Timestamp::NEVER);
}

#[tokio::test(start_paused = true)]
async fn one_dead_message_is_replayed_once_however_often_it_is_clicked() {
    let bench = Bench::new(all());
    let id = bench.dead(1).await[0];
    let page = format!("?message={id}");
    let form = bench.get("ada", &page).await.text;
    let form = super::bench::form_of(&form, "replay").unwrap();
    let (first, second) = tokio::join!(bench.post("ada", &form), bench.post("ada", &form));
    let pages =
        [bench.get("ada", first.location()).await, bench.get("ada", second.location()).await];
    let done = pages.iter().filter(|page| page.text.contains("replay: done")).count();
    assert_eq!(done, 1);
    let history = bench.outbox.history(id).await.unwrap().unwrap();
    assert_eq!(
        (history.message.progress.state, history.message.progress.replays),
        (State::Ready, 1)
    );
    assert_eq!(history.acts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn all_that_match_are_replayed_in_the_background_and_nothing_that_died_later() {
    let bench = Bench::new(all());
    let before = bench.dead(150).await;
    let page = bench.get("ada", "?lane=mailer&state=dead").await.text;
    assert!(page.contains("Send all 150 again"), "{page}");
    let form = super::bench::form_of(&page, "replay_all").unwrap();
    let after = bench.dead(5).await;
    let begun = bench.post("ada", &form).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let task = bench.get("ada", begun.location()).await.text;
    assert!(task.contains("150 changed") && task.contains("It is over"), "{task}");
    for (ids, state) in [(before, State::Ready), (after, State::Dead)] {
        for id in ids {
            let history = bench.outbox.history(id).await.unwrap().unwrap();
            assert_eq!(history.message.progress.state, state);
        }
    }
    let recorded = bench.recorded.lock().unwrap().clone();
    assert_eq!(
        recorded.last().unwrap().result,
        ActResult::Done(
            "150 changed, 5 left as they are (5 × it died after the page was made)".to_owned()
        )
    );
}

#[tokio::test(start_paused = true)]
async fn of_many_dead_messages_those_are_replayed_that_a_filter_finds() {
    let bench = Bench::new(all());
    let ids = bench.dead(30).await;
    let query = "?lane=mailer&state=dead&key=order+1&error=&within=day";
    let page = bench.get("ada", query).await.text;
    assert!(page.contains("Send all 11 again"), "{page}");
    assert!(page.contains(r#"name="key" value="order 1""#), "what was asked for stays: {page}");
    assert!(!page.contains("order 2"), "{page}");
    for nothing in ["&status=503", "&error=reset", "&key=mail"] {
        let page = bench.get("ada", &format!("?lane=mailer&state=dead{nothing}")).await.text;
        assert!(page.contains("None.") && !page.contains(" again"), "{nothing}: {page}");
    }
    let begun = bench.act("ada", query, "replay_all", &[]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let task = bench.get("ada", begun.location()).await.text;
    assert!(task.contains("11 changed") && task.contains("It is over"), "{task}");
    for (nth, id) in ids.into_iter().enumerate() {
        let replays = bench.outbox.history(id).await.unwrap().unwrap().message.progress.replays;
        assert_eq!(replays, u32::from(nth == 1 || (10..20).contains(&nth)), "order {nth}");
    }
    let recorded = bench.recorded.lock().unwrap().clone();
    assert_eq!(recorded[0].what, "lane mailer: replay all dead (key order 1, within day)");
}

#[tokio::test(start_paused = true)]
async fn messages_that_died_before_the_time_that_was_asked_for_stay() {
    let bench = Bench::new(all());
    bench.dead(2).await;
    tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    bench.dead(3).await;
    for (within, count) in [("hour", 3), ("day", 5), ("", 5)] {
        let page = bench.get("ada", &format!("?lane=mailer&state=dead&within={within}")).await.text;
        assert!(page.contains(&format!("Send all {count} again")), "{within}: {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_people_who_replay_the_same_do_it_once() {
    let bench = Bench::new(all());
    let ids = bench.dead(120).await;
    let mut forms = Vec::new();
    for who in ["ada", "bob"] {
        let page = bench.get(who, "?lane=mailer&state=dead").await.text;
        forms.push((who, super::bench::form_of(&page, "replay_all").unwrap()));
    }
    for (who, form) in forms {
        bench.post(who, &form).await.location();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for id in ids {
        let history = bench.outbox.history(id).await.unwrap().unwrap();
        assert_eq!(history.message.progress.replays, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn to_give_many_up_their_number_has_to_be_typed() {
    let bench = Bench::new(all());
    bench.dead(3).await;
    let page = "?lane=mailer&state=dead&reason=expired";
    let wrong = bench.act("ada", page, "discard_all", &[("count", "2")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(bench.outbox.stats("mailer").await.unwrap().dead[&DeadReason::Expired], 3);
    bench.act("ada", page, "discard_all", &[("count", " 3 ")]).await.location();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.outbox.stats("mailer").await.unwrap().dead_in_all(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_corrected_message_takes_the_place_of_the_dead_one() {
    let bench = Bench::new(all());
    let id = bench.dead(1).await[0];
    let done = bench
        .act("ada", &format!("?message={id}"), "edit", &[("body", "to=bob@example.com")])
        .await;
    let page = bench.get("ada", done.location()).await.text;
    assert!(page.contains("the corrected message is"), "{page}");
    let old = bench.outbox.history(id).await.unwrap().unwrap().message;
    let new =
        bench.outbox.history(old.progress.replaced_by.unwrap()).await.unwrap().unwrap().message;
    assert_eq!(new.content.body, "to=bob@example.com");
    assert_eq!(new.content.uri, old.content.uri);
    assert_ne!(new.content.idempotency_key, old.content.idempotency_key);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_shown_redacted_until_somebody_with_a_reason_reveals_it() {
    let bench = Bench::new(all());
    let id = bench.dead(1).await[0];
    let page = format!("?message={id}");
    assert!(!bench.get("ada", &page).await.text.contains("ada@example.com"));
    let shown = bench.act("ada", &page, "reveal", &[("why", "the customer asks")]).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.text.contains("to=ada@example.com"), "{}", shown.text);
    assert_eq!(bench.recorded.lock().unwrap()[0].what, format!("message {id}: reveal"));
    // It is on that page alone.
    assert!(!bench.get("ada", &page).await.text.contains("ada@example.com"));
}

#[tokio::test(start_paused = true)]
async fn what_people_did_is_a_page_and_a_table_for_spreadsheets() {
    let bench = Bench::new(all());
    let fields = [("to", "off"), ("why", "=cmd|'/c calc'!A1")];
    bench.act("ada", "?integration=payments", "set", &fields).await.location();
    let page = bench.get("bob", "?acts").await.text;
    assert!(page.contains("payments: kill_switch to off"), "{page}");
    let csv = bench.get("bob", "?acts=csv").await;
    assert!(csv.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let line = csv.text.lines().nth(1).unwrap();
    assert!(line.contains("\"'=cmd|"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn an_act_whose_record_fails_is_not_run() {
    let bench = Bench::with(all(), |console| {
        console.record_to(|_: &outrigger::console::ConsoleAct| panic!("the log is full"))
    });
    let done = bench.act("ada", "?integration=payments", "set", &[("to", "off")]).await;
    assert_eq!(done.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::On);
}

#[tokio::test(start_paused = true)]
async fn a_corrected_body_keeps_its_ends_of_lines_and_what_is_no_text_has_no_form() {
    let bench = Bench::new(all());
    let id = bench.dead(1).await[0];
    let page = format!("?message={id}");
    bench.act("ada", &page, "edit", &[("body", "to=bob\r\nsubject=hi")]).await.location();
    let old = bench.outbox.history(id).await.unwrap().unwrap().message;
    let new = old.progress.replaced_by.unwrap();
    let new = bench.outbox.history(new).await.unwrap().unwrap().message;
    assert_eq!(new.content.body, "to=bob\nsubject=hi");

    let image = Message::post("http://mail.test/send").lane("mailer").body(vec![0xff, 0xd8]);
    let image = bench.outbox.enqueue(image.deadline(Duration::from_secs(1))).await.unwrap().id;
    bench.dead(1).await;
    let page = bench.get("ada", &format!("?message={image}")).await.text;
    assert!(super::bench::form_of(&page, "edit").is_none(), "{page}");
    assert!(page.contains("isn't text"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn what_is_sealed_by_a_key_that_is_not_here_is_not_corrected() {
    /// Its bytes are text, as those of some vaults are.
    struct Vault;
    impl Seal for Vault {
        fn seal(&self, _: &[u8], _: &[u8]) -> Result<Sealed, BoxError> {
            Ok(Sealed { key: "k1".into(), bytes: b"vault:v1:abc".to_vec() })
        }
        fn open(&self, _: &str, _: &[u8], _: &[u8]) -> Result<Vec<u8>, BoxError> {
            Err("it isn't here".into())
        }
    }
    let bench = Bench::new(all());
    let store = bench.outbox.store();
    let new = Message::post("http://mail.test/send").body("1").deadline(Duration::from_secs(1));
    let new = new.build("mailer", store.now().await.unwrap(), &Rng::seeded(7)).unwrap();
    let id = new.content.id;
    store.enqueue(vec![new.sealed(&Vault).unwrap()]).await.unwrap();
    let other = bench.dead(1).await[0];
    let page = bench.get("ada", &format!("?message={id}")).await.text;
    assert!(super::bench::form_of(&page, "edit").is_none(), "{page}");
    assert!(page.contains("doesn&#39;t open it") || page.contains("doesn't open it"), "{page}");
    // The form of another message's page, with this one's id.
    let fields = [("message", &*id.to_string()), ("body", "to=bob")];
    let done = bench.act("ada", &format!("?message={other}"), "edit", &fields).await;
    let told = bench.get("ada", done.location()).await.text;
    assert!(told.contains("edit: failed: it is sealed by the key"), "{told}");
    let message = bench.outbox.history(id).await.unwrap().unwrap().message;
    assert_eq!(message.progress.replaced_by, None);
}
