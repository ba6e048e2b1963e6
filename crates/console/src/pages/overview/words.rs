//! What an alarm says to who looks at the page. Pure.

use crate::pages::frame::Frame;
use crate::rules::Alarm;

/// In one sentence, in the page's language.
pub(super) fn of(f: &Frame, alarm: &Alarm) -> String {
    let (en, nl) = words(alarm.rule.name);
    let mut told = f.t(en, nl).to_owned();
    if !alarm.about.is_empty() {
        told = format!("{}: {told}", f.named(&alarm.about));
    }
    match amount(alarm) {
        Some(amount) => format!("{told} ({amount})"),
        None => told,
    }
}

/// How much, where that says something.
fn amount(alarm: &Alarm) -> Option<String> {
    let value = alarm.value;
    #[expect(clippy::cast_possible_truncation, reason = "an age within years")]
    let age = || runtime::age((value * 1_000.0) as i64);
    Some(match alarm.rule.name {
        "InboundEntryOld" | "OutboundEntryOld" | "MirrorBehind" | "CustomerWaits" | "StockOld" => {
            age()
        }
        "RedisNearlyFull" | "SendFailures" | "UnknownOutcomes" | "ModelFallbacks" => {
            format!("{:.0} %", value * 100.0)
        }
        "ServiceMissing"
        | "RedisNotDurable"
        | "CrmDown"
        | "ObserveOnly"
        | "NoticesOff"
        | "WahaSessionTimelocked"
        | "IntakeNearLimit"
        | "RedisErrors" => return None,
        _ => format!("{value:.0}"),
    })
}

fn words(rule: &str) -> (&'static str, &'static str) {
    on_duty(rule)
        .or_else(|| by_day(rule))
        .unwrap_or(("something is wrong", "er is iets mis"))
}

/// What wakes somebody.
fn on_duty(rule: &str) -> Option<(&'static str, &'static str)> {
    Some(match rule {
        "ServiceMissing" => ("no process answers", "geen enkel proces antwoordt"),
        "InboundEntryOld" => (
            "A customer waits for an answer of the bot for more than a minute",
            "Een klant wacht langer dan een minuut op een antwoord van de bot",
        ),
        "PartitionsUnowned" => (
            "nobody works on some partitions",
            "aan een deel van de partities werkt niemand",
        ),
        "RedisNotDurable" => ("Redis may lose messages", "Redis kan berichten verliezen"),
        "RedisRefuses" => (
            "Redis refuses what the services need",
            "Redis weigert wat de diensten nodig hebben",
        ),
        "WebhooksRefused" => (
            "webhooks cannot be taken in, a minute",
            "webhooks worden niet aangenomen, per minuut",
        ),
        "SendFailures" => ("sends fail", "versturen mislukt"),
        "SenderStopped" => (
            "The provider refuses our account: senders are stopped, their messages wait",
            "De provider weigert ons account: afzenders staan stil, hun berichten wachten",
        ),
        "NoticesOff" => (
            "Colleagues are told of nothing any more",
            "Collega's krijgen van niets meer bericht",
        ),
        _ => return None,
    })
}

/// What is looked at within the day.
fn by_day(rule: &str) -> Option<(&'static str, &'static str)> {
    Some(match rule {
        "CustomerWaits" => (
            "A customer waits for a colleague, and nobody has taken it in time",
            "Een klant wacht op een collega, en niemand pakte het op tijd op",
        ),
        "OutboundEntryOld" => (
            "A reply waits for more than five minutes",
            "Een antwoord wacht langer dan vijf minuten",
        ),
        "MirrorBehind" => (
            "Chatwoot is not shown what is said",
            "Chatwoot krijgt niet te zien wat er gezegd wordt",
        ),
        "DeadLettersGrowing" => (
            "could not be handled and wait for somebody",
            "konden niet verwerkt worden en wachten op iemand",
        ),
        "MessagesRejected" => (
            "Webhooks that could not be read wait for somebody",
            "Onleesbare webhooks wachten op iemand",
        ),
        "RedisNearlyFull" => ("Redis is nearly full", "Redis is bijna vol"),
        "RedisErrors" => (
            "Redis does not answer it reliably",
            "Redis antwoordt niet betrouwbaar",
        ),
        "CrmDown" => (
            "The CRM's database does not answer: leads are written later",
            "De database van het CRM antwoordt niet: leads komen later",
        ),
        "SpoolInUse" => (
            "Webhooks wait on the disk of ingress, because Redis is away",
            "Webhooks wachten op de schijf van ingress, omdat Redis weg is",
        ),
        "MessagesLost" => (
            "messages were found whose webhook never came",
            "berichten gevonden waarvan de webhook nooit kwam",
        ),
        "LostMessagesUnseen" => (
            "nobody can tell whether messages are lost",
            "niemand weet of er berichten kwijt zijn",
        ),
        "UnknownOutcomes" => (
            "it is often not known whether a message arrived",
            "het is vaak onbekend of een bericht aankwam",
        ),
        "UnknownOutcomesLeft" => (
            "Messages may have been sent twice, or not at all",
            "Berichten zijn misschien dubbel verstuurd, of helemaal niet",
        ),
        "ModelFallbacks" => (
            "the rules often stand in for the language model",
            "de regels vallen vaak in voor het taalmodel",
        ),
        name => return at_the_door(name),
    })
}

fn at_the_door(rule: &str) -> Option<(&'static str, &'static str)> {
    Some(match rule {
        "RateLimitExceeded" => (
            "webhooks run into the rate limit, a minute",
            "webhooks lopen tegen de limiet, per minuut",
        ),
        "IntakeNearLimit" => (
            "Ingress takes in more than half of what it may",
            "Ingress neemt meer dan de helft aan van wat mag",
        ),
        "SignatureErrors" => (
            "webhooks have wrong signatures, a minute",
            "webhooks hebben een foute handtekening, per minuut",
        ),
        "ObserveOnly" => (
            "Ingress accepts forged webhooks (INGRESS_OBSERVE_ONLY)",
            "Ingress neemt vervalste webhooks aan (INGRESS_OBSERVE_ONLY)",
        ),
        "WahaSessionTimelocked" => (
            "WhatsApp bars this WAHA session from writing first",
            "WhatsApp laat deze WAHA-sessie niet als eerste schrijven",
        ),
        "StockFeedFailing" => (
            "Feeds of stock bring nothing",
            "Voorraadfeeds brengen niets",
        ),
        "StockOld" => (
            "Customers are offered an old stock",
            "Klanten krijgen oude voorraad te zien",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RULES;

    #[test]
    fn every_rule_has_words() {
        for rule in RULES {
            assert_ne!(words(rule.name).0, "something is wrong", "{}", rule.name);
        }
    }
}
