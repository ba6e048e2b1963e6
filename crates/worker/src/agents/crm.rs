//! What is noted of the turn, and where it comes from?

use std::sync::Arc;

use crm::{
    AppointmentWrite, ContactWrite, Crm, CrmWrite, HandoverWrite, LeadField, LeadWrite,
    QuestionWrite, Unclear, WithdrawnWrite,
};
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use shared_types::{CrmOutput, InboundMessage, OutboundMessage, Purpose, Source};

use super::{Agent, AgentError, Parts};
use crate::budget::CRM_LIMIT;
use crate::dialogue::offer::UNMET;
use crate::dialogue::piece::Status;
use crate::dialogue::wished::{self, Shift};
use crate::dialogue::{
    Changes, Occasion, Piece, Said, Wishes, date_code, handoff_note, promise, time_code, word,
};
use crate::domain::{About, Domain};
use crate::effects::reply_to;
use crate::graph::Node;
use crate::metrics::WorkerMetrics;
use crate::turn::{Output, Recorded, Turn};

pub(super) struct CrmAgent {
    domain: Arc<Domain>,
    crm: Option<Crm>,
    metrics: WorkerMetrics,
}

impl CrmAgent {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            domain: parts.domain.clone(),
            crm: parts.crm.clone(),
            metrics: parts.metrics.clone(),
        }
    }

    async fn record(&self, turn: &Turn) -> Recorded {
        let write = write(&self.domain, turn);
        let with_lead = write.lead.is_some();
        let Some(crm) = &self.crm else {
            return Recorded {
                output: CrmOutput::default(),
                unwritten: Some(write),
                with_lead,
            };
        };
        // Shorter than what is left: the turn must still be committed.
        let limit = CRM_LIMIT.min(turn.deadline.left() / 2);
        let written = tokio::time::timeout(limit, crm.apply(&write)).await;
        let error = match written {
            Ok(Ok(noted)) => {
                self.metrics.crm().written("at_once");
                let output = CrmOutput {
                    contact_created: noted.contact_created,
                    contact_id: Some(noted.contact_id),
                    lead_created: noted.lead_created,
                };
                return Recorded {
                    output,
                    unwritten: None,
                    with_lead,
                };
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.metrics.crm().written("deferred");
        tracing::warn!(error, "the CRM did not take the turn; it is written later");
        Recorded {
            output: CrmOutput::default(),
            unwritten: Some(write),
            with_lead,
        }
    }
}

impl Agent for CrmAgent {
    fn node(&self) -> Node {
        Node::Crm
    }

    fn run<'a>(&'a self, turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>> {
        Box::pin(async move { Ok(Output::Recorded(Box::new(self.record(turn).await))) })
    }
}

/// What a turn tells the CRM. Only what this message said is noted, with where it comes from.
fn write(domain: &Domain, turn: &Turn) -> CrmWrite {
    let router = turn.state.router_output.as_ref();
    let confidence = router.map_or(0.0, |output| output.confidence);
    let goal = turn
        .memory
        .goal()
        .and_then(|goal| domain.dialogue.goal(goal));
    let field = |name: String, value: String, node: Node| LeadField {
        name,
        value,
        agent: node.as_str().into(),
        confidence,
    };
    let of_wanted =
        goal.is_some_and(|goal| crate::dialogue::side(domain, &goal.intent) == About::Wanted);
    let mut shift = Shift::between(&turn.wished, &wished::fields(&turn.memory));
    if turn.memory.appointment().is_some() {
        // It is for the one that was chosen, whatever else is looked for.
        shift.keep_chosen();
    }
    let values = turn
        .dues
        .changes
        .iter()
        .flat_map(|(about, changes)| told(changes, turn.memory.wishes(*about)));
    let mut fields: Vec<LeadField> = values
        .chain(shift.changed.clone().into_iter().filter(|_| of_wanted))
        .map(|(name, value)| field(name, value, Node::Extraction))
        .collect();
    fields.extend(turn.dues.answered.iter().map(|topic| {
        let answer = turn.memory.answers.get(topic).cloned();
        field(
            topic.clone(),
            answer.unwrap_or_default(),
            Node::Conversation,
        )
    }));
    let chosen = wished::chosen(&turn.memory).filter(|_| of_wanted);
    fields.extend(chosen.map(|(name, value)| field(name, value, Node::Conversation)));
    if let Some(unmet) = turn.dues.unmet {
        let said = if unmet { "yes" } else { "no" };
        let unmet = (UNMET.to_owned(), said.to_owned());
        let wishes = std::iter::once(unmet).chain(turn.memory.stock.fields());
        fields.extend(wishes.map(|(name, value)| field(name, value, Node::Conversation)));
    }
    let carried = turn.memory.carried.iter();
    fields.extend(carried.map(|(name, value)| LeadField {
        name: name.clone(),
        value: value.clone(),
        agent: "ingress".into(),
        confidence: 1.0,
    }));
    let conversation = turn.message.conversation.id.to_string();
    let dues = &turn.dues;
    let is_asked = !dues.passed_on.is_empty() || dues.moment_changed;
    let is_changed = !shift.is_empty() || dues.unmet.is_some();
    let is_told = !dues.touched.is_empty() || !dues.answered.is_empty() || is_changed;
    let lead = goal.filter(|goal| goal.lead && (is_told || is_asked));
    CrmWrite {
        message: turn.message.event(),
        at: turn.message.received_at.unwrap_or(turn.now),
        contact: ContactWrite {
            wants_messages: turn.dues.wants_messages,
            ..contact_of(&turn.message, turn.lang())
        },
        lead: lead.map(|goal| LeadWrite {
            conversation: conversation.clone(),
            intent: goal.intent.clone(),
            fields,
            complete: turn.memory.is_ready(&goal.intent),
        }),
        withdrawn: withdrawn(domain, shift),
        appointments: appointments(turn, &conversation),
        questions: questions(domain, turn),
        handover: handover(domain, turn, turn.dues.handover.is_some()),
    }
}

/// What is wanted no more leaves every open lead about a wanted thing, whichever it was told for.
fn withdrawn(domain: &Domain, shift: Shift) -> Option<WithdrawnWrite> {
    let goals = domain.dialogue.goals.iter();
    let intents = goals.filter(|goal| goal.lead).map(|goal| &goal.intent);
    let of_wanted = |intent: &&String| crate::dialogue::side(domain, intent) == About::Wanted;
    (!shift.withdrawn.is_empty()).then(|| WithdrawnWrite {
        intents: intents.filter(of_wanted).cloned().collect(),
        moved: shift.moved,
        fields: shift.withdrawn,
    })
}

/// Values as fields: one for each alternative, what is excluded as `not`, what does not matter as `any`.
fn told(changes: &Changes, wishes: &Wishes) -> Vec<(String, String)> {
    let set = changes.set.iter();
    let mut fields: Vec<_> = set
        .flat_map(|(slot, values)| wished::numbered(slot, values))
        .collect();
    for (slot, value) in &changes.not {
        let excluded = wishes.get(slot).map(|wish| wish.not.as_slice());
        let name = format!("not.{slot}");
        let named = wished::numbered(&name, excluded.unwrap_or_default());
        fields.extend(named.filter(|(_, not)| *not == value.to_string()));
    }
    let any = changes.indifferent.iter();
    fields.extend(any.map(|slot| (slot.clone(), "any".to_owned())));
    fields
}

/// All appointments of the conversation, when this message changed one.
fn appointments(turn: &Turn, conversation: &str) -> Vec<AppointmentWrite> {
    let changed = turn
        .memory
        .appointments
        .iter()
        .filter(|_| turn.dues.moment_changed);
    changed
        .map(|one| AppointmentWrite {
            conversation: conversation.to_owned(),
            purpose: one.purpose.clone(),
            thing: one.thing.clone(),
            date: one.date.map(date_code),
            time: one.time.map(time_code),
            status: one.status.as_str().to_owned(),
        })
        .collect()
}

/// What was asked and could not be answered, in the customer's words; and what was only guessed.
fn questions(domain: &Domain, turn: &Turn) -> Vec<QuestionWrite> {
    let conversation = Some(turn.message.conversation.id.to_string());
    let asked = turn.dues.passed_on.iter();
    let mut questions: Vec<QuestionWrite> = asked
        .map(|asked| QuestionWrite {
            words: asked.words.clone(),
            topic: asked.topic.name().to_owned(),
            conversation: conversation.clone(),
            ..QuestionWrite::default()
        })
        .collect();
    let router = turn.state.router_output.as_ref();
    let threshold = domain.settings.confidence_threshold;
    let guess = router.filter(|router| router.confidence < threshold);
    questions.extend(
        guess.and_then(|router| unclear(turn, Unclear::Intent, &router.intent, router.confidence)),
    );
    questions
}

/// Words that a colleague should look at, as somebody guessed what they mean.
pub(crate) fn unclear(
    turn: &Turn,
    kind: Unclear,
    guess: &str,
    confidence: f64,
) -> Option<QuestionWrite> {
    let words = turn.message.content.trim();
    (!words.is_empty()).then(|| QuestionWrite {
        words: words.chars().take(MAX_WORDS).collect(),
        topic: guess.to_owned(),
        kind,
        conversation: Some(turn.message.conversation.id.to_string()),
        confidence: Some(confidence),
    })
}

/// Words of the customer that are kept with a hand-over.
const MAX_WORDS: usize = 500;

/// The hand-over, once a colleague was told. `opens` when this message asked for it.
pub(crate) fn handover(domain: &Domain, turn: &Turn, opens: bool) -> Option<HandoverWrite> {
    let told = turn.memory.told.as_ref()?;
    let promise = promise(domain, turn.local);
    let zone = &domain.business.time_zone;
    let moment = |at: DateTime| at.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    let words = &turn.message.content;
    Some(HandoverWrite {
        conversation: turn.message.conversation.id.to_string(),
        opens,
        reason: told.reason.clone(),
        urgent: told.urgent,
        last_words: words.chars().take(MAX_WORDS).collect(),
        summary: handoff_note(domain, &turn.memory, &told.reason, words),
        promised_at: promise.named.and_then(moment),
        answer_by: moment(promise.answer_by).unwrap_or(turn.now),
        late_reply: late_reply(domain, turn, promise.answer_by).map(Box::new),
    })
}

/// The place of this reply among those to one message.
const PLACE: usize = 2;
/// Twilio takes no text of ours later than a day after the customer's.
const WINDOW: SignedDuration = SignedDuration::from_hours(23);

/// What the customer is told when nobody took the hand-over by then. In a help desk a colleague has
/// the conversation at once.
fn late_reply(domain: &Domain, turn: &Turn, at: DateTime) -> Option<OutboundMessage> {
    let message = &turn.message;
    let too_late = at.duration_since(turn.local) > WINDOW;
    if message.source == Source::Chatwoot || (message.source == Source::Twilio && too_late) {
        return None;
    }
    let replies = domain.replies_in(turn.lang());
    replies
        .pieces
        .get("unanswered")
        .filter(|texts| !texts.is_empty())?;
    let said = Said {
        first: Piece::Status(Status::Unanswered),
        rest: Vec::new(),
        ask: None,
    };
    let occasion = Occasion {
        name: message.sender.name.as_deref(),
        text: &message.content,
        local: at,
        dice: 0,
    };
    let worded = word(domain, replies, &turn.memory, &said, occasion);
    // It is about the hand-over: that somebody should have the conversation does not hold it back.
    let reply = reply_to(turn, worded.text.into_string(), Purpose::HandoffNotice);
    Some(OutboundMessage {
        id: message.reply_id(PLACE),
        ..reply
    })
}

/// Who wrote a message, with every address that its channel proves.
pub fn contact_of(message: &InboundMessage, lang: &str) -> ContactWrite {
    let sender = &message.sender;
    let mut addresses = vec![sender.id.to_string()];
    addresses.extend(
        sender
            .phone_number
            .iter()
            // Anybody may type anybody's number into a web chat.
            .filter(|_| !sender.phone_number_is_claimed)
            .map(|number| format!("tel:{number}")),
    );
    addresses.extend(sender.aliases.iter().map(ToString::to_string));
    addresses.push(message.conversation.id.to_string());
    let mut seen = std::collections::BTreeSet::new();
    addresses.retain(|address| seen.insert(address.clone()));
    let is_chatwoots = |address: &String| address.starts_with("chatwoot:");
    let (mut also, mut addresses): (Vec<_>, Vec<_>) = addresses.into_iter().partition(is_chatwoots);
    if addresses.is_empty() {
        std::mem::swap(&mut also, &mut addresses);
    }
    ContactWrite {
        addresses,
        also,
        name: sender.name.clone(),
        language: Some(lang.to_owned()),
        wants_messages: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::budget::Deadline;
    use crate::dialogue::State;
    use crate::turn::Beginning;
    use crate::understanding::Understanding;

    /// What a customer who wrote then is told when nobody comes.
    fn late(now: &str, source: &str) -> Option<String> {
        let domain = Domain::embedded().unwrap();
        let message = json!({
            "id": "SM1", "conversation": {"id": "whatsapp:+31612345678"},
            "sender": {"id": "whatsapp:+31612345678"}, "content": "een mens graag",
            "message_type": "incoming", "channel": "whatsapp", "source": source,
        });
        let mut memory = State::default();
        memory.lang = Some("nl".into());
        let now = now.parse().unwrap();
        memory.tell("asked", false, now);
        let begun = Beginning {
            message: serde_json::from_value(message).unwrap(),
            withheld: false,
            history: Vec::new(),
            memory,
            colleague: Default::default(),
            reading: Understanding::default(),
            acts: Vec::new(),
        };
        let turn = Turn::new(
            &domain,
            begun,
            now,
            Deadline::after(std::time::Duration::ZERO),
        );
        let handover = handover(&domain, &turn, true).unwrap();
        handover.late_reply.map(|reply| reply.text)
    }

    #[test]
    fn who_is_not_answered_in_time_hears_when_it_will_be() {
        // A Tuesday, at eleven and a quarter before closing.
        let today = late("2026-12-01T10:00:00Z", "twilio").unwrap();
        assert!(today.contains("vandaag nog"), "{today}");
        let tomorrow = late("2026-12-01T16:45:00Z", "twilio").unwrap();
        assert!(tomorrow.contains("woensdag vanaf 09:00"), "{tomorrow}");
        // On Monday Twilio takes no text for what was written on Saturday; WAHA does.
        assert_eq!(late("2026-11-28T18:10:00Z", "twilio"), None);
        let monday = late("2026-11-28T18:10:00Z", "waha").unwrap();
        assert!(monday.contains("vandaag nog"), "{monday}");
        assert_eq!(late("2026-12-01T10:00:00Z", "chatwoot"), None);
    }

    fn addresses(sender: &Value) -> Vec<String> {
        let message = json!({
            "id": "7", "conversation": {"id": "chatwoot:1:42"}, "sender": sender, "content": "hoi",
            "message_type": "incoming", "channel": "whatsapp", "source": "chatwoot",
        });
        contact_of(&serde_json::from_value(message).unwrap(), "nl").addresses
    }

    #[test]
    fn a_number_that_is_only_claimed_names_nobody() {
        let visitor = json!({
            "id": "chatwoot:1-visitor-9", "phone_number": "+31612345678",
            "phone_number_is_claimed": true,
        });
        let claimed = addresses(&visitor);
        assert_eq!(claimed, ["chatwoot:1-visitor-9", "chatwoot:1:42"]);
        let proven = addresses(&json!({
            "id": "whatsapp:+31612345678", "phone_number": "+31612345678",
        }));
        assert!(
            proven.contains(&"tel:+31612345678".to_owned()),
            "{proven:?}"
        );
    }
}
