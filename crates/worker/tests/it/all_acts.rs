//! Every kind of act, for tests that walk them all.

use shared_types::SlotValue;
use worker::dialogue::act::{
    Act, Answer, Ask, Asked, Consent, Correct, Dates, Does, Feeling, Form, Inform, Origin, Repair,
    Social, Thing, Times, Told, When,
};
use worker::domain::Domain;

/// The words of every act.
pub(crate) const TEXT: &str = "wat kost dat eigenlijk voor mijn moeder";

pub(crate) fn act(does: Does, confidence: f64) -> Act {
    Act {
        does,
        confidence,
        words: 0..TEXT.len(),
        clause: 0,
        origin: Origin::Rules,
    }
}

pub(crate) fn ask(topic: Asked, form: Form) -> Does {
    Does::Ask(Ask {
        topic,
        form,
        thing: Thing::Wanted,
        content: vec![],
        when: None,
    })
}

pub(crate) fn when(day: &str, hour: Option<i8>) -> When {
    let time = hour.map(|hour| Times::At(jiff::civil::Time::constant(hour, 0, 0, 0)));
    When {
        date: Some(Dates::On(day.parse().unwrap())),
        time,
    }
}

/// A value of a slot that answers a topic.
pub(crate) fn value(domain: &Domain) -> Told {
    let topics = &domain.dialogue.topics;
    let slot = topics.iter().find_map(|topic| topic.values.first());
    Told {
        slot: slot.cloned().unwrap_or_default(),
        any_of: vec![SlotValue::Text("Golf".into())],
        came_with: None,
        rather: false,
        also: false,
    }
}

pub(crate) fn inform(values: Vec<Told>) -> Does {
    Does::Inform(Inform {
        thing: Thing::Wanted,
        values,
        when: None,
        attachment: None,
        remark: None,
    })
}

/// Every kind of act, with each fact, attribute, goal and alarm of the domain.
#[expect(clippy::too_many_lines, reason = "a list of every kind of act")]
pub(crate) fn all_acts(domain: &Domain) -> Vec<Does> {
    let told = value(domain);
    let mut acts = vec![
        ask(Asked::Hours, Form::YesNo),
        ask(Asked::Hours, Form::Which),
        ask(Asked::Existence, Form::YesNo),
        ask(Asked::Status, Form::Which),
        ask(Asked::Us, Form::YesNo),
        ask(Asked::Us, Form::Which),
        ask(Asked::Other, Form::Choice),
        ask(Asked::Other, Form::Check),
        inform(vec![told.clone()]),
        inform(vec![Told {
            any_of: vec![],
            ..told.clone()
        }]),
        inform(vec![]),
        Does::Correct(Correct {
            thing: Thing::Wanted,
            not: vec![(told.slot.clone(), SlotValue::Text("Golf".into()))],
            instead: vec![],
            indifferent: vec![],
        }),
        Does::Correct(Correct {
            thing: Thing::Own,
            not: vec![],
            instead: vec![told.clone()],
            indifferent: vec![told.slot.clone()],
        }),
        Does::Offer {
            amount: Some(-500),
            thing: Thing::Wanted,
        },
        Does::Offer {
            amount: None,
            thing: Thing::Own,
        },
        Does::Reschedule {
            when: None,
            shift_minutes: Some(60),
            standing: false,
        },
        Does::Reschedule {
            when: None,
            shift_minutes: None,
            standing: false,
        },
        Does::Reschedule {
            when: Some(when("2026-12-03", Some(11))),
            shift_minutes: None,
            standing: false,
        },
        Does::Cancel {
            goal: None,
            when: None,
            visit: false,
            over: false,
        },
        Does::Complain {
            legal: false,
            angry: false,
        },
        Does::Complain {
            legal: true,
            angry: true,
        },
        Does::Handoff {
            by_phone: true,
            whom: false,
            when: None,
        },
        Does::Identify {
            name: Some("Fatma".into()),
            company: None,
            email: None,
            phone: None,
            supplier: false,
        },
        Does::Identify {
            name: None,
            company: Some("Banden Zuid".into()),
            email: None,
            phone: None,
            supplier: true,
        },
        Does::NoCalls,
        Does::Consent(Consent::Stop),
        Does::Consent(Consent::Start),
        Does::Consent(Consent::Erase),
        Does::Consent(Consent::Doubtful),
        Does::Repair(Repair::Misread),
        Does::Repair(Repair::Unheard),
        Does::Repair(Repair::Unclear),
        Does::Unclear { candidates: vec![] },
    ];
    for social in [
        Social::Hello,
        Social::Thanks,
        Social::Bye,
        Social::Nicety,
        Social::Safe,
        Social::Prompt,
        Social::Feels { of: Feeling::Loss },
        Social::Feels { of: Feeling::Joy },
        Social::Feels {
            of: Feeling::Regret,
        },
        Social::Feels { of: Feeling::Jest },
    ] {
        acts.push(Does::Social(social));
    }
    for answer in [
        Answer::Yes,
        Answer::No,
        Answer::Any,
        Answer::Unknown,
        Answer::Choice(1),
        Answer::Choice(9),
        Answer::Values(vec![told]),
        Answer::Moment(when("2026-11-29", Some(11))),
        Answer::Moment(when("2026-12-25", None)),
        Answer::Moment(when("2026-12-01", Some(10))),
        Answer::Moment(When {
            date: Some(Dates::Conflict),
            time: None,
        }),
        Answer::Moment(When {
            date: None,
            time: when("2026-12-01", Some(11)).time,
        }),
        Answer::Text("privat".into()),
    ] {
        acts.push(Does::Answer(answer));
    }
    let knowledge = &domain.knowledge;
    acts.extend(
        knowledge
            .facts
            .iter()
            .map(|fact| ask(Asked::Fact(fact.name.clone()), Form::Which)),
    );
    acts.push(ask(Asked::Fact("nobody wrote this".into()), Form::Which));
    let attributes = knowledge.attributes.iter();
    acts.extend(attributes.map(|one| ask(Asked::Attribute(one.name.clone()), Form::YesNo)));
    acts.extend(knowledge.alarms.iter().map(|alarm| Does::Alarm {
        name: alarm.name.clone(),
    }));
    for goal in &domain.dialogue.goals {
        acts.push(Does::Cancel {
            goal: Some(goal.intent.clone()),
            when: None,
            visit: false,
            over: false,
        });
        acts.push(Does::Unclear {
            candidates: vec![goal.intent.clone()],
        });
        for moment in [
            None,
            Some(when("2026-11-29", Some(11))),
            Some(when("2026-12-01", Some(11))),
        ] {
            acts.push(Does::Request {
                goal: goal.intent.clone(),
                thing: Thing::Wanted,
                when: moment,
                asks_whether: true,
                definite: false,
            });
        }
    }
    acts
}
