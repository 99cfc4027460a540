/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: the driver of a GPU is unbound while something of it is still
 * held.  Whatever is let go of afterwards, the kernel must survive it; and
 * when the driver is bound again, before or after that, it starts with an
 * empty table and works.
 */
#include "qemu/osdep.h"
#include "primegpu-guest.h"

#define PG_SIZE 65536

/* What of the exporter and of its importer is there when it is unbound */
typedef enum PGHold {
    PG_HOLD_HANDLE  = 1 << 0,
    PG_HOLD_FD      = 1 << 1,
    PG_HOLD_MAP     = 1 << 2,
    PG_HOLD_IMPORT  = 1 << 3,
} PGHold;

#define PG_HOLDS 4

static const struct {
    PGHold hold;
    const char *name;
    const char *let_go;
} pg_holds[PG_HOLDS] = {
    { PG_HOLD_HANDLE, "handle", "close-file f" },
    { PG_HOLD_FD, "fd", "close-fd d" },
    { PG_HOLD_MAP, "map", "munmap m" },
    { PG_HOLD_IMPORT, "import", "close-file o" },
};

typedef struct PGUnbindCase {
    const char *gpu;
    const char *other;
    unsigned holds;
    bool rebind_first;          /* before what is held is let go of */
    bool unbind_importer;
} PGUnbindCase;

static void pg_unbind_setup(PGGuest *g, const PGUnbindCase *c)
{
    pg_open(g, "f", c->gpu);
    pg_open(g, "o", c->other);
    pg_create(g, "f", "e", PG_SIZE);
    pg_export(g, "e", "d");
    pg_import(g, "o", "d", "i");
    pg_do(g, "mmap-fd d m %u", PG_SIZE);
    pg_do(g, "write m 0 4096 1");
    pg_do(g, "fill i 0 4096 0x77777777 wait");
}

static void pg_unbind_let_go(PGGuest *g, const PGUnbindCase *c, bool held)
{
    for (unsigned i = 0; i < PG_HOLDS; i++) {
        if (!!(c->holds & pg_holds[i].hold) == held) {
            pg_do(g, "%s", pg_holds[i].let_go);
        }
    }
}

/* A share from the GPU to the other one and back, from nothing to nothing */
static void pg_unbind_works(PGGuest *g, const PGUnbindCase *c)
{
    uint64_t e, i;

    pg_settle(g);
    pg_assert_table(g, (uint64_t)0);
    pg_open(g, "f2", c->gpu);
    pg_open(g, "o2", c->other);
    e = pg_create(g, "f2", "e2", PG_SIZE);
    pg_export(g, "e2", "d2");
    i = pg_import(g, "o2", "d2", "i2");
    pg_do(g, "fill e2 0 4096 1 wait");
    pg_do(g, "fill i2 0 4096 2 wait");
    pg_close(g, "e2");
    pg_close_fd(g, "d2");
    pg_settle(g);
    pg_assert_table(g, e, i, (uint64_t)0);
    pg_close(g, "i2");
    pg_settle(g);
    pg_assert_table(g, (uint64_t)0);
}

static void pg_test_unbind(const void *data)
{
    const PGUnbindCase *c = data;
    const char *gpu = c->unbind_importer ? c->other : c->gpu;
    PGGuest *g = pg_start(NULL);

    pg_unbind_setup(g, c);
    pg_unbind_let_go(g, c, false);
    pg_settle(g);
    pg_do(g, "unbind %s", gpu);
    if (c->rebind_first) {
        pg_do(g, "bind %s", gpu);
    }
    pg_unbind_let_go(g, c, true);
    pg_settle(g);
    if (!c->rebind_first) {
        pg_do(g, "bind %s", gpu);
    }
    pg_unbind_works(g, c);
    pg_stop(g);
}

static void pg_unbind_add(PGUnbindCase c)
{
    g_autoptr(GString) path = g_string_new("unbind/");

    g_string_append_printf(path, "%s-%s/%s/", c.gpu,
                           c.unbind_importer ? "other" : "itself",
                           c.rebind_first ? "rebind-first" : "rebind-last");
    for (unsigned i = 0; i < PG_HOLDS; i++) {
        if (c.holds & pg_holds[i].hold) {
            g_string_append_printf(path, "%s-", pg_holds[i].name);
        }
    }
    if (g_str_has_suffix(path->str, "-")) {
        g_string_truncate(path, path->len - 1);
    } else {
        g_string_append(path, "nothing");
    }
    pg_add_case(path->str, pg_test_unbind, g_memdup2(&c, sizeof(c)));
}

int main(int argc, char **argv)
{
    static const PGUnbindCase gpus[] = {
        { "integrated", "discrete" }, { "discrete", "integrated" },
    };
    static const unsigned holds[] = {
        0, PG_HOLD_FD, PG_HOLD_MAP, PG_HOLD_IMPORT, PG_HOLD_HANDLE,
        PG_HOLD_HANDLE | PG_HOLD_FD | PG_HOLD_MAP | PG_HOLD_IMPORT,
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(gpus); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(holds); k++) {
            for (unsigned bits = 0; bits < 4; bits++) {
                PGUnbindCase c = gpus[i];

                c.holds = holds[k];
                c.rebind_first = bits & 1;
                c.unbind_importer = bits & 2;
                pg_unbind_add(c);
            }
        }
    }
    return g_test_run();
}
