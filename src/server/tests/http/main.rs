//! The real router, in this process: a fixed clock, seeded randomness, and a log that must never hold a number.

#[cfg(test)]
mod canary;
#[cfg(test)]
mod company;
#[cfg(test)]
mod house;
#[cfg(test)]
#[path = "../shared/numbers.rs"]
mod numbers;
#[cfg(test)]
mod page;
#[cfg(test)]
mod records;
#[cfg(test)]
mod token;
#[cfg(test)]
#[path = "../shared/twilio.rs"]
mod twilio;
#[cfg(test)]
mod voice;
