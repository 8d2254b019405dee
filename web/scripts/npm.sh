# The npm side of set-up: Node itself and the development tools that web/package-lock.json names.

ensure_npm_tools() {
  command -v node >/dev/null && command -v npm >/dev/null || die "Node 20 or newer with npm is needed; install it"
  node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' || die "Node 20 or newer is needed, found $(node --version)"
  local stamp=web/node_modules/.ocelli-lock
  cmp -s web/package-lock.json $stamp && return 0
  npm ci --prefix web --loglevel=error --no-audit --no-fund
  cp web/package-lock.json $stamp
}
