//! A provider's API that answers whatever a test wants, also what no provider should.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// An answer, byte by byte.
pub(crate) type Bytes = Vec<u8>;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) target: String,
    pub(crate) authorization: Option<String>,
}

type Script = Arc<Mutex<Box<dyn FnMut(&Asked) -> Bytes + Send>>>;

/// Answers one request a connection, by a script that may be changed.
pub(crate) struct Provider {
    pub(crate) url: String,
    script: Script,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Provider {
    pub(crate) fn start(script: impl FnMut(&Asked) -> Bytes + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script: Script = Arc::new(Mutex::new(Box::new(script)));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answers, log) = (script.clone(), asked.clone());
        // Ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &answers, &log);
            }
        });
        Self { url, script, asked }
    }

    pub(crate) fn answer_with(&self, script: impl FnMut(&Asked) -> Bytes + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, script: &Script, log: &Mutex<Vec<Asked>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    let header = |line: &String| {
        let (name, value) = line.split_once(':')?;
        let is_it = name.eq_ignore_ascii_case("authorization");
        is_it.then(|| value.trim().to_owned())
    };
    let head = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let head: Vec<String> = head.collect();
    let asked = Asked {
        target: first.split(' ').nth(1).unwrap_or_default().to_owned(),
        authorization: head.iter().find_map(header),
    };
    log.lock().unwrap().push(asked.clone());
    let bytes = (script.lock().unwrap())(&asked);
    drop(stream.write_all(&bytes));
}

/// An answer with these header lines.
pub(crate) fn raw(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Bytes {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn json(value: &Value) -> Bytes {
    raw(
        "200 OK",
        "Content-Type: application/json\r\n",
        value.to_string(),
    )
}
