//! The only network; a recording is another source of answers.

pub mod connection;
pub mod http;
pub mod resolver;
pub mod recording;
