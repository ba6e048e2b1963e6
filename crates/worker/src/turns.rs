//! Takes turns: from a message and what is known to everything that the turn changes. No Redis here.

use std::sync::Arc;
use std::time::Duration;

use crm::person::normal;
use crm::{ContactWrite, CrmWrite, HandoverChange, Status, Unclear};
use jiff::{SignedDuration, Timestamp};
use shared_types::{
    ColleagueMessage, ControlEvent, ControlKind, HistoryLine, InboundMessage, PhoneNumber, Purpose,
    Role, Source, Wanted,
};
use streams::StreamId;

use crate::agents::{AgentError, Agents, contact_of, in_words, remember, unclear};
use crate::budget::Deadline;
use crate::carried::{colleague_line, context, customer_line, for_agents, lead_fields};
use crate::dialogue::act::{Act, Consent, Does, Inform, Origin, Thing, Told};
use crate::dialogue::offer::Reach;
use crate::dialogue::piece::Confirmed;
use crate::dialogue::state::OursAbout;
use crate::dialogue::{self, Piece, Question, Reply, Said, Silence, Standing, State};
use crate::domain::{Domain, SlotKind};
use crate::effects::{Effects, OptOut, reply_to, sender_of};
use crate::graph;
use crate::hands;
use crate::late;
use crate::media::{Cards, Transcriber};
use crate::metrics::WorkerMetrics;
use crate::stock::Shelf;
use crate::subscription::{Subscription, decide};
use crate::turn::{Beginning, Turn};
use crate::understanding::{Understander, Understanding};

/// Why the bot is silent.
const COLLEAGUE_WROTE: &str = "colleague_wrote";

/// Everything that a turn needs.
pub struct Turns {
    /// The business.
    pub domain: Arc<Domain>,
    /// The rules.
    pub understander: Arc<Understander>,
    /// The graph's agents.
    pub agents: Agents,
    /// What puts voice messages into text, where that is configured.
    pub transcriber: Option<Transcriber>,
    /// What reads contact cards that come as a file.
    pub cards: Option<Cards>,
    /// How long a turn may take.
    pub budget: Duration,
    /// What is for sale.
    pub shelf: Shelf,
    /// Numbers of colleagues, who are no customers.
    pub colleagues: Vec<PhoneNumber>,
    /// What is counted.
    pub metrics: WorkerMetrics,
}

/// What is known of a conversation when its turn begins.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What is remembered.
    pub memory: State,
    /// Earlier lines, oldest first.
    pub history: Vec<HistoryLine>,
    /// Whether the contact wants no messages.
    pub opted_out: bool,
    /// The last word of a colleague.
    pub colleague: StreamId,
}

impl Turns {
    /// Takes the turn of a message.
    ///
    /// # Errors
    /// When an agent fails or takes too long.
    pub async fn take(
        &self,
        mut message: InboundMessage,
        known: Known,
        now: Timestamp,
    ) -> Result<Effects, AgentError> {
        if self.is_from_colleague(&message) {
            // That they wrote opens the provider's window for notices to them.
            let last_inbound = (message.received_at.unwrap_or(now), our_address(&message));
            return Ok(Effects {
                memory: known.memory,
                last_inbound: Some(last_inbound),
                ..Effects::default()
            });
        }
        let deadline = Deadline::after(self.budget);
        self.transcribe(&mut message, &known.memory, deadline).await;
        self.read_cards(&mut message, deadline).await;
        let opted_out = known.opted_out;
        let mut withheld = withhold(&mut message);
        let last_inbound = (message.received_at.unwrap_or(now), our_address(&message));
        let is_newest = late::is_newest(&message, &known.history);
        let sender = sender_of(&message);
        let line = customer_line(&message, now);
        for_agents(&mut message);
        withheld |= withhold(&mut message);
        let turn = self.begin(message, withheld, known, now, deadline);
        let word = turn.message.provider_word;
        // The ways that go on hold a turn each: boxed, or every caller's future holds them all.
        let mut effects = match decide(word, turn.reading.consent, opted_out) {
            Subscription::StillEnded if turn.reading.consent == Some(Consent::Erase) => {
                Box::pin(self.told_only(turn)).await?
            }
            Subscription::StillEnded | Subscription::Answered => Effects {
                memory: turn.memory,
                silence: Some(Silence::OptedOut),
                ..Effects::default()
            },
            // More is said with it.
            Subscription::Ended | Subscription::Renewed
                if word.is_none() && turn.acts.len() > 1 =>
            {
                Box::pin(self.run_agents(turn)).await?
            }
            Subscription::Ended => self.opted(turn, OptOut::Since(now)),
            Subscription::Renewed => self.opted(turn, OptOut::Lifted),
            Subscription::Doubtful | Subscription::Wanted if turn.message.too_late => {
                late::told(&self.domain, turn)
            }
            Subscription::Doubtful => self.asked_whether_to_stop(turn),
            Subscription::Wanted => Box::pin(self.run_agents(turn)).await?,
        };
        effects.last_inbound = is_newest.then_some(last_inbound);
        effects.sender = Some(sender);
        effects.history.insert(0, line);
        Ok(effects)
    }

    fn is_from_colleague(&self, message: &InboundMessage) -> bool {
        let sender = &message.sender;
        let aliases = sender.aliases.iter().map(|alias| alias.as_str());
        let own = std::iter::once(sender.id.as_str()).chain(aliases);
        let own: Vec<String> = own.map(normal).collect();
        let mut colleagues = self.colleagues.iter().map(|number| normal(number.as_str()));
        colleagues.any(|number| own.contains(&number))
    }

    fn begin(
        &self,
        message: InboundMessage,
        withheld: bool,
        known: Known,
        now: Timestamp,
        deadline: Deadline,
    ) -> Turn {
        let mut memory = known.memory;
        let carried = lead_fields(&message).into_iter();
        memory
            .carried
            .extend(carried.map(|(name, value)| (name.to_owned(), value)));
        let stock = self.shelf.now();
        let standing = Standing::of(&memory, known.opted_out).with_stock(stock.is_some());
        let text = &message.content;
        let (reading, acts) = self.understander.take(text, &standing.context());
        let local = now.to_zoned(self.domain.business.time_zone.clone());
        let mut acts = dialogue::timed(&self.domain, &memory, (text, &reading), acts, &local);
        acts.extend(self.pointed_at(&reading, &message));
        let begun = Beginning {
            message,
            withheld,
            history: known.history,
            memory,
            colleague: known.colleague,
            reading,
            acts,
        };
        Turn {
            stock,
            ..Turn::new(&self.domain, begun, now, deadline)
        }
    }

    /// A message that names no thing of its own is about the one that it quotes, or that the
    /// advertisement showed.
    fn pointed_at(&self, reading: &Understanding, message: &InboundMessage) -> Option<Act> {
        let around = self.understander.understand(&context(message)?);
        let mut values = Vec::new();
        for slot in &self.domain.slots {
            let SlotKind::Catalogue(names) = &slot.kind else {
                continue;
            };
            let names = [&names.upper, &names.lower];
            if names.iter().any(|name| reading.slots.contains_key(*name)) {
                continue;
            }
            values.extend(names.iter().filter_map(|name| {
                Some(Told {
                    slot: (*name).clone(),
                    any_of: vec![around.slots.get(*name)?.clone()],
                    came_with: None,
                    rather: false,
                    also: false,
                })
            }));
        }
        (!values.is_empty()).then_some(Act {
            does: Does::Inform(Inform {
                thing: Thing::Wanted,
                values,
                when: None,
                attachment: None,
                remark: None,
            }),
            confidence: reading.confidence,
            words: 0..0,
            clause: 0,
            origin: Origin::Rules,
        })
    }

    /// Who wants no messages gets none, but a colleague hears what is wanted of us.
    async fn told_only(&self, turn: Turn) -> Result<Effects, AgentError> {
        let mut effects = self.run_agents(turn).await?;
        let reply = effects.reply.take();
        Ok(Effects {
            handoff_note: reply.and_then(|reply| reply.handoff_note),
            history: Vec::new(),
            silence: Some(Silence::OptedOut),
            ..effects
        })
    }

    async fn run_agents(&self, mut turn: Turn) -> Result<Effects, AgentError> {
        graph::run(&self.agents, &mut turn, &self.metrics).await?;
        let passed_on = turn.dues.passed_on.iter();
        let mut effects = Effects {
            passed_on: passed_on
                .map(|asked| asked.topic.name().to_owned())
                .collect(),
            crm: turn.unwritten.take(),
            opt_out: turn.dues.wants_messages.map(|wants| match wants {
                true => OptOut::Lifted,
                false => OptOut::Since(turn.now),
            }),
            ..Effects::default()
        };
        if let Some(change) = &effects.opt_out {
            self.metrics.opted(change.name());
        }
        if let Some(output) = turn.state.conversation_output.clone() {
            let purpose = match (&effects.opt_out, output.should_escalate) {
                (Some(_), _) => Purpose::OptOutNotice,
                (None, true) => Purpose::HandoffNotice,
                (None, false) => Purpose::Reply,
            };
            let text = output.response_text;
            let text = late::excused(&self.domain, &turn, &turn.memory, text);
            let mut reply = reply_to(&turn, text, purpose);
            if output.should_escalate {
                let reason = output.escalation_reason.unwrap_or_default();
                let (memory, content) = (&turn.memory, &turn.message.content);
                let note = dialogue::handoff_note(&self.domain, memory, &reason, content);
                reply.handoff_note = Some(note);
                if turn.message.source == Source::Chatwoot {
                    // The help desk opens the conversation, and then it is a colleague's.
                    turn.memory.taken(self.until(turn.now), &reason);
                }
            }
            if let (Purpose::Reply, Some(Reply::Say(said))) = (purpose, &turn.reply) {
                reply.picture = dialogue::picture_of(said, &mut turn.memory.stock);
            }
            effects.history.push(bot_line(reply.text.clone(), turn.now));
            effects.reply = Some(reply);
        }
        if let Some(Reply::Silent(silence)) = turn.reply {
            effects.silence = Some(silence);
        }
        effects.acts = turn.acts;
        effects.said = turn.reply;
        turn.state.conversation_history.clear();
        let talk = &mut turn.memory.stock;
        talk.reach = talk.unmet.then(|| Reach::of(&turn.message));
        effects.memory = turn.memory;
        effects.state = Some(turn.state);
        Ok(effects)
    }

    /// The contact ended messages, or wants them again: confirmed once.
    fn opted(&self, mut turn: Turn, change: OptOut) -> Effects {
        turn.follow_language();
        let (confirmed, ask, wants) = match change {
            OptOut::Since(_) => (Confirmed::Stop, None, false),
            OptOut::Lifted => (Confirmed::Start, Some(Question::Help), true),
        };
        self.metrics.opted(change.name());
        let crm = Self::changed(&turn, wants);
        // The provider has answered its own word.
        let answered = turn.message.provider_word.is_some();
        let mut effects = if answered {
            Effects {
                memory: turn.memory,
                ..Effects::default()
            }
        } else {
            let piece = Piece::Consent(confirmed);
            self.say(turn, piece, ask, Purpose::OptOutNotice)
        };
        effects.crm = Some(crm);
        effects.opt_out = Some(change);
        effects
    }

    /// It sounds like an end of messages, but is not said as one: the word for it is offered.
    fn asked_whether_to_stop(&self, mut turn: Turn) -> Effects {
        turn.follow_language();
        let now = turn.now;
        let question = Piece::Ask(Question::Stop);
        let (intent, sure) = (turn.reading.intent.clone(), turn.reading.confidence);
        let doubted = unclear(&turn, Unclear::OptOut, &intent, sure).into_iter();
        let crm = CrmWrite {
            contact: contact_of(&turn.message, turn.lang()),
            questions: doubted.collect(),
            ..Self::changed(&turn, true)
        };
        let mut effects = self.say(turn, question, None, Purpose::Reply);
        effects.memory.asked(OursAbout::Stop, now);
        effects.crm = Some(crm);
        effects
    }

    /// What the CRM is told of a contact who ends messages or wants them again.
    fn changed(turn: &Turn, wants: bool) -> CrmWrite {
        let message = &turn.message;
        CrmWrite {
            message: message.event(),
            at: message.received_at.unwrap_or(turn.now),
            contact: ContactWrite {
                wants_messages: Some(wants),
                ..contact_of(message, turn.lang())
            },
            lead: None,
            appointments: Vec::new(),
            withdrawn: None,
            questions: Vec::new(),
            handover: None,
        }
    }

    /// Says one thing, without the agents.
    fn say(
        &self,
        mut turn: Turn,
        piece: Piece,
        ask: Option<Question>,
        purpose: Purpose,
    ) -> Effects {
        let said = Said {
            first: piece,
            rest: Vec::new(),
            ask,
        };
        let worded = in_words(&self.domain, &turn, &turn.memory, &said);
        remember(&mut turn.memory, &worded);
        let text = worded.text.into_string();
        let reply = reply_to(&turn, text, purpose);
        Effects {
            history: vec![bot_line(reply.text.clone(), turn.now)],
            memory: turn.memory,
            reply: Some(reply),
            said: Some(Reply::Say(Box::new(said))),
            ..Effects::default()
        }
    }

    /// How long a conversation is a colleague's who took it then.
    fn until(&self, taken: Timestamp) -> Timestamp {
        let hours = i64::from(self.domain.dialogue.human_hours);
        let until = taken.checked_add(SignedDuration::from_hours(hours));
        until.unwrap_or(Timestamp::MAX)
    }

    /// Whether a change of hands is older than what is known of them.
    pub fn is_overtaken(&self, event: &ControlEvent, known: &Known) -> bool {
        hands::is_overtaken(event, &known.memory, self.until(event.at))
    }

    /// Takes the turn of something that happened outside of the messages.
    pub fn control(&self, event: &ControlEvent, known: Known) -> Effects {
        let mut memory = known.memory;
        let mut history = Vec::new();
        let handover = hands::handed(event, &memory);
        memory.hands_at = event.changed_at.or(memory.hands_at);
        match event.kind {
            ControlKind::HumanTookOver => memory.taken(self.until(event.at), "taken_over"),
            ControlKind::Released | ControlKind::Resolved => memory.release(),
            ControlKind::MessageDeleted => history.push(HistoryLine {
                role: Role::System,
                text: "the customer deleted a message".into(),
                at: event.at,
            }),
        }
        Effects {
            memory,
            history,
            handover,
            ..Effects::default()
        }
    }

    /// What is known to the turn of the entry with this id. A colleague who wrote after it came has
    /// answered it; how long the conversation is the colleague's, their own entry says, which follows.
    pub fn overtaken(&self, mut known: Known, entry: StreamId, now: Timestamp) -> Known {
        if known.colleague > entry {
            known.memory.taken(self.until(now), COLLEAGUE_WROTE);
        }
        known
    }

    /// Takes the turn of a colleague's message: the conversation is theirs, and an answer of the
    /// customer is one to them.
    pub fn colleague(&self, message: &ColleagueMessage, known: Known) -> Effects {
        let mut memory = known.memory;
        let takes_over = message.takes_over();
        if takes_over {
            memory.taken(self.until(message.at), COLLEAGUE_WROTE);
            memory.ours = None;
        }
        let by = message.by.clone();
        let wanted = message.mirrored.map(|mirrored| mirrored.wanted);
        let is_again = matches!(wanted, Some(Wanted::Again { .. }));
        Effects {
            memory,
            history: match is_again {
                true => Vec::new(),
                false => vec![colleague_line(message)],
            },
            handover: takes_over.then(|| HandoverChange {
                conversation_id: message.conversation_id.to_string(),
                to: Status::Answered,
                by: by.unwrap_or_else(|| message.source.to_string()),
                at: message.at,
            }),
            ..Effects::default()
        }
    }

    /// Contacts that are files get their words, where that is possible.
    async fn read_cards(&self, message: &mut InboundMessage, deadline: Deadline) {
        let Some(cards) = &self.cards else { return };
        for outcome in cards.read(message, deadline).await {
            self.metrics.card(outcome);
        }
    }

    /// A voice message becomes the text that was said, where that is possible.
    async fn transcribe(&self, message: &mut InboundMessage, memory: &State, deadline: Deadline) {
        let Some(transcriber) = self
            .transcriber
            .as_ref()
            .filter(|_| message.content.is_empty())
        else {
            return;
        };
        let spoken = memory.lang.as_ref();
        let usual = || self.domain.replies.first().map(|replies| &replies.language);
        let lang = spoken.or_else(usual).map_or("", String::as_str);
        match transcriber.text_of(message, lang, deadline).await {
            Ok(None) => {}
            Ok(Some(text)) => {
                self.metrics.transcribed("done");
                message.content = text;
            }
            Err(error) => {
                self.metrics.transcribed(error.name());
                tracing::warn!(%error, "the agents see a voice message without its text");
            }
        }
    }
}

/// Numbers that may not be kept go before anything sees them. Whether there were any.
fn withhold(message: &mut InboundMessage) -> bool {
    let (kept, found) = dialogue::withhold(&message.content);
    if found {
        message.content = kept.into_owned();
    }
    found
}

fn bot_line(text: String, at: Timestamp) -> HistoryLine {
    HistoryLine {
        role: Role::Bot,
        text,
        at,
    }
}

fn our_address(message: &InboundMessage) -> Option<String> {
    Some(message.endpoint.as_ref()?.address.as_ref()?.to_string())
}
