/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of where a shared buffer's bytes are.
 *
 * A buffer of a GPU without VRAM, and one that is pinned because its exporter
 * or importer is static, is in pages.  Else it is in VRAM when the exporter
 * uses it, unless an importer that cannot reach VRAM is there; an importer
 * takes it where it is, or has it moved to pages.  A move takes the bytes from
 * the importer until its next job.
 */
#include "qemu/osdep.h"
#include "primegpu-dynamic.h"

bool pg_route_has_vram(const PGRoute *route)
{
    return g_str_has_prefix(route->exporter, "discrete");
}

void pg_mode_set(PGGuest *g, const PGMode *mode)
{
    static const char *const modules[] = {
        "primegpu_discrete", "primegpu_integrated",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(modules); i++) {
        pg_set_param(g, modules[i], "dynamic", mode->dynamic);
        pg_set_param(g, modules[i], "p2p", mode->p2p);
    }
}

static const char *pg_share_gate(const char *gpu)
{
    bool has_number = g_ascii_isdigit(gpu[strlen(gpu) - 1]);
    g_autofree char *id = g_strconcat(gpu, has_number ? "" : "0", NULL);

    return g_intern_string(id);
}

static void pg_share_assert_place(PGShare *s, const PGBo *bo, bool vram)
{
    PrimeGPULocation want = vram ? PRIME_GPU_LOCATION_VRAM
                                 : PRIME_GPU_LOCATION_PAGES;

    if (bo->location != want) {
        pg_fail(s->g, "the exporter's bytes are in %s and not in %s, after: %s",
                PrimeGPULocation_str(bo->location),
                PrimeGPULocation_str(want),
                pg_step_line(s->g, pg_step(s->g)));
    }
}

static void pg_share_check(PGShare *s)
{
    PGBo bo = pg_look_bo(s->g, s->exporter);

    pg_share_assert_place(s, &bo, s->vram);
    if (s->imported) {
        uint64_t bytes = s->mapped ? PG_DYNAMIC_SIZE : 0;

        bo = pg_look_bo(s->g, s->importer);
        pg_assert_u64(s->g, "bytes that the importer has attached",
                      bo.attached, bytes);
        pg_assert_u64(s->g, "bytes that both have",
                      pg_look_shared(s->g, s->exporter, s->importer), bytes);
    }
    pg_assert_no_violations(s->g);
}

static void pg_share_move(PGShare *s, bool vram)
{
    if (s->vram != vram) {
        s->vram = vram;
        /* A static importer has pinned them where they are. */
        s->mapped = false;
    }
}

void pg_share_begin(PGShare *s)
{
    PGGuest *g = s->g;

    pg_restart_script(g);
    pg_forget(g);
    pg_open(g, "fe", s->route->exporter);
    pg_open(g, "fi", s->route->importer);
    s->exporter = pg_create(g, "fe", "e", PG_DYNAMIC_SIZE);
    pg_create(g, "fe", "oe", PG_DYNAMIC_SIZE);
    pg_create(g, "fi", "oi", PG_DYNAMIC_SIZE);
    s->word = 0x10101010;
    pg_do(g, "fill e 0 %u %u wait", PG_DYNAMIC_SIZE, s->word);
    s->vram = pg_route_has_vram(s->route);
    s->imported = false;
    s->mapped = false;
    pg_share_check(s);
}

void pg_share_import(PGShare *s)
{
    pg_export(s->g, "e", "d");
    s->importer = pg_import(s->g, "fi", "d", "i");
    s->imported = true;
    /* A static exporter's bytes are mapped at once, for as long as it takes. */
    if (!s->mode.dynamic || !pg_route_has_vram(s->route)) {
        pg_share_move(s, false);
        s->mapped = true;
    }
    pg_share_check(s);
}

static void pg_share_job(PGShare *s, const char *bo, const char *own)
{
    PGGuest *g = s->g;

    pg_do(g, "copy %s 0 %s 0 %u wait", own, bo, PG_DYNAMIC_SIZE);
    pg_assert_u64(g, "contents of the copy", pg_bo_sum(g, own),
                  pg_sum_words(PG_DYNAMIC_SIZE, s->word, PG_DYNAMIC_SIZE, 0));
    s->word += 0x01010101;
    pg_do(g, "fill %s 0 %u %u wait", bo, PG_DYNAMIC_SIZE, s->word);
}

void pg_share_exporter_job(PGShare *s)
{
    bool pages = s->imported && !(s->mode.dynamic && s->mode.p2p);

    pg_share_job(s, "e", "oe");
    pg_share_move(s, pg_route_has_vram(s->route) && !pages);
    pg_share_check(s);
}

static void pg_share_importer_maps(PGShare *s)
{
    if (!s->mapped && !s->mode.p2p) {
        pg_share_move(s, false);
    }
    s->mapped = true;
}

void pg_share_importer_job(PGShare *s)
{
    pg_share_job(s, "i", "oi");
    pg_share_importer_maps(s);
    pg_share_check(s);
}

void pg_share_evict(PGShare *s)
{
    pg_do(s->g, "evict %s", s->route->exporter);
    pg_share_move(s, false);
    pg_share_check(s);
}

void pg_share_evict_busy(PGShare *s)
{
    const char *gate = pg_share_gate(s->route->importer);
    PGGuest *g = s->g;
    unsigned jobs = pg_count_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT,
                                    s->importer);
    unsigned tag;

    pg_gate(g, gate, true);
    s->word += 0x01010101;
    pg_do(g, "fill i 0 %u %u", PG_DYNAMIC_SIZE, s->word);
    pg_await_events(g, PRIME_GPU_LEDGER_EVENT_KIND_SUBMIT, s->importer,
                    jobs + 1);
    pg_share_importer_maps(s);
    pg_share_check(s);
    tag = pg_send(g, "p0 evict %s", s->route->exporter);
    pg_settle(g);
    if (s->vram && pg_wait(g, tag, 5)) {
        pg_fail(g, "moved too early: an eviction did not wait for a job");
    }
    pg_share_check(s);
    pg_gate(g, gate, false);
    pg_expect_ok(g, tag);
    pg_do(g, "bo-wait i write %u", PG_SOON_MS);
    pg_share_move(s, false);
    pg_share_check(s);
}

void pg_share_place(PGShare *s, bool vram)
{
    pg_do(s->g, "place e %s", vram ? "vram" : "pages");
    pg_share_move(s, vram);
    pg_share_check(s);
}

void pg_share_end(PGShare *s, unsigned order)
{
    static const char *const lines[] = { "close e", "close-fd d", "close i" };
    PGGuest *g = s->g;

    pg_do(g, "mmap-fd d m %u", PG_DYNAMIC_SIZE);
    pg_assert_u64(g, "contents", pg_checksum(g, "m"),
                  pg_sum_words(PG_DYNAMIC_SIZE, s->word, PG_DYNAMIC_SIZE, 0));
    pg_do(g, "munmap m");
    pg_do(g, "close oe");
    pg_do(g, "close oi");
    for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
        pg_settle(g);
        pg_assert_alive(g, s->exporter);
        pg_do(g, "%s", lines[(order + i) % ARRAY_SIZE(lines)]);
    }
    pg_assert_nothing_left(g, "the last was closed");
    pg_close_file(g, "fe");
    pg_close_file(g, "fi");
    pg_assert_no_violations(g);
}
