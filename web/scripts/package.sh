# The package as a registry would have it: small enough, and it builds where nothing else of the repository is.

# What a registry takes.
PACKAGE_BYTES=$((10 * 1024 * 1024))

check_package() {
  local file folder=target/package/alone bytes said
  cargo package --quiet --no-verify --allow-dirty
  file=$(ls -t target/package/ocelli-*.crate | head -n 1)
  bytes=$(wc -c <"$file")
  say "   $file: $bytes bytes"
  [ "$bytes" -le $PACKAGE_BYTES ] || die "$file is larger than a registry takes ($PACKAGE_BYTES bytes); see \`include\` in Cargo.toml"
  rm -rf $folder
  mkdir -p $folder
  tar -xzf "$file" -C $folder --strip-components 1
  # Outside the repository cargo finds no folder above it. Its own target folder is kept: what it depends on is built once.
  (cd $folder && cargo build --quiet --bin ocelli --target-dir ../built --config 'profile.dev.package."*".opt-level=0')
  said=$(target/package/built/debug/ocelli caption tests/pictures/cat.png --json || true)
  case $said in
    *OCELLI_NOT_FOUND*--model*) ;;
    *) die "without the built-in model the program should say how to get it; it said: $said" ;;
  esac
}
