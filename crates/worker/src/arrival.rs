//! Something came into stock that a customer looked for in vain: whether and how the customer is told. Pure, but
//! for the clock and the shelf.

use jiff::{SignedDuration, Timestamp};
use shared_types::{
    HistoryLine, MessageId, OutboundId, OutboundMessage, Purpose, Role, StockArrival,
};
use stock::{Item, Status};

use crate::dialogue::offer::{Line, Offered, Reach, wish_of};
use crate::dialogue::state::OursAbout;
use crate::dialogue::{self, Occasion, Piece, Question, Reply, Said, State, calendar};
use crate::effects::Effects;
use crate::turns::{Known, Turns};

/// Twilio takes no text of ours later than a day after the customer's.
const WINDOW: SignedDuration = SignedDuration::from_hours(23);
/// No customer is told more often.
const APART: SignedDuration = SignedDuration::from_hours(24);
/// Among so many the thing is looked for.
const MANY: usize = 60;

/// What telling the customer changes; none where it is not right: messages are not wanted, a colleague has
/// the conversation or was asked for, the window is closing, it is no longer looked for, something was told
/// within a day, the thing is gone, or the business is closed.
pub(crate) fn told(
    turns: &Turns,
    arrival: &StockArrival,
    known: Known,
    last_inbound: Timestamp,
) -> Option<Effects> {
    let now = Timestamp::now();
    let mut memory = known.memory;
    let with_colleague = memory.is_with_human(now) || memory.told.is_some();
    let recently = memory.stock.told_at;
    let recently = recently.is_some_and(|at| now.duration_since(at) < APART);
    let is_open = now.duration_since(last_inbound) < WINDOW;
    // Who has chosen one, or comes for one, looks no further.
    let is_settled = memory.stock.chosen.is_some() || memory.appointment().is_some();
    let looks = memory.stock.unmet && !is_settled;
    if known.opted_out || with_colleague || recently || !is_open || !looks {
        return None;
    }
    let reach = memory.stock.reach.clone()?;
    let shelf = turns.shelf.now()?;
    let item = shelf.get(&arrival.feed, &arrival.item)?;
    let domain = &turns.domain;
    let business = &domain.business;
    let local = now.to_zoned(business.time_zone.clone()).datetime();
    if business.hours.is_known() && !calendar::is_open(business, local) {
        return None;
    }
    let offers = domain.knowledge.offers.as_ref()?;
    let wish = wish_of(offers, &memory.wanted, &memory.stock.needs, None);
    let found = shelf.find(&wish, MANY).matches;
    let fits = |one: &stock::Match<'_>| one.misses.is_empty() && is_same(one.item, item);
    if item.status != Status::Available || !found.iter().any(fits) {
        return None;
    }
    let said = Said {
        first: Piece::Arrived(Box::new(Line::alone(1, item))),
        rest: Vec::new(),
        ask: Some(Question::Offer { several: false }),
    };
    remember(&mut memory, item, now);
    let occasion = Occasion {
        name: None,
        text: "",
        local,
        dice: 0,
    };
    let replies = domain.replies_in(memory.lang.as_deref().unwrap_or_default());
    let worded = dialogue::word(domain, replies, &memory, &said, occasion);
    memory.note_said(&worded.said);
    let reply = message(
        arrival,
        &reach,
        worded.text.into_string(),
        known.colleague,
        now,
    )?;
    let reply = OutboundMessage {
        picture: dialogue::picture_of(&said, &mut memory.stock),
        ..reply
    };
    Some(Effects {
        memory,
        history: vec![HistoryLine {
            role: Role::Bot,
            text: reply.text.clone(),
            at: now,
        }],
        reply: Some(reply),
        said: Some(Reply::Say(Box::new(said))),
        ..Effects::default()
    })
}

fn is_same(one: &Item, other: &Item) -> bool {
    one.source == other.source && one.id == other.id
}

/// A yes is about this one.
fn remember(memory: &mut State, item: &Item, now: Timestamp) {
    let talk = &mut memory.stock;
    talk.told_at = Some(now);
    talk.unmet = false;
    talk.offered = vec![Offered::of(item)];
    talk.at = Some(now);
    talk.chosen = talk.offered.first().cloned();
    memory.asked(OursAbout::Offer, now);
}

/// The id is of the thing and the conversation: told twice it is sent once.
fn message(
    arrival: &StockArrival,
    reach: &Reach,
    text: String,
    colleague: streams::StreamId,
    now: Timestamp,
) -> Option<OutboundMessage> {
    let conversation = &arrival.conversation_id;
    let name = format!("stock:{}:{}:{conversation}", arrival.feed, arrival.item);
    let name: MessageId = name.parse().ok()?;
    Some(OutboundMessage {
        id: OutboundId::of_reply(reach.source, &name, 0),
        source: reach.source,
        conversation_id: conversation.clone(),
        to: reach.to.clone(),
        endpoint: reach.endpoint.clone(),
        text,
        picture: None,
        in_reply_to: reach.message.clone(),
        purpose: Purpose::Reply,
        template: None,
        handoff_note: None,
        not_before: None,
        colleague_seen: Some(colleague.to_string()),
        mirrored: None,
        created_at: now,
    })
}
