//! Which described device a name in a foreign table means.

/// The id of the one known device that is called `name`, or that is called so after its maker: `rtx3090` is
/// `nvidia-rtx-3090`. Names of which nothing but a short number is left mean no device.
pub(crate) fn known<'a>(name: &str, ids: &'a [String]) -> Option<&'a str> {
    let wanted = plain(name);
    if let Some(id) = ids.iter().find(|id| plain(id) == wanted) {
        return Some(id);
    }
    let mut found = ids.iter().filter(|id| wanted.len() >= 4 && endings(id).any(|end| end == wanted));
    match (found.next(), found.next()) {
        (Some(id), None) => Some(id),
        _ => None,
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What is left of an id when its first words are taken away.
fn endings(id: &str) -> impl Iterator<Item = String> {
    id.match_indices('-').map(|(at, _)| plain(id.get(at..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_same_device_is_found() {
        let ids = [
            "apple-m2",
            "nvidia-rtx-3090",
            "nvidia-t4",
            "raspberry-pi-5",
            "intel-core-i9-13900k",
            "x-rtx-9",
            "y-rtx-9",
        ];
        let ids = ids.map(str::to_owned);
        let check = |name: &str, expect: Option<&str>| assert_eq!(known(name, &ids), expect, "{name}");
        check("rtx3090", Some("nvidia-rtx-3090"));
        check("RTX_3090", Some("nvidia-rtx-3090"));
        check("3090", Some("nvidia-rtx-3090"));
        check("i9_13900k", Some("intel-core-i9-13900k"));
        check("apple-m2", Some("apple-m2"));
        check("i9_10940x", None);
        check("5", None);
        check("rtx9", None);
        check("3090ti", None);
    }
}
