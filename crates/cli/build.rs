//! How the command is linked on Linux with glibc (`docs/decisions/0010-fixed-address.md`): at a fixed address, and with the runtime of
//! C++ inside, where the compiler has that as an archive.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |key: &str, value: &str| std::env::var(key).is_ok_and(|v| v == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
        if std::env::var("HOST") == std::env::var("TARGET") {
            link_runtime();
        }
    }
}

/// CaDiCaL asks for `libstdc++`, Rust for `libgcc_s`: both find a script of the linker in front of the shared libraries that says
/// which archives to take.
fn link_runtime() {
    let Some(folder) = std::env::var_os("OUT_DIR").map(PathBuf::from) else { return };
    let scripts = [("libstdc++.so", &["libstdc++.a"][..]), ("libgcc_s.so", &["libgcc_eh.a", "libgcc.a"])];
    let found: Option<Vec<_>> = scripts
        .iter()
        .map(|(name, archives)| {
            let paths = archives.iter().map(|archive| archive_path(archive)).collect::<Option<Vec<_>>>()?;
            Some((name, format!("INPUT({})\n", paths.join(" "))))
        })
        .collect();
    let Some(found) = found else { return };
    if found.iter().all(|(name, script)| std::fs::write(folder.join(name), script).is_ok()) {
        println!("cargo:rustc-link-search=native={}", folder.display());
    }
}

/// Where the compiler has an archive of its runtime, if it does.
fn archive_path(name: &str) -> Option<String> {
    let output = Command::new("c++").arg(format!("-print-file-name={name}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_string();
    Path::new(&path).is_absolute().then_some(path)
}
