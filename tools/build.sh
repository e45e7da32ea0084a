# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What tools/test and tools/demo share: install what is missing, configure, build. To be sourced,
# with $top set to the source tree.

packages=(
  meson ninja-build gcc libc6-dev pkg-config
  libglib2.0-dev libjson-glib-dev uuid-dev libgdbm-dev libsqlite3-dev sqlite3 zlib1g-dev
  gobject-introspection libgirepository1.0-dev
  python3 python3-gi gir1.2-glib-2.0
  valgrind libc6-dbg patch
)

say ()
{
  printf '\n== %s\n' "$*" >&2
}

die ()
{
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Runs a command that only root may run.
as_root ()
{
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    die "this needs root: $*"
  fi
}

missing_packages ()
{
  local package
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] ||
      printf '%s\n' "$package"
  done
}

install_packages ()
{
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends "$@"
}

# The lists of packages are fetched only if it does not work without.
install_missing ()
{
  local missing log
  command -v dpkg-query > /dev/null && command -v apt-get > /dev/null || {
    echo "This is no Debian: be sure to have what these packages have: ${packages[*]}" >&2
    return 0
  }
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "installing ${missing[*]}"
  log=$(mktemp)
  if ! install_packages "${missing[@]}" > "$log" 2>&1 &&
     ! { as_root apt-get update -qq && install_packages "${missing[@]}"; } > "$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "could not install ${missing[*]}"
  fi
  rm -f "$log"
}

# configure FOLDER [MESON-OPTION…]: a build folder with these options, new or as it is.
configure ()
{
  local folder=$1
  shift
  if [ -f "$folder/build.ninja" ] && [ "$(cat "$folder/.options" 2> /dev/null)" = "$*" ]; then
    return 0
  fi
  rm -rf "$folder"
  meson setup "$folder" "$top" "$@" && printf '%s' "$*" > "$folder/.options"
}

# build FOLDER [MESON-OPTION…]: configures and builds; silent unless something is wrong.
build ()
{
  local folder=$1 log
  log=$(mktemp)
  if ! { configure "$@" && ninja --quiet -C "$folder"; } > "$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
