use secrecy::ExposeSecret as _;

use super::inbound::{Account, encode_form, webhook_form};
use super::signature::{Algorithm, sign_with};
use crate::config::SimulatorConfig;
use crate::customer::{CustomerMessage, Tamper};
use crate::webhook::Webhook;

/// Where the ingress takes inbound messages from Twilio.
const PATH: &str = "/webhooks/twilio/whatsapp";

/// The signed webhook of an inbound message.
pub(crate) fn inbound_webhook(
    config: &SimulatorConfig,
    sid: &str,
    message: &CustomerMessage,
) -> Webhook {
    let account = Account {
        sid: &config.twilio.account_sid,
        number: config.twilio.numbers.first().map_or("", String::as_str),
    };
    let form = webhook_form(account, sid, message);
    signed(
        config,
        &format!("{}{PATH}", config.signed_base_url()),
        form,
        message.tamper,
    )
}

/// The URL that the number itself has for status callbacks: that of messages which name none.
pub(crate) fn status_url(config: &SimulatorConfig) -> String {
    let base = config.signed_base_url().trim_end_matches('/');
    format!("{base}/webhooks/twilio/status")
}

/// The signed webhook of a status callback to `callback`, the URL that the service asked for.
pub(crate) fn status_webhook(
    config: &SimulatorConfig,
    callback: &str,
    form: &[(String, String)],
) -> Webhook {
    signed(config, callback, form.to_vec(), None)
}

fn signed(
    config: &SimulatorConfig,
    url: &str,
    mut form: Vec<(String, String)>,
    tamper: Option<Tamper>,
) -> Webhook {
    // A fragment holds connection overrides. It is neither sent nor signed.
    let url = url.split('#').next().unwrap_or(url);
    let signed_url = match tamper {
        Some(Tamper::WrongUrl) => format!("{url}/elsewhere"),
        _ => url.to_owned(),
    };
    let algorithm = match tamper {
        Some(Tamper::WrongAlgorithm) => Algorithm::HmacSha256,
        _ => Algorithm::HmacSha1,
    };
    let key = Tamper::key(tamper, config.twilio.auth_token.expose_secret());
    let signature = Tamper::signature(tamper, sign_with(algorithm, &key, &signed_url, &form));
    if tamper == Some(Tamper::AlteredBody) {
        form.push(("Body".to_owned(), "altered".to_owned()));
    }
    let content_type = Tamper::content_type(tamper, "application/x-www-form-urlencoded");
    let mut headers = vec![
        ("content-type".to_owned(), content_type),
        ("user-agent".to_owned(), "TwilioProxy/1.1".to_owned()),
        (
            "i-twilio-idempotency-token".to_owned(),
            uuid::Uuid::new_v4().to_string(),
        ),
    ];
    headers.extend(signature.map(|value| ("x-twilio-signature".to_owned(), value)));
    Webhook {
        url: posted_url(config, url),
        headers,
        body: encode_form(&form).into_bytes(),
    }
}

/// Where a URL that Twilio would call is really posted: below the public base, at the ingress.
fn posted_url(config: &SimulatorConfig, url: &str) -> String {
    match url.strip_prefix(config.signed_base_url()) {
        Some(path) if path.starts_with('/') => {
            format!("{}{path}", config.ingress_url.trim_end_matches('/'))
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;
    use crate::twilio::sign;

    fn config() -> SimulatorConfig {
        let mut config = SimulatorConfig::for_ingress("http://ingress:8080/");
        config.public_base_url = Some("https://bot.example.nl".to_owned());
        config
    }

    fn header<'a>(webhook: &'a Webhook, name: &str) -> Option<&'a str> {
        let mut headers = webhook.headers.iter();
        let (_, value) = headers.find(|(found, _)| found == name)?;
        Some(value)
    }

    fn fields(webhook: &Webhook) -> Vec<(String, String)> {
        form_urlencoded::parse(&webhook.body).into_owned().collect()
    }

    #[test]
    fn is_signed_over_the_public_url_and_posted_to_the_ingress() {
        let message = CustomerMessage::text(Provider::Twilio, "+31612345678", "Één 👍");
        let webhook = inbound_webhook(&config(), "SM1", &message);
        assert_eq!(webhook.url, "http://ingress:8080/webhooks/twilio/whatsapp");
        let expected = sign(
            "fake-twilio-token",
            "https://bot.example.nl/webhooks/twilio/whatsapp",
            &fields(&webhook),
        );
        assert_eq!(
            header(&webhook, "x-twilio-signature"),
            Some(expected.as_str())
        );
    }

    #[test]
    fn a_status_callback_keeps_its_query_and_loses_its_fragment() {
        let callback = "https://bot.example.nl/webhooks/twilio/status?oid=1#rc=5&rp=all";
        let webhook = status_webhook(&config(), callback, &[]);
        assert_eq!(
            webhook.url,
            "http://ingress:8080/webhooks/twilio/status?oid=1"
        );
        let none: [(&str, &str); 0] = [];
        let expected = sign(
            "fake-twilio-token",
            "https://bot.example.nl/webhooks/twilio/status?oid=1",
            &none,
        );
        assert_eq!(
            header(&webhook, "x-twilio-signature"),
            Some(expected.as_str())
        );
        let foreign = status_webhook(&config(), "http://other:1/x", &[]);
        assert_eq!(foreign.url, "http://other:1/x");
        let lookalike = "https://bot.example.nl.example.com/x";
        assert_eq!(status_webhook(&config(), lookalike, &[]).url, lookalike);
    }

    #[test]
    fn every_tampering_spoils_the_signature_or_what_it_covers() {
        let url = "https://bot.example.nl/webhooks/twilio/whatsapp";
        for tamper in [
            Tamper::BadSignature,
            Tamper::MissingSignature,
            Tamper::WrongToken,
            Tamper::AlteredBody,
            Tamper::WrongUrl,
            Tamper::WrongAlgorithm,
        ] {
            let message = CustomerMessage {
                tamper: Some(tamper),
                ..CustomerMessage::text(Provider::Twilio, "+31612345678", "Hoi")
            };
            let webhook = inbound_webhook(&config(), "SM1", &message);
            let expected = sign("fake-twilio-token", url, &fields(&webhook));
            assert_ne!(
                header(&webhook, "x-twilio-signature"),
                Some(expected.as_str()),
                "{tamper:?}"
            );
        }
    }
}
