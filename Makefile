# SPDX-License-Identifier: GPL-2.0-or-later
#
# The front door. Each step looks by itself whether there is something to do, so
# nothing here depends on files.

BUILD ?= build
RIG = scripts/rig --build=$(BUILD)
TESTS = scripts/run-tests --build=$(BUILD)
VARIANTS = guest/kernel/variants
DEMO_VARIANTS = stale-export-entry leak-until-file-close
# The kernel variants that tests name; all others are for check-variants
CHECK_VARIANTS = $(foreach file,$(wildcard guest/kernel/variants/*.cocci),$(shell \
	grep -qs '"$(basename $(notdir $(file)))"' tests/qtest/primegpu-*.c && echo $(file)))
IOMMU = PRIMEGPU_EXTRA='-device intel-iommu' \
	PRIMEGPU_APPEND='intel_iommu=on iommu.strict=1'

# Sub-makes of QEMU and Linux choose their own number of jobs
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
# A folder of modules to be loaded after ours
export EXTRA_MODULES

.PHONY: all help configure qemu linux guest strict demo-variants some-variants \
	variants demo demo-display check check-qtest check-guest check-strict \
	check-iommu check-igt check-variants bisect soak bench run report shell \
	docs clean

all: guest

help:
	@echo 'make demo            play the scenario of the seed on three kernels, with a verdict'
	@echo 'make demo-display    draw with one GPU, show with the other: build/demo-display.png'
	@echo 'make check           run every test'
	@echo 'make check-qtest     the tests at register level'
	@echo 'make check-guest     the tests in the guest; CASE=NAME for those with NAME in their'
	@echo '                     path, GDB=1 to stop the guest kernel for gdb'
	@echo 'make check-strict    the tests in the guest on a kernel with KASAN, lockdep, kmemleak,'
	@echo '                     DMA and dma-buf debugging; CASE=NAME as above,'
	@echo '                     KMEMLEAK=1 to look for leaks in each case, and not in one of 8'
	@echo 'make check-iommu     the tests in the guest behind an IOMMU; CASE=NAME as above'
	@echo 'make check-igt       the tests of IGT, and modetest, on our drivers, vkms and virtio-gpu;'
	@echo '                     CASE=PROGRAM or PROGRAM@SUBTEST, DRIVER=NAME for one driver only,'
	@echo '                     LIMIT=SECONDS of the guest for a program (3600),'
	@echo '                     OUTPUTS=N of each of our GPUs (2)'
	@echo 'make check-variants  the tests on each kernel variant, which must turn red; VARIANTS=DIR'
	@echo '                     for a folder of your own'
	@echo 'make bisect          CASE=NAME on the kernel tree LINUX=DIR as it is now; with GOOD=REV'
	@echo '                     and BAD=REV, find the commit that broke it'
	@echo 'make soak TIME=60m   random sequences of calls against a model, as long as you like'
	@echo 'make bench           measure, and print the figures as ratios'
	@echo 'make shell           type commands to the agent in a running guest'
	@echo 'make run             a shell on a GPU'"'"'s screen, seen with VNC or, with'
	@echo '                     DISPLAY_BACKEND=gtk, in a window; the agent here'
	@echo 'make run SCRIPT=FILE replay a file of such commands'
	@echo 'make report SCRIPT=FILE  replay it, and draw the life of every buffer: FILE.html'
	@echo 'make all             build everything that the tests need'
	@echo 'make qemu            build QEMU and the test programs'
	@echo 'make linux           build the kernel of the guest'
	@echo 'make guest           build the drivers, the agent and the image of the guest'
	@echo 'make strict          build the kernel of check-strict, and the drivers for it'
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
	@scripts/build-variants $(BUILD) $(wildcard $(VARIANTS)/*.cocci)

some-variants: guest
	@scripts/build-variants $(BUILD) $(CHECK_VARIANTS)

strict: guest
	@scripts/build-flavour $(BUILD) strict

demo-variants: guest
	@scripts/build-variants $(BUILD) \
		$(DEMO_VARIANTS:%=guest/kernel/variants/%.cocci)

demo: demo-variants
	@$(RIG) demo

demo-display: guest
	@$(RIG) demo-display '$(BUILD)/demo-display.ppm'
	@scripts/ppm-to-png '$(BUILD)/demo-display.ppm' '$(BUILD)/demo-display.png'
	@rm '$(BUILD)/demo-display.ppm'
	@echo 'the picture is $(BUILD)/demo-display.png'

check: some-variants
	@$(TESTS)

check-qtest: guest
	@$(TESTS) --suite=static --suite=qtest

check-guest: some-variants
	@GDB='$(GDB)' $(TESTS) --suite=guest $(if $(CASE),--case='$(CASE)')

check-strict: strict
	@PRIMEGPU_TARGET=check-strict PRIMEGPU_KMEMLEAK='$(KMEMLEAK)' scripts/run-tests --build=$(BUILD)/strict \
		--suite=guest --slow $(if $(CASE),--case='$(CASE)')

check-iommu: some-variants
	@PRIMEGPU_TARGET=check-iommu $(IOMMU) $(TESTS) --suite=guest \
		$(if $(CASE),--case='$(CASE)')

check-igt: guest
	@./configure --again --igt --build='$(BUILD)'
	@scripts/build-image '$(BUILD)'
	@scripts/check-igt --build='$(BUILD)' $(if $(CASE),--case='$(CASE)') \
		$(if $(DRIVER),--driver='$(DRIVER)') $(if $(LIMIT),--limit='$(LIMIT)') \
		$(if $(OUTPUTS),--outputs='$(OUTPUTS)')

check-variants: guest
	@scripts/check-variants --build=$(BUILD) $(if $(CASE),--case='$(CASE)') $(VARIANTS)

# git wants to be told of a tree that does not build, and make tells only 0 and 2
bisect: qemu
	@test -n '$(LINUX)' -a -n '$(CASE)' || { echo 'primegpu: make bisect LINUX=DIR CASE=NAME [GOOD=REV BAD=REV]' >&2; exit 2; }
	@if [ -n '$(GOOD)$(BAD)' ]; then git -C '$(LINUX)' bisect start '$(BAD)' '$(GOOD)' && \
		git -C '$(LINUX)' bisect run '$(CURDIR)/scripts/bisect-guest' --build='$(abspath $(BUILD))' . '$(CASE)'; \
	else scripts/bisect-guest --build='$(BUILD)' '$(LINUX)' '$(CASE)'; fi

# What is missing in the call is said before anything is built
has-script:
	@test -n '$(SCRIPT)' || { echo 'primegpu: which one? make run SCRIPT=FILE' >&2; exit 2; }
	@test -r '$(SCRIPT)' || { echo 'primegpu: cannot read $(SCRIPT)' >&2; exit 2; }

has-time:
	@test -n '$(TIME)' || { echo 'primegpu: how long? make soak TIME=60m' >&2; exit 2; }

soak: has-time guest
	@PRIMEGPU_MODEL_TIME='$(TIME)' $(RIG) $(BUILD)/qemu/tests/qtest/primegpu-model-test -k

bench: demo-variants
	@$(RIG) bench

run: $(if $(SCRIPT),has-script) guest
	@DISPLAY_BACKEND='$(DISPLAY_BACKEND)' $(RIG) $(if $(SCRIPT),run '$(SCRIPT)',console)

report: guest
	@test -n '$(SCRIPT)' || { echo 'primegpu: of which? make report SCRIPT=FILE' >&2; exit 2; }
	@$(RIG) report '$(SCRIPT)' $(if $(OUT),-o '$(OUT)')

shell: guest
	@$(RIG) shell

docs:
	@./configure --again --docs --build='$(BUILD)'
	@sphinx-build -q -W --keep-going -d $(BUILD)/docs.cache docs $(BUILD)/docs
	@echo 'the documentation is in $(BUILD)/docs/index.html'

clean:
	rm -rf '$(BUILD)'
