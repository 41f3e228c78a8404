#!/usr/bin/env bash
# Prepares a network card for network.driver=dpdk or afxdp.
#
# Usage: scripts/setup-nic.sh bind CARD [--owner USER]
#        scripts/setup-nic.sh unbind CARD
#        scripts/setup-nic.sh vfs CARD COUNT [--mac FIRST] [--vlan ID] [--spoof-check on|off] [--trust on|off]
#        scripts/setup-nic.sh queues CARD COUNT [--cpus LIST]
#        scripts/setup-nic.sh coalesce CARD MICROSECONDS|adaptive
#        scripts/setup-nic.sh undo CARD                     (or any of these with --undo)
#
#   CARD          an interface's name, or a PCI address as 0000:3b:00.0
#   bind          gives the card to vfio-pci, which DPDK drives; the kernel loses its interface
#   unbind        gives it back to the kernel's own driver
#   vfs           makes so many SR-IOV virtual functions, which the kernel leaves alone until they are
#                 bound, and sets each one's MAC address (FIRST and its successors), VLAN, spoof check
#                 and trust; 0 takes them away
#   queues        sets the number of queue pairs, and their interrupts to the processors of LIST
#                 (as 2,3,6) in turn
#   coalesce      lets interrupts wait so long, or lets the driver choose
#   undo          sets everything back to what it was before the first of these calls
#   --dry-run     says what it would do, and does nothing
#   --force       given twice: also a card that carries the default route
#
# What holds already is left alone. Nothing survives a boot: call it from a unit that precedes the broker.
# Root is needed, except for --dry-run. ROOT=DIRECTORY looks at a tree in the place of / (for tests).
set -euo pipefail

root=${ROOT:-}
state_dir=$root/var/lib/precursor/nic
pci_dir=$root/sys/bus/pci
net_dir=$root/sys/class/net
dry_run=false undo=false force=0
owner='' mac='' vlan='' spoof_check='' trust='' cpus=''
words=()

fail() {
  echo "setup-nic: $1" >&2
  exit 1
}

usage() {
  sed -n '2,/^set -euo/{s/^# \{0,1\}//;/^set -euo/d;p}' "$0"
}

say_and_do() {
  echo "+ $*"
  "$dry_run" || "$@"
}

# put FILE TEXT: writes what is not there yet
put() {
  if [ -r "$1" ] && [ "$(cat "$1" 2>/dev/null)" = "$2" ]; then
    return
  fi
  echo "+ echo '$2' > ${1#"$root"}"
  "$dry_run" || echo "$2" >"$1"
}

# poke FILE TEXT: where writing is all that the file is for
poke() {
  echo "+ echo '$2' > ${1#"$root"}"
  "$dry_run" || echo "$2" >"$1"
}

# ---- what the card is ----

driver_of() {
  local link=$pci_dir/devices/$1/driver
  if [ -e "$link" ]; then basename "$(readlink "$link")"; fi
}

interfaces_of() {
  local folder
  for folder in "$pci_dir/devices/$1/net"/*; do
    if [ -d "$folder" ]; then basename "$folder"; fi
  done
}

# Sets `interface` and `pci`, either of which may be empty.
find_card() {
  interface='' pci=''
  if [[ $1 =~ ^([0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]$ ]]; then
    pci=${1,,}
    [ ${#pci} -eq 7 ] && pci=0000:$pci
    [ -d "$pci_dir/devices/$pci" ] || fail "there is no PCI device $pci"
    interface=$(interfaces_of "$pci" | head -n 1)
    return
  fi
  [[ $1 =~ ^[A-Za-z0-9_.-]{1,15}$ ]] || fail "'$1' is neither an interface's name nor a PCI address"
  [ -d "$net_dir/$1" ] || fail "there is no network interface '$1'; a card that is bound has its PCI address alone"
  interface=$1
  if [ -e "$net_dir/$1/device" ]; then
    pci=$(basename "$(readlink "$net_dir/$1/device")")
    [ -d "$pci_dir/devices/$pci" ] || pci=''
  fi
}

need_pci() {
  [ -n "$pci" ] || fail "$interface is no PCI device"
}

need_interface() {
  [ -n "$interface" ] || fail "$pci has no interface of the kernel (its driver: $(driver_of "$pci"))"
}

# The interfaces below one: of a bridge, a bond, a VLAN.
below() {
  local lower
  echo "$1"
  for lower in "$net_dir/$1"/lower_*; do
    [ -e "$lower" ] && below "${lower##*/lower_}"
  done
  return 0
}

# Fails where the card carries the default route.
guard() {
  local routed each mine
  mine=$({ if [ -n "$pci" ]; then interfaces_of "$pci"; fi; echo "$interface"; } | sed '/^$/d')
  # A virtual function that the kernel leaves alone carries nothing.
  [ -n "$mine" ] || return 0
  # Of every table, with each of several next hops.
  routed=$({ ip route show table all; ip -6 route show table all; } 2>/dev/null | awk '
    /^[^ \t]/ { is_default = /^(unicast )?default / }
    is_default && match($0, / dev [^ ]+/) { print substr($0, RSTART + 5, RLENGTH - 5) }' | sort -u)
  for each in $routed; do
    if below "$each" | grep -qxF "$mine" && [ "$force" -lt 2 ]; then
      fail "$(head -n 1 <<<"$mine") carries this host's default route (by $each): taking it may cut you off. If that is meant, give --force twice"
    fi
  done
}

# ---- what was before ----

state_file() {
  echo "$state_dir/${pci:-$interface}"
}

# remember KEY VALUE: the first value stays
remember() {
  local file
  file=$(state_file)
  if [ -f "$file" ] && grep -q "^$1=" "$file"; then
    return
  fi
  "$dry_run" && return
  mkdir -p "$state_dir"
  echo "$1=$2" >>"$file"
}

# ---- commands ----

rebind() {
  local from
  from=$(driver_of "$pci")
  if [ -n "$from" ]; then
    poke "$pci_dir/drivers/$from/unbind" "$pci"
  fi
  poke "$pci_dir/drivers_probe" "$pci"
}

is_bound() {
  local try
  for ((try = 0; try < 20; try++)); do
    [ "$(driver_of "$pci")" = vfio-pci ] && return
    sleep 0.1
  done
  return 1
}

bind() {
  local group member others=() from
  need_pci
  [ -e "$pci_dir/devices/$pci/iommu_group" ] || fail "$pci has no IOMMU group: switch the IOMMU on (in the firmware, and intel_iommu=on or amd_iommu=on for the kernel)"
  group=$(basename "$(readlink "$pci_dir/devices/$pci/iommu_group")")
  from=$(driver_of "$pci")
  if [ "$from" = vfio-pci ]; then
    echo "$pci is vfio-pci's already"
  else
    guard
    for member in "$pci_dir/devices/$pci/iommu_group/devices"/*; do
      [ -e "$member" ] && [ "$(basename "$member")" != "$pci" ] && others+=("$(basename "$member")")
    done
    if [ ${#others[@]} -gt 0 ]; then
      echo "note: these share its IOMMU group and must not be the kernel's either: ${others[*]}"
    fi
    remember driver "${from:-none}"
    [ -d "$pci_dir/drivers/vfio-pci" ] || say_and_do modprobe vfio-pci
    put "$pci_dir/devices/$pci/driver_override" vfio-pci
    rebind
    "$dry_run" || is_bound || fail "vfio-pci did not take $pci; the kernel's log says why"
  fi
  if [ -n "$owner" ]; then
    say_and_do chown "$owner" "$root/dev/vfio/$group"
  fi
}

# The kernel loads the driver of a device when that appears, not when it is given back.
load_own_driver() {
  local device=$pci_dir/devices/$pci
  if [ -r "$device/modalias" ] && [ "$(cat "$device/physfn/sriov_drivers_autoprobe" 2>/dev/null)" != 0 ]; then
    # There may be none; what drives it in the end is looked at afterwards.
    say_and_do modprobe -q "$(cat "$device/modalias")" || true
  fi
}

unbind() {
  need_pci
  if [ "$(driver_of "$pci")" != vfio-pci ]; then
    echo "$pci is not vfio-pci's (its driver: $(driver_of "$pci"))"
    return
  fi
  load_own_driver
  # An empty line is what takes an override away.
  put "$pci_dir/devices/$pci/driver_override" ''
  rebind
  if ! "$dry_run" && [ -z "$(driver_of "$pci")" ]; then
    echo "note: no driver of the kernel took $pci (virtual functions of 'vfs' are left alone)"
  fi
}

# The MAC address so many places behind another.
mac_after() {
  local number
  number=$((16#${1//:/} + $2))
  printf '%012x' "$number" | sed 's/../&:/g; s/:$//'
}

# Sets `change` to the words of `ip` for what a virtual function has otherwise than it is told. To set
# an address again would take it from the driver that has it.
vf_changes() {
  local now='' address
  change=()
  if [ -n "$mac$vlan$spoof_check$trust" ] && [ -n "$interface" ]; then
    now=$(ip link show dev "$interface" 2>/dev/null | sed -n "s/^ *vf $1 \(.*\)/\1,/p")
  fi
  if [ -n "$mac" ]; then
    address=$(mac_after "$mac" "$1")
    [[ $now == *" ${address}"[\ ,]* ]] || change+=(mac "$address")
  fi
  if [ -n "$vlan" ]; then
    case $now in
      *' vlan '*) [[ $now == *" vlan $vlan,"* ]] || change+=(vlan "$vlan") ;;
      '') change+=(vlan "$vlan") ;;
      # None is told of the one that has none.
      *) [ "$vlan" = 0 ] || change+=(vlan "$vlan") ;;
    esac
  fi
  [ -z "$spoof_check" ] || [[ $now == *" spoof checking $spoof_check,"* ]] || change+=(spoofchk "$spoof_check")
  [ -z "$trust" ] || [[ $now == *" trust $trust,"* ]] || change+=(trust "$trust")
}

vfs() {
  local count=$1 device=$pci_dir/devices/$pci total now number change
  need_pci
  [[ $count =~ ^[0-9]{1,3}$ ]] || fail "vfs wants a number, not '$count'"
  [ -e "$device/sriov_totalvfs" ] || fail "$pci has no virtual functions (SR-IOV is off, or the driver ${interface:+of $interface }cannot)"
  total=$(cat "$device/sriov_totalvfs")
  [ "$count" -le "$total" ] || fail "$pci has $total virtual functions at most, not $count"
  now=$(cat "$device/sriov_numvfs")
  if [ "$now" = "$count" ]; then
    echo "$pci has $count virtual functions already"
  else
    guard
    remember vfs "$now"
    # The kernel's driver for them would make interfaces of them that nobody wants.
    if [ -e "$device/sriov_drivers_autoprobe" ]; then
      remember autoprobe "$(cat "$device/sriov_drivers_autoprobe")"
      put "$device/sriov_drivers_autoprobe" 0
    fi
    # From one number to another there is no way but by none.
    if [ "$now" != 0 ]; then put "$device/sriov_numvfs" 0; fi
    put "$device/sriov_numvfs" "$count"
  fi
  for ((number = 0; number < count; number++)); do
    vf_changes "$number"
    if [ ${#change[@]} -gt 0 ]; then
      need_interface
      say_and_do ip link set "$interface" vf "$number" "${change[@]}"
    fi
  done
}

# channels KIND: combined, RX or TX, as they are now
channels() {
  ethtool -l "$interface" 2>/dev/null | sed -n '/Current/,$p' |
    sed -n "s/^$1:[[:space:]]*\([0-9]*\)\$/\1/p"
}

# channels_max KIND: as many as the card has
channels_max() {
  ethtool -l "$interface" 2>/dev/null | sed '/Current/,$d' |
    sed -n "s/^$1:[[:space:]]*\([0-9]*\)\$/\1/p"
}

# fits COUNT KIND
fits() {
  local most
  most=$(channels_max "$2")
  [ "$1" -le "${most:-0}" ] || fail "$interface has ${most:-0} queues at most now, not $1"
}

# The interrupts of queues, each with its queue's number: eth5-TxRx-3, eth5-rx-3, mlx5_comp3@pci:…. Others
# (of the link, of commands) have none.
queue_interrupts() {
  local name=${interface//./\\.} card=${pci//./\\.}
  sed -nE -e "s/^ *([0-9]+):.*[ -]${name}[-.]([^ ]*[-.])?([0-9]+)\$/\1 \3/p" \
    -e "s/^ *([0-9]+):.* [^ ]*[^0-9 ]([0-9]+)@pci:$card\$/\1 \2/p" "$root/proc/interrupts"
}

queues() {
  local count=$1 combined receive send irq number list found=false
  need_interface
  [[ $count =~ ^[1-9][0-9]{0,3}$ ]] || fail "queues wants a number of at least 1, not '$count'"
  combined=$(channels Combined) receive=$(channels RX) send=$(channels TX)
  if [ "${combined:-0}" = "$count" ] || { [ "${receive:-0}" = "$count" ] && [ "${send:-0}" = "$count" ]; }; then
    echo "$interface has $count queues already"
  elif [ "${combined:-0}" -gt 0 ]; then
    guard
    fits "$count" Combined
    remember combined "$combined"
    say_and_do ethtool -L "$interface" combined "$count"
  elif [ "${receive:-0}" -gt 0 ]; then
    guard
    fits "$count" RX
    fits "$count" TX
    remember receive_send "$receive $send"
    say_and_do ethtool -L "$interface" rx "$count" tx "$count"
  else
    fail "the driver of $interface does not tell its queues (ethtool -l)"
  fi
  [ -n "$cpus" ] || return 0
  need_pci
  IFS=, read -r -a list <<<"$cpus"
  while read -r irq number; do
    found=true
    remember "affinity.$irq" "$(cat "$root/proc/irq/$irq/smp_affinity_list")"
    put "$root/proc/irq/$irq/smp_affinity_list" "${list[10#$number % ${#list[@]}]}"
  done < <(queue_interrupts)
  "$found" || echo "note: no interrupt of a queue of $interface is in /proc/interrupts (while it is down there are none)"
  if pidof irqbalance >/dev/null 2>&1; then
    echo "note: irqbalance runs and will move these interrupts; ban them there, or stop it"
  fi
}

coalesce() {
  local wait=$1 now adaptive
  need_interface
  now=$(ethtool -c "$interface" 2>/dev/null) || fail "the driver of $interface has no interrupt coalescing (ethtool -c)"
  adaptive=$(sed -n 's/^Adaptive RX: \([a-z/]*\).*/\1/p' <<<"$now")
  now=$(sed -n 's/^rx-usecs:[[:space:]]*\([0-9]*\)$/\1/p' <<<"$now")
  case $wait in
    adaptive)
      [ "$adaptive" = on ] && { echo "$interface: adaptive already"; return; }
      [ "$adaptive" = off ] || fail "the driver of $interface cannot choose how long interrupts wait"
      guard
      remember coalesce "$adaptive ${now:-none}"
      say_and_do ethtool -C "$interface" adaptive-rx on
      ;;
    *)
      [[ $wait =~ ^[0-9]{1,5}$ ]] || fail "coalesce wants microseconds or 'adaptive', not '$wait'"
      [ -n "$now" ] || fail "the driver of $interface does not let interrupts wait so long as it is told (ethtool -c)"
      [ "$now" = "$wait" ] && [ "$adaptive" != on ] && { echo "$interface: $wait us already"; return; }
      guard
      remember coalesce "$adaptive ${now:-none}"
      if [ "$adaptive" = on ]; then say_and_do ethtool -C "$interface" adaptive-rx off; fi
      say_and_do ethtool -C "$interface" rx-usecs "$wait"
      ;;
  esac
}

undo_coalesce() {
  local adaptive=${1% *} microseconds=${1#* }
  if [ "$microseconds" != none ]; then say_and_do ethtool -C "$interface" rx-usecs "$microseconds"; fi
  if [ "$adaptive" = on ]; then say_and_do ethtool -C "$interface" adaptive-rx on; fi
}

undo() {
  local file key value
  file=$(state_file)
  if [ ! -f "$file" ]; then
    echo "nothing of ${interface:-$pci} was changed"
    return
  fi
  # The driver first: other settings need its interface.
  if grep -q '^driver=' "$file"; then
    unbind
    "$dry_run" || interface=$(interfaces_of "$pci" | head -n 1)
  fi
  while IFS='=' read -r key value; do
    case $key in
      driver) ;;
      vfs) put "$pci_dir/devices/$pci/sriov_numvfs" 0; put "$pci_dir/devices/$pci/sriov_numvfs" "$value" ;;
      autoprobe) put "$pci_dir/devices/$pci/sriov_drivers_autoprobe" "$value" ;;
      combined) say_and_do ethtool -L "$interface" combined "$value" ;;
      receive_send) say_and_do ethtool -L "$interface" rx "${value% *}" tx "${value#* }" ;;
      affinity.*)
        # With other queues come other interrupts.
        [ ! -e "$root/proc/irq/${key#affinity.}" ] || put "$root/proc/irq/${key#affinity.}/smp_affinity_list" "$value"
        ;;
      coalesce) undo_coalesce "$value" ;;
      *) fail "$file holds what this script does not know: $key" ;;
    esac
  done <"$file"
  say_and_do rm -f "$file"
}

one_of() {
  case $2 in on | off) ;; *) fail "$1 is on or off, not '$2'" ;; esac
}

while [ $# -gt 0 ]; do
  case $1 in
    --owner) owner=${2:?--owner wants a user}; shift ;;
    --mac) mac=${2:?--mac wants an address}; shift ;;
    --vlan) vlan=${2:?--vlan wants a number}; shift ;;
    --spoof-check) spoof_check=${2:?--spoof-check wants on or off}; shift ;;
    --trust) trust=${2:?--trust wants on or off}; shift ;;
    --cpus) cpus=${2:?--cpus wants a list}; shift ;;
    --dry-run) dry_run=true ;;
    --undo) undo=true ;;
    --force) force=$((force + 1)) ;;
    -h | --help) usage; exit 0 ;;
    -*) fail "there is no option $1; --help lists them" ;;
    *) words+=("$1") ;;
  esac
  shift
done

[ -z "$mac" ] || [[ $mac =~ ^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$ ]] || fail "--mac '$mac' is no address of one host"
[ -z "$vlan" ] || { [[ $vlan =~ ^[0-9]{1,4}$ ]] && [ "$vlan" -le 4094 ]; } || fail "--vlan is 0 to 4094, not '$vlan'"
[ -z "$cpus" ] || [[ $cpus =~ ^[0-9]+(,[0-9]+)*$ ]] || fail "--cpus is a list as 2,3,6, not '$cpus'"
[ -z "$spoof_check" ] || one_of --spoof-check "$spoof_check"
[ -z "$trust" ] || one_of --trust "$trust"
command=${words[0]:-}
case $command in
  bind | unbind | undo) wanted=2 ;;
  vfs | queues | coalesce) wanted=3 ;;
  '') fail "what is to be done? --help says more" ;;
  *) fail "there is no command '$command'; --help lists them" ;;
esac
if "$undo"; then
  command=undo
  [ ${#words[@]} -lt "$wanted" ] || wanted=${#words[@]}
fi
[ ${#words[@]} -ge 2 ] || fail "which card?"
[ ${#words[@]} -eq "$wanted" ] || "$undo" || fail "$command takes $((wanted - 1)) words, not $((${#words[@]} - 1)); --help says which"
if ! "$dry_run" && [ -z "$root" ] && [ "$(id -u)" -ne 0 ]; then
  fail "this needs root; --dry-run shows what it would do"
fi
find_card "${words[1]}"
"$command" "${words[@]:2}"
