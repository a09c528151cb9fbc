use std::fs;

/// The machine's name, as far as it can be found out without asking the system: the variables `HOSTNAME` and
/// `COMPUTERNAME`, then Linux's file. Otherwise `unknown`.
pub(crate) fn host_name() -> String {
    let named = ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let read = || fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = named.or_else(read).unwrap_or_default();
    match name.trim() {
        "" => "unknown".to_owned(),
        name => name.to_owned(),
    }
}
