#!/usr/bin/env bash
# Brings the real programs that the peer tests run: builds the Go programs pinned in programs/,
# unpacks Debian's Prometheus and Alertmanager. Nothing is installed into the system; everything
# lies in the cache, and what is there already is left alone.
#
#   test/peers/install.sh             all of them
#   test/peers/install.sh jaeger      one (or several)
#   test/peers/install.sh --where     prints "program path" a line, and installs nothing
#
# The cache is $TIDEMARK_CACHE/peers; $TIDEMARK_CACHE defaults to the user's cache folder.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${TIDEMARK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tidemark}/peers"
jobs="${TIDEMARK_BUILD_JOBS:-$(nproc)}"

# Peers: what each is built from. A Go peer's folder is named after the hash of all that decides
# what the compiler makes of it, a Debian peer's after the release that the tests were written for.
go_peers=(jaeger collector compose-check)
debian_peers=(prometheus alertmanager)
declare -A go_package=(
  [jaeger]=github.com/jaegertracing/jaeger/cmd/jaeger
  [collector]=.
  [compose-check]=.
)
declare -A debian_package=([prometheus]=prometheus [alertmanager]=prometheus-alertmanager)
declare -A debian_release=([prometheus]=2.42 [alertmanager]=0.25)
build_flags=(-trimpath "-ldflags=-s -w")

main() {
  if [[ "${1:-}" == --where ]]; then
    where
    return
  fi
  local peers=("$@")
  [[ ${#peers[@]} -gt 0 ]] || peers=("${debian_peers[@]}" "${go_peers[@]}")
  mkdir -p "$cache"
  local peer
  for peer in "${peers[@]}"; do
    if [[ -n "${go_package[$peer]:-}" ]]; then
      install_once "$peer" build_go
    elif [[ -n "${debian_package[$peer]:-}" ]]; then
      install_once "$peer" unpack_debian
    else
      fail "there is no peer \"$peer\"; there are: ${debian_peers[*]} ${go_peers[*]}"
    fi
  done
}

where() {
  local peer
  for peer in "${go_peers[@]}"; do
    echo "$peer $(folder "$peer")/$peer"
  done
  echo "prometheus $(folder prometheus)/usr/bin/prometheus"
  echo "promtool $(folder prometheus)/usr/bin/promtool"
  echo "alertmanager $(folder alertmanager)/usr/bin/prometheus-alertmanager"
  echo "amtool $(folder alertmanager)/usr/bin/amtool"
}

# The folder of one peer in the cache.
folder() {
  if [[ -n "${debian_release[$1]:-}" ]]; then
    echo "$cache/$1-${debian_release[$1]}"
    return
  fi
  local hash
  hash="$(cd "$here/programs/$1" && cat go.mod go.sum ./*.go 2>/dev/null \
    | cat - <(echo "${go_package[$1]} ${build_flags[*]}") | sha256sum | cut -c1-12)"
  echo "$cache/$1-$hash"
}

# Runs the installer into a folder beside the final one and renames it, so that a folder with the
# final name is always complete, even after an interrupted build or two at the same time.
install_once() {
  local peer="$1" installer="$2" target
  target="$(folder "$peer")"
  if [[ -d "$target" ]]; then
    say "$peer: already there"
    return
  fi
  (
    flock 9
    if [[ ! -d "$target" ]]; then
      local started=$SECONDS
      rm -rf "$target.partial"
      mkdir -p "$target.partial"
      "$installer" "$peer" "$target.partial"
      mv "$target.partial" "$target"
      say "$peer: installed in $((SECONDS - started)) s"
    fi
  ) 9>"$cache/.$peer.lock"
}

build_go() {
  local peer="$1" out="$2"
  command -v go >/dev/null || fail "$peer is built by the Go toolchain, which is not on the PATH"
  say "$peer: building ${go_package[$peer]} (a cold build of Jaeger or the Collector takes minutes)"
  (cd "$here/programs/$peer" &&
    nice -n 10 go build -p "$jobs" "${build_flags[@]}" -o "$out/$peer" "${go_package[$peer]}") ||
    fail "$peer did not build; the compiler's words are above"
}

unpack_debian() {
  local peer="$1" out="$2" package="${debian_package[$1]}" release="${debian_release[$1]}" version
  command -v apt-get >/dev/null || fail "$peer comes from a Debian package, and there is no apt-get"
  if ! download "$package" "$out"; then
    say "$peer: asking Debian for its package lists"
    apt-get update -qq >&2 || fail "apt-get update failed; it needs root and Debian's mirror"
    download "$package" "$out" || fail "could not download $package"
  fi
  version="$(dpkg-deb --field "$out"/*.deb Version)"
  [[ "$version" == "$release".* || "$version" == "$release"-* ]] ||
    fail "the peer tests want $package $release.x, and Debian offers $version"
  dpkg -x "$out"/*.deb "$out" && rm "$out"/*.deb
}

# As root, apt would rather download as a user of its own, who may not write into the cache.
download() {
  (cd "$2" && apt-get download -qq -o APT::Sandbox::User=root "$1" >&2)
}

say() { echo "$*" >&2; }

fail() {
  say "install.sh: $*"
  exit 1
}

main "$@"
