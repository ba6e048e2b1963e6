//! Whether a message may be sent at all. Pure.

use jiff::{SignedDuration, Timestamp};
use shared_types::fields::{contact, conversation};
use shared_types::{Outbound, OutboundMessage, Purpose, Source, Template};
use streams::{Fields, Job, Judged, StreamId};

/// What is read of the conversation.
pub(crate) const CONVERSATION_FIELDS: &[&str] = &[
    conversation::HUMAN_UNTIL,
    conversation::COLLEAGUE,
    conversation::LAST_INBOUND,
    conversation::LAST_INBOUND_TO,
];
/// What is read of the contact.
pub(crate) const CONTACT_FIELDS: &[&str] = &[contact::OPTED_OUT];

/// WhatsApp allows free text for this long after the customer's last message
/// (<https://www.twilio.com/docs/whatsapp/key-concepts>).
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The hashes of the conversation and of the contact, as they were read last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    conversation: Fields,
    contact: Fields,
}

impl Seen {
    /// Of the first two hashes that were read.
    pub(crate) fn of(hashes: &[Fields]) -> Self {
        let hash = |number| hashes.get(number).cloned().unwrap_or_default();
        Self {
            conversation: hash(0),
            contact: hash(1),
        }
    }

    /// What a step depends on that is decided by this.
    pub(crate) fn judged_by(&self, job: &Job<Outbound>) -> Vec<Judged> {
        let (keys, conversation) = (job.keys(), &job.entry.conversation);
        let judged = |key, fields, values: &Fields| Judged {
            key,
            fields,
            values: values.clone(),
        };
        vec![
            judged(
                keys.conversation(conversation),
                CONVERSATION_FIELDS,
                &self.conversation,
            ),
            judged(keys.contact(conversation), CONTACT_FIELDS, &self.contact),
        ]
    }
}

/// How things stand between us and the customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) opted_out: bool,
    /// A colleague has the conversation until then.
    pub(crate) human_until: Option<Timestamp>,
    /// The last word of a colleague.
    pub(crate) colleague: Option<StreamId>,
    /// The customer's last message, and which address of ours it went to.
    pub(crate) last_inbound: Option<(Timestamp, Option<String>)>,
}

impl From<&Seen> for Standing {
    fn from(seen: &Seen) -> Self {
        let time = |name| {
            let ms = seen.conversation.get(name)?.parse().ok()?;
            Timestamp::from_millisecond(ms).ok()
        };
        Self {
            opted_out: seen.contact.contains_key(contact::OPTED_OUT),
            human_until: time(conversation::HUMAN_UNTIL),
            colleague: seen
                .conversation
                .get(conversation::COLLEAGUE)
                .and_then(|id| id.parse().ok()),
            last_inbound: time(conversation::LAST_INBOUND).map(|at| {
                let to = seen.conversation.get(conversation::LAST_INBOUND_TO);
                (at, to.cloned())
            }),
        }
    }
}

/// What may be done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Send it as it is.
    Send,
    /// Send this template instead.
    SendTemplate(Template),
    /// Do not send it; the reason under which it is set aside.
    Refuse(&'static str),
}

/// Decides by opt-out, by who is in charge, by what a colleague wrote meanwhile, and by WhatsApp's window.
pub(crate) fn admit(
    message: &OutboundMessage,
    standing: &Standing,
    window_template: Option<&Template>,
    now: Timestamp,
) -> Admission {
    let is_reply = message.purpose == Purpose::Reply;
    if standing.opted_out && message.purpose != Purpose::OptOutNotice {
        return Admission::Refuse("opted_out");
    }
    if is_reply && standing.human_until.is_some_and(|until| until > now) {
        return Admission::Refuse("human_in_charge");
    }
    // A colleague's own words are not behind another's.
    let stands = matches!(message.purpose, Purpose::OptOutNotice | Purpose::Colleague);
    if !stands
        && standing
            .colleague
            .is_some_and(|word| comes_after(word, message))
    {
        return Admission::Refuse("colleague_wrote");
    }
    let nothing = message.text.trim().is_empty();
    // Chatwoot can be handed a conversation without a word to the customer.
    let handed_over =
        message.source == Source::Chatwoot && message.purpose == Purpose::HandoffNotice;
    if nothing && message.template.is_none() && !handed_over {
        return Admission::Refuse("empty_message");
    }
    let is_colleagues = message.purpose == Purpose::Colleague;
    // What a colleague wrote is sent as it is, or not at all; a template that they chose also while free
    // text would be taken, as only the provider knows all of its words.
    let chosen = message.template.as_ref().filter(|_| is_colleagues);
    if message.source != Source::Twilio
        || (chosen.is_none() && is_window_open(message, standing, now))
    {
        return Admission::Send;
    }
    let instead = message.template.as_ref().or(window_template);
    match chosen.or(instead.filter(|_| !is_colleagues)) {
        Some(template) => Admission::SendTemplate(template.clone()),
        None => Admission::Refuse("window_closed"),
    }
}

/// Whether a colleague wrote when the message's turn had begun. What earlier builds wrote does not say
/// of which words its turn knew.
fn comes_after(word: StreamId, message: &OutboundMessage) -> bool {
    let seen = message.colleague_seen.as_ref();
    match seen.and_then(|id| id.parse::<StreamId>().ok()) {
        Some(seen) => word > seen,
        None => word.added_at_ms() > message.created_at.as_millisecond(),
    }
}

/// A message answers one that came just before it was written, but for a colleague's; a later one to the
/// same address of ours opens the window anew.
fn is_window_open(message: &OutboundMessage, standing: &Standing, now: Timestamp) -> bool {
    let same_address = |to: &Option<String>| match (to, &message.endpoint.address) {
        (Some(to), Some(ours)) => to == ours.as_str(),
        _ => true,
    };
    let later = standing
        .last_inbound
        .as_ref()
        .filter(|(_, to)| same_address(to))
        .map(|(at, _)| *at);
    let answered = (message.purpose != Purpose::Colleague).then_some(message.created_at);
    let opened = later.or(answered);
    opened.is_some_and(|opened| now.duration_since(opened) < WINDOW)
}

#[cfg(test)]
mod tests {
    use shared_types::Endpoint;

    use super::*;

    const OURS: &str = "whatsapp:+31201234567";

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + hours * 3600).unwrap()
    }

    fn message() -> OutboundMessage {
        OutboundMessage {
            id: "ob_1".parse().unwrap(),
            source: Source::Twilio,
            conversation_id: "whatsapp:+31612345678".parse().unwrap(),
            to: "whatsapp:+31612345678".parse().unwrap(),
            endpoint: Endpoint {
                address: Some(OURS.parse().unwrap()),
                ..Endpoint::default()
            },
            text: "Dag".into(),
            in_reply_to: "SM1".parse().unwrap(),
            purpose: Purpose::Reply,
            template: None,
            picture: None,
            handoff_note: None,
            not_before: None,
            colleague_seen: None,
            mirrored: None,
            created_at: at(0),
        }
    }

    fn decide(message: &OutboundMessage, standing: &Standing, hours: i64) -> Admission {
        admit(message, standing, None, at(hours))
    }

    #[test]
    fn after_an_opt_out_only_its_confirmation_is_sent() {
        let standing = Standing {
            opted_out: true,
            ..Standing::default()
        };
        assert_eq!(
            decide(&message(), &standing, 0),
            Admission::Refuse("opted_out")
        );
        let notice = OutboundMessage {
            purpose: Purpose::OptOutNotice,
            ..message()
        };
        assert_eq!(decide(&notice, &standing, 0), Admission::Send);
    }

    #[test]
    fn while_a_colleague_is_in_charge_only_the_handoff_notice_is_sent() {
        let standing = Standing {
            human_until: Some(at(5)),
            ..Standing::default()
        };
        assert_eq!(
            decide(&message(), &standing, 1),
            Admission::Refuse("human_in_charge")
        );
        assert_eq!(decide(&message(), &standing, 6), Admission::Send);
        let notice = OutboundMessage {
            purpose: Purpose::HandoffNotice,
            ..message()
        };
        assert_eq!(decide(&notice, &standing, 1), Admission::Send);
    }

    #[test]
    fn free_text_is_sent_only_within_a_day_of_the_customers_last_message() {
        let none = Standing::default();
        assert_eq!(decide(&message(), &none, 23), Admission::Send);
        assert_eq!(
            decide(&message(), &none, 24),
            Admission::Refuse("window_closed")
        );
        let later = |to: &str| Standing {
            last_inbound: Some((at(20), Some(to.into()))),
            ..Standing::default()
        };
        assert_eq!(decide(&message(), &later(OURS), 40), Admission::Send);
        assert_eq!(
            decide(&message(), &later("whatsapp:+31209999999"), 40),
            Admission::Refuse("window_closed")
        );
        let waha = OutboundMessage {
            source: Source::Waha,
            ..message()
        };
        assert_eq!(decide(&waha, &none, 100), Admission::Send);
    }

    #[test]
    fn outside_of_the_window_a_template_goes_instead() {
        let template = Template {
            content_sid: "HX1".into(),
            variables: Default::default(),
        };
        let admission = admit(&message(), &Standing::default(), Some(&template), at(30));
        assert_eq!(admission, Admission::SendTemplate(template));
    }

    #[test]
    fn a_colleagues_words_pass_all_gates_but_opt_out_and_window_and_become_no_template() {
        let words = OutboundMessage {
            purpose: Purpose::Colleague,
            ..message()
        };
        let standing = Standing {
            human_until: Some(at(50)),
            colleague: Some("1990000000000-0".parse().unwrap()),
            last_inbound: Some((at(-2), None)),
            ..Standing::default()
        };
        assert_eq!(decide(&words, &standing, 1), Admission::Send);
        let template = Template {
            content_sid: "HX1".into(),
            variables: Default::default(),
        };
        let closed = Admission::Refuse("window_closed");
        assert_eq!(admit(&words, &standing, Some(&template), at(22)), closed);
        // That it was written just now opens nothing.
        assert_eq!(decide(&words, &Standing::default(), 0), closed);
        let opted_out = Standing {
            opted_out: true,
            ..standing.clone()
        };
        assert_eq!(
            decide(&words, &opted_out, 1),
            Admission::Refuse("opted_out")
        );
        let chosen = OutboundMessage {
            template: Some(template.clone()),
            ..words
        };
        for hours in [1, 22] {
            assert_eq!(
                decide(&chosen, &standing, hours),
                Admission::SendTemplate(template.clone())
            );
        }
        assert_eq!(
            decide(&chosen, &opted_out, 22),
            Admission::Refuse("opted_out")
        );
    }

    #[test]
    fn nothing_is_not_sent() {
        let empty = OutboundMessage {
            text: " \n".into(),
            ..message()
        };
        assert_eq!(
            decide(&empty, &Standing::default(), 0),
            Admission::Refuse("empty_message")
        );
    }
}
