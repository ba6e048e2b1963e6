//! The form parser keeps every byte that is signed, and never panics.
#![no_main]

use ingress::read::Params;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Some(params) = Params::parse(body) else {
        assert!(body.split(|byte| *byte == b'&').count() > Params::MAX);
        return;
    };
    let pairs = params.in_signing_order();
    assert!(pairs.is_sorted());
    for (name, value) in pairs {
        assert!(name.len() + value.len() <= body.len());
        if let Ok(name) = std::str::from_utf8(name) {
            assert_ne!(params.get(name), Ok(Some("")));
        }
    }
});
