//! What a target platform sets: `target_os`, `unix`, `target_has_atomic`, …, for the host or for a target triple.
//!
//! Nothing is run to find out: the host is the one this program was built for. Source: Rust Reference, "Set
//! configuration options"; `rustc --print cfg` of the usual targets.

use super::cfg::CfgSet;
use std::env::consts;

/// The parts of a target that predicates ask for.
struct Platform<'a> {
    os: &'a str,
    arch: &'a str,
    env: &'a str,
    vendor: &'a str,
    family: Option<&'a str>,
    pointer_width: u32,
    big_endian: bool,
    /// The largest atomic, in bits; 0: no compare-exchange.
    atomics: u32,
}

/// The configuration of the machine this runs on.
pub(super) fn host() -> CfgSet {
    let env = if cfg!(target_env = "gnu") {
        "gnu"
    } else if cfg!(target_env = "musl") {
        "musl"
    } else if cfg!(target_env = "msvc") {
        "msvc"
    } else {
        ""
    };
    let vendor = if cfg!(target_vendor = "apple") {
        "apple"
    } else if cfg!(target_vendor = "pc") {
        "pc"
    } else {
        "unknown"
    };
    Platform {
        os: consts::OS,
        arch: consts::ARCH,
        env,
        vendor,
        family: Some(consts::FAMILY).filter(|f| !f.is_empty()),
        pointer_width: usize::BITS,
        big_endian: cfg!(target_endian = "big"),
        atomics: if cfg!(target_has_atomic = "64") { 64 } else { 32 },
    }
    .cfg()
}

/// The configuration of a target triple (`thumbv7em-none-eabihf`), derived from its name; of a target file, from the
/// file's name.
pub(super) fn of_triple(triple: &str) -> CfgSet {
    let triple = triple.rsplit(['/', '\\']).next().unwrap_or(triple);
    let triple = triple.strip_suffix(".json").unwrap_or(triple);
    let mut parts = triple.split('-');
    let cpu = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let arch = arch_of(cpu);
    let os = os_of(&rest);
    let pointer_width = match arch {
        "avr" | "msp430" => 16,
        _ if arch.ends_with("64") || arch == "s390x" => 64,
        _ => 32,
    };
    let last = rest.last().copied().unwrap_or_default();
    let env =
        ["gnu", "musl", "msvc", "sgx", "uclibc"].into_iter().find(|e| last.starts_with(e)).unwrap_or("");
    let vendor = ["apple", "pc"].into_iter().find(|v| rest.first() == Some(v)).unwrap_or("unknown");
    let family = match os {
        "windows" => Some("windows"),
        "none" | "unknown" | "uefi" | "cuda" => None,
        "wasi" => Some("wasm"),
        _ => Some("unix"),
    };
    let family = if arch.starts_with("wasm") { Some("wasm") } else { family };
    let big_endian = matches!(arch, "s390x" | "sparc64" | "mips" | "mips64")
        || (arch.starts_with("powerpc") && !cpu.ends_with("le"));
    Platform {
        os,
        arch,
        env,
        vendor,
        family,
        pointer_width,
        big_endian,
        atomics: atomics_of(cpu, pointer_width),
    }
    .cfg()
}

fn arch_of(cpu: &str) -> &str {
    match cpu {
        "i386" | "i586" | "i686" => "x86",
        "arm64" | "arm64e" | "aarch64_be" => "aarch64",
        _ if cpu.starts_with("thumb") || cpu.starts_with("arm") => "arm",
        _ if cpu.starts_with("riscv32") => "riscv32",
        _ if cpu.starts_with("riscv64") => "riscv64",
        _ if cpu.starts_with("powerpc64") => "powerpc64",
        _ if cpu.starts_with("mips64") => "mips64",
        _ if cpu.starts_with("mips") => "mips",
        _ => cpu,
    }
}

fn os_of<'a>(rest: &[&'a str]) -> &'a str {
    for part in rest {
        match *part {
            "darwin" => return "macos",
            "linux" | "windows" | "freebsd" | "netbsd" | "openbsd" | "dragonfly" | "ios" | "tvos"
            | "watchos" | "fuchsia" | "redox" | "illumos" | "solaris" | "haiku" | "none" | "uefi"
            | "cuda" | "espidf" | "hermit" | "emscripten" => return part,
            p if p.starts_with("android") => return "android",
            p if p.starts_with("wasi") => return "wasi",
            _ => {}
        }
    }
    if rest.iter().any(|p| p.starts_with("eabi")) { "none" } else { "unknown" }
}

fn atomics_of(cpu: &str, pointer_width: u32) -> u32 {
    match cpu {
        "thumbv6m" | "thumbv4t" | "thumbv5te" | "armv4t" | "armv5te" | "avr" | "msp430" => 0,
        _ if cpu.starts_with("i586") || cpu.starts_with("i686") || cpu.starts_with("armv7") => 64,
        // Of RISC-V, those with the `a` extension (or `g`, which includes it).
        _ if cpu.starts_with("riscv") && !cpu["riscv32".len().min(cpu.len())..].contains(['a', 'g']) => 0,
        _ => pointer_width.max(32),
    }
}

impl Platform<'_> {
    fn cfg(&self) -> CfgSet {
        let mut cfg = CfgSet::default();
        let mut pair = |key: &str, value: &str| cfg.set(&format!("{key}={value}"));
        pair("target_os", self.os);
        pair("target_arch", self.arch);
        pair("target_env", self.env);
        pair("target_vendor", self.vendor);
        pair("target_pointer_width", &self.pointer_width.to_string());
        pair("target_endian", if self.big_endian { "big" } else { "little" });
        let panic = if self.os == "none" || self.arch.starts_with("wasm") { "abort" } else { "unwind" };
        pair("panic", panic);
        for bits in [8, 16, 32, 64].into_iter().filter(|b| *b <= self.atomics) {
            pair("target_has_atomic", &bits.to_string());
        }
        if self.atomics >= self.pointer_width {
            pair("target_has_atomic", "ptr");
        }
        if self.arch == "x86_64" {
            for feature in ["fxsr", "sse", "sse2"] {
                pair("target_feature", feature);
            }
        }
        if let Some(family) = self.family {
            pair("target_family", family);
            if family != "wasm" {
                cfg.set(family);
            }
        }
        if self.atomics > 0 {
            cfg.set("target_has_atomic");
        }
        for name in ["debug_assertions", "overflow_checks", "target_thread_local"] {
            cfg.set(name);
        }
        cfg
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::Name;

    fn has(cfg: &CfgSet, key: &str, value: &str) -> bool {
        cfg.pairs.contains(&(Name::new(key), Name::new(value)))
    }

    #[test]
    fn a_microcontroller_has_no_os() {
        let m4 = of_triple("thumbv7em-none-eabihf");
        assert!(has(&m4, "target_os", "none") && has(&m4, "target_arch", "arm"));
        assert!(has(&m4, "target_has_atomic", "32") && has(&m4, "target_has_atomic", "ptr"));
        assert!(!has(&m4, "target_has_atomic", "64"));
        assert!(!m4.names.contains(&Name::new("unix")));
        let m0 = of_triple("thumbv6m-none-eabi");
        assert!(!has(&m0, "target_has_atomic", "8"));
        let riscv = of_triple("riscv32imc-unknown-none-elf");
        assert!(has(&riscv, "target_os", "none") && !has(&riscv, "target_has_atomic", "ptr"));
        assert!(has(&of_triple("riscv32imac-unknown-none-elf"), "target_has_atomic", "32"));
    }

    #[test]
    fn hosted_targets_have_a_family() {
        let windows = of_triple("x86_64-pc-windows-msvc");
        assert!(windows.names.contains(&Name::new("windows")) && has(&windows, "target_env", "msvc"));
        let mac = of_triple("aarch64-apple-darwin");
        assert!(has(&mac, "target_os", "macos") && mac.names.contains(&Name::new("unix")));
        let web = of_triple("wasm32-unknown-unknown");
        assert!(has(&web, "target_family", "wasm") && has(&web, "target_pointer_width", "32"));
        assert!(has(&of_triple("targets/x86_64-kernel-none.json"), "target_os", "none"));
    }

    #[test]
    fn the_host_is_what_this_was_built_for() {
        let cfg = host();
        assert!(has(&cfg, "target_os", consts::OS));
        assert_eq!(cfg.names.contains(&Name::new("unix")), cfg!(unix));
    }
}
