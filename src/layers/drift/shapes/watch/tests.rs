use proptest::prelude::*;
use serde_json::json;

use super::super::file::Shapes;
use super::super::learned::ShapeKey;
use super::super::node::MOST_PLACES;
use super::*;
use crate::rt;

/// A year of answers, one a minute.
struct Year {
    watch: Watch,
    config: ShapeConfig,
    now: Instant,
}

impl Year {
    fn new() -> Self {
        let now = rt::now();
        Self { watch: Watch::new(now), config: ShapeConfig::new(), now }
    }

    fn take(&mut self, answer: &Value) -> Vec<String> {
        self.now += Duration::from_secs(60);
        let answer = Seen::of(answer, self.watch.known());
        let changes = self.watch.take(answer, &self.config, self.now);
        changes.iter().map(|it| format!("{} {}", it.kind.name(), it.detail())).collect()
    }

    /// What is told over so many answers.
    fn over(&mut self, answers: u64, answer: impl Fn(u64) -> Value) -> Vec<String> {
        (0..answers).flat_map(|number| self.take(&answer(number))).collect()
    }

    fn is_frozen(&self) -> bool {
        matches!(self.watch.stage, Stage::Frozen(_))
    }
}

/// A draw of 0 to 99 that is the same each time.
fn draw(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33 & 0xFFFF_FFFF
}

fn order(number: u64) -> Value {
    let states = ["open", "paid", "sent"];
    json!({
        "id": format!("A-{number}"),
        "state": states[number as usize % 3],
        "total": number,
        "lines": [{ "price": 1, "name": "a thing" }, { "price": 2.5 }],
    })
}

#[test]
fn a_shape_is_learned_from_200_answers_of_an_hour_at_least() {
    let mut year = Year::new();
    assert_eq!(year.over(199, order), [""; 0]);
    assert!(!year.is_frozen());
    year.over(1, order);
    assert!(year.is_frozen(), "of 200 minutes");

    let mut busy = Year::new();
    for _ in 0..500 {
        busy.now -= Duration::from_secs(50);
        busy.take(&order(1));
    }
    assert!(busy.is_frozen(), "of 83 minutes");
    let mut minute = Year::new();
    for _ in 0..500 {
        minute.now -= Duration::from_secs(60);
        minute.take(&order(1));
    }
    assert!(!minute.is_frozen(), "of one instant");
}

#[test]
fn what_changes_is_told_once() {
    let mut year = Year::new();
    year.over(200, order);
    assert_eq!(year.over(500, order), [""; 0]);

    let text =
        |number| json!({ "id": "A", "state": "open", "total": format!("{number}"), "lines": [] });
    let was = "type_changed /total (string, before: number)";
    assert_eq!(year.over(300, text), [was]);
    let null = |_| json!({ "id": "A", "state": null, "total": 1, "lines": [{ "price": null }] });
    assert_eq!(year.over(100, null), ["new_null /lines/*/price", "new_null /state"]);
    let other = |_| json!({ "id": "A", "state": "lost", "total": 1, "lines": [{ "price": 1 }] });
    assert_eq!(year.over(100, other), ["new_value /state"]);
    let list = |_| json!([order(1)]);
    assert_eq!(year.over(100, list), ["type_changed the whole body (array, before: object)"]);
}

#[test]
fn a_field_is_gone_after_200_answers_in_a_row_without_it() {
    let mut year = Year::new();
    year.over(200, order);
    let without = |_| json!({ "id": "A", "state": "open", "lines": [{ "price": 1 }] });
    assert_eq!(year.over(199, without), [""; 0]);
    assert_eq!(year.over(1, order), [""; 0], "it is back");
    assert_eq!(year.over(199, without), [""; 0]);
    assert_eq!(
        year.over(100, |_| json!("no order")),
        ["type_changed the whole body (string, before: object)"]
    );
    assert_eq!(year.over(500, without), ["field_gone /total"]);
}

#[test]
fn a_new_field_is_told_when_a_tenth_of_the_answers_have_it() {
    let mut year = Year::new();
    year.over(200, order);
    let with = |number| {
        let mut order = order(number);
        order["tax"] = json!({ "rate": 0.2, "country": "fr" });
        order
    };
    assert_eq!(year.over(19, with), [""; 0]);
    assert_eq!(year.over(500, with), ["new_field /tax"]);
}

#[test]
fn an_optional_field_is_no_alarm_however_seldom_it_is() {
    for percent in [1, 2, 3, 50, 99] {
        let mut year = Year::new();
        let optional = |number| {
            let mut order = order(number);
            if draw(number * 7 + percent) % 100 < percent {
                order["note"] = "leave it at the door".into();
                order["lines"][0]["discount"] = 1.into();
            }
            order
        };
        assert_eq!(year.over(4_000, optional), [""; 0], "{percent} %");
    }
}

#[test]
fn a_map_keyed_by_ids_is_no_new_field_each_time() {
    let maps: [fn(u64) -> String; 5] = [
        |number| number.to_string(),
        |number| format!("{number:08x}-7c3a-4f1e-9d55-2b1f0c8e6a{:02x}", number % 256),
        |number| format!("cus_9s6XKzkNRiz8i{number}"),
        |number| format!("2026-11-{:02}", number % 30),
        |number| format!("ada{number}@example.com"),
    ];
    for key in maps {
        let mut year = Year::new();
        let map = |number| json!({ "by_id": { key(number): { "price": 1 }, key(number + 1): { "price": 2 } } });
        assert_eq!(year.over(1_000, map), [""; 0], "{}", key(7));
        let other = |number| json!({ "by_id": { key(number): { "price": "1" } } });
        let told = year.over(10, other);
        assert_eq!(told, ["type_changed /by_id/{}/price (string, before: number)"], "{}", key(7));
    }
}

#[test]
fn an_object_of_over_fifty_keys_is_a_map() {
    let mut year = Year::new();
    let name = |number: u64| ["a", "b", "c", "d", "e", "f", "g", "h"][number as usize % 8];
    let key = |number: u64| format!("{}{}{}", name(number), name(number / 8), name(number / 64));
    let map = |number| json!({ "rates": { key(number): 1.5, key(number + 17): 2 } });
    year.over(200, map);
    assert_eq!(year.over(1_000, map), [""; 0]);
    assert!(year.watch.shape.find("/rates/{}").is_some());
}

#[test]
fn texts_that_are_free_are_no_words_and_names_are_never_kept() {
    let mut year = Year::new();
    let texts = ["Ada Lovelace", "Grace Hopper"];
    let customer =
        |number: u64| json!({ "name": texts[number as usize % 2], "code": number.to_string() });
    year.over(200, customer);
    assert_eq!(year.over(10, |_| json!({ "name": "Mary Somerville", "code": "x" })), [""; 0]);
    let key = ShapeKey::parse("GET /v1/customers/{id} 2xx").unwrap();
    let file = Shapes::of([(key, year.watch.shape())].into_iter()).to_json();
    assert!(!file.contains("Ada") && !file.contains("words"), "{file}");
}

#[test]
fn ten_answers_in_a_second_are_looked_at_and_then_every_tenth() {
    let now = rt::now();
    let mut watch = Watch::new(now);
    let looked = |watch: &mut Watch, now| (0..100).filter(|_| watch.samples(now)).count();
    assert_eq!(looked(&mut watch, now), 10 + 9);
    assert_eq!(looked(&mut watch, now + SECOND), 10 + 9);
}

#[test]
fn a_shape_has_two_thousand_places_at_most() {
    let mut year = Year::new();
    let name =
        |number: u64| format!("k{}", ["a", "b", "c", "d", "e", "f", "g"][number as usize % 7]);
    let deep = |number: u64| {
        let mut value = json!(1);
        for level in 0..6 {
            value = json!({ name(number / 7_u64.pow(level)): value });
        }
        value
    };
    year.over(6_000, deep);
    let places = year.watch.shape.places();
    assert!((1_900..=2_001).contains(&places), "{places}");
}

#[test]
fn one_answers_word_at_a_new_place_is_neither_kept_nor_an_alarm() {
    let mut year = Year::new();
    year.over(200, order);
    let with = |note: &'static str| {
        move |number| {
            let mut order = order(number);
            order["code"] = json!({ "of": [note] });
            order
        }
    };
    assert_eq!(year.over(1, with("gift_card")), [""; 0]);
    assert_eq!(year.over(18, with("voucher")), [""; 0]);
    assert_eq!(year.over(10, with("coupon")), ["new_field /code"]);
    let key = ShapeKey::parse("GET /v1/orders/{id} 2xx").unwrap();
    let file = Shapes::of([(key, year.watch.shape())].into_iter());
    assert!(!file.to_json().contains("gift_card") && file.to_json().contains("/code/of/*"));

    // Where a file has no words, anything may stand.
    let text = r#"{ "version": 1, "shapes": { "GET /v1/orders/{id} 2xx": {
        "": { "types": ["object"] }, "/state": { "types": ["string"] }, "/total": { "types": ["number"] }
    } } }"#;
    let shapes = Shapes::from_json(text).unwrap();
    let (_, node) = shapes.each().next().unwrap();
    year.watch = Watch::frozen(node.clone(), year.now);
    year.over(1, |_| json!({ "state": "open", "other": 1 }));
    assert_eq!(year.over(5, |_| json!({ "state": "paid" })), [""; 0]);
}

#[test]
fn an_object_with_fields_stays_one_when_an_id_or_many_keys_come() {
    let mut year = Year::new();
    year.over(200, order);
    let id = |number: u64| {
        let mut order = order(number);
        order[format!("cus_9s6XKzkNRiz8i{number}")] = 1.into();
        order
    };
    assert_eq!(year.over(5, id), [""; 0]);
    let many = |number: u64| {
        let mut order = order(number);
        for at in 0..60 {
            let letters = ["a", "b", "c", "d", "e", "f", "g", "h"];
            order[format!("k{}{}", letters[at / 8], letters[at % 8])] = 1.into();
        }
        order
    };
    year.over(5, many);
    let text = |_| json!({ "id": "A", "state": "open", "total": "1", "lines": [] });
    assert_eq!(year.over(1, text), ["type_changed /total (string, before: number)"]);
    assert!(year.watch.shape.find("/{}").is_none());
    assert!(year.watch.shape.fields.len() <= 50);
}

#[test]
fn annotations_and_names_with_a_namespace_are_fields() {
    let mut year = Year::new();
    let odata = |number: u64| json!({ "owner@odata.type": "x", "Owner@odata.bind": 1, "og:title": 1, "n": number });
    year.over(200, odata);
    for pointer in ["/owner@odata.type", "/Owner@odata.bind", "/og:title", "/n"] {
        assert!(year.watch.shape.find(pointer).is_some(), "{pointer}");
    }
    for key in
        ["ada@example.com", "localhost:8080", "fe80::1", "12:30", "user:42", "aa:bb:cc:dd:ee:ff"]
    {
        assert!(crate::redact::is_id_key(key), "{key}");
    }
}

#[test]
fn words_take_places() {
    let mut year = Year::new();
    let letter = |number: usize| ["a", "b", "c", "d", "e", "f", "g", "h"][number % 8];
    let word = |number: u64| {
        let field = |at: usize| {
            (
                format!("k{}{}", letter(at), letter(at / 8)),
                json!(format!("w_{}{}", letter(number as usize), letter(number as usize / 8))),
            )
        };
        let object = || (0..40).map(field).collect::<Value>();
        json!({ "a": object(), "b": object(), "c": object() })
    };
    // 120 fields with 20 words each are over 2,000.
    (0..20).for_each(|number| drop(year.take(&word(number))));
    assert!(year.watch.shape.places() <= MOST_PLACES + 1, "{}", year.watch.shape.places());
    assert!(year.watch.shape.places() > 120);
}

/// Answers of one endpoint: some fields are optional, some have several types.
fn answers() -> impl Strategy<Value = Vec<Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z]{1,6}".prop_map(Value::from),
        "(open|paid|sent)".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop_oneof![4 => "[a-d]", 1 => "[0-9]{1,5}", 1 => "k[a-z][a-z]"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    });
    proptest::collection::vec(value, 1..40)
}

fn learned(answers: &[Value]) -> Watch {
    let config = ShapeConfig::new().answers(answers.len() as u32).time(Duration::ZERO);
    let now = rt::now();
    let mut watch = Watch::new(now);
    for answer in answers {
        assert_eq!(watch.take(Seen::of(answer, None), &config, now), []);
    }
    assert!(matches!(watch.stage, Stage::Frozen(_)));
    watch
}

proptest! {
    #[test]
    fn the_same_answers_in_any_order_freeze_the_same_shape(
        (answers, shuffled) in answers().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
    ) {
        prop_assert_eq!(learned(&answers).shape, learned(&shuffled).shape);
    }

    #[test]
    fn answers_like_those_it_was_learned_from_are_no_alarm(
        answers in answers(),
        again in proptest::collection::vec(any::<proptest::sample::Index>(), 1..200),
    ) {
        let mut watch = learned(&answers);
        // Whether a field is gone can't be told by fewer answers than it was learned from.
        let config = ShapeConfig::new().answers(201);
        for index in again {
            let answer = Seen::of(index.get(&answers), watch.known());
            let told = watch.take(answer, &config, rt::now());
            prop_assert_eq!(told, []);
        }
    }

    #[test]
    fn a_shape_comes_back_from_its_file(answers in answers()) {
        let key = ShapeKey::parse("GET /v1/orders/{id} 2xx").unwrap();
        let shapes = Shapes::of([(key, learned(&answers).shape())].into_iter());
        let file = shapes.to_json();
        let read = Shapes::from_json(&file).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read.to_json(), file);
        prop_assert_eq!(shapes.changes(&read), []);
        prop_assert_eq!(read.changes(&shapes), []);
    }
}
