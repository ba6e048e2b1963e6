//! The client: one request for one answer, within time, with few retries.

use std::time::{Duration, Instant};

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::ReqwestService;
use async_openai::middleware::retry::SimpleRetryPolicy;
use async_openai::types::chat::{
    ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage,
    ChatCompletionRequestUserMessage, CreateChatCompletionRequest, FinishReason, ResponseFormat,
    ResponseFormatJsonSchema,
};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared_types::Slots;
use tokio::sync::Semaphore;
use tower::retry::Retry;

use super::answers::{
    ConversationAnswer, RouterAnswer, checked_slots, conversation_schema, extraction_schema,
    is_sendable, router_schema,
};
use super::breaker::Breaker;
use super::prompts;
use crate::config::ModelConfig;
use crate::dialogue::Plan;
use crate::domain::Domain;
use crate::graph::Node;
use crate::metrics::WorkerMetrics;
use crate::turn::Turn;

/// A language model behind an OpenAI-compatible endpoint.
pub struct Model {
    client: Client<OpenAIConfig>,
    name: String,
    timeout: Duration,
    permits: Semaphore,
    breaker: Breaker,
    tokens_a_day: u64,
    /// Of a million tokens: those of questions and those of answers.
    prices: (f64, f64),
    metrics: WorkerMetrics,
}

/// Why the rules have to do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It did not answer in time.
    #[error("the model was too slow")]
    Slow,
    /// It could not be reached or said that it failed.
    #[error("the model failed")]
    Failed,
    /// It failed too often; nobody asks for a while.
    #[error("the model is not asked for a while")]
    Open,
    /// Too many ask already.
    #[error("too many ask the model already")]
    Crowded,
    /// The contact's budget for today is used up.
    #[error("the contact's budget is used up")]
    Budget,
    /// The answer is cut off, refused, not in the schema, or may not be sent.
    #[error("the model's answer cannot be used")]
    Answer,
}

impl ModelError {
    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Failed => "failed",
            Self::Open => "open",
            Self::Crowded => "crowded",
            Self::Budget => "budget",
            Self::Answer => "answer",
        }
    }
}

/// One question.
struct Question<'a> {
    node: Node,
    system: String,
    document: Value,
    schema_name: &'a str,
    schema: Value,
    temperature: f32,
}

const MAX_ANSWER_TOKENS: u32 = 800;

impl Model {
    /// None when no model is configured.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(
        config: &ModelConfig,
        metrics: WorkerMetrics,
    ) -> Result<Option<Self>, reqwest::Error> {
        let Some(base) = &config.llm_base_url else {
            return Ok(None);
        };
        let key = config
            .llm_api_key
            .as_ref()
            .map_or("", |key| key.expose_secret());
        let settings = OpenAIConfig::new()
            .with_api_base(base.trim_end_matches('/'))
            .with_api_key(key);
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(2))
            .build()?;
        Ok(Some(Self {
            client: Client::with_config(settings)
                .with_http_service(with_retries(http, config.llm_retries)),
            name: config.llm_model.clone(),
            timeout: config.timeout(),
            permits: Semaphore::new(config.llm_concurrency),
            breaker: Breaker::default(),
            tokens_a_day: config.llm_tokens_per_contact_per_day,
            prices: (config.llm_prompt_price, config.llm_completion_price),
            metrics,
        }))
    }

    /// What the customer wants, with the tokens used.
    ///
    /// # Errors
    /// When the rules have to do it.
    pub async fn route(
        &self,
        domain: &Domain,
        turn: &Turn,
    ) -> Result<(RouterAnswer, u64), ModelError> {
        let question = Question {
            node: Node::Router,
            system: prompts::router(domain),
            document: prompts::messages(turn),
            schema_name: "router",
            schema: router_schema(domain),
            temperature: 0.0,
        };
        self.ask(turn, question).await
    }

    /// What the message tells, with the tokens used.
    ///
    /// # Errors
    /// When the rules have to do it.
    pub async fn extract(&self, domain: &Domain, turn: &Turn) -> Result<(Slots, u64), ModelError> {
        let question = Question {
            node: Node::Extraction,
            system: prompts::extraction(domain),
            document: prompts::messages(turn),
            schema_name: "extraction",
            schema: extraction_schema(domain),
            temperature: 0.0,
        };
        let (answer, tokens): (Map<String, Value>, u64) = self.ask(turn, question).await?;
        Ok((checked_slots(domain, &answer), tokens))
    }

    /// A draft in better words, with the tokens used.
    ///
    /// # Errors
    /// When the rules have to do it.
    pub async fn word(
        &self,
        domain: &Domain,
        turn: &Turn,
        plan: &Plan,
        draft: &str,
    ) -> Result<(ConversationAnswer, u64), ModelError> {
        let question = Question {
            node: Node::Conversation,
            system: prompts::conversation(domain, turn),
            document: prompts::draft(turn, plan, draft),
            schema_name: "conversation",
            schema: conversation_schema(),
            temperature: 0.4,
        };
        let (answer, tokens): (ConversationAnswer, u64) = self.ask(turn, question).await?;
        if is_sendable(domain, &answer.response_text) {
            Ok((answer, tokens))
        } else {
            Err(ModelError::Answer)
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        turn: &Turn,
        question: Question<'_>,
    ) -> Result<(T, u64), ModelError> {
        if turn.tokens_today() >= self.tokens_a_day {
            return Err(ModelError::Budget);
        }
        let _permit = self
            .permits
            .try_acquire()
            .map_err(|_| ModelError::Crowded)?;
        // Last: who is let through as the probe must ask.
        if !self.breaker.allows(Instant::now()) {
            return Err(ModelError::Open);
        }
        let node = question.node;
        let limit = turn.deadline.allows(self.timeout);
        let asked = tokio::time::timeout(limit, self.ask_once(question)).await;
        let answer = asked.unwrap_or(Err(ModelError::Slow));
        match &answer {
            Ok(_) => self.breaker.succeeded(),
            Err(ModelError::Answer) => {}
            Err(_) => self.breaker.failed(Instant::now()),
        }
        let (text, prompt, completion) = answer?;
        self.metrics.tokens(node, prompt, completion);
        self.metrics
            .cost(node, cost(self.prices, prompt, completion));
        let read = serde_json::from_str(&text).map_err(|_| ModelError::Answer)?;
        Ok((read, prompt + completion))
    }

    async fn ask_once(&self, question: Question<'_>) -> Result<(String, u64, u64), ModelError> {
        let response = self.client.chat().create(self.request(question)).await;
        let response = response.map_err(|error| match error {
            OpenAIError::JSONDeserialize(..) => ModelError::Answer,
            OpenAIError::Reqwest(error) if error.is_timeout() => ModelError::Slow,
            _ => ModelError::Failed,
        })?;
        let usage = response.usage.as_ref();
        let prompt = usage.map_or(0, |usage| u64::from(usage.prompt_tokens));
        let completion = usage.map_or(0, |usage| u64::from(usage.completion_tokens));
        let choice = response.choices.into_iter().next();
        let choice = choice.ok_or(ModelError::Answer)?;
        let is_whole = choice
            .finish_reason
            .is_none_or(|reason| reason == FinishReason::Stop);
        let is_willing = choice.message.refusal.is_none();
        let text = choice.message.content.filter(|_| is_whole && is_willing);
        text.map(|text| (text, prompt, completion))
            .ok_or(ModelError::Answer)
    }

    fn request(&self, question: Question<'_>) -> CreateChatCompletionRequest {
        let system = ChatCompletionRequestSystemMessage::from(question.system);
        let user = ChatCompletionRequestUserMessage::from(question.document.to_string());
        CreateChatCompletionRequest {
            model: self.name.clone(),
            messages: vec![
                ChatCompletionRequestMessage::System(system),
                ChatCompletionRequestMessage::User(user),
            ],
            temperature: Some(question.temperature),
            max_completion_tokens: Some(MAX_ANSWER_TOKENS),
            response_format: Some(ResponseFormat::JsonSchema {
                json_schema: ResponseFormatJsonSchema {
                    description: None,
                    name: question.schema_name.to_owned(),
                    schema: question.schema,
                    strict: Some(true),
                },
            }),
            ..CreateChatCompletionRequest::default()
        }
    }
}

/// The client's own policy: rate limits, server errors and failed connections, with its pauses. The
/// question's time bounds all of it.
fn with_retries(http: reqwest::Client, retries: u32) -> Retry<SimpleRetryPolicy, ReqwestService> {
    Retry::new(
        SimpleRetryPolicy::new(retries as usize),
        ReqwestService::new(http),
    )
}

/// In millionths: a price for a million tokens times a number of tokens.
fn cost((prompt_price, completion_price): (f64, f64), prompt: u64, completion: u64) -> u64 {
    (prompt_price * prompt as f64 + completion_price * completion as f64).round() as u64
}
