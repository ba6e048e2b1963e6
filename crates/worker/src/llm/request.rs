//! A question as the body of a request. Pure.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::dialect::{Dialect, Format, Temperature, TokenField};
use crate::graph::Node;

/// One question to the model.
pub(super) struct Question {
    pub(super) node: Node,
    pub(super) system: String,
    /// What the customer and we wrote: data, never instructions.
    pub(super) document: String,
    pub(super) schema: Schema,
    pub(super) temperature: f64,
}

/// An object in which everything is required and nothing else allowed, as strict mode wants it. Its
/// properties keep their order: models fill them in one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Schema {
    pub(super) name: &'static str,
    pub(super) properties: Vec<(String, Value)>,
}

const MAX_ANSWER_TOKENS: u32 = 800;

impl Schema {
    /// The names of the properties, in order.
    pub(super) fn names(&self) -> Vec<&str> {
        self.properties
            .iter()
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

impl Question {
    /// Whether an answer may leave its first property out: a form may be empty.
    pub(super) fn takes_any(&self) -> bool {
        self.node == Node::Extraction
    }
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct InOrder<'a>(&'a [(String, Value)]);
        impl Serialize for InOrder<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
            }
        }
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("type", "object")?;
        map.serialize_entry("properties", &InOrder(&self.properties))?;
        map.serialize_entry("required", &self.names())?;
        map.serialize_entry("additionalProperties", &false)?;
        map.end()
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: [Message<'a>; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat<'a> {
    JsonSchema {
        json_schema: NamedSchema<'a>,
    },
    JsonObject {
        #[serde(skip_serializing_if = "Option::is_none")]
        schema: Option<&'a Schema>,
    },
}

#[derive(Serialize)]
struct NamedSchema<'a> {
    name: &'a str,
    strict: bool,
    schema: &'a Schema,
}

/// The body of a chat completion's request.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn body(
    model: &str,
    question: &Question,
    dialect: Dialect,
) -> serde_json::Result<Vec<u8>> {
    let schema = &question.schema;
    let limit = |field| (dialect.tokens == field).then_some(MAX_ANSWER_TOKENS);
    serde_json::to_vec(&Request {
        model,
        messages: [
            Message {
                role: "system",
                content: &question.system,
            },
            Message {
                role: "user",
                content: &question.document,
            },
        ],
        temperature: match dialect.temperature {
            Temperature::Usual => Some(question.temperature),
            Temperature::Fixed(number) => Some(number),
            Temperature::None => None,
        },
        max_completion_tokens: limit(TokenField::Completion),
        max_tokens: limit(TokenField::Plain),
        response_format: match dialect.format {
            Format::Schema => Some(ResponseFormat::JsonSchema {
                json_schema: NamedSchema {
                    name: schema.name,
                    strict: true,
                    schema,
                },
            }),
            Format::ObjectWithSchema => Some(ResponseFormat::JsonObject {
                schema: Some(schema),
            }),
            Format::Object => Some(ResponseFormat::JsonObject { schema: None }),
            Format::None => None,
        },
    })
}
