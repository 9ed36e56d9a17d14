//! Small drawings, each one path on a 24 × 24 grid. They say nothing by themselves: a word always stands beside them.

use super::element::{Element, element};

/// A drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Icon {
    class: &'static str,
    path: &'static str,
}

const HANDSET: &str = "M2.6 14.4c0-1.1.4-2 1.2-2.7C6 9.8 8.9 8.9 12 8.9s6 .9 8.2 2.8c.8.7 1.2 1.6 1.2 2.7v1.3c0 \
                       .8-.8 1.4-1.6 1.2l-2.9-.7c-.6-.1-1-.6-1.1-1.2l-.2-1.9c-1.1-.4-2.3-.6-3.6-.6s-2.5.2-3.6.6l-.2 \
                       1.9c-.1.6-.5 1.1-1.1 1.2l-2.9.7c-.8.2-1.6-.4-1.6-1.2z";

pub(crate) const ACCEPT: Icon = Icon { class: "icon icon--filled icon--lifted", path: HANDSET };
pub(crate) const HANG_UP: Icon = Icon { class: "icon icon--filled", path: HANDSET };
pub(crate) const MICROPHONE: Icon = Icon {
    class: "icon",
    path: "M12 3a3 3 0 0 0-3 3v5.5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M8.5 21h7",
};
pub(crate) const MICROPHONE_OFF: Icon = Icon {
    class: "icon",
    path: "M15 9.5V6a3 3 0 0 0-5.7-1.3M9 9v2.5a3 3 0 0 0 4.8 2.4M18.5 11a6.4 6.4 0 0 1-.7 2.9M5.5 11a6.5 6.5 0 0 \
           0 10 5.5M12 17.5V21M8.5 21h7M3.5 3.5l17 17",
};
pub(crate) const POWER: Icon = Icon { class: "icon", path: "M12 3v8.5M6.7 6.7a7.5 7.5 0 1 0 10.6 0" };
pub(crate) const CHECK: Icon = Icon { class: "icon", path: "M5 12.5l4.5 4.5L19 7.5" };
pub(crate) const ALERT: Icon = Icon { class: "icon", path: "M12 4L2.8 19.5h18.4zM12 10v4.5M12 17v.2" };
pub(crate) const AGAIN: Icon = Icon { class: "icon", path: "M20 12a8 8 0 1 1-2.3-5.7L20 8.5M20 3.5v5h-5" };
pub(crate) const SHIELD: Icon = Icon {
    class: "icon",
    path: "M12 3l7.5 2.8v5.7c0 4.4-3 7.8-7.5 9.5-4.5-1.7-7.5-5.1-7.5-9.5V5.8zM8.8 12l2.3 2.3 4.2-4.5",
};

/// The product's mark: a voice passes a screen; the dot that is a number stays behind it.
pub(crate) const MARK: Icon = Icon {
    class: "icon icon--mark",
    path: "M5 12v.01M10.5 3.5v17M14.5 8.5a5 5 0 0 1 0 7M17.8 5.5a9.2 9.2 0 0 1 0 13",
};

impl Icon {
    /// Draws it.
    pub(crate) fn draw(self) -> Element {
        element("svg", self.class)
            .with("viewBox", "0 0 24 24")
            .with("aria-hidden", "true")
            .with("focusable", "false")
            .child(element("path", "").with("d", self.path))
    }
}
