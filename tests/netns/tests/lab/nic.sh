#!/bin/bash
# In the lab's machine with the igb card: scripts/setup-nic.sh and a real kernel.
set -euo pipefail
here=$(dirname "$0")
. "$here/said.sh"
script=$here/../../../../scripts/setup-nic.sh
devices=/sys/bus/pci/devices
pf=$LAB_PF
vf() {
  basename "$(readlink "$devices/$pf/virtfn$1")"
}
driver() {
  [ -e "$devices/$1/driver" ] || { echo none; return; }
  basename "$(readlink "$devices/$1/driver")"
}
# What the card's driver says of a virtual function.
function_line() {
  ip link show "$LAB_INTERFACE" | grep "^ *vf $1 "
}
count() {
  cat "$devices/$pf/sriov_numvfs"
}
settings() {
  ethtool -l "$LAB_INTERFACE" | sed -n '/Current/,$p'
  ethtool -c "$LAB_INTERFACE" | grep -E '^(Adaptive|rx-usecs|tx-usecs):'
  cat "$devices/$pf/sriov_drivers_autoprobe"
  count
}
# Each interrupt's name and the processors that it may go to.
processors() {
  local irq name
  awk -v name="$LAB_INTERFACE" '$NF ~ "^" name "(-|$)" { sub(":", "", $1); print $1, $NF }' /proc/interrupts |
    while read -r irq name; do
      echo "$name=$(cat "/proc/irq/$irq/smp_affinity_list")"
    done | LC_ALL=C sort | tr '\n' ' '
}

before=$(settings)
processors_before=$(processors)

# ---- virtual functions ----
words=(vfs "$LAB_INTERFACE" 2 --mac 02:00:00:00:01:fe --vlan 7 --spoof-check off --trust on)
text=$("$script" "${words[@]}" --dry-run)
holds 'a dry run says what it would do' says "$text" "^\+ echo '2' > /sys/bus/pci/devices/$pf/sriov_numvfs"
holds 'and does nothing' is "$(settings)" "$before"
"$script" "${words[@]}"
holds 'there are two functions' is "$(count)" 2
for each in 0:fe 1:ff; do
  line=$(function_line "${each%:*}")
  holds "function ${each%:*} has its address" says "$line" "02:00:00:00:01:${each#*:}"
  holds 'its VLAN' says "$line" 'vlan 7'
  holds 'no spoof check' says "$line" 'spoof checking off'
  holds 'and trust' says "$line" 'trust on'
done
text=$("$script" "${words[@]}")
holds 'what is there is left alone' unchanged "$text"
"$script" vfs "$LAB_INTERFACE" 2 --spoof-check on
holds 'a single setting changes' says "$(function_line 1)" 'vlan 7, spoof checking on'
holds 'the kernel makes no interfaces of them' is "$(driver "$(vf 0)") $(driver "$(vf 1)")" 'none none'
holds 'more than the card has are refused' refuses 'has 7 virtual functions at most' \
  "$script" vfs "$LAB_INTERFACE" 8

# ---- VFIO ----
text=$("$script" bind "$(vf 0)" --dry-run)
holds 'a dry run binds nothing' is "$(driver "$(vf 0)")" none
"$script" bind "$(vf 0)" --owner nobody
holds 'the function is at vfio-pci' is "$(driver "$(vf 0)")" vfio-pci
group=$(basename "$(readlink "$devices/$(vf 0)/iommu_group")")
holds 'its owner may open it' is "$(stat -c %U "/dev/vfio/$group")" nobody
text=$("$script" bind "$(vf 0)")
holds 'what is bound is left alone' unchanged "$text"
text=$("$script" unbind "$(vf 0)")
holds 'given back, nobody drives it' is "$(driver "$(vf 0)")" none
holds 'and that is said' says "$text" 'no driver of the kernel took'
echo 1 >"$devices/$pf/sriov_drivers_autoprobe"
"$script" bind "$(vf 1)"
text=$("$script" unbind "$(vf 1)")
holds 'where the kernel probes them, its driver takes it back' is "$(driver "$(vf 1)")" igbvf
name=$(ls "$devices/$(vf 1)/net")
"$script" bind "$name"
holds 'an interface is bound by its name' is "$(driver "$(vf 1)")" vfio-pci
function=$(vf 1)
"$script" undo "$function"
holds 'undo gives it to the driver that it had' is "$(driver "$function")" igbvf
"$script" undo "$LAB_INTERFACE"
holds 'undo takes the functions away' is "$(settings)" "$before"
holds 'a second time there is nothing to undo' says "$("$script" undo "$LAB_INTERFACE")" '^nothing'

# ---- queues, interrupts, coalescing ----
holds 'the card has two queues' is "$(ethtool -l "$LAB_INTERFACE" | sed -n '/Current/,$s/^Combined:\s*//p')" 2
text=$("$script" queues "$LAB_INTERFACE" 1 --cpus 1 --dry-run)
holds 'a dry run changes no queues' is "$(settings) $(processors)" "$before $processors_before"
"$script" queues "$LAB_INTERFACE" 2 --cpus 1,0
holds 'the interrupts go where they are told' is "$(processors)" \
  "$LAB_INTERFACE-rx-0=1 $LAB_INTERFACE-rx-1=0 $LAB_INTERFACE-tx-0=1 $LAB_INTERFACE-tx-1=0 $LAB_INTERFACE=0-1 "
text=$("$script" queues "$LAB_INTERFACE" 2 --cpus 1,0)
holds 'and stay' unchanged "$text"
"$script" queues "$LAB_INTERFACE" 1 --cpus 1
holds 'there is one queue' is "$(ethtool -l "$LAB_INTERFACE" | sed -n '/Current/,$s/^Combined:\s*//p')" 1
holds 'with its interrupts' says "$(processors)" "$LAB_INTERFACE-(TxRx|rx)-0=1 "
holds 'more queues than the card has are refused' refuses 'has 8 queues at most' "$script" queues "$LAB_INTERFACE" 64
"$script" coalesce "$LAB_INTERFACE" 50
holds 'interrupts wait so long' is "$(ethtool -c "$LAB_INTERFACE" | sed -n 's/^rx-usecs:\s*//p')" 50
holds 'and are left alone' unchanged "$("$script" coalesce "$LAB_INTERFACE" 50)"
holds 'a driver that cannot choose says so' refuses 'cannot choose' \
  "$script" coalesce "$LAB_INTERFACE" adaptive
"$script" undo "$LAB_INTERFACE"
holds 'afterwards all is as it was' is "$(settings) $(processors)" "$before $processors_before"

# ---- the card that carries the default route ----
ip address add 10.78.0.1/24 dev "$LAB_INTERFACE"
ip route add default via 10.78.0.2 dev "$LAB_INTERFACE"
for each in "bind $LAB_INTERFACE" "bind $pf --force" "vfs $LAB_INTERFACE 1" "queues $LAB_INTERFACE 1"; do
  holds "default route: $each" refuses "carries this host's default route" "$script" $each
done
holds 'the card stays the kernel'"'s" is "$(driver "$pf")" igb
"$script" bind "$LAB_INTERFACE" --force --force
holds 'told twice, it goes' is "$(driver "$pf")" vfio-pci
"$script" undo "$pf"
holds 'and comes back' is "$(driver "$pf")" igb
holds 'with its interface' test -d "/sys/class/net/$LAB_INTERFACE"
ip link set "$LAB_INTERFACE" up
ip link add link "$LAB_INTERFACE" name above type vlan id 9
ip address add 10.79.0.1/24 dev above
ip link set above up
ip route add default via 10.79.0.2 dev above
holds 'a default route above the card counts too' refuses 'by above' "$script" bind "$LAB_INTERFACE"
ip route del default
ip link del above
ip rule add from 10.78.0.0/24 table 77
ip address replace 10.78.0.1/24 dev "$LAB_INTERFACE"
ip route add default via 10.78.0.2 dev "$LAB_INTERFACE" table 77
holds 'and one in a table of its own' refuses "carries this host's default route" "$script" bind "$LAB_INTERFACE"
