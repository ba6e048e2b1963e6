//! Answers to what we asked or offered, and what is wanted or dropped.

use super::{REMARKS, Update, shortened};
use crate::dialogue::act::{Act, Answer, Asked, Does, Social, Thing, Told, When};
use crate::dialogue::piece::{Confirmed, Courtesy, Piece, Question, Status};
use crate::dialogue::state::{AppointmentStatus, Ours, OursAbout, Pursued};
use crate::dialogue::{topics, wish};
use crate::domain::{About, TopicKind};

/// Free answers are kept up to this many characters.
const MAX_ANSWER: usize = 200;

impl Update<'_> {
    /// Who comes with the own thing comes for what is pursued for that: "mag ik langskomen met de
    /// Corsa, dan kunnen jullie hem bekijken". So does who has one and wants no other.
    pub(super) fn what_for(&self, goal: &str, thing: Thing) -> String {
        let own = |goal: &&str| topics::side(self.domain, goal) == About::Own;
        let visited = |goal: &&str| topics::is_visited(self.domain, goal);
        let pursued = || self.state.goals.iter().rev().map(|open| open.goal.as_str());
        let comes = !own(&goal) && topics::takes_appointment(self.domain, goal);
        let named = topics::is_named(self.domain, goal, self.heard.text);
        // Who was shown some and does not name the own one comes to see those.
        let tells_own =
            |act: &Act| matches!(&act.does, Does::Inform(inform) if inform.thing == Thing::Own);
        let shown = !self.state.stock.offered.is_empty();
        if shown && !self.heard.acts.iter().any(tells_own) {
            let sees = own(&goal) && thing == Thing::Wanted && visited(&goal) && !named;
            let all = self.domain.dialogue.goals.iter();
            let mut all = all.map(|goal| goal.intent.as_str());
            let comes = |goal: &&str| !own(goal) && topics::takes_appointment(self.domain, goal);
            let seen = all.find(comes).filter(|_| sees);
            return seen.unwrap_or(goal).to_owned();
        }
        let has_one = self.state.wanted.is_empty() && !self.state.own.is_empty();
        let brings = has_one && !named && !pursued().any(|open| open == goal);
        let standing = self.state.appointment().map(|one| one.purpose.as_str());
        if standing == Some(goal) || !comes || !(thing == Thing::Own || brings) {
            return goal.to_owned();
        }
        let in_mind = self.state.in_mind.as_deref().filter(|_| brings);
        let all = self.domain.dialogue.goals.iter();
        let likely = all.map(|goal| goal.intent.as_str());
        let likely = likely.filter(|goal| topics::takes_appointment(self.domain, goal) && brings);
        let mut others = pursued().chain(in_mind).filter(visited).chain(likely);
        others.find(own).unwrap_or(goal).to_owned()
    }

    pub(super) fn is_of_own(&self, goal: &str) -> bool {
        topics::side(self.domain, goal) == About::Own
    }

    pub(super) fn request(&mut self, goal: &str, when: Option<&When>, asks_whether: bool) {
        let Some(known) = self.domain.dialogue.goal(goal) else {
            return;
        };
        let goal = known.intent.clone();
        if self.supplies() {
            return self.owe(Piece::Received);
        }
        let is_new = self.touch(&goal);
        // Whether the workshop can do it, a colleague knows.
        let of_own = self.is_of_own(&goal);
        if asks_whether && when.is_none() && !of_own {
            self.owe(Piece::Possible);
        }
        self.owe(match is_new {
            true => Piece::TakeUp(goal.clone()),
            // It was taken up before; going on with it is the answer.
            false if asks_whether => Piece::Possible,
            // More work of a standing appointment is noted with it.
            false if of_own && when.is_none() && self.comes_for(&goal) => {
                Piece::Answered(REMARKS.to_owned(), shortened(self.heard.text))
            }
            false => Piece::Courtesy(Courtesy::Nicety),
        });
        if is_new && when.is_some() {
            self.needs_no_thing(&goal);
        }
        let lead = known.lead;
        let visited = topics::is_visited(self.domain, &goal);
        if let Some(when) = when.filter(|_| visited || lead) {
            self.moment(visited.then_some(goal.as_str()), when, false);
        }
    }

    /// Who comes because of the own thing wants to see no other one.
    pub(super) fn needs_no_thing(&mut self, goal: &str) {
        let own = |open: &Pursued| topics::side(self.domain, &open.goal) == About::Own;
        let wants = !self.state.wishes(About::Wanted).is_empty();
        // Which of those that were shown it is, needs no make.
        let shown = !self.state.stock.offered.is_empty();
        let needless = shown || !wants && self.state.goals.iter().any(own);
        if topics::side(self.domain, goal) != About::Wanted || !needless {
            return;
        }
        let asks = self.domain.dialogue.goal(goal).map(|goal| &goal.asks);
        let topics = asks.into_iter().flatten();
        let topics = topics.filter_map(|name| self.domain.dialogue.topic(name));
        let things = topics.filter(|topic| topic.kind == TopicKind::Values);
        let things: Vec<String> = things.map(|topic| topic.name.clone()).collect();
        if let Some(open) = self.state.goals.last_mut() {
            open.skipped.extend(things);
        }
    }

    /// Gives up our question, an appointment that nobody here knows of, or what is wanted.
    pub(super) fn calls_off(&mut self, act: &Act) {
        let Does::Cancel {
            goal,
            when,
            visit,
            over,
        } = &act.does
        else {
            return;
        };
        let bare = goal.is_none() && when.is_none() && !visit && !over;
        if bare && self.withdraws_question(act) {
            self.owe(Piece::Dropped(None));
        } else if *visit && !self.arranges() || when.is_some() && !self.knows_visit() {
            self.call_off(act, goal.as_deref(), when.as_ref());
        } else {
            // "The appointment tomorrow" is the one that stands, not one that was guessed.
            let is_open = |goal: &String| self.state.goals.iter().any(|open| open.goal == *goal);
            let meant = goal.as_ref().filter(|goal| !visit || is_open(goal));
            self.cancel(meant.map(String::as_str));
        }
    }

    fn cancel(&mut self, goal: Option<&str>) {
        let standing = self.state.appointment().map(|one| one.purpose.clone());
        // Another appointment than the one that stands was only guessed, unless it is named.
        let is_meant = |goal: &&str| {
            standing.is_none()
                || !topics::takes_appointment(self.domain, goal)
                || self.state.goals.iter().any(|open| open.goal == *goal)
                || topics::is_named(self.domain, goal, self.heard.text)
        };
        let Some(goal) = goal.filter(is_meant) else {
            match standing {
                Some(purpose) => self.cancel_appointment(&purpose),
                None => {
                    self.state.goals.clear();
                    self.owe(Piece::Dropped(None));
                }
            }
            self.state.ours = None;
            return;
        };
        let made = standing.is_some_and(|purpose| purpose == goal);
        if !made && !self.state.goals.iter().any(|open| open.goal == goal) {
            // "En geen inruil": nothing was wanted of the kind.
            return self.owe(Piece::Courtesy(Courtesy::Nicety));
        }
        self.state.ours = None;
        if made {
            return self.cancel_appointment(goal);
        }
        self.state.goals.retain(|open| open.goal != goal);
        self.owe(Piece::Dropped(Some(goal.to_owned())));
    }

    pub(super) fn cancel_appointment(&mut self, purpose: &str) {
        self.state.goals.retain(|open| open.goal != purpose);
        if let Some(appointment) = self.state.appointment_mut() {
            appointment.status = AppointmentStatus::Cancelled;
            let (date, time) = (appointment.date, appointment.time);
            self.dues.moment_changed = true;
            self.owe(Piece::Cancelled(date, time));
        }
    }

    /// "Laat maar" right after a question was passed on is about that; a colleague sees it.
    pub(super) fn withdraws_question(&mut self, act: &Act) -> bool {
        let last = self.state.last_ask.as_ref();
        let newest = self.state.theirs.last().filter(|asked| asked.passed_on);
        let just = last.filter(|last| last.turns <= 1).zip(newest);
        // "I am ill, never mind" is about what was planned.
        let ill =
            |act: &Act| matches!(act.does, Does::Social(Social::Feels { of }) if of.is_grave());
        let ill = self.heard.acts.iter().any(ill);
        let withdraws = !ill && just.is_some_and(|(last, asked)| last.topic == asked.topic);
        if withdraws {
            let words = self.quote(act);
            self.keep_remark(&words);
        }
        withdraws
    }

    pub(super) fn answer(&mut self, answer: &Answer) {
        let says_when = |act: &Act| matches!(act.does, Does::Answer(Answer::Moment(_)));
        if *answer == Answer::No && self.heard.acts.iter().any(says_when) {
            // "Nee, 9 uur is beter" is about the moment.
            return;
        }
        let bye = |act: &Act| act.does == Does::Social(Social::Bye);
        if *answer == Answer::Yes && self.heard.acts.iter().any(bye) {
            // "Oke, fijne avond" only ends the talk.
            return;
        }
        let ours = self.state.ours.clone();
        let offered = ours.as_ref().map(|ours| &ours.about) == Some(&OursAbout::Offer);
        let asks = |act: &Act| matches!(&act.does, Does::Ask(ask) if matches!(ask.topic, Asked::Attribute(_) | Asked::Existence));
        if offered && *answer == Answer::Yes && self.heard.acts.iter().any(asks) {
            // "Ok, and has it CarPlay?" accepts nothing yet.
            return;
        }
        // "Ja" and a moment may be parts of one answer: "doe maar dinsdag".
        if !matches!(answer, Answer::Yes | Answer::Moment(_)) {
            self.state.ours = None;
        }
        match (answer, ours) {
            (Answer::Moment(when), _) => self.moment(None, when, false),
            (Answer::NotThen(when), _) => self.not_then(when),
            (Answer::Reference(number), _) => self.reference(number),
            (Answer::Values(values), ours) => self.values(values, ours.as_ref()),
            (Answer::Text(text), Some(ours)) => self.free_answer(text, &ours),
            (Answer::Yes, Some(ours)) => self.agreed(&ours),
            (Answer::Choice(place), Some(ours)) => self.chosen(*place, &ours),
            (Answer::No | Answer::Any | Answer::Unknown, Some(ours)) => self.skipped(answer, &ours),
            (Answer::Text(_), None) => self.unclear(&[]),
            (_, None) => self.owe(Piece::Courtesy(Courtesy::Nicety)),
        }
    }

    /// The side of the goal that a topic was asked for.
    fn side_of(&self, topic: &str) -> About {
        let goals = self.state.goals.iter().rev().map(|open| open.goal.as_str());
        let asks = |goal: &&str| {
            let goal = self.domain.dialogue.goal(goal);
            goal.is_some_and(|goal| goal.asks.iter().any(|asked| asked == topic))
        };
        let goal = goals.into_iter().find(asks).unwrap_or_default();
        topics::side(self.domain, goal)
    }

    fn values(&mut self, values: &[Told], ours: Option<&Ours>) {
        let side = match ours.map(|ours| &ours.about) {
            Some(OursAbout::Topic(topic)) => self.side_of(topic),
            _ => topics::side(self.domain, self.state.goal().unwrap_or_default()),
        };
        let changes = wish::tell(self.state.wishes_mut(side), values, &self.catalogues);
        self.changed(side, changes);
    }

    fn free_answer(&mut self, text: &str, ours: &Ours) {
        let OursAbout::Topic(topic) = &ours.about else {
            return self.unclear(&[]);
        };
        let kind = self.domain.dialogue.topic(topic).map(|topic| topic.kind);
        if kind != Some(TopicKind::Text) {
            self.state.ours = Some(ours.clone());
            return self.unclear(&[]);
        }
        let answer: String = text.chars().take(MAX_ANSWER).collect();
        self.state.answers.insert(topic.clone(), answer.clone());
        self.dues.answered.push(topic.clone());
        self.touch_current();
        self.owe(Piece::Answered(topic.clone(), answer));
    }

    pub(super) fn touch_current(&mut self) {
        if let Some(goal) = self.state.goal().map(str::to_owned) {
            self.touch(&goal);
        }
    }

    fn agreed(&mut self, ours: &Ours) {
        match &ours.about {
            OursAbout::Colleague => self.handoff(1.0, None, false),
            OursAbout::Stop => {
                self.dues.wants_messages = Some(false);
                self.owe(Piece::Consent(Confirmed::Stop));
            }
            OursAbout::Offer => self.accepts_offer(),
            OursAbout::Meaning if ours.choices.len() == 1 => self.chosen(1, ours),
            OursAbout::Moment if ours.moments.len() == 1 => self.chosen(1, ours),
            // "Ja" says that there is an answer, not which.
            OursAbout::Topic(_) | OursAbout::Moment | OursAbout::Meaning => {
                self.touch_current();
                self.owe(Piece::Courtesy(Courtesy::Nicety));
            }
        }
    }

    fn chosen(&mut self, place: usize, ours: &Ours) {
        let place = place.saturating_sub(1);
        if let Some(moment) = ours.moments.get(place) {
            self.settle(*moment);
        } else if let Some(goal) = ours.choices.get(place).cloned() {
            self.request(&goal, None, false);
        } else {
            self.owe(Piece::Courtesy(Courtesy::Nicety));
        }
    }

    fn skipped(&mut self, answer: &Answer, ours: &Ours) {
        match &ours.about {
            OursAbout::Topic(topic) => {
                self.touch_current();
                let values = self.domain.dialogue.topic(topic);
                let mut values = values.into_iter().flat_map(|topic| &topic.values);
                // A plate is one or none: "egal" is said of something else.
                let any = values.find(|slot| !self.domain.is_plate(slot)).cloned();
                if *answer == Answer::Any
                    && let Some(slot) = any
                {
                    let any = Told {
                        slot,
                        any_of: Vec::new(),
                        came_with: None,
                        rather: false,
                        also: false,
                    };
                    return self.values(&[any], Some(ours));
                }
                if let Some(open) = self.state.goals.last_mut() {
                    open.skipped.push(topic.clone());
                }
                if !self.dues.pieces.contains(&Piece::Misread) {
                    self.owe(Piece::Skipped);
                }
            }
            OursAbout::Moment => {
                if let Some(open) = self.state.goals.last_mut() {
                    let asks = self.domain.dialogue.topics.iter();
                    let moments = asks
                        .filter(|topic| matches!(topic.kind, TopicKind::Date | TopicKind::Time));
                    open.skipped.extend(moments.map(|topic| topic.name.clone()));
                }
                self.touch_current();
                self.owe(Piece::Skipped);
            }
            OursAbout::Offer => self.owe(Piece::Courtesy(Courtesy::Nicety)),
            OursAbout::Stop | OursAbout::Colleague => {
                self.owe(Piece::Courtesy(Courtesy::Nicety));
                self.must_ask(Question::Help);
            }
            OursAbout::Meaning if self.state.unclear > 1 => {
                self.tell("not_understood", false);
                self.owe(Piece::Status(Status::Told));
            }
            OursAbout::Meaning => self.unclear(&[]),
        }
    }
}
