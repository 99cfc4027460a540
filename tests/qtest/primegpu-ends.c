/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends of life: what their tests have in common.
 */
#include "qemu/osdep.h"
#include "primegpu-ends.h"

const PGEndsPair pg_ends_pairs[2] = {
    { "integrated-exports", "integrated", "discrete" },
    { "discrete-exports", "discrete", "integrated" },
};

const char *pg_ends_id(const char *gpu)
{
    g_autofree char *id = g_strconcat(gpu, "0", NULL);

    return g_intern_string(id);
}

void pg_ends_drop(PGGuest *g, const char *const *lines)
{
    for (; *lines; lines++) {
        pg_call(g, "%s", *lines);
    }
}

void pg_ends_works(PGGuest *g, const PGEndsPair *pair)
{
    uint64_t e, i;

    pg_open(g, "we", pair->exporter);
    pg_open(g, "wi", pair->importer);
    e = pg_create(g, "we", "wbe", PG_ENDS_SIZE);
    pg_create(g, "wi", "wbo", PG_ENDS_SIZE);
    pg_do(g, "fill wbe 0 %u 0x51515151", PG_ENDS_SIZE);
    pg_export(g, "wbe", "wd");
    i = pg_import(g, "wi", "wd", "wbi");
    pg_close_fd(g, "wd");
    pg_do(g, "copy wbo 0 wbi 0 %u wait", PG_ENDS_SIZE);
    pg_assert_u64(g, "contents of the copy", pg_bo_sum(g, "wbo"),
                  pg_sum_words(PG_ENDS_SIZE, 0x51515151, 0, 0x51515151));
    pg_close(g, "wbo");
    pg_close(g, "wbe");
    pg_settle(g);
    pg_assert_table(g, e, i, UINT64_C(0));
    pg_close(g, "wbi");
    pg_assert_nothing_left(g, "the last handle was closed");
    pg_close_file(g, "we");
    pg_close_file(g, "wi");
    pg_assert_no_violations(g);
}
