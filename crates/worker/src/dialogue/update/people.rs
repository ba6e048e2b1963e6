//! Acts between people: commands, repairs, complaints, who somebody is, courtesies, what is unclear.

use jiff::SignedDuration;

use super::{REMARKS, Update, WISHES, shortened};
use crate::dialogue::act::{
    Act, Answer, Asked, Consent, Does, Feeling, Repair, Social, Thing, When,
};
use crate::dialogue::piece::{Confirmed, Courtesy, Piece, Question, Status};
use crate::dialogue::state::{AppointmentStatus, COMPLAINTS, Theirs};

/// Below this an act is not acted on, but asked about.
const SURE_ENOUGH_TO_DISTURB: f64 = 0.75;

/// What follows a question within this time belongs to it.
const SAME_TALK: SignedDuration = SignedDuration::from_hours(1);

/// Why a colleague is told of somebody who sells to the business.
pub(super) const SUPPLIER: &str = "supplier";

impl Update<'_> {
    pub(super) fn consent(&mut self, consent: Consent) {
        match consent {
            Consent::Stop => {
                self.dues.wants_messages = Some(false);
                self.owe(Piece::Consent(Confirmed::Stop));
            }
            Consent::Start => {
                self.dues.wants_messages = Some(true);
                self.owe(Piece::Consent(Confirmed::Start));
            }
            Consent::Erase => {
                self.tell("erasure", false);
                self.owe(Piece::Consent(Confirmed::Erase));
            }
            Consent::Doubtful => self.must_ask(Question::Stop),
        }
    }

    pub(super) fn repair(&mut self, repair: Repair) {
        let newest = self.state.theirs.last().cloned();
        match repair {
            Repair::Misread => {
                self.owe(Piece::Misread);
                // Who says more says what holds.
                if self.heard.acts.len() == 1 {
                    self.state.undo();
                    newest.into_iter().for_each(|asked| self.pass_on(asked));
                }
            }
            Repair::Unheard if newest.is_some_and(|asked| asked.passed_on) => {
                self.owe(Piece::Unheard);
                self.owe(Piece::Status(Status::Waiting));
            }
            Repair::Unheard if self.state.told.is_some() => {
                self.owe(Piece::Unheard);
                self.owe(Piece::Status(Status::ToldAgain));
            }
            Repair::Unheard => self.owe(Piece::Unheard),
            Repair::Unclear => self.unclear(&[]),
        }
    }

    pub(super) fn complain(&mut self, act: &Act, legal: bool, angry: bool) {
        let quote = self.matter();
        if self.apologises() {
            // One apology for all of it.
            return;
        }
        self.owe(Piece::Apology(quote));
        let sure =
            self.heard.acts.iter().filter_map(|act| {
                matches!(act.does, Does::Complain { .. }).then_some(act.confidence)
            });
        let sure = sure.fold(act.confidence, f64::max);
        let is_told = self.state.told.is_some();
        if sure < SURE_ENOUGH_TO_DISTURB && !legal && !angry && !is_told {
            self.must_ask(Question::Colleague);
            return;
        }
        let [plain, of_anger, of_law] = COMPLAINTS;
        let reason = match (legal, angry) {
            (true, _) => of_law,
            (_, true) => of_anger,
            _ => plain,
        };
        let status = if self.tell(reason, false) {
            Status::Told
        } else {
            Status::ToldAgain
        };
        self.owe(Piece::Status(status));
    }

    /// What a complaint is about is no new booking.
    pub(super) fn receive_complaint(&mut self) {
        if !self.apologises() {
            self.owe(Piece::Received);
        }
    }

    fn apologises(&self) -> bool {
        let apologised = |piece: &Piece| matches!(piece, Piece::Apology(_));
        self.dues.pieces.iter().any(apologised)
    }

    pub(super) fn handoff(&mut self, confidence: f64, when: Option<&When>, by_phone: bool) {
        if let Some(when) = when.filter(|_| confidence >= SURE_ENOUGH_TO_DISTURB) {
            self.owe(Piece::CallBack(when.date, when.time));
            self.tell("asked", false);
            if let Some(told) = self.state.told.as_mut().filter(|_| by_phone) {
                told.call = Some(self.heard.now);
            }
            return;
        }
        if self.state.told.is_some() {
            self.owe(Piece::Status(Status::ToldAgain));
        } else if confidence < SURE_ENOUGH_TO_DISTURB {
            self.must_ask(Question::Colleague);
        } else {
            self.tell("asked", false);
            self.owe(Piece::Status(Status::Told));
        }
    }

    /// Who wants to be telephoned is told so; whether that is new.
    pub(super) fn ring(&mut self, confidence: f64) -> bool {
        if confidence < SURE_ENOUGH_TO_DISTURB {
            return false;
        }
        let given = self.heard.acts.iter().find_map(|act| match &act.does {
            Does::Identify { phone, .. } => phone.clone(),
            _ => None,
        });
        let number = given.or_else(|| self.state.contact.get("phone").cloned());
        self.tell("asked", false);
        if let Some(told) = &mut self.state.told {
            told.call = Some(self.heard.now);
        }
        self.owe(Piece::Ring(number));
        true
    }

    pub(super) fn identify(&mut self, does: &Does) {
        let Does::Identify {
            name,
            company,
            email,
            phone,
            supplier,
        } = does
        else {
            return;
        };
        let given = [
            ("name", name),
            ("company", company),
            ("email", email),
            ("phone", phone),
        ];
        for (key, value) in given {
            if let Some(value) = value {
                self.state.contact.insert(key.to_owned(), value.clone());
            }
        }
        if *supplier {
            let is_new = self.tell(SUPPLIER, false);
            let again = self.dues.pieces.contains(&Piece::Status(Status::Supplier));
            if is_new || !again {
                let status = if is_new {
                    Status::Supplier
                } else {
                    Status::ToldAgain
                };
                self.owe(Piece::Status(status));
            }
        } else if let Some(name) = name.as_ref().or(company.as_ref()) {
            self.owe(Piece::Named(name.clone()));
        } else if let Some(address) = email.as_ref().or(phone.as_ref()) {
            let rings = |piece: &Piece| matches!(piece, Piece::Ring(_));
            if !self.dues.pieces.iter().any(rings) {
                self.owe(Piece::Answered(WISHES.to_owned(), address.clone()));
            }
        } else {
            self.owe(Piece::Courtesy(Courtesy::Nicety));
        }
    }

    pub(super) fn social(&mut self, social: Social) {
        if social == Social::Safe {
            self.safe();
        }
        let bye = |act: &Act| act.does == Does::Social(Social::Bye);
        let leaves = social == Social::Thanks && self.heard.acts.iter().any(bye);
        let agrees = |act: &Act| matches!(act.does, Does::Answer(Answer::Yes));
        let social = match social {
            // "Prima, plan maar in" agrees and thanks for nothing.
            Social::Thanks if leaves => Social::Bye,
            Social::Thanks if self.heard.acts.iter().any(agrees) => Social::Nicety,
            social => social,
        };
        if social == Social::Made && self.tells_moment() {
            return self.made_elsewhere();
        }
        if social == Social::Recalls {
            return self.recall();
        }
        if social == Social::Gone {
            return self.own_is_gone();
        }
        if let Social::Feels { of } = social {
            return self.kind_word(of);
        }
        let quiet = social == Social::Deadline && self.heard.acts.len() > 1;
        let quiet = quiet || social == Social::AtOpening && self.tells_moment();
        if quiet || social == Social::SameHour && self.takes_same_hour() {
            return;
        }
        self.owe(match social {
            Social::Hello => Piece::Hello,
            Social::Thanks => Piece::Courtesy(Courtesy::Thanks),
            Social::Bye => Piece::Courtesy(Courtesy::Bye),
            Social::Prompt => Piece::Courtesy(Courtesy::Listening),
            Social::Nicety
            | Social::SameHour
            | Social::AtOpening
            | Social::Deadline
            | Social::Made
            | Social::Recalls
            | Social::Calls
            | Social::Gone
            | Social::Safe
            | Social::Feels { .. } => Piece::Courtesy(Courtesy::Nicety),
        });
    }

    /// Says which appointment stands, or that the last one is off.
    fn recall(&mut self) {
        let last = self.state.appointment().or(self.state.appointments.last());
        let Some(one) = last.cloned() else {
            return;
        };
        self.owe(match one.status {
            AppointmentStatus::Cancelled => Piece::Cancelled(one.date, one.time),
            status => Piece::Appointment {
                purpose: one.purpose,
                date: one.date,
                time: one.time,
                status,
            },
        });
    }

    /// A kind word; what is grave goes with the lead, in the customer's words.
    fn kind_word(&mut self, feeling: Feeling) {
        if feeling.is_grave() && !self.state.goals.is_empty() {
            let words = shortened(self.heard.text);
            self.keep_remark(&words);
        }
        self.owe(Piece::Kind(feeling));
    }

    /// Who wants to be written to is written to, and a promised call is taken back.
    pub(super) fn no_calls(&mut self, act: &Act) {
        let words = self.quote(act);
        self.keep_remark(&words);
        self.owe(Piece::NoCalls);
    }

    pub(super) fn unclear(&mut self, candidates: &[String]) {
        let asks = |act: &Act| matches!(act.does, Does::Ask(_));
        if self.heard.acts.iter().any(asks) {
            return;
        }
        if let Some(told) = &self.state.told {
            if COMPLAINTS.contains(&told.reason.as_str()) && self.says_something() {
                self.owe(Piece::Kind(Feeling::Worry));
            }
            return self.owe(Piece::Received);
        }
        if self.says_something() && self.waits_for_answer() {
            return self.add_to_question(self.heard.text);
        }
        if let Some(goal) = self.state.goal().map(str::to_owned)
            && self.says_something()
        {
            return self.remark(&goal, self.heard.text);
        }
        self.state.unclear += 1;
        if self.state.unclear >= self.domain.dialogue.misunderstandings {
            self.tell("not_understood", false);
            self.owe(Piece::Status(Status::Told));
            return;
        }
        let is_goal = |name: &&String| self.domain.dialogue.goal(name).is_some();
        let choices = candidates.iter().filter(is_goal).take(2).cloned();
        self.must_ask(Question::Meaning {
            choices: choices.collect(),
            again: self.state.unclear > 1,
        });
    }

    /// Whether the customer asked just before to be called.
    pub(super) fn waits_for_call(&self) -> bool {
        let call = self.state.told.as_ref().and_then(|told| told.call);
        call.is_some_and(|call| self.heard.now.duration_since(call) < SAME_TALK)
    }

    /// Whether a colleague was asked something just before.
    pub(super) fn waits_for_answer(&self) -> bool {
        let newest = self.state.theirs.last().filter(|asked| asked.passed_on);
        newest.is_some_and(|asked| self.heard.now.duration_since(asked.at) < SAME_TALK)
    }

    /// What is said after a question that was passed on goes to the same colleague.
    pub(super) fn add_to_question(&mut self, words: &str) {
        let words = shortened(words);
        self.remember(Theirs {
            words: words.clone(),
            topic: Asked::Other,
            thing: Thing::Wanted,
            named: None,
            passed_on: true,
            at: self.heard.now,
            times: 1,
        });
        self.owe(Piece::Answered(REMARKS.to_owned(), words));
    }
}
