//! The fields of the Redis hashes that one service writes and another one reads.

/// Of `conv:<conversation>`: what is kept for some days after the last message.
pub mod conversation {
    /// The version of the state; each commit adds one.
    pub const VERSION: &str = "ver";
    /// What the bot remembers, JSON of the worker's own.
    pub const MEMORY: &str = "memory";
    /// A colleague has the conversation until then, milliseconds since 1970; 0 for nobody.
    pub const HUMAN_UNTIL: &str = "human_until";
    /// The last word of a colleague: the id of its entry of the inbound stream. Turns that were begun
    /// without it do not commit, and what they said is not sent.
    pub const COLLEAGUE: &str = "colleague";
    /// When the customer wrote last, milliseconds since 1970.
    pub const LAST_INBOUND: &str = "last_in";
    /// Which address of ours the customer wrote to then.
    pub const LAST_INBOUND_TO: &str = "last_in_to";
    /// The telephone number of who wrote last, else their address: by it a person's conversations are
    /// found whose own keys do not name them.
    pub const SENDER: &str = "sender";
}

/// Of `contact:<conversation>`: what outlives a conversation's state.
pub mod contact {
    /// Since when no messages are wanted, milliseconds since 1970; not there when they are.
    pub const OPTED_OUT: &str = "opted_out";
    /// Whose the conversation is, in the worker's own words.
    pub const PERSON: &str = "person";
}

/// Of `mirror:<conversation>`: where a conversation is shown in a help desk.
pub mod mirror {
    /// The number of the conversation there.
    pub const DISPLAY: &str = "display";
    /// The status that it has there, as far as we set it or were told.
    pub const STATUS: &str = "status";
    /// 1 when we know that a colleague has it, and not only that one is wanted.
    pub const TAKEN: &str = "taken";
}

/// Of `sent:<outbound id>`: what egress knows of a send, and ingress asks before it takes a message for a
/// colleague's.
pub mod send {
    /// How far the send is: [`INTENT`], [`DOUBT`], `due`, `sent` or `failed`.
    pub const STATE: &str = "state";
    /// A request was begun, and its end is not written down yet.
    pub const INTENT: &str = "intent";
    /// Nobody knows whether the provider has it.
    pub const DOUBT: &str = "doubt";
    /// The provider has it.
    pub const SENT: &str = "sent";
    /// It was given up.
    pub const FAILED: &str = "failed";
    /// The provider's id of the message.
    pub const PROVIDER_ID: &str = "pid";
    /// What is sent, JSON of an `OutboundMessage`.
    pub const PAYLOAD: &str = "payload";
    /// How far its provider says that it got.
    pub const STATUS: &str = "status";
}
