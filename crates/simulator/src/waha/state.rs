use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::address;
use crate::journal::MessageStatus;

/// The library below WAHA. Answers differ in the shape of message ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Ids as objects with `_serialized`.
    #[default]
    Webjs,
    /// Ids as `key` objects.
    Noweb,
    /// Ids as strings.
    Gows,
}

impl Engine {
    /// The name in WAHA's own spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webjs => "WEBJS",
            Self::Noweb => "NOWEB",
            Self::Gows => "GOWS",
        }
    }

    /// A chat of the list of chats.
    pub(super) fn chat(self, customer: &str, second: i64) -> Value {
        let id = address::chat_id(customer);
        match self {
            Self::Webjs => json!({ "id": { "_serialized": id }, "timestamp": second }),
            Self::Noweb => json!({
                "id": id, "conversationTimestamp": { "low": second, "high": 0, "unsigned": true },
            }),
            Self::Gows => json!({ "id": id, "conversationTimestamp": second }),
        }
    }
}

/// State of a session. Only `WORKING` sends and receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionStatus {
    /// Not running.
    Stopped,
    /// Coming up.
    Starting,
    /// Waits for somebody to scan the code.
    ScanQrCode,
    /// Waits for a passkey.
    PasskeyRequired,
    /// Waits for a passkey to be confirmed.
    PasskeyConfirmationRequired,
    /// Connected.
    Working,
    /// Broken.
    Failed,
}

/// How far a message came, as WAHA counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ack {
    /// Could not be sent.
    Error,
    /// Waits on the phone.
    Pending,
    /// At WhatsApp.
    Server,
    /// At the customer.
    Device,
    /// Read.
    Read,
    /// Listened to.
    Played,
}

impl Ack {
    /// The number in events.
    pub fn number(self) -> i8 {
        match self {
            Self::Error => -1,
            Self::Pending => 0,
            Self::Server => 1,
            Self::Device => 2,
            Self::Read => 3,
            Self::Played => 4,
        }
    }

    /// The name in events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Pending => "PENDING",
            Self::Server => "SERVER",
            Self::Device => "DEVICE",
            Self::Read => "READ",
            Self::Played => "PLAYED",
        }
    }

    /// The status that it means.
    pub(crate) fn status(self) -> MessageStatus {
        match self {
            Self::Error => MessageStatus::Failed,
            Self::Pending => MessageStatus::Queued,
            Self::Server => MessageStatus::Sent,
            Self::Device => MessageStatus::Delivered,
            Self::Read | Self::Played => MessageStatus::Read,
        }
    }
}

/// The acknowledgement that tells a status, where there is one.
pub(crate) fn ack_of(status: MessageStatus) -> Option<Ack> {
    match status {
        MessageStatus::Failed | MessageStatus::Undelivered => Some(Ack::Error),
        MessageStatus::Queued => Some(Ack::Pending),
        MessageStatus::Sent => Some(Ack::Server),
        MessageStatus::Delivered => Some(Ack::Device),
        MessageStatus::Read => Some(Ack::Read),
        _ => None,
    }
}

/// What the played server knows: its sessions, who hides behind which LID, who is not on WhatsApp.
#[derive(Debug)]
pub(crate) struct WahaState {
    inner: Mutex<Inner>,
    first_session: String,
}

#[derive(Debug, Default)]
struct Inner {
    /// The last three statuses of each session, the current one last.
    sessions: HashMap<String, Vec<SessionStatus>>,
    /// Chat id of a phone number by LID; `None` for a number that nobody knows.
    lids: HashMap<String, Option<String>>,
    absent: HashSet<String>,
}

impl WahaState {
    /// How many statuses an event tells.
    const STATUSES: usize = 3;

    pub(crate) fn new(session: &str) -> Self {
        let state = Self {
            inner: Mutex::default(),
            first_session: session.to_owned(),
        };
        state.reset();
        state
    }

    pub(crate) fn reset(&self) {
        let mut inner = self.lock();
        *inner = Inner::default();
        inner
            .sessions
            .insert(self.first_session.clone(), vec![SessionStatus::Working]);
    }

    pub(crate) fn session(&self, name: &str) -> Option<SessionStatus> {
        self.lock().sessions.get(name)?.last().copied()
    }

    /// Each session by its name, as it is now.
    pub(crate) fn sessions(&self) -> BTreeMap<String, SessionStatus> {
        let inner = self.lock();
        let now = inner
            .sessions
            .iter()
            .filter_map(|(name, all)| Some((name.clone(), *all.last()?)));
        now.collect()
    }

    /// Sets the state of a session, which need not exist yet, and gives its last states.
    pub(crate) fn set_session(&self, name: &str, status: SessionStatus) -> Vec<SessionStatus> {
        let mut inner = self.lock();
        let statuses = inner.sessions.entry(name.to_owned()).or_default();
        statuses.push(status);
        let surplus = statuses.len().saturating_sub(Self::STATUSES);
        statuses.drain(..surplus);
        statuses.clone()
    }

    pub(crate) fn set_lid(&self, lid: &str, phone: Option<String>) {
        self.lock().lids.insert(lid.to_owned(), phone);
    }

    pub(crate) fn phone_of(&self, lid: &str) -> Option<String> {
        self.lock().lids.get(lid).cloned().flatten()
    }

    pub(crate) fn lid_of(&self, phone: &str) -> Option<String> {
        let inner = self.lock();
        let mut lids = inner.lids.iter();
        let (lid, _) = lids.find(|(_, known)| known.as_deref() == Some(phone))?;
        Some(lid.clone())
    }

    pub(crate) fn set_exists(&self, customer: String, exists: bool) {
        let mut inner = self.lock();
        if exists {
            inner.absent.remove(&customer);
        } else {
            inner.absent.insert(customer);
        }
    }

    pub(crate) fn exists(&self, customer: &str) -> bool {
        !self.lock().absent.contains(customer)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
