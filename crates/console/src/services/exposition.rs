//! Prometheus' text format, as far as the services write it. Pure.

/// The families that the console makes something of.
const WANTED: [&str; 30] = [
    "postduif_build_info",
    "webhook_requests_total",
    "webhook_signature_errors_total",
    "postduif_total_limit_alarms_total",
    "postduif_messages_total",
    "postduif_reconciled_messages_total",
    "postduif_reconcile_runs_total",
    "postduif_spool_entries",
    "postduif_ingress_observe_only",
    "postduif_waha_session_timelocked",
    "postduif_redis_errors_total",
    "postduif_redis_refused_total",
    "postduif_sends_total",
    "postduif_sends_refused_total",
    "postduif_senders_stopped",
    "postduif_sender_limit_per_minute",
    "postduif_pace_wait_seconds_count",
    "postduif_pace_wait_seconds_bucket",
    "postduif_unknown_outcomes_total",
    "postduif_answer_seconds_bucket",
    "postduif_turn_seconds_bucket",
    "postduif_turns_total",
    "postduif_agent_seconds_count",
    "postduif_model_fallbacks_total",
    "postduif_model_errors_total",
    "postduif_model_tokens_total",
    "postduif_crm_up",
    "postduif_notice_channels",
    "postduif_stock_feeds",
    "postduif_stock_age_seconds",
];

/// Series that are read of one page, at most.
const MOST: usize = 2_000;

/// What a number is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    /// The name of the metric.
    pub(crate) name: String,
    /// Names and values.
    pub(crate) labels: Vec<(String, String)>,
}

impl Series {
    /// The value of a label; empty without one.
    pub(crate) fn label(&self, name: &str) -> &str {
        let found = self.labels.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// The wanted series of a page. Lines that cannot be read are left out.
pub(crate) fn read(page: &str) -> Vec<(Series, f64)> {
    page.lines().filter_map(line).take(MOST).collect()
}

fn line(line: &str) -> Option<(Series, f64)> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at_checked(end)?;
    if !WANTED.contains(&name) {
        return None;
    }
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let value: f64 = value.split_whitespace().next()?.parse().ok()?;
    let name = name.to_owned();
    value
        .is_finite()
        .then_some((Series { name, labels }, value))
}

/// Names and values up to the brace that ends them, and what is behind it.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (value, behind) = quoted_text(quoted)?;
        labels.push((name.to_owned(), value));
        rest = behind;
    }
}

/// A text up to its quotation mark, and what is behind it.
fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_series_are_read_with_their_labels() {
        let page = "# HELP postduif_crm_up 1 while the CRM answers, else 0.\n\
                    # TYPE postduif_crm_up gauge\n\
                    postduif_crm_up 1\n\
                    process_cpu_seconds_total 4\n\
                    postduif_sends_total{outcome=\"sent\",source=\"twilio\"} 12\n\
                    postduif_pace_wait_seconds_bucket{sender=\"a\\\"b\\\\c\\nd}\",le=\"+Inf\"} 2 1700000000000\n\
                    postduif_crm_up NaN\n\
                    postduif_sends_total{outcome=\"sent\n\
                    postduif_sends_total\n";
        let read = read(page);
        let shown: Vec<_> = read
            .iter()
            .map(|(series, value)| (series.name.as_str(), series.labels.len(), *value))
            .collect();
        assert_eq!(
            shown,
            [
                ("postduif_crm_up", 0, 1.0),
                ("postduif_sends_total", 2, 12.0),
                ("postduif_pace_wait_seconds_bucket", 2, 2.0),
            ]
        );
        assert_eq!(read[1].0.label("source"), "twilio");
        assert_eq!(read[1].0.label("sender"), "");
        assert_eq!(read[2].0.label("sender"), "a\"b\\c\nd}");
    }

    #[test]
    fn no_page_is_too_long() {
        let page = "postduif_crm_up 1\n".repeat(MOST + 5);
        assert_eq!(read(&page).len(), MOST);
    }
}
