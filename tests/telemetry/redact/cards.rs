//! Numbers of cards, and ids that are long numbers too.

use outrigger::redact::Redactor;

use super::{standard, text};

/// What the schemes and the processors give out for tests.
const CARDS: [&str; 12] = [
    "4242424242424242",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "36227206271667",
    "3566002020360505",
    "6205500000000000004",
    "6759649826438453",
    "5200828282828210",
];

fn id(id: &str) -> String {
    standard().id(id)
}

#[test]
fn a_card_of_every_scheme_is_hidden() {
    for card in CARDS {
        assert_eq!(text(&format!("paid by {card}.")), "paid by [redacted].");
        assert_eq!(text(&format!("12{card}34")), "[redacted]", "something stands beside it");
        assert_eq!(id(card), "[redacted]");
        assert_eq!(id(&format!("card:{card}:1")), "card:[redacted]:1");
        let (first, rest) = card.split_at(4);
        assert_eq!(id(&format!("{first}-{rest}")), "[redacted]");
        assert_eq!(id(&format!("7-{card}")), "7-[redacted]");
        let other = card.replace(&card[card.len() - 1..], "9");
        assert!(other == card || id(&other) == other, "its check digit is wrong");
    }
}

#[test]
fn ids_stay_as_they_are() {
    for given in [
        "2026061800012345",
        "payment-card:1042",
        "card=1042",
        "key:1042 token=7",
        "https://shop.test/orders/1042?cart=7",
        "1234567812345670",
        "1803945611234567890",
        "order-2026-06-18-0000012345",
        "01J2ZK7Q4M8S5V6W9X0Y1Z2A3B",
    ] {
        assert_eq!(id(given), given);
    }
    for (given, shown) in [
        ("ada@crm.test", "[redacted]"),
        ("order:ada%40crm.test:7", "order:[redacted]"),
        ("order-sk_live_abcdef123456", "order-[redacted]"),
        ("order 4242 4242 4242 4242", "order [redacted]"),
    ] {
        assert_eq!(id(given), shown);
    }
}

#[test]
fn few_of_all_long_numbers_are_taken_for_cards() {
    let (mut seed, mut ids, mut texts) = (1_u64, 0, 0);
    for _ in 0..10_000 {
        // Knuth's constants.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = format!("{:016}", (seed >> 4) % 10_000_000_000_000_000);
        ids += u32::from(id(&number) != number);
        texts += u32::from(text(&number) != number);
    }
    assert!(ids < 450, "{ids} of 10,000 ids");
    assert!(texts < 1_100, "{texts} of 10,000 numbers in texts");
}
