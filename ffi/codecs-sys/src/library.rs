//! Shared libraries that are opened at run time.

use crate::NotPresent;
use std::ffi::{CString, c_void};

/// An open library. It stays open until the process ends: its functions may be in use anywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Library(*mut c_void);

impl Library {
    /// Opens the first of these names that is there.
    pub fn open(names: &'static [&'static str]) -> Result<Library, NotPresent> {
        let open = |name: &&str| {
            let name = CString::new(*name).ok()?;
            // SAFETY: the name is a string that ends with a zero. Constructors of the library run:
            // it was installed by the machine's owner.
            let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
            (!handle.is_null()).then_some(Library(handle))
        };
        let found = names.iter().find_map(open);
        found.ok_or(NotPresent::NoLibrary(names))
    }

    /// The function of this name.
    ///
    /// # Safety
    /// `F` must be the type of a pointer to that function, as the library's header declares it.
    pub unsafe fn function<F: Copy>(self, name: &'static str) -> Result<F, NotPresent> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let missing = NotPresent::NoSymbol(name);
        let text = CString::new(name).map_err(|_| missing.clone())?;
        // SAFETY: the handle is of a library that stays open; the name ends with a zero.
        let symbol = unsafe { libc::dlsym(self.0, text.as_ptr()) };
        if symbol.is_null() {
            return Err(missing);
        }
        // SAFETY: pointers to functions have the size of others, which is asserted; the caller
        // vouches for the type.
        Ok(unsafe { std::mem::transmute_copy::<*mut c_void, F>(&symbol) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_there_has_its_functions_and_no_others() {
        let library = Library::open(&["libnone.so.7", "libc.so.6"]).unwrap();
        type Length = unsafe extern "C" fn(*const libc::c_char) -> usize;
        // SAFETY: this is how string.h declares it.
        let length: Length = unsafe { library.function("strlen") }.unwrap();
        // SAFETY: a string that ends with a zero.
        assert_eq!(unsafe { length(c"four".as_ptr()) }, 4);
        // SAFETY: there is no such function.
        let missing = unsafe { library.function::<Length>("no_such_function") };
        assert_eq!(
            missing.unwrap_err(),
            NotPresent::NoSymbol("no_such_function")
        );
    }

    #[test]
    fn a_library_that_is_not_there_is_named() {
        let missing = Library::open(&["libnone.so.7"]).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "not present (libnone.so.7 is not installed)"
        );
    }
}
