//! What a message changes, and what it is owed: one row of a table for each act. Pure.
//!
//! Acts are taken in the order of the text, but for what cannot wait: messages and data, danger,
//! and what went wrong in the talk.

mod answers;
mod arranged;
mod asks;
mod beside;
mod danger;
mod described;
mod moments;
mod own_words;
mod people;
mod purpose;
mod remarks;
mod repeats;
mod shifted;
mod stock;
mod what_for;

use jiff::Timestamp;
use jiff::civil::DateTime;

use remarks::{MAX_MATTER, REMARKS, SURE_ENOUGH_TO_QUOTE, is_telling, shortened_to};
pub(super) use remarks::{WISHES, is_short, shortened};

use super::act::{Act, Does, Inform, Repair, Thing, Told, When};
use super::offer::Offered;
use super::piece::{Passed, Piece, Question, Silence};
use super::state::{State, Theirs};
use super::topics;
use super::wish::{self, Changes};
use crate::domain::{About, Domain, SlotKind};
use crate::understanding::Sought;

/// A message as the dialogue sees it.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// What it does.
    pub acts: &'a [Act],
    /// Its text, without what may not be kept.
    pub text: &'a str,
    /// The kind of its first file: `image`, `audio`, `location` …
    pub attachment: Option<&'static str>,
    /// A number was in it that may not be kept.
    pub withheld: bool,
    /// The code of the language that it is written in, when that is not served.
    pub unserved: Option<&'a str>,
    /// The time of the message.
    pub now: Timestamp,
    /// The same, on the clock of the business.
    pub local: DateTime,
    /// When ingress took it in, where that is known.
    pub came: Option<Timestamp>,
    /// What is for sale, where that is known.
    pub stock: Option<&'a ::stock::Stock>,
    /// What it asks of the stock.
    pub sought: &'a Sought,
}

/// What a message is owed, and what others have to know of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dues {
    /// What the reply owes.
    pub pieces: Vec<Piece>,
    /// What has to be asked before anything of a form.
    pub question: Option<Question>,
    /// Why nothing may be said.
    pub silence: Option<Silence>,
    /// Why a colleague was told just now.
    pub handover: Option<&'static str>,
    /// Whether messages ended (false) or are wanted again (true).
    pub wants_messages: Option<bool>,
    /// Goals that the message is about.
    pub touched: Vec<String>,
    /// What changed of which thing.
    pub changes: Vec<(About, Changes)>,
    /// Topics that were answered in the customer's own words.
    pub answered: Vec<String>,
    /// Questions that a colleague has to answer, asked just now.
    pub passed_on: Vec<Theirs>,
    /// Whether an appointment changed.
    pub moment_changed: bool,
    /// Something was named, and it was not said what for.
    pub only_named: bool,
    /// The customer took one of the things that were offered.
    pub chosen: bool,
    /// Whether nothing fits what is wanted, where that was found out just now.
    pub unmet: Option<bool>,
}

/// Below this no alarm is given.
const SURE_ENOUGH_FOR_ALARM: f64 = 0.3;

pub(super) struct Update<'a> {
    domain: &'a Domain,
    heard: &'a Heard<'a>,
    state: State,
    dues: Dues,
    catalogues: Vec<(String, String)>,
    /// The message looks for something in the stock.
    search: bool,
    /// It wants something further than what was offered.
    compared: bool,
    /// Wishes of the stock that the message gives up.
    given_up: Vec<String>,
    /// What it points at of the things that were offered.
    pointed: Vec<Offered>,
}

/// Takes a message in.
#[must_use]
pub fn update(domain: &Domain, state: State, heard: &Heard<'_>) -> (State, Dues) {
    let catalogues = domain.slots.iter().filter_map(|slot| match &slot.kind {
        SlotKind::Catalogue(names) => Some((names.upper.clone(), names.lower.clone())),
        _ => None,
    });
    let mut update = Update {
        domain,
        heard,
        state,
        dues: Dues::default(),
        catalogues: catalogues.collect(),
        search: false,
        compared: false,
        given_up: Vec::new(),
        pointed: Vec::new(),
    };
    update.run();
    (update.state, update.dues)
}

impl Update<'_> {
    fn run(&mut self) {
        self.state.age(self.heard.now);
        self.end_alarm(self.heard.now.duration_since(self.state.echo.at));
        if self.is_machine() {
            return;
        }
        let with_human = self.state.is_with_human(self.heard.now);
        let known = self.state.clone();
        let misread = |act: &Act| act.does == Does::Repair(Repair::Misread);
        if !self.heard.acts.iter().any(misread) {
            self.state.before = Some(Box::new(self.state.snapshot()));
        }
        self.mean_one();
        let acts = match self.named_choice() {
            Some(choice) => vec![choice],
            None => self.point(self.heard.acts),
        };
        let (urgent, others): (Vec<&Act>, Vec<&Act>) = acts.iter().partition(|act| {
            matches!(act.does, Does::Consent(_) | Does::Alarm { .. }) || misread(act)
        });
        for act in urgent.into_iter().chain(others) {
            if !self.is_out_of_place(act) {
                let of_own = act.does.speaks_of().map(|thing| thing == Thing::Own);
                self.state.spoke_of_own = of_own.unwrap_or(self.state.spoke_of_own);
                self.act(act);
            }
        }
        self.finish();
        self.stay_safe();
        if with_human && self.dues.wants_messages.is_none() {
            self.dues.pieces.clear();
            self.dues.question = None;
            self.dues.silence = Some(Silence::HumanTook);
            (self.state.facts, self.state.unclear) = (known.facts, known.unclear);
            (self.state.ours, self.state.greeted) = (known.ours, known.greeted);
        }
    }

    fn act(&mut self, act: &Act) {
        match &act.does {
            Does::Consent(consent) => self.consent(*consent),
            Does::Alarm { name } if act.confidence >= SURE_ENOUGH_FOR_ALARM => self.alarm(name),
            Does::Alarm { .. } => {}
            Does::Repair(repair) => self.repair(*repair),
            Does::Complain { legal, angry } => self.complain(act, *legal, *angry),
            Does::Ask(ask) => self.ask(act, ask),
            Does::Inform(inform) => self.inform(act, inform),
            Does::Correct(correct) => {
                if let Some(about) = about(correct.thing) {
                    let wishes = self.state.wishes_mut(about);
                    let changes = wish::correct(wishes, correct, &self.catalogues);
                    self.changed(about, changes);
                }
            }
            Does::Request {
                goal,
                thing,
                when,
                asks_whether,
                ..
            } => {
                let goal = &self.what_for(goal, *thing);
                let exact = when.is_some_and(When::is_exact);
                if self.state.complains() && self.is_asked(act) && !exact {
                    // Whether it is put right, a colleague says who has the complaint.
                    let words = Passed::Words(self.quote(act));
                    self.pass_on_words(act, super::act::Asked::Other);
                    return self.owe(Piece::PassOn(words));
                }
                self.matter_of(goal, act);
                if self.state.complains() && when.is_none() && self.is_of_own(goal) {
                    return self.receive_complaint();
                }
                self.request(goal, when.as_ref(), *asks_whether);
            }
            Does::Answer(answer) => self.answer(answer),
            Does::Offer { amount, .. } => {
                self.pass_on_words(act, super::act::Asked::Other);
                self.owe(Piece::Bid(*amount));
            }
            Does::Reschedule {
                when,
                shift_minutes,
                standing,
            } => self.reschedule(when.as_ref(), *shift_minutes, *standing),
            Does::Cancel { .. } => self.calls_off(act),
            Does::Handoff {
                by_phone,
                whom,
                when,
            } => {
                if *by_phone && when.is_none() && self.ring(act.confidence) {
                    return;
                }
                if *whom && self.state.told.is_some() {
                    let words = self.quote(act);
                    self.owe(Piece::Answered(REMARKS.to_owned(), words));
                }
                self.handoff(act.confidence, when.as_ref(), *by_phone);
            }
            Does::NoCalls => self.no_calls(act),
            Does::Identify { .. } => self.identify(&act.does),
            Does::Social(social) => self.social(*social),
            Does::Unclear { .. } if self.heard.text.trim().is_empty() => {}
            Does::Unclear { candidates } => self.unclear(candidates),
        }
    }

    pub(super) fn owe(&mut self, piece: Piece) {
        if let Piece::Appointment { purpose, .. } = &piece {
            // Of an appointment that is said in parts, what holds at the end is said.
            self.dues.pieces.retain(
                |known| !matches!(known, Piece::Appointment { purpose: other, .. } if other == purpose),
            );
        }
        let remarks =
            |piece: &Piece| matches!(piece, Piece::Answered(topic, _) if topic == REMARKS);
        let remarked = remarks(&piece) && self.dues.pieces.iter().any(remarks);
        if !remarked && !self.dues.pieces.contains(&piece) {
            self.dues.pieces.push(piece);
        }
    }

    /// Asks before anything else; the first such question wins.
    pub(super) fn must_ask(&mut self, question: Question) {
        self.dues.question.get_or_insert(question);
    }

    /// Whether a question mark follows the words of an act.
    fn is_asked(&self, act: &Act) -> bool {
        let rest = self.heard.text.get(act.words.end..);
        rest.is_some_and(|rest| rest.trim_start().starts_with('?'))
    }

    /// What an act says, short enough to be repeated.
    fn quote(&self, act: &Act) -> String {
        shortened(self.words_of(act).unwrap_or(self.heard.text))
    }

    /// Tells a colleague; whether that is new.
    fn tell(&mut self, reason: &'static str, urgent: bool) -> bool {
        let is_new = self.state.tell(reason, urgent, self.heard.now);
        if is_new {
            self.dues.handover = Some(reason);
        }
        is_new
    }

    /// What a complaint is about: the surest of its clauses, or where that is short, as anger is, the
    /// sentence that says most. None when all is short.
    fn matter(&self) -> Option<String> {
        const SHORT: usize = 4;
        let own = |act: &Act| match &act.does {
            Does::Complain { .. } => true,
            Does::Request { goal, .. } => self.is_of_own(goal),
            _ => false,
        };
        let parts = self.heard.acts.iter().filter(|act| own(act));
        let parts: Vec<&Act> = parts.collect();
        if let [first, .., last] = parts.as_slice()
            && parts
                .iter()
                .any(|act| matches!(act.does, Does::Request { .. }))
        {
            // "I bought it from you, and now it won't start" is one matter.
            let (from, to) = (first.words.start, last.words.end);
            let words = self.heard.text.get(from..to);
            return words.map(|words| shortened_to(words, MAX_MATTER));
        }
        let long = |words: &str| words.split_whitespace().count() > SHORT;
        let complaints = self.heard.acts.iter();
        let complaints = complaints.filter(|act| matches!(act.does, Does::Complain { .. }));
        let clauses = complaints.filter_map(|act| Some((act, self.words_of(act)?)));
        let surest = clauses
            .filter(|(_, words)| long(words))
            .max_by(|one, other| {
                let sure = one.0.confidence.total_cmp(&other.0.confidence);
                sure.then(one.1.len().cmp(&other.1.len()))
            });
        if let Some((_, words)) = surest {
            return Some(shortened_to(words, MAX_MATTER));
        }
        let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n');
        let sentences = self.heard.text.split_inclusive(ends);
        let asks = self.heard.acts.iter();
        let asks = asks.filter(|act| matches!(act.does, Does::Ask(_)));
        let asked: Vec<&str> = asks.filter_map(|act| self.words_of(act)).collect();
        let told = sentences.filter(|sentence| !asked.iter().any(|ask| sentence.contains(ask)));
        let longest = told.max_by_key(|sentence| sentence.chars().count());
        let longest = longest.filter(|sentence| long(sentence));
        longest.map(|sentence| shortened_to(sentence, MAX_MATTER))
    }

    fn inform(&mut self, act: &Act, inform: &Inform) {
        if let Some(about) = about(inform.thing) {
            let told = self.together(about, &inform.values);
            let wishes = self.state.wishes_mut(about);
            let changes = wish::tell(wishes, &told, &self.catalogues);
            self.changed(about, changes);
        }
        if let Some(when) = &inform.when {
            self.moment(None, when, false);
        }
        if let Some(remark) = &inform.remark {
            if self.is_noted_with(act) {
                return self.keep_remark(&shortened(remark));
            }
            if let Some(about) = about(inform.thing).filter(|_| self.is_part(act)) {
                self.keep_remark(remark);
                let words = vec![remark.clone()];
                let changes = Changes {
                    words,
                    ..Changes::default()
                };
                return self.changed(about, changes);
            }
            if self.state.goals.is_empty() && self.waits_for_answer() {
                return self.add_to_question(remark);
            }
            let pursued = self.state.goal().map(str::to_owned);
            let in_mind = || self.state.in_mind.clone();
            let first = || topics::first_goal(self.domain, About::Wanted).map(str::to_owned);
            if let Some(goal) = pursued.or_else(in_mind).or_else(first) {
                match act.confidence >= SURE_ENOUGH_TO_QUOTE && is_telling(remark) {
                    true => self.wish_in_words(&goal, remark),
                    false => self.remark(&goal, remark),
                }
            }
        }
    }

    /// Who names one of several things that are wanted together drops none of the others.
    fn together(&self, about: About, told: &[Told]) -> Vec<Told> {
        let mut told = told.to_vec();
        for told in &mut told {
            let mut slots = self.domain.slots.iter();
            let is_together = slots.any(|slot| {
                slot.name == told.slot
                    && matches!(slot.kind, SlotKind::Choice { together: true, .. })
            });
            let known = self.state.wishes(about).get(&told.slot);
            let same = known.filter(|wish| told.any_of.iter().all(|one| wish.any_of.contains(one)));
            if let Some(wish) = same.filter(|_| is_together) {
                told.any_of.clone_from(&wish.any_of);
            }
        }
        told
    }

    /// Notes what changed, and what it is for.
    fn changed(&mut self, about: About, changes: Changes) {
        if changes.is_empty() && changes.repeated.is_empty() {
            return;
        }
        let pursued = self.state.goal().map(str::to_owned);
        let goal = pursued.filter(|goal| topics::side(self.domain, goal) == about);
        let goal = goal.or_else(|| {
            let named = topics::first_goal(self.domain, about);
            named.filter(|_| about == About::Wanted).map(str::to_owned)
        });
        let goal = goal.or_else(|| {
            let in_mind = self.state.in_mind.clone();
            in_mind.filter(|goal| topics::side(self.domain, goal) == about)
        });
        if let Some(goal) = goal {
            let pursued = self.state.goals.iter().any(|open| open.goal == goal);
            let meant = self.state.in_mind.as_ref() == Some(&goal);
            match pursued || meant {
                true => drop(self.touch(&goal)),
                // Who only names something is not asked what it should be like.
                false => self.begin_quietly(&goal),
            }
        }
        match self.dues.changes.iter_mut().find(|(of, _)| *of == about) {
            Some((_, known)) => known.extend(changes),
            None => self.dues.changes.push((about, changes)),
        }
    }

    /// Opens a goal that nobody asked for: what it is for is asked, where nothing else is said.
    fn begin_quietly(&mut self, goal: &str) {
        self.state.touch(goal, self.heard.now);
        self.dues.only_named = true;
    }

    /// Turns to a goal; whether it is new.
    fn touch(&mut self, goal: &str) -> bool {
        let is_new = self.state.touch(goal, self.heard.now);
        if !self.dues.touched.iter().any(|touched| touched == goal) {
            self.dues.touched.push(goal.to_owned());
        }
        is_new
    }

    /// What is due when all acts are taken.
    fn finish(&mut self) {
        self.describe();
        let pursued = self.state.goals.iter().map(|open| open.goal.clone());
        let named = pursued.filter(|goal| topics::is_named(self.domain, goal, self.heard.text));
        self.state.named.extend(named.collect::<Vec<_>>());
        self.note_file();
        self.note_language();
        for (about, changes) in self.dues.changes.clone() {
            let alone = self.dues.pieces.is_empty() && self.dues.question.is_none();
            if !changes.is_empty() || alone {
                self.owe(Piece::Noted { about, changes });
            }
        }
        for goal in self.dues.touched.clone() {
            let ready = topics::becomes_ready(self.domain, &mut self.state, &goal);
            // Who asks about a certain thing is answered, and needs no search.
            let searches = topics::side(self.domain, &goal) == About::Wanted
                && !topics::takes_appointment(self.domain, &goal);
            if ready && !(searches && self.state.definite) {
                self.owe(Piece::Next(goal));
            }
        }
        self.offer();
        self.name_things();
        self.ask_what_for();
        self.acknowledge_once();
        if self.dues.pieces.is_empty() && self.dues.question.is_none() && !self.is_in_danger() {
            self.unclear(&[]);
        }
        let understood = |act: &Act| !matches!(act.does, Does::Unclear { .. });
        if self.heard.acts.iter().any(understood) {
            self.state.unclear = 0;
        }
    }
}

/// The side that a thing is on; a third one fills nothing.
fn about(thing: Thing) -> Option<About> {
    match thing {
        Thing::Wanted => Some(About::Wanted),
        Thing::Own => Some(About::Own),
        Thing::Third => None,
    }
}
