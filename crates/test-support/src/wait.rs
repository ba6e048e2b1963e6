use std::fmt::Debug;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Long enough for a loaded machine; a condition that holds ends the wait at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `check` gives a value, or panics with what it gave last.
///
/// # Panics
/// When the condition does not come true within half a minute.
pub async fn eventually<T, E: Debug>(check: impl AsyncFnMut() -> Result<T, E>) -> T {
    eventually_within(PATIENCE, check).await
}

/// [`eventually`] with another patience.
///
/// # Panics
/// When the condition does not come true in time.
pub async fn eventually_within<T, E: Debug>(
    patience: Duration,
    mut check: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        match check().await {
            Ok(value) => return value,
            Err(last) if Instant::now() > deadline => {
                panic!("not within {patience:?}; last seen: {last:?}")
            }
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}
