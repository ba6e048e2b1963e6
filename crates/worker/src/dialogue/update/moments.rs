//! Moments that are wished for, and the appointments made of them.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, ToSpan};

use super::Update;
use super::shifted::{at_hour, shifted, stands};
use crate::dialogue::act::{Act, Answer, Ask, Asked, Dates, Does, Form, Social, Times, When};
use crate::dialogue::calendar::{Possible, possible};
use crate::dialogue::piece::{Piece, Question};
use crate::dialogue::state::{Appointment, AppointmentStatus, OursAbout};
use crate::dialogue::topics;
use crate::domain::{Topic, TopicKind};

impl Update<'_> {
    /// A moment that is wished for a purpose, or for whatever an appointment is made for.
    pub(super) fn moment(&mut self, purpose: Option<&str>, when: &When, moved: bool) {
        if purpose.is_none() && !self.arranges() && self.waits_for_call() {
            self.owe(Piece::CallBack(when.date, when.time));
            return;
        }
        let Some(purpose) = self.purpose(purpose) else {
            return self.owe(Piece::Skipped);
        };
        if self.touch(&purpose) {
            self.needs_no_thing(&purpose);
        }
        let known = self.state.appointment();
        let known = known.filter(|one| one.purpose == purpose).cloned();
        let mut wish = self.at_opening(self.completed(when, known.as_ref()));
        if let Some(time) = known.as_ref().and_then(|known| kept_hour(known, &wish)) {
            wish.time = Some(time);
        }
        let business = &self.domain.business;
        if let Some(later) = in_the_afternoon(&wish)
            && matches!(
                possible(business, &wish, self.heard.local),
                Possible::No(..)
            )
            && matches!(
                possible(business, &later, self.heard.local),
                Possible::Yes(..)
            )
        {
            wish = later;
        }
        match possible(&self.domain.business, &wish, self.heard.local) {
            Possible::Yes(date, time) => {
                self.arrange(&purpose, known.as_ref(), (date, time), moved)
            }
            Possible::No(_, moments) if moments.is_empty() => {
                self.arrange(&purpose, known.as_ref(), (wish.date, wish.time), moved);
            }
            Possible::No(why, mut moments) => {
                self.drop_called_off(known.as_ref(), &mut moments);
                self.keep(Appointment {
                    status: AppointmentStatus::Offered,
                    ..known.unwrap_or_else(|| self.wanted(&purpose, None, None))
                });
                let timed = matches!(wish.time, Some(Times::At(_)));
                self.must_ask(Question::Moments {
                    why,
                    moments,
                    timed,
                });
            }
            Possible::Conflict => self.must_ask(Question::Conflict),
        }
    }

    /// A wish with what was said before: "dan", "11 uur", "een dag later".
    fn completed(&self, when: &When, known: Option<&Appointment>) -> When {
        let offered = self.state.ours.as_ref();
        let offered = offered.filter(|ours| ours.about == OursAbout::Moment);
        let same = |moment: &&DateTime| match (when.date, when.time) {
            (Some(Dates::On(day)), None) => moment.date() == day,
            (None, Some(Times::At(time))) => moment.time() == time,
            _ => false,
        };
        let chosen = offered.and_then(|ours| ours.moments.iter().find(same));
        if let Some(moment) = chosen {
            let timed = moment.time() != jiff::civil::Time::midnight();
            return When {
                date: Some(Dates::On(moment.date())),
                time: when.time.or(timed.then_some(Times::At(moment.time()))),
            };
        }
        let (day, time) = known.map_or((None, None), standing);
        let first = offered.and_then(|ours| ours.moments.first());
        let day = first.map(|moment| Dates::On(moment.date())).or(day);
        // "A week earlier" counts from the day that stands.
        let shifts = |act: &Act| matches!(&act.does, Does::Reschedule { shift_minutes, .. } if shift_minutes.is_some());
        let shifts = self.heard.acts.iter().any(shifts);
        let date = when.date.map(|date| match shifts {
            true => date,
            false => self.of_that_week(date, day),
        });
        // The part of another day says nothing of the hour.
        let same_day = date.is_none() || date == day;
        let part = time.filter(|_| same_day);
        // "I work that morning, Thursday at the same time" says no part of the day.
        let is_hour = |at: &Times| matches!(at, Times::At(_)) || !self.wants_same_hour();
        When {
            date: date.or(day).or_else(|| self.day_asked_about()),
            time: (when
                .time
                .filter(is_hour)
                .map(|at| in_that_part(at, part))
                .or(time))
            .or_else(|| self.same_hour()),
        }
    }

    /// The hour of an appointment that was called off, for who wants "the same time".
    fn same_hour(&self) -> Option<Times> {
        let last = self.state.appointments.last()?;
        let all = self.state.appointments.iter().rev();
        let mut same = all.filter(|one| one.purpose == last.purpose);
        same.find_map(|one| standing(one).1)
            .filter(|_| self.wants_same_hour())
    }

    fn wants_same_hour(&self) -> bool {
        let same = |act: &Act| act.does == Does::Social(Social::SameHour);
        self.heard.acts.iter().any(same)
    }

    /// Whether some act of the message has a moment.
    pub(super) fn tells_moment(&self) -> bool {
        let mut acts = self.heard.acts.iter();
        acts.any(|act| told_moment(&act.does).is_some())
    }

    /// "The same time" by itself answers what time; whether it did, or another act says the day.
    pub(super) fn takes_same_hour(&mut self) -> bool {
        if self.tells_moment() {
            return true;
        }
        let day = self.state.appointment().and_then(|one| one.date);
        let time = self.same_hour().filter(|_| day.is_some());
        if time.is_some() {
            self.moment(None, &When { date: None, time }, false);
        }
        time.is_some()
    }

    /// "Good, I come at 12" after a question about when to come on a day.
    fn day_asked_about(&self) -> Option<Dates> {
        let days = self.state.last_ask.as_ref()?.days;
        days.filter(|days| matches!(days, Dates::On(_)))
    }

    /// "Volgende week" moves an appointment by weeks, "zaterdag" within its own week.
    fn of_that_week(&self, date: Dates, known: Option<Dates>) -> Dates {
        if let (Dates::On(day), Some(Dates::Between(from, to))) = (date, known) {
            let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
            let mut days = days.take_while(|day| *day <= to).take(7);
            let inside = days.find(|other| other.weekday() == day.weekday());
            return inside.map_or(date, Dates::On);
        }
        let Some(Dates::On(known)) = known else {
            return date;
        };
        match date {
            Dates::Between(from, to) if from < to && known < from => {
                let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
                let mut days = days.take_while(|day| *day <= to).take(7);
                let same = days.find(|day| day.weekday() == known.weekday());
                same.map_or(date, Dates::On)
            }
            Dates::On(day) => {
                let today = self.heard.local.date();
                let near = today.tomorrow().is_ok_and(|tomorrow| day <= tomorrow)
                    && !self.names_weekday(day);
                // "Wednesday at 10" tells no day of the month.
                let mut numbers = self.heard.text.split(|c: char| !c.is_ascii_digit());
                let figures = numbers.any(|number| number.parse() == Ok(day.day()));
                if near || figures || self.names_month(day) {
                    return date;
                }
                let place = |day: Date| i64::from(day.weekday().to_monday_zero_offset());
                let in_week = known.saturating_add((place(day) - place(known)).days());
                let hours = &self.domain.business.hours;
                let closed = |day: Date| hours.is_known() && hours.on(day).is_empty();
                let possible = |other: &Date| *other >= day && !closed(*other);
                // Where it is closed on that day, the one before.
                let nearest = [in_week, in_week.saturating_sub(7.days())];
                let nearest = nearest.into_iter().find(possible);
                nearest.map_or(date, Dates::On)
            }
            other => other,
        }
    }

    /// Whether a day is called by its weekday, and not "tomorrow".
    fn names_weekday(&self, day: Date) -> bool {
        let text = self.heard.text.to_lowercase();
        let place = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        let mut names = self.domain.replies.iter().filter_map(|replies| {
            let name = replies.format.weekdays.get(place)?;
            Some(name.to_lowercase())
        });
        names.any(|name| text.contains(&name))
    }

    /// "A Saturday in December" names the month of a day.
    fn names_month(&self, day: Date) -> bool {
        let text = self.heard.text.to_lowercase();
        let place = usize::try_from(day.month() - 1).unwrap_or_default();
        let months = self.domain.replies.iter();
        let names = months.filter_map(|replies| replies.format.months.get(place));
        let names: Vec<_> = names.map(|name| name.to_lowercase()).collect();
        let mut words = text.split(|c: char| !c.is_alphabetic());
        words.any(|word| names.iter().any(|name| name == word))
    }

    fn wanted(&self, purpose: &str, date: Option<Dates>, time: Option<Times>) -> Appointment {
        Appointment {
            purpose: purpose.to_owned(),
            thing: self.thing_of(purpose),
            date,
            time,
            status: AppointmentStatus::Wanted,
            was: None,
        }
    }

    fn arrange(
        &mut self,
        purpose: &str,
        known: Option<&Appointment>,
        (date, time): (Option<Dates>, Option<Times>),
        moved: bool,
    ) {
        let before = self.state.before.as_deref();
        let stood = before.is_none_or(|before| before.knows_appointment(purpose));
        let moved = moved && stood;
        let was_complete = known.filter(|_| stood).is_some_and(|one| {
            one.date.is_some() && one.time.is_some() && one.status != AppointmentStatus::Offered
        });
        let changed = known.is_none_or(|one| (one.date, one.time) != (date, time));
        if was_complete && !changed && !self.dues.pieces.is_empty() {
            // "Bedankt, tot zaterdag" needs no confirmation once more.
            return;
        }
        let narrowed = known.is_some_and(|one| narrows(one, date, time));
        let same = !changed || narrowed && !moved;
        let status = match known {
            Some(one) if same && one.status != AppointmentStatus::Offered => one.status,
            _ if moved || was_complete || known.is_some_and(is_to_move) => AppointmentStatus::Moved,
            _ => AppointmentStatus::Wanted,
        };
        let new = self.wanted(purpose, date, time);
        let appointment = Appointment {
            status,
            // What it was made for stays when it is moved, whatever was talked of since.
            thing: known.and_then(|one| one.thing.clone()).or(new.thing),
            ..new
        };
        self.keep(appointment);
        self.state.ours = None;
        // "Sunday? Otherwise Wednesday": what can be is taken, and the rest needs no choice.
        self.dues
            .question
            .take_if(|question| matches!(question, Question::Moments { .. }));
        self.owe(Piece::Appointment {
            purpose: purpose.to_owned(),
            date,
            time,
            status,
        });
    }

    /// One appointment for each purpose.
    fn keep(&mut self, appointment: Appointment) {
        let open = |one: &Appointment| {
            one.purpose != appointment.purpose || one.status == AppointmentStatus::Cancelled
        };
        self.state.appointments.retain(open);
        self.state.appointments.push(appointment);
        self.dues.moment_changed = true;
    }

    /// An appointment that was called off, or made elsewhere for `standing`, is to be made anew.
    fn revive(&mut self, standing: Option<&When>) {
        let off = self.state.appointments.pop();
        let was = match (standing, &off) {
            (Some(when), _) => Some((when.date, when.time)),
            (None, Some(off)) => Some((off.date, off.time)),
            (None, None) => None,
        };
        let purpose = off.map(|off| off.purpose);
        let purpose = purpose.or_else(|| self.purpose(None));
        if let (Some(purpose), Some(was)) = (purpose, was) {
            self.keep(Appointment {
                was: Some(was),
                ..self.wanted(&purpose, None, None)
            });
        }
    }

    /// Days and hours that were asked before may be asked again.
    fn ask_moment_anew(&mut self) {
        let topics = self.domain.dialogue.topics.iter();
        let moments =
            topics.filter(|topic| matches!(topic.kind, TopicKind::Date | TopicKind::Time));
        for topic in moments {
            self.state.questions.remove(&topic.name);
        }
    }

    /// A moment that we offered is taken.
    pub(super) fn settle(&mut self, moment: DateTime) {
        let timed = moment.time() != jiff::civil::Time::midnight();
        let when = When {
            date: Some(Dates::On(moment.date())),
            time: timed.then_some(Times::At(moment.time())),
        };
        self.moment(None, &when, false);
    }

    /// Passes on that an appointment is off that was made elsewhere. Where its moment is said it is
    /// kept, so that it can be made anew.
    pub(super) fn call_off(&mut self, act: &Act, goal: Option<&str>, when: Option<&When>) {
        let purpose = self.purpose(goal).filter(|_| when.is_some());
        if let (Some(purpose), Some(when)) = (purpose, when) {
            self.keep(Appointment {
                status: AppointmentStatus::Cancelled,
                ..self.wanted(&purpose, when.date, when.time)
            });
        }
        self.pass_on_words(act, Asked::Visit);
        self.state.ours = None;
        self.owe(Piece::CalledOff(
            when.and_then(|when| when.date),
            when.and_then(|when| when.time),
        ));
    }

    /// Who asks when to come is told when it is open, and asked for a day.
    pub(super) fn visit(&mut self, ask: &Ask) {
        self.hours(&Ask {
            form: Form::Which,
            ..ask.clone()
        });
        let Some(purpose) = self.purpose(None) else {
            return;
        };
        if self.touch(&purpose) {
            self.needs_no_thing(&purpose);
        }
        if !self.knows_visit() {
            self.ask_day();
        }
    }

    fn ask_day(&mut self) {
        let topics = self.domain.dialogue.topics.iter();
        let mut days = topics.filter(|topic| topic.kind == TopicKind::Date);
        let open = |topic: &&Topic| topics::may_ask(&self.state, &topic.name);
        if let Some(topic) = days.next().filter(open) {
            self.must_ask(Question::Topic(topic.name.clone()));
        }
    }

    pub(super) fn reschedule(
        &mut self,
        when: Option<&When>,
        shift_minutes: Option<i32>,
        says_standing: bool,
    ) {
        if self.state.appointment().is_none() {
            self.made_elsewhere();
            self.revive(when.filter(|_| says_standing));
        }
        let when = when.filter(|when| {
            let known = self.state.appointment();
            known.and_then(|one| one.was) != Some((when.date, when.time))
                && !known.is_some_and(|one| stands(one, when))
        });
        let Some(known) = self.state.appointment().cloned() else {
            return match when {
                Some(when) => self.moment(None, when, false),
                None => self.unclear(&[]),
            };
        };
        let shifted = shift_minutes.and_then(|minutes| shifted(standing(&known), minutes));
        let beside = self
            .heard
            .acts
            .iter()
            .find_map(|act| told_moment(&act.does));
        // The moment that stands is not the new one.
        let beside = beside.filter(|when| known.was != Some((when.date, when.time)));
        // "I can't make it, could it be Monday at 11?" was moved by its other half.
        let before = self.state.before.as_deref();
        let stood = says_standing && before.is_some_and(|before| before.has(&known));
        let beside = beside.filter(|when| !stood || !stands(&known, when));
        let hour = when.or(beside.as_ref()).and_then(|when| when.time);
        let shifted = shifted.map(|shifted| at_hour(shifted, hour, shift_minutes));
        match shifted.as_ref().or(when).or(beside.as_ref()) {
            Some(when) => self.moment(Some(&known.purpose), when, true),
            None => {
                // "Een ander moment": the old one is off, a new one is asked for.
                self.keep(Appointment {
                    date: None,
                    time: None,
                    status: AppointmentStatus::Wanted,
                    was: Some(standing(&known)),
                    ..known.clone()
                });
                self.touch(&known.purpose);
                if let Some(open) = self.state.goals.last_mut() {
                    open.ready = false;
                }
                self.ask_moment_anew();
                self.owe(Piece::Possible);
                if !topics::takes_appointment(self.domain, &known.purpose) {
                    self.ask_day();
                }
            }
        }
    }
}

/// Whether an appointment waits for another moment than it had.
fn is_to_move(known: &Appointment) -> bool {
    let wanted = known.status == AppointmentStatus::Wanted;
    wanted && known.was.is_some() && (known.date, known.time) == (None, None)
}

/// "Make it half four instead": the moment may stand beside the wish to move.
fn told_moment(does: &Does) -> Option<When> {
    match does {
        Does::Inform(inform) => inform.when,
        Does::Request { when, .. } | Does::Reschedule { when, .. } => *when,
        Does::Answer(Answer::Moment(when)) => Some(*when),
        _ => None,
    }
}

/// Whether a moment lies in the span that was wished: "quarter past four" of a late afternoon.
fn narrows(known: &Appointment, date: Option<Dates>, time: Option<Times>) -> bool {
    let day = match (known.date, date) {
        (Some(Dates::Between(from, to)), Some(Dates::On(day))) => from <= day && day <= to,
        (Some(Dates::From(from)), Some(Dates::On(day))) => from <= day,
        (known, date) => known == date,
    };
    let hour = match (known.time, time) {
        (Some(Times::Between(from, to)), Some(Times::At(at))) => from <= at && at <= to,
        (Some(Times::From(from)), Some(Times::At(at))) => from <= at,
        (Some(Times::Until(to)), Some(Times::At(at))) => at <= to,
        (known, time) => known == time,
    };
    day && hour
}

/// "Half four" is in the afternoon where the morning cannot be.
fn in_the_afternoon(wish: &When) -> Option<When> {
    let Some(Times::At(time)) = wish.time else {
        return None;
    };
    let later = time.checked_add(SignedDuration::from_hours(12)).ok()?;
    Some(When {
        time: Some(Times::At(later)),
        ..*wish
    })
}

/// "They bring it in the morning" of an appointment at half past nine leaves the hour as it is.
fn kept_hour(known: &Appointment, wish: &When) -> Option<Times> {
    let (Some(Times::At(at)), Some(Times::Between(from, to))) = (known.time, wish.time) else {
        return None;
    };
    let stands = known.status != AppointmentStatus::Offered && known.date == wish.date;
    (stands && from <= at && at <= to).then_some(Times::At(at))
}

/// "Half acht" of an evening appointment is in the evening.
fn in_that_part(at: Times, known: Option<Times>) -> Times {
    let (time, from, to) = match (at, known) {
        (Times::At(time), Some(Times::Between(from, to))) => (time, from, to),
        (Times::At(time), Some(Times::From(from))) => (time, from, jiff::civil::Time::MAX),
        _ => return at,
    };
    let later = time.checked_add(SignedDuration::from_hours(12));
    let inside = |time: jiff::civil::Time| from <= time && time <= to;
    match later {
        Ok(later) if !inside(time) && inside(later) => Times::At(later),
        _ => at,
    }
}

/// Day and time of an appointment, those before it was to be moved included.
fn standing(known: &Appointment) -> (Option<Dates>, Option<Times>) {
    let (day, time) = known.was.unwrap_or_default();
    (known.date.or(day), known.time.or(time))
}
