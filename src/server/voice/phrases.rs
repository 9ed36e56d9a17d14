//! What a caller hears when no operator does: one courteous Japanese sentence or two for each case.

/// Nobody has this number.
pub(crate) const UNKNOWN: &str = "お電話ありがとうございます。恐れ入りますが、お客様の電話番号のご登録を確認できないため、担当者におつなぎできません。ご登録の電話番号からおかけ直しください。";

/// The caller withholds the number, or it is none.
pub(crate) const WITHHELD: &str =
    "お電話ありがとうございます。恐れ入りますが、電話番号を通知しておかけ直しください。";

/// The directory is slow, down, or talks nonsense; or something else is broken.
pub(crate) const TROUBLE: &str = "お電話ありがとうございます。申し訳ございませんが、ただいま担当者におつなぎできません。しばらくしてからおかけ直しください。";

/// The operator declined, or left while it rang: Twilio does not say whether they speak with somebody else.
pub(crate) const BUSY: &str =
    "申し訳ございません。担当者はただいま電話をお受けできません。しばらくしてからおかけ直しください。";

/// The operator did not answer.
pub(crate) const NO_ANSWER: &str =
    "申し訳ございません。担当者はただいま電話に出ることができません。しばらくしてからおかけ直しください。";

/// They have talked as long as a call may last.
pub(crate) const TIME_IS_UP: &str = "通話時間が上限の1時間になりましたので、電話をお切りいたします。お話の途中でしたら、恐れ入りますが、もう一度おかけ直しください。";
