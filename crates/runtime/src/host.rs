/// A readable name of this machine or container, for Redis and logs. Uniqueness is not needed.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "host".to_owned()
    } else {
        name.chars().take(64).collect()
    }
}
