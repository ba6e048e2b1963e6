//! The languages of the pages. Pure.

/// What a page is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    Nl,
}

impl Lang {
    /// The code of the language, for `lang=`.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Nl => "nl",
        }
    }

    pub(crate) fn read(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::En),
            "nl" => Some(Self::Nl),
            _ => None,
        }
    }

    /// The words of this language, of the two.
    pub(crate) const fn say(self, en: &'static str, nl: &'static str) -> &'static str {
        match self {
            Self::En => en,
            Self::Nl => nl,
        }
    }

    /// The language that a browser asks for; the first that it names of those that there are.
    pub(crate) fn asked(accept_language: &str) -> Self {
        let codes = accept_language.split(',').map(|part| {
            let code = part.split([';', '-']).next().unwrap_or_default();
            code.trim().to_ascii_lowercase()
        });
        codes
            .filter_map(|code| Self::read(&code))
            .next()
            .unwrap_or(Self::En)
    }
}

/// What a name of ours is called on a page: a status, a reason, a channel. One that is not known here is
/// shown as it is.
pub(crate) fn named(lang: Lang, name: &str) -> String {
    let words = match name {
        "waiting" => ("waiting", "wacht"),
        "taken" => ("taken", "opgepakt"),
        "answered" => ("answered", "beantwoord"),
        "closed" => ("closed", "gesloten"),
        "new" => ("new", "nieuw"),
        "won" => ("won", "gewonnen"),
        "dropped" => ("dropped", "afgevallen"),
        "wanted" => ("wanted", "gewenst"),
        "offered" => ("offered", "aangeboden"),
        "confirmed" => ("confirmed", "bevestigd"),
        "moved" => ("moved", "verzet"),
        "cancelled" => ("cancelled", "afgezegd"),
        "urgent" => ("urgent", "dringend"),
        "asked" => ("asked for a person", "vroeg om een mens"),
        "stepped_in" => ("a colleague stepped in", "een collega nam het over"),
        "complaint" => ("complaint", "klacht"),
        "erasure" => ("wants to be erased", "wil gewist worden"),
        "turn_failed" => ("the bot failed", "de bot faalde"),
        "not_understood" | "unclear" => ("not understood", "niet begrepen"),
        "opted_out" => (
            "the customer wants no messages",
            "de klant wil geen berichten",
        ),
        "human" | "human_in_charge" => (
            "a colleague has the conversation",
            "een collega heeft het gesprek",
        ),
        "colleague_wrote" => (
            "a colleague wrote meanwhile",
            "een collega schreef ondertussen",
        ),
        "machine" => (
            "a machine seems to answer every answer",
            "een machine lijkt elk antwoord te beantwoorden",
        ),
        "window_closed" => (
            "the customer wrote more than 24 hours ago",
            "de klant schreef meer dan 24 uur geleden",
        ),
        "new contact" => ("new contact", "nieuw contact"),
        "contact known" => ("contact known", "contact bekend"),
        "new lead" => ("new lead", "nieuwe lead"),
        "pending" => ("on its way", "onderweg"),
        "sent" => ("sent", "verstuurd"),
        "failed" => ("failed", "mislukt"),
        "delivered" => ("delivered", "bezorgd"),
        "read" => ("read", "gelezen"),
        "customer" => ("the customer", "de klant"),
        "inbound" => ("messages from customers", "berichten van klanten"),
        "outbound" => ("messages to customers", "berichten aan klanten"),
        "crm" => ("notes for the CRM", "notities voor het CRM"),
        "mirror" => ("steps for the help desk", "stappen voor de helpdesk"),
        "rejected" => ("webhooks that could not be read", "onleesbare webhooks"),
        other => return other.replace('_', " "),
    };
    lang.say(words.0, words.1).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_first_language_that_there_is() {
        assert_eq!(Lang::asked("nl-NL,nl;q=0.9,en;q=0.8"), Lang::Nl);
        assert_eq!(Lang::asked("de-DE,de;q=0.9,nl;q=0.5"), Lang::Nl);
        assert_eq!(Lang::asked("fr"), Lang::En);
        assert_eq!(Lang::asked(""), Lang::En);
    }

    #[test]
    fn names_that_are_not_known_are_shown_as_they_are() {
        assert_eq!(named(Lang::Nl, "waiting"), "wacht");
        assert_eq!(named(Lang::Nl, "car_inquiry"), "car inquiry");
    }
}
