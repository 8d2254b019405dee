//! The software adapters that every native GPU test runs on, and the program that runs cases on both.
//!
//! With a name in `OCELLI_TEST_ADAPTER` the cases run on the adapter that the process finds first instead: this
//! machine's own GPU.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use ocelli::gpu::{DeviceOptions, GpuPlayer};

use crate::scratch::scratch;

/// A software Vulkan driver. The Vulkan loader reads its choice when a process first uses it, so each adapter has a
/// process of its own.
struct Adapter {
    name: &'static str,
    /// Holds the path of the driver's description when the tests run from the build script.
    variable: &'static str,
    find: fn() -> Option<PathBuf>,
    install: &'static str,
}

const ADAPTERS: [Adapter; 2] = [
    Adapter {
        name: "lavapipe",
        variable: "OCELLI_TEST_LAVAPIPE_ICD",
        find: find_lavapipe,
        install: "install Mesa's software Vulkan driver (Debian: mesa-vulkan-drivers) and libvulkan1",
    },
    Adapter {
        name: "swiftshader",
        variable: "OCELLI_TEST_SWIFTSHADER_ICD",
        find: find_swiftshader,
        install: "install Chromium, which brings SwiftShader (Debian: chromium), and libvulkan1",
    },
];

const HERE: &str = "OCELLI_TEST_ADAPTER";
/// Which half of the cases a process runs; all without it.
const HALF: &str = "OCELLI_TEST_HALF";
const COUNTS: &str = "#counts ";
/// Cases that take longer are told.
const LONG: Duration = Duration::from_secs(2);

/// A check of a player; fails with what it found.
type Run = dyn Fn(&mut GpuPlayer) -> Result<(), String>;

/// A named check.
pub struct Case {
    name: String,
    run: Box<Run>,
}

impl Case {
    pub fn new(name: impl Into<String>, run: impl Fn(&mut GpuPlayer) -> Result<(), String> + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// Runs every case on every adapter and reports every failure, in the words of cargo's own test programs.
///
/// Arguments that are no flags choose the cases whose name contains one of them.
/// `cases` gets the adapter's name.
pub fn run_everywhere(cases: fn(&str) -> Vec<Case>) -> ExitCode {
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    match std::env::var(HERE) {
        Ok(adapter) => run_here(&adapter, &filters, half(cases(&adapter))),
        Err(_) => spawn_all(&filters),
    }
}

/// The cases of this process. Neighbours have most to compile in common, so a half is one end of the list.
fn half(mut cases: Vec<Case>) -> Vec<Case> {
    let second = cases.split_off(cases.len().div_ceil(2));
    match std::env::var(HALF).as_deref() {
        Ok("first") => cases,
        Ok(_) => second,
        Err(_) => cases.into_iter().chain(second).collect(),
    }
}

/// Both adapters at once, in two processes each: most of the time goes into compiling shaders, which uses one core.
fn spawn_all(filters: &[String]) -> ExitCode {
    let halves = ADAPTERS.iter().flat_map(|adapter| ["first", "second"].map(|half| (adapter, half)));
    let children: Vec<_> = halves.map(|(adapter, half)| (adapter.name, spawn(adapter, half, filters))).collect();
    let (mut passed, mut failed) = (0, 0);
    for (name, child) in children {
        match child.and_then(finish) {
            Ok((ok, bad)) => {
                passed += ok;
                failed += bad;
            }
            Err(message) => {
                println!("{name}: {message}");
                failed += 1;
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts this program again with only one driver in sight.
fn spawn(adapter: &Adapter, half: &str, filters: &[String]) -> Result<Child, String> {
    let named = std::env::var_os(adapter.variable).map(PathBuf::from);
    let driver = named
        .or_else(adapter.find)
        .filter(|path| path.is_file())
        .ok_or_else(|| format!("its driver was not found; {}, or name it in {}", adapter.install, adapter.variable))?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    Command::new(program)
        .args(filters)
        .env(HERE, adapter.name)
        .env(HALF, half)
        .env("VK_DRIVER_FILES", &driver)
        // Mesa complains about a missing one at every start.
        .env("XDG_RUNTIME_DIR", scratch(""))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())
}

/// Passes on what the child says; its counts of passed and failed cases.
fn finish(mut child: Child) -> Result<(usize, usize), String> {
    let mut counts = None;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            match line.strip_prefix(COUNTS) {
                Some(pair) => counts = pair.split_once(' ').and_then(|(ok, bad)| ok.parse().ok().zip(bad.parse().ok())),
                None => println!("{line}"),
            }
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    counts.ok_or_else(|| format!("the tests ended early ({status})"))
}

/// Runs the cases on the only adapter this process can see.
fn run_here(adapter: &str, filters: &[String], cases: Vec<Case>) -> ExitCode {
    let mut player = match pollster::block_on(GpuPlayer::new(&DeviceOptions::default())) {
        Ok(player) => player,
        Err(error) => {
            println!("{adapter}: no device: {error}");
            println!("{COUNTS}0 1");
            return ExitCode::FAILURE;
        }
    };
    println!("{adapter}: {} ({})", player.adapter().name, player.adapter().driver);
    let chosen = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let (start, mut passed, mut failed) = (Instant::now(), 0, 0);
    for case in cases.iter().filter(|case| chosen(&case.name)) {
        let began = Instant::now();
        // A panic in one case must not hide the others.
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (case.run)(&mut player)));
        match run.unwrap_or_else(|_| Err("it panicked".into())) {
            Ok(()) => passed += 1,
            Err(message) => {
                println!("FAILED {adapter} {}: {message}", case.name);
                failed += 1;
            }
        }
        if began.elapsed() > LONG {
            println!("{adapter}: {} took {:.1} s", case.name, began.elapsed().as_secs_f32());
        }
        let _ = std::io::stdout().flush();
    }
    println!("{adapter}: {passed} passed, {failed} failed in {:.1} s", start.elapsed().as_secs_f32());
    println!("{COUNTS}{passed} {failed}");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn find_lavapipe() -> Option<PathBuf> {
    let folders = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let is_lavapipe = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lvp_icd") && name.ends_with(".json")
    };
    files.map(|file| file.path()).find(is_lavapipe)
}

/// Chromium brings the driver along, not always with a description, so one is written.
fn find_swiftshader() -> Option<PathBuf> {
    let folders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];
    let library =
        folders.iter().map(|folder| Path::new(folder).join("libvk_swiftshader.so")).find(|path| path.is_file())?;
    let description = scratch("swiftshader_icd.json");
    let library = library.display();
    let text = format!(
        r#"{{"file_format_version": "1.0.0", "ICD": {{"library_path": "{library}", "api_version": "1.1.0"}}}}"#
    );
    std::fs::write(&description, text).ok()?;
    Some(description)
}
