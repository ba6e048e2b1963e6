//! Tells open pages that something is new, so that they ask again.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Query};
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use shared_types::ConversationId;
use tokio::sync::OwnedSemaphorePermit;

use crate::service::State;

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Proxies close what is silent for long.
const LOOKS_IN_SILENCE: u32 = 7;

/// How often a page is asked for that shows everything.
const SECONDS_OF_ALL: i64 = 5;

/// What a page shows.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    /// A conversation; only lists without it.
    of: Option<String>,
    /// Everything, which always changes.
    #[serde(default)]
    of_all: bool,
}

/// A page that is kept fresh.
struct Listener {
    state: Data<State>,
    conversation: Option<ConversationId>,
    of_all: bool,
    known: Option<String>,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// What changes when something of the page does. What cannot be asked has not changed.
    async fn revision(&self) -> Option<String> {
        if self.of_all {
            let seconds = Timestamp::now().as_second();
            return Some((seconds / SECONDS_OF_ALL).to_string());
        }
        let desk = &self.state.desk;
        let lists = desk.crm.revision().await.ok()?;
        match &self.conversation {
            Some(id) => Some(format!("{lists} {}", desk.revision_of(id).await.ok()?)),
            None => Some(lists),
        }
    }

    /// The next line; none when the service ends.
    async fn next(&mut self) -> Option<Bytes> {
        for _ in 0..LOOKS_IN_SILENCE {
            let revision = self.revision().await;
            // Also the first time: what changed since the page was made would be told to nobody.
            if revision.is_some() && revision != self.known {
                self.known = revision;
                return Some(Bytes::from_static(b"event: news\ndata: \n\n"));
            }
            tokio::select! {
                () = self.state.stop.cancelled() => return None,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        Some(Bytes::from_static(b": \n\n"))
    }
}

/// The stream of events of a page.
pub(crate) async fn stream(state: Data<State>, shown: Query<Shown>) -> HttpResponse {
    let Ok(place) = state.listeners.clone().try_acquire_owned() else {
        // The page asks again when it is loaded.
        return HttpResponse::NoContent().finish();
    };
    let listener = Listener {
        of_all: shown.of_all,
        conversation: shown.of.as_deref().and_then(|id| id.parse().ok()),
        state,
        known: None,
        _place: place,
    };
    let lines = stream::unfold(listener, |mut listener| async move {
        let line = listener.next().await?;
        Some((Ok::<_, actix_web::Error>(line), listener))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("x-accel-buffering", "no"))
        .streaming(Box::pin(lines))
}
