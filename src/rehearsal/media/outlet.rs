//! outlet
