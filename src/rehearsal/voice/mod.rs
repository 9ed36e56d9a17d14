//! Calls: a customer dials the company's number, and TwiML decides what becomes of it.
//!
//! Each call is one task ([`line`]); the parts that can be thought through without IO are pure ([`dial`], [`twiml`]).

pub(crate) mod call;
pub(crate) mod caller_id;
mod dial;
mod error;
mod fields;
mod line;
mod params;
mod ring;
mod script;
mod signature;
pub(crate) mod status;
pub(crate) mod switchboard;
mod talk;
mod twiml;
pub(crate) mod webhook;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use self::{
    call::{Call, Record},
    caller_id::CallerId,
    line::Line,
};
use crate::{
    cloud::Cloud,
    media::{Codecs, LegId},
    phone::notice::Notice,
    sid,
};

/// Dials the company's number from `from`. A caller with a phone is a browser, one without is headless.
pub(crate) fn place(
    cloud: &Arc<Cloud>,
    from: CallerId,
    media: LegId,
    phone: Option<mpsc::UnboundedSender<Notice>>,
) -> Arc<Call> {
    let (mailbox, inbox) = mpsc::unbounded_channel();
    let sid = sid::call();
    let record = watch::Sender::new(Record::new(&sid));
    // A headless caller is a telephone, and those speak G.711.
    let codecs = if phone.is_some() { Codecs::PcmuAndOpus } else { Codecs::Pcmu };
    let from = from.into_string();
    let call = Arc::new(Call { sid, from, media, codecs, phone, record, mailbox });
    cloud.switchboard.add_call(call.clone());
    tokio::spawn(Line::new(cloud.clone(), call.clone(), inbox).run());
    call
}
