//! Whether a contact wants messages at all. Decided before any agent. Pure.

use crate::domain::Domain;
use crate::understanding::Understanding;

/// What a message means for a contact's opt-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscription {
    /// Nothing changes, and messages are wanted.
    Wanted,
    /// This message ends messages.
    Ended,
    /// Messages were ended earlier: nothing is said.
    StillEnded,
    /// This message undoes an opt-out.
    Renewed,
}

/// Decides from the message and from whether the contact has opted out before.
pub(crate) fn decide(
    domain: &Domain,
    content: &str,
    reading: &Understanding,
    opted_out: bool,
) -> Subscription {
    if opted_out {
        let word = content.trim().trim_end_matches(['.', '!']).to_lowercase();
        let renews = domain.dialogue.opt_in_words.contains(&word);
        return if renews {
            Subscription::Renewed
        } else {
            Subscription::StillEnded
        };
    }
    let sure = reading.confidence >= domain.settings.confidence_threshold;
    if sure && reading.intent == domain.dialogue.opt_out_intent {
        Subscription::Ended
    } else {
        Subscription::Wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::Understander;

    #[test]
    fn stop_ends_messages_once_and_start_undoes_it() {
        let domain = Domain::embedded().unwrap();
        let understander = Understander::new(&domain);
        let decide = |text: &str, opted_out| {
            decide(&domain, text, &understander.understand(text), opted_out)
        };
        for text in [
            "STOP",
            "stop",
            "afmelden",
            "unsubscribe",
            "Stop.",
            "abmelden",
        ] {
            assert_eq!(decide(text, false), Subscription::Ended, "{text}");
            assert_eq!(decide(text, true), Subscription::StillEnded, "{text}");
        }
        for text in ["START", "Start!", "aanmelden"] {
            assert_eq!(decide(text, true), Subscription::Renewed, "{text}");
            assert_eq!(decide(text, false), Subscription::Wanted, "{text}");
        }
        assert_eq!(decide("Ik zoek een Golf", true), Subscription::StillEnded);
        for text in [
            "Ik zoek een Golf",
            "de auto stopt steeds",
            "where can I start a test drive?",
        ] {
            assert_eq!(decide(text, false), Subscription::Wanted, "{text}");
        }
    }
}
