//! What a run says in the end: one value, and a renderer a format. All are made from that value, so they cannot
//! disagree.

pub mod result;
pub mod progress;
pub mod files;
pub mod render;
pub mod ci;
pub mod reporter;

mod cases;
mod annotations;
pub mod dotenv;
pub mod github;
mod intoto;
mod junit;
mod markdown;
mod live;
mod view;
pub mod people;
