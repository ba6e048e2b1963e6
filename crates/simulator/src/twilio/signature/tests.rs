use super::*;

const BOT: &str = "https://bot.example.nl/webhooks/twilio";
const TOKEN: &str = "fake_auth_token_000000000000000001";
const SID: &str = "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A WhatsApp text with this name and body.
fn whatsapp_text<'a>(name: &'a str, body: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("SmsMessageSid", SID),
        ("NumMedia", "0"),
        ("ProfileName", name),
        ("MessageType", "text"),
        ("SmsSid", SID),
        ("WaId", "31612345678"),
        ("SmsStatus", "received"),
        ("Body", body),
        ("To", "whatsapp:+14155238886"),
        ("NumSegments", "1"),
        ("ReferralNumMedia", "0"),
        ("MessageSid", SID),
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("From", "whatsapp:+31612345678"),
        ("ApiVersion", "2010-04-01"),
    ]
}

#[test]
fn signs_as_the_official_libraries_do() {
    let company = "https://mycompany.com/myapp.php?foo=1&bar=2";
    for (token, url, params, expected) in [
        (
            "12345",
            company,
            vec![
                ("CallSid", "CA1234567890ABCDE"),
                ("Caller", "+14158675309"),
                ("Digits", "1234"),
                ("From", "+14158675309"),
                ("To", "+18005551212"),
            ],
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "12345",
            company,
            vec![
                ("Sid", "CA123"),
                ("SidAccount", "AC123"),
                ("Digits", "5678"),
                ("Digits", "1234"),
                ("Digits", "1234"),
            ],
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        ),
        (TOKEN, BOT, vec![], "MFc5+e5husBYT1+daYOMKI6gcFE="),
        (
            TOKEN,
            BOT,
            whatsapp_text(
                "Zoë van ’t Hoff",
                "Één coördinatie in België: café & crème brûlée, dat kost €12,50",
            ),
            "8BhGAwU1R/m2mah5D7iY131UcmA=",
        ),
        (
            TOKEN,
            BOT,
            whatsapp_text("Sanne 🌷", "Dank je wel 👍🏽 tot morgen! 👨‍👩‍👧‍👦 🇳🇱"),
            "JWx4pC5YsGT+1bzm9uLClJgbZJQ=",
        ),
        (
            TOKEN,
            BOT,
            vec![
                ("b", "1"),
                ("B", "2"),
                ("a", "3"),
                ("A", "4"),
                ("_x", "5"),
                ("0", "6"),
                ("MediaUrl10", "j"),
                ("MediaUrl2", "c"),
                ("MediaUrl1", "b"),
                ("MediaUrl0", "a"),
            ],
            "h2C6Cavxcl1f4+Oz1tjA4GH3Tbg=",
        ),
        (
            TOKEN,
            "https://bot.example.nl/webhooks/twilio?tenant=acme&x=%20y&z=a%2Bb",
            whatsapp_text("Jansen", "hoi"),
            "yjuovPGs8a8w4Jghydbgs9JHK+M=",
        ),
    ] {
        assert_eq!(sign(token, url, &params), expected, "{params:?}");
    }
}

#[test]
fn shared_keys_may_use_sha_256() {
    let params = whatsapp_text("Jansen", "hoi 👍");
    let key = "sharedkey_secret_for_tests_only";
    assert_eq!(
        sign_with(Algorithm::HmacSha256, key, BOT, &params),
        "IgKSg3kAFlJTb73vyJsy+p0MLGn5VAdcPoSzkejaSqs="
    );
}

#[test]
fn a_body_that_is_no_form_is_hashed_into_the_url() {
    let body = r#"{"property": "value", "boolean": true}"#;
    let url = body_sha256_url(
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        body.as_bytes(),
    );
    assert!(
        url.ends_with(
            "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
        )
    );
    let none: [(&str, &str); 0] = [];
    assert_eq!(sign("12345", &url, &none), "a9nBmqA0ju/hNViExpshrM61xv4=");
    assert!(body_sha256_url("https://x.nl/y", b"").contains("/y?bodySHA256="));
}
