/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest test: what an output shows, and the frames that two GPUs share.
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "primegpu-display.h"

const PGDisplayPair pg_display_pairs[2] = {
    { "discrete-to-integrated", "discrete", "integrated",
      "discrete0", "integrated0" },
    { "integrated-to-discrete", "integrated", "discrete",
      "integrated0", "discrete0" },
};

const PGDisplayPair pg_display_showers[4] = {
    { "discrete-to-integrated", "discrete", "integrated",
      "discrete0", "integrated0" },
    { "integrated-to-discrete", "integrated", "discrete",
      "integrated0", "discrete0" },
    { "integrated-to-vkms", "integrated", "vkms", "integrated0", NULL },
    { "discrete-to-vkms", "discrete", "vkms", "discrete0", NULL },
};

static void pg_add_tests(const char *prefix, const PGDisplayTest *tests,
                         unsigned count, const PGDisplayPair *pairs,
                         unsigned pair_count)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < pair_count; k++) {
            g_autofree char *path =
                g_strdup_printf("%s/%s/%s", prefix, tests[i].name,
                                pairs[k].name);

            pg_add_case(path, tests[i].fn, &pairs[k]);
        }
    }
}

void pg_add_display_tests(const char *prefix, const PGDisplayTest *tests,
                          unsigned count)
{
    pg_add_tests(prefix, tests, count, pg_display_pairs,
                 ARRAY_SIZE(pg_display_pairs));
}

void pg_add_shower_tests(const char *prefix, const PGDisplayTest *tests,
                         unsigned count)
{
    pg_add_tests(prefix, tests, count, pg_display_showers,
                 ARRAY_SIZE(pg_display_showers));
}

static uint64_t pg_num(const QDict *d, const char *name)
{
    QNum *num = qobject_to(QNum, qdict_get(d, name));
    uint64_t value = 0;

    return num && qnum_get_try_uint(num, &value) ? value : 0;
}

/* The device's entry of query-primegpu; the response is to be dropped */
static const QDict *pg_device(PGGuest *g, const char *device, QDict **rsp)
{
    const QListEntry *e;

    *rsp = pg_query(g, "{ 'execute': 'query-primegpu' }");
    QLIST_FOREACH_ENTRY(qdict_get_qlist(*rsp, "return"), e) {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        if (g_str_equal(qdict_get_str(d, "device"), device)) {
            return d;
        }
    }
    pg_fail(g, "there is no device %s", device);
}

static void pg_parse_counters(const QDict *d, PrimeGPUOutputCounters *c)
{
    c->commits = pg_num(d, "commits");
    c->flips = pg_num(d, "flips");
    c->late = pg_num(d, "late");
    c->frames = pg_num(d, "frames");
    c->frame_bytes = pg_num(d, "frame-bytes");
    c->writebacks = pg_num(d, "writebacks");
    c->console_frames = pg_num(d, "console-frames");
    c->console_bytes = pg_num(d, "console-bytes");
    c->scan_faults = pg_num(d, "scan-faults");
}

static void pg_parse_planes(const QDict *d, PGOutput *o)
{
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(d, "planes"), e) {
        const QDict *plane = qobject_to(QDict, qlist_entry_obj(e));
        const QList *keys = qdict_get_qlist(plane, "keys");
        QNum *num = qobject_to(QNum, qlist_entry_obj(qlist_first(keys)));
        unsigned index = pg_num(plane, "index");
        uint64_t key = 0;

        qnum_get_try_uint(num, &key);
        o->key = o->key ?: key;
        o->keys[index % ARRAY_SIZE(o->keys)] = key;
    }
}

PGOutput pg_output(PGGuest *g, const char *device, unsigned output)
{
    QDict *rsp;
    const QDict *d = pg_device(g, device, &rsp);
    PGOutput o = { 0 };
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(d, "outputs"), e) {
        const QDict *info = qobject_to(QDict, qlist_entry_obj(e));

        if (pg_num(info, "index") != output) {
            continue;
        }
        o.connected = qdict_get_bool(info, "connected");
        o.route = qdict_haskey(info, "route") ? pg_num(info, "route")
                                               : UINT32_MAX;
        o.on = qdict_get_bool(info, "on");
        o.pending = qdict_get_bool(info, "pending");
        o.width = pg_num(info, "width");
        o.height = pg_num(info, "height");
        o.frame_ns = pg_num(info, "frame-ns");
        o.vblank_count = pg_num(info, "vblank-count");
        o.flip_seq = pg_num(info, "flip-seq");
        o.crc = pg_num(info, "crc");
        o.crc_frame = pg_num(info, "crc-frame");
        pg_parse_planes(info, &o);
        pg_parse_counters(qdict_get_qdict(info, "counters"), &o.counters);
    }
    qobject_unref(rsp);
    return o;
}

uint64_t pg_bytes_copied(PGGuest *g)
{
    QDict *rsp = pg_query(g, "{ 'execute': 'query-primegpu' }");
    const QListEntry *e;
    uint64_t bytes = 0;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        const QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        bytes += pg_num(qdict_get_qdict(d, "counters"), "bytes-copied");
    }
    qobject_unref(rsp);
    return bytes;
}

void pg_set_display(PGGuest *g, const char *device, unsigned output,
                    unsigned width, unsigned height)
{
    if (!width) {
        qtest_qmp_assert_success(pg_qts(g), "{ 'execute':"
            "  'primegpu-set-output', 'arguments': { 'device': %s,"
            "  'output': %u, 'connected': false } }", device, output);
    } else {
        qtest_qmp_assert_success(pg_qts(g), "{ 'execute':"
            "  'primegpu-set-output', 'arguments': { 'device': %s,"
            "  'output': %u, 'connected': true, 'width': %u,"
            "  'height': %u } }", device, output, width, height);
    }
}

static void pg_show_make(PGShow *s, unsigned i)
{
    PGGuest *g = s->g;
    g_autofree char *drawn = g_strdup_printf("d%u", i);
    g_autofree char *shown = g_strdup_printf("s%u", i);

    s->draw_key[i] = pg_create(g, "d", drawn, s->width * s->height * 4);
    pg_export(g, drawn, "x");
    s->show_key[i] = pg_import(g, "s", "x", shown);
    pg_close_fd(g, "x");
    s->fb[i] = pg_u64(g, pg_do(g, "addfb %s %u %u %u", shown, s->width,
                               s->height, s->width * 4), "fb");
}

void pg_show_begin(PGShow *s, PGGuest *g, const PGDisplayPair *pair, bool on)
{
    s->g = g;
    s->pair = pair;
    s->width = s->width ?: PG_SHOW_WIDTH;
    s->height = s->height ?: PG_SHOW_HEIGHT;
    pg_restart_script(g);
    pg_open(g, "d", pair->draw);
    pg_do(g, "open s %s card", pair->show);
    for (unsigned i = 0; i < PG_SHOW_FRAMES; i++) {
        pg_show_make(s, i);
    }
    if (on) {
        pg_do(g, "atomic s 0 mode=%ux%u fb=s0", s->width, s->height);
        pg_show_assert(s, "the first frame", 0);
    }
}

void pg_show_assert(PGShow *s, const char *what, unsigned frame)
{
    PGOutput o = pg_output(s->g, s->pair->show_id, 0);
    g_autofree char *text = g_strdup_printf("BO that is shown, %s", what);

    pg_assert_u64(s->g, text, o.key, s->show_key[frame]);
}

void pg_show_end(PGShow *s)
{
    pg_close_file(s->g, "s");
    pg_close_file(s->g, "d");
    pg_assert_nothing_left(s->g, "both files are closed");
    pg_assert_no_violations(s->g);
}
