# The npm side of set-up: Node itself and the development tools that web/package-lock.json names, and the API page's.

ensure_npm_tools() {
  command -v node >/dev/null && command -v npm >/dev/null || die "Node 20 or newer with npm is needed; install it"
  node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' || die "Node 20 or newer is needed, found $(node --version)"
  local folder stamp
  for folder in web web/tools/api; do
    stamp=$folder/node_modules/.ocelli-lock
    if cmp -s $folder/package-lock.json $stamp; then continue; fi
    npm ci --prefix $folder --loglevel=error --no-audit --no-fund
    cp $folder/package-lock.json $stamp
  done
}
