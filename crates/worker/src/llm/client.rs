//! The model: asked within what is left of the turn, with what its server takes.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use shared_types::Slots;
use tokio::sync::Semaphore;

use super::answers::{self, ConversationAnswer, RouterAnswer};
use super::breaker::Breaker;
use super::failure::{Failure, ModelError};
use super::faithful::{Given, is_faithful};
use super::health::Health;
use super::redact::Redaction;
use super::request::{Question, body};
use super::{prompts, reply, slots};
use crate::config::ModelConfig;
use crate::dialogue::Said;
use crate::domain::Domain;
use crate::graph::Node;
use crate::metrics::WorkerMetrics;
use crate::openai::Server;
use crate::turn::Turn;
use crate::understanding::Understander;

/// A language model behind an OpenAI-compatible endpoint.
pub struct Model {
    server: Server,
    name: String,
    limit: Duration,
    retries: u32,
    permits: Semaphore,
    breaker: Breaker,
    health: Health,
    tokens_a_day: u64,
    /// Of a million tokens: those of questions and those of answers.
    prices: (f64, f64),
    metrics: WorkerMetrics,
}

/// What came of a question.
#[derive(Debug)]
pub struct Asked<T> {
    /// The answer, or why the rules have to do it.
    pub answer: Result<T, ModelError>,
    /// Tokens that were used for it, also when it is of no use.
    pub tokens: u64,
}

impl<T> Asked<T> {
    /// The answer as another type; none when it cannot be used.
    fn read<U>(self, read: impl FnOnce(T) -> Option<U>) -> Asked<U> {
        Asked {
            answer: self
                .answer
                .and_then(|answer| read(answer).ok_or(ModelError::Answer)),
            tokens: self.tokens,
        }
    }
}

/// An answer as it came: the object, and the tokens of question and answer.
type Answered = (Result<Map<String, Value>, Failure>, (u64, u64));

const PATH: &str = "/chat/completions";
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A question in less time would only cost money.
const TOO_SHORT: Duration = Duration::from_millis(20);

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
        Ok(Some(Self {
            server: Server::new(base, config.llm_api_key.clone())?,
            name: config.llm_model.clone(),
            limit: config.timeout(),
            retries: config.llm_retries,
            permits: Semaphore::new(config.llm_concurrency),
            breaker: Breaker::default(),
            health: Health::new(config.dialect()),
            tokens_a_day: config.llm_tokens_per_contact_per_day,
            prices: (config.llm_prompt_price, config.llm_completion_price),
            metrics,
        }))
    }

    /// What the customer wants.
    pub async fn route(&self, domain: &Domain, turn: &Turn) -> Asked<RouterAnswer> {
        let redaction = Redaction::of(turn.message.sender.name.as_deref(), &domain.business);
        let document = prompts::messages(turn, &redaction);
        let asked = self.ask(turn, prompts::router(domain, &document)).await;
        asked.read(|answer| answers::router(domain, &answer))
    }

    /// What the message tells: the model's values beside the rules'.
    pub async fn extract(
        &self,
        domain: &Domain,
        rules: &Understander,
        turn: &Turn,
    ) -> Asked<Slots> {
        let redaction = Redaction::of(turn.message.sender.name.as_deref(), &domain.business);
        let document = prompts::messages(turn, &redaction);
        let asked = self.ask(turn, prompts::extraction(domain, &document)).await;
        asked.read(|answer| Some(slots::merged(domain, rules, &turn.reading, &answer)))
    }

    /// A draft in better words.
    pub async fn word(
        &self,
        domain: &Domain,
        rules: &Understander,
        turn: &Turn,
        said: &Said,
        draft: &str,
    ) -> Asked<ConversationAnswer> {
        let redaction = Redaction::of(turn.message.sender.name.as_deref(), &domain.business);
        let records = said.records();
        let document = prompts::draft(turn, said, draft, &redaction);
        let asked = self
            .ask(turn, prompts::conversation(domain, turn, &document))
            .await;
        let now = turn.now.to_zoned(domain.business.time_zone.clone());
        let given = Given {
            rules,
            replies: domain.replies_in(turn.lang()),
            draft,
            known: &prompts::known(domain, turn),
            records: (!records.is_empty()).then(|| prompts::in_words(&records)),
            now: &now,
        };
        asked.read(|answer| {
            let answer = answers::conversation(domain, &redaction, &answer)?;
            is_faithful(&given, &answer.response_text).then_some(answer)
        })
    }

    /// Asks once, with nobody's message, whether the model can be used: finds out what its server
    /// takes before a customer waits for it. Gives what it takes.
    ///
    /// # Errors
    /// Why it cannot be used, for an operator.
    pub async fn try_out(&self, domain: &Domain, limit: Duration) -> Result<String, String> {
        let document = prompts::sample();
        let (answer, _) = self
            .ask_within(&prompts::router(domain, &document), limit)
            .await;
        match answer.map(|answer| answers::router(domain, &answer)) {
            Ok(Some(_)) => Ok(self.health.dialect().to_string()),
            Ok(None) => Err("it answers, but with none of the domain's intents".into()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    async fn ask(&self, turn: &Turn, question: Question) -> Asked<Map<String, Value>> {
        let limit = turn.deadline.allows(self.limit);
        let refused = |error| Asked {
            answer: Err(error),
            tokens: 0,
        };
        if turn.tokens_today() >= self.tokens_a_day {
            return refused(ModelError::Budget);
        }
        if limit < TOO_SHORT {
            return refused(ModelError::Slow);
        }
        let Ok(_permit) = self.permits.try_acquire() else {
            return refused(ModelError::Crowded);
        };
        // Last: who is let through as the probe must ask.
        if !self.breaker.allows(Instant::now()) {
            return refused(ModelError::Open);
        }
        let (answer, (prompt, completion)) = self.ask_within(&question, limit).await;
        let node = question.node;
        self.metrics.tokens(node, prompt, completion);
        self.metrics
            .cost(node, cost(self.prices, prompt, completion));
        self.note(node, &question.document, &answer.as_ref().map(|_| ()));
        Asked {
            answer: answer.map_err(|failure| failure.error()),
            tokens: prompt + completion,
        }
    }

    /// Counts an outcome, tells the breaker, and logs what is new about it.
    fn note(&self, node: Node, asked: &str, outcome: &Result<(), &Failure>) {
        match outcome {
            Ok(()) | Err(Failure::Useless) => self.breaker.succeeded(),
            Err(failure) => {
                self.breaker.failed(Instant::now());
                self.metrics.model_failed(node, &failure.status());
            }
        }
        self.health.note(&self.name, asked, outcome);
    }

    async fn ask_within(&self, question: &Question, limit: Duration) -> Answered {
        let ends = Instant::now() + limit;
        let asked = tokio::time::timeout(limit, self.ask_again(question, ends)).await;
        // Nobody knows what a late answer costs; its question is paid for.
        let late = || {
            (
                Err(Failure::Slow),
                (estimate(question.system.len() + question.document.len()), 0),
            )
        };
        asked.unwrap_or_else(|_| late())
    }

    /// Asks until there is an answer or no sense in asking. Never pauses beyond `ends`.
    async fn ask_again(&self, question: &Question, ends: Instant) -> Answered {
        let mut retries = 0;
        loop {
            let dialect = self.health.dialect();
            let Ok(request) = body(&self.name, question, dialect) else {
                return (Err(Failure::Useless), (0, 0));
            };
            let sent = request.len();
            let failure = match self
                .server
                .post_json(PATH, request)
                .await
                .map(|body| reply::read(&body))
            {
                Ok(Ok(reply)) => {
                    let said = reply.texts.iter().map(String::len).max().unwrap_or(0);
                    let used = reply.usage.unwrap_or((estimate(sent), estimate(said)));
                    let key = question.schema.names().first().copied().unwrap_or_default();
                    let found = reply::object_with(key, &reply.texts);
                    // An extraction may leave out what it did not find.
                    let form = question
                        .takes_any()
                        .then(|| reply::any_object(&reply.texts))
                        .flatten();
                    return (found.or(form).ok_or(Failure::Useless), used);
                }
                Ok(Err(none)) => Failure::of_reply(none),
                Err(error) => Failure::of_call(error),
            };
            if let Failure::Declined = failure {
                return (Err(Failure::Useless), (estimate(sent), 0));
            }
            if let Failure::Refused { status, words, .. } = &failure
                && self.health.adapts(&self.name, dialect, *status, words)
            {
                continue;
            }
            let pause = failure
                .retry_after()
                .unwrap_or(FIRST_PAUSE * 2u32.pow(retries.min(8)));
            let too_late = Instant::now() + pause >= ends;
            if retries >= self.retries || !failure.may_pass() || too_late {
                return (Err(failure), (0, 0));
            }
            tokio::time::sleep(pause).await;
            retries += 1;
        }
    }
}

/// About how many tokens a text has, where the server does not say.
const fn estimate(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

/// In millionths: a price for a million tokens times a number of tokens.
fn cost((prompt_price, completion_price): (f64, f64), prompt: u64, completion: u64) -> u64 {
    (prompt_price * prompt as f64 + completion_price * completion as f64).round() as u64
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use jiff::Timestamp;
    use runtime::metrics::Metrics;

    use super::*;
    use crate::budget::Deadline;
    use crate::dialogue::State;
    use crate::turn::Beginning;
    use crate::understanding::Understanding;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        model: ModelConfig,
    }

    fn turn(domain: &Domain) -> Turn {
        let message = serde_json::json!({
            "id": "SM1", "conversation": {"id": "whatsapp:+31612345678"},
            "sender": {"id": "whatsapp:+31612345678"}, "content": "Hallo",
            "message_type": "incoming", "channel": "whatsapp", "source": "twilio",
        });
        let begun = Beginning {
            message: serde_json::from_value(message).unwrap(),
            withheld: false,
            history: Vec::new(),
            memory: State::default(),
            colleague: Default::default(),
            reading: Understanding::default(),
            acts: Vec::new(),
        };
        let deadline = Deadline::after(Duration::from_secs(10));
        Turn::new(domain, begun, Timestamp::now(), deadline)
    }

    #[tokio::test]
    async fn a_question_that_finds_no_place_does_not_use_the_probe_up() {
        runtime::install_tls();
        let words = [
            "test",
            "--llm-base-url",
            "http://127.0.0.1:9/v1",
            "--llm-concurrency",
            "1",
        ];
        let metrics = WorkerMetrics::new(&mut Metrics::new("worker", "0").unwrap()).unwrap();
        let model = Model::new(&Cli::parse_from(words).model, metrics);
        let model = model.unwrap().unwrap();
        let domain = Domain::embedded().unwrap();
        let turn = turn(&domain);
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        for _ in 0..10 {
            model.breaker.failed(long_ago);
        }
        let only_place = model.permits.try_acquire().unwrap();
        let crowded = model.route(&domain, &turn).await.answer;
        assert!(matches!(crowded, Err(ModelError::Crowded)), "{crowded:?}");
        drop(only_place);
        let probe = model.route(&domain, &turn).await.answer;
        assert!(
            !matches!(probe, Err(ModelError::Open)),
            "it is asked at once: {probe:?}"
        );
        let next = model.route(&domain, &turn).await.answer;
        assert!(matches!(next, Err(ModelError::Open)), "{next:?}");
    }
}
