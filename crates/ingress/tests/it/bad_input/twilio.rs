use super::Counted::{BadSignature, Ended, Ignored};
use super::Kept::{Before, Nowhere, Queued, Rejected};
use super::{Row, check, nested};
use crate::http::Request;
use crate::signing::{
    ACCOUNT, BASE, FORM, STATUS, TWILIO_TOKEN, WHATSAPP, text_message, twilio_form, twilio_json,
    twilio_message, twilio_raw, twilio_signature,
};
use crate::support::Rig;

const REFUSED: (u16, &str) = (403, "invalid_signature");
const TAKEN: (u16, &str) = (200, "");

/// A message with one parameter changed or added, signed as it is.
fn with(sid: &str, name: &str, value: &str) -> Request {
    let mut pairs = text_message(sid, "hoi");
    pairs.retain(|(found, _)| *found != name);
    pairs.push((name, value));
    twilio_form(WHATSAPP, &pairs)
}

fn without(sid: &str, name: &str) -> Request {
    let mut pairs = text_message(sid, "hoi");
    pairs.retain(|(found, _)| *found != name);
    twilio_form(WHATSAPP, &pairs)
}

/// `Body` as raw form bytes, signed over what they decode to.
fn raw_body(sid: &str, encoded: &str, decoded: &[u8]) -> Request {
    let form = format!("MessageSid={sid}&From=whatsapp%3A%2B31612345678&Body={encoded}");
    let pairs: [(&[u8], &[u8]); 3] = [
        (b"MessageSid", sid.as_bytes()),
        (b"From", b"whatsapp:+31612345678"),
        (b"Body", decoded),
    ];
    twilio_raw(form.as_bytes(), &pairs)
}

fn signatures() -> Vec<Row> {
    let good = twilio_message("SM1", "hoi");
    let signature = |value: &str| {
        good.clone()
            .without("X-Twilio-Signature")
            .header("X-Twilio-Signature", value)
    };
    let genuine = good.headers[1].1.clone();
    let url = format!("{BASE}{WHATSAPP}");
    let pairs = text_message("SM1", "hoi");
    let of = |token: &str, url: &str| signature(&twilio_signature(token, url, &pairs));
    let mut altered = good.clone();
    altered.body.extend_from_slice(b"&Body=meer");
    let mut cut = good.clone();
    cut.body.truncate(40);
    let elsewhere = Request {
        target: STATUS.into(),
        ..good.clone()
    };
    let mut queried = good.clone();
    queried.target.push_str("?x=1");
    let row = |what, request| (what, request, REFUSED, BadSignature, Nowhere);
    vec![
        row("no signature", good.clone().without("X-Twilio-Signature")),
        row("an empty signature", signature("")),
        row(
            "a signature of something else",
            signature("AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ),
        row("no base64", signature("not base64 at all")),
        row(
            "a signature twice",
            good.clone().header("X-Twilio-Signature", genuine.clone()),
        ),
        row("its lower case", signature(&genuine.to_lowercase())),
        row(
            "without its padding",
            signature(genuine.trim_end_matches('=')),
        ),
        row("another token", of("another-token", &url)),
        row("an empty token", of("", &url)),
        row(
            "another host",
            of(TWILIO_TOKEN, &url.replace("bot.", "evil.")),
        ),
        row(
            "another scheme",
            of(TWILIO_TOKEN, &url.replace("https", "http")),
        ),
        row("an altered body", altered),
        row("a truncated body", cut),
        row("sent to another path", elsewhere),
        row("a query that was not signed", queried),
        row(
            "a shared key that is not known",
            good.header(
                "X-Twilio-Webhooks-Signature-Settings",
                "key=k,algorithm=HMAC_SHA1",
            ),
        ),
    ]
}

#[test]
fn what_is_not_genuine_is_refused_and_kept_nowhere() {
    let rig = Rig::start(&[]);
    check("twilio", &rig, signatures());
}

fn shapes() -> Vec<Row> {
    let media = |kind: &str| {
        twilio_message("SM1", "hoi")
            .without("Content-Type")
            .header("Content-Type", kind)
    };
    let unsupported = |what, request| {
        let answer = (415, "unsupported_media_type");
        (what, request, answer, Ended("invalid"), Nowhere)
    };
    let flood = "a=1&".repeat(10_000);
    let large = Request::post(WHATSAPP, vec![b'a'; 64 * 1024 + 1])
        .header("Content-Type", FORM)
        .header("X-Twilio-Signature", "any");
    let fits = twilio_raw(
        format!("x={}&MessageSid=SM8&From=tel:1", "a".repeat(60 * 1024)).as_bytes(),
        &[
            (b"x", "a".repeat(60 * 1024).as_bytes()),
            (b"MessageSid", b"SM8"),
            (b"From", b"tel:1"),
        ],
    );
    vec![
        unsupported("text", media("text/plain")),
        unsupported("multipart", media("multipart/form-data; boundary=x")),
        unsupported("no content type", media("").without("Content-Type")),
        unsupported(
            "a content type twice",
            twilio_message("SM1", "hoi").header("Content-Type", FORM),
        ),
        (
            "too many parameters",
            Request::post(WHATSAPP, flood)
                .header("Content-Type", FORM)
                .header("X-Twilio-Signature", "any"),
            (400, "too_many_parameters"),
            Ended("invalid"),
            Nowhere,
        ),
        (
            "too large",
            large,
            (413, "body_too_large"),
            Ended("invalid"),
            Nowhere,
        ),
        (
            "large, but not too large",
            fits,
            (400, "not_whatsapp"),
            Ended("invalid"),
            Rejected,
        ),
        (
            "compressed",
            twilio_message("SM1", "hoi").header("Content-Encoding", "gzip"),
            TAKEN,
            Ended("queued"),
            Queued,
        ),
        (
            "upper case and a charset",
            twilio_message("SM2", "hoi").without("Content-Type").header(
                "Content-Type",
                "Application/X-WWW-Form-URLencoded; charset=UTF-8",
            ),
            TAKEN,
            Ended("queued"),
            Queued,
        ),
        (
            "nothing at all",
            Request::post(WHATSAPP, ""),
            REFUSED,
            BadSignature,
            Nowhere,
        ),
        (
            "nothing at all, signed",
            twilio_form(WHATSAPP, &[]),
            (400, "missing_message_sid"),
            Ended("invalid"),
            Rejected,
        ),
        (
            "replayed",
            twilio_message("SM2", "hoi"),
            TAKEN,
            Ended("duplicate"),
            Before,
        ),
    ]
}

#[test]
fn sizes_and_content_types_are_checked_before_anything_else() {
    let rig = Rig::start(&[]);
    check("twilio", &rig, shapes());
}

fn contents() -> Vec<Row> {
    let rejected = |what, request, code| (what, request, (400, code), Ended("invalid"), Rejected);
    let queued = |what, request| (what, request, TAKEN, Ended("queued"), Queued);
    let (long, fitting) = ("x".repeat(1_601), "x".repeat(1_600));
    let twice = |sid| {
        let mut pairs = text_message(sid, "hoi");
        pairs.push(("Body", "iets anders"));
        twilio_form(WHATSAPP, &pairs)
    };
    let equal_twice = {
        let form = b"MessageSid=SM21&From=whatsapp%3A%2B31612345678&Body=hoi&Body=hoi";
        let pairs: [(&[u8], &[u8]); 3] = [
            (b"MessageSid", b"SM21"),
            (b"From", b"whatsapp:+31612345678"),
            (b"Body", b"hoi"),
        ];
        twilio_raw(form, &pairs)
    };
    vec![
        rejected(
            "no MessageSid",
            without("SM1", "MessageSid"),
            "missing_message_sid",
        ),
        rejected(
            "a MessageSid with a space",
            with("SM 1", "x", "1"),
            "invalid_message_sid",
        ),
        rejected(
            "an endless MessageSid",
            with(&"S".repeat(5_000), "x", "1"),
            "invalid_message_sid",
        ),
        rejected("no From", without("SM2", "From"), "invalid_sender"),
        rejected(
            "From by SMS",
            with("SM3", "From", "+31612345678"),
            "not_whatsapp",
        ),
        rejected(
            "From no number",
            with("SM4", "From", "whatsapp:+06"),
            "invalid_sender",
        ),
        rejected(
            "From with a line break",
            with("SM5", "From", "whatsapp:NL.1\n2"),
            "invalid_sender",
        ),
        queued("To no number", with("SM6", "To", "whatsapp:+0")),
        rejected("too long", with("SM7", "Body", &long), "message_too_long"),
        (
            "empty",
            with("SM8", "Body", " \u{0}\n"),
            TAKEN,
            Ignored,
            Nowhere,
        ),
        queued("nothing but markup", with("SM9", "Body", "<b></b>")),
        rejected("two bodies", twice("SM10"), "repeated_parameter"),
        rejected(
            "a name that is none",
            with("SM40", "x y", "1"),
            "ambiguous_parameter",
        ),
        rejected(
            "a name with a value in it",
            with("SM41", "Bodyhoi", "1"),
            "ambiguous_parameter",
        ),
        rejected(
            "not UTF-8",
            raw_body("SM11", "%ff%fe", b"\xff\xfe"),
            "invalid_encoding",
        ),
        rejected(
            "UTF-16",
            raw_body("SM12", "h%00%d8", b"h\0\xd8"),
            "invalid_encoding",
        ),
        rejected(
            "a lone surrogate",
            raw_body("SM13", "%ED%A0%80", b"\xed\xa0\x80"),
            "invalid_encoding",
        ),
        rejected(
            "half a percent sign",
            raw_body("SM14", "100%", b"100%"),
            "invalid_percent_encoding",
        ),
        rejected(
            "JSON that is cut off",
            twilio_json(b"{\"MessageSid\":\"SM15\""),
            "malformed_json",
        ),
        rejected(
            "JSON that is no object",
            twilio_json(b"[]"),
            "malformed_json",
        ),
        rejected(
            "JSON that is nested",
            twilio_json(format!("{{\"a\":{}}}", nested(10_000)).as_bytes()),
            "malformed_json",
        ),
        rejected(
            "JSON with a lone surrogate",
            twilio_json(br#"{"Body":"\ud800"}"#),
            "malformed_json",
        ),
        rejected(
            "a report of nothing",
            twilio_form(STATUS, &[("MessageStatus", "sent")]),
            "missing_message_sid",
        ),
        rejected(
            "a report to nobody",
            twilio_form(STATUS, &[("MessageSid", "SM16"), ("MessageStatus", "sent")]),
            "invalid_recipient",
        ),
        queued("null bytes", with("SM17", "Body", "a\u{0}b")),
        queued("as long as it may be", with("SM18", "Body", &fitting)),
        queued(
            "JSON with a key twice",
            twilio_json(
                br#"{"MessageSid":"SM19","From":"whatsapp:+31612345678","Body":"a","Body":"b"}"#,
            ),
        ),
        queued("unknown parameters", with("SM20", "Nieuw", "\u{1F600}")),
        queued("the same body twice", equal_twice),
    ]
}

#[test]
fn what_is_genuine_but_not_usable_is_kept_as_rejected() {
    let rig = Rig::start(&[]);
    check("twilio", &rig, contents());
}

#[test]
fn an_account_that_is_not_ours_is_refused() {
    let rig = Rig::start(&[]);
    let other = ACCOUNT.replace('1', "2");
    let mut pairs = text_message("SM2", "hoi");
    pairs.push(("AccountSid", &other));
    let row = |what, request| (what, request, REFUSED, BadSignature, Nowhere);
    check(
        "twilio",
        &rig,
        [
            row("another account", with("SM1", "AccountSid", &other)),
            row("two accounts", twilio_form(WHATSAPP, &pairs)),
        ],
    );
}
