//! An element in the browser's document, and how it is drawn again.
//!
//! Invariant: hydration trusts the server: both sides drew the same state, so nothing but the listeners is missing.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::{Mountable, document};
use leptos::wasm_bindgen::JsCast;
use leptos::wasm_bindgen::closure::Closure;
use leptos::web_sys::{Element as DomElement, Node};

use super::{Element, Key, Press};

const HTML: &str = "http://www.w3.org/1999/xhtml";
const SVG: &str = "http://www.w3.org/2000/svg";

/// An element that is drawn.
pub(crate) struct Drawn {
    element: DomElement,
    tag: &'static str,
    key: Key,
    attributes: Vec<(&'static str, Cow<'static, str>)>,
    text: Option<Cow<'static, str>>,
    children: Vec<Drawn>,
    press: Option<Listener>,
}

/// The listener of an element, for as long as the element is drawn; what it does can change.
struct Listener {
    press: Rc<RefCell<Press>>,
    closure: Closure<dyn Fn()>,
}

impl Drawn {
    pub(super) fn build(new: Element) -> Self {
        let element = create(new.tag);
        for (name, value) in &new.attributes {
            drop(element.set_attribute(name, value));
        }
        if let Some(text) = &new.text {
            element.set_text_content(Some(text));
        }
        let children: Vec<_> = new.children.into_iter().map(Self::build).collect();
        for child in &children {
            drop(element.append_child(&child.element));
        }
        let press = new.press.map(|press| Listener::new(&element, press));
        let Element { tag, key, attributes, text, .. } = new;
        Self { element, tag, key, attributes, text, children, press }
    }

    /// Takes over what the server rendered. Where that is not what it should be, it is drawn anew.
    pub(super) fn adopt(new: Element, node: Node) -> Self {
        let element = match node.dyn_into::<DomElement>() {
            Ok(element) if element.local_name() == new.tag => element,
            Ok(other) => return Self::build_instead_of(new, &other),
            Err(other) => return Self::build_instead_of(new, &other),
        };
        let mut next = element.first_child();
        let mut children = Vec::with_capacity(new.children.len());
        for child in new.children {
            let drawn = match next {
                Some(node) => Self::adopt(child, node),
                None => {
                    let drawn = Self::build(child);
                    drop(element.append_child(&drawn.element));
                    drawn
                }
            };
            next = drawn.element.next_sibling();
            children.push(drawn);
        }
        let press = new.press.map(|press| Listener::new(&element, press));
        let Element { tag, key, attributes, text, .. } = new;
        Self { element, tag, key, attributes, text, children, press }
    }

    fn build_instead_of(new: Element, other: &Node) -> Self {
        let drawn = Self::build(new);
        if let Some(parent) = other.parent_node() {
            drop(parent.replace_child(&drawn.element, other));
        }
        drawn
    }

    pub(super) fn rebuild(&mut self, new: Element) {
        if !self.is(&new) {
            let old = std::mem::replace(self, Self::build(new));
            drop(old.element.replace_with_with_node_1(&self.element));
            return;
        }
        for (name, value) in &new.attributes {
            if !self.attributes.iter().any(|(old, same)| old == name && same == value) {
                drop(self.element.set_attribute(name, value));
            }
        }
        for (name, _) in &self.attributes {
            if !new.attributes.iter().any(|(kept, _)| kept == name) {
                drop(self.element.remove_attribute(name));
            }
        }
        self.attributes = new.attributes;
        if self.text != new.text {
            self.element.set_text_content(new.text.as_deref());
            self.text = new.text;
        }
        self.rebuild_children(new.children);
        match (&mut self.press, new.press) {
            (Some(listener), Some(press)) => drop(listener.press.replace(press)),
            (listener, press) => {
                if let Some(listener) = listener.take() {
                    listener.stop(&self.element);
                }
                *listener = press.map(|press| Listener::new(&self.element, press));
            }
        }
    }

    /// Children keep their order: what is not found again further on is gone, and what was not there is new.
    fn rebuild_children(&mut self, new: Vec<Element>) {
        let mut rest = std::mem::take(&mut self.children);
        rest.reverse();
        for child in new {
            if let Some(at) = rest.iter().rposition(|drawn| drawn.is(&child)) {
                for gone in rest.drain(at + 1..) {
                    gone.element.remove();
                }
            }
            let drawn = match rest.pop_if(|drawn| drawn.is(&child)) {
                Some(mut drawn) => {
                    drawn.rebuild(child);
                    drawn
                }
                None => {
                    let drawn = Self::build(child);
                    let before: Option<&Node> = rest.last().map(|next| next.element.as_ref());
                    drop(self.element.insert_before(&drawn.element, before));
                    drawn
                }
            };
            self.children.push(drawn);
        }
        for gone in rest {
            gone.element.remove();
        }
    }

    fn is(&self, new: &Element) -> bool {
        self.tag == new.tag && self.key == new.key
    }

    pub(super) fn node(&self) -> Node {
        self.element.clone().into()
    }
}

impl Listener {
    fn new(element: &DomElement, press: Press) -> Self {
        let press = Rc::new(RefCell::new(press));
        let pressed = Rc::clone(&press);
        let closure = Closure::<dyn Fn()>::new(move || {
            let press = Press::clone(&pressed.borrow());
            press();
        });
        drop(element.add_event_listener_with_callback("click", closure.as_ref().unchecked_ref()));
        Self { press, closure }
    }

    fn stop(self, element: &DomElement) {
        drop(element.remove_event_listener_with_callback("click", self.closure.as_ref().unchecked_ref()));
    }
}

#[expect(clippy::expect_used, reason = "the tags are the page's own, and each is one that HTML or SVG has")]
fn create(tag: &'static str) -> DomElement {
    let namespace = if matches!(tag, "svg" | "path") { SVG } else { HTML };
    document().create_element_ns(Some(namespace), tag).expect("a well-formed tag")
}

impl Mountable for Drawn {
    fn unmount(&mut self) {
        self.element.remove();
    }

    fn mount(&mut self, parent: &DomElement, marker: Option<&Node>) {
        drop(parent.insert_before(&self.element, marker));
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        let Some(parent) = self.element.parent_element() else { return false };
        child.mount(&parent, Some(&self.element));
        true
    }

    fn elements(&self) -> Vec<DomElement> {
        vec![self.element.clone()]
    }
}
