//! Templates: texts with named places, such as `{n} of {all} obey`.

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Place(&'a str),
}

/// The parts of a template, in order. A brace that is never closed, and one that was never opened, are text.
pub(super) fn parts(template: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest) = (Vec::new(), template);
    while let Some((before, (place, after))) =
        rest.split_once('{').and_then(|(before, open)| Some((before, open.split_once('}')?)))
    {
        parts.extend([Part::Text(before), Part::Place(place)]);
        rest = after;
    }
    parts.push(Part::Text(rest));
    parts
}

/// Whether a translation has all places of the English text, and no other.
pub(super) fn fits(translation: &str, english: &str) -> bool {
    let places = |template| {
        let mut places = parts(template);
        places.retain(|part| matches!(part, Part::Place(_)));
        places
    };
    let (here, there) = (places(translation), places(english));
    here.iter().all(|place| there.contains(place)) && there.iter().all(|place| here.contains(place))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_may_stand_in_any_order_and_none_may_be_missing_or_unknown() {
        let english = "{n} of {all} obey";
        for good in ["{n} of {all}", "von {all}: {n}", "{all}{n}{n}", "{n} {all} }", "{n} {all} {"]
        {
            assert!(fits(good, english), "{good}");
        }
        for bad in
            ["", "{n}", "{n} {alle}", "{n} {all} {}", "{n} {all} {x}", "{ n } {all}", "{n {all}"]
        {
            assert!(!fits(bad, english), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_template_is_lost(template in "[a{} ]{0,12}") {
            let whole: String = parts(&template).into_iter().map(|part| match part {
                Part::Text(text) => text.to_owned(),
                Part::Place(place) => format!("{{{place}}}"),
            }).collect();
            prop_assert_eq!(whole, template);
        }
    }
}
