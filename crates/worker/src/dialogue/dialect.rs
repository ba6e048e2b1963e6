//! Which parameters a server takes: what it refuses is left out from then on. Pure.

use std::fmt;
use std::str::FromStr;

use crate::openai::Words;

/// A setting that is given, or found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auto<T> {
    /// Begins with the usual, and leaves it when the server refuses it.
    Auto,
    /// As given, whatever the server says.
    Given(T),
}

impl<T: FromStr> FromStr for Auto<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        match text.trim() {
            "auto" => Ok(Self::Auto),
            given => given.parse().map(Self::Given),
        }
    }
}

/// How a temperature is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Temperature {
    /// What suits the question.
    Usual,
    /// Always this one.
    Fixed(f64),
    /// Left out: the server's own.
    None,
}

impl FromStr for Temperature {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let number = text.parse().ok().filter(|number| (0.0..=2.0).contains(number));
        number
            .map(Self::Fixed)
            .ok_or_else(|| "expected auto, none, or a number from 0 to 2".into())
    }
}

/// The field that bounds an answer's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenField {
    /// `max_completion_tokens`, OpenAI's present name.
    Completion,
    /// `max_tokens`, its older name, which most others know.
    Plain,
    /// Left out.
    None,
}

impl FromStr for TokenField {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "max_completion_tokens" => Ok(Self::Completion),
            "max_tokens" => Ok(Self::Plain),
            "none" => Ok(Self::None),
            _ => Err("expected auto, max_completion_tokens, max_tokens or none".into()),
        }
    }
}

/// How the form of an answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `json_schema`, strict.
    Schema,
    /// `json_object` with the schema beside it, as llama-cpp-python wants it.
    ObjectWithSchema,
    /// `json_object` alone.
    Object,
    /// Left out: the prompt alone asks for JSON.
    None,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json_schema" => Ok(Self::Schema),
            "json_object" => Ok(Self::Object),
            "none" => Ok(Self::None),
            _ => Err("expected auto, json_schema, json_object or none".into()),
        }
    }
}

/// What is sent to a server, as far as servers differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dialect {
    pub(super) temperature: Temperature,
    pub(super) tokens: TokenField,
    pub(super) format: Format,
}

/// The settings that are found out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Settings {
    pub(super) temperature: Auto<Temperature>,
    pub(super) tokens: Auto<TokenField>,
    pub(super) format: Auto<Format>,
}

impl Settings {
    /// What is tried first.
    pub(super) fn first(self) -> Dialect {
        fn or<T>(setting: Auto<T>, usual: T) -> T {
            match setting {
                Auto::Auto => usual,
                Auto::Given(given) => given,
            }
        }
        Dialect {
            temperature: or(self.temperature, Temperature::Usual),
            tokens: or(self.tokens, TokenField::Completion),
            format: or(self.format, Format::Schema),
        }
    }

    /// What is tried after `refused`, when the server's words name one of its parameters that need
    /// not be sent. Each answer asks for less, so this ends.
    pub(super) fn next(self, refused: Dialect, status: u16, words: &Words) -> Option<Dialect> {
        let is_refusal = match status {
            400 | 422 => true,
            // Some servers let their own check of a request fail.
            500 => COMPLAINTS.iter().any(|word| words.text.to_lowercase().contains(word)),
            _ => false,
        };
        let mut next = refused;
        match named(words).filter(|_| is_refusal)? {
            Parameter::Temperature if self.temperature == Auto::Auto => {
                next.temperature = Temperature::None;
            }
            Parameter::Tokens if self.tokens == Auto::Auto => {
                next.tokens = match refused.tokens {
                    TokenField::Completion => TokenField::Plain,
                    TokenField::Plain | TokenField::None => TokenField::None,
                };
            }
            Parameter::Format if self.format == Auto::Auto => {
                next.format = match refused.format {
                    Format::Schema => Format::ObjectWithSchema,
                    Format::ObjectWithSchema => Format::Object,
                    Format::Object | Format::None => Format::None,
                };
            }
            Parameter::Temperature | Parameter::Tokens | Parameter::Format => {}
        }
        (next != refused).then_some(next)
    }
}

/// How a server says that a request is wrong.
const COMPLAINTS: &[&str] = &["validation", "unsupported", "not support", "invalid", "input should be", "not permitted"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parameter {
    Temperature,
    Tokens,
    Format,
}

/// The parameter that is named as one, else the first in the words.
fn named(words: &Words) -> Option<Parameter> {
    const NAMES: &[(&str, Parameter)] = &[
        ("temperature", Parameter::Temperature),
        ("max_completion_tokens", Parameter::Tokens),
        ("max_tokens", Parameter::Tokens),
        ("response_format", Parameter::Format),
        ("json_schema", Parameter::Format),
        ("json_object", Parameter::Format),
        ("structured output", Parameter::Format),
    ];
    let first_in = |text: &str| {
        let text = text.to_lowercase();
        let places = NAMES.iter().filter_map(|(name, parameter)| Some((text.find(name)?, *parameter)));
        places.min_by_key(|(place, _)| *place).map(|(_, parameter)| parameter)
    };
    words.param.as_deref().and_then(first_in).or_else(|| first_in(&words.text))
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let temperature = match self.temperature {
            Temperature::Usual => "by question".to_owned(),
            Temperature::Fixed(number) => number.to_string(),
            Temperature::None => "none".to_owned(),
        };
        let tokens = match self.tokens {
            TokenField::Completion => "max_completion_tokens",
            TokenField::Plain => "max_tokens",
            TokenField::None => "none",
        };
        let format = match self.format {
            Format::Schema => "json_schema",
            Format::ObjectWithSchema => "json_object with schema",
            Format::Object => "json_object",
            Format::None => "none",
        };
        write!(f, "temperature {temperature}, token limit {tokens}, response format {format}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTO: Settings = Settings {
        temperature: Auto::Auto,
        tokens: Auto::Auto,
        format: Auto::Auto,
    };

    fn next(settings: Settings, refused: Dialect, status: u16, body: &str) -> Option<String> {
        let words = Words::of(body.as_bytes());
        settings.next(refused, status, &words).map(|next| next.to_string())
    }

    #[test]
    fn what_a_server_names_is_left_out() {
        for (status, body, expected) in [
            (
                400,
                r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0 with this model.","param":"temperature","code":"unsupported_value"}}"#,
                "temperature none, token limit max_completion_tokens, response format json_schema",
            ),
            (
                422,
                r#"{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted","input":800}]}"#,
                "temperature by question, token limit max_tokens, response format json_schema",
            ),
            (
                400,
                r#"{"error":{"message":"This response_format type is unavailable now","type":"invalid_request_error"}}"#,
                "temperature by question, token limit max_completion_tokens, response format json_object with schema",
            ),
            (
                500,
                r#"{"error":{"message":"1 validation error: body.response_format.type Input should be 'text' or 'json_object'","type":"internal_server_error"}}"#,
                "temperature by question, token limit max_completion_tokens, response format json_object with schema",
            ),
        ] {
            assert_eq!(next(AUTO, AUTO.first(), status, body).as_deref(), Some(expected), "{body}");
        }
    }

    #[test]
    fn other_errors_and_given_settings_change_nothing() {
        let temperature = r#"{"error":{"message":"no temperature please"}}"#;
        assert_eq!(next(AUTO, AUTO.first(), 400, r#"{"error":"context too long"}"#), None);
        assert_eq!(next(AUTO, AUTO.first(), 429, temperature), None);
        assert_eq!(next(AUTO, AUTO.first(), 500, temperature), None);
        let given = Settings {
            temperature: "0.2".parse().unwrap(),
            ..AUTO
        };
        assert_eq!(next(given, given.first(), 400, temperature), None);
    }

    #[test]
    fn a_server_that_refuses_everything_is_soon_asked_for_nothing() {
        let mut dialect = AUTO.first();
        let mut steps = 0;
        for word in ["response_format", "max_tokens", "temperature"] {
            let words = Words::of(format!(r#"{{"error":"bad {word}"}}"#).as_bytes());
            while let Some(less) = AUTO.next(dialect, 400, &words) {
                (dialect, steps) = (less, steps + 1);
            }
        }
        assert_eq!(steps, 6);
        assert_eq!(dialect.to_string(), "temperature none, token limit none, response format none");
    }
}
