//! The real router, in this process: a fixed clock, seeded randomness, and a log that must never hold a number.

#[cfg(test)]
mod canary;
#[cfg(test)]
mod company;
#[cfg(test)]
mod house;
#[cfg(test)]
mod page;
#[cfg(test)]
mod records;
#[cfg(test)]
mod token;
#[cfg(test)]
mod voice;
