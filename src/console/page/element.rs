//! An element of the page: a tag, attributes, a text or children, and what a press does.
//!
//! `view!` gives every element a type of its own, and with it its own code to build, hydrate and update it: for this page
//! 100 kB of brotli. Here every element has this one type, so that the WASM carries that code once.
//!
//! Invariant: an element that is drawn again keeps its DOM node, and so its focus, as long as its tag and its key are the
//! same; otherwise it is another element, and a press meant for the one never reaches the other.

mod dom;

use std::borrow::Cow;
use std::sync::Arc;

use leptos::prelude::{Render, RenderHtml};
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Position, PositionState};

use dom::Drawn;

/// What a press does.
pub(crate) type Press = Arc<dyn Fn() + Send + Sync>;
/// What tells an element from another one in the same place.
pub(crate) type Key = (&'static str, u32);

/// An element that is about to be drawn.
pub(crate) struct Element {
    tag: &'static str,
    key: Key,
    attributes: Vec<(&'static str, Cow<'static, str>)>,
    text: Option<Cow<'static, str>>,
    children: Vec<Element>,
    press: Option<Press>,
}

/// An element of this tag and, unless it is empty, this class.
pub(crate) fn element(tag: &'static str, class: impl Into<Cow<'static, str>>) -> Element {
    let element =
        Element { tag, key: ("", 0), attributes: vec![], text: None, children: vec![], press: None };
    let class = class.into();
    if class.is_empty() { element } else { element.with("class", class) }
}

/// An element with nothing but a text in it: a text and children do not stand side by side.
pub(crate) fn text(tag: &'static str, class: &'static str, text: impl Into<Cow<'static, str>>) -> Element {
    Element { text: Some(text.into()), ..element(tag, class) }
}

impl Element {
    pub(crate) fn key(mut self, kind: &'static str, number: u32) -> Self {
        self.key = (kind, number);
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// An attribute without a value, when this is so.
    pub(crate) fn marked(self, name: &'static str, so: bool) -> Self {
        if so { self.with(name, "") } else { self }
    }

    pub(crate) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(crate) fn maybe(self, child: Option<Self>) -> Self {
        if let Some(child) = child { self.child(child) } else { self }
    }

    pub(crate) fn children(mut self, children: Vec<Self>) -> Self {
        self.children.extend(children);
        self
    }

    pub(crate) fn on_press(mut self, press: impl Fn() + Send + Sync + 'static) -> Self {
        self.press = Some(Arc::new(press));
        self
    }

    fn write(&self, html: &mut String) {
        html.push('<');
        html.push_str(self.tag);
        for (name, value) in &self.attributes {
            html.push(' ');
            html.push_str(name);
            html.push_str("=\"");
            escape(value, html);
            html.push('"');
        }
        html.push('>');
        if let Some(text) = &self.text {
            escape(text, html);
        }
        for child in &self.children {
            child.write(html);
        }
        html.push_str("</");
        html.push_str(self.tag);
        html.push('>');
    }
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
}

impl Render for Element {
    type State = Drawn;

    fn build(self) -> Drawn {
        Drawn::build(self)
    }

    fn rebuild(self, drawn: &mut Drawn) {
        drawn.rebuild(self);
    }
}

impl RenderHtml for Element {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        html: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra: Vec<AnyAttribute>,
    ) {
        self.write(html);
        *position = Position::NextChild;
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Drawn {
        match position.get() {
            Position::FirstChild => cursor.child(),
            Position::Current => {}
            _ => cursor.sibling(),
        }
        let drawn = Drawn::adopt(self, cursor.current());
        cursor.set(drawn.node());
        position.set(Position::NextChild);
        drawn
    }

    fn into_owned(self) -> Self {
        self
    }
}

/// Nothing is spread onto these elements.
impl AddAnyAttr for Element {
    type Output<New: Attribute> = Self;

    fn add_any_attr<New: Attribute>(self, _: New) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays_text() {
        let html = text("p", "a\"b", "O'Neil & Sons <K>").marked("data-long", true).to_html();
        assert_eq!(html, "<p class=\"a&quot;b\" data-long=\"\">O'Neil &amp; Sons &lt;K&gt;</p>");
    }

    #[test]
    fn children_stand_in_order() {
        let list = element("ol", "").children(vec![text("li", "", "1"), text("li", "", "2")]).maybe(None);
        assert_eq!(list.to_html(), "<ol><li>1</li><li>2</li></ol>");
    }
}
