//! The real program, as it is run: killed, starved, cut off from what it needs, and spoken to at a shell.
//!
//! Everything that it says is searched for callers' numbers (see `program`), and every process is ended by its id.

#[cfg(test)]
mod callers;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod company;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod erased;
#[cfg(test)]
mod import;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod locked;
#[cfg(test)]
#[path = "../shared/numbers.rs"]
mod numbers;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod trail;
#[cfg(test)]
#[path = "../shared/twilio.rs"]
mod twilio;
