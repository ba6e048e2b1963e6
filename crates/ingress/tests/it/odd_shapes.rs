//! The webhooks of `tests/fixtures/cases/odd.json`: valid, sent by no known build, and possible tomorrow.

use ingress::{Event, Reading};
use serde::Deserialize;
use serde_json::Value;
use shared_types::InboundMessage;

use crate::real_shapes::{Case, became, chatwoot, twilio, waha};

/// A webhook, and what must be read of it.
#[derive(Deserialize)]
struct Odd {
    provider: String,
    #[serde(flatten)]
    case: Case,
    content: Option<String>,
    /// Words of the text or of an attachment.
    has: Option<String>,
    /// Types of the attachments.
    types: Option<Vec<String>>,
    #[serde(default)]
    place: bool,
    /// The provider's own word.
    word: Option<String>,
}

impl Odd {
    fn reading(&self) -> Reading {
        match self.provider.as_str() {
            "waha" => waha(&self.case.body),
            "chatwoot" => chatwoot(&self.case.body),
            _ => twilio(&self.case.form),
        }
    }

    fn is_read_right(&self, reading: &Reading) -> bool {
        let Reading::Event(Event::Message(message)) = reading else {
            return became(reading) == self.case.expect;
        };
        self.case.expect == "queued" && self.fits(message)
    }

    fn fits(&self, message: &InboundMessage) -> bool {
        let files = &message.attachments;
        let types = files.iter().map(|file| file.content_type.clone());
        let types: Vec<String> = types.map(Option::unwrap_or_default).collect();
        let mut words = files.iter().filter_map(|file| file.text.as_ref());
        let mut all = words.by_ref().chain([&message.content]);
        let word = serde_json::to_value(message.provider_word).unwrap();
        self.content
            .as_ref()
            .is_none_or(|text| message.content == *text)
            && self
                .has
                .as_ref()
                .is_none_or(|has| all.any(|text| text.contains(has)))
            && self
                .types
                .as_ref()
                .is_none_or(|expected| types == *expected)
            && self.place == message.location.is_some()
            && word == self.word.clone().map_or(Value::Null, Value::from)
    }
}

#[test]
fn what_is_odd_and_valid_is_read_as_what_it_is() {
    let file = test_support::fixture("cases/odd.json");
    let all: Vec<Odd> = serde_json::from_slice(&file).unwrap();
    for odd in &all {
        let reading = odd.reading();
        let name = format!("{} {}", odd.provider, odd.case.name);
        assert!(odd.is_read_right(&reading), "{name}: {reading:?}");
    }
}
