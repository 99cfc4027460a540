# SPDX-License-Identifier: GPL-2.0-or-later
#
# The only devices that the rig needs, for --without-default-devices: a small
# QEMU builds in a few minutes.

# Machines: the usual one, and the one that libqos knows
CONFIG_Q35=y
CONFIG_I440FX=y
CONFIG_VTD=y

# A PCIe hierarchy below the root complex
CONFIG_PCIE_PORT=y
CONFIG_XIO3130=y

# The agent's port, the disk of modules, the GPU to compare with
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_GPU=y

# How the guest reports a panic, and how a test stops the machine
CONFIG_PVPANIC_PCI=y
CONFIG_PVPANIC_ISA=y
CONFIG_ISA_DEBUG=y
CONFIG_PCI_TESTDEV=y

CONFIG_PRIMEGPU=y
