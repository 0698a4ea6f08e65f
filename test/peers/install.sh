#!/usr/bin/env bash
# Brings the real programs that the peer tests run: builds the Go programs pinned in programs/,
# unpacks Debian's Prometheus, the oldest that is supported, and installs Apache DataSketches,
# Evidently with scipy and pyarrow, and the OpenTelemetry SDK for Python from PyPI, each into an
# environment of its own. Nothing is installed into the system but Chromium, where there is none: it
# wants most of a desktop. Everything else lies in the cache, and what is there is left alone.
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

# Each peer's folder in the cache is named after the hash of all that decides what is built, and
# Debian's Prometheus after the release that the tests were written for.
peers=(chromium debian-prometheus datasketches evidently python-sdk jaeger collector prometheus alertmanager compose-check kubernetes-check)
build_flags=(-trimpath "-ldflags=-s -w")
debian_release=2.42

main() {
  if [[ "${1:-}" == --where ]]; then
    where
    return
  fi
  mkdir -p "$cache"
  local peer
  for peer in "${@:-${peers[@]}}"; do
    case "$peer" in
      chromium) install_chromium ;;
      debian-prometheus) install_once "$peer" unpack_debian_prometheus ;;
      datasketches | evidently | python-sdk) install_once "$peer" install_python ;;
      prometheus) install_once "$peer" build_prometheus ;;
      alertmanager) install_once "$peer" build_alertmanager ;;
      jaeger) install_once "$peer" build_pinned github.com/jaegertracing/jaeger/cmd/jaeger ;;
      collector | compose-check | kubernetes-check) install_once "$peer" build_pinned . ;;
      *) fail "there is no peer \"$peer\"; there are: ${peers[*]}" ;;
    esac
  done
}

where() {
  echo "chromium $(find_chromium)"
  echo "debian-prometheus $(folder debian-prometheus)/usr/bin/prometheus"
  echo "debian-promtool $(folder debian-prometheus)/usr/bin/promtool"
  echo "datasketches $(folder datasketches)/bin/python"
  echo "evidently $(folder evidently)/bin/python"
  echo "python-sdk $(folder python-sdk)/bin/python"
  echo "prometheus $(folder prometheus)/prometheus"
  echo "promtool $(folder prometheus)/promtool"
  echo "alertmanager $(folder alertmanager)/alertmanager"
  echo "amtool $(folder alertmanager)/amtool"
  local peer
  for peer in jaeger collector compose-check kubernetes-check; do
    echo "$peer $(folder "$peer")/$peer"
  done
}

# The folder of one peer in the cache.
folder() {
  local version="$debian_release"
  if [[ "$1" != debian-prometheus ]]; then
    version="$( (cat "$here/programs/$1"/* && recipe) | sha256sum | cut -c1-12)"
  fi
  echo "$cache/$1-$version"
}

recipe() {
  declare -f build_pinned build_prometheus build_alertmanager published_source go_build
  declare -p build_flags
}

# Runs an installer into a folder beside the final one and renames it, so that a folder with the
# final name is always complete, even after an interrupted build or two at the same time.
install_once() {
  local peer="$1" target
  target="$(folder "$peer")"
  shift
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
      "$@" "$peer" "$target.partial"
      mv "$target.partial" "$target"
      say "$peer: installed in $((SECONDS - started)) s"
    fi
  ) 9>"$cache/.$peer.lock"
}

# A main package of ours, or one of a module that programs/PEER/go.mod pins.
build_pinned() {
  local package="$1" peer="$2" out="$3"
  cd "$here/programs/$peer"
  go_build "$peer" -o "$out/$peer" "$package"
}

# Neither of these two has its web page; the HTTP APIs, which the tests use, are complete.
build_prometheus() {
  local peer="$1" out="$2"
  published_source "$peer" github.com/prometheus/prometheus "$out/source"
  cd "$out/source"
  GOWORK=off go_build "$peer" -o "$out/" ./cmd/prometheus ./cmd/promtool
  rm -rf "$out/source"
}

# Alertmanager embeds a folder that its published module lacks; a placeholder makes it build.
build_alertmanager() {
  local peer="$1" out="$2"
  published_source "$peer" github.com/prometheus/alertmanager "$out/source"
  cd "$out/source"
  mkdir -p ui/app/dist
  echo '<!doctype html><title>Alertmanager without its page</title>' >ui/app/dist/index.html
  go_build "$peer" -o "$out/" ./cmd/alertmanager ./cmd/amtool
  rm -rf "$out/source"
}

# A copy of the module that programs/PEER/go.mod pins, verified against the go.sum beside it.
published_source() {
  local peer="$1" module="$2" target="$3"
  cd "$here/programs/$peer"
  go mod download "$module" || fail "could not download $module"
  cp -r "$(go list -m -f '{{.Dir}}' "$module")" "$target"
  chmod -R u+w "$target"
}

go_build() {
  local peer="$1"
  shift
  command -v go >/dev/null || fail "$peer is built by the Go toolchain, which is not on the PATH"
  say "$peer: building; from nothing, on two cores, the largest take five minutes each"
  nice -n 10 go build -p "$jobs" "${build_flags[@]}" "$@" ||
    fail "$peer did not build; the compiler's words are above"
}

# The environment is renamed afterwards, which its interpreter does not mind; its scripts would.
install_python() {
  local peer="$1" out="$2"
  command -v python3 >/dev/null || fail "$peer is a Python package, and there is no python3"
  python3 -m venv "$out" || fail "could not make a Python environment; Debian has python3-venv"
  "$out/bin/python" -m pip install --quiet --disable-pip-version-check \
    --requirement "$here/programs/$peer/requirements.txt" >&2 || fail "could not install $peer"
}

unpack_debian_prometheus() {
  local peer="$1" out="$2" version
  command -v apt-get >/dev/null || fail "$peer is a Debian package, and there is no apt-get"
  if ! download prometheus "$out"; then
    say "$peer: asking Debian for its package lists"
    apt-get update -qq >&2 || fail "apt-get update failed; it needs root and Debian's mirror"
    download prometheus "$out" || fail "could not download Debian's prometheus"
  fi
  version="$(dpkg-deb --field "$out"/*.deb Version)"
  [[ "$version" == "$debian_release".* || "$version" == "$debian_release"-* ]] ||
    fail "the peer tests want Prometheus $debian_release.x, and Debian offers $version"
  dpkg -x "$out"/*.deb "$out"
  rm "$out"/*.deb
}

# Any that the machine has.
find_chromium() {
  local name
  for name in chromium chromium-browser google-chrome-stable google-chrome; do
    command -v "$name" && return
  done
  echo "$cache/chromium"
}

install_chromium() {
  if [[ -x "$(find_chromium)" ]]; then
    say "chromium: already there"
    return
  fi
  command -v apt-get >/dev/null || fail "there is no Chromium, and no apt-get to install it with"
  apt-get install --yes --quiet --no-install-recommends chromium >&2 ||
    fail "could not install Debian's chromium; it needs root, apt-get update and Debian's mirror"
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
