//! How the customer seems to feel.

use shared_types::Sentiment;

use crate::domain::MoodCue;

/// How the customer seems to feel, from words and emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mood {
    /// Pleased, displeased or neither.
    pub sentiment: Sentiment,
    /// Insults, capitals of rage, swearing.
    pub angry: bool,
    /// Speaks of a lawyer, a court, a consumer authority.
    pub legal_threat: bool,
}

impl Mood {
    /// The mood that cues show; displeasure outweighs thanks.
    pub(super) fn new(cues: &[MoodCue]) -> Self {
        let has = |cue: MoodCue| cues.contains(&cue);
        let angry = has(MoodCue::Angry);
        let legal_threat = has(MoodCue::LegalThreat);
        let sentiment = if angry || legal_threat || has(MoodCue::Negative) {
            Sentiment::Negative
        } else if has(MoodCue::Positive) {
            Sentiment::Positive
        } else {
            Sentiment::Neutral
        };
        Self {
            sentiment,
            angry,
            legal_threat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displeasure_outweighs_thanks() {
        assert_eq!(Mood::new(&[]).sentiment, Sentiment::Neutral);
        assert_eq!(
            Mood::new(&[MoodCue::Positive]).sentiment,
            Sentiment::Positive
        );
        let torn = Mood::new(&[MoodCue::Positive, MoodCue::Angry]);
        assert_eq!((torn.sentiment, torn.angry), (Sentiment::Negative, true));
    }
}
