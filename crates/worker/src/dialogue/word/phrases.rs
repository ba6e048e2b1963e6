//! What each piece says.

use super::Wording;
use super::choose::Choice;
use super::quote::is_long_and_whole;
use crate::dialogue::act::{Dates, Times};
use crate::dialogue::filling::{self, Values};
use crate::dialogue::piece::{Confirmed, Courtesy, Passed, Piece, Said, Status};
use crate::dialogue::state::AppointmentStatus;
use crate::dialogue::update::{WISHES, is_short};
use crate::dialogue::wish::Changes;
use crate::dialogue::{calendar, times};
use crate::domain::{About, Alarm, Filling};

impl Wording<'_> {
    /// What a piece says, after what was said before it. None when that says it already.
    pub(super) fn piece(&self, piece: &Piece, said: &Said, before: &[&str]) -> Option<Choice> {
        Some(match piece {
            Piece::Safety(name) => self.safety(name)?,
            Piece::StaySafe(name) => self.stay_safe(name)?,
            Piece::Apology(quote) => {
                let gap = quote
                    .as_deref()
                    .map(|quote| ("quote", self.said_back(quote)));
                self.text_of("apology", &gap.into_iter().collect::<Vec<_>>())
            }
            Piece::Excuse(code) => {
                let mut unserved = self.domain.knowledge.unserved.iter();
                let language = unserved.find(|language| language.code == *code)?;
                Choice::one(&language.sentence)
            }
            Piece::Fact { name, again } => self.fact(name, *again)?,
            Piece::Hours(hours) => self.hours(*hours),
            Piece::Prices(names) => self.prices(names)?,
            Piece::Stock(listing) => self.listing(listing)?,
            Piece::Picked(line) => self.picked(line)?,
            Piece::Arrived(line) => self.arrived(line)?,
            Piece::Gone(title) => self.gone(title)?,
            Piece::Standing(lines, stale) => self.standing(lines, *stale)?,
            Piece::Record(name, lines) => self.record(name, lines)?,
            Piece::Robot => self.text_of("robot", &[]).telling(),
            Piece::AboutYou => self.about_you(),
            Piece::PassOn(_) => self.passed_on(said),
            Piece::Bid(amount) => self.bid(*amount),
            Piece::TakeUp(goal) => self.goal_text(goal, |texts| &texts.take_up),
            Piece::Next(goal) => self.goal_text(goal, |texts| &texts.next).telling(),
            Piece::Noted { about, changes } => self.noted(*about, changes, before)?,
            Piece::Answered(topic, answer) => {
                // Only what answers our question is short and plain enough to be repeated.
                let asked = self.domain.dialogue.topic(topic).is_some();
                match asked && is_short(answer) || topic == WISHES {
                    true => self.text_of("answered", &[("quote", answer.clone())]),
                    false => self.text_of("remarked", &[]),
                }
            }
            Piece::Dropped(goal) => {
                let label = goal.as_ref().map(|goal| ("what", self.label(goal)));
                self.text_of("dropped", &label.into_iter().collect::<Vec<_>>())
            }
            Piece::Cancelled(date, time) => {
                self.text_of("cancelled", &self.moment_known(*date, *time))
            }
            Piece::CalledOff(date, time) => {
                let gaps = self.moment_known(*date, *time);
                self.text_of("called_off", &gaps).telling()
            }
            Piece::Advice(name) => {
                let attribute = self.domain.knowledge.attribute(name)?;
                Choice::one(attribute.advice.get(&self.replies.language)?)
            }
            Piece::Named(who) => self.text_of("named", &[("who", who.clone())]),
            Piece::Attachment { kind, with_words } => {
                self.text_of(if *with_words { "file_noted" } else { kind }, &[])
            }
            Piece::Appointment {
                purpose,
                date,
                time,
                status,
            } => self.appointment(purpose, *date, *time, *status).telling(),
            Piece::NotThen(date) => {
                let texts = self.replies.pieces.get("not_then");
                let worded = texts.is_some_and(|texts| !texts.is_empty());
                let name = if worded { "not_then" } else { "skipped" };
                self.text_of(name, &[("moment", times::said(self.replies, *date, None))])
            }
            Piece::CallBack(date, time) => {
                let moment = times::said(self.replies, *date, *time);
                self.call_back(moment).telling()
            }
            Piece::Ring(number) => {
                let gap = number.clone().map(|number| ("number", number));
                self.text_of("ring", &gap.into_iter().collect::<Vec<_>>())
            }
            Piece::Status(status) => self.status(*status),
            Piece::Ask(question) => self.question(question),
            plain => self.text_of(plain_name(plain)?, &[]),
        })
    }

    /// When a colleague gets in touch; by telephone where that was asked.
    fn call_back(&self, moment: String) -> Choice {
        let rings = self
            .state
            .told
            .as_ref()
            .is_some_and(|told| told.call.is_some());
        let ring_at = self.replies.pieces.get("ring_at");
        let worded = ring_at.is_some_and(|texts| !texts.is_empty());
        let name = if rings && worded {
            "ring_at"
        } else {
            "call_back"
        };
        self.text_of(name, &[("moment", moment)])
    }

    fn bid(&self, amount: Option<i64>) -> Choice {
        let sign = |amount: i64| {
            let value = shared_types::SlotValue::Integer(amount);
            let slot = self.money_slot().unwrap_or_default();
            ("amount", filling::value_in(self.replies, slot, &value))
        };
        // "500 minder" is no amount to be repeated by itself.
        let amount = amount.filter(|amount| *amount > 0);
        let amount: Vec<_> = amount.map(sign).into_iter().collect();
        self.text_of("bid", &amount)
    }

    fn appointment(
        &self,
        purpose: &str,
        date: Option<Dates>,
        time: Option<Times>,
        status: AppointmentStatus,
    ) -> Choice {
        let today = self.occasion.local.date();
        let date = date.map(|date| date.not_before(today));
        let name = match status {
            AppointmentStatus::Moved => "appointment_moved",
            _ if date.is_some_and(|date| !date.is_narrow()) => "appointment_open",
            _ => "appointment",
        };
        let moment = times::said(self.replies, date, time);
        let visit = self.replies.goals.get(purpose);
        let visit = visit.and_then(|texts| texts.visit.clone());
        let what = visit.unwrap_or_else(|| self.label(purpose));
        self.text_of(name, &[("what", what), ("moment", moment)])
    }

    fn safety(&self, name: &str) -> Option<Choice> {
        let alarm = self.domain.knowledge.alarm(name)?;
        let text = alarm.safety.get(&self.replies.language)?;
        text.fill(&number(alarm)).map(|text| Choice::one(&text))
    }

    fn stay_safe(&self, name: &str) -> Option<Choice> {
        let alarm = self.domain.knowledge.alarm(name)?;
        let texts = alarm.again.get(&self.replies.language)?;
        Some(Choice::new(texts, &number(alarm), &[]))
    }

    fn fact(&self, name: &str, again: bool) -> Option<Choice> {
        let known = self.state.known(About::Wanted);
        let today = self.occasion.local.date();
        let pursued = self.state.pursued();
        let mut facts = self.domain.knowledge.facts.iter();
        let fact = facts.find(|fact| fact.name == name && fact.holds(today, &known, pursued))?;
        let lang = &self.replies.language;
        let short = fact.short.get(lang).filter(|_| again);
        let text = short.or_else(|| fact.answer.get(lang))?;
        let gaps = text.gaps();
        let mut filling = self.known(&gaps);
        for gap in gaps {
            let name = gap.strip_prefix("price of ").unwrap_or_default();
            if let Some(price) = self.domain.knowledge.prices.get(name) {
                filling.insert(gap.to_owned(), price.get(lang).cloned().unwrap_or_default());
            }
        }
        text.fill(&filling).map(|text| Choice::one(&text))
    }

    fn prices(&self, names: &[String]) -> Option<Choice> {
        let prices = &self.domain.knowledge.prices;
        let priced = names.iter().filter_map(|name| {
            let price = prices.get(name)?.get(&self.replies.language)?;
            Some(format!("{} {price}", filling::word(self.replies, name)))
        });
        let priced = self.joined(&priced.collect::<Vec<_>>(), &self.replies.format.and);
        (!priced.is_empty()).then(|| self.text_of("price", &[("prices", priced)]).telling())
    }

    fn about_you(&self) -> Choice {
        let sides = [About::Wanted, About::Own].map(|about| {
            let values = filling::values_of(self.state.wishes(about));
            filling::list(self.domain, self.replies, about, &values)
        });
        let known = sides.concat().join(", ");
        let gap = (!known.is_empty()).then_some(("wish", known));
        self.text_of("about_you", &gap.into_iter().collect::<Vec<_>>())
            .telling()
    }

    /// All questions that a colleague has to answer, in one sentence.
    fn passed_on(&self, said: &Said) -> Choice {
        let passed: Vec<&Passed> = said
            .pieces()
            .filter_map(|piece| match piece {
                Piece::PassOn(passed) => Some(passed),
                _ => None,
            })
            .collect();
        if let [Passed::Words(words)] = passed.as_slice() {
            let whole = self.text_of("passed_whole", &[]);
            if is_long_and_whole(words, self.occasion.text) && whole.fullest().is_some() {
                return whole;
            }
            return self.text_of("passed_on", &[("quote", self.said_back(words))]);
        }
        let mut named: Vec<About> = Vec::new();
        let clauses = passed.iter().filter_map(|passed| {
            let clause = self.clause(passed, &named);
            named.extend(passed.about());
            clause
        });
        let clauses = self.joined(&clauses.collect::<Vec<_>>(), &self.replies.format.and);
        self.text_of("passed_on", &[("clauses", clauses)])
    }

    /// A question as a clause; a thing that was named before it is called by its kind.
    fn clause(&self, passed: &Passed, named: &[About]) -> Option<String> {
        let thing = |about: About| match named.contains(&about) {
            true => self.thing_of(about, &Filling::new()),
            false => self.thing(about),
        };
        match passed {
            Passed::Words(words) => {
                let quoted = self.text_of("quoted", &[("quote", self.said_back(words))]);
                quoted.fullest().map(lower)
            }
            Passed::Existence(about)
                if filling::thing_name(self.domain, self.state.wishes(*about)).is_none() =>
            {
                self.text_of("stock", &[]).fullest().map(lower)
            }
            Passed::Existence(about) => {
                let name = filling::thing_name(self.domain, self.state.wishes(*about));
                let any = name.filter(|_| !self.state.definite);
                let any = any.map(|name| self.text_of("existence_any", &[("name", name)]));
                let existence = || self.text_of("existence", &[("thing", thing(*about))]);
                let any = any.as_ref().and_then(Choice::fullest);
                any.or(existence().fullest()).map(lower)
            }
            Passed::Attribute(name, about) => {
                let attribute = self.domain.knowledge.attribute(name)?;
                let clause = attribute.clause.get(&self.replies.language)?;
                clause.fill(&[("thing".to_owned(), thing(*about))].into())
            }
        }
    }

    /// The thing as the customer called it: "de Volkswagen Golf".
    pub(super) fn thing(&self, about: About) -> String {
        let values = filling::values_of(self.state.wishes(about));
        let filling = filling::things(self.domain, self.replies, about, &values);
        self.thing_of(about, &filling)
    }

    /// The thing by the fullest text that fits: "de auto" where nothing of it is given.
    fn thing_of(&self, about: About, filling: &Filling) -> String {
        let [wanted, own] = &self.replies.things;
        let variants = match about {
            About::Wanted => wanted,
            About::Own => own,
        };
        let fullest = variants
            .iter()
            .filter(|text| text.fits(filling))
            .max_by_key(|text| text.required().len());
        fullest
            .and_then(|text| text.fill(filling))
            .unwrap_or_default()
    }

    /// The gap of a moment of which something is known.
    fn moment_known(
        &self,
        date: Option<Dates>,
        time: Option<Times>,
    ) -> Vec<(&'static str, String)> {
        let known = date.is_some() || time.is_some();
        let moment = known.then(|| ("moment", times::said(self.replies, date, time)));
        moment.into_iter().collect()
    }

    /// What a goal is called: "een proefrit", or "een bezoek" to who only wants to come.
    pub(super) fn label(&self, goal: &str) -> String {
        let texts = self.replies.goals.get(goal);
        let alone = texts.and_then(|texts| texts.label_alone.clone());
        let label = || texts.map_or_else(String::new, |texts| texts.label.clone());
        let alone = alone.filter(|_| self.is_visit(goal));
        alone.unwrap_or_else(label)
    }

    /// An appointment for a goal that has another name then, and that is not called by its own.
    fn is_visit(&self, goal: &str) -> bool {
        let mut made = self.state.appointments.iter().map(|one| &one.purpose);
        let mut pursued = self.state.goals.iter().map(|open| &open.goal);
        let is_it = |other: &String| other == goal;
        !self.state.named.contains(goal) && (made.any(is_it) || pursued.any(is_it))
    }

    fn goal_text(
        &self,
        goal: &str,
        variants: impl Fn(&crate::domain::GoalTexts) -> &crate::domain::Variants,
    ) -> Choice {
        let about = crate::dialogue::topics::side(self.domain, goal);
        let texts = self.replies.goals.get(goal);
        let visit = texts.is_some_and(|texts| texts.label_alone.is_some()) && self.is_visit(goal);
        let values = match visit {
            true => Values::new(),
            false => filling::values_of(self.state.wishes(about)),
        };
        let filling = filling::things(self.domain, self.replies, about, &values);
        let own: Vec<(&str, String)> = filling
            .iter()
            .map(|(gap, value)| (gap.as_str(), value.clone()))
            .collect();
        let texts = texts.map(variants);
        self.filled(texts.map(Vec::as_slice).unwrap_or_default(), &own)
    }

    /// What changed, but for what an earlier piece says.
    fn noted(&self, about: About, changes: &Changes, before: &[&str]) -> Option<Choice> {
        if changes.is_empty() {
            let repeated = self.items(about, &changes.repeated);
            let gap = (!repeated.is_empty()).then(|| ("changes", repeated.join(", ")));
            return Some(self.text_of("known", &gap.into_iter().collect::<Vec<_>>()));
        }
        let mut items = self.items(about, &changes.set);
        let format = &self.replies.format;
        let around = |(start, end): &(String, String), text: &str| format!("{start}{text}{end}");
        items.extend(changes.not.iter().map(|(slot, value)| {
            let value = filling::value_in(self.replies, slot, value);
            around(&format.not, &value)
        }));
        items.extend(changes.indifferent.iter().filter_map(|slot| {
            let name = format.slots.get(slot)?;
            Some(around(&format.indifferent, name))
        }));
        items.extend(changes.words.iter().cloned());
        let mut seen = Vec::new();
        items.retain(|item| {
            !seen.contains(item) && {
                seen.push(item.clone());
                true
            }
        });
        let all = items.len();
        items.retain(|item| !before.iter().any(|text| text.contains(item.as_str())));
        if all > 0 && items.is_empty() {
            return None;
        }
        let gap = (!items.is_empty()).then(|| ("changes", items.join(", ")));
        let has_own = self
            .replies
            .pieces
            .get("noted_own")
            .is_some_and(|texts| !texts.is_empty());
        let name = match about {
            About::Own if has_own && gap.is_some() => "noted_own",
            _ => "noted",
        };
        Some(self.text_of(name, &gap.into_iter().collect::<Vec<_>>()))
    }

    fn items(&self, about: About, values: &Values) -> Vec<String> {
        filling::list(self.domain, self.replies, about, values)
    }

    fn status(&self, status: Status) -> Choice {
        let business = &self.domain.business;
        let open = !business.hours.is_known() || calendar::is_open(business, self.occasion.local);
        let name = match status {
            Status::Told if open => "told_open",
            Status::Told => "told_closed",
            Status::ToldAgain => "told_again",
            Status::Urgent => "urgent",
            Status::Supplier => "supplier",
            Status::Waiting => "waiting",
            Status::Unanswered => "unanswered",
            Status::Late => "late",
        };
        self.text_of(name, &[]).telling()
    }

    /// "a, b en c".
    pub(super) fn joined(&self, items: &[String], word: &str) -> String {
        match items {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
        }
    }

    /// The slot that shows how money is written.
    fn money_slot(&self) -> Option<&str> {
        let values = &self.replies.format.values;
        values
            .keys()
            .map(String::as_str)
            .find(|slot| slot.contains("price") || slot.contains("budget"))
    }
}

/// Pieces without anything of their own.
const fn plain_name(piece: &Piece) -> Option<&'static str> {
    Some(match piece {
        Piece::Misread => "misread",
        Piece::Hello => "hello",
        Piece::Greeting => "greeting",
        Piece::Withheld => "withheld",
        Piece::Possible => "possible",
        Piece::PassedAgain => "passed_again",
        Piece::Deal => "deal",
        Piece::Skipped => "skipped",
        Piece::Unheard => "unheard",
        Piece::Received => "received",
        Piece::Consent(Confirmed::Stop) => "stopped",
        Piece::Consent(Confirmed::Start) => "started",
        Piece::Consent(Confirmed::Erase) => "erased",
        Piece::Courtesy(Courtesy::Thanks) => "thanks",
        Piece::Courtesy(Courtesy::Bye) => "bye",
        Piece::Courtesy(Courtesy::Nicety) => "nicety",
        Piece::Courtesy(Courtesy::Listening) => "listening",
        Piece::Kind(feeling) => feeling.text(),
        Piece::NoCalls => "no_calls",
        _ => return None,
    })
}

/// A part of a sentence begins as it stands in the domain, not as a sentence does.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// What alarms have gaps for.
fn number(alarm: &Alarm) -> Filling {
    let number = alarm.number.iter();
    number
        .map(|number| ("number".to_owned(), number.clone()))
        .collect()
}
