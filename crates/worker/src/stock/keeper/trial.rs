//! Whether the feeds can be read at all, for the doctor.

use std::time::Duration;

use super::{Keeper, Read, ReadError, Version};

impl Keeper {
    /// Reads each feed once, within `limit`, and keeps nothing: how much is in it, or why nothing is.
    pub async fn try_out(&self, limit: Duration) -> Vec<(String, Result<String, String>)> {
        let limit = limit.min(self.config.timeout());
        let (unknown, mut tried) = (Version::default(), Vec::new());
        for feed in &self.config.stock {
            let open = self.open(&feed.name, &feed.value, &unknown);
            let read = tokio::time::timeout(limit, open).await;
            let read = match read.unwrap_or(Err(ReadError::Slow(limit.as_secs()))) {
                Ok(Read::Whole(import, _)) => Ok(format!(
                    "{} things, read as {}",
                    import.items.len(),
                    import.report.mapping
                )),
                Ok(Read::Unchanged) => Ok("it answers".to_owned()),
                Err(error) => Err(runtime::Chain(&error).to_string()),
            };
            tried.push((feed.name.clone(), read));
        }
        tried
    }
}
