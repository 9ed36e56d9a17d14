//! rehearsal

mod media;
