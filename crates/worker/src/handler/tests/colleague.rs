//! A colleague writes before, while and after a turn is taken.

use futures_util::future::FutureExt;
use shared_types::{ColleagueMessage, ControlEvent, ControlKind, HistoryLine, Role, Template};
use tokio::sync::OnceCell;

use super::*;

const CONVERSATION: &str = "whatsapp:+31612345678";

async fn colleague_writes(redis: &Redis) -> String {
    let message = ColleagueMessage {
        id: "SM8".parse().unwrap(),
        conversation_id: CONVERSATION.parse().unwrap(),
        source: Source::Twilio,
        to: Vec::new(),
        content: "Kom morgen om tien uur, de koffie staat klaar".into(),
        attachments: Vec::new(),
        by: Some("Anna".into()),
        mirrored: None,
        unsent: false,
        template: None,
        at: Timestamp::now(),
    };
    let entry = NewEntry::new(&message, "twilio:colleague:SM8", CONVERSATION).unwrap();
    let entry = NewEntry {
        fences: true,
        ..entry
    };
    take_in(redis, &entry).await
}

fn change(kind: ControlKind) -> ControlEvent {
    ControlEvent {
        conversation_id: CONVERSATION.parse().unwrap(),
        source: Source::Twilio,
        kind,
        by: None,
        changed_at: None,
        late: false,
        at: Timestamp::now(),
    }
}

async fn released(redis: &Redis) {
    changed(redis, "1", &change(ControlKind::Released)).await;
}

async fn changed(redis: &Redis, name: &str, event: &ControlEvent) {
    let name = format!("twilio:control:{name}");
    let entry = NewEntry::new(event, name, CONVERSATION).unwrap();
    take_in(redis, &entry).await;
}

/// An agent as it is, but that a colleague writes when the router begins for the first time.
struct Meanwhile {
    node: Node,
    agents: Arc<Agents>,
    redis: Redis,
    word: Arc<OnceCell<String>>,
}

impl Agent for Meanwhile {
    fn node(&self) -> Node {
        self.node
    }

    fn run<'a>(&'a self, turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>> {
        async {
            if self.node == Node::Router {
                self.word
                    .get_or_init(|| colleague_writes(&self.redis))
                    .await;
            }
            self.agents.get(self.node).unwrap().run(turn).await
        }
        .boxed()
    }
}

async fn all_done(redis: &Redis, handler: Inbound) {
    work(redis, handler, async || {
        match redis.backlog(Queue::Inbound, 0).await.unwrap().entries {
            0 => Ok(()),
            left => Err(format!("{left} entries left")),
        }
    })
    .await;
}

fn roles(server: &RedisServer) -> Vec<Role> {
    let history: Vec<String> = server.run(&["LRANGE", &format!("hist:{CONVERSATION}"), "0", "-1"]);
    let lines = history
        .iter()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.map(|line: HistoryLine| line.role).collect()
}

fn is_with_a_colleague(server: &RedisServer) -> bool {
    let until: String = server.run(&["HGET", &format!("conv:{CONVERSATION}"), "human_until"]);
    until != "0"
}

#[tokio::test]
async fn a_colleague_who_writes_while_the_agents_work_is_not_talked_over() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let mut handler = healthy(&redis, &mut metrics, Duration::ZERO);
    let word = Arc::new(OnceCell::new());
    let agents = std::mem::replace(&mut handler.turns.agents, Agents::of(Vec::new()));
    let agents = Arc::new(agents);
    let nodes = [
        Node::Router,
        Node::Extraction,
        Node::Conversation,
        Node::Crm,
    ];
    let meanwhile = nodes.map(|node| -> Box<dyn Agent> {
        Box::new(Meanwhile {
            node,
            agents: agents.clone(),
            redis: redis.clone(),
            word: word.clone(),
        })
    });
    handler.turns.agents = Agents::of(meanwhile.into());
    customer_writes(&redis).await;
    all_done(&redis, handler).await;
    assert!(word.initialized(), "the colleague wrote");
    assert_eq!(replies(&server), []);
    assert_eq!(roles(&server), [Role::Customer, Role::Colleague]);
    assert!(is_with_a_colleague(&server));
}

#[tokio::test]
async fn what_waits_when_a_colleague_writes_is_theirs_until_they_give_it_back() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let handler = healthy(&redis, &mut metrics, Duration::ZERO);
    customer_writes(&redis).await;
    let word = colleague_writes(&redis).await;
    writes(&redis, "SM2").await;
    all_done(&redis, handler).await;
    assert_eq!(replies(&server), []);
    let silent = [Role::Customer, Role::Colleague, Role::Customer];
    assert_eq!(roles(&server), silent);
    assert!(is_with_a_colleague(&server));

    released(&redis).await;
    writes(&redis, "SM3").await;
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let handler = healthy(&redis, &mut metrics, Duration::ZERO);
    all_done(&redis, handler).await;
    let replies = replies(&server);
    let [reply] = replies.as_slice() else {
        panic!("{replies:?}")
    };
    assert_eq!(reply.colleague_seen.as_ref(), Some(&word));
}

#[tokio::test]
async fn a_message_that_cannot_be_handled_says_nothing_after_a_colleague() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    customer_writes(&redis).await;
    colleague_writes(&redis).await;
    let stuck = stuck(&redis, &mut metrics);
    all_done(&redis, stuck).await;
    assert_eq!(replies(&server), []);
}

/// The help desk's events come in another order than it made the changes.
#[tokio::test]
async fn the_last_change_stands_whichever_event_came_last() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let handler = healthy(&redis, &mut metrics, Duration::ZERO);
    let at = |seconds: i64| Some(Timestamp::from_second(1_796_000_000 + seconds).unwrap());
    let made = |kind, seconds| ControlEvent {
        changed_at: at(seconds),
        ..change(kind)
    };
    changed(&redis, "1", &made(ControlKind::HumanTookOver, 1)).await;
    changed(&redis, "2", &made(ControlKind::Released, 3)).await;
    changed(&redis, "3", &made(ControlKind::HumanTookOver, 2)).await;
    all_done(&redis, handler).await;
    assert!(!is_with_a_colleague(&server));
    let handler = healthy(
        &redis,
        &mut Metrics::new("worker", "0").unwrap(),
        Duration::ZERO,
    );
    changed(&redis, "4", &made(ControlKind::HumanTookOver, 4)).await;
    all_done(&redis, handler).await;
    assert!(is_with_a_colleague(&server));
}

/// Found later in the help desk's list: what a colleague took since then is not given back by it.
#[tokio::test]
async fn a_release_that_was_found_late_ends_nothing_newer() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let handler = healthy(&redis, &mut metrics, Duration::ZERO);
    let ago = |minutes: i64| Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    let found = |kind, minutes| ControlEvent {
        late: true,
        at: ago(minutes),
        ..change(kind)
    };
    let taken = ControlEvent {
        at: ago(5),
        ..change(ControlKind::HumanTookOver)
    };
    changed(&redis, "1", &taken).await;
    changed(&redis, "2", &found(ControlKind::Resolved, 6)).await;
    all_done(&redis, handler).await;
    assert!(is_with_a_colleague(&server));
    let handler = healthy(
        &redis,
        &mut Metrics::new("worker", "0").unwrap(),
        Duration::ZERO,
    );
    changed(&redis, "3", &found(ControlKind::Resolved, 4)).await;
    all_done(&redis, handler).await;
    assert!(!is_with_a_colleague(&server));
}

/// The customer has not got it: it is sent once, and what the bot had to say is not.
#[tokio::test]
async fn what_a_colleague_writes_in_the_console_is_sent_and_the_bot_is_silent() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let handler = healthy(&redis, &mut metrics, Duration::ZERO);
    customer_writes(&redis).await;
    let template = Template {
        content_sid: "HX1".into(),
        variables: [("1".to_owned(), "Sanne".to_owned())].into(),
    };
    for conversation in [
        CONVERSATION,
        "waha:default:31687654321@c.us",
        "chatwoot:1:42",
    ] {
        let id = conversation.parse().unwrap();
        let answer = crm::desk::Answer {
            conversation: &id,
            text: " Kom morgen om tien uur ",
            template: Some(&template).filter(|_| conversation == CONVERSATION),
            by: "Anna",
            token: uuid::Uuid::from_u128(conversation.len() as u128),
        };
        assert!(crm::desk::answer(&redis, answer).await.unwrap());
        assert!(!crm::desk::answer(&redis, answer).await.unwrap(), "once");
    }
    all_done(&redis, handler).await;
    let replies = replies(&server);
    assert_eq!(replies.len(), 3, "{replies:?}");
    for reply in &replies {
        assert_eq!(reply.text, "Kom morgen om tien uur");
        assert_eq!(reply.purpose, Purpose::Colleague);
        assert_eq!(reply.conversation_id.source(), Some(reply.source));
    }
    let to = |source| replies.iter().find(|reply| reply.source == source).unwrap();
    assert_eq!(
        to(Source::Waha).endpoint.session.as_deref(),
        Some("default")
    );
    assert_eq!(to(Source::Chatwoot).endpoint.conversation_id, Some(42));
    assert_eq!(to(Source::Twilio).template, Some(template));
    assert_eq!(to(Source::Waha).template, None);
    assert_eq!(roles(&server), [Role::Customer, Role::Colleague]);
    assert!(is_with_a_colleague(&server));
}
