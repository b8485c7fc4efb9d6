//! What is checked: the document, the assertions, the extracts. Pure.

pub mod catalogue;
pub mod document;
pub mod assertion;
pub mod extract;
pub mod field;
