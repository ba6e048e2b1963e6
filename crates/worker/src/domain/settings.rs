use super::section::Section;

/// How the understanding weighs and decides: the table `[understanding]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Messages below are better answered with a question or by a person. 0 to 1.
    pub confidence_threshold: f64,
    /// The intent of what nothing speaks for.
    pub fallback_intent: String,
    /// What an intent needs to be preferred to the fallback.
    pub fallback_score: f64,
    /// How far a decisive intent may be behind one further down the list and still win.
    pub precedence: f64,
    /// What each further cue of an intent counts, relative to the one before.
    pub corroboration: f64,
    /// What a cue counts that is in another language than the message.
    pub other_language: f64,
    /// What each unexplained word takes from small talk.
    pub unexplained_word: f64,
    /// What is believed of a decision.
    pub confidence: Confidence,
    /// What examples say, where there are any.
    pub likeness: Option<Likeness>,
    strengths: Vec<(String, f64)>,
}

/// The logistic function that turns a decision into a confidence.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Confidence {
    /// The constant.
    pub bias: f64,
    /// Per point of score of the winner.
    pub score: f64,
    /// Per point of distance to the runner-up.
    pub margin: f64,
}

/// How much it counts that a message is like examples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Likeness {
    /// Files of examples, each with the line that names it.
    pub files: Vec<(String, usize)>,
    /// What an intent gets that all examples speak for.
    pub weight: f64,
    /// What an intent loses when all examples speak for another.
    pub doubt: f64,
    /// How little the examples are trusted to tell intents apart: the higher, the more even.
    pub spread: f64,
}

impl Settings {
    /// The weight of a strength that cues are listed under.
    #[must_use]
    pub fn strength(&self, name: &str) -> Option<f64> {
        let found = self.strengths.iter().find(|(strength, _)| strength == name);
        found.map(|(_, weight)| *weight)
    }
}

pub(super) fn read(root: &Section<'_>) -> Settings {
    let Some(section) = root.section("understanding") else {
        root.problem(1, "the table [understanding] is missing");
        return Settings::default();
    };
    let number = |key: &str| section.required_number(key).unwrap_or_default();
    let strengths = section.numbers("strengths").into_iter();
    let settings = Settings {
        confidence_threshold: number("confidence_threshold"),
        fallback_intent: section
            .required_text("fallback_intent")
            .map_or_else(String::new, |text| text.value.to_owned()),
        fallback_score: number("fallback_score"),
        precedence: number("precedence"),
        corroboration: number("corroboration"),
        other_language: number("other_language"),
        unexplained_word: number("unexplained_word"),
        confidence: read_confidence(&section),
        likeness: read_likeness(&section),
        strengths: strengths
            .map(|(name, weight)| (name.value.to_owned(), weight))
            .collect(),
    };
    if !(0.0..=1.0).contains(&settings.confidence_threshold) {
        section.problem(
            section.line(),
            "`confidence_threshold` must be between 0 and 1",
        );
    }
    section.close();
    settings
}

fn read_likeness(parent: &Section<'_>) -> Option<Likeness> {
    let section = parent.section("examples")?;
    let number = |key: &str| section.required_number(key).unwrap_or_default();
    let files = section.texts("files").into_iter();
    let likeness = Likeness {
        files: files
            .map(|text| (text.value.to_owned(), text.line))
            .collect(),
        weight: number("weight"),
        doubt: number("doubt"),
        spread: number("spread"),
    };
    if likeness.spread <= 0.0 {
        section.problem(section.line(), "`spread` must be above 0");
    }
    section.close();
    Some(likeness)
}

fn read_confidence(parent: &Section<'_>) -> Confidence {
    let Some(section) = parent.section("confidence") else {
        parent.problem(parent.line(), "`understanding.confidence` is missing");
        return Confidence::default();
    };
    let number = |key: &str| section.required_number(key).unwrap_or_default();
    let confidence = Confidence {
        bias: number("bias"),
        score: number("score"),
        margin: number("margin"),
    };
    section.close();
    confidence
}
