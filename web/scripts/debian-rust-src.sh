# Debian's rust-src package of one exact Rust release, from the mirror this machine's apt already uses.

# debian_rust_src RELEASE INTO: unpacks its library/ folder under INTO, or returns 1. Nothing is installed, and apt's
# own lists stay as they are: the suites are looked up through a private list.
debian_rust_src() {
  local release=$1 into=$2 root="$CACHE/apt" mirror suite version
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || return 1
  for suite in $(apt_suites) trixie-backports sid; do
    rm -rf "$root"
    mkdir -p "$root/lists/partial" "$root/archives/partial"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" >"$root/sources.list"
    private_apt "$root" apt-get -qq update >/dev/null 2>&1 || continue
    version=$(private_apt "$root" apt-cache madison rust-src | awk -v release="$release" '
      { split($3, part, "[+-]"); if (part[1] == release) { print $3; exit } }')
    [ -n "$version" ] || continue
    say "   rust-src $version from $suite"
    (cd "$root" && private_apt "$root" apt-get -qq download "rust-src=$version") || continue
    dpkg-deb --fsys-tarfile "$root"/rust-src_*.deb | tar -x -C "$into" --wildcards --no-wildcards-match-slash \
      './usr/src/rustc-*/library' || return 1
    rm -rf "$root"
    return 0
  done
  return 1
}

# The address of Debian's main archive as apt is set up here; empty on other systems.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1 || true
}

apt_suites() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 ~ /\/debian\/?$/ { print $2 }' | sort -u || true
}

# private_apt ROOT COMMAND...: apt with its sources, lists and downloads under ROOT.
private_apt() {
  local root=$1 command=$2
  shift 2
  "$command" -o Dir::Etc::SourceList="$root/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$root/lists" -o Dir::Cache::Archives="$root/archives" -o Dir::Cache::pkgcache= \
    -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User= "$@"
}
