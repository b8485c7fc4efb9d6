//! What the project says of itself holds: its documents and packages, and the order of its rooms.

mod packaging;
mod rooms;
