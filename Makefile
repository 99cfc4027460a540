# SPDX-License-Identifier: GPL-2.0-or-later
#
# The front door. Each step looks by itself whether there is something to do, so
# nothing here depends on files.

BUILD ?= build
RIG = scripts/rig --build=$(BUILD)
TESTS = scripts/run-tests --build=$(BUILD)
VARIANTS = $(wildcard guest/kernel/variants/*.cocci)
DEMO_VARIANTS = stale-export-entry leak-until-file-close

# Sub-makes of QEMU and Linux choose their own number of jobs
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

.PHONY: all help configure qemu linux guest demo-variants variants \
	demo check check-qtest check-guest check-variants bench run shell docs clean

all: guest

help:
	@echo 'make demo            play the scenario of the seed on three kernels, with a verdict'
	@echo 'make check           run every test'
	@echo 'make check-qtest     the tests at register level'
	@echo 'make check-guest     the tests in the guest; CASE=NAME for those with NAME in their'
	@echo '                     path, GDB=1 to stop the guest kernel for gdb'
	@echo 'make check-variants  the tests on the kernel variants, which must turn red'
	@echo 'make bench           measure, and print the figures as ratios'
	@echo 'make shell           type commands to the agent in a running guest'
	@echo 'make run SCRIPT=FILE replay a file of such commands'
	@echo 'make all             build everything that the tests need'
	@echo 'make qemu            build QEMU and the test programs'
	@echo 'make linux           build the kernel of the guest'
	@echo 'make guest           build the drivers, the agent and the image of the guest'
	@echo 'make variants        build every kernel variant'
	@echo 'make configure       check the machine, fetch the sources'
	@echo 'make docs            build the documentation as HTML'
	@echo 'make clean           remove the build folder; the cache stays'
	@echo 'make help            this list'
	@echo
	@echo 'BUILD=DIR is the build folder (default: build); KDIR=DIR uses a kernel that you'
	@echo 'have configured and built. ./configure --help has more choices.'

configure:
	@KDIR='$(KDIR)' ./configure --again --build='$(BUILD)'

# The kernel is first: its objects are what the longest build is waiting for
linux: configure
	@scripts/build-linux $(BUILD)

qemu: configure
	@scripts/build-qemu $(BUILD)

guest: linux qemu
	@scripts/build-guest $(BUILD)

variants: guest
	@scripts/build-variants $(BUILD) $(VARIANTS)

demo-variants: guest
	@scripts/build-variants $(BUILD) \
		$(DEMO_VARIANTS:%=guest/kernel/variants/%.cocci)

demo: demo-variants
	@$(RIG) demo

check: variants
	@$(TESTS)

check-qtest: guest
	@$(TESTS) --suite=static --suite=qtest

check-guest: variants
	@GDB='$(GDB)' $(TESTS) --suite=guest $(if $(CASE),--case='$(CASE)')

check-variants: variants
	@$(TESTS) --suite=guest --case=variant

bench: variants
	@$(RIG) bench

run: guest
	@test -n '$(SCRIPT)' || { echo 'primegpu: which one? make run SCRIPT=FILE' >&2; exit 2; }
	@$(RIG) run '$(SCRIPT)'

shell: guest
	@$(RIG) shell

docs:
	@./configure --again --docs --build='$(BUILD)'
	@sphinx-build -q -W --keep-going -d $(BUILD)/docs.cache docs $(BUILD)/docs
	@echo 'the documentation is in $(BUILD)/docs/index.html'

clean:
	rm -rf '$(BUILD)'
