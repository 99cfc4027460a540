/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: the mode setting objects of a DRM file.  Looked up once for
 * each file; output N is its Nth CRTC with its Nth connector, of those that are
 * no write-back connectors.
 */
#ifndef AGENT_KMS_H
#define AGENT_KMS_H

#include "drm-calls.h"

#define KMS_OUTPUTS_MAX 8
#define KMS_PLANES_MAX  40
#define KMS_MODES_MAX   128
#define KMS_FBS_MAX     64

/* Values of the planes' property "type", which no header of the kernel has */
enum kms_plane_type {
    KMS_PLANE_OVERLAY,
    KMS_PLANE_PRIMARY,
    KMS_PLANE_CURSOR,
};

struct kms_prop {
    uint32_t id;
    uint32_t flags;
    char name[DRM_PROP_NAME_LEN];
};

/* A CRTC, connector or plane */
struct kms_object {
    uint32_t id;
    uint32_t type;              /* DRM_MODE_OBJECT_... */
    unsigned int prop_count;
    struct kms_prop *props;     /* NULL: not yet asked for */
};

struct kms_plane {
    struct kms_object object;
    uint32_t crtcs;             /* mask of outputs */
    uint64_t type;              /* enum kms_plane_type */
};

struct kms_output {
    struct kms_object crtc;
    struct kms_object connector;    /* id 0: none */
    struct kms_object writeback;    /* id 0: none */
};

/* A framebuffer that this file has made */
struct kms_fb {
    uint32_t id;
    uint32_t handle;            /* its first plane's, when it was made */
    uint32_t width;
    uint32_t height;
};

struct kms {
    int fd;
    unsigned int output_count;
    unsigned int plane_count;
    struct kms_output outputs[KMS_OUTPUTS_MAX];
    struct kms_plane planes[KMS_PLANES_MAX];
};

/* The objects of a file; NULL with the call's error set */
struct kms *kms_get(struct call *c, struct file *file);
void kms_free(struct kms *kms);

/* The number of an output as argument arg; NULL with the call's error set */
struct kms_output *kms_output(struct call *c, struct kms *kms, int arg);
/* A file and an output, arguments 1 and 2, which most commands begin with */
struct kms_output *kms_args(struct call *c, struct file **file,
                            struct kms **kms);
unsigned int kms_index(const struct kms *kms, const struct kms_output *output);

/*
 * The output's plane that a word names: primary, cursor, overlay or overlayN
 * (from 0), or planeID; NULL without it
 */
struct kms_plane *kms_plane(struct kms *kms, const struct kms_output *output,
                            const char *word);

/* Case and the difference of _ and blank do not matter in names. */
bool kms_same(const char *a, const char *b, size_t length);
/* NULL without it */
const struct kms_prop *kms_prop(const struct kms *kms,
                                struct kms_object *object, const char *name);
/* The value that an object has now; false without the property */
bool kms_value(const struct kms *kms, struct kms_object *object,
               const char *name, uint64_t *value);
/* A number, or names of the property's values with + between them */
bool kms_parse(const struct kms *kms, const struct kms_prop *prop,
               const char *text, uint64_t *value);

/* The modes of a connector, looked at anew; their number or -errno */
int kms_modes(int fd, uint32_t connector, struct drm_mode_modeinfo *modes,
              uint32_t *status);
/*
 * The mode that a word names: preferred, or WIDTHxHEIGHT[@HZ], which is made
 * up when the connector does not have it; 0 or -errno
 */
int kms_find_mode(int fd, uint32_t connector, const char *word,
                  struct drm_mode_modeinfo *mode);

/* 0 or -errno */
int kms_blob(int fd, const void *data, uint32_t size, uint32_t *id);
int kms_blob_free(int fd, uint32_t id);

/* Sizes of the framebuffers that files of this worker have made */
void kms_fb_add(int fd, const struct kms_fb *fb);
void kms_fb_forget(int fd);
/* The newest one that has this id, or that is of this handle */
const struct kms_fb *kms_fb(int fd, uint32_t id);
const struct kms_fb *kms_fb_of_handle(int fd, uint32_t handle);
/*
 * The id of a framebuffer that a word names: a number, a BO of the file for
 * the newest framebuffer on it, or off; false with the call's error set
 */
bool kms_fb_arg(struct call *c, int fd, const char *word, uint32_t *id);

/* The next event of the file; 0, -ETIME or another -errno */
union kms_event {
    struct drm_event base;
    struct drm_event_vblank vblank;
    struct drm_event_crtc_sequence sequence;
};
int kms_read_event(int fd, int timeout_ms, union kms_event *event);
/* Tell an event: type= output= sequence= ns= user= */
void kms_add_event(struct call *c, const struct kms *kms,
                   const union kms_event *event);

/* A buffer that one file draws and another shows, or the same one */
struct kms_buffer {
    struct bo drawn;
    uint32_t shown;             /* handle in the file that shows, or 0 */
    uint32_t fb;
};

/* 32 bits a pixel, without gaps; 0 or -errno, and then it is to be dropped */
int kms_buffer_make(const struct file *show, struct file *draw, uint32_t width,
                    uint32_t height, struct kms_buffer *b);
void kms_buffer_drop(const struct file *show, struct kms_buffer *b);
/* A job that fills it, of a file that has jobs; 0 or -errno */
int kms_buffer_fill(const struct kms_buffer *b, uint32_t pixels,
                    uint32_t value);

/* CRCs of an output's frames, from debugfs; an fd or -errno */
int kms_crc_open(int fd, unsigned int index);
/* Frame number and first CRC of the next line; 0 or -errno */
int kms_crc_read(int crc_fd, uint32_t *frame, uint32_t *crc);

#endif /* AGENT_KMS_H */
