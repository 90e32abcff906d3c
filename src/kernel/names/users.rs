//! User names by uid.

use rustc_hash::FxHashMap;

/// The number of a user.
pub(crate) fn user_id(name: &str) -> Option<u32> {
    uzers::get_user_by_name(name).map(|user| user.uid())
}

/// The names of this host's users, looked up on demand.
#[derive(Debug, Default)]
pub(crate) struct Users {
    names: FxHashMap<u32, Option<String>>,
}

impl Users {
    /// Looks up the name, unless it was looked up before.
    pub(crate) fn look_up(&mut self, uid: u32) {
        self.names.entry(uid).or_insert_with(|| {
            uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().into_owned())
        });
    }

    /// The name that was looked up.
    pub(crate) fn name(&self, uid: u32) -> Option<&str> {
        self.names.get(&uid)?.as_deref()
    }
}
