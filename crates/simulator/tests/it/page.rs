use serde_json::json;

use crate::support::Rig;

const FILES: [(&str, &str); 4] = [
    ("/", "text/html; charset=utf-8"),
    ("/page/style.css", "text/css; charset=utf-8"),
    ("/page/icon.svg", "image/svg+xml"),
    ("/page/app.js", "text/javascript; charset=utf-8"),
];

impl Rig {
    async fn page(&self, path: &str) -> String {
        let response = self.http.get(self.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    }
}

#[tokio::test]
async fn every_file_is_served_with_a_policy_that_runs_nothing_inline() {
    let rig = Rig::start();
    for (path, content_type) in FILES {
        let response = rig.http.get(rig.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), content_type);
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(policy.contains("style-src 'self';"), "{policy}");
        assert!(
            !policy.contains("unsafe") && !policy.contains("data:"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn the_page_needs_nothing_inline_and_nothing_from_elsewhere() {
    let rig = Rig::start();
    let html = rig.page("/").await;
    assert!(
        !html.contains("<style") && !html.contains("style="),
        "inline style"
    );
    let is_handler = |word: &str| word.starts_with("on") && word.contains('=');
    assert!(
        !html.contains("javascript:") && !html.split_whitespace().any(is_handler),
        "inline handler"
    );
    assert_eq!(html.matches("<script").count(), 1);
    assert!(html.contains(r#"<script type="module" src="/page/app.js"></script>"#));
    for (path, _) in FILES {
        let text = rig.page(path).await;
        let text = text
            .replace("http://www.w3.org/2000/svg", "")
            .replace(&rig.ingress.url, "");
        assert!(
            !text.contains("http://") && !text.contains("https://"),
            "{path}"
        );
        assert!(
            !text.contains("@import") && !text.contains("url("),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_script_reads_nothing_as_markup_but_the_page_itself() {
    let rig = Rig::start();
    let script = rig.page("/page/app.js").await;
    for word in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "setHTML",
        "srcdoc",
        "createContextualFragment",
    ] {
        assert!(!script.contains(word), "{word}");
    }
    assert_eq!(script.matches("DOMParser").count(), 1);
    assert!(script.contains("fetch(location.href"));
}

#[tokio::test]
async fn the_page_has_everything_before_any_script_runs() {
    let rig = Rig::start();
    let hostile = "</textarea></script><img src=x onerror=alert(1)>\"'";
    let message = json!({ "from": "+31612345678", "name": hostile, "text": hostile });
    rig.command("/simulator/messages", &message).await;
    let html = rig.page("/").await;
    assert!(
        !html.contains("<img src=x") && !html.contains("</script><"),
        "{html}"
    );
    assert!(html.matches("&#60;img src=x").count() >= 2, "{html}");
    for channel in ["Twilio", "WAHA", "Chatwoot"] {
        assert!(
            html.contains(&format!("class=\"channel\">{channel}<")),
            "{channel}"
        );
    }
    let faults = rig.page("/?panel=faults").await;
    assert!(faults.contains("Reset after accepting"), "{faults}");
}

impl Rig {
    /// Sends a form of the page; gives the status.
    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> u16 {
        let request = self.http.post(self.url(path)).form(fields);
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn forms_write_and_say_what_is_wrong() {
    let rig = Rig::start();
    let who = [
        ("provider", "chatwoot"),
        ("customer", "+31612345678"),
        ("name", "Jan"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&who[..], more].concat();
    let write = with(&[("text", "Hoi"), ("by", "customer")]);
    assert_eq!(rig.submit("/page/write", &write).await, 303);
    assert_eq!(
        rig.submit("/page/sample", &with(&[("sample", ":burst")]))
            .await,
        303
    );
    let hand = [("customer", "+31612345678"), ("status", "open")];
    assert_eq!(rig.submit("/page/hand", &hand).await, 303);
    let colleague = with(&[("text", "Hallo Jan"), ("by", "colleague")]);
    assert_eq!(rig.submit("/page/write", &colleague).await, 303);
    let html = rig.page("/").await;
    for shown in ["een Golf, max 15.000 euro", "Petra has it", "Hallo Jan"] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    let stranger = [("customer", "+31600000000"), ("status", "open")];
    assert_eq!(rig.submit("/page/hand", &stranger).await, 400);
    let order = [("service", "worker"), ("action", "kill")];
    assert_eq!(rig.submit("/page/services", &order).await, 400);
}

#[tokio::test]
async fn a_fault_of_the_panel_is_switched_on_and_off() {
    let rig = Rig::start();
    let flip = [("preset", "8"), ("provider", "twilio"), ("often", "once")];
    assert_eq!(rig.submit("/page/faults", &flip).await, 303);
    let faults = rig.ask("/simulator/faults").await;
    let rule = &faults["faults"][0];
    assert_eq!(rule["provider"], "twilio");
    assert_eq!(rule["fault"], json!({ "kind": "reset", "accept": false }));
    assert_eq!(rig.submit("/page/faults", &flip).await, 303);
    assert_eq!(rig.ask("/simulator/faults").await, json!({ "faults": [] }));
}

#[tokio::test]
async fn a_conversation_is_put_on_the_page_and_away() {
    let rig = Rig::start();
    let newcomer = [
        ("provider", "waha"),
        ("from", "whatsapp:+31699999999"),
        ("name", "Nieuw"),
    ];
    assert_eq!(rig.submit("/page/customers", &newcomer).await, 303);
    assert!(rig.page("/").await.contains("Nieuw"));
    let away = [("provider", "waha"), ("customer", "+31699999999")];
    assert_eq!(rig.submit("/page/away", &away).await, 303);
    assert!(!rig.page("/").await.contains("+31699999999"));
    let message = json!({ "provider": "waha", "from": "+31699999999", "text": "Hoi" });
    rig.command("/simulator/messages", &message).await;
    assert!(
        rig.page("/").await.contains("+31699999999"),
        "it comes back"
    );
}

#[tokio::test]
async fn hostile_text_leaves_as_json_that_no_browser_runs() {
    let rig = Rig::start();
    let hostile = "</script><img src=x onerror=alert(1)>";
    let message = json!({ "from": "+31612345678", "name": hostile, "text": hostile });
    rig.command("/simulator/messages", &message).await;
    for path in [
        "/simulator/conversations/%2B31612345678",
        "/simulator/conversations",
    ] {
        let response = rig.http.get(rig.url(path)).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        assert!(response.text().await.unwrap().contains("onerror"));
    }
}

#[tokio::test]
async fn unknown_paths_are_404_without_echo() {
    let rig = Rig::start();
    let response = rig.http.get(rig.url("/<script>")).send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"error":"unknown path"}"#
    );
}

#[tokio::test]
async fn health_is_told() {
    let rig = Rig::start();
    assert_eq!(rig.ask("/health/live").await, json!({ "status": "ok" }));
    assert_eq!(rig.ask("/health/ready").await, json!({ "status": "ok" }));
    let info = rig.ask("/simulator/info").await;
    assert_eq!(info["ingress_url"], rig.ingress.url);
    assert!(!info.to_string().contains("fake-"), "no secret is shown");
}
