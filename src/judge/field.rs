//! What the catalogue knows of a part of the document, for people. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::judge::assertion::Assertion;
use crate::judge::catalogue::{self, Subject, Type};

/// One member of the document, or what a query selects.
#[derive(Debug, Serialize)]
pub struct Field {
    /// A query that selects it.
    pub query: String,
    /// What it is.
    #[serde(rename = "type")]
    pub is: String,
    /// The words that are known of it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub words: BTreeSet<&'static str>,
    /// Whether the server leaves it out when it is false, 0 or an empty text.
    pub may_be_left_out: bool,
    /// The answer of the server that it is first found in.
    pub answer: &'static str,
}

/// What a query can select, and the members of that; of the whole document if there is none.
///
/// # Errors
/// The query is malformed, or can select nothing that is known.
pub fn fields(query: Option<&str>, subject: Subject) -> Result<Vec<Field>, String> {
    let (written, types, is_left_out) = match query.map(str::trim).filter(|query| !matches!(*query, "" | "$" | "@")) {
        None => ("$".to_owned(), BTreeSet::from([catalogue::document(subject)]), false),
        Some(query) => {
            let rooted = if query.starts_with(['$', '@']) { query.to_owned() } else { format!("$.{query}") };
            let query = Assertion::query(&rooted)?.about(subject);
            if let Some(wrong) = query.refusals().first().or(query.warnings().first()) {
                return Err(wrong.clone());
            }
            (rooted, query.types(), query.may_be_left_out())
        }
    };
    let first = written.trim_start_matches(['$', '@', '.']);
    let first = first.split(['.', '[']).next().unwrap_or_default().to_owned();
    let mut fields =
        vec![field(written.clone(), &types.iter().copied().collect::<Vec<_>>(), is_left_out, (&first, subject))];
    let element = |is: &Type| match is {
        Type::List(_) => (format!("{written}[*]"), is.element()),
        is => (written.clone(), Some(*is)),
    };
    let mut members = BTreeMap::<String, (Vec<Type>, bool, String)>::new();
    for (path, is) in types.iter().map(element) {
        for (name, member) in is.into_iter().flat_map(Type::members) {
            let of = if first.is_empty() { name } else { &first };
            let entry = members.entry(format!("{path}.{name}")).or_insert((Vec::new(), true, of.to_owned()));
            entry.0.push(member.is);
            entry.1 &= member.may_be_left_out;
        }
    }
    fields.extend(
        members.into_iter().map(|(path, (types, is_left_out, of))| field(path, &types, is_left_out, (&of, subject))),
    );
    Ok(fields)
}

fn field(query: String, types: &[Type], may_be_left_out: bool, (first, subject): (&str, Subject)) -> Field {
    let told: BTreeSet<String> = types.iter().map(|is| is.told()).collect();
    Field {
        query,
        is: told.into_iter().collect::<Vec<_>>().join(" or "),
        words: types.iter().filter_map(|is| is.words()).flatten().copied().collect(),
        may_be_left_out: may_be_left_out && types.iter().all(|is| is.is_scalar()),
        answer: catalogue::answer(first, subject),
    }
}
