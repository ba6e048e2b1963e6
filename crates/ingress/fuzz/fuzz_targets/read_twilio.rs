//! Whatever Twilio may have signed is read or rejected, and what is read can be queued.
#![no_main]

use ingress::Reading;
use ingress::read::{Params, twilio_message, twilio_status};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fn check(reading: Reading) {
    if let Reading::Event(event) = reading {
        assert!(event.entry(None).is_ok());
    }
}

fuzz_target!(|input: (&[u8], &str)| {
    let (body, query) = input;
    let now = Timestamp::UNIX_EPOCH;
    if let Some(params) = Params::parse(body) {
        check(twilio_message(&params, now));
        check(twilio_status(&params, query, now));
    }
    if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) {
        check(twilio_message(&Params::from_json(&object), now));
    }
});
