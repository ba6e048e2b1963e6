use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use simulator::{Order, Service};

/// Speaks with a running simulator over its JSON API.
#[derive(Debug, Clone)]
pub struct SimulatorClient {
    http: reqwest::Client,
    url: String,
}

/// A message that the fake provider accepted: a real customer would have got it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Arrival {
    /// The order of arrival.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The provider's id of the message.
    pub id: String,
    /// The outbound id, which egress put into the request.
    #[serde(default)]
    pub oid: Option<String>,
    /// The customer.
    pub customer: String,
    /// The text.
    pub text: String,
}

#[derive(Deserialize)]
struct Page<T> {
    entries: Vec<T>,
    last: u64,
}

impl SimulatorClient {
    /// `url` is the simulator's base URL.
    pub fn new(http: reqwest::Client, url: String) -> Self {
        Self { http, url }
    }

    /// Every accepted message, oldest first.
    pub async fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals_since(0).await
    }

    /// Accepted messages after number `since`, oldest first.
    pub async fn arrivals_since(&self, since: u64) -> Vec<Arrival> {
        let mut all = Vec::new();
        let mut since = since;
        loop {
            let path = format!("/simulator/sent?since={since}&limit=1000");
            let page: Page<Arrival> = self.get(&path).await;
            if page.entries.is_empty() {
                return all;
            }
            since = page.last;
            all.extend(page.entries);
        }
    }

    /// Lets a customer write, as the JSON of the simulator's README; gives its answer.
    pub async fn write(&self, message: Value) -> Value {
        self.post("/simulator/messages", &message).await
    }

    /// Lets many customers write at the same time; gives the answers in the messages' order.
    pub async fn write_at_once(&self, messages: &[Value], concurrency: usize) -> Vec<Value> {
        let path = format!("/simulator/messages?concurrency={concurrency}");
        let answers = self.post(&path, &Value::Array(messages.to_vec())).await;
        answers.as_array().cloned().unwrap_or_default()
    }

    /// Lets a colleague write past the services, as the JSON of the simulator's README; gives its answer.
    pub async fn interject(&self, message: Value) -> Value {
        self.post("/simulator/colleague", &message).await
    }

    /// The number of the customer's conversation in Chatwoot.
    pub async fn chatwoot_conversation(&self, customer: &str) -> Option<u64> {
        let customer = customer.replace('+', "%2B");
        let path = format!("/simulator/conversations/{customer}?provider=chatwoot");
        let transcript: Value = self.get(&path).await;
        transcript["chatwoot"]["id"].as_u64()
    }

    /// Orders a misbehaviour, as the JSON of the simulator's README.
    pub async fn misbehave(&self, fault: Value) {
        let _ids: Value = self.post("/simulator/faults", &fault).await;
    }

    /// Takes all misbehaviour back.
    pub async fn behave(&self) {
        let request = self.http.delete(format!("{}/simulator/faults", self.url));
        let answer = request.send().await.expect("the simulator answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// What customers wrote after number `since`, oldest first, as far as `T` wants to know it.
    pub async fn written_since<T: DeserializeOwned>(&self, since: u64) -> Vec<T> {
        let path = format!("/simulator/sent?endpoint=webhook&since={since}");
        let page: Page<T> = self.get(&path).await;
        page.entries
    }

    /// What happened to the message with this number; none when it is forgotten.
    pub async fn xray<T: DeserializeOwned>(&self, seq: u64) -> Option<T> {
        let request = self.http.get(format!("{}/simulator/xray/{seq}", self.url));
        let answer = request.send().await.expect("the simulator answers");
        answer.json().await.ok()
    }

    /// Tells the page which services can be restarted.
    pub async fn tell_services(&self, services: &[Service]) {
        let url = format!("{}/simulator/services", self.url);
        let answer = self.http.put(url).json(services).send().await;
        let answer = answer.expect("the simulator answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// What the page wants restarted, as soon as it wants something; none when it wants nothing for long.
    pub async fn next_order(&self) -> Option<Order> {
        #[derive(Deserialize)]
        struct Next {
            order: Option<Order>,
        }
        let next: Next = self.get("/simulator/services/orders").await;
        next.order
    }

    /// What is in Chatwoot's API inbox.
    pub async fn inbox(&self) -> Value {
        self.get("/simulator/chatwoot/inbox").await
    }

    /// Lets a colleague do something in that inbox: `write`, `hand` or `retry`, as the JSON of the
    /// simulator's README.
    pub async fn in_inbox(&self, what: &str, body: Value) {
        let url = format!("{}/simulator/chatwoot/inbox/{what}", self.url);
        let answer = self.http.post(url).json(&body).send().await;
        let answer = answer.expect("the simulator answers");
        assert!(answer.status().is_success(), "{body}: {}", answer.status());
    }

    /// Which statuses follow an accepted message, and how long after one another.
    pub async fn deliver(&self, statuses: &[&str], delay_ms: u64) {
        let plan = json!({ "statuses": statuses, "delay_ms": delay_ms });
        let request = self
            .http
            .put(format!("{}/simulator/deliveries", self.url))
            .json(&plan);
        let answer = request.send().await.expect("the simulator answers");
        assert!(answer.status().is_success(), "{plan}: {}", answer.status());
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        let answer = request.send().await.expect("the simulator answers");
        assert!(answer.status().is_success(), "{body}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let request = self.http.get(format!("{}{path}", self.url));
        let answer = request.send().await.expect("the simulator answers");
        answer.json().await.expect("JSON")
    }
}
