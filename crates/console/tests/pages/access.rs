//! Who gets in, and who does not.

use futures_util::future::join_all;
use reqwest::header::{COOKIE, HOST, LOCATION, ORIGIN, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};

use crate::support::{PASSWORD, Rig};

const PAGES: [&str; 9] = [
    "/",
    "/conversations",
    "/leads",
    "/appointments",
    "/notices",
    "/letters",
    "/understanding",
    "/overview",
    "/acts",
];

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_anything_without_the_password() {
    let rig = Rig::start().await;
    let stranger = rig.stranger();
    for path in PAGES.iter().chain(&["/leads.csv", "/events", "/nothing"]) {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        let to = answer.headers()[LOCATION].to_str().unwrap();
        assert!(to.starts_with("/login?next=%2F"), "{path}: {to}");
    }
    assert_eq!(
        stranger.get("/api/v1/waiting").await.status(),
        StatusCode::UNAUTHORIZED
    );
    let wrong = [("name", "Anna"), ("password", "wrong"), ("next", "/")];
    assert_eq!(
        stranger.post("/login", &wrong).await.status(),
        StatusCode::UNAUTHORIZED
    );
    let anna = rig.operator("Anna").await;
    for path in PAGES {
        anna.page(path).await;
    }
    let acts = anna.page("/acts").await;
    assert!(acts.contains("login") && acts.contains("Anna"), "{acts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_is_stopped() {
    let rig = Rig::start().await;
    let stranger = rig.stranger();
    let wrong = [("name", "Anna"), ("password", "guess"), ("next", "/")];
    for _ in 0..5 {
        assert_eq!(
            stranger.post("/login", &wrong).await.status(),
            StatusCode::UNAUTHORIZED
        );
    }
    let right = [("name", "Anna"), ("password", PASSWORD), ("next", "/")];
    let answer = stranger.post("/login", &right).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key(RETRY_AFTER));
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_that_come_together_do_not_pass_the_limit() {
    let rig = Rig::start().await;
    let stranger = rig.stranger();
    let wrong = [("name", "Anna"), ("password", "guess"), ("next", "/")];
    let answers = join_all((0..20).map(|_| stranger.post("/login", &wrong))).await;
    let is_tried = |answer: &&Response| answer.status() == StatusCode::UNAUTHORIZED;
    assert_eq!(answers.iter().filter(is_tried).count(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_its_own_logout_and_by_anothers_hand() {
    let rig = Rig::start().await;
    let (anna, bram) = (rig.operator("Anna").await, rig.operator("Bram").await);
    assert_eq!(anna.submit("/logout", &[]).await, "/login");
    assert_eq!(anna.get("/").await.status(), StatusCode::SEE_OTHER);
    let sessions = rig.crm.sessions(jiff::Timestamp::now()).await.unwrap();
    assert_eq!(sessions.len(), 1);
    // An empty id ends nobody.
    bram.submit("/sessions/end", &[("id", "")]).await;
    bram.page("/").await;
    let acts = rig.crm.acts(10).await.unwrap();
    assert!(
        acts.iter()
            .any(|act| act.act == "logout" && act.by == "Anna")
    );
    bram.submit("/sessions/end", &[("id", &sessions[0].id)])
        .await;
    assert_eq!(bram.get("/").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_every_session() {
    let mut rig = Rig::start().await;
    let cookie = rig.operator("Anna").await.cookie;
    let status = async |rig: &Rig, cookie: &Option<String>| {
        let request = rig.request(Method::GET, "/");
        let request = request.header(COOKIE, cookie.clone().unwrap());
        request.send().await.unwrap().status()
    };
    assert_eq!(status(&rig, &cookie).await, StatusCode::OK);
    let (flag, hash) = ("--console-password-hash", console::hash(PASSWORD).unwrap());
    rig.restart_with(flag, &hash).await;
    assert_eq!(status(&rig, &cookie).await, StatusCode::SEE_OTHER);
    let sessions = rig.crm.sessions(jiff::Timestamp::now()).await.unwrap();
    assert!(sessions.is_empty(), "{sessions:?}");
    let cookie = rig.operator("Anna").await.cookie;
    // The same hash, as other programs write it, is the same password.
    let others = format!("${}", hash.replace(':', "$"));
    rig.restart_with(flag, &others).await;
    assert_eq!(status(&rig, &cookie).await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_change_nothing() {
    let rig = Rig::start().await;
    let anna = rig.operator("Anna").await;
    let cookie = anna.cookie.clone().unwrap();
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        (ORIGIN.as_str(), "http://evil.test"),
        (ORIGIN.as_str(), "null"),
    ] {
        let request = rig
            .request(Method::POST, "/notices/test")
            .header(COOKIE, &cookie);
        let answer = request.header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let silent = rig
        .request(Method::POST, "/notices/test")
        .header(COOKIE, &cookie);
    assert_eq!(silent.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert!(
        rig.crm
            .attempts(false, None, 10)
            .await
            .unwrap()
            .0
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_this_machine_nobody_logs_in_and_no_other_name_leads_there() {
    let rig = Rig::start_with(&[]).await;
    rig.stranger().page("/").await;
    let request = rig.request(Method::GET, "/").header(HOST, "evil.test");
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    let request = rig.request(Method::GET, "/");
    let proxied = request.header("x-forwarded-for", "192.0.2.1");
    assert_eq!(
        proxied.send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_lets_browsers_run_nothing_but_the_own_script() {
    let rig = Rig::start().await;
    let anna = rig.operator("Anna").await;
    let files = ["/style.css", "/app.js", "/icon.svg", "/login", "/nothing"];
    for path in PAGES.iter().chain(&files) {
        let answer = anna.get(path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        let text = answer
            .text()
            .await
            .unwrap()
            .replace("http://www.w3.org/2000/svg", "");
        assert!(
            !text.contains("http://") && !text.contains("https://"),
            "{path}"
        );
        assert!(
            !text.contains("style=") && !text.contains("<style"),
            "{path}"
        );
        let is_handler = |word: &str| word.starts_with("on") && word.contains("=\"");
        assert!(!text.split_whitespace().any(is_handler), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_reads_nothing_as_markup_but_the_page_itself() {
    let rig = Rig::start().await;
    let script = rig.stranger().page("/app.js").await;
    for word in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ] {
        assert!(!script.contains(word), "{word}");
    }
    assert_eq!(script.matches("DOMParser").count(), 1);
    assert!(script.contains("fetch(location.href"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_the_browsers_until_somebody_chooses() {
    let rig = Rig::start().await;
    let anna = rig.operator("Anna").await;
    assert!(anna.page("/").await.contains("Nobody waits"));
    let answer = anna
        .post("/language", &[("lang", "nl"), ("back", "//evil.test")])
        .await;
    assert_eq!(answer.headers()[LOCATION], "/");
    let session = anna.cookie.clone().unwrap();
    let request = rig
        .request(Method::GET, "/")
        .header(COOKIE, format!("{session}; lang=nl"));
    let page = request.send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("Niemand wacht") && page.contains("<html lang=\"nl\""),
        "{page}"
    );
}

/// Every address that a page leads to is there.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_leads_to_nowhere() {
    let rig = Rig::start().await;
    rig.asks("Sanne", "+31612345678", "een mens graag").await;
    rig.wants("Piet", "+31687654321", "car_inquiry").await;
    let anna = rig.operator("Anna").await;
    let mut known: Vec<String> = PAGES.iter().map(|path| (*path).to_owned()).collect();
    let mut at = 0;
    while let Some(path) = known.get(at).cloned() {
        let page = anna.page(&path).await;
        let links = page
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        for link in links.filter(|link| link.starts_with('/')) {
            let link = link
                .split('#')
                .next()
                .unwrap()
                .replace("&#38;", "&")
                .replace("&amp;", "&");
            if !known.contains(&link) {
                known.push(link);
            }
        }
        at += 1;
        assert!(at < 60, "{known:?}");
    }
    assert!(
        known.iter().any(|path| path.ends_with("/erase")),
        "{known:?}"
    );
}
