/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rig's program: its subcommands.  Each returns an exit status.
 */
#ifndef PRIMEGPU_RIG_H
#define PRIMEGPU_RIG_H

#include "primegpu-guest.h"

int primegpu_rig_demo(void);
/* The picture that is seen goes to this file, a PPM. */
int primegpu_rig_demo_display(const char *out);
/* A console for a person: a shell on a GPU's screen, and the agent's here */
int primegpu_rig_console(void);
int primegpu_rig_run(const char *path);
int primegpu_rig_report(const char *path, const char *out);
/*
 * Replay a script: @begin before its first line, if any, @end instead of
 * pg_stop().
 */
int primegpu_rig_replay(const char *path, bool tolerate,
                        void (*begin)(PGGuest *g), void (*end)(PGGuest *g));
int primegpu_rig_shell(void);
/* The same in a guest that was started before, which is stopped at the end */
int primegpu_rig_shell_on(PGGuest *g);
int primegpu_rig_bench(void);

/* GPUs of the pair, by their ids in its configuration file */
#define PG_INTEGRATED "integrated0"
#define PG_DISCRETE   "discrete0"

#endif /* PRIMEGPU_RIG_H */
