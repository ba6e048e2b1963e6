//! No arbitrary request is believed: its signature would have to be guessed.
#![no_main]

use ingress::read::Params;
use ingress::verify::{SignedBody, SignedRequest, TwilioKeys, chatwoot, twilio, waha};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, Option<&str>, &[u8])| {
    let (url, signature, header, body) = input;
    let keys = TwilioKeys {
        auth_tokens: vec!["token".into()],
        shared: "key:SHA256:secret".parse().into_iter().collect(),
    };
    let params = Params::parse(body).unwrap_or_default();
    for body in [SignedBody::Form(&params), SignedBody::Raw(body)] {
        let request = SignedRequest {
            url,
            body,
            signature: Some(signature),
            settings: header,
        };
        assert!(twilio(&request, &keys).is_err());
    }
    assert!(waha(body, Some(signature), header, &"secret".into()).is_err());
    let secrets = ["secret".into()];
    let now = Timestamp::UNIX_EPOCH;
    assert!(chatwoot(body, Some(signature), header, &secrets, now).is_err());
});
