//! Whatever WAHA may have signed is read or rejected, and what is read can be queued.
#![no_main]

use ingress::Reading;
use ingress::read::waha;
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let reading = waha(body, Timestamp::UNIX_EPOCH, SignedDuration::MAX);
    if let Reading::Event(event) = reading {
        assert!(event.entry(None).is_ok());
    }
});
