"""Wires to brokers that are reached past the kernel: veth pairs into network namespaces.

`run --driver` puts the tests into a namespace of their own, so that nothing of the host's network
is touched; each broker gets another, and a pair between the two.
"""

import itertools
import os
import subprocess

# Begins the name of every namespace of the tests; the id of the process that made it follows, so
# that what a killed one leaves behind is found (tests/netns).
PREFIX = "pctest"
# What network.driver and network.dpdk.args are for each driver that can be asked for.
DRIVERS = {
    "afxdp": ("afxdp", None),
    "dpdk": ("dpdk", "net_af_xdp0"),
    "dpdk-packet": ("dpdk", "net_af_packet0"),
}
numbers = itertools.count()


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"`ip {' '.join(words)}` (which needs root): {done.stderr.strip()}")


class Wire:
    """One veth pair: `far` ends here, `near` in a namespace of the broker's."""

    def __init__(self, driver):
        way, device = DRIVERS[driver]
        self.namespace = f"{PREFIX}-{os.getpid()}-{next(numbers)}-near"
        self.enter = ["ip", "netns", "exec", self.namespace]
        self._lay()
        # Segments larger than a frame must not come where a driver takes what the kernel sees.
        if way == "dpdk":
            subprocess.run(["ethtool", "-K", self.far, "tx", "off", "tso", "off", "gso", "off"],
                           check=True, capture_output=True)
        # Metrics and administration stay with the kernel, which has nothing on `near`.
        self.options = [f"network.driver={way}", "network.interface=near",
                        f"metrics.listen={self.office}:0", f"admin.listen={self.office}:0",
                        f"network.address={self.broker}/24"]
        if device:
            self.options.append(
                f"network.dpdk.args=--vdev={device},iface=near --no-huge -m 256")

    def _lay(self):
        ip("netns", "add", self.namespace)
        for number in range(1, 255):
            self.far, network = f"far{number}", f"10.99.{number}"
            try:
                # Another process of the tests may have taken the number.
                ip("link", "add", self.far, "type", "veth", "peer", "near", "netns",
                   self.namespace)
            except OSError as error:
                if "exists" in str(error):
                    continue
                raise
            break
        else:
            raise OSError("254 wires are there already")
        self.broker = f"{network}.2"
        self._lay_office(number)
        ip("-n", self.namespace, "link", "set", "lo", "up")
        ip("-n", self.namespace, "link", "set", "near", "up")
        ip("address", "add", f"{network}.1/24", "dev", self.far)
        ip("link", "set", self.far, "up")

    def _lay_office(self, number):
        """A second pair, for what is not the listener's."""
        self.office, here = f"10.98.{number}.2", f"office{number}"
        ip("link", "add", here, "type", "veth", "peer", "office", "netns", self.namespace)
        ip("-n", self.namespace, "address", "add", f"{self.office}/24", "dev", "office")
        ip("-n", self.namespace, "link", "set", "office", "up")
        ip("address", "add", f"10.98.{number}.1/24", "dev", here)
        ip("link", "set", here, "up")

    def remove(self):
        """The pair goes with its namespace."""
        ip("netns", "del", self.namespace)
