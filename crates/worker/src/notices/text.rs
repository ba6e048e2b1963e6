//! A notice for a person: a title, and one labelled line a field. Pure.

use crm::{Kind, Notice};

/// The language of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// Dutch.
    Dutch,
    /// English.
    English,
}

/// Field, Dutch, English. What is not here is shown as it is called.
const LABELS: &[(&str, &str, &str)] = &[
    ("id", "Nummer", "Id"),
    ("status", "Stand", "Status"),
    ("created_at", "Sinds", "Since"),
    ("priority", "Spoed", "Priority"),
    ("reason", "Reden", "Reason"),
    ("intent", "Wens", "Wants"),
    ("purpose", "Afspraak", "Appointment"),
    ("thing", "Onderwerp", "About"),
    ("date", "Datum", "Date"),
    ("time", "Tijd", "Time"),
    ("name", "Naam", "Name"),
    ("phone", "Telefoon", "Phone"),
    ("conversation", "Gesprek", "Conversation"),
    ("last_words", "Laatste bericht", "Last message"),
    ("summary", "Samenvatting", "Summary"),
    ("promised_at", "Toegezegd", "Promised"),
    ("answer_by", "Antwoord voor", "Answer by"),
    ("owner", "Collega", "Colleague"),
    ("completed_at", "Compleet sinds", "Complete since"),
    ("channel", "Kanaal", "Channel"),
    ("error", "Fout", "Error"),
    ("count", "Aantal", "Count"),
    ("queue", "Wachtrij", "Queue"),
    ("letter", "Dode brief", "Dead letter"),
    ("why", "Oorzaak", "Cause"),
    (
        "waiting_since",
        "Antwoorden wachten sinds",
        "Replies wait since",
    ),
];

/// What a title says of each kind.
const TITLES: &[(Kind, &str, &str)] = &[
    (
        Kind::HandoverOpened,
        "Klant wacht op een collega",
        "A customer waits for a colleague",
    ),
    (
        Kind::HandoverUnanswered,
        "Klant wacht nog steeds",
        "A customer still waits",
    ),
    (
        Kind::HandoverTaken,
        "Overdracht opgepakt",
        "Hand-over taken",
    ),
    (
        Kind::HandoverClosed,
        "Overdracht afgerond",
        "Hand-over closed",
    ),
    (Kind::LeadCompleted, "Nieuwe aanvraag", "New lead"),
    (
        Kind::AppointmentWanted,
        "Afspraak gewenst",
        "Appointment wanted",
    ),
    (
        Kind::ErasureRequested,
        "Verzoek tot wissen",
        "Erasure requested",
    ),
    (
        Kind::DeadLetterAdded,
        "Bericht niet verwerkt",
        "Message not handled",
    ),
    (Kind::ChannelDown, "Kanaal ligt stil", "Channel down"),
    (
        Kind::StockSuspect,
        "Voorraad niet overgenomen",
        "Stock not taken over",
    ),
    (Kind::StockMatch, "Past bij een wens", "Fits a wish"),
    (Kind::Test, "Proefmelding", "Test notice"),
];

impl Labels {
    /// Dutch for a business that speaks it, else English.
    #[must_use]
    pub(super) fn of(language: &str) -> Self {
        if language == "nl" {
            Self::Dutch
        } else {
            Self::English
        }
    }

    const fn pick<'a>(self, dutch: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Dutch => dutch,
            Self::English => english,
        }
    }
}

/// One line: what happened, and to whom. Without line breaks and other control characters.
#[must_use]
pub(super) fn title(notice: &Notice, labels: Labels) -> String {
    let titles = TITLES.iter().find(|(kind, ..)| *kind == notice.kind);
    let title = titles.map_or(notice.kind.as_str(), |(_, dutch, english)| {
        labels.pick(dutch, english)
    });
    let about = ["name", "channel", "feed"].map(|field| one_line(notice.field(field)));
    let about = about.into_iter().find(|text| !text.is_empty());
    about.map_or_else(|| title.to_owned(), |about| format!("{title}: {about}"))
}

const LONGEST_IN_TITLE: usize = 60;

fn one_line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let plain: String = plain.take(LONGEST_IN_TITLE).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All fields, one a line; further lines of a field are set in, so that none can pass for another.
#[must_use]
pub(super) fn body(notice: &Notice, labels: Labels) -> String {
    let lines = notice.lines().into_iter().map(|(name, value)| {
        if name.is_empty() {
            return String::new();
        }
        let known = LABELS.iter().find(|(field, ..)| *field == name);
        let label = known.map_or(name.as_str(), |(_, dutch, english)| {
            labels.pick(dutch, english)
        });
        let value = value.replace('\r', "").replace('\n', "\n    ");
        format!("{label}: {value}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_makes_no_line_of_its_own() {
        let data = json!({"id": "h_1", "name": "Jan\r\nBcc: x@example.com", "reason": "asked"});
        let notice = Notice {
            id: "notice_1".into(),
            kind: Kind::HandoverOpened,
            at: "2026-11-28T18:00:00Z".into(),
            data: data.as_object().unwrap().clone(),
        };
        let title = title(&notice, Labels::English);
        assert_eq!(
            title,
            "A customer waits for a colleague: Jan Bcc: x@example.com"
        );
        let body = body(&notice, Labels::Dutch);
        assert!(
            body.contains("Naam: Jan\n    Bcc: x@example.com\n"),
            "{body}"
        );
    }
}
