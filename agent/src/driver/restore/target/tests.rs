//! Names and folders that mean ill: case 65 of the reference's fault tests, and CVE-2026-58072.

use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::time::{Duration, UNIX_EPOCH};

use super::*;

struct Stage {
    place: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("root")).unwrap();
        fs::create_dir(place.path().join("outside")).unwrap();
        fs::write(place.path().join("outside/secret"), "untouched").unwrap();
        Self { place }
    }

    fn root(&self) -> PathBuf {
        self.place.path().join("root")
    }

    fn target(&self, existing: Existing) -> Target {
        Target::beneath(&[self.root()], &self.root().display().to_string(), existing).unwrap()
    }

    /// Everything outside the target is as it was.
    fn is_safe(&self) -> bool {
        let names = |folder: &str| fs::read_dir(self.place.path().join(folder)).unwrap().count();
        names(".") == 2
            && names("outside") == 1
            && fs::read_to_string(self.place.path().join("outside/secret")).unwrap() == "untouched"
    }
}

fn parts(path: &str) -> Vec<OsString> {
    path.split('/').map(OsString::from).collect()
}

fn put(target: &mut Target, path: &[OsString], text: &str) -> Result<Put, String> {
    let put = target.put(path, text.len() as u64, Attributes::default(), &mut text.as_bytes());
    put.map_err(|error| match error {
        PutError::Item(reason) => reason,
        PutError::Source(error) => panic!("{error}"),
    })
}

#[test]
fn cve_2026_58072_names_that_lead_elsewhere_are_reported_and_write_nothing() {
    let stage = Stage::new();
    let mut target = stage.target(Existing::Overwrite);
    let long = "x".repeat(65_536);
    for bad in ["../outside/secret", "a/../../outside/secret", "..", ".", "", "a//b", "a\0b", &long] {
        put(&mut target, &parts(bad), "evil").unwrap_err();
    }
    put(&mut target, &[OsString::from("/etc/evil")], "evil").unwrap_err();
    put(&mut target, &vec![OsString::from("deep"); 2_000], "evil").unwrap_err();
    assert_eq!(fs::read_dir(stage.root()).unwrap().count(), 0);
    // Names that are odd and harmless are kept as they are.
    for odd in [OsString::from("C:"), OsString::from("a\\b"), OsString::from_vec(vec![b'x', 0xff])] {
        assert_eq!(put(&mut target, std::slice::from_ref(&odd), "x"), Ok(Put::Written(1)));
        assert!(stage.root().join(odd).is_file());
    }
    assert!(stage.is_safe());
}

#[test]
fn no_link_is_followed_and_none_is_replaced() {
    let stage = Stage::new();
    symlink("../outside", stage.root().join("way")).unwrap();
    symlink("way", stage.root().join("chain")).unwrap();
    symlink(stage.place.path().join("outside"), stage.root().join("absolute")).unwrap();
    symlink("../outside/secret", stage.root().join("file")).unwrap();
    fs::create_dir(stage.root().join("inside")).unwrap();
    symlink("inside", stage.root().join("harmless")).unwrap();
    let mut target = stage.target(Existing::Overwrite);
    for path in ["way/new", "chain/new", "absolute/new", "way/deeper/new", "harmless/new"] {
        let reason = put(&mut target, &parts(path), "evil").unwrap_err();
        assert!(reason.contains("is a link"), "{reason}");
    }
    assert!(put(&mut target, &parts("file"), "evil").unwrap_err().contains("a link"));
    let made = target.put_folder(&parts("way"), Attributes::default());
    assert!(matches!(made, Err(PutError::Item(_))));
    assert!(stage.is_safe());
    // Nor when it lies where the file is written aside.
    let aside = stage.root().join(names::aside(OsStr::new("plain")));
    symlink("../outside/secret", &aside).unwrap();
    assert_eq!(put(&mut target, &parts("plain"), "text"), Ok(Put::Written(4)));
    assert!(stage.is_safe() && !aside.exists());
}

#[test]
fn a_folder_that_becomes_a_link_meanwhile_leads_nowhere() {
    let stage = Stage::new();
    let mut target = stage.target(Existing::Overwrite);
    put(&mut target, &parts("a/one"), "1").unwrap();
    fs::rename(stage.root().join("a"), stage.root().join("b")).unwrap();
    symlink("../outside", stage.root().join("a")).unwrap();
    // The handle still leads to the folder that was opened, whatever its name is now.
    put(&mut target, &parts("a/two"), "2").unwrap();
    assert!(stage.root().join("b/two").is_file());
    put(&mut target, &parts("other"), "3").unwrap();
    put(&mut target, &parts("a/three"), "3").unwrap_err();
    assert!(stage.is_safe());
}

#[test]
fn a_hard_link_is_replaced_and_its_other_name_keeps_its_bytes() {
    let stage = Stage::new();
    fs::hard_link(stage.place.path().join("outside/secret"), stage.root().join("same")).unwrap();
    let mut target = stage.target(Existing::Overwrite);
    assert_eq!(put(&mut target, &parts("same"), "new"), Ok(Put::Written(3)));
    assert_eq!(fs::read_to_string(stage.root().join("same")).unwrap(), "new");
    assert!(stage.is_safe());
}

#[test]
fn devices_pipes_and_folders_in_the_way_stay() {
    let stage = Stage::new();
    let pipe = stage.root().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::create_dir(stage.root().join("folder")).unwrap();
    fs::write(stage.root().join("text"), "t").unwrap();
    let mut target = stage.target(Existing::Overwrite);
    assert!(put(&mut target, &parts("pipe"), "x").unwrap_err().contains("device"));
    assert!(put(&mut target, &parts("folder"), "x").unwrap_err().contains("a folder"));
    assert!(put(&mut target, &parts("text/below"), "x").unwrap_err().contains("a file"));
}

#[test]
fn what_is_there_stays_or_gives_way_as_asked_and_a_short_file_never_arrives() {
    let stage = Stage::new();
    fs::write(stage.root().join("a"), "old").unwrap();
    let mut keep = stage.target(Existing::Keep);
    assert_eq!(put(&mut keep, &parts("a"), "new"), Ok(Put::Kept));
    assert_eq!(put(&mut keep, &parts("b"), "new"), Ok(Put::Written(3)));
    let mut over = stage.target(Existing::Overwrite);
    for (size, text) in [(9, "short"), (2, "long")] {
        let put = over.put(&parts("a"), size, Attributes::default(), &mut text.as_bytes());
        assert!(matches!(put, Err(PutError::Item(reason)) if reason.contains("bytes")));
    }
    assert_eq!(fs::read_to_string(stage.root().join("a")).unwrap(), "old");
    assert_eq!(put(&mut over, &parts("a"), "new"), Ok(Put::Written(3)));
    let names = fs::read_dir(stage.root()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| name == "a" || name == "b"), "nothing is left aside");
}

#[test]
fn modes_and_times_come_back_and_nothing_runs_as_somebody_else() {
    let stage = Stage::new();
    let mut target = stage.target(Existing::Keep);
    let at = UNIX_EPOCH + Duration::from_mins(25_000_000);
    let like = |mode| Attributes { mode: Some(mode), owner: Some((1, 1)), modified: Some(at) };
    target.put_folder(&parts("d"), like(0o2750)).unwrap_or_else(|error| panic!("{error:?}"));
    target.put(&parts("d/f"), 1, like(0o4755), &mut &b"x"[..]).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(target.finish(), []);
    let meta = |path: &str| fs::metadata(stage.root().join(path)).unwrap();
    assert_eq!(meta("d").permissions().mode() & 0o7777, 0o750);
    assert_eq!(meta("d/f").permissions().mode() & 0o7777, 0o755);
    assert_eq!((meta("d").modified().unwrap(), meta("d/f").modified().unwrap()), (at, at));
    let own = meta(".").uid();
    assert_eq!(meta("d/f").uid(), own, "owners are given back in place only");
}

/// Acts as somebody who may not change owners, whoever runs the tests.
fn unprivileged<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    let dropped = || {
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::process::Uid::from_raw(65_534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        act()
    };
    std::thread::scope(|scope| scope.spawn(dropped).join().unwrap())
}

#[test]
fn what_could_not_be_given_back_beside_the_bytes_is_said() {
    let stage = Stage::new();
    fs::set_permissions(stage.root(), fs::Permissions::from_mode(0o777)).unwrap();
    let root = Dir::open_ambient_dir(stage.root(), ambient_authority()).unwrap();
    let mut target = Target::new(root, Existing::Keep, true);
    let roots = Attributes { mode: Some(0o640), owner: Some((0, 0)), ..Attributes::default() };
    let (put, folders) = unprivileged(|| {
        target.put_folder(&parts("d"), roots).unwrap_or_else(|error| panic!("{error:?}"));
        let put = target.put(&parts("f"), 1, roots, &mut &b"x"[..]);
        (put.unwrap_or_else(|error| panic!("{error:?}")), target.finish())
    });
    let Put::Incomplete(1, reason) = put else { panic!("{put:?}") };
    assert!(reason.contains("may not set its owner") && !reason.contains("permissions"), "{reason}");
    assert_eq!(folders, [(parts("d"), reason)]);
    let file = fs::metadata(stage.root().join("f")).unwrap();
    assert_eq!((file.len(), file.permissions().mode() & 0o777), (1, 0o640), "all else is as it was");
}

#[test]
fn permissions_that_a_file_system_does_not_take_are_said() {
    // Nobody may change those of what the kernel shows.
    let file = fs::OpenOptions::new().write(true).open("/proc/self/comm").unwrap();
    let attributes = Attributes { mode: Some(0o600), ..Attributes::default() };
    assert_eq!(attributes.apply(&file, false).unwrap(), ["permissions"]);
}

#[test]
fn other_folders_are_taken_only_beneath_the_roots() {
    let stage = Stage::new();
    let root = stage.root().display().to_string();
    let open = |wanted: &str| Target::beneath(&[stage.root()], wanted, Existing::Keep).map(drop);
    open(&format!("{root}/new/deep")).unwrap();
    assert!(stage.root().join("new/deep").is_dir());
    symlink("../outside", stage.root().join("way")).unwrap();
    let beside = stage.place.path().join("root-beside").display().to_string();
    for bad in [&format!("{root}/../outside"), "/etc", "relative", &format!("{root}/way/x"), &beside, ""] {
        open(bad).unwrap_err();
    }
    let none = Target::beneath(&[], &root, Existing::Keep).unwrap_err();
    assert!(none.0.contains("restore-roots"), "{}", none.0);
    assert!(stage.is_safe());
}

#[test]
fn names_that_differ_in_case_are_two_files_where_the_file_system_says_so() {
    let stage = Stage::new();
    let mut target = stage.target(Existing::Overwrite);
    put(&mut target, &parts("Same"), "1").unwrap();
    put(&mut target, &parts("same"), "2").unwrap();
    assert_eq!(fs::read_to_string(stage.root().join("Same")).unwrap(), "1");
    // A file system that takes both for one looks, to whoever asks, like two names of one file.
    fs::hard_link(stage.root().join("Same"), stage.root().join("SAME")).unwrap();
    assert!(put(&mut target, &parts("SAME"), "3").unwrap_err().contains("only in case"));
    assert_eq!(fs::read_to_string(stage.root().join("Same")).unwrap(), "1");
}
