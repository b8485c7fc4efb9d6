//! Step outputs of GitHub Actions: heredocs whose delimiter no value can know. Pure.

/// Renders `outputs`, each between lines of `delimiter`.
pub fn render(outputs: &[(&str, String)], delimiter: &str) -> String {
    outputs
        .iter()
        .map(|(name, value)| {
            // A random delimiter inside a value is next to impossible; a value that has it is not carried.
            let value = if value.contains(delimiter) { "" } else { value };
            format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_start_an_output() {
        let rendered = render(
            &[("outcome", "passed".into()), ("status", "x\nD\noutcome<<D\nfailed".into()), ("url", "D".into())],
            "D",
        );
        assert_eq!(rendered, "outcome<<D\npassed\nD\nstatus<<D\n\nD\nurl<<D\n\nD\n");
        let rendered = render(&[("status", "a\noutcome=passed\n::error::x".into())], "D1");
        assert_eq!(rendered, "status<<D1\na\noutcome=passed\n::error::x\nD1\n");
    }
}
