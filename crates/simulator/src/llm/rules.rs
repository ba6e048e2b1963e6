use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the language model answers, and when. The first rule that fits answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlmRule {
    /// What must be asked.
    #[serde(default, rename = "match")]
    pub matching: LlmMatch,
    /// The answer.
    pub reply: LlmReply,
    /// Milliseconds before it.
    #[serde(default)]
    pub delay_ms: u64,
    /// Answer this often at most; without end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

/// What a request must look like. Every part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlmMatch {
    /// Part of the last message of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Name of the JSON schema asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// A field that the request has, or the kind of its `response_format`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Part of the name of an audio file. Such a rule answers transcriptions and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// An answer of the language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LlmReply {
    /// JSON as the content of the message.
    Json {
        /// The content.
        value: Value,
    },
    /// Text as the content of the message, or as the transcript.
    Text {
        /// The content.
        text: String,
    },
    /// Content that starts like JSON and is none.
    Malformed {},
    /// A response whose body as a whole is no JSON.
    BrokenBody {},
    /// The model declines: `refusal` is set, `content` is null.
    Refusal {
        /// What it says.
        text: String,
    },
    /// Content cut off in the middle, `finish_reason` is `length`.
    Truncated {
        /// What came of it.
        text: String,
    },
    /// A body that never ends, a byte at a time.
    Endless {
        /// Milliseconds between two bytes.
        #[serde(default = "a_moment")]
        every_ms: u64,
    },
    /// A response as some other server writes it.
    Raw {
        /// HTTP status.
        status: u16,
        /// The body, to the letter.
        body: String,
        /// Seconds in the header `Retry-After`.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// An error.
    Error {
        /// HTTP status.
        status: u16,
        /// Text of the error.
        #[serde(default)]
        message: Option<String>,
    },
}

fn a_moment() -> u64 {
    50
}

/// What is asked of the model, as far as rules look at it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Question<'a> {
    pub(super) text: &'a str,
    pub(super) schema: Option<&'a str>,
    pub(super) file: Option<&'a str>,
    pub(super) request: Option<&'a Value>,
}

/// The rules in force, in the order in which they are tried.
#[derive(Debug, Default)]
pub(crate) struct LlmRules {
    rules: Mutex<Vec<(LlmRule, u64)>>,
}

impl LlmRules {
    pub(crate) fn add(&self, rule: LlmRule) {
        self.lock().push((rule, 0));
    }

    pub(crate) fn list(&self) -> Vec<LlmRule> {
        self.lock().iter().map(|(rule, _)| rule.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The first rule that fits and is not spent. Takes one of its times.
    pub(super) fn pick(&self, question: Question<'_>) -> Option<LlmRule> {
        let mut rules = self.lock();
        let (rule, used) = rules.iter_mut().find(|(rule, used)| {
            rule.times.is_none_or(|times| *used < times) && rule.matching.fits(question)
        })?;
        *used += 1;
        Some(rule.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(LlmRule, u64)>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LlmMatch {
    fn fits(&self, question: Question<'_>) -> bool {
        let file = match (&self.file, question.file) {
            (Some(part), Some(name)) => name.contains(part),
            (None, None) => true,
            _ => false,
        };
        let has = |name: &String| {
            let request = question.request?;
            let format = request
                .get("response_format")
                .and_then(|format| format.get("type"));
            (request.get(name).is_some() || format.is_some_and(|format| format == name))
                .then_some(())
        };
        file && self
            .parameter
            .as_ref()
            .is_none_or(|name| has(name).is_some())
            && self
                .text
                .as_ref()
                .is_none_or(|part| question.text.contains(part))
            && self
                .schema
                .as_ref()
                .is_none_or(|name| question.schema == Some(name))
    }
}
