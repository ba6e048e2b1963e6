/// Makes one TLS implementation the process's own. Once, in `main`, before any connection.
pub fn install_tls() {
    // It fails only when another one is installed already, which does as well.
    drop(rustls::crypto::ring::default_provider().install_default());
}
