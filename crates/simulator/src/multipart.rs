//! Just enough of `multipart/form-data` (RFC 7578) for uploads to the played APIs.

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// Set for a file.
    pub(crate) filename: Option<String>,
    /// What a file says that it is.
    pub(crate) content_type: Option<String>,
    pub(crate) content: Vec<u8>,
}

/// The fields of the body; `None` when the content type names no multipart form.
pub(crate) fn parse(content_type: &str, body: &[u8]) -> Option<Vec<Part>> {
    let parameters = content_type.strip_prefix("multipart/form-data")?;
    let boundary = parameter(parameters, "boundary")?;
    let delimiter = format!("--{boundary}");
    let parts = split(body, delimiter.as_bytes())
        .into_iter()
        .skip(1)
        .filter_map(part)
        .collect();
    Some(parts)
}

fn part(section: &[u8]) -> Option<Part> {
    let section = section.strip_prefix(b"\r\n")?;
    let end_of_head = find(section, b"\r\n\r\n")?;
    let (head, rest) = section.split_at(end_of_head);
    let content = rest.strip_prefix(b"\r\n\r\n")?;
    let content = content.strip_suffix(b"\r\n").unwrap_or(content);
    let head = String::from_utf8_lossy(head);
    let header = |name: &str| {
        let mut lines = head.lines();
        lines.find(|line| line.to_ascii_lowercase().starts_with(name))
    };
    let disposition = header("content-disposition:")?;
    let content_type = header("content-type:").and_then(|line| line.split_once(':'));
    Some(Part {
        name: parameter(disposition, "name")?,
        filename: parameter(disposition, "filename"),
        content_type: content_type.map(|(_, value)| value.trim().to_owned()),
        content: content.to_vec(),
    })
}

/// The value of `; name=value` or `; name="value"`.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').find_map(|piece| {
        let (key, value) = piece.split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn split<'a>(body: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    let mut sections = Vec::new();
    let mut rest = body;
    while let Some(at) = find(rest, delimiter) {
        let (section, tail) = rest.split_at(at);
        sections.push(section);
        rest = tail.get(delimiter.len()..).unwrap_or_default();
    }
    sections.push(rest);
    sections
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_files_come_apart() {
        let body = b"--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
            --XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.ogg\"\r\n\
            Content-Type: audio/ogg\r\n\r\nOgg\r\n\r\nS\r\n--XX--\r\n";
        let parts = parse("multipart/form-data; boundary=XX", body).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].name, "model");
        assert_eq!(parts[0].content, b"whisper-1");
        assert_eq!(parts[1].filename.as_deref(), Some("a.ogg"));
        assert_eq!(parts[1].content_type.as_deref(), Some("audio/ogg"));
        assert_eq!(parts[1].content, b"Ogg\r\n\r\nS");
    }

    #[test]
    fn other_content_types_are_no_forms() {
        assert_eq!(parse("application/json", b"{}"), None);
        assert_eq!(parse("multipart/form-data", b""), None);
        assert_eq!(
            parse("multipart/form-data; boundary=X", b"--X\r\nbroken"),
            Some(vec![])
        );
    }
}
