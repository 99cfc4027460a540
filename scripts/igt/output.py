# SPDX-License-Identifier: GPL-2.0-or-later
"""What IGT's programs print, and what it means."""

import re
from dataclasses import asdict, dataclass, field

WORDS = {'SUCCESS': 'pass', 'FAIL': 'fail', 'SKIP': 'skip', 'CRASH': 'fail',
         'TIMEOUT': 'fail', 'ABORT': 'fail', 'KILLED': 'fail'}
START = re.compile(r'^Starting subtest: (\S+)')
RESULT = re.compile(r'^(?:Subtest (\S+): )?(SUCCESS|FAIL|SKIP|CRASH|TIMEOUT|'
                    r'ABORT|KILLED) ?\(([\d.]+)s\)')
CLUE = re.compile(r'^(?:\[[\d.]+\] )?(?:\(\S+\) (?:\S+-)?(?:CRITICAL|WARNING): )?'
                  r'(Test requirement: .*|Failed assertion: .*|error: .*|'
                  r'Received signal .*|No dynamic tests executed)')
COLOUR = re.compile(r'\x1b\[[\d;]*m')
# After a requirement and its errno comes what the test has to say about it
NOISE = re.compile(r'^(Test requirement|Last errno|Test assertion|IGT-Version|'
                   r'Using |Opened |Stack trace|  #|Starting |Subtest |'
                   r'Dynamic |Subtest|\(\S+\) |\[[\d.]+\] )')


@dataclass
class Subtest:
    result: str
    reason: str = ''
    seconds: float = 0


@dataclass
class Run:
    """A program that was run on a driver"""
    subtests: dict = field(default_factory=dict)
    # The guest's time, and the host's
    seconds: float = 0
    here: float = 0
    end: str = ''
    kernel: list = field(default_factory=list)
    violations: list = field(default_factory=list)

    def count(self, result):
        return sum(s.result == result for s in self.subtests.values())

    def add(self, other):
        """Another run of the program, with other subtests"""
        self.subtests.update(other.subtests)
        self.seconds += other.seconds
        self.here += other.here
        self.end = self.end or other.end
        self.kernel += other.kernel
        self.violations += other.violations

    def to_json(self):
        return asdict(self)

    @classmethod
    def from_json(cls, data):
        run = cls(**data)
        run.subtests = {k: Subtest(**v) for k, v in run.subtests.items()}
        return run


class Parser:
    """Finds the results, and for each the likely reason"""

    def __init__(self):
        self.subtests = {}
        self.current = None
        self.clue = ''
        # The clue was seen in this subtest, not in one before or in a fixture
        self.is_own = False
        # The next plain line says it in words
        self.wants_words = False
        self.is_log = False

    def start(self, name):
        self.current = name
        self.is_own = self.wants_words = False

    def result(self, name, word, seconds):
        verdict = WORDS[word]
        reason = '' if verdict == 'pass' else self.clue
        if word not in ('SUCCESS', 'FAIL', 'SKIP'):
            reason = f'{word}: {reason}'
        self.subtests[name or ''] = Subtest(verdict, reason, float(seconds))
        self.current = None
        self.is_own = self.wants_words = False

    def see_clue(self, text):
        # The first failed assertion is the cause of those that follow
        is_requirement = text.startswith('Test requirement')
        if is_requirement or not self.is_own:
            self.clue = text
            self.is_own = True
            self.wants_words = is_requirement

    def line(self, line):
        # A failed subtest repeats all that it has said, and more
        if line.startswith('****'):
            self.is_log = 'DEBUG' in line
        if self.is_log:
            return
        start = START.match(line)
        result = RESULT.match(line)
        clue = CLUE.match(line)
        if start:
            self.start(start[1])
        elif result:
            self.result(*result.groups())
        elif clue:
            self.see_clue(clue[1])
        elif self.wants_words and line and not NOISE.match(line):
            self.clue = line.partition('Dynamic subtest')[0]
            self.wants_words = False


def parse(text, status, timed_out):
    """The subtests of a program, by name; '' is one without subtests"""
    parser = Parser()
    for line in text.splitlines():
        parser.line(COLOUR.sub('', line).rstrip())
    subtests = parser.subtests
    if parser.current is not None:
        subtests[parser.current] = Subtest(
            'timeout' if timed_out else 'fail',
            'the limit of time' if timed_out
            else f'the program ended, {status}; {parser.clue}')
    elif not subtests:
        subtests[''] = Subtest(
            'timeout' if timed_out else 'pass' if status == '0' else
            'skip' if status == '77' else 'fail',
            parser.clue or f'exit status {status}')
    return subtests
