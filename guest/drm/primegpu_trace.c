// SPDX-License-Identifier: GPL-2.0-or-later
#define CREATE_TRACE_POINTS
#include "primegpu_trace.h"
