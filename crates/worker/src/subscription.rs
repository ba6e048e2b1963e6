//! Whether a contact wants messages at all. Decided before any agent, from commands alone. Pure.

use shared_types::ProviderWord;

use crate::dialogue::act::Consent;

/// What a message means for a contact's opt-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscription {
    /// Nothing changes, and messages are wanted.
    Wanted,
    /// This message ends messages.
    Ended,
    /// Messages were ended earlier: nothing is said, and only a wish to be erased is told to a colleague.
    StillEnded,
    /// This message undoes an opt-out.
    Renewed,
    /// It sounds like an end of messages, but is not said as one: the word for it is offered.
    Doubtful,
    /// The provider has answered it already.
    Answered,
}

/// Decides from the provider's word for the message, from the command that the message is, and from
/// whether the contact has opted out before.
pub(crate) fn decide(
    word: Option<ProviderWord>,
    consent: Option<Consent>,
    opted_out: bool,
) -> Subscription {
    match (word, consent) {
        (Some(ProviderWord::Stop), _) => Subscription::Ended,
        (Some(ProviderWord::Start), _) => Subscription::Renewed,
        (Some(ProviderWord::Help), _) => Subscription::Answered,
        (None, Some(Consent::Start)) if opted_out => Subscription::Renewed,
        _ if opted_out => Subscription::StillEnded,
        (None, Some(Consent::Stop)) => Subscription::Ended,
        (None, Some(Consent::Doubtful)) => Subscription::Doubtful,
        (None, Some(Consent::Start | Consent::Erase) | None) => Subscription::Wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_ends_messages_once_and_start_undoes_it() {
        use Subscription::{Doubtful, Ended, Renewed, StillEnded, Wanted};
        for (consent, before, after) in [
            (Some(Consent::Stop), Ended, StillEnded),
            (Some(Consent::Start), Wanted, Renewed),
            (Some(Consent::Doubtful), Doubtful, StillEnded),
            (Some(Consent::Erase), Wanted, StillEnded),
            (None, Wanted, StillEnded),
        ] {
            assert_eq!(decide(None, consent, false), before, "{consent:?}");
            assert_eq!(decide(None, consent, true), after, "{consent:?}");
        }
    }

    #[test]
    fn provider_knows_its_own_words_best() {
        for opted_out in [false, true] {
            let decide = |word| decide(Some(word), None, opted_out);
            assert_eq!(decide(ProviderWord::Stop), Subscription::Ended);
            assert_eq!(decide(ProviderWord::Start), Subscription::Renewed);
            assert_eq!(decide(ProviderWord::Help), Subscription::Answered);
        }
    }
}
