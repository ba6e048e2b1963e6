use serde_json::json;

use crate::support::Rig;

const FILES: [(&str, &str); 8] = [
    ("/", "text/html; charset=utf-8"),
    ("/page/style.css", "text/css; charset=utf-8"),
    ("/page/icon.svg", "image/svg+xml"),
    ("/page/app.js", "text/javascript; charset=utf-8"),
    ("/page/api.js", "text/javascript; charset=utf-8"),
    ("/page/chat.js", "text/javascript; charset=utf-8"),
    ("/page/dom.js", "text/javascript; charset=utf-8"),
    ("/page/faults.js", "text/javascript; charset=utf-8"),
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
        let text = rig
            .page(path)
            .await
            .replace("http://www.w3.org/2000/svg", "");
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
async fn scripts_never_read_text_as_markup_or_code() {
    let rig = Rig::start();
    for (path, _) in FILES.iter().filter(|(path, _)| path.ends_with(".js")) {
        let script = rig.page(path).await;
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setHTML",
            "DOMParser",
            "srcdoc",
            ".href",
            "createContextualFragment",
        ] {
            assert!(!script.contains(word), "{word} in {path}");
        }
    }
    let dom = rig.page("/page/dom.js").await;
    assert!(dom.contains("textContent = value"));
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
