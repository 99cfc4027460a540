/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Atomic commits: words become properties of an output's objects.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kms.h"

#define PROPS_MAX       96
#define EVENT_LIMIT_MS  10000
#define NO_FENCE        -1

/* A rectangle of a plane: what is shown, in 16.16, or where */
struct rect {
    bool given;
    uint64_t v[4];              /* x, y, width, height */
};

/* What a commit makes for an output that it is about */
struct made {
    bool chosen;
    uint32_t mode_blob;
    const char *out_name;
    const char *wb_name;
    int32_t out_fence;
    int32_t wb_fence;
};

/* A commit on its way */
struct request {
    struct call *c;
    struct kms *kms;
    uint32_t flags;
    uint64_t user;
    bool wait;

    /* what the words are about */
    struct kms_output *output;
    struct kms_object *connector;   /* the output's, or another one */
    struct made *made;
    struct made outputs[KMS_OUTPUTS_MAX];

    /* the object that words are about, and its rectangles, when a plane */
    struct kms_object *object;
    struct kms_plane *plane;
    uint32_t fb;
    struct rect src;
    struct rect dst;

    uint32_t count;
    uint32_t objects[PROPS_MAX];
    uint32_t counts[PROPS_MAX];
    uint32_t props[PROPS_MAX];
    uint64_t values[PROPS_MAX];
};

static bool add_prop(struct request *r, struct kms_object *object,
                     const char *name, uint64_t value)
{
    const struct kms_prop *prop = kms_prop(r->kms, object, name);

    if (!prop) {
        call_fail(r->c, ENOENT, "object %u has no property '%.40s'",
                  object->id, name);
        return false;
    }
    if (r->count == PROPS_MAX) {
        call_fail(r->c, E2BIG, "at most %d properties", PROPS_MAX);
        return false;
    }
    r->objects[r->count] = object->id;
    r->counts[r->count] = 1;
    r->props[r->count] = prop->id;
    r->values[r->count] = value;
    r->count++;
    return true;
}

/* The plane's words have come: all of its framebuffer, unless told otherwise */
static bool end_plane(struct request *r)
{
    static const char *const names[] = { "X", "Y", "W", "H" };
    const struct kms_fb *fb = kms_fb(r->kms->fd, r->fb);
    char name[16];
    int i;

    if (fb && !r->src.given) {
        r->src.given = true;
        r->src.v[2] = (uint64_t)fb->width << 16;
        r->src.v[3] = (uint64_t)fb->height << 16;
    }
    /* at= gives a place and no size */
    if (fb && !r->dst.v[2]) {
        r->dst.given = true;
        r->dst.v[2] = fb->width;
        r->dst.v[3] = fb->height;
    }
    for (i = 0; i < 4; i++) {
        snprintf(name, sizeof(name), "SRC_%s", names[i]);
        if (r->src.given && !add_prop(r, r->object, name, r->src.v[i])) {
            return false;
        }
        snprintf(name, sizeof(name), "CRTC_%s", names[i]);
        if (r->dst.given && !add_prop(r, r->object, name, r->dst.v[i])) {
            return false;
        }
    }
    return true;
}

static void begin_object(struct request *r, struct kms_object *object,
                         struct kms_plane *plane)
{
    r->object = object;
    r->plane = plane;
    r->fb = 0;
    r->src = (struct rect) { 0 };
    r->dst = (struct rect) { 0 };
}

/* The next words are about this output; the first, about its primary plane. */
static bool begin_output(struct request *r, struct kms_output *output)
{
    struct kms_plane *plane = kms_plane(r->kms, output, "primary");

    if (!plane) {
        call_fail(r->c, ENODEV, "the output has no primary plane");
        return false;
    }
    r->output = output;
    r->connector = &output->connector;
    r->made = &r->outputs[kms_index(r->kms, output)];
    r->made->chosen = true;
    begin_object(r, &plane->object, plane);
    return true;
}

static struct kms_output *find_output(struct request *r, const char *text)
{
    uint64_t number;

    if (!line_number(text, &number) || number >= r->kms->output_count) {
        call_fail(r->c, ENODEV, "there are %u outputs", r->kms->output_count);
        return NULL;
    }
    return &r->kms->outputs[number];
}

static bool set_output(struct request *r, const char *text)
{
    struct kms_output *output = find_output(r, text);

    return output && end_plane(r) && begin_output(r, output);
}

/* The connector of this output is put on the CRTC of the one at hand. */
static bool set_connector(struct request *r, const char *text)
{
    struct kms_output *other = find_output(r, text);

    if (!other) {
        return false;
    }
    r->connector = &other->connector;
    r->flags |= DRM_MODE_ATOMIC_ALLOW_MODESET;
    return add_prop(r, r->connector, "CRTC_ID", r->output->crtc.id);
}

/* Is the word the name of an object? Then the next words are about it. */
static bool choose_object(struct request *r, const char *word, bool *chosen)
{
    struct kms_plane *plane = kms_plane(r->kms, r->output, word);
    struct kms_object *object =
        plane ? &plane->object :
        !strcmp(word, "crtc") ? &r->output->crtc :
        !strcmp(word, "connector") ? r->connector :
        !strcmp(word, "writeback") ? &r->output->writeback : NULL;

    *chosen = object;
    if (!object) {
        return true;
    }
    if (!end_plane(r)) {
        return false;
    }
    begin_object(r, object, plane);
    return true;
}

/* Four numbers, or two, which may be below zero when sign is set */
static bool take_rect(struct request *r, const char *text, unsigned int count,
                      unsigned int shift, struct rect *rect)
{
    unsigned int i;
    double v;
    int used;

    for (i = 0; i < count; i++) {
        if (sscanf(text, "%lf%n", &v, &used) != 1 ||
            text[used] != (i + 1 < count ? ',' : '\0')) {
            call_usage(r->c);
            return false;
        }
        rect->v[i] = (int64_t)(v * (1 << shift));
        text += used + 1;
    }
    rect->given = true;
    return true;
}

static bool set_mode(struct request *r, const char *word)
{
    struct kms_output *output = r->output;
    struct drm_mode_modeinfo mode;
    bool off = !strcmp(word, "off");
    int error = 0;

    r->flags |= DRM_MODE_ATOMIC_ALLOW_MODESET;
    if (!off) {
        error = kms_find_mode(r->kms->fd, r->connector->id, word, &mode);
        if (!error) {
            error = kms_blob(r->kms->fd, &mode, sizeof(mode),
                             &r->made->mode_blob);
        }
        if (error) {
            call_fail(r->c, -error, "no mode %.40s", word);
            return false;
        }
        call_add(r->c, "mode=%ux%u ", mode.hdisplay, mode.vdisplay);
    }
    return add_prop(r, r->connector, "CRTC_ID",
                    off ? 0 : output->crtc.id) &&
           add_prop(r, &output->crtc, "MODE_ID",
                    off ? 0 : r->made->mode_blob) &&
           add_prop(r, &output->crtc, "ACTIVE", !off);
}

static bool set_fb(struct request *r, const char *text)
{
    if (!r->plane) {
        call_usage(r->c);
        return false;
    }
    return kms_fb_arg(r->c, r->kms->fd, text, &r->fb) &&
           add_prop(r, r->object, "FB_ID", r->fb) &&
           add_prop(r, r->object, "CRTC_ID", r->fb ? r->output->crtc.id : 0);
}

static bool set_writeback(struct request *r, const char *text)
{
    struct kms_object *object = &r->output->writeback;
    uint32_t fb;

    if (!object->id) {
        call_fail(r->c, ENODEV, "the output has no write-back connector");
        return false;
    }
    r->flags |= DRM_MODE_ATOMIC_ALLOW_MODESET;
    return kms_fb_arg(r->c, r->kms->fd, text, &fb) &&
           add_prop(r, object, "WRITEBACK_FB_ID", fb) &&
           add_prop(r, object, "CRTC_ID", fb ? r->output->crtc.id : 0);
}

static bool set_in_fence(struct request *r, const char *text)
{
    struct fd *fd = name_fd(r->c, text);

    return fd && add_prop(r, r->object, "IN_FENCE_FD", fd->fd);
}

static bool set_out_fence(struct request *r, const char *text)
{
    r->made->out_name = text;
    return add_prop(r, &r->output->crtc, "OUT_FENCE_PTR",
                    (uintptr_t)&r->made->out_fence);
}

static bool set_wb_fence(struct request *r, const char *text)
{
    r->made->wb_name = text;
    return add_prop(r, &r->output->writeback, "WRITEBACK_OUT_FENCE_PTR",
                    (uintptr_t)&r->made->wb_fence);
}

static bool set_src(struct request *r, const char *text)
{
    return take_rect(r, text, 4, 16, &r->src);
}

static bool set_dst(struct request *r, const char *text)
{
    return take_rect(r, text, 4, 0, &r->dst);
}

static bool set_at(struct request *r, const char *text)
{
    return take_rect(r, text, 2, 0, &r->dst);
}

static bool set_user(struct request *r, const char *text)
{
    if (!line_number(text, &r->user)) {
        call_usage(r->c);
        return false;
    }
    return true;
}

static bool set_named(struct request *r, const char *name, const char *text)
{
    const struct kms_prop *prop = kms_prop(r->kms, r->object, name);
    uint64_t value = 0;

    if (prop && !kms_parse(r->kms, prop, text, &value)) {
        call_fail(r->c, EINVAL, "'%s' has no value '%.40s'", prop->name, text);
        return false;
    }
    return add_prop(r, r->object, name, value);
}

static const struct {
    const char *name;
    bool (*set)(struct request *r, const char *text);
} words[] = {
    { "output", set_output },
    { "connector", set_connector },
    { "mode", set_mode },
    { "fb", set_fb },
    { "src", set_src },
    { "dst", set_dst },
    { "at", set_at },
    { "in", set_in_fence },
    { "out", set_out_fence },
    { "wb", set_writeback },
    { "wb-out", set_wb_fence },
    { "user", set_user },
};

static const struct {
    const char *name;
    uint32_t flags;
    bool wait;
} options[] = {
    { "test", DRM_MODE_ATOMIC_TEST_ONLY, false },
    { "async", DRM_MODE_PAGE_FLIP_ASYNC, false },
    { "nonblock", DRM_MODE_ATOMIC_NONBLOCK, false },
    { "modeset", DRM_MODE_ATOMIC_ALLOW_MODESET, false },
    { "event", DRM_MODE_PAGE_FLIP_EVENT, false },
    { "wait", DRM_MODE_PAGE_FLIP_EVENT, true },
};

static bool take_word(struct request *r, char *word)
{
    char *text = strchr(word, '=');
    bool chosen;
    size_t i;

    for (i = 0; !text && i < ARRAY_SIZE(options); i++) {
        if (!strcmp(word, options[i].name)) {
            r->flags |= options[i].flags;
            r->wait |= options[i].wait;
            return true;
        }
    }
    if (!text) {
        if (choose_object(r, word, &chosen) && !chosen) {
            call_fail(r->c, EINVAL, "the output has no '%.40s'", word);
        }
        return !r->c->error;
    }
    *text++ = '\0';
    for (i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(word, words[i].name)) {
            return words[i].set(r, text);
        }
    }
    return set_named(r, word, text);
}

/* Keep a fence that the commit has made under its name. */
static bool keep_fence(struct request *r, const char *name, int32_t fence)
{
    struct fd *fd;

    if (!name || fence < 0) {
        return true;
    }
    fd = name_new_fd(r->c, name);
    if (!fd) {
        close(fence);
        return false;
    }
    fd->fd = fence;
    return true;
}

static bool keep_fences(struct request *r)
{
    unsigned int i;
    bool ok = true;

    for (i = 0; i < KMS_OUTPUTS_MAX; i++) {
        const struct made *made = &r->outputs[i];

        ok &= keep_fence(r, made->out_name, made->out_fence);
        ok &= keep_fence(r, made->wb_name, made->wb_fence);
    }
    return ok;
}

/* One for each output; what the last one says is told. */
static int wait_events(struct request *r)
{
    union kms_event event = { 0 };
    unsigned int i;
    int error;

    for (i = 0; i < KMS_OUTPUTS_MAX; i++) {
        error = r->outputs[i].chosen ?
                kms_read_event(r->kms->fd, EVENT_LIMIT_MS, &event) : 0;
        if (error) {
            return call_fail(r->c, -error, "the commit's event");
        }
    }
    kms_add_event(r->c, r->kms, &event);
    return 0;
}

static int commit(struct request *r)
{
    struct drm_mode_atomic args = {
        .flags = r->flags,
        .count_objs = r->count,
        .objs_ptr = (uintptr_t)r->objects,
        .count_props_ptr = (uintptr_t)r->counts,
        .props_ptr = (uintptr_t)r->props,
        .prop_values_ptr = (uintptr_t)r->values,
        .user_data = r->user,
    };

    if (sys_ioctl(r->kms->fd, DRM_IOCTL_MODE_ATOMIC, &args)) {
        return call_fail(r->c, errno, "MODE_ATOMIC");
    }
    if (!keep_fences(r)) {
        return r->c->error;
    }
    return r->wait ? wait_events(r) : 0;
}

int cmd_atomic(struct call *c)
{
    static struct request request;
    struct request *r = &request;
    struct kms_output *output;
    struct file *file;
    int arg, i;

    memset(r, 0, sizeof(*r));
    r->c = c;
    for (i = 0; i < KMS_OUTPUTS_MAX; i++) {
        r->outputs[i].out_fence = NO_FENCE;
        r->outputs[i].wb_fence = NO_FENCE;
    }
    output = kms_args(c, &file, &r->kms);
    if (!output || !begin_output(r, output)) {
        return c->error;
    }
    for (arg = 3; arg < c->argc && !c->error; arg++) {
        take_word(r, c->argv[arg]);
    }
    if (!c->error && end_plane(r)) {
        commit(r);
    }
    for (i = 0; i < KMS_OUTPUTS_MAX; i++) {
        if (r->outputs[i].mode_blob) {
            kms_blob_free(r->kms->fd, r->outputs[i].mode_blob);
        }
    }
    return c->error;
}
