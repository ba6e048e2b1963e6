//! Calls that are wanted while another one is under way leave together, as one script: under load a few
//! large requests instead of many small ones, and one that comes alone waits for nobody.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::script::Call;
use crate::{Partition, Redis};

/// The most calls in one request: Redis does nothing else meanwhile.
const MOST: usize = 32;

/// The calls of each partition, or of all where one script may touch several.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<HashMap<Option<Partition>, Lane>>);

/// There is one while a call is under way; those that wait for its end.
type Lane = Vec<Waiting>;

struct Waiting {
    call: Call,
    answer: oneshot::Sender<Answer>,
}

/// What a call brought; or the call itself, which is to be run alone.
type Answer = Result<Value, Call>;

/// How a call goes on its way.
pub(crate) enum Turn {
    /// At once; who waits behind it leaves when this is dropped.
    Now(Call, Underway),
    /// With others, later.
    Later(oneshot::Receiver<Answer>),
}

/// A call is under way in this lane.
pub(crate) struct Underway {
    redis: Redis,
    lane: Option<Partition>,
}

impl Lanes {
    fn lock(&self) -> MutexGuard<'_, HashMap<Option<Partition>, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Redis {
    /// Lines a call up.
    pub(crate) fn line_up(&self, lane: Option<Partition>, call: Call) -> Turn {
        let mut lanes = self.lanes().lock();
        if let Some(waiting) = lanes.get_mut(&lane) {
            let (answer, answered) = oneshot::channel();
            waiting.push(Waiting { call, answer });
            return Turn::Later(answered);
        }
        lanes.insert(lane, Lane::new());
        let redis = self.clone();
        Turn::Now(call, Underway { redis, lane })
    }
}

impl Underway {
    /// Those whose turn it is now; the lane is free when there are none.
    fn next(&self) -> Vec<Waiting> {
        let mut lanes = self.redis.lanes().lock();
        let Some(waiting) = lanes.get_mut(&self.lane) else {
            return Vec::new();
        };
        let later = waiting.split_off(waiting.len().min(MOST));
        let next = mem::replace(waiting, later);
        if next.is_empty() {
            lanes.remove(&self.lane);
        }
        next
    }
}

impl Drop for Underway {
    /// Also where the call was given up: nobody waits for ever. Without a runtime the process is ending.
    fn drop(&mut self) {
        let next = self.next();
        if next.is_empty() {
            return;
        }
        let behind = Self {
            redis: self.redis.clone(),
            lane: self.lane,
        };
        // Shutdown waits for those who wait for the answers.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(behind.send(next));
        }
    }
}

impl Underway {
    /// Runs several as one. One that fails, or the whole, is left to who wanted it.
    async fn send(self, calls: Vec<Waiting>) {
        let mut answers = Vec::new();
        if calls.len() > 1 {
            let whole = Call::together(calls.iter().map(|waiting| &waiting.call));
            if let Ok(Value::Array(each)) = self.redis.invoke(&whole).await {
                answers = each;
            }
        }
        let mut answers = answers.into_iter();
        for Waiting { call, answer } in calls {
            let answered = match answers.next() {
                None | Some(Value::Nil) => Err(call),
                Some(value) => Ok(value),
            };
            // Who does not want it any more has gone.
            let _gone = answer.send(answered);
        }
    }
}
