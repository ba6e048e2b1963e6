//! What a server says went wrong. Pure.

use std::collections::HashSet;
use std::fmt;

use serde_json::Value;

/// A server's words about an error. They may repeat what was asked: see [`Words::without`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// What it says, in one line.
    pub(crate) text: String,
    /// The parameter that it names.
    pub(crate) param: Option<String>,
}

const MAX_CHARS: usize = 300;

impl Words {
    /// The words in an error's body: `{"error": {"message": …}}`, `{"error": "…"}`,
    /// `{"detail": "…"}`, `{"detail": [{"loc": […], "msg": …}]}`, `{"message": …}`, or a line of
    /// text. What is no JSON and long is a page for a browser, and left out.
    pub(crate) fn of(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        match serde_json::from_str::<Value>(text.trim()) {
            Ok(value) => Self::of_value(&value),
            Err(_) if text.len() <= MAX_CHARS && !text.contains('<') => Self::line(&text),
            Err(_) => Self::default(),
        }
    }

    /// The words in an error's document.
    pub(crate) fn of_value(value: &Value) -> Self {
        // Google's endpoint puts its errors into a list.
        let value = value
            .get(0)
            .filter(|first| first.is_object())
            .unwrap_or(value);
        let error = value.get("error").unwrap_or(value);
        let said = [
            Some(error),
            error.get("message"),
            error.get("detail"),
            value.get("detail"),
        ];
        let text = said
            .into_iter()
            .flatten()
            .find_map(spoken)
            .unwrap_or_default();
        let name = |key: &str| {
            let name = error.get(key)?;
            let name = name
                .as_str()
                .map_or_else(|| name.to_string(), str::to_owned);
            Some(name).filter(|name| name != "null" && !name.is_empty())
        };
        let param = name("param").filter(|param| param != "None");
        let marks: Vec<String> = ["type", "code", "param"]
            .iter()
            .filter_map(|key| name(key))
            .collect();
        let marks = marks.join(", ");
        let mut words = match (text.is_empty(), marks.is_empty()) {
            (_, true) => Self::line(&text),
            (true, false) => Self::line(&marks),
            (false, false) => Self::line(&format!("{text} ({marks})")),
        };
        words.param = param;
        words
    }

    fn line(text: &str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        Self {
            text: line
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_CHARS)
                .collect(),
            param: None,
        }
    }

    /// The same for a log: words that also stand in what was asked may be a customer's.
    pub(crate) fn without(&self, asked: &str) -> Self {
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_alphanumeric());
            words
                .filter(|word| !word.is_empty())
                .map(str::to_lowercase)
                .collect()
        };
        let asked: HashSet<String> = words(asked).into_iter().collect();
        let shown = self.text.split(' ').map(|part| {
            let repeats = words(part).iter().any(|word| {
                asked.contains(word)
                    && (word.chars().count() >= 4 || word.contains(char::is_numeric))
            });
            if repeats { "[…]" } else { part }
        });
        Self {
            text: shown.collect::<Vec<_>>().join(" "),
            param: self.param.clone(),
        }
    }
}

/// A text, or what a list of mistakes in a request says. Never their `input`: it is the request.
fn spoken(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(mistakes) => {
            let said = mistakes.iter().filter_map(|mistake| {
                let place = mistake.get("loc").and_then(Value::as_array).map(|parts| {
                    let part = |part: &Value| {
                        part.as_str()
                            .map_or_else(|| part.to_string(), str::to_owned)
                    };
                    parts.iter().map(part).collect::<Vec<_>>().join(".")
                });
                let said = mistake.get("msg").or(mistake.get("message"))?.as_str()?;
                Some(place.map_or_else(|| said.to_owned(), |place| format!("{place}: {said}")))
            });
            Some(said.collect::<Vec<_>>().join("; ")).filter(|said| !said.is_empty())
        }
        _ => None,
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_an_error_has_words() {
        for (body, text) in [
            (
                r#"{"error":{"message":"No such model","code":404}}"#,
                "No such model (404)",
            ),
            (
                r#"{"error":{"message":"Bad","type":"invalid","param":"temperature","code":null}}"#,
                "Bad (invalid, temperature)",
            ),
            (r#"{"error":"overloaded"}"#, "overloaded"),
            (r#"{"detail":"Unknown model"}"#, "Unknown model"),
            (
                r#"{"detail":[{"loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted","input":800}]}"#,
                "body.max_completion_tokens: Extra inputs are not permitted",
            ),
            (
                r#"{"object":"error","message":"gone","code":40401}"#,
                "gone (40401)",
            ),
            (
                r#"[{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}]"#,
                "models/x is not found (404)",
            ),
            ("404 page not found\n", "404 page not found"),
            ("<html><body>Bad gateway</body></html>", ""),
            ("", ""),
        ] {
            assert_eq!(Words::of(body.as_bytes()).text, text, "{body}");
        }
    }

    #[test]
    fn what_was_asked_is_not_repeated_in_a_log() {
        let words = Words::of(br#"{"error":"cannot parse 'Ik heet Jansen, bel 0612'"}"#);
        let shown = words
            .without("{\"last_message\":\"Ik heet Jansen, bel 0612\"}")
            .text;
        assert_eq!(shown, "cannot parse 'Ik […] […] bel […]");
    }
}
