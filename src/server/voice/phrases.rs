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
