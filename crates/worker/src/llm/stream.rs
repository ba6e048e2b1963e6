//! The answer of a server that streams although nobody asked it to. Pure.

use serde_json::{Value, json};

/// Where the pieces of an answer stand.
const PIECES: [&str; 2] = ["content", "reasoning_content"];

/// The events of a stream as one chat completion, or the error that one of them is; none when the
/// text is no stream.
pub(super) fn gathered(text: &str) -> Option<Value> {
    let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let events = events.filter_map(|event| serde_json::from_str::<Value>(event.trim()).ok());
    let mut message: [String; 2] = Default::default();
    let mut usage = Value::Null;
    let mut is_stream = false;
    for event in events {
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return Some(event);
        }
        is_stream = true;
        let delta = event.pointer("/choices/0/delta");
        for (gathered, name) in message.iter_mut().zip(PIECES) {
            let piece = delta.and_then(|delta| delta.get(name)?.as_str());
            gathered.push_str(piece.unwrap_or_default());
        }
        usage = event
            .get("usage")
            .cloned()
            .filter(Value::is_object)
            .unwrap_or(usage);
    }
    let [content, reasoning] = message;
    let message = json!({ "content": content, "reasoning_content": reasoning });
    is_stream.then(|| json!({ "choices": [{ "message": message }], "usage": usage }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_stream_are_one_answer() {
        let text = ": ping\n\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n\
                    data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"a\\\"\"}}]}\n\n\
                    data:{\"choices\":[{\"delta\":{\"content\":\":1}\"}}],\"usage\":null}\r\n\r\n\
                    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\ndata: [DONE]\n\n";
        let answer = gathered(text).unwrap();
        assert_eq!(answer["choices"][0]["message"]["content"], "{\"a\":1}");
        assert_eq!(answer["usage"]["prompt_tokens"], 3);
        let error = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
        assert_eq!(gathered(error).unwrap()["error"]["message"], "overloaded");
        assert_eq!(gathered("<html>"), None);
    }
}
