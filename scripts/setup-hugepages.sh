#!/usr/bin/env bash
# Reserves hugepages, of 2 MiB or 1 GiB, per NUMA node, now and at every boot, and mounts them.
#
# Usage: scripts/setup-hugepages.sh [--node N] [--size 2M|1G] [--mount DIRECTORY] [--owner USER]
#                                   [--dry-run] PAGES
#        scripts/setup-hugepages.sh --undo [--dry-run]
#
#   PAGES              so many on each node, or on the one of --node; calling it again with another number
#                      changes it
#   --size 2M|1G       default 2M. 1 GiB pages are best reserved at boot: the script says the words for it
#   --mount DIRECTORY  mounts them there too, at every boot; without it /dev/hugepages serves for 2M
#   --owner USER       whom the mount belongs to
#   --dry-run          says what it would do, and does nothing
#   --undo             goes back to the numbers from before the first call, unmounts and forgets
#
# Root is needed, except for --dry-run. ROOT=DIRECTORY works on a tree in the place of / (for tests), and
# then mounts nothing and calls no systemctl.
set -euo pipefail

root=${ROOT:-}
state=$root/var/lib/precursor/hugepages
unit_dir=$root/etc/systemd/system
node='' size=2M mount='' owner='' dry_run=false undo=false pages=''

fail() {
  echo "setup-hugepages: $1" >&2
  exit 1
}

usage() {
  sed -n '2,/^set -euo/{s/^# \{0,1\}//;/^set -euo/d;p}' "$0"
}

# say_and_do COMMAND …
say_and_do() {
  echo "+ $*"
  "$dry_run" || "$@"
}

# write FILE TEXT: only where it says something else
write() {
  local file=$1 text=$2
  if [ -f "$file" ] && [ "$(cat "$file")" = "$text" ]; then
    return
  fi
  echo "+ write $file"
  "$dry_run" && return
  mkdir -p "$(dirname "$file")"
  printf '%s\n' "$text" >"$file"
}

# link UNIT: at boot it is started
link() {
  local wants=$unit_dir/sysinit.target.wants
  [ -L "$wants/$1" ] && return
  say_and_do mkdir -p "$wants"
  say_and_do ln -sf "../$1" "$wants/$1"
}

# Where the kernel keeps the number of pages of a node.
pool() {
  echo "$root/sys/devices/system/node/node$1/hugepages/hugepages-$2kB/nr_hugepages"
}

nodes() {
  local folder
  for folder in "$root"/sys/devices/system/node/node[0-9]*; do
    if [ -d "$folder" ]; then echo "${folder##*/node}"; fi
  done
}

# set_pool NODE KILOBYTES PAGES
set_pool() {
  local file got
  file=$(pool "$1" "$2")
  if [ "$(cat "$file")" = "$3" ]; then
    echo "node $1: $3 pages of $2 kB already"
    return
  fi
  echo "+ $3 pages of $2 kB on node $1 (there were $(cat "$file"))"
  "$dry_run" && return
  echo "$3" >"$file"
  got=$(cat "$file")
  if [ "$got" -lt "$3" ]; then
    echo "node $1 gave $got of $3 pages of $2 kB: its memory is in pieces or used." >&2
    echo "At boot there is room: add to the kernel's command line" >&2
    if [ "$2" = 1048576 ]; then
      echo "  hugepagesz=1G hugepages=$3" >&2
    else
      echo "  hugepages=$3" >&2
    fi
    exit 3
  fi
}

# What every boot does again: a unit of its own for each size and node.
remember() {
  local name=precursor-hugepages-$1-node$2
  # What was there before the first call: --undo goes back to it.
  [ -f "$state/$1.node$2" ] || write "$state/$1.node$2" "$(cat "$(pool "$2" "$1")")"
  write "$unit_dir/$name.service" "[Unit]
Description=$3 hugepages of $1 kB on NUMA node $2
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo $3 > /sys/devices/system/node/node$2/hugepages/hugepages-$1kB/nr_hugepages'

[Install]
WantedBy=sysinit.target"
  link "$name.service"
}

forget() {
  local file name
  for file in "$state"/[0-9]*.node[0-9]*; do
    [ -f "$file" ] || continue
    name=${file##*/}
    set_pool "${name##*.node}" "${name%%.*}" "$(cat "$file")"
    name=precursor-hugepages-${name%%.*}-node${name##*.node}.service
    say_and_do rm -f "$unit_dir/$name" "$unit_dir/sysinit.target.wants/$name" "$file"
  done
  for file in "$state"/mount.*; do
    [ -f "$file" ] || continue
    unmount "$(cat "$file")"
    say_and_do rm -f "$file"
  done
}

# The name that systemd wants for the unit of a mount.
mount_unit() {
  local path=${1#/}
  path=${path//-/\\x2d}
  echo "${path//\//-}.mount"
}

is_mounted() {
  [ -f "$root/proc/mounts" ] && grep -q " $1 hugetlbfs " "$root/proc/mounts"
}

mount_pages() {
  local page=$1 options unit
  case $mount in /*) ;; *) fail "--mount wants an absolute directory, not '$mount'" ;; esac
  [[ $mount =~ ^[A-Za-z0-9/_.-]+$ ]] || fail "--mount '$mount': plain names only"
  mount=${mount%/}
  options=pagesize=$page,mode=1770
  if [ -n "$owner" ]; then
    id -u "$owner" >/dev/null 2>&1 || fail "--owner $owner: there is no such user"
    options+=,uid=$(id -u "$owner"),gid=$(id -g "$owner")
  fi
  unit=$(mount_unit "$mount")
  write "$state/mount.$page" "$mount"
  write "$unit_dir/$unit" "[Unit]
Description=Hugepages of $page for Precursor
DefaultDependencies=no
Before=sysinit.target

[Mount]
What=hugetlbfs
Where=$mount
Type=hugetlbfs
Options=$options

[Install]
WantedBy=sysinit.target"
  link "$unit"
  if is_mounted "$mount"; then
    echo "$mount is mounted already"
  elif [ -n "$root" ]; then
    echo "+ mount -t hugetlbfs -o $options hugetlbfs $mount (not in ROOT)"
  else
    say_and_do mkdir -p "$mount"
    say_and_do mount -t hugetlbfs -o "$options" hugetlbfs "$mount"
  fi
}

unmount() {
  local unit
  unit=$(mount_unit "$1")
  if is_mounted "$1" && [ -z "$root" ]; then
    say_and_do umount "$1"
  fi
  say_and_do rm -f "$unit_dir/$unit" "$unit_dir/sysinit.target.wants/$unit"
}

while [ $# -gt 0 ]; do
  case $1 in
    --node) node=${2:?--node wants a number}; shift ;;
    --size) size=${2:?--size wants 2M or 1G}; shift ;;
    --mount) mount=${2:?--mount wants a directory}; shift ;;
    --owner) owner=${2:?--owner wants a user}; shift ;;
    --dry-run) dry_run=true ;;
    --undo) undo=true ;;
    -h | --help) usage; exit 0 ;;
    -*) fail "there is no option $1; --help lists them" ;;
    *) [ -z "$pages" ] || fail "one number of pages, not also '$1'"; pages=$1 ;;
  esac
  shift
done

if ! "$dry_run" && [ -z "$root" ] && [ "$(id -u)" -ne 0 ]; then
  fail "this needs root; --dry-run shows what it would do"
fi
if "$undo"; then
  [ -z "$pages" ] || fail "--undo gives all back and wants no number"
  forget
  exit 0
fi
[[ $pages =~ ^[0-9]{1,7}$ ]] || fail "how many pages? A number is needed; --help says more"
case $size in
  2M) kilobytes=2048 ;;
  1G) kilobytes=1048576 ;;
  *) fail "--size is 2M or 1G, not '$size'" ;;
esac
chosen=$(nodes)
if [ -n "$node" ]; then
  grep -qx "$node" <<<"$chosen" || fail "there is no NUMA node $node; there are: ${chosen//$'\n'/ }"
  chosen=$node
fi
[ -n "$chosen" ] || fail "this kernel shows no NUMA nodes below /sys/devices/system/node"
for each in $chosen; do
  [ -f "$(pool "$each" "$kilobytes")" ] ||
    fail "this kernel has no hugepages of $size on node $each"
  remember "$kilobytes" "$each" "$pages"
  set_pool "$each" "$kilobytes" "$pages"
done
if [ -n "$mount" ]; then
  mount_pages "$size"
fi
