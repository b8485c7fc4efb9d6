//! What is shown: secrets out, commands of terminals and CI systems out, formats, colors. The last door before any byte
//! is written.

pub mod redact;
pub mod sensitive;
pub mod escape;
pub mod format;
pub mod color;
pub mod marks;
