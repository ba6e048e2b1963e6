//! Settings of Redis that contradict each other, and the files that they name.

use std::path::PathBuf;

use redis::{ClientTlsConfig, TlsCertificates};
use secrecy::ExposeSecret;

use super::{RedisConfig, RedisConfigError};

impl RedisConfig {
    /// What would silently win over something else that was set.
    pub(super) fn contradiction(&self) -> Option<RedisConfigError> {
        let sentinels = !self.redis_sentinels.is_empty();
        let cluster = !self.redis_cluster_nodes.is_empty();
        let url = self.redis_url.as_ref().map(|url| url.expose_secret());
        let login = self.redis_username.is_some() || self.redis_password.is_some();
        let plain = url.is_some_and(|url| url.starts_with("redis:"));
        let sentinel_login =
            self.redis_sentinel_username.is_some() || self.redis_sentinel_password.is_some();
        let files = self.redis_tls_ca_file.is_some() || self.redis_tls_cert_file.is_some();
        let tls = self.redis_tls || url.is_some_and(|url| url.starts_with("rediss:"));
        let one = "name Redis in one way";
        let rules = [
            (
                sentinels && cluster,
                "REDIS_SENTINELS",
                "REDIS_CLUSTER_NODES",
                one,
            ),
            (
                sentinels && url.is_some(),
                "REDIS_SENTINELS",
                "REDIS_URL",
                one,
            ),
            (
                cluster && url.is_some(),
                "REDIS_CLUSTER_NODES",
                "REDIS_URL",
                one,
            ),
            (
                login && url.is_some(),
                "REDIS_USERNAME or REDIS_PASSWORD",
                "REDIS_URL",
                "put them into the URL",
            ),
            (
                self.redis_tls && plain,
                "REDIS_TLS",
                "a REDIS_URL of redis://",
                "TLS is rediss://",
            ),
            (
                sentinel_login && !sentinels,
                "REDIS_SENTINEL_USERNAME or REDIS_SENTINEL_PASSWORD",
                "no REDIS_SENTINELS",
                "they are for Sentinels",
            ),
            (
                files && !tls,
                "REDIS_TLS_CA_FILE or REDIS_TLS_CERT_FILE",
                "no TLS",
                "set REDIS_TLS, or rediss:// in REDIS_URL",
            ),
        ];
        let found = rules.into_iter().find(|(holds, ..)| *holds);
        found.map(|(_, first, second, why)| RedisConfigError::Contradiction(first, second, why))
    }

    /// The certificates that TLS is done with; none where the machine's are trusted.
    pub(crate) fn certificates(&self) -> Result<Option<TlsCertificates>, RedisConfigError> {
        let read = |file: &Option<PathBuf>, variable| match file {
            Some(path) => match std::fs::read(path) {
                Ok(pem) if pem.starts_with(b"-----BEGIN") => Ok(Some(pem)),
                Ok(_) => Err(RedisConfigError::File {
                    variable,
                    why: "is no PEM file".into(),
                }),
                Err(error) => Err(RedisConfigError::File {
                    variable,
                    why: error.to_string(),
                }),
            },
            None => Ok(None),
        };
        let root_cert = read(&self.redis_tls_ca_file, "REDIS_TLS_CA_FILE")?;
        let certificate = read(&self.redis_tls_cert_file, "REDIS_TLS_CERT_FILE")?;
        let key = read(&self.redis_tls_key_file, "REDIS_TLS_KEY_FILE")?;
        let client_tls = certificate.zip(key);
        let client_tls = client_tls.map(|(client_cert, client_key)| ClientTlsConfig {
            client_cert,
            client_key,
        });
        let any = root_cert.is_some() || client_tls.is_some();
        Ok(any.then_some(TlsCertificates {
            client_tls,
            root_cert,
        }))
    }
}
