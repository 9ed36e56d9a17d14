//! The company's own API, dead in each of its ways: the first callers wait two seconds at most, the next ones not at all.
//!
//! What is counted is how many callers' questions reached it: whoever is answered without one has not waited for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::callers::{TROUBLE, Twilio, sid};
use crate::program::{Home, KOSHII, ONEIL, Server};

/// So many failures, and nobody is made to wait any more.
const FIRST: usize = 3;
const NEXT: usize = 20;

/// What it does with whoever has asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Failing,
    Silent,
    Nonsense,
}

pub(crate) struct Api {
    pub(crate) address: String,
    asked: Arc<AtomicUsize>,
    mood: watch::Sender<Mood>,
}

impl Api {
    pub(crate) async fn in_mood(mood: Mood) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), mood)
    }

    fn on(listener: TcpListener, mood: Mood) -> Self {
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let (mood, moods) = watch::channel(mood);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, count.clone(), moods.clone()));
            }
        });
        Self { address, asked, mood }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn answer(mut stream: TcpStream, asked: Arc<AtomicUsize>, moods: watch::Receiver<Mood>) {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part).await {
            Ok(read) if read > 0 => request.extend_from_slice(&part[..read]),
            _ => return,
        }
    }
    asked.fetch_add(1, Ordering::Relaxed);
    let mood = *moods.borrow();
    let body = match mood {
        Mood::Well => r#"{"appId":"user009","customerName":"会社","customerId":"crm-1"}"#,
        Mood::Failing => "",
        Mood::Nonsense => "<html>It works!</html>",
        Mood::Silent => {
            // Until the other side has had enough.
            let _ = stream.read(&mut part).await;
            return;
        }
    };
    let length = body.len();
    let status = if matches!(mood, Mood::Failing) { "500 Internal Server Error" } else { "200 OK" };
    let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn served(api: &str) -> (Home, Server, Twilio) {
    let home = Home::peopled().with("INTERNAL_API_BASE", api);
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    (home, server, twilio)
}

/// So many callers at once, all of whom hear that there is trouble.
async fn all_hear_of_trouble(twilio: &Twilio, from: u64, count: usize) {
    let mut calling = JoinSet::new();
    for call in 0..count as u64 {
        let twilio = twilio.clone();
        calling.spawn(async move { twilio.call(sid(from + call), KOSHII).await });
    }
    for twiml in calling.join_all().await {
        assert!(twiml.contains(TROUBLE), "{twiml}");
    }
}

/// Somebody is put through in the end, and all are from then on.
async fn all_is_well_again(server: &Server, twilio: &Twilio) {
    let mut call = 1000;
    while server.has_yet_to_say("the directory answers again", 1) {
        twilio.call(sid(call), ONEIL).await;
        call += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.count("the directory failed so often"), 1, "said once: {:?}", server.errors());
    let twiml = twilio.call(sid(call), KOSHII).await;
    assert!(twiml.contains("<Identity>user009</Identity>") && twiml.contains("会社"), "{twiml}");
}

async fn assert_kept(home: Home, server: Server, calls: usize) {
    server.end().await;
    let said = home.run(&["calls", "--limit", "100000"]).out;
    let kept = said.lines().filter(|line| line.contains("CA0")).count();
    assert!(kept >= calls, "{kept} of {calls} calls: {said}");
    home.assert_sealed();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_answers_costs_the_first_callers_time_and_the_next_ones_none() {
    let api = Api::in_mood(Mood::Silent).await;
    let (home, server, twilio) = served(&api.address).await;
    all_hear_of_trouble(&twilio, 0, FIRST).await;
    assert_eq!(api.asked(), FIRST);
    server.says("the directory failed so often").await;
    all_hear_of_trouble(&twilio, 100, NEXT).await;
    // One may have been asked for in the background, by a caller who did not wait.
    assert!(api.asked() <= FIRST + 1, "{} of {} callers", api.asked(), FIRST + NEXT);
    api.mood.send_replace(Mood::Well);
    all_is_well_again(&server, &twilio).await;
    assert_kept(home, server, FIRST + NEXT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_there_is_found_when_it_is() {
    // Its port stays ours, and nobody listens there yet.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = format!("http://{}/v1", socket.local_addr().unwrap());
    let (home, server, twilio) = served(&address).await;
    all_hear_of_trouble(&twilio, 0, FIRST).await;
    let error = server.says("the directory failed so often").await;
    assert!(error.contains("cannot be reached"), "{error}");
    all_hear_of_trouble(&twilio, 100, NEXT).await;
    let api = Api::on(socket.listen(16).unwrap(), Mood::Well);
    all_is_well_again(&server, &twilio).await;
    assert!(api.asked() > 0);
    assert_kept(home, server, FIRST + NEXT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_answers_nonsense_is_asked_by_everybody_since_that_costs_no_time() {
    let api = Api::in_mood(Mood::Nonsense).await;
    let (home, server, twilio) = served(&api.address).await;
    all_hear_of_trouble(&twilio, 0, NEXT).await;
    assert_eq!(api.asked(), NEXT);
    let line = server.says("the directory did not say who calls").await;
    assert!(line.contains("appId"), "{line}");
    api.mood.send_replace(Mood::Well);
    let twiml = twilio.call(sid(100), KOSHII).await;
    assert!(twiml.contains("<Identity>user009</Identity>"), "{twiml}");
    // Who was found is remembered.
    twilio.call(sid(101), KOSHII).await;
    assert_eq!(api.asked(), NEXT + 1);
    assert_kept(home, server, NEXT + 2).await;
}
