//! The lock that the page holds while somebody is on duty. Browsers freeze a tab at which nobody looks: the cloud would still
//! ring it, and nobody would hear. They do not freeze one that holds a lock, since others might wait for it.
//!
//! Invariant: it is shared, so that nobody does wait for it; and a page that is away does not hold it, because the back/forward
//! cache takes none that does.

use std::cell::RefCell;

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;

use crate::switchboard::heedless;

#[wasm_bindgen]
extern "C" {
    type Resolvers;

    #[wasm_bindgen(js_namespace = Promise, js_name = withResolvers, catch)]
    fn with_resolvers() -> Result<Resolvers, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn promise(this: &Resolvers) -> Promise;

    #[wasm_bindgen(method)]
    fn resolve(this: &Resolvers);

    #[wasm_bindgen(js_namespace = ["navigator", "locks"], catch)]
    fn request(name: &str, options: &Object, held: &Function) -> Result<Promise, JsValue>;
}

/// Holds the lock when it should.
#[derive(Default)]
pub(crate) struct ShiftLock {
    held: RefCell<Option<Resolvers>>,
}

impl ShiftLock {
    /// Holds it, or not. A browser that has no locks has none to hold.
    pub(crate) fn hold(&self, hold: bool) {
        let mut held = self.held.borrow_mut();
        if held.is_some() == hold {
            return;
        }
        match held.take() {
            Some(held) => held.resolve(),
            None => *held = taken().ok(),
        }
    }
}

fn taken() -> Result<Resolvers, JsValue> {
    let resolvers = with_resolvers()?;
    let options = Object::new();
    Reflect::set(&options, &"mode".into(), &"shared".into())?;
    // It is held until the promise is resolved that this function, `then`, gives: one that follows ours.
    let promise = resolvers.promise();
    let then = Reflect::get(&promise, &"then".into())?.unchecked_into::<Function>().bind0(&promise);
    heedless(request("hitoku-shift", &options, &then)?);
    Ok(resolvers)
}
