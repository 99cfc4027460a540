# SPDX-License-Identifier: GPL-2.0-or-later
"""libdrm's modetest, which draws, sets a mode and flips, as one more program.

It says what it did and never whether that was right, so its words are judged
here: no call may have failed, and flips must come at the rate of the mode.
"""

import re

from .output import Run, Subtest

CONNECTOR = re.compile(r'^(\d+)\t\d+\tconnected\t', re.MULTILINE)
MODE = re.compile(r'^  #0 (\S+) ([\d.]+) ', re.MULTILINE)
CRTC = re.compile(r'^CRTCs:\n.*\n(\d+)\t', re.MULTILINE)
PLANE = re.compile(r'^Planes:\n.*\n(\d+)\t', re.MULTILINE)
RATE = re.compile(r'^freq: ([\d.]+)Hz', re.MULTILINE)
BAD = re.compile(r'^.*(?:failed|unable|cannot|invalid|no such).*$',
                 re.MULTILINE | re.IGNORECASE)
# modetest says a rate after each 60 flips, and ends with its input
FLIP_S = 4
# A busy host takes its share of the time
TOLERANCE = 0.1


def judge(text, rate=None):
    bad = BAD.search(text)
    if bad:
        return Subtest('fail', bad[0].strip())
    rates = [float(x) for x in RATE.findall(text)]
    if rate and not rates:
        return Subtest('fail', 'no flips were counted')
    wrong = [x for x in rates if abs(x - rate) > rate * TOLERANCE]
    if rate and len(wrong) == len(rates):
        return Subtest('fail', f'{wrong[0]} flips a second, the mode has '
                       f'{rate}')
    return Subtest('pass')


def run(guest, driver, limit):
    """What modetest did on a driver, and its output"""
    driver = driver.replace('virtio-', 'virtio_')
    result = Run()
    output = []

    def call(name, arguments, rate=None):
        status, text, seconds, timed_out = guest.run(
            f'sh -c "sleep {FLIP_S if rate else 0} | '
            f'modetest -M {driver} {arguments} 2>&1"', limit)
        output.append(f'$ modetest -M {driver} {arguments}\n{text}')
        result.seconds += seconds
        verdict = (Subtest('timeout', 'the limit of time') if timed_out else
                   judge(text, rate) if status == '0' else
                   Subtest('fail', f'exit status {status}'))
        verdict.seconds = seconds
        result.subtests[name] = verdict
        return text

    text = call('list', '-c -p')
    connector, mode, crtc, plane = (
        x.search(text) for x in (CONNECTOR, MODE, CRTC, PLANE))
    if connector and mode and crtc and plane:
        target = f'-s {connector[1]}@{crtc[1]}:{mode[1]}'
        rate = float(mode[2])
        call('mode', target)
        call('flip', f'{target} -v', rate)
        target += f' -P {plane[1]}@{crtc[1]}:{mode[1]}'
        # With -v this would never end
        call('atomic', f'-a {target}')
    else:
        result.subtests['mode'] = Subtest('skip', 'no connected output')
    return result, '\n'.join(output)
