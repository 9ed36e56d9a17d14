//! What a shift does, told as an operator or a caller would, and held against a tiny model of it.
//!
//! Only the public interface is used: a test says what the browser would see.

mod console;
mod line;
mod model;
mod ringing;
mod starting;
mod talking;
mod token;
