/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest rig: what a run on another kernel or machine than the usual one asks
 * for, told by the environment.  Owns the reading of it, and looks for leaks of
 * the guest's kernel.
 *
 *   PRIMEGPU_EXTRA     more options for QEMU
 *   PRIMEGPU_MEMORY    size of the guest's memory, as QEMU's -m takes it
 *   PRIMEGPU_APPEND    more words for the guest kernel's command line
 *   PRIMEGPU_SLOW      all limits of time are so many times longer
 *   PRIMEGPU_KMEMLEAK  1: a leak that kmemleak finds fails the case; N: it is
 *                      asked in one of N cases, as it takes its time
 *   PRIMEGPU_CASE      only cases with this in their path
 *   PRIMEGPU_SHARD     K/N: only case K of each N, counted from 1
 */
#include "qemu/osdep.h"
#include "primegpu-guest-priv.h"
#include "hw/display/primegpu/primegpu_agent.h"

#define PG_KMEMLEAK "/sys/kernel/debug/kmemleak"

/* Younger objects are not reported: their address may be in a register. */
#define PG_KMEMLEAK_AGE_MS 5100

const char *pg_wish(const char *name)
{
    return g_getenv(name) ?: "";
}

unsigned pg_slow(void)
{
    return MAX(atoi(pg_wish("PRIMEGPU_SLOW")), 1);
}

bool pg_is_wanted(const char *path)
{
    static unsigned number;
    unsigned k, n;

    if (!strstr(path, pg_wish("PRIMEGPU_CASE"))) {
        return false;
    }
    if (sscanf(pg_wish("PRIMEGPU_SHARD"), "%u/%u", &k, &n) != 2 || n == 0) {
        return true;
    }
    return number++ % n == k - 1;
}

/*
 * vkms and vgem say of themselves that they take no segment above 64 KiB, which
 * is the default, and DMA debugging holds it against them when they import a
 * larger one.  It counts up to seven mappings of a page, and takes more for a
 * leak: a test of many files has that many.  The second line is the head of
 * what follows the first.
 *
 * The kernel's account of its own allocations, and that of DMA mappings,
 * complain when they cannot get the memory for an entry, as when a test lets
 * just that fail.
 */
bool pg_is_known(const char *line)
{
    static bool is_next;
    bool was_next = is_next;

    is_next = strstr(line, "DMA-API: platform vkms: mapping sg segment l") ||
              strstr(line, "DMA-API: platform vgem: mapping sg segment l") ||
              (g_str_has_prefix(pg_case_name(), "many/") &&
               strstr(line, "DMA-API: exceeded 7 overlapping mappings"));
    return is_next || (was_next && strstr(line, "debug_dma_map_sg")) ||
           (was_next && strstr(line, "add_dma_entry")) ||
           strstr(line, "alloc_tagging_slab_alloc_hook") ||
           strstr(line, "DMA-API: cacheline tracking ENOMEM");
}

static GString *pg_leaks;

static void pg_leak_line(const char *line)
{
    g_string_append_printf(pg_leaks, "%s\n", line);
}

static void pg_leak_call(PGGuest *g, const char *line)
{
    pg_log_line(g, line);
    pg_expect_ok(g, pg_agent_send(g, line));
}

/* What a file or process keeps is no leak until it is closed or has ended. */
static void pg_end_workers(PGGuest *g)
{
    for (unsigned n = 1; n <= PRIMEGPU_AGENT_WORKERS; n++) {
        g_autofree char *line = g_strdup_printf("kill p%u", n);

        /* Not all of them are there. */
        if (pg_recv(g, pg_agent_send(g, line))->ok) {
            pg_log_line(g, line);
        }
    }
    pg_leak_call(g, "p1 settle");
}

void pg_assert_no_leaks(PGGuest *g)
{
    unsigned one_of = MAX(atoi(pg_wish("PRIMEGPU_KMEMLEAK")), 0);
    PGTextFn *before = g->text;

    if (!one_of || g_str_hash(pg_case_name()) % one_of) {
        return;
    }
    pg_end_workers(g);
    g_usleep(PG_KMEMLEAK_AGE_MS * 1000);
    /* The first scan only notes what has changed since. */
    pg_leak_call(g, "set " PG_KMEMLEAK " scan");
    pg_leak_call(g, "set " PG_KMEMLEAK " scan");
    pg_leaks = g_string_new(NULL);
    pg_on_text(g, pg_leak_line);
    pg_leak_call(g, "get " PG_KMEMLEAK);
    pg_on_text(g, before);
    if (pg_leaks->len) {
        g_string_append(g->console, pg_leaks->str);
        pg_fail(g, "kmemleak: %.*s", (int)MIN(pg_leaks->len, 1500),
                pg_leaks->str);
    }
    g_string_free(pg_leaks, TRUE);
}
