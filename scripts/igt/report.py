# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run on all drivers amounts to, for people and as JUnit."""

from collections import Counter
from xml.sax.saxutils import escape, quoteattr

COLUMNS = (('pass', 'passed'), ('fail', 'failed'), ('timeout', 'timed out'),
           ('skip', 'skipped'))


def full_name(program, subtest):
    return f'{program}@{subtest}' if subtest else program


def every(runs, driver):
    """Each (name, subtest) of a driver"""
    for program, run in runs.get(driver, {}).items():
        for name, subtest in run.subtests.items():
            yield full_name(program, name), subtest


def totals(runs):
    yield f'{"subtests":22}' + ''.join(f'{x:>10}' for _, x in COLUMNS)
    for driver in runs:
        count = Counter(s.result for _, s in every(runs, driver))
        yield f'{driver:22}' + ''.join(f'{count[r]:10}' for r, _ in COLUMNS)


def by_program(runs):
    drivers = list(runs)
    programs = dict.fromkeys(p for d in drivers for p in runs[d])
    yield f'{"passed/failed/skipped":28}' + ''.join(f'{d:>21}' for d in drivers)
    for program in programs:
        cells = []
        for driver in drivers:
            run = runs[driver].get(program)
            cells.append('/'.join(str(run.count(r)) for r in
                                  ('pass', 'fail', 'skip')) +
                         ('*' if run.end else '') if run else '-')
        yield f'{program:28}' + ''.join(f'{c:>21}' for c in cells)


def failures(runs):
    for driver in runs:
        for name, subtest in every(runs, driver):
            if subtest.result in ('fail', 'timeout'):
                yield f'{driver}: {name}: {subtest.result}: {subtest.reason}'
        for program, run in runs[driver].items():
            for kind, texts in (('kernel', run.kernel),
                                ('violation', run.violations)):
                for text in dict.fromkeys(texts):
                    yield f'{driver}: {program}: {kind}: {text}'


def skips(runs):
    for driver in runs:
        reasons = Counter(s.reason for _, s in every(runs, driver)
                          if s.result == 'skip')
        for reason, count in reasons.most_common():
            yield f'{driver}: {count:4} {reason}'


def behind(runs, ours):
    """What others pass, and ours do not"""
    passed = {name: driver for driver in runs if driver not in ours
              for name, s in every(runs, driver) if s.result == 'pass'}
    for driver in ours:
        if driver not in runs:
            continue
        mine = dict(every(runs, driver))
        for name, other in passed.items():
            got = mine.get(name)
            if not got or got.result != 'pass':
                why = f'{got.result}: {got.reason}' if got else 'not run'
                yield f'{driver}: {name} passes on {other}: {why}'


def bad(runs, ours, known):
    """What must not be: failures of ours that nobody has explained"""
    known = {tuple(line.split()[:2]) for line in known}
    for driver in ours:
        for name, subtest in every(runs, driver):
            if subtest.result == 'fail' and not {
                    (driver, name), ('*', name)} & known:
                yield f'{driver}: {name}'
        for program, run in runs.get(driver, {}).items():
            if run.kernel or run.violations:
                yield f'{driver}: {program}'


def junit(runs):
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>'
    for driver in runs:
        yield f'<testsuite name={quoteattr(driver)}>'
        for name, s in every(runs, driver):
            program, _, subtest = name.partition('@')
            head = (f'<testcase classname={quoteattr(program)} '
                    f'name={quoteattr(subtest or program)} time="{s.seconds}"')
            tag = {'fail': 'failure', 'timeout': 'error',
                   'skip': 'skipped'}.get(s.result)
            yield (f'{head}><{tag} message={quoteattr(s.reason)}>'
                   f'{escape(s.reason)}</{tag}></testcase>' if tag
                   else f'{head}/>')
        yield '</testsuite>'
    yield '</testsuites>'


def finish(runs, folder, ours, known):
    parts = (('', by_program(runs)), ('failed', failures(runs)),
             ('skipped', skips(runs)),
             ('passes elsewhere, but not on ours', behind(runs, ours)),
             ('', totals(runs)))
    lines = []
    for title, part in parts:
        part = list(part)
        if part:
            lines += [''] + [f'{title}:'] * bool(title) + part
    text = '\n'.join(lines) + '\n'
    (folder / 'report.txt').write_text(text)
    (folder / 'junit.xml').write_text('\n'.join(junit(runs)) + '\n')
    print(text)
    wrong = list(bad(runs, ours, known))
    print(f'{len(wrong)} failures of ours that are not known; '
          f'the reports are in {folder}')
    return 1 if wrong else 0
