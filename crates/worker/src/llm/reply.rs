//! Reads an answer of a chat completion: only the fields that are needed, of any type that can be
//! meant. Pure.

use serde_json::{Map, Value};

use super::stream::gathered;
use crate::openai::Words;

/// What a model said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    /// Where its answer may stand, the likeliest place first.
    pub(super) texts: Vec<String>,
    /// Tokens of the question and of the answer, where the server counts them.
    pub(super) usage: Option<(u64, u64)>,
}

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoReply {
    /// The body is not JSON, or not a completion.
    NotACompletion,
    /// An error with a status of success around it.
    Error { status: u16, words: Words },
    /// The model declines.
    Declined,
}

/// The longest text in which an answer is looked for, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// Reads a body.
pub(super) fn read(body: &[u8]) -> Result<Reply, NoReply> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    let value: Option<Value> = serde_json::from_str(text).ok();
    let value = value.or_else(|| gathered(text));
    let value = value.ok_or(NoReply::NotACompletion)?;
    let choices = value.get("choices").and_then(Value::as_array);
    let Some(choices) = choices.filter(|choices| !choices.is_empty()) else {
        return Err(error_in(&value));
    };
    let ends = |reason: &str| {
        let mut reasons = choices.iter().map(|choice| choice.get("finish_reason"));
        reasons.any(|given| given.and_then(Value::as_str) == Some(reason))
    };
    if ends("content_filter") {
        return Err(NoReply::Declined);
    }
    let messages = || {
        let message = |choice| Value::get(choice, "message").unwrap_or(choice);
        choices.iter().map(message)
    };
    let texts: Vec<String> = messages().flat_map(texts_of).collect();
    let declines = messages().any(|message| {
        let refusal = message.get("refusal").and_then(Value::as_str);
        refusal.is_some_and(|words| !words.is_empty())
    });
    if texts.is_empty() && declines {
        return Err(NoReply::Declined);
    }
    let count = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| number(value.get("usage")?.get(name)?))
    };
    let prompt = count(["prompt_tokens", "input_tokens"]);
    let completion = count(["completion_tokens", "output_tokens"]);
    Ok(Reply {
        texts,
        usage: prompt.map(|prompt| (prompt, completion.unwrap_or(0))),
    })
}

/// What a document says that has no answer.
fn error_in(value: &Value) -> NoReply {
    let words = Words::of_value(value);
    let has_choices = value.get("choices").is_some();
    let error = value.get("error").filter(|error| !error.is_null());
    if words.text.is_empty() || (has_choices && error.is_none()) {
        return NoReply::NotACompletion;
    }
    let code = error.and_then(|error| error.get("code")).and_then(number);
    NoReply::Error {
        status: code
            .and_then(|code| u16::try_from(code).ok())
            .unwrap_or(200),
        words,
    }
}

/// Where a message may have its answer.
fn texts_of(message: &Value) -> Vec<String> {
    const PLACES: [&str; 7] = [
        "/content",
        "/text",
        "/tool_calls/0/function/arguments",
        "/function_call/arguments",
        "/reasoning_content",
        "/reasoning",
        "/reasoning_details",
    ];
    let told = PLACES.iter().filter_map(|place| message.pointer(place));
    let itself = Some(message).filter(|message| message.is_string());
    told.chain(itself).filter_map(text_of).collect()
}

/// A text, the texts of its parts, or an object as it is.
fn text_of(content: &Value) -> Option<String> {
    let text = match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts
                .iter()
                .filter_map(|part| part.as_str().or(part.get("text")?.as_str()));
            texts.collect()
        }
        Value::Object(_) => content.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.trim().is_empty() && text.len() <= MAX_TEXT)
}

/// A count that may come as a float or a text.
fn number(value: &Value) -> Option<u64> {
    let float = value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())?;
    (0.0..1e12).contains(&float).then_some(float as u64)
}

/// The JSON object in the texts that has `key`: in a fence, behind thoughts, with prose around it, or
/// cut right after its end. Of several the last one: models repeat an example first.
pub(super) fn object_with(key: &str, texts: &[String]) -> Option<Map<String, Value>> {
    texts
        .iter()
        .find_map(|text| object_in(key, after_thoughts(text)).or_else(|| object_in(key, text)))
}

/// What follows a model's thoughts.
fn after_thoughts(text: &str) -> &str {
    let ends = ["</think>", "</thinking>", "</thought>", "</reasoning>"];
    let after = ends
        .iter()
        .filter_map(|end| text.rsplit_once(end))
        .map(|(_, after)| after);
    after.min_by_key(|after| after.len()).unwrap_or(text)
}

/// Any JSON object in the texts.
pub(super) fn any_object(texts: &[String]) -> Option<Map<String, Value>> {
    object_with("", texts)
}

fn object_in(key: &str, text: &str) -> Option<Map<String, Value>> {
    /// An answer with more braces than this is no answer.
    const MAX_TRIES: usize = 200;
    let unescaped: Option<String> = serde_json::from_str(text.trim()).ok();
    let text = unescaped.as_deref().unwrap_or(text);
    let mut found = None;
    let mut from = 0;
    for _ in 0..MAX_TRIES {
        let Some(start) = text
            .get(from..)
            .and_then(|rest| rest.find('{'))
            .map(|at| from + at)
        else {
            break;
        };
        let rest = text.get(start..).unwrap_or_default();
        let mut objects =
            serde_json::Deserializer::from_str(rest).into_iter::<Map<String, Value>>();
        match objects.next() {
            Some(Ok(object)) => {
                from = start + objects.byte_offset();
                found = Some(object)
                    .filter(|object| key.is_empty() || object.contains_key(key))
                    .or(found);
            }
            _ => from = start + 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn completion(message: &Value) -> Vec<u8> {
        json!({"choices": [{"message": message}]})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn an_answer_is_found_wherever_models_put_it() {
        let answer = r#"{"intent":"car_inquiry","confidence":0.9}"#;
        for content in [
            json!(answer),
            json!(format!("\n\n  {answer}\n\n")),
            json!(format!("```json\n{answer}\n```")),
            json!(format!("```\n{answer}")),
            json!(format!(
                "Sure! Here it is: {answer} Hope that helps {{smile}}."
            )),
            json!(format!(
                "<think>maybe {{\"intent\":\"greeting\"}}?</think>\n{answer}"
            )),
            json!(format!("Example: {{\"intent\":\"x\"}}\nAnswer: {answer}")),
            json!(format!("{answer}\n{{\"unfinished\":")),
            json!([{"type": "text", "text": answer}]),
            json!(serde_json::to_string(answer).unwrap()),
            serde_json::from_str(answer).unwrap(),
        ] {
            let reply = read(&completion(&json!({"content": content}))).unwrap();
            let found = object_with("intent", &reply.texts);
            assert_eq!(
                found.map(|found| found["intent"].clone()),
                Some(json!("car_inquiry")),
                "{content}"
            );
        }
        for message in [
            json!({"content": null, "reasoning_content": answer}),
            json!({"content": "", "reasoning": format!("So: {answer}")}),
            json!({"content": null, "tool_calls": [{"function": {"arguments": answer}}]}),
        ] {
            let reply = read(&completion(&message)).unwrap();
            assert!(object_with("intent", &reply.texts).is_some(), "{message}");
        }
    }

    #[test]
    fn what_is_no_answer_is_not_taken_for_one() {
        for content in [
            "",
            "Sure!",
            "{\"intent\": \"car_inq",
            "[1, 2]",
            "{\"other\": 1}",
        ] {
            let found = read(&completion(&json!({"content": content})));
            assert_eq!(
                object_with("intent", &found.unwrap().texts),
                None,
                "{content}"
            );
        }
        let deep = "{\"intent\":".repeat(10_000);
        assert_eq!(object_with("intent", &[deep]), None);
        let declined = completion(&json!({"content": null, "refusal": "I cannot"}));
        assert_eq!(read(&declined), Err(NoReply::Declined));
        assert_eq!(read(b"<html>"), Err(NoReply::NotACompletion));
        assert_eq!(read(b"{}"), Err(NoReply::NotACompletion));
    }

    #[test]
    fn only_what_is_needed_must_be_there() {
        let odd = json!({
            "id": null, "created": 1.5, "service_tier": "on_demand", "usage": {"prompt_tokens": 12.0, "completion_tokens": "7"},
            "choices": [{"finish_reason": "eos_token", "logprobs": [], "message": {"content": "{}", "annotations": [{"new": 1}]}}],
        });
        assert_eq!(
            read(odd.to_string().as_bytes()).unwrap().usage,
            Some((12, 7))
        );
        let bare = json!({"choices": [{"message": {"content": "{}"}}], "usage": {}});
        assert_eq!(read(bare.to_string().as_bytes()).unwrap().usage, None);
        let error = json!({"error": {"message": "No endpoints", "code": 404}, "choices": []});
        let Err(NoReply::Error { status, words }) = read(error.to_string().as_bytes()) else {
            panic!("no error")
        };
        assert_eq!((status, words.text.as_str()), (404, "No endpoints (404)"));
    }
}
