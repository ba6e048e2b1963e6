use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::address;
use crate::colleague::{self, ColleagueMessage};
use crate::customer::{self, CustomerMessage, MessageResult};
use crate::delivery::DeliveryPlan;
use crate::faults::{FaultReport, FaultRule};
use crate::journal::{JournalStats, Query, Record};
use crate::llm::LlmRule;
use crate::server::Simulator;
use crate::waha::SessionStatus;
use crate::world::World;

/// A running simulator, for tests and programs in the same process: the commands of the JSON API as
/// methods.
#[derive(Debug)]
pub struct SimulatorHandle {
    world: Arc<World>,
    address: SocketAddr,
    running: JoinHandle<std::io::Result<()>>,
}

impl SimulatorHandle {
    pub(crate) fn new(
        world: Arc<World>,
        address: SocketAddr,
        running: JoinHandle<std::io::Result<()>>,
    ) -> Self {
        Self {
            world,
            address,
            running,
        }
    }

    /// Where it is reached: `http://host:port`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.world.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Posts a customer's message to the ingress as its provider would.
    ///
    /// # Errors
    ///
    /// One line about what is wrong with the message. That the ingress refused it is no error.
    pub async fn post(&self, message: CustomerMessage) -> Result<MessageResult, String> {
        customer::post(&self.world, message).await
    }

    /// Posts many, at most `concurrency` at a time; with 1 strictly one after another.
    pub async fn post_all(
        &self,
        messages: Vec<CustomerMessage>,
        concurrency: usize,
    ) -> Vec<Result<MessageResult, String>> {
        customer::post_all(&self.world, messages, concurrency).await
    }

    /// Writes to a customer as a colleague, past the services.
    ///
    /// # Errors
    ///
    /// One line about what is wrong with the message.
    pub async fn interject(&self, message: ColleagueMessage) -> Result<MessageResult, String> {
        colleague::write(&self.world, message).await
    }

    /// What the query asks for, oldest first. See [`Query::accepted_messages`].
    pub fn sent(&self, query: &Query) -> Vec<Record> {
        self.world.journal.oldest(query)
    }

    /// Waits until `count` messages to this customer (in any spelling) were accepted, or the time
    /// is over; gives what there is.
    pub async fn wait_for_sent(&self, to: &str, count: usize, timeout: Duration) -> Vec<Record> {
        let query = Query {
            to: Some(address::customer(to)),
            ..Query::accepted_messages()
        };
        self.wait(&query, count, timeout).await
    }

    /// Waits until `count` entries answer the query or the time is over; gives what there is.
    pub async fn wait(&self, query: &Query, count: usize, timeout: Duration) -> Vec<Record> {
        self.world.journal.wait(query, count, timeout).await
    }

    /// Everything between this customer and the services, both ways, oldest first.
    pub fn transcript(&self, customer: &str) -> Vec<Record> {
        self.world.journal.oldest(&Query {
            to: Some(address::customer(customer)),
            limit: Query::DEFAULT_LIMIT,
            ..Query::default()
        })
    }

    /// Orders a fault and gives its number.
    ///
    /// # Errors
    ///
    /// One line about what is wrong with the rule.
    pub fn add_fault(&self, rule: FaultRule) -> Result<u64, String> {
        rule.validate()?;
        Ok(self.world.faults.add(rule))
    }

    /// The faults in force, and what they have done.
    pub fn faults(&self) -> Vec<FaultReport> {
        self.world.faults.list()
    }

    /// Behaves well again.
    pub fn clear_faults(&self) {
        self.world.faults.clear();
    }

    /// Sets the usual course of delivery.
    ///
    /// # Errors
    ///
    /// One line about what is wrong with the plan.
    pub fn set_deliveries(&self, plan: DeliveryPlan) -> Result<(), String> {
        plan.validate()?;
        self.world.set_deliveries(plan);
        Ok(())
    }

    /// Scripts an answer of the language model.
    pub fn add_llm_rule(&self, rule: LlmRule) {
        self.world.llm.add(rule);
    }

    /// Sets the state of a WAHA session, without telling the ingress.
    pub fn set_waha_session(&self, session: &str, status: SessionStatus) {
        self.world.waha.set_session(session, status);
    }

    /// Counters per sender and endpoint.
    pub fn stats(&self) -> JournalStats {
        self.world.journal.stats()
    }

    /// Forgets everything that happened and every order to misbehave.
    pub fn reset(&self) {
        self.world.reset();
    }

    /// Waits until the simulator has stopped, which its token orders.
    ///
    /// # Errors
    ///
    /// When the server failed.
    pub async fn stopped(self) -> anyhow::Result<()> {
        Simulator::ended(&self.world, self.running).await
    }
}
