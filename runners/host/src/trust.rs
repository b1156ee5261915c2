//! Whether a file may be loaded: not if anybody but its user and root can change it, or a folder on the way to it; and
//! its digest. The rules are those that OpenSSH has for its key files.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, geteuid, getgid, getuid};
use sha2::{Digest, Sha256};

/// The bits of a file's mode.
mod mode {
    pub const WORLD_WRITABLE: u32 = 0o002;
    pub const GROUP_WRITABLE: u32 = 0o020;
    /// In such a folder only the owner of an entry may replace it.
    pub const STICKY: u32 = 0o1000;
}

/// Whether the program runs with another user's rights than its caller's: then the caller's environment and folders must
/// not decide what is loaded.
#[must_use]
pub fn elevated() -> bool {
    getuid() != geteuid() || getgid() != getegid()
}

/// Checks a file behind all links, and every folder from the root to it and to the link; returns the file itself. The
/// error is the reason and what mends it.
pub(crate) fn check(path: &Path) -> Result<PathBuf, String> {
    let real = real(path)?;
    refuse(&real, "file", false)?;
    for folder in [path.parent(), real.parent()].into_iter().flatten() {
        check_folder(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    }
    Ok(real)
}

/// Checks a folder that libraries are taken from, and those above it.
pub(crate) fn check_folder(folder: &Path) -> Result<PathBuf, String> {
    let real = real(folder)?;
    refuse(&real, "folder", false)?;
    for above in real.ancestors().skip(1) {
        refuse(above, "folder", true)?;
    }
    Ok(real)
}

fn real(path: &Path) -> Result<PathBuf, String> {
    fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Fails if others may change `path`. Where it only leads to something whose owner was checked, a sticky folder such as
/// `/tmp` will do.
fn refuse(path: &Path, what: &str, leads_on: bool) -> Result<(), String> {
    let found = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let shown = path.display();
    if !trusted_owner(found.uid()) {
        let owner = found.uid();
        return Err(format!(
            "the {what} {shown} belongs to user {owner}, who could change it; use a copy of your own, or run `chown` on it"
        ));
    }
    let sticky = found.mode() & mode::STICKY != 0;
    if leads_on && sticky {
        return Ok(());
    }
    if found.mode() & mode::WORLD_WRITABLE != 0 {
        let mend =
            if sticky { "use a folder of your own".into() } else { format!("run `chmod o-w {shown}`") };
        return Err(format!("every user may change the {what} {shown}; {mend}"));
    }
    if found.mode() & mode::GROUP_WRITABLE != 0 && !private_group(&found) {
        let group = found.gid();
        return Err(format!("group {group} may change the {what} {shown}; run `chmod g-w {shown}`"));
    }
    Ok(())
}

/// Root, the user, and whoever owns this program, who could change what it does anyway.
fn trusted_owner(owner: u32) -> bool {
    let program = || std::env::current_exe().and_then(fs::metadata).map(|program| program.uid());
    owner == 0 || owner == geteuid().as_raw() || program().is_ok_and(|uid| uid == owner)
}

/// Whether nobody but the user is in the group of a file, as where every user has a group of their own. Root's group is as
/// good as root.
fn private_group(found: &Metadata) -> bool {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    found.gid() == 0
        || found.gid() == getegid().as_raw()
            && alone_in_group(found.gid(), geteuid().as_raw(), &text("/etc/passwd"), &text("/etc/group"))
}

/// The same by the texts of the system's lists. A group that they do not have counts as private if it has its user's
/// number, as those have by convention.
fn alone_in_group(group: u32, user: u32, users: &str, groups: &str) -> bool {
    let users: Vec<User<'_>> = users.lines().filter_map(User::parse).collect();
    if users.iter().any(|one| one.group == group && one.id != user) {
        return false;
    }
    let ours = |name: &str| users.iter().any(|one| one.id == user && one.name == name);
    match groups.lines().find_map(|line| members(line, group)) {
        Some(list) => list.split(',').map(str::trim).all(|name| name.is_empty() || ours(name)),
        None => group == user,
    }
}

/// A line of `/etc/passwd`.
struct User<'a> {
    name: &'a str,
    id: u32,
    group: u32,
}

impl<'a> User<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        Some(Self { name, id: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    }
}

/// The members that a line of `/etc/group` lists, if it is that group's.
fn members(line: &str, group: u32) -> Option<&str> {
    let mut fields = line.split(':').skip(2);
    (fields.next()?.parse() == Ok(group)).then(|| fields.next().unwrap_or_default())
}

/// The SHA-256 of a file in lower-case hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub fn file_digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        match buffer.get(..read) {
            Some(bytes) if !bytes.is_empty() => hasher.update(bytes),
            _ => break,
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// `outer/inner/libx.so` with these modes.
    fn tree(outer: u32, inner: u32, file: u32) -> Result<PathBuf, String> {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("inner/libx.so");
        fs::create_dir(library.parent().unwrap()).unwrap();
        fs::write(&library, "x").unwrap();
        set_mode(&library, file);
        set_mode(library.parent().unwrap(), inner);
        set_mode(folder.path(), outer);
        check(&library)
    }

    fn refused(found: Result<PathBuf, String>, begins: &str, ends: &str) {
        let why = found.unwrap_err();
        assert!(why.starts_with(begins) && why.contains(ends), "{why}");
    }

    #[test]
    fn what_everybody_may_change_is_refused() {
        assert!(tree(0o755, 0o755, 0o644).is_ok());
        refused(tree(0o755, 0o755, 0o646), "every user may change the file ", "chmod o-w");
        refused(tree(0o755, 0o757, 0o644), "every user may change the folder ", "inner; run `chmod o-w");
        refused(tree(0o777, 0o755, 0o644), "every user may change the folder ", "chmod o-w");
    }

    #[test]
    fn a_sticky_folder_may_lead_to_a_file_and_not_hold_it() {
        assert!(tree(0o1777, 0o755, 0o644).is_ok());
        refused(tree(0o755, 0o1777, 0o644), "every user may change the folder ", "use a folder of your own");
    }

    #[test]
    fn a_link_is_checked_on_both_of_its_ends() {
        let (ours, open) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (library, link) = (ours.path().join("libx.so"), open.path().join("libx.so"));
        fs::write(&library, "x").unwrap();
        symlink(&library, &link).unwrap();
        assert_eq!(check(&link).unwrap(), fs::canonicalize(&library).unwrap());
        set_mode(open.path(), 0o777);
        refused(check(&link), "every user may change the folder ", open.path().to_str().unwrap());
        set_mode(open.path(), 0o755);
        set_mode(ours.path(), 0o777);
        refused(check(&link), "every user may change the folder ", ours.path().to_str().unwrap());
    }

    #[test]
    fn a_group_of_ones_own_may_write_and_no_other() {
        let users =
            "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:\nbob:x:1001:100::/:\ncat:x:1002:100::/:\n";
        let groups = "root:x:0:\nann:x:1000:\nusers:x:100:\nteam:x:200:ann,bob\nmine:x:201:ann\n";
        let alone = |group, user| alone_in_group(group, user, users, groups);
        assert!(alone(1000, 1000) && alone(201, 1000), "named after the user, or with nobody else in it");
        assert!(!alone(100, 1001), "two users have it as their own");
        assert!(!alone(200, 1000), "it lists another");
        assert!(alone(5000, 5000) && !alone(5001, 5000), "users from a directory service");
    }

    #[test]
    fn somebody_elses_file_is_refused() {
        // Only root can give a file away.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("libx.so");
        fs::write(&file, "x").unwrap();
        if std::os::unix::fs::chown(&file, Some(54321), None).is_ok() {
            refused(check(&file), "the file ", "belongs to user 54321");
        }
    }

    #[test]
    fn digest_is_the_published_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        fs::write(&file, "abc").unwrap();
        // The first example of FIPS 180-2.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(file_digest(&file).unwrap(), expected);
    }
}
