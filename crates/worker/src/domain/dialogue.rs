use super::intents::Intent;
use super::section::{Section, Text};
use super::slots::{Slot, SlotKind};

/// How a conversation is led: the tables `[dialogue]`, `[[topics]]` and `[[goals]]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dialogue {
    /// The intent of commands that end messages or erase data.
    pub opt_out_intent: String,
    /// The intent of a greeting.
    pub greeting_intent: String,
    /// The intent of thanks and goodbyes.
    pub thanks_intent: String,
    /// Intents of customers who want a colleague, or complain to one.
    pub handoff_intents: Vec<String>,
    /// How many messages in a row may be misunderstood before a colleague is told.
    pub misunderstandings: u32,
    /// How long the bot stays silent after a hand-over, unless it is released.
    pub human_hours: u32,
    /// Within how many minutes of opening hours a colleague should answer.
    pub answer_minutes: u32,
    /// What can be asked.
    pub topics: Vec<Topic>,
    /// What the bot pursues for each intent that calls for it.
    pub goals: Vec<Goal>,
}

/// Something that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// As `asks` and the questions of a language call it.
    pub name: String,
    /// What answers it.
    pub kind: TopicKind,
    /// The values that answer it; any one will do.
    pub values: Vec<String>,
    /// What makes the question needless: the gearbox of an electric car.
    pub unless: Vec<(String, String)>,
    /// Put before an answer that is not understood alone: "15" after a question for the budget.
    pub answer_prefix: Option<String>,
    /// Put after it when that is still not understood: "15" for thousands.
    pub answer_suffix: Option<String>,
}

/// What answers a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicKind {
    /// Values of slots.
    Values,
    /// A day on which somebody can come.
    Date,
    /// A time of that day.
    Time,
    /// Any text.
    Text,
}

/// What the bot pursues when a customer wants something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The intent.
    pub intent: String,
    /// Topics to ask, in this order, when they are missing.
    pub asks: Vec<String>,
    /// Whether it becomes a lead in the CRM.
    pub lead: bool,
    /// Whether customers may come for it, though no date is asked for.
    pub visits: bool,
}

impl Dialogue {
    /// The topic with this name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.name == name)
    }

    /// What is pursued for an intent.
    #[must_use]
    pub fn goal(&self, intent: &str) -> Option<&Goal> {
        self.goals.iter().find(|goal| goal.intent == intent)
    }
}

/// Reads the tables. Names that do not exist are problems.
pub(super) fn read(root: &Section<'_>, intents: &[Intent], slots: &[Slot]) -> Dialogue {
    let topics = read_topics(root, slots);
    let goals = read_goals(root, intents, &topics);
    let Some(section) = root.section("dialogue") else {
        root.problem(1, "the table [dialogue] is missing");
        return Dialogue::default();
    };
    let intent = |key: &str| {
        let text = section.required_text(key);
        text.map_or_else(String::new, |text| checked_intent(&section, intents, text))
    };
    let whole = |key: &str, most: f64, usual: Option<f64>| {
        let given = match usual {
            Some(usual) => section.number(key).or(Some(usual)),
            None => section.required_number(key),
        };
        let number = given.unwrap_or(1.0);
        if !(1.0..=most).contains(&number) || number.fract() != 0.0 {
            section.problem(
                section.line(),
                format!("`dialogue.{key}` must be a whole number from 1 to {most}"),
            );
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        let whole = number.clamp(1.0, most) as u32;
        whole
    };
    let handoffs = section.texts("handoff_intents");
    let dialogue = Dialogue {
        opt_out_intent: intent("opt_out_intent"),
        greeting_intent: intent("greeting_intent"),
        thanks_intent: intent("thanks_intent"),
        handoff_intents: handoffs
            .into_iter()
            .map(|text| checked_intent(&section, intents, text))
            .collect(),
        misunderstandings: whole("misunderstandings", 10.0, None),
        human_hours: whole("human_hours", 720.0, None),
        answer_minutes: whole("answer_minutes", 1440.0, Some(60.0)),
        topics,
        goals,
    };
    section.close();
    dialogue
}

fn checked_intent(section: &Section<'_>, intents: &[Intent], text: Text<'_>) -> String {
    super::intents::find(intents, section, text);
    text.value.to_owned()
}

fn read_topics(root: &Section<'_>, slots: &[Slot]) -> Vec<Topic> {
    let values = value_names(slots);
    let mut topics = Vec::new();
    for section in root.sections("topics") {
        if section.is_text("when_day_named") {
            let message = "`when_day_named` has been replaced by the kinds \"date\" and \"time\"";
            section.problem(section.line(), message);
            section.text("when_day_named");
        }
        let name = section.required_text("name");
        let answered_by = section.texts("values");
        for value in &answered_by {
            if !values.iter().any(|known| known == value.value) {
                section.problem(
                    value.line,
                    format!("no slot gives a value `{}`", value.value),
                );
            }
        }
        let topic = Topic {
            name: name.map_or_else(String::new, |name| name.value.to_owned()),
            kind: topic_kind(&section, !answered_by.is_empty()),
            values: answered_by
                .iter()
                .map(|text| text.value.to_owned())
                .collect(),
            unless: unless(&section),
            answer_suffix: section
                .text("answer_suffix")
                .map(|text| text.value.to_owned()),
            answer_prefix: section
                .text("answer_prefix")
                .map(|text| text.value.to_owned()),
        };
        section.close();
        topics.push(topic);
    }
    topics
}

fn unless(section: &Section<'_>) -> Vec<(String, String)> {
    let Some(table) = section.section("unless") else {
        return Vec::new();
    };
    let values = table.keys().into_iter().flat_map(|slot| {
        let values = table.texts(slot.value).into_iter();
        let pairs = values.map(|value| (slot.value.to_owned(), value.value.to_owned()));
        pairs.collect::<Vec<_>>()
    });
    values.collect()
}

fn topic_kind(section: &Section<'_>, has_values: bool) -> TopicKind {
    let Some(kind) = section.text("kind") else {
        if !has_values {
            section.problem(
                section.line(),
                "a topic needs `values`, or a `kind`: date, time, text",
            );
        }
        return TopicKind::Values;
    };
    match kind.value {
        "date" => TopicKind::Date,
        "time" => TopicKind::Time,
        "text" => TopicKind::Text,
        other => {
            let message = format!("`{other}` is no kind of topic; there are date, time, text");
            section.problem(kind.line, message);
            TopicKind::Text
        }
    }
}

fn read_goals(root: &Section<'_>, intents: &[Intent], topics: &[Topic]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for section in root.sections("goals") {
        let intent = section.required_text("intent");
        let asks = section.texts("asks");
        for ask in &asks {
            if !topics.iter().any(|topic| topic.name == ask.value) {
                section.problem(ask.line, format!("there is no topic `{}`", ask.value));
            }
        }
        let goal = Goal {
            intent: intent.map_or_else(String::new, |text| checked_intent(&section, intents, text)),
            asks: asks.iter().map(|text| text.value.to_owned()).collect(),
            lead: section.boolean("lead"),
            visits: section.boolean("visits"),
        };
        section.close();
        goals.push(goal);
    }
    goals
}

/// The names under which slots give their values: `car_make`, `price_max`.
#[must_use]
pub(super) fn value_names(slots: &[Slot]) -> Vec<String> {
    let names = slots.iter().flat_map(|slot| match &slot.kind {
        SlotKind::Catalogue(catalogue) => vec![catalogue.upper.clone(), catalogue.lower.clone()],
        SlotKind::Amount(amount) | SlotKind::Year(amount) => {
            amount.min.iter().chain(&amount.max).cloned().collect()
        }
        SlotKind::Choice { .. } | SlotKind::Plate { .. } => vec![slot.name.clone()],
    });
    names.collect()
}
