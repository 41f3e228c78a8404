//! The command line that both of a node's processes take.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::ConfigError;
use crate::node::NodeConfig;

/// What `precursor-dataplane` and `precursor-controlplane` are started with:
/// `[--config FILE] [--set KEY=VALUE …] [--supervised-by PID]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessArguments {
    pub config: Option<PathBuf>,
    pub sets: Vec<(String, String)>,
    /// The supervisor; the process stops cleanly when that is no longer its parent.
    pub supervised_by: Option<u32>,
}

impl ProcessArguments {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    /// One sentence that names the argument that is unknown or lacks its value.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut parsed = ProcessArguments::default();
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let name = name.to_string_lossy().into_owned();
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("'{name}' needs a value after it"))
            };
            match name.as_str() {
                "--config" => parsed.config = Some(PathBuf::from(value()?)),
                "--set" => {
                    let text = value()?.to_string_lossy().into_owned();
                    let (key, value) = text
                        .split_once('=')
                        .ok_or_else(|| format!("'--set {text}' needs the form KEY=VALUE"))?;
                    parsed.sets.push((key.trim().to_owned(), value.to_owned()));
                }
                "--supervised-by" => {
                    let text = value()?.to_string_lossy().into_owned();
                    let pid = text.parse().map_err(|_| {
                        format!("'--supervised-by {text}' needs the number of a process")
                    })?;
                    parsed.supervised_by = Some(pid);
                }
                _ => {
                    return Err(format!(
                        "unknown argument '{name}'; known are --config FILE, --set KEY=VALUE and \
                         --supervised-by PID"
                    ));
                }
            }
        }
        Ok(parsed)
    }

    /// Loads the configuration that these arguments name.
    ///
    /// # Errors
    /// As [`NodeConfig::load`].
    pub fn load(&self) -> Result<NodeConfig, ConfigError> {
        NodeConfig::load(self.config.as_deref(), &self.sets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<ProcessArguments, String> {
        ProcessArguments::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn a_whole_line() {
        let line = [
            "--config",
            "a b.toml",
            "--set",
            "listen=h:1",
            "--set",
            "x==y",
        ];
        let parsed = parse(&line).unwrap();
        assert_eq!(parsed.config, Some(PathBuf::from("a b.toml")));
        let sets = [("listen", "h:1"), ("x", "=y")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(parsed.sets, sets);
        assert_eq!(
            parse(&["--supervised-by", "7"]).unwrap().supervised_by,
            Some(7)
        );
    }

    #[test]
    fn slips_are_named() {
        for (line, culprit) in [
            (&["--confg", "x"][..], "--confg"),
            (&["--config"], "--config"),
            (&["--set", "novalue"], "novalue"),
            (&["--supervised-by", "me"], "me"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(culprit), "{error}");
        }
    }
}
