/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Report: the page.  One file, no script, nothing from elsewhere; well-formed
 * XML, so that a test can parse it.
 */
#include "qemu/osdep.h"
#include "primegpu-rig-report.h"

static const char pg_report_style[] =
    ":root{color-scheme:light dark;--bg:#fcfcfb;--fg:#1d232b;--dim:#68717d;"
    "--line:#dcdfe3;--odd:#f3f4f5;--head:#e8ebee;--card:#fff;--open:#4a86c9;"
    "--kept:#e0a63c;--busy:#8a63c5;--pages:#3f9f73;--vram:#c2559b;"
    "--job:#c9b5e8;--bad:#c8102e;--badbg:#fdecee;--gate:#7b8794;--ok:#2f7d4f}"
    "@media(prefers-color-scheme:dark){:root{--bg:#16191d;--fg:#dfe3e8;"
    "--dim:#949daa;--line:#31363d;--odd:#1b1f24;--head:#262b31;--card:#1d2126;"
    "--open:#5b97da;--kept:#d79b33;--busy:#9d7bd6;--pages:#4cb184;"
    "--vram:#d069ad;--job:#5d4a80;--bad:#ff5c70;--badbg:#3a1c22;"
    "--gate:#8b96a3;--ok:#62bd8a}}"
    "body{margin:0 auto;max-width:1800px;padding:20px 26px 60px;"
    "background:var(--bg);color:var(--fg);"
    "font:14px/1.5 system-ui,'DejaVu Sans',sans-serif}"
    "h1{font-size:21px;margin:0}h2{font-size:16px;margin:30px 0 8px}"
    "p{margin:6px 0}.dim,.note{color:var(--dim)}"
    "code,pre,td.code,.code{font:12px/1.45 'DejaVu Sans Mono',monospace}"
    "a{color:inherit}.verdict{border-left:5px solid var(--ok);"
    "background:var(--card);padding:9px 14px;margin:12px 0;"
    "white-space:pre-wrap;overflow-wrap:anywhere}"
    ".verdict.fail{border-color:var(--bad);background:var(--badbg)}"
    ".legend{display:flex;flex-wrap:wrap;gap:4px 20px;margin:10px 0;"
    "font-size:12.5px}.legend span{display:inline-flex;align-items:center;"
    "gap:6px}.frame{display:flex;overflow-x:auto;border:1px solid var(--line);"
    "border-radius:6px;background:var(--card)}"
    "svg{display:block;flex:none}"
    "svg text{font:11px 'DejaVu Sans',system-ui,sans-serif;fill:var(--fg)}"
    "svg.labels{position:sticky;left:0;background:var(--card);"
    "border-right:1px solid var(--line);z-index:1}"
    "table{border-collapse:collapse;width:100%;background:var(--card);"
    "font-size:13px}th{text-align:left;background:var(--head);"
    "font-weight:600}th,td{border:1px solid var(--line);padding:4px 8px;"
    "vertical-align:top}td.num{text-align:right}"
    "td{overflow-wrap:anywhere}td.key{white-space:nowrap}"
    "tr:target,g:target{outline:2px solid var(--bad)}"
    "tr.bad td{background:var(--badbg)}span.bad{color:var(--bad)}"
    "pre{margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere}"
    "summary{cursor:pointer;color:var(--dim)}";

static const char pg_report_svg_style[] =
    ".even{fill:var(--card)}.odd{fill:var(--odd)}"
    ".bad-step{fill:var(--badbg)}.gap{fill:var(--head)}svg text.gap-text{text-anchor:middle;"
    "fill:var(--dim);font-size:9.5px}"
    "svg text.step{text-anchor:middle;font-weight:600;fill:var(--dim)}"
    ".call{fill:var(--head);stroke:var(--line)}"
    ".call.host{fill:none;stroke:var(--gate);stroke-dasharray:4 2}"
    ".call.failed{stroke:var(--bad);fill:var(--badbg)}"
    ".call.open-end{stroke:var(--kept);stroke-dasharray:5 3}"
    "svg text.command{font-weight:600;font-size:11px}"
    "svg text.args,svg text.reply{font:10px 'DejaVu Sans Mono',monospace}"
    "svg text.reply{fill:var(--ok)}svg text.reply.bad{fill:var(--bad)}"
    ".device{fill:var(--head)}svg text.device-name,svg text.worker,"
    "svg text.bo{font-weight:600;font-size:12px}svg text.bo.bad{"
    "fill:var(--bad)}svg text.note,svg text.time{font-size:10px;"
    "fill:var(--dim)}.rule{stroke:var(--line);fill:none}"
    ".open{fill:var(--open)}.kept{fill:var(--kept)}.busy{fill:var(--busy)}"
    ".pages{fill:var(--pages)}.vram{fill:var(--vram)}"
    ".peer{fill:var(--vram);stroke:var(--pages);stroke-width:1.5;"
    "stroke-dasharray:5 3}"
    ".tick{stroke:var(--card);stroke-width:1.4;fill:none}"
    ".job{fill:var(--job);stroke:var(--busy)}.job.held{"
    "stroke-dasharray:4 2}.job.failed{fill:var(--badbg);"
    "stroke:var(--bad)}svg text.seqno{font-size:8.5px}"
    ".fence{fill:var(--busy)}.alive{fill:var(--dim)}"
    ".released{stroke:var(--fg);stroke-width:2;fill:none}"
    "svg text.end{font-size:10px;fill:var(--dim)}"
    ".gate{fill:url(#hatch);stroke:var(--gate);stroke-dasharray:6 3}"
    ".hatch{stroke:var(--gate);stroke-opacity:.35}"
    ".flag{fill:var(--kept)}svg text.flag-text{font-size:10px}"
    "svg text.gate-text{font-size:10px;font-weight:600;fill:var(--gate)}"
    ".arrow{fill:none;stroke:var(--fg);stroke-opacity:.65;stroke-width:1.5}"
    ".head{fill:var(--fg)}.between{stroke:var(--bad);stroke-width:1.5;"
    "stroke-dasharray:4 3;fill:none}.mark{fill:var(--bad);"
    "stroke:var(--card)}svg text.mark-text{fill:#fff;font-weight:700;"
    "font-size:10px;text-anchor:middle}svg text.mark-kind{fill:var(--bad);"
    "font-weight:600;font-size:10.5px;paint-order:stroke;"
    "stroke:var(--card);stroke-width:3px}"
    "rect:hover,path:hover{filter:brightness(1.15)}";

/* What the picture's signs mean: a drawing of 26 by 16 pixels, and words */
static const struct {
    const char *drawing;
    const char *words;
} pg_report_legend[] = {
    { "<rect class=\"open\" y=\"2\" width=\"26\" height=\"12\"/>",
      "BO that a process has open (a GEM handle)" },
    { "<rect class=\"kept\" y=\"2\" width=\"26\" height=\"12\"/>",
      "no handle any more: kept by references only (dma-buf, import, kernel)" },
    { "<rect class=\"busy\" y=\"2\" width=\"26\" height=\"12\"/>",
      "a job that uses it is in flight" },
    { "<rect class=\"pages\" y=\"6\" width=\"26\" height=\"5\"/>",
      "its bytes are in guest pages" },
    { "<rect class=\"vram\" y=\"6\" width=\"26\" height=\"5\"/>",
      "in its device's VRAM" },
    { "<rect class=\"peer\" x=\"1\" y=\"6\" width=\"24\" height=\"5\"/>",
      "in the exporter's VRAM (peer-to-peer)" },
    { "<rect class=\"job\" x=\"1\" y=\"3\" width=\"17\" height=\"9\"/>"
      "<path class=\"fence\" d=\"M21 3l4 4.5l-4 4.5l-4 -4.5z\"/>",
      "job with its sequence number, and its fence when it is signalled" },
    { "<path class=\"arrow\" d=\"M3 2C3 9 20 5 20 12\"/>"
      "<path class=\"head\" d=\"M16.500 9h7l-3.500 6z\"/>",
      "shared: from the exporter's BO to the importer's" },
    { "<path class=\"released\" d=\"M12 0v16\"/>",
      "released: the device has executed BO_DESTROY" },
    { "<path class=\"alive\" d=\"M8 1l9 7l-9 7z\"/>",
      "still alive at the end" },
    { "<rect class=\"gate\" x=\"1\" y=\"1\" width=\"24\" height=\"14\"/>",
      "gate closed: the device's jobs are held back" },
    { "<path class=\"flag\" d=\"M8 3h10l-5 9z\"/>",
      "reset of an engine or a device, or a fault that was injected" },
    { "<path class=\"mark\" d=\"M13 0l9 15h-18z\"/>",
      "violation of a rule of buffer lifetime" },
};

static void pg_report_put_legend(GString *s)
{
    g_string_append(s, "<div class=\"legend\">\n");
    for (unsigned i = 0; i < ARRAY_SIZE(pg_report_legend); i++) {
        g_string_append_printf(s, "<span><svg width=\"26\" height=\"16\">%s"
                               "</svg>%s</span>\n",
                               pg_report_legend[i].drawing,
                               pg_report_legend[i].words);
    }
    g_string_append(s, "</div>\n");
}

static void pg_report_left_out(const PGReportLayout *l, GString *s)
{
    const PGReport *r = l->r;

    if (!l->lanes_left_out && !l->steps_left_out && !r->lost && !r->note) {
        return;
    }
    g_string_append(s, "<p class=\"dim\">Left out: ");
    if (l->lanes_left_out) {
        pg_report_printf(s, "%u more BOs (those with violations, those that "
                         "the reason names, those alive and the newest are "
                         "shown). ", l->lanes_left_out);
    }
    if (l->steps_left_out) {
        pg_report_printf(s, "%u steps, as grey columns. ", l->steps_left_out);
    }
    if (r->lost) {
        pg_report_printf(s, "%" PRIu64 " older events of the ledger. ",
                         r->lost);
    }
    pg_report_text(s, r->note);
    g_string_append(s, "</p>\n");
}

static void pg_report_verdict(const PGReport *r, GString *s)
{
    uint64_t n = r->violations_total;
    bool bad = r->reason || n;

    g_string_append_printf(s, "<div class=\"verdict%s\">",
                           bad ? " fail" : "");
    if (r->reason) {
        g_string_append(s, "<b>Failed:</b> ");
        pg_report_text(s, r->reason);
        g_string_append_c(s, '\n');
    }
    if (n) {
        pg_report_printf(s, "The devices saw %" PRIu64 " violation%s of the "
                         "rules of buffer lifetime.", n, n == 1 ? "" : "s");
    } else if (r->events->len) {
        g_string_append(s, "The devices saw no violation.");
    }
    if (r->alive->len) {
        pg_report_printf(s, " %u BO%s still alive at the end.", r->alive->len,
                         r->alive->len == 1 ? " is" : "s are");
    } else if (r->events->len) {
        g_string_append(s, " No BO is alive at the end.");
    }
    g_string_append(s, "</div>\n");
}

GString *pg_report_page(const PGReport *r)
{
    PGReportLayout *l = pg_report_layout(r);
    GString *s = g_string_new("<!DOCTYPE html>\n<html lang=\"en\"><head>"
                              "<meta charset=\"utf-8\"/>"
                              "<meta name=\"viewport\" "
                              "content=\"width=device-width\"/><title>");

    pg_report_text(s, r->title);
    g_string_append_printf(s, "</title>\n<style>%s\n%s</style></head>\n"
                           "<body><h1>", pg_report_style, pg_report_svg_style);
    pg_report_text(s, r->title);
    g_string_append(s, "</h1>\n<p class=\"dim\">Every buffer object (BO) as "
                    "the GPUs saw it, from outside the guest. Left to right "
                    "are the steps: each is one call that a process of the "
                    "guest made. Point at anything for its details.</p>\n");
    pg_report_verdict(r, s);
    pg_report_put_legend(s);
    pg_report_left_out(l, s);
    g_string_append(s, "<div class=\"frame\">\n");
    pg_report_labels_svg(l, s);
    pg_report_svg(l, s);
    g_string_append(s, "</div>\n");
    pg_report_tables(l, s);
    g_string_append(s, "</body></html>\n");
    pg_report_layout_free(l);
    return s;
}
