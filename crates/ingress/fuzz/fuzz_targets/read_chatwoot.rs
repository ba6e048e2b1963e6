//! Whatever Chatwoot may have signed is read or rejected, and what is read can be queued.
#![no_main]

use ingress::Reading;
use ingress::read::chatwoot;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let reading = chatwoot(body, "delivery", Some(1), Timestamp::UNIX_EPOCH);
    if let Reading::Event(event) = reading {
        assert!(event.entry(None).is_ok());
    }
});
