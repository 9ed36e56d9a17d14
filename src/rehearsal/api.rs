//! The HTTP API: what a customer's phone can do, without a browser, and faults of the cloud on demand.
//!
//! JSON in camelCase. It shows what a caller hears and what devices do, never the caller's number by itself.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time;

use crate::{
    clock,
    cloud::Cloud,
    faults::FaultsPatch,
    signalling::{devices::Outgoing, frame::ServerFrame},
    voice::{
        self,
        call::{Call, CallEvent, Record},
        caller_id::CallerId,
        status::CallStatus,
    },
};

/// How long `?until=` waits at most.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

type Shared = State<Arc<Cloud>>;

/// Everything below `/api`.
pub(crate) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/api/calls", get(list_calls).post(place_call))
        .route("/api/calls/{sid}", get(show_call))
        .route("/api/calls/{sid}/hangup", post(hang_up))
        .route("/api/calls/{sid}/tone", post(set_tone))
        .route("/api/calls/{sid}/digits", post(press_digits))
        .route("/api/calls/{sid}/audio", get(hear))
        .route("/api/devices", get(list_devices))
        .route("/api/devices/{identity}/cut", post(cut))
        .route("/api/devices/{identity}/close", post(close))
        .route("/api/devices/{identity}/blackhole", post(blackhole))
        .route("/api/cloud", get(show_faults).patch(change_faults))
        .route("/api/frames", get(list_frames))
        .route("/api/media", get(count_media))
}

/// What is not there.
enum ApiError {
    Call,
    Device,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Call => "unknown_call",
            Self::Device => "unknown_device",
        };
        (StatusCode::NOT_FOUND, Json(json!({"error": error}))).into_response()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewCall {
    from: CallerId,
    #[serde(default)]
    tone_hz: u32,
}

async fn place_call(State(cloud): Shared, Json(new): Json<NewCall>) -> impl IntoResponse {
    let media = cloud.media.headless();
    cloud.media.tone(media, new.tone_hz);
    let call = voice::place(&cloud, new.from, media, None);
    (StatusCode::CREATED, Json(json!({"callSid": call.sid})))
}

async fn list_calls(State(cloud): Shared) -> Json<Vec<Record>> {
    Json(cloud.switchboard.calls().iter().map(|call| call.record.borrow().clone()).collect())
}

#[derive(Deserialize)]
struct Until {
    until: Option<CallStatus>,
}

/// With `?until=completed` only when the call has that status or is over, or after half a minute.
async fn show_call(
    State(cloud): Shared,
    Path(sid): Path<String>,
    Query(Until { until }): Query<Until>,
) -> Result<Json<Record>, ApiError> {
    let call = find(&cloud, &sid)?;
    let mut record = call.record.subscribe();
    if let Some(until) = until {
        let reached = record.wait_for(|record| record.status == until || record.status.is_final());
        drop(time::timeout(LONGEST_WAIT, reached).await);
    }
    let shown = record.borrow().clone();
    Ok(Json(shown))
}

async fn hang_up(State(cloud): Shared, Path(sid): Path<String>) -> Result<StatusCode, ApiError> {
    find(&cloud, &sid)?.tell(CallEvent::CallerHungUp);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Tone {
    hz: u32,
}

async fn set_tone(
    State(cloud): Shared,
    Path(sid): Path<String>,
    Json(Tone { hz }): Json<Tone>,
) -> Result<StatusCode, ApiError> {
    cloud.media.tone(find(&cloud, &sid)?.media, hz);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Digits {
    digits: String,
}

async fn press_digits(
    State(cloud): Shared,
    Path(sid): Path<String>,
    Json(Digits { digits }): Json<Digits>,
) -> Result<StatusCode, ApiError> {
    cloud.media.press(find(&cloud, &sid)?.media, &digits);
    Ok(StatusCode::NO_CONTENT)
}

async fn hear(State(cloud): Shared, Path(sid): Path<String>) -> Result<Json<Value>, ApiError> {
    let heard = cloud.media.hear(find(&cloud, &sid)?.media).await.unwrap_or_default();
    Ok(Json(json!({"rms": heard.rms, "dominantHz": heard.dominant_hz, "packets": heard.packets})))
}

async fn list_devices(State(cloud): Shared) -> impl IntoResponse {
    Json(cloud.devices.list(clock::unix_now()))
}

async fn cut(State(cloud): Shared, Path(identity): Path<String>) -> Result<StatusCode, ApiError> {
    tell(&cloud, &identity, || Outgoing::Cut)
}

async fn close(State(cloud): Shared, Path(identity): Path<String>) -> Result<StatusCode, ApiError> {
    tell(&cloud, &identity, || Outgoing::Frame(ServerFrame::Close))
}

#[derive(Deserialize)]
struct Switch {
    on: bool,
}

async fn blackhole(
    State(cloud): Shared,
    Path(identity): Path<String>,
    Json(Switch { on }): Json<Switch>,
) -> StatusCode {
    cloud.devices.blackhole(&identity, on);
    for media in cloud.switchboard.media_of(&identity) {
        cloud.media.blackhole(media, on);
    }
    StatusCode::NO_CONTENT
}

async fn show_faults(State(cloud): Shared) -> impl IntoResponse {
    Json(cloud.faults())
}

async fn change_faults(State(cloud): Shared, Json(patch): Json<FaultsPatch>) -> impl IntoResponse {
    Json(cloud.set_faults(|faults| faults.patched(&patch)))
}

async fn list_frames(State(cloud): Shared) -> impl IntoResponse {
    Json(cloud.frames.list())
}

/// How many ends of media are open: none is left over when no call is.
async fn count_media(State(cloud): Shared) -> Json<Value> {
    Json(json!({"legs": cloud.media.legs().await}))
}

fn find(cloud: &Cloud, sid: &str) -> Result<Arc<Call>, ApiError> {
    cloud.switchboard.call(sid).ok_or(ApiError::Call)
}

fn tell(cloud: &Cloud, identity: &str, request: impl Fn() -> Outgoing) -> Result<StatusCode, ApiError> {
    match cloud.devices.tell(Some(identity), request) {
        0 => Err(ApiError::Device),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
