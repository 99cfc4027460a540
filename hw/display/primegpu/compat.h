/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu: what differs between the versions of QEMU it is built with
 */
#ifndef HW_DISPLAY_PRIMEGPU_COMPAT_H
#define HW_DISPLAY_PRIMEGPU_COMPAT_H

/* QEMU 11 moved this. */
#if __has_include("hw/core/qdev-properties.h")
#include "hw/core/qdev-properties.h"
#else
#include "hw/qdev-properties.h"
#endif

/* QEMU 10.1 made the data of a class constant. */
#if QEMU_VERSION_MAJOR > 10 || QEMU_VERSION_MINOR > 0
typedef const void PrimeGPUClassData;
#else
typedef void PrimeGPUClassData;
#endif

#endif /* HW_DISPLAY_PRIMEGPU_COMPAT_H */
