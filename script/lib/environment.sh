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
  "$python" -m venv "$folder" || { say "Could not make a virtual environment in $folder: is python3-venv installed and the folder writable?"; return 1; }
  if ! "$BIN/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock" >"$folder/install.log" 2>&1; then
    say "Could not install the requirements: is there a network? The details are in $folder/install.log."
    return 1
  fi
  "$BIN/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable "$ROOT" >>"$folder/install.log" 2>&1 ||
    { say "Could not install Latchkey itself; the details are in $folder/install.log."; return 1; }
  printf '%s\n' "$stamp" >"$folder/.stamp"
}
