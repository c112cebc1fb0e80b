use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is a folder for temporary files")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_old_file_stays_until_the_new_one_is_whole() {
    let folder = folder();
    let path = folder.path().join("a");
    fs::write(&path, "old").unwrap();
    let mut new = Whole::create(&path).unwrap();
    new.write_all(b"half").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    drop(new);
    assert_eq!(
        (fs::read(&path).unwrap(), names(folder.path())),
        (b"old".to_vec(), vec!["a".to_owned()])
    );
    assert_eq!(write(&path, b"new").unwrap(), path);
    assert_eq!(
        (fs::read(&path).unwrap(), names(folder.path())),
        (b"new".to_vec(), vec!["a".to_owned()])
    );
    assert_eq!(write_new(&path, b"x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn what_is_no_place_for_a_file_is_known_before_anything_is_written() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").unwrap();
    for path in ["", "file/below", "no/such", ".."] {
        assert!(Whole::create(&folder.path().join(path)).is_err(), "{path}");
    }
}

#[test]
#[cfg(unix)]
fn links_and_modes_stay_and_devices_are_written_to() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder();
    let (path, link) = (folder.path().join("a"), folder.path().join("link"));
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("a", &link).unwrap();
    write(&link, b"new").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    write(Path::new("/dev/null"), b"x").unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    if Path::new("/dev/full").exists() {
        assert!(write(Path::new("/dev/full"), b"x").is_err());
    }
}

#[test]
fn a_faults_text_says_how_and_at_which_call() {
    use fault::{How, Injected};
    assert_eq!("cut:7".parse(), Ok(Injected { how: How::Cut, at: 7 }));
    assert!("cut".parse::<Injected>().is_err() && "all:1".parse::<Injected>().is_err());
}
