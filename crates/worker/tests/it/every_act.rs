//! Every act in every state is answered: by pieces, in words, in each language of each domain that
//! ships.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use shared_types::SlotValue;
use worker::dialogue::act::{
    Act, Answer, Asked, Consent, Does, Form, Inform, Repair, Thing, Told, When,
};
use worker::dialogue::{Dues, Heard, Occasion, Piece, Reply, Said, State, Worded};
use worker::dialogue::{reply, update, word};
use worker::domain::{Domain, TopicKind};

use crate::all_acts::{TEXT, act, all_acts, ask, inform, value, when};

pub(crate) fn shipped() -> Vec<Domain> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let load = |path: &str| Domain::load(&root.join(path)).unwrap();
    vec![
        Domain::embedded().unwrap(),
        load("tests/fixtures/domains/bicycle-repair.toml"),
        load("deploy/domains/hair-salon.toml"),
    ]
}

pub(crate) const NOW: &str = "2026-11-28T18:10:00Z";

/// One turn, with its words.
pub(crate) struct Turned {
    pub(crate) state: State,
    pub(crate) dues: Dues,
    pub(crate) reply: Reply,
    pub(crate) worded: Option<Worded>,
}

pub(crate) fn turn(
    domain: &Domain,
    lang: &str,
    state: State,
    acts: &[Act],
    now: Timestamp,
) -> Turned {
    let local: DateTime = now.to_zoned(domain.business.time_zone.clone()).datetime();
    // Nobody writes the same words again and again but a machine.
    let text = format!("{TEXT}{}", " o".repeat(state.echo.texts.len()));
    let heard = Heard {
        acts,
        text: &text,
        attachment: None,
        withheld: false,
        unserved: None,
        now,
        local,
        came: None,
        stock: None,
        sought: &worker::understanding::Sought::default(),
    };
    let (mut state, dues) = update(domain, state, &heard);
    let reply = reply(domain, &mut state, &dues, &heard);
    let worded = match &reply {
        Reply::Say(said) => Some(in_words(domain, lang, &mut state, said, local)),
        Reply::Silent(_) => None,
    };
    Turned {
        state,
        dues,
        reply,
        worded,
    }
}

fn in_words(
    domain: &Domain,
    lang: &str,
    state: &mut State,
    said: &Said,
    local: DateTime,
) -> Worded {
    let occasion = Occasion {
        name: Some("Daan"),
        text: TEXT,
        local,
        dice: u64::from(local.subsec_nanosecond().unsigned_abs()) + state.said.len() as u64,
    };
    let worded = word(domain, domain.replies_in(lang), state, said, occasion);
    state.note_said(&worded.said);
    if !worded.asks {
        state.ours = None;
    }
    worded
}

/// States in which conversations stand: new, each topic open, several goals, all known, passed on,
/// appointments of each kind, told, taken, not understood.
fn states(domain: &Domain) -> Vec<State> {
    let now: Timestamp = NOW.parse().unwrap();
    let earlier = now - jiff::SignedDuration::from_mins(5);
    let after = |acts: &[Does]| {
        let acts = acts.iter().map(|does| vec![act(does.clone(), 0.9)]);
        acts.fold(State::default(), |state, acts| {
            turn(domain, "nl", state, &acts, earlier).state
        })
    };
    let request = |goal: &str, moment: Option<When>| Does::Request {
        goal: goal.to_owned(),
        thing: Thing::Wanted,
        when: moment,
        asks_whether: false,
        definite: false,
    };
    let mut states = vec![State::default()];
    let goals = &domain.dialogue.goals;
    for goal in goals {
        let opened = request(&goal.intent, None);
        states.push(after(std::slice::from_ref(&opened)));
        let told = inform(vec![value(domain)]);
        states.push(after(&[opened.clone(), told.clone()]));
        states.push(after(&[
            opened.clone(),
            told.clone(),
            told,
            Does::Answer(Answer::Unknown),
        ]));
        let booked = request(&goal.intent, Some(when("2026-12-01", Some(10))));
        let offered = request(&goal.intent, Some(when("2026-11-29", Some(10))));
        states.push(after(std::slice::from_ref(&booked)));
        states.push(after(&[offered]));
        states.push(after(&[
            booked,
            Does::Cancel {
                goal: None,
                when: None,
                visit: false,
                over: false,
            },
        ]));
    }
    if let [first, second, ..] = goals.as_slice() {
        states.push(after(&[
            request(&first.intent, None),
            request(&second.intent, None),
        ]));
    }
    states.push(after(&[ask(Asked::Other, Form::YesNo)]));
    states.push(after(&[ask(Asked::Existence, Form::YesNo)]));
    states.push(after(&[Does::Handoff {
        by_phone: false,
        whom: false,
        when: None,
    }]));
    states.push(after(&[Does::Unclear { candidates: vec![] }]));
    let unclear = Does::Unclear { candidates: vec![] };
    states.push(after(&[unclear.clone(), unclear]));
    states.push(after(&[Does::Consent(Consent::Doubtful)]));
    let facts = domain.knowledge.facts.iter().take(3);
    let facts: Vec<Does> = facts
        .map(|fact| ask(Asked::Fact(fact.name.clone()), Form::Which))
        .collect();
    states.push(after(&facts));
    states
}

fn check(domain: &Domain, lang: &str, turned: &Turned, before: &State) {
    let Some(worded) = &turned.worded else {
        panic!("nobody took over and nobody opted out: {:?}", turned.reply);
    };
    let text = worded.text.as_str();
    let about = format!("{lang} {:?}: {text:?}", turned.reply);
    assert!(!text.trim().is_empty(), "{about}");
    assert!(
        !text.contains(['{', '}', '[', ']']),
        "a gap is left: {about}"
    );
    assert!(text.matches('?').count() <= 2, "{about}");
    let Reply::Say(said) = &turned.reply else {
        return;
    };
    let pieces: Vec<&Piece> = said.pieces().collect();
    for due in &turned.dues.pieces {
        // "That is possible" is no word beside a day on which it is not.
        let polite = matches!(
            due,
            Piece::Hello | Piece::Courtesy(_) | Piece::TakeUp(_) | Piece::Possible
        );
        assert!(
            polite || pieces.contains(&due),
            "{due:?} is still owed: {about}"
        );
    }
    let full = worded.said.last().unwrap();
    assert!(!before.said.contains(full), "said before: {about}");
    let known = domain
        .replies
        .iter()
        .find(|replies| replies.language == lang)
        .unwrap();
    assert_eq!(domain.replies_in(lang), known);
}

#[test]
fn every_act_is_answered_in_every_state_and_language() {
    let mut dice = Dice(1);
    let now: Timestamp = NOW.parse().unwrap();
    for domain in shipped() {
        let states = states(&domain);
        let acts = all_acts(&domain);
        for replies in &domain.replies {
            let lang = replies.language.as_str();
            for (place, state) in states.iter().enumerate() {
                for does in &acts {
                    // One fact is as good as another in all but the first states.
                    let named = matches!(does, Does::Ask(ask) if matches!(ask.topic, Asked::Fact(_) | Asked::Attribute(_)));
                    if named && place > 1 && dice.next(20) > 0 {
                        continue;
                    }
                    let sure = [act(does.clone(), 0.9)];
                    check(
                        &domain,
                        lang,
                        &turn(&domain, lang, state.clone(), &sure, now),
                        state,
                    );
                    if matches!(
                        does,
                        Does::Alarm { .. } | Does::Complain { .. } | Does::Handoff { .. }
                    ) {
                        let unsure = [act(does.clone(), 0.2)];
                        check(
                            &domain,
                            lang,
                            &turn(&domain, lang, state.clone(), &unsure, now),
                            state,
                        );
                    }
                }
                let nothing = turn(&domain, lang, state.clone(), &[], now);
                check(&domain, lang, &nothing, state);
            }
        }
    }
}

/// The same numbers on every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

#[test]
fn no_sentence_comes_twice_and_no_topic_is_asked_three_times() {
    let domain = &shipped()[0];
    let acts = all_acts(domain);
    let mut dice = Dice(7);
    for _ in 0..80 {
        let mut state = State::default();
        let mut now: Timestamp = NOW.parse().unwrap();
        let mut replies = BTreeSet::new();
        let mut script = Vec::new();
        for _ in 0..12 {
            now += jiff::SignedDuration::from_secs(60);
            let count = 1 + dice.next(2);
            let acts: Vec<Act> = (0..count)
                .map(|_| act(acts[dice.next(acts.len())].clone(), 0.9))
                .collect();
            script.push(format!("{acts:?}"));
            let told_before = state.told.is_some();
            let turned = turn(domain, "nl", state, &acts, now);
            state = turned.state;
            let Some(worded) = turned.worded else {
                panic!("told ({told_before}) never silences: {script:#?}");
            };
            let text = worded.text.into_string();
            assert!(
                replies.insert(text.clone()),
                "{text} came twice: {script:#?}"
            );
            let mut put = state.questions.values();
            assert!(put.all(|put| put.times <= 2), "{:?}", state.questions);
        }
    }
}

#[test]
fn question_changes_no_wish_and_misreading_gives_back_what_held() {
    let now: Timestamp = NOW.parse().unwrap();
    for domain in shipped() {
        let told = [act(inform(vec![value(&domain)]), 0.9)];
        let known = turn(&domain, "nl", State::default(), &told, now).state;
        let asks = all_acts(&domain)
            .into_iter()
            .filter(|does| matches!(does, Does::Ask(_)));
        for does in asks {
            let asked = turn(&domain, "nl", known.clone(), &[act(does.clone(), 0.9)], now);
            assert_eq!(asked.state.wanted, known.wanted, "{does:?}");
            assert_eq!(asked.state.own, known.own, "{does:?}");
        }
        let repair = [act(Does::Repair(Repair::Misread), 0.9)];
        let undone = turn(&domain, "nl", known.clone(), &repair, now).state;
        assert!(undone.wanted.is_empty(), "{undone:?}");
    }
}

#[test]
fn what_is_known_is_not_asked() {
    let domain = &shipped()[0];
    let now: Timestamp = NOW.parse().unwrap();
    let topics = domain.dialogue.topics.iter();
    for topic in topics.filter(|topic| topic.kind == TopicKind::Values) {
        let values = topic.values.iter().map(|slot| Told {
            slot: slot.clone(),
            any_of: vec![SlotValue::Integer(1)],
            came_with: None,
            rather: false,
            also: false,
        });
        let values: Vec<Told> = values.collect();
        for thing in [Thing::Wanted, Thing::Own] {
            let told = Does::Inform(Inform {
                thing,
                values: values.clone(),
                when: None,
                attachment: None,
                remark: None,
            });
            for goal in &domain.dialogue.goals {
                let wanted = Does::Request {
                    goal: goal.intent.clone(),
                    thing,
                    when: None,
                    asks_whether: false,
                    definite: false,
                };
                let acts = [act(wanted, 0.9), act(told.clone(), 0.9)];
                let turned = turn(domain, "nl", State::default(), &acts, now);
                let side = match thing {
                    Thing::Own => "own",
                    Thing::Wanted | Thing::Third => "wanted",
                };
                let about = domain
                    .intents
                    .iter()
                    .find(|intent| intent.name == goal.intent)
                    .unwrap()
                    .about;
                let same = format!("{about:?}").to_lowercase() == side;
                let Reply::Say(said) = &turned.reply else {
                    panic!()
                };
                let asked = format!("{:?}", said.ask);
                assert!(
                    !same
                        || !asked.contains(&format!("topic: \"{}\"", topic.name))
                        || asked.contains("named: true"),
                    "{asked}"
                );
            }
        }
    }
}
