//! Every word that the page says while it lives, in both languages. Those of a page that does not are in `shell`.
//!
//! Invariant: a text has all languages or does not compile, and what is said of a domain state is an exhaustive match.
//! [`AVAILABLE`] is the only text that promises a ring, and [`CONNECTED`] the only one that promises audio.

use domain::shift::{Failure, How, Note, Side, Step};

use crate::language::Language;

/// A text in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    ja: &'static str,
    en: &'static str,
}

const fn text(ja: &'static str, en: &'static str) -> Text {
    Text { ja, en }
}

impl Text {
    pub(crate) const fn of(self, language: Language) -> &'static str {
        match language {
            Language::Ja => self.ja,
            Language::En => self.en,
        }
    }
}

pub(crate) const TITLE: Text = text("秘匿 Hitoku", "Hitoku 秘匿");
pub(crate) const PROMISE: Text = text("番号はこの画面に届きません", "The number never reaches this screen");
pub(crate) const OPERATOR_ID: Text = text("担当者 ID", "Operator ID");
pub(crate) const LANGUAGE: Text = text("言語", "Language");
pub(crate) const SHORTCUTS: Text = text("ショートカットキー", "Shortcut keys");

// The state, in the bar.
pub(crate) const OFF_DUTY: Text = text("勤務外", "Off duty");
pub(crate) const NEEDS_ATTENTION: Text = text("確認が必要です", "Needs attention");
pub(crate) const PREPARING: Text = text("準備中", "Getting ready");
pub(crate) const AVAILABLE: Text = text("着信できます", "Available");
pub(crate) const LINE_DOWN: Text = text("回線切断", "Line down");
pub(crate) const LINE_DOUBTFUL: Text = text("回線を確認中", "Checking the line");
pub(crate) const RINGING: Text = text("着信中", "Ringing");
pub(crate) const TAKEN: Text = text("別の画面で応答済み", "Answered elsewhere");
pub(crate) const CONNECTING: Text = text("接続中", "Connecting");
pub(crate) const CONNECTED: Text = text("通話中", "Connected");
pub(crate) const RECONNECTING: Text = text("再接続中", "Reconnecting");
pub(crate) const HANGING_UP: Text = text("切断中", "Hanging up");

// Off duty.
pub(crate) const START: Text = text("勤務を始める", "Start shift");
pub(crate) const OFF_TITLE: Text = text("いまは勤務外です", "You are off duty");
pub(crate) const OFF_SAYS: Text = text(
    "始めると、このブラウザーで電話を受けられます。始めるまで鳴ることはありません。",
    "Start, and this browser takes your calls. It stays silent until then.",
);
pub(crate) const OVER_TITLE: Text = text("お疲れさまでした", "Shift ended");
pub(crate) const OVER_SAYS: Text = text(
    "勤務を終えました。このブラウザーでは着信しません。",
    "Your shift has ended, and this browser will not ring any more.",
);
pub(crate) const WHAT_HAPPENS: Text = text("開始時に行うこと", "When you start");
pub(crate) const ONLY_IN_CALLS: Text =
    text("マイクは準備と通話のあいだだけ使います", "The microphone is used only to get ready and in calls");
pub(crate) const WHAT_TO_DO: Text = text("次の順にお試しください", "What to do");
pub(crate) const TRY_AGAIN: Text = text("もう一度始める", "Try again");
pub(crate) const RELOAD: Text = text("ページを再読み込み", "Reload the page");

// Starting.
pub(crate) const STARTING_TITLE: Text = text("準備しています", "Getting ready");
pub(crate) const STARTING_SAYS: Text =
    text("まもなく電話を受けられるようになります。", "You will be able to take calls in a moment.");
pub(crate) const ALLOW_MICROPHONE: Text = text(
    "ブラウザーの確認が出たら、マイクの使用を許可し、次回からも許可する設定にしてください。",
    "If your browser asks, allow it to use the microphone, and let it remember that.",
);
pub(crate) const STOP: Text = text("中止", "Cancel");
pub(crate) const DONE: Text = text("完了", "Done");
pub(crate) const UNDER_WAY: Text = text("実行中", "In progress");
pub(crate) const TO_COME: Text = text("これから", "To do");

// Waiting.
pub(crate) const WAITING_SAYS: Text = text(
    "電話が鳴ると、ここにお名前が表示されます。このタブは開いたままにしてください。",
    "When a call comes in, the name appears here. Keep this tab open.",
);
pub(crate) const DOUBTFUL_SAYS: Text = text(
    "確かめるあいだ、電話はここで鳴らないことがあります。",
    "Until the check is done, calls may not ring here.",
);
pub(crate) const DOWN_TITLE: Text = text("回線が切れています", "The line is down");
pub(crate) const DOWN_SAYS: Text = text(
    "自動でつなぎ直しています。つながるまで、電話はここでは鳴りません。",
    "Reconnecting automatically. Until it is back, calls do not ring here.",
);
pub(crate) const DOWN_IN_CALL: Text = text(
    "回線が切れています。つなぎ直すまで、次の電話はここでは鳴りません。",
    "The line is down. Until it is back, no other call rings here.",
);
pub(crate) const END: Text = text("勤務を終える", "End shift");
pub(crate) const LAST_CALL: Text = text("直前の通話", "Last call");
pub(crate) const CODE: Text = text("コード", "Code");
pub(crate) const LASTED: Text = text("通話時間", "Call time");

// Ring and talk.
pub(crate) const INCOMING: Text = text("着信", "Incoming call");
pub(crate) const SECOND: Text = text("別の着信", "Another call");
pub(crate) const UNKNOWN: Text = text("未登録の発信者", "Unknown caller");
pub(crate) const NO_NAME: Text = text("お名前の情報なし", "No name given");
pub(crate) const CUSTOMER_ID: Text = text("顧客 ID", "Customer ID");
pub(crate) const RINGING_FOR: Text = text("呼び出し時間", "Ringing for");
pub(crate) const ACCEPT: Text = text("応答", "Accept");
pub(crate) const REJECT: Text = text("拒否", "Reject");
pub(crate) const ACCEPT_INSTEAD: Text = text("終了して応答", "End & accept");
pub(crate) const TAKEN_SAYS: Text =
    text("この電話は別の画面で応答されました。", "This call was answered on another screen.");
pub(crate) const MUTE: Text = text("ミュート", "Mute");
pub(crate) const HANG_UP: Text = text("電話を切る", "Hang up");
pub(crate) const CONNECTING_SAYS: Text = text("音声がつながるのを待っています。", "Waiting for audio.");
pub(crate) const SLOW_SAYS: Text = text(
    "音声がまだ届きません。マイクの確認が出ていたら許可してください。届かないままなら電話を切ってください。",
    "No audio has arrived yet. If your browser asks for the microphone, allow it. If nothing comes, hang up.",
);
pub(crate) const SILENT: Text = text("音声が届いていません", "No sound");
pub(crate) const UNHEARING_SAYS: Text = text(
    "相手の音声が届いていません。戻らないときは電話を切ってください。",
    "The caller's voice is not arriving. If this continues, hang up.",
);
pub(crate) const UNHEARD_SAYS: Text = text(
    "こちらの声が送られていません。マイクを確かめてください。",
    "Your voice is not being sent. Check the microphone.",
);
pub(crate) const MUTED_SAYS: Text = text("相手に声は届きません。", "The caller cannot hear you.");
pub(crate) const RECONNECTING_SAYS: Text =
    text("通話を自動でつなぎ直しています。", "Reconnecting the call automatically.");
pub(crate) const HANGING_UP_SAYS: Text = text("通話を終えています。", "Ending the call.");

// The event log.
pub(crate) const EVENT_LOG: Text = text("記録", "Event log");
pub(crate) const EVENT_LOG_EMPTY: Text = text("まだ何もありません。", "Nothing yet.");
pub(crate) const EVENT_LOG_SAYS: Text = text("お名前は記録しません", "Names are not logged");

/// A step of starting.
pub(crate) const fn step(step: Step) -> Text {
    match step {
        Step::Audio => text("着信音を鳴らせるようにする", "Enable the ringtone"),
        Step::Microphone => text("マイクを確かめる", "Check the microphone"),
        Step::Token => text("通話の許可を取得する", "Get permission for calls"),
        Step::Register => text("電話回線につなぐ", "Connect to the telephone network"),
    }
}

/// How a call ended.
pub(crate) const fn how(how: How) -> Text {
    match how {
        How::HungUp => text("電話を切りました", "You hung up"),
        How::CallerHungUp => text("相手が電話を切りました", "The caller hung up"),
        How::TimeUp => text("1時間になり、通話が終わりました", "The call ended after an hour"),
        How::Rejected => text("着信を拒否しました", "You rejected the call"),
        How::GaveUp => text("応答前に呼び出しが終わりました", "It stopped ringing before it was answered"),
        How::AnsweredElsewhere => text("別の画面で応答されました", "Answered on another screen"),
        How::Lost => text("回線が切れて通話が終わりました", "The call was lost with the line"),
        How::RingLost => {
            text("呼び出し中に回線が切れました", "The line went down while the call was ringing")
        }
        How::Failed(_) => text("エラーで通話が終わりました", "The call ended with an error"),
    }
}

/// What went wrong, and what the operator can do about it, most likely first.
pub(crate) struct Advice {
    pub(crate) title: Text,
    pub(crate) steps: [Text; 3],
}

/// The advice for a failure.
pub(crate) const fn advice(failure: Failure) -> Advice {
    const AGAIN: Text = text("それから、もう一度始めてください。", "Then try again.");
    const ADMINISTRATOR: Text =
        text("続くときは、管理者に知らせてください。", "If it keeps happening, tell your administrator.");
    match failure {
        Failure::Unsupported => Advice {
            title: text("このブラウザーでは電話を受けられません", "This browser cannot take calls"),
            steps: [
                text(
                    "アドレスが https:// で始まっていることを確かめてください。",
                    "Make sure that the address begins with https://.",
                ),
                text("ブラウザーを最新版に更新してください。", "Update the browser to its newest version."),
                text(
                    "それでも使えないときは、別のブラウザーで開いてください。",
                    "If that does not help, open the page in another browser.",
                ),
            ],
        },
        Failure::SdkMissing => Advice {
            title: text("電話の機能を読み込めませんでした", "The telephone part of this page did not load"),
            steps: [
                text("ページを再読み込みしてください。", "Reload the page."),
                text(
                    "広告ブロックなどの拡張機能を、このページではオフにしてください。",
                    "Switch off ad blockers and similar extensions for this page.",
                ),
                ADMINISTRATOR,
            ],
        },
        Failure::AudioBlocked => Advice {
            title: text("ブラウザーが音を止めています", "The browser is blocking sound"),
            steps: [
                text(
                    "アドレスの横にあるサイトの設定で、音声を「許可」にしてください。",
                    "Open the site settings beside the address and allow sound.",
                ),
                text(
                    "ヘッドセットやスピーカーがつながっているか確かめてください。",
                    "Make sure that a headset or speaker is connected.",
                ),
                AGAIN,
            ],
        },
        Failure::MicrophoneRefused => Advice {
            title: text("マイクの使用が許可されていません", "The microphone is not allowed"),
            steps: [
                text(
                    "アドレスの横にあるサイトの設定で、マイクを「許可」にしてください。",
                    "Open the site settings beside the address and allow the microphone.",
                ),
                text(
                    "端末のプライバシー設定でも、ブラウザーにマイクを許可してください。",
                    "In your device's privacy settings, allow the browser to use the microphone too.",
                ),
                AGAIN,
            ],
        },
        Failure::MicrophoneMissing => Advice {
            title: text("マイクが見つかりません", "No microphone was found"),
            steps: [
                text(
                    "ヘッドセットかマイクをつないでください。無線のものは電源と接続も確かめてください。",
                    "Connect a headset or microphone. If it is wireless, check that it is on and paired.",
                ),
                text(
                    "端末のサウンド設定で、入力に表示されているか確かめてください。",
                    "Make sure that your device's sound settings list it as an input.",
                ),
                AGAIN,
            ],
        },
        Failure::MicrophoneBusy => Advice {
            title: text("マイクを使用できません", "The microphone cannot be opened"),
            steps: [
                text(
                    "会議アプリなど、マイクを使っているほかのアプリやタブを閉じてください。",
                    "Close other apps and tabs that use the microphone, such as meetings.",
                ),
                text(
                    "マイクを一度外し、つなぎ直してください。",
                    "Unplug the microphone and connect it again.",
                ),
                AGAIN,
            ],
        },
        Failure::TokenRefused => Advice {
            title: text("この担当者 ID を認証できませんでした", "This operator ID was not authorised"),
            steps: [
                text(
                    "画面の上にある担当者 ID が正しいか確かめてください。",
                    "Check the operator ID at the top of this page.",
                ),
                text(
                    "会社のサインインが切れているかもしれません。ページを再読み込みしてください。",
                    "Your company's sign-in may have ended: reload the page.",
                ),
                ADMINISTRATOR,
            ],
        },
        Failure::ServerUnreachable => Advice {
            title: text("サーバーに接続できません", "The server cannot be reached"),
            steps: [
                text(
                    "ネットワークと VPN の接続を確かめてください。",
                    "Check your network and VPN connection.",
                ),
                text("少し待って、もう一度始めてください。", "Wait a moment and try again."),
                ADMINISTRATOR,
            ],
        },
        Failure::CloudRefused => Advice {
            title: text("電話回線で認証できませんでした", "The telephone network refused the sign-in"),
            steps: [
                text("少し待って、もう一度始めてください。", "Wait a moment and try again."),
                text("ページを再読み込みしてください。", "Reload the page."),
                text(
                    "続くときは、管理者に知らせてください。API キーかサーバーの時計に問題があるかもしれません。",
                    "If it keeps happening, tell your administrator: the API key or the server's clock may be wrong.",
                ),
            ],
        },
        Failure::CloudUnreachable => Advice {
            title: text("電話回線に接続できません", "The telephone network cannot be reached"),
            steps: [
                text("ネットワークの接続を確かめてください。", "Check your network connection."),
                text(
                    "VPN やプロキシ、ファイアウォールが WebSocket を止めていないか確かめてください。",
                    "Make sure that no VPN, proxy or firewall blocks WebSockets.",
                ),
                text("少し待って、もう一度始めてください。", "Wait a moment and try again."),
            ],
        },
    }
}

/// A line of the event log.
pub(crate) const fn note(note: Note) -> Text {
    match note {
        Note::ShiftStarting => text("勤務の準備を始めました", "Shift is starting"),
        Note::StartCancelled => text("準備を中止しました", "Start cancelled"),
        Note::ShiftStarted => text("勤務を始めました", "Shift started"),
        Note::ShiftEnded => text("勤務を終えました", "Shift ended"),
        Note::Failed(failure) => advice(failure).title,
        Note::LineDoubtful => LINE_DOUBTFUL,
        Note::LineDown => text("回線が切れました", "Line went down"),
        Note::LineUp => text("回線が復旧しました", "Line is up again"),
        Note::TokenRenewed => text("認証を更新しました", "Authorisation renewed"),
        Note::TokenDelayed => {
            text("認証を更新できず、再試行しています", "Could not renew the authorisation yet; trying again")
        }
        Note::Ringing => text("電話が鳴りました", "A call rang"),
        Note::Accepted => text("応答しました", "Call accepted"),
        Note::Connected => text("音声がつながりました", "Audio connected"),
        Note::NoAudio => text("音声がまだ届きません", "No audio yet"),
        Note::Silent(Side::Operator) => text("こちらの声が送られていません", "Your voice is not being sent"),
        Note::Silent(Side::Caller) => {
            text("相手の音声が届いていません", "The caller's voice is not arriving")
        }
        Note::Reconnecting => text("通話をつなぎ直しています", "Call is reconnecting"),
        Note::Reconnected => text("通話が復旧しました", "Call reconnected"),
        Note::Muted => text("ミュートしました", "Microphone muted"),
        Note::Unmuted => text("ミュートを解除しました", "Microphone unmuted"),
        Note::Ended(how_) => how(how_),
        Note::DeviceError(_) => text("電話機能でエラーが発生しました", "The telephone reported an error"),
    }
}

/// The SDK's code of what a line of the log, or an end, tells of; for the administrator.
pub(crate) const fn code(note: Note) -> Option<u32> {
    match note {
        Note::DeviceError(code) | Note::Ended(How::Failed(code)) => Some(code),
        _ => None,
    }
}
