# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine that other people's programs run in."""

import json
import os
import re
import select
import socket
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BOOT_S = 120
# Time is counted in instructions, one a nanosecond, and passes at once when the
# guest waits: a busy host makes no test late, and nobody waits for a frame.
ICOUNT = ['-icount', 'shift=0,sleep=off']
# Seconds here for a program that keeps the guest busy, whatever its time there
HOST_S = 3600
# Tests of two outputs want these; IGT runs each of the others on both
OUTPUTS = [x for d in ('integrated', 'discrete')
           for x in ('-global', f'primegpu-{d}.max-outputs=2')]
END = re.compile(rb'^@@ (\S+)\n', re.MULTILINE)
COMMAND_LINE = ('console=ttyS0 loglevel=5 panic=-1 tsc=reliable clocksource=hpet '
                'no_timer_check random.trust_cpu=1')
# What the kernel says when something in it has gone wrong
KERNEL = re.compile(r'BUG:|Oops|WARNING:|UBSAN:|KASAN:|INFO: task|refcount_t:|'
                    r'Kernel panic|general protection|\*ERROR\*')
# What a person may change of the machine from outside
SETTINGS = ['PRIMEGPU_ACCEL', 'PRIMEGPU_APPEND', 'PRIMEGPU_EXTRA']


class GuestGone(Exception):
    """QEMU has ended, or the guest does not answer."""


class Guest:
    """One machine with both GPUs, virtio-gpu, and whatever is in the image"""

    def __init__(self, build, log):
        self.console = log
        self.console_pos = 0
        self.violations = 0
        self.buffer = b''
        self.port, port = socket.socketpair()
        self.qmp, qmp = socket.socketpair()
        self.process = subprocess.Popen(
            [*self.command(build, port.fileno(), qmp.fileno())],
            stdin=subprocess.DEVNULL, pass_fds=[port.fileno(), qmp.fileno()],
            stdout=subprocess.DEVNULL, stderr=log.with_suffix('.qemu').open('w'))
        port.close()
        qmp.close()
        self.qmp_file = self.qmp.makefile('r')
        self.qmp_file.readline()
        self.ask('qmp_capabilities')
        self.wait(BOOT_S)
        self.cards = self.find_cards()
        # Some programs want to know connectors without looking at them
        self.shell('for status in /sys/class/drm/card*-*/status; do '
                   'echo detect > $status; done')

    def command(self, build, port, qmp):
        accel = os.environ.get('PRIMEGPU_ACCEL') or 'tcg'
        return [
            build / 'qemu/qemu-system-x86_64', '-nodefaults',
            '-no-user-config', '-display', 'none', '-machine', 'q35',
            '-accel', accel, *ICOUNT, '-cpu', 'Nehalem', '-m', '1G', '-smp', '2',
            '-action', 'panic=shutdown', '-action', 'reboot=shutdown',
            '-L', build / 'firmware',
            '-kernel', build / 'guest/vmlinux',
            '-initrd', build / 'guest/igt.cpio',
            '-append', f'{COMMAND_LINE} {os.environ.get("PRIMEGPU_APPEND", "")}',
            '-readconfig', TOP / 'docs/config/primegpu-pair.cfg', *OUTPUTS,
            '-device', 'virtio-gpu-pci,id=virtio,addr=0x10',
            '-device', 'pvpanic-pci,addr=0x1b',
            '-device', 'virtio-serial-pci,addr=0x1c',
            '-chardev', f'socket,id=port,fd={port}',
            '-device', 'virtserialport,chardev=port,name=org.primegpu.shell',
            '-chardev', f'file,id=console,path={self.console}',
            '-device', 'isa-serial,chardev=console',
            '-drive', 'if=none,id=modules,format=raw,readonly=on,'
            f'file={build / "guest/modules.img"}',
            '-device', 'virtio-blk-pci,drive=modules,addr=0x1d',
            '-chardev', f'socket,id=qmp,fd={qmp}', '-mon', 'qmp,mode=control',
            *os.environ.get('PRIMEGPU_EXTRA', '').split()]

    def ask(self, command, **arguments):
        text = json.dumps({'execute': command, 'arguments': arguments})
        try:
            self.qmp.sendall(text.encode() + b'\n')
            for line in self.qmp_file:
                reply = json.loads(line)
                if 'error' in reply:
                    raise GuestGone(f'{command}: {reply["error"]["desc"]}')
                if 'return' in reply:
                    return reply['return']
        except OSError as e:
            raise GuestGone(f'QEMU: {e}') from None
        raise GuestGone('QEMU has ended')

    def wait(self, seconds):
        """The status of the last line, and what it has printed"""
        deadline = time.monotonic() + seconds
        while True:
            match = END.search(self.buffer)
            if match:
                text = self.buffer[:match.start()]
                self.buffer = self.buffer[match.end():]
                return match[1].decode(), text.decode(errors='replace')
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.port], [], [], left)[0]:
                raise GuestGone('the guest does not answer')
            data = self.port.recv(65536)
            if not data:
                raise GuestGone('the guest has crashed')
            self.buffer += data.replace(b'\r\n', b'\n')

    def shell(self, line, seconds=30):
        """Evaluate a line of shell in the guest"""
        try:
            self.port.sendall(line.encode() + b'\n')
        except OSError:
            raise GuestGone('the guest has crashed') from None
        return self.wait(seconds)

    def find_cards(self):
        """The device in sysfs of each driver"""
        text = self.shell(
            'for c in /sys/class/drm/card?; do d=$(readlink -f $c/device); '
            'n=$(readlink $d/driver || echo $d); echo ${n##*/} $d; done')[1]
        # virtio-gpu's DRM device is a child of the PCI device
        return {name.replace('virtio-pci', 'virtio-gpu'): path for name, path in
                (line.split() for line in text.splitlines())}

    def run(self, command, limit):
        """Run a program with a limit of the guest's time"""
        status, text = self.shell(
            'read start rest < /proc/uptime; '
            f'timeout -s INT -k 5 {limit} {command}; status=$?; '
            'read end rest < /proc/uptime; echo "@time $start $end"; '
            'exit $status', HOST_S)
        text, _, times = text.rpartition('@time ')
        start, end = map(float, times.split())
        return status, text, end - start, end - start >= limit

    def kernel_complaints(self):
        """What the kernel has complained about since the last call"""
        with self.console.open(errors='replace') as f:
            f.seek(self.console_pos)
            lines = f.read().splitlines()
            self.console_pos = f.tell()
        return [re.sub(r'^\[ *[\d.]+\] ', '', line) for line in lines
                if KERNEL.search(line)]

    def new_violations(self):
        """What the devices' ledger has recorded since the last call"""
        answer = self.ask('query-primegpu-violations')
        new = answer['total'] - self.violations
        self.violations = answer['total']
        return [f'{v["kind"]} on {v["device"]}, BO {v["key"]:#x}'
                for v in answer['violations'][-new:]] if new else []

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.port.close()
        self.qmp_file.close()
        self.qmp.close()
