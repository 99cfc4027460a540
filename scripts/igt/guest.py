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
# Time is counted in instructions, one each 2^N ns, and passes at once when the
# guest waits: a busy host makes no test late, and nobody waits for a frame. The
# longer an instruction, the fewer for a test that does as much as it can in a time
SLOW, FAST = 3, 0
# Seconds of CPU time here for a program that keeps the guest busy, whatever its
# time there
HOST_S = 3600
# A guest that has not run for so long here waits for what will not come
HANG_S = 60
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


class GuestSlow(GuestGone):
    """The guest has not answered in time, which need not be its fault."""


class Guest:
    """One machine with both GPUs, virtio-gpu, and whatever is in the image"""

    def __init__(self, build, log, shift, outputs, saved=None):
        """Boot, or go on with a guest that was saved with the same of them"""
        self.console = log
        self.shift = shift
        self.outputs = outputs
        self.buffer = b''
        self.port, port = socket.socketpair()
        self.qmp, qmp = socket.socketpair()
        self.process = subprocess.Popen(
            [*self.command(build, port.fileno(), qmp.fileno()),
             *(['-incoming', f'file:{saved}'] if saved else [])],
            stdin=subprocess.DEVNULL, pass_fds=[port.fileno(), qmp.fileno()],
            stdout=subprocess.DEVNULL, stderr=log.with_suffix('.qemu').open('w'))
        port.close()
        qmp.close()
        self.qmp_file = self.qmp.makefile('r')
        try:
            self.qmp_file.readline()
            self.ask('qmp_capabilities')
            if saved:
                self.resume()
            else:
                self.wait(BOOT_S)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def resume(self):
        while self.ask('query-status')['status'] == 'inmigrate':
            time.sleep(0.01)
        self.ask('cont')

    def save(self, path):
        # Nothing happens to a guest that waits, but its time passes at once
        self.ask('stop')
        self.ask('migrate', uri=f'file:{path}')
        while True:
            status = self.ask('query-migrate').get('status')
            if status == 'completed':
                return
            if status in ('failed', 'cancelled'):
                raise GuestGone(f'the guest cannot be saved to {path}')
            time.sleep(0.05)

    def command(self, build, port, qmp):
        accel = os.environ.get('PRIMEGPU_ACCEL') or 'tcg'
        outputs = [x for gpu in ('integrated', 'discrete') for x in
                   ('-global', f'primegpu-{gpu}.max-outputs={self.outputs}')]
        return [
            build / 'qemu/qemu-system-x86_64', '-nodefaults',
            '-no-user-config', '-display', 'none', '-machine', 'q35',
            '-accel', accel, '-icount', f'shift={self.shift},sleep=off', '-cpu', 'Nehalem', '-m', '1G', '-smp', '2',
            '-action', 'panic=shutdown', '-action', 'reboot=shutdown',
            '-L', build / 'firmware',
            '-kernel', build / 'guest/vmlinux',
            '-initrd', build / 'guest/igt.cpio',
            '-append', f'{COMMAND_LINE} {os.environ.get("PRIMEGPU_APPEND", "")}',
            '-readconfig', TOP / 'docs/config/primegpu-pair.cfg', *outputs,
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

    def cpu_time(self):
        """Seconds that QEMU has run: a busy host makes them no more"""
        stat = Path(f'/proc/{self.process.pid}/stat').read_text()
        user, system = stat.rpartition(')')[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf('SC_CLK_TCK')

    def receive(self):
        """More from the port, or nothing for the time being"""
        before = self.cpu_time()
        if not select.select([self.port], [], [], HANG_S)[0]:
            if self.cpu_time() == before:
                raise GuestGone('the guest hangs')
            return b''
        data = self.port.recv(65536)
        if not data:
            raise GuestGone('the guest has crashed')
        return data.replace(b'\r\n', b'\n')

    def wait(self, seconds):
        """The status of the last line, and what it has printed"""
        deadline = self.cpu_time() + seconds
        while self.cpu_time() < deadline:
            match = END.search(self.buffer)
            if match:
                text = self.buffer[:match.start()]
                self.buffer = self.buffer[match.end():]
                return match[1].decode(), text.decode(errors='replace')
            self.buffer += self.receive()
        raise GuestSlow(f'no answer in {seconds} s of CPU time')

    def shell(self, line, seconds=30):
        """Evaluate a line of shell in the guest"""
        try:
            self.port.sendall(line.encode() + b'\n')
        except OSError:
            raise GuestGone('the guest has crashed') from None
        return self.wait(seconds)

    def find_cards(self):
        """Look at all connectors; the device in sysfs of each driver"""
        # Some programs want to know connectors without looking at them
        self.shell('for status in /sys/class/drm/card*-*/status; do '
                   'echo detect > $status; done')
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
        """What the kernel has complained about"""
        lines = self.console.read_text(errors='replace').splitlines()
        return [re.sub(r'^\[ *[\d.]+\] ', '', line) for line in lines
                if KERNEL.search(line)]

    def violations(self):
        """What the devices' ledger has recorded"""
        return [f'{v["kind"]} on {v["device"]}, BO {v["key"]:#x}' for v in
                self.ask('query-primegpu-violations')['violations']]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.port.close()
        self.qmp_file.close()
        self.qmp.close()
