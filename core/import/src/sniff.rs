//! What a file is, judged by its first bytes and by its header.

/// Beginnings of files that are no text, and what to do with each.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "is compressed with gzip; unpack it first: gunzip -k"),
    (b"PK\x03\x04", "is a zip archive or a spreadsheet; unpack it, or save it as CSV"),
    (b"\xfd7zXZ\0", "is compressed with xz; unpack it first: unxz -k"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd; unpack it first: unzstd"),
    (b"BZh", "is compressed with bzip2; unpack it first: bunzip2 -k"),
    (b"PAR1", "is a Parquet file; write it as CSV first"),
    (b"\xff\xfe", "is in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "is in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8"),
];

/// Beginnings of texts that are something else than what they stand for.
const TEXTS: &[(&str, &str)] = &[
    ("<!doctype", "is a web page, not a table; download the raw file"),
    ("<html", "is a web page, not a table; download the raw file"),
    ("version https://git-lfs", "is a pointer of Git LFS, not the file; fetch it with git lfs pull"),
];

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a file with this beginning cannot be read as text.
pub(crate) fn refusal(name: &str, head: &[u8]) -> Option<String> {
    if head.is_empty() {
        return Some("is empty".to_owned());
    }
    if let Some((_, why)) = SIGNATURES.iter().find(|(start, _)| head.starts_with(start)) {
        let named = why.ends_with("-k") || why.ends_with("unzstd") || why.ends_with("UTF-8");
        return Some(if named { format!("{why} {name}") } else { (*why).to_owned() });
    }
    let start = head.get(..64).unwrap_or(head);
    if start.contains(&0) {
        let wide = start.iter().filter(|b| **b == 0).count() * 3 > start.len();
        let utf16 = "looks like UTF-16; convert it first: iconv -f UTF-16LE -t UTF-8";
        return Some(if wide {
            format!("{utf16} {name}")
        } else {
            "is no text: it has NUL bytes".to_owned()
        });
    }
    let text = String::from_utf8_lossy(start).trim_start().to_lowercase();
    TEXTS.iter().find(|(start, _)| text.starts_with(start)).map(|(_, why)| (*why).to_owned())
}

/// How many bytes the byte order mark takes.
pub(crate) fn mark(head: &[u8]) -> usize {
    if head.starts_with(MARK) { MARK.len() } else { 0 }
}

/// What is said of bytes that are not UTF-8.
pub(crate) fn not_utf8() -> String {
    "is not UTF-8; convert the file first, for example: iconv -f WINDOWS-1252 -t UTF-8".to_owned()
}

/// The kind of file that has such a header, and the command that reads it.
pub(crate) fn looks_like(columns: &[String]) -> Option<&'static str> {
    let has = |wanted: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(wanted));
    let timed = columns.iter().any(|c| c.ends_with("_samples_per_sec") || c.ends_with("_step_time"));
    if has("model") && (timed || (has("img_size") && has("top1"))) {
        return Some("it looks like a table of timm: convwise kb import timm");
    }
    if has("model") && has("pretrain") {
        return Some("it looks like timm's list of what weights were trained on, which has no figures");
    }
    if columns.iter().any(|c| c.to_lowercase().starts_with("weight")) && has("acc@1") {
        return Some("it looks like torchvision's table of weights: convwise kb import torchvision");
    }
    let first = columns.first().map_or("", String::as_str);
    if first.starts_with("{\"schema\"") {
        return Some("it looks like records that `convwise kb export` wrote: convwise kb merge");
    }
    first.starts_with('{').then_some("it looks like JSON, one object a line: convwise kb import jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &[u8], expect: Option<&str>) {
        assert_eq!(refusal("x.csv", head).as_deref(), expect, "{head:?}");
    }

    #[test]
    fn what_is_no_text_is_named_with_what_to_do() {
        check(b"", Some("is empty"));
        check(b"model,top1\n", None);
        check(b"\xef\xbb\xbfmodel,top1\n", None);
        check(b"\x1f\x8b\x08", Some("is compressed with gzip; unpack it first: gunzip -k x.csv"));
        check(b"PK\x03\x04", Some("is a zip archive or a spreadsheet; unpack it, or save it as CSV"));
        check(b"\xff\xfem\0", Some("is in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 x.csv"));
        check(b"m\0o\0d\0", Some("looks like UTF-16; convert it first: iconv -f UTF-16LE -t UTF-8 x.csv"));
        check(b"model,to\0p1,top5,params", Some("is no text: it has NUL bytes"));
        check(b"\n <!DOCTYPE html>", Some("is a web page, not a table; download the raw file"));
    }

    #[test]
    fn headers_are_recognised() {
        let named = |text: &str| looks_like(&text.split(',').map(str::to_owned).collect::<Vec<_>>());
        assert!(named("model,img_size,top1").unwrap().ends_with("import timm"));
        assert!(named("model,infer_step_time").unwrap().ends_with("import timm"));
        assert!(named("Weight,Acc@1,Params").unwrap().ends_with("import torchvision"));
        assert!(named("model,pretrain").unwrap().ends_with("has no figures"));
        assert!(named("{\"schema\":1,\"kind\":\"cost\"").unwrap().ends_with("kb merge"));
        assert_eq!(named("name,latency"), None);
    }
}
