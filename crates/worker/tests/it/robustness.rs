//! Whatever is sent, the understanding answers.

use proptest::prelude::*;

use crate::dealer;

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        let understanding = dealer::understander().understand(&text);
        prop_assert!((0.0..=1.0).contains(&understanding.confidence));
        prop_assert!(!understanding.intent.is_empty() && !understanding.lang.is_empty());
    }

    #[test]
    fn any_mix_of_known_words_is_answered(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "golf", "mijn", "geen", "15k", "tussen", "en", "of", "2018", "'17", "km", "€", "?",
                "-", "/", "zb-612-n", "3", "er", "niet", "wanneer", "klaar", "duizend", "half", "👍",
                "\n", "...", "kan", "ik", "bmw", "peugeot", "2008", "id.3", "max", "heeeel", ":)",
            ]),
            0..60,
        ),
        glue in prop::sample::select(vec![" ", "", ", ", "-"]),
    ) {
        let understanding = dealer::understander().understand(&words.join(glue));
        prop_assert!((0.0..=1.0).contains(&understanding.confidence));
    }
}

#[test]
fn very_long_messages_are_answered() {
    for word in [
        "golf ",
        "mijn ",
        "a",
        "vijfentwintigduizend",
        "🚗",
        "1 ",
        "e\u{301}",
        "x-",
        "kan ik niet ",
    ] {
        let understanding = dealer::understander().understand(&word.repeat(20_000));
        assert!(!understanding.intent.is_empty());
    }
}
