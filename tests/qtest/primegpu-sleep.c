/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: the machine sleeps and wakes.
 */
#include "qemu/osdep.h"
#include "primegpu-sleep.h"

#define PG_STATS    PG_POWER "suspend_stats/"

/* The guest falls asleep in less, or is woken once more */
#define PG_DOZE_MS  1000

const char *const pg_sleep_levels[PG_SLEEP_LEVELS] = {
    "devices", "platform", "none",
};

void pg_sleep_needs_kernel(PGGuest *g)
{
    g_autofree char *states = pg_guest_file(g, PG_POWER "state");
    g_autofree char *tests = pg_guest_file(g, PG_POWER "pm_test");

    if (!states || !strstr(states, "freeze") || !tests) {
        pg_skip("the guest's kernel cannot suspend: it has no CONFIG_SUSPEND "
                "or no CONFIG_PM_DEBUG");
    }
    /* The kernel of a test wakes after 5 s of its own accord. */
    pg_set_param(g, "suspend", "pm_test_delay", 0);
    /* What goes wrong while devices sleep is to be seen. */
    pg_do(g, "set /sys/module/printk/parameters/console_suspend N");
}

unsigned pg_sleep_count(PGGuest *g, const char *name)
{
    g_autofree char *path = g_strconcat(PG_STATS, name, NULL);
    g_autofree char *text = pg_guest_file(g, path);

    if (!text) {
        pg_fail(g, "%s cannot be read in the guest", path);
    }
    return atoi(text);
}

/* A key typed at the console wakes the machine. */
static void pg_sleep_until_key(PGGuest *g)
{
    unsigned tag;

    pg_do(g, "set /sys/class/tty/ttyS0/power/wakeup enabled");
    tag = pg_send(g, "set " PG_POWER "state freeze");
    while (!pg_wait(g, tag, PG_DOZE_MS)) {
        pg_type(g, "\n");
    }
    pg_expect_ok(g, tag);
}

void pg_sleep(PGGuest *g, const char *level)
{
    unsigned before = pg_sleep_count(g, "success");

    pg_do(g, "set " PG_POWER "pm_test %s", level);
    if (g_str_equal(level, "none")) {
        pg_sleep_until_key(g);
    } else {
        pg_do(g, "set " PG_POWER "state freeze");
    }
    pg_assert_u64(g, "times the guest slept", pg_sleep_count(g, "success"),
                  before + 1);
}
