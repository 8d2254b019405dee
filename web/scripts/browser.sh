# Chromium for the browser tests, and the two software Vulkan drivers for the native ones.

# Installs what is missing where apt and root are at hand, and exports OCELLI_CHROMIUM (the program),
# OCELLI_TEST_LAVAPIPE_ICD and OCELLI_TEST_SWIFTSHADER_ICD (driver files that VK_DRIVER_FILES accepts).
ensure_browser_and_drivers() {
  local missing=()
  find_chromium >/dev/null || missing+=(chromium)
  find_lavapipe >/dev/null || missing+=(mesa-vulkan-drivers)
  find_vulkan_loader || missing+=(libvulkan1)
  [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"

  OCELLI_CHROMIUM=$(find_chromium) ||
    die "no Chromium or Chrome was found; install the package 'chromium', or Google Chrome, or set OCELLI_CHROMIUM to the program"
  OCELLI_TEST_LAVAPIPE_ICD=$(find_lavapipe) ||
    die "no lavapipe driver (lvp_icd*.json) was found; install the package 'mesa-vulkan-drivers'"
  OCELLI_TEST_SWIFTSHADER_ICD=$(find_swiftshader) ||
    die "no libvk_swiftshader.so beside $OCELLI_CHROMIUM; install the package 'chromium' or Google Chrome"
  find_vulkan_loader || die "no Vulkan loader (libvulkan.so.1) was found; install the package 'libvulkan1'"
  export OCELLI_CHROMIUM OCELLI_TEST_LAVAPIPE_ICD OCELLI_TEST_SWIFTSHADER_ICD
}

install_packages() {
  command -v apt-get >/dev/null || return 0
  say "   apt-get install $*"
  as_root env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@"' \
    apt "$@" >"$CACHE/apt.log" 2>&1 || say "   that did not work (see $CACHE/apt.log)"
}

find_chromium() {
  local name
  for name in "${OCELLI_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium; do
    [ -n "$name" ] && command -v "$name" && return 0
  done
  return 1
}

find_lavapipe() {
  first_file "${OCELLI_TEST_LAVAPIPE_ICD:-}" {/usr/share,/usr/local/share,/etc}/vulkan/icd.d/lvp_icd*.json
}

find_vulkan_loader() {
  [ "$(uname)" != Linux ] || PATH="$PATH:/sbin" ldconfig -p | grep 'libvulkan\.so\.1' >/dev/null
}

# Chromium brings SwiftShader along; a driver file is written for it, since not every package has one.
find_swiftshader() {
  local library icd="$CACHE/swiftshader_icd.json"
  library=$(first_file {"$(dirname "$(readlink -f "$(find_chromium)")")",/usr/lib/chromium{,-browser},/opt/google/chrome}/libvk_swiftshader.so) ||
    return 1
  printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "%s", "api_version": "1.1.0"}}\n' "$library" >"$icd"
  printf '%s\n' "$icd"
}

# first_file PATH...: the first of them that exists.
first_file() {
  local path
  for path in "$@"; do
    [ -f "$path" ] && printf '%s\n' "$path" && return 0
  done
  return 1
}
