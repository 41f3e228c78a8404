#!/bin/bash
# In the lab's machine with two NUMA nodes: scripts/setup-hugepages.sh and a real kernel's pages.
set -euo pipefail
here=$(dirname "$0")
. "$here/said.sh"
script=$here/../../../../scripts/setup-hugepages.sh
pages() {
  cat "/sys/devices/system/node/node$1/hugepages/hugepages-$2kB/nr_hugepages"
}
both() {
  echo "$(pages 0 "$1") $(pages 1 "$1")"
}
state() {
  find /var/lib/precursor /etc/systemd/system ! -type d -path '*hugepages*' 2>/dev/null | sort
  find /etc/systemd/system -name 'mnt-*.mount'
}

echo 3 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
before=$(state)
text=$("$script" --dry-run --mount /mnt/pages 8)
holds 'a dry run says what it would do' says "$text" '^\+ 8 pages of 2048 kB on node 1 \(there were 3\)'
holds 'and does nothing' is "$(both 2048) $(state)" "0 3 $before"

text=$("$script" 8)
holds 'each node has as many pages' is "$(both 2048)" '8 8'
text=$("$script" 8)
holds 'what is there is left alone' unchanged "$text"
"$script" --node 1 12
holds 'one node has another number' is "$(both 2048)" '8 12'

"$script" --mount /mnt/pages-2 --owner nobody 8
holds 'the pages are mounted' is "$(stat -f -c %T /mnt/pages-2) $(stat -c %U /mnt/pages-2)" 'hugetlbfs nobody'
text=$("$script" --mount /mnt/pages-2 --owner nobody 8)
holds 'once' is "$(grep -c ' /mnt/pages-2 ' /proc/mounts)" 1
holds 'and then left alone' unchanged "$text"
holds 'the mount gives memory of such pages' python3 - <<'P'
import mmap, os
file = os.open("/mnt/pages-2/x", os.O_CREAT | os.O_RDWR)
os.ftruncate(file, 4 << 20)
memory = mmap.mmap(file, 4 << 20)
memory[3 << 20] = 7
P
used=$(($(both 2048 | tr ' ' '+') - $(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)))
holds 'from those that were reserved' [ "$used" -ge 1 ]
rm /mnt/pages-2/x

if grep -q pdpe1gb /proc/cpuinfo; then
  "$script" --size 1G --node 1 1
  holds 'a page of 1 GiB is reserved on the node that is named' is "$(both 1048576)" '0 1'
  "$script" --size 1G --node 1 --mount /mnt/large 1
  holds 'and mounted beside the others' grep -q ' /mnt/large hugetlbfs .*pagesize=1024M' /proc/mounts
fi

code=0
text=$("$script" --node 0 100000 2>&1) || code=$?
holds 'more than there is room for is a failure' is "$code" 3
holds 'which says what there is' says "$text" 'node 0 gave [0-9]+ of 100000 pages'

if command -v systemd-escape >/dev/null; then
  unit=$(systemd-escape --path --suffix=mount /mnt/pages-2)
  holds 'the unit has the name that systemd looks for' test -f "/etc/systemd/system/$unit"
fi
text=$("$script" --undo)
holds 'afterwards all is as it was' is "$(both 2048) $(both 1048576) $(state)" "0 3 0 0 $before"
holds 'nothing is mounted' is "$(grep -c '/mnt/' /proc/mounts)" 0
text=$("$script" --undo)
holds 'a second time there is nothing to undo' unchanged "$text"
