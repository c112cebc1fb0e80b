//! Files that appear whole or not at all.
//!
//! Owns everything that the tool writes to disk: what is to replace a file is written beside it under a name of its own, synced, and
//! renamed when it is whole. Until then an older file stays as it is, also when the disk is full, the process is killed or the
//! machine loses its power. Devices, pipes and the like cannot be renamed over and are written directly.
//!
//! Each call to the system passes [`fault::gate`], so that a test can let any one of them fail.

pub mod fault;

use fault::Call;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::{Builder, NamedTempFile};

#[cfg(test)]
mod tests;

/// How the names of files begin that are not whole yet.
const PREFIX: &str = ".squall-";

/// Files that are not whole yet; an end by a signal takes them away.
static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A file that is being written, and that nobody sees before [`commit`](Self::commit).
#[derive(Debug)]
pub struct Whole {
    path: PathBuf,
    to: To,
}

#[derive(Debug)]
enum To {
    /// A temporary file, and what it is to become.
    Replace(NamedTempFile, PathBuf, Pending),
    /// A device or a pipe.
    Direct(File),
}

impl Whole {
    /// Begins. Whether the folder can be written to is known from here on; an old file of this name stays as it is.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn create(path: &Path) -> io::Result<Self> {
        let (target, permissions) = match fs::metadata(path) {
            Ok(old) if old.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(old) if !old.is_file() => {
                fault::gate(Call::Create)?;
                let to = To::Direct(OpenOptions::new().write(true).open(path)?);
                return Ok(Self {
                    path: path.to_owned(),
                    to,
                });
            }
            Ok(old) if old.permissions().readonly() => return Err(io::ErrorKind::PermissionDenied.into()),
            // A link goes on pointing where it points.
            Ok(old) => (fs::canonicalize(path)?, Some(old.permissions())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
            Err(error) => return Err(error),
        };
        if target.file_name().is_none() {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        fault::gate(Call::Create)?;
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(".tmp");
        #[cfg(unix)]
        let permissions = permissions.or_else(|| {
            use std::os::unix::fs::PermissionsExt;
            // What the mask of the process leaves of it.
            Some(fs::Permissions::from_mode(0o666))
        });
        if let Some(permissions) = permissions {
            builder.permissions(permissions);
        }
        let temporary = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        let pending = Pending::new(temporary.path());
        Ok(Self {
            path: path.to_owned(),
            to: To::Replace(temporary, target, pending),
        })
    }

    /// Where it is to be seen.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It is whole: puts it into its place.
    ///
    /// # Errors
    /// When the last of it cannot be written, or it cannot be put there; an old file is still what it was.
    pub fn commit(mut self) -> io::Result<PathBuf> {
        self.flush()?;
        if let To::Replace(temporary, target, _pending) = self.to {
            fault::gate(Call::Sync)?;
            temporary.as_file().sync_all()?;
            fault::gate(Call::Rename)?;
            temporary.persist(&target).map_err(|error| error.error)?;
            sync_folder(&target);
        }
        Ok(self.path)
    }
}

/// A name in [`PENDING`], for as long as this lives.
#[derive(Debug)]
struct Pending(PathBuf);

impl Pending {
    fn new(path: &Path) -> Self {
        pending().insert(path.to_owned());
        Self(path.to_owned())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        pending().remove(&self.0);
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = fault::gate_write(Call::Write, bytes)?;
        match &mut self.to {
            To::Replace(temporary, ..) => temporary.as_file_mut().write(bytes),
            To::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Replace(temporary, ..) => temporary.as_file_mut().flush(),
            To::Direct(file) => file.flush(),
        }
    }
}

/// Writes a whole file at once.
///
/// # Errors
/// When it cannot be written; an old file is still what it was.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut file = Whole::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Makes a folder, and those above it.
///
/// # Errors
/// When it cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fault::gate(Call::Folder)?;
    fs::create_dir_all(path)
}

/// Writes a file that must not be there yet.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    write(path, bytes).map(|_| ())
}

/// Takes a file away.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    fault::gate(Call::Remove)?;
    fs::remove_file(path)
}

/// Gives a file another name in its folder; one that has that name is gone.
///
/// # Errors
/// When it cannot be renamed.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fault::gate(Call::Rename)?;
    fs::rename(from, to)
}

/// A file that grows at its end.
#[derive(Debug)]
pub struct Appended(File);

impl Appended {
    /// Opens a file to add to it, and makes it if it is not there.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        fault::gate(Call::Create)?;
        OpenOptions::new().append(true).create(true).open(path).map(Self)
    }

    /// Adds bytes in one piece.
    ///
    /// # Errors
    /// When they cannot be written; a part of them may be there.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        struct Gated<'a>(&'a mut File);
        impl Write for Gated<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.write(fault::gate_write(Call::Write, bytes)?)
            }
            fn flush(&mut self) -> io::Result<()> {
                self.0.flush()
            }
        }
        Gated(&mut self.0).write_all(bytes)
    }

    /// Returns when what was added would survive a loss of power.
    ///
    /// # Errors
    /// When the disk does not say so.
    pub fn sync(&self) -> io::Result<()> {
        fault::gate(Call::Sync)?;
        self.0.sync_data()
    }

    /// The file itself, to lock it.
    pub fn file(&self) -> &File {
        &self.0
    }
}

/// Removes all files that are not whole yet: for an end without destructors.
pub fn abandon() {
    for path in std::mem::take(&mut *pending()) {
        // Whoever is at the end can only try.
        let _ = fs::remove_file(path);
    }
}

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a rename durable, where the system lets a folder be synced.
fn sync_folder(target: &Path) {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
}
