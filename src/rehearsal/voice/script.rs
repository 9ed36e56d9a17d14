//! Carries out TwiML: one document after the other, until there is nothing left to do.
//!
//! When a document cannot be had or carried out, the fallback URL is asked once, and when that fails too
//! the caller hears what callers of a broken application hear at Twilio.

use std::future;

use tokio::time;
use url::Url;

use super::{
    call::Heard,
    error::TwilioError,
    fields::Fields,
    line::{CallerGone, Halt, Line},
    status::CallStatus,
    twiml::{self, Link, Play, Say, Sound, Verb},
    webhook::Request,
};
use crate::phone::notice::Notice;

/// More documents than this in one call are a loop.
const MOST_DOCUMENTS: usize = 100;
const APOLOGY: &str = "We are sorry, an application error has occurred. Goodbye.";

/// Where a document leads.
pub(super) enum Next {
    /// To its next verb.
    Verb,
    /// To another document.
    Document(Request),
    /// To the end of the call.
    End,
}

impl Line {
    /// The whole call.
    pub(super) async fn run(mut self) {
        self.set_status(CallStatus::Ringing);
        let status = match self.documents().await {
            Ok(()) if self.is_answered() => CallStatus::Completed,
            Ok(()) => self.refusal.unwrap_or(CallStatus::Completed),
            Err(CallerGone) if self.is_answered() => CallStatus::Completed,
            Err(CallerGone) => CallStatus::Canceled,
        };
        self.finish(status);
    }

    async fn documents(&mut self) -> Result<(), CallerGone> {
        let settings = &self.cloud.settings;
        let fallback = settings.voice_fallback_url.as_deref().and_then(|url| Url::parse(url).ok());
        let mut next = match Url::parse(&settings.voice_url) {
            Ok(url) => Ok(self.request(url, false, Fields::new())),
            Err(_) => Err(TwilioError::new(11100, "Invalid URL format")),
        };
        let mut on_fallback = false;
        for _ in 0..MOST_DOCUMENTS {
            let (url, result) = match next {
                Ok(request) => (request.url.to_string(), self.document(request).await),
                Err(error) => (String::new(), Err(Halt::Failed(error))),
            };
            next = match (result, &fallback) {
                (Ok(None), _) => return Ok(()),
                (Ok(Some(request)), _) => Ok(request),
                (Err(Halt::CallerGone), _) => return Err(CallerGone),
                (Err(Halt::Failed(error)), Some(fallback)) if !on_fallback => {
                    on_fallback = true;
                    let extra =
                        [("ErrorCode".to_owned(), error.code.to_string()), ("ErrorUrl".to_owned(), url)];
                    Ok(self.request(fallback.clone(), false, extra.into()))
                }
                (Err(Halt::Failed(error)), _) => return self.apologise(error).await,
            };
        }
        self.apologise(TwilioError::new(11200, "Too many documents in one call")).await
    }

    /// One document; `None` when the call ends with it.
    async fn document(&mut self, request: Request) -> Result<Option<Request>, Halt> {
        let url = request.url.clone();
        let xml = self.fetch(request).await?;
        for verb in twiml::parse(&xml)? {
            match self.perform(&url, verb).await? {
                Next::Verb => {}
                Next::Document(request) => return Ok(Some(request)),
                Next::End => return Ok(None),
            }
        }
        if self.refusal.is_none() {
            self.answer();
        }
        Ok(None)
    }

    async fn perform(&mut self, base: &Url, verb: Verb) -> Result<Next, Halt> {
        match verb {
            Verb::Say(say) => self.say(say).await?,
            Verb::Play(play) => self.play(base, play).await?,
            Verb::Pause(length) => {
                self.note(Heard { kind: "pause", text: length.as_secs().to_string(), language: None });
                self.wait(time::sleep(length)).await?;
            }
            Verb::Dial(dial) => return self.dial(base, &dial).await,
            Verb::Reject { .. } if self.is_answered() => return Ok(Next::End),
            Verb::Reject { busy } => {
                self.refusal = Some(if busy { CallStatus::Busy } else { CallStatus::Failed });
                return Ok(Next::End);
            }
            Verb::Hangup => {
                self.answer();
                return Ok(Next::End);
            }
            Verb::Redirect(link) => return Ok(Next::Document(self.follow(base, &link, Fields::new())?)),
        }
        Ok(Next::Verb)
    }

    /// A form for a link of the document at `base`.
    pub(super) fn follow(&self, base: &Url, link: &Link, extra: Fields) -> Result<Request, TwilioError> {
        let url = base.join(&link.url).map_err(|_| TwilioError::new(11100, "Invalid URL format"))?;
        Ok(self.request(url, link.get, extra))
    }

    async fn say(&mut self, say: Say) -> Result<(), CallerGone> {
        self.answer();
        let Say { text, language, times } = say;
        self.repeat(times, Heard { kind: "say", text, language: Some(language) }, |id, heard| Notice::Say {
            id,
            text: heard.text.clone(),
            language: heard.language.clone().unwrap_or_default(),
        })
        .await
    }

    async fn play(&mut self, base: &Url, play: Play) -> Result<(), Halt> {
        self.answer();
        let heard = |text| Heard { kind: "play", text, language: None };
        match play.what {
            Sound::Digits(digits) => {
                self.repeat(play.times, heard(digits), |id, heard| Notice::Tones {
                    id,
                    digits: heard.text.clone(),
                })
                .await?;
            }
            Sound::Url(url) => {
                let url = base.join(&url).map_err(|_| TwilioError::new(11100, "Invalid URL format"))?;
                let sid = self.call.sid.clone();
                let index = self.call.record.borrow().heard.len();
                // The page may load from nowhere but here, so the recording is handed through.
                let path = format!("/phone/recordings/{sid}/{index}");
                self.repeat(play.times, heard(url.to_string()), |id, _| Notice::Play {
                    id,
                    url: path.clone(),
                })
                .await?;
            }
        }
        Ok(())
    }

    /// A headless caller hears in no time, so what repeats for ever is heard once and then waited out. What cannot be played is
    /// not tried again: it would fail in no time too.
    async fn repeat(
        &mut self,
        times: Option<u32>,
        heard: Heard,
        notice: impl Fn(u64, &Heard) -> Notice,
    ) -> Result<(), CallerGone> {
        let mut left = times;
        while left != Some(0) {
            if !self.hear(heard.clone(), |id| notice(id, &heard)).await? {
                break;
            }
            left = left.map(|left| left - 1);
            if left.is_none() && self.call.phone.is_none() {
                self.wait(future::pending::<()>()).await?;
            }
        }
        Ok(())
    }

    async fn apologise(&mut self, error: TwilioError) -> Result<(), CallerGone> {
        tracing::warn!(call = %self.call.sid, code = error.code, "the caller hears an application error");
        self.call.record.send_modify(|record| record.error = Some(error.to_string()));
        self.answer();
        let (text, language) = (APOLOGY.to_owned(), "en-US".to_owned());
        self.say(Say { text, language, times: Some(1) }).await
    }
}
