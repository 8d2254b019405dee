//! How much memory the system can give.

use std::fs;

use ocelli::session::Player;

/// Tells a player how much memory there is, where the system says.
pub fn limit(player: Player) -> Player {
    match available() {
        Some(bytes) => player.with_memory(bytes),
        None => player,
    }
}

/// Bytes that programs can still have without swapping: Linux tells.
fn available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
