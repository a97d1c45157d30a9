# Sourced by the scripts: makes the virtual environment for one requirements group, installed from the locked files.
# A group's environment is remade when its locked file changes. Sets BIN.
ROOT="$(pwd)"

say() { printf '%s\n' "$*" >&2; }

find_python() {
  local candidate
  for candidate in ${LATCHKEY_PYTHON:-} python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  say "Latchkey needs Python 3.11 or newer; found $(python3 --version 2>&1 || echo none). Install it, or set LATCHKEY_PYTHON."
  return 1
}

need_environment() {
  local group="$1" folder="$ROOT/.venv-$1" lock="$ROOT/requirements/$1.txt" python stamp
  BIN="$folder/bin"
  stamp="$(cat "$lock" "$ROOT/pyproject.toml" | sha256sum | cut -d' ' -f1)"
  if [ -f "$folder/.stamp" ] && [ "$(cat "$folder/.stamp")" = "$stamp" ]; then return 0; fi
  python="$(find_python)" || return 1
  say "Installing the locked requirements ($group) …"
  rm -rf "$folder"
  local install=("$BIN/pip" install --quiet --disable-pip-version-check --retries 2)
  # uv, where somebody has it, does the same in a tenth of the time.
  if command -v uv >/dev/null 2>&1; then install=(uv pip install --quiet --compile-bytecode --python "$BIN/python"); fi
  "$python" -m venv "$folder" || { say "Could not make a virtual environment in $folder: is python3-venv installed and the folder writable?"; return 1; }
  if ! "${install[@]}" --require-hashes -r "$lock" >"$folder/install.log" 2>&1; then
    say "Could not install the requirements: is there a network? The details are in $folder/install.log."
    return 1
  fi
  "${install[@]}" --no-deps --no-build-isolation --editable "$ROOT" >>"$folder/install.log" 2>&1 ||
    { say "Could not install Latchkey itself; the details are in $folder/install.log."; return 1; }
  printf '%s\n' "$stamp" >"$folder/.stamp"
}

# The servers that tests start for themselves: a program by which one is found, and Debian's packages for it.
SERVERS=(
  "redis-server redis-server"
  "chromium chromium"
  "npm npm"
  "ip iproute2"
  "mariadbd mariadb-server"
  "rabbitmqctl rabbitmq-server"
  "sshd openssh-server"
  "sudo sudo"
  "etcd etcd-server"
  "samba-tool samba samba-ad-dc samba-ad-provision samba-dsdb-modules winbind ldb-tools"
)

# Installs them from Debian, where that can be done without asking anybody; none of them is started or set up.
# PostgreSQL also comes as a wheel with the test requirements; without the others some tests are skipped.
need_servers() {
  local missing=() entry program packages PATH="$PATH:/usr/sbin:/sbin"
  compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
  for entry in "${SERVERS[@]}"; do
    read -r program packages <<<"$entry"
    # shellcheck disable=SC2206  # a list of packages
    command -v "$program" >/dev/null 2>&1 || missing+=($packages)
  done
  if [ ${#missing[@]} -eq 0 ]; then :; elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Installing ${missing[*]} …"
    if install_quietly "${missing[@]}" >/dev/null 2>&1; then missing=(); fi
  fi
  if [ ${#missing[@]} -gt 0 ]; then
    say "Not installed: ${missing[*]}; install with apt-get as root, or see below what is skipped without."
  fi
  need_kubernetes
  need_npm
}

# Installs packages without letting their servers start: a policy for this one run says no, if there is none yet.
install_quietly() {
  local policy=/usr/sbin/policy-rc.d made=no status=0
  if [ ! -e "$policy" ]; then made=yes; printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; fi
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@"; } || status=1
  if [ "$made" = yes ]; then rm -f "$policy"; fi
  return "$status"
}

# A Kubernetes API server to test against comes from no package: KUBEBUILDER_ASSETS names a folder with kube-apiserver
# and kube-controller-manager, as the field does it. Where they lie compressed (*.xz) they are unpacked into build/.
need_kubernetes() {
  local from="${KUBEBUILDER_ASSETS:-}" to="$ROOT/build/kubernetes" file
  if [ -z "$from" ] || ! compgen -G "$from/*.xz" >/dev/null; then return 0; fi
  mkdir -p "$to"
  for file in "$from"/*.xz; do
    local program="$to/$(basename "$file" .xz)"
    if [ ! -x "$program" ]; then xz -dc "$file" >"$program.part" && chmod +x "$program.part" && mv "$program.part" "$program"; fi
  done
  export KUBEBUILDER_ASSETS="$to"
}

# Packages that tests need from npm (tests/npm*): locked with their hashes, installed again when a lock changes.
need_npm() {
  local folder stamp
  command -v npm >/dev/null 2>&1 || return 0
  for folder in "$ROOT"/tests/npm*; do
    stamp="$(sha256sum <"$folder/package-lock.json")"
    if [ -f "$folder/node_modules/.stamp" ] && [ "$(cat "$folder/node_modules/.stamp")" = "$stamp" ]; then continue; fi
    if npm --prefix "$folder" ci --ignore-scripts --no-audit --no-fund >/dev/null 2>&1; then
      printf '%s\n' "$stamp" >"$folder/node_modules/.stamp"
    else
      say "Could not install the npm packages of ${folder#"$ROOT"/}; tests that need them are skipped."
    fi
  done
}
