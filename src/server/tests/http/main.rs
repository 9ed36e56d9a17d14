//! The real router, in this process: a fixed clock, seeded randomness, and a log that must never hold a number.

mod canary;
mod company;
mod house;
mod page;
mod token;
mod voice;
