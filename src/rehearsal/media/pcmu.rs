//! pcmu
