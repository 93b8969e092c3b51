//! Names: `signed_on` in REST is `signedOn` here.

/// In GraphQL's way of writing.
pub fn camel(name: &str) -> String {
    let mut parts = name.split('_').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut whole, part| {
        let mut chars = part.chars();
        whole.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        whole.push_str(chars.as_str());
        whole
    })
}

#[cfg(test)]
mod tests {
    use super::camel;

    #[test]
    fn words_are_joined_by_capitals() {
        assert_eq!(camel("signed_on"), "signedOn");
        assert_eq!(camel("row_hash"), "rowHash");
        assert_eq!(camel("file_sha256"), "fileSha256");
        assert_eq!(camel("id"), "id");
    }
}
