/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent: what the files of the command misuse share.
 *
 * An ioctl is a list of the fields of its argument.  Each has a value that is
 * right, and a kind, which says what values are wrong in it.
 */
#ifndef AGENT_MISUSE_H
#define AGENT_MISUSE_H

#include "drm-calls.h"

#define MISUSE_FIELDS_MAX   12
#define MISUSE_ARG_MAX      256
#define MISUSE_BAD_OPS      11

/* Values that a field may have, right ones and wrong ones */
enum misuse_value {
    V_ZERO, V_ONE, V_THREE, V_TOP_BIT, V_ALL,
    V_PAGE, V_WIDTH, V_PITCH, V_DEPTH, V_BPP, V_FORMAT,
    /* Names */
    V_HANDLE, V_OLD_HANDLE, V_NOTHING, V_DMABUF, V_FENCE, V_FILE_FD,
    V_CLOSED_FD, V_NULL_FD, V_SYNC, V_OLD_SYNC, V_FB, V_CRTC, V_CONNECTOR,
    V_PLANE, V_FB_PROP,
    /* Addresses */
    V_DATA, V_NO_ADDRESS, V_KERNEL_ADDRESS, V_SYNCS, V_OLD_SYNCS,
    V_OBJECTS, V_NO_OBJECTS, V_PLANES, V_NO_PLANES, V_FB_PROPS, V_FBS,
    V_NO_FBS, V_ONES, V_OP, V_BAD_OP,
    V_BAD_OP_LAST = V_BAD_OP + MISUSE_BAD_OPS - 1,
    V_IN_SYNC, V_OLD_IN_SYNC,
    /* Flags */
    V_IN_FENCE, V_CURSOR_BO, V_TEST_ONLY, V_FB_MODIFIERS,
    VALUES
};

/* What is wrong in a field */
enum misuse_kind {
    ANY,                        /* nothing */
    HANDLE, HANDLE_OR_0, FD, ID, SYNC, FLAGS, MUST_BE_0, NOT_0, COUNT, POINTER,
    /* Ids of a display's objects, of which others are not of the right type */
    CRTC_ID, CONNECTOR_ID, PLANE_ID, FB_ID, FB_ID_OR_0, PROP_ID, OTHER_ID,
    NO_PROPS_ID,
    SYNC_LIST, OBJECT_LIST, PLANE_LIST, FB_LIST, OPS, IN_SYNCS,
    MISUSE_KINDS
};

struct misuse_field {
    uint16_t offset;
    uint8_t size;
    uint8_t right;              /* enum misuse_value */
    uint8_t kind;
};

/* The fd that an ioctl is for */
enum misuse_target { ON_FILE, ON_DMABUF, ON_FENCE };

struct misuse {
    const char *name;
    unsigned long request;
    enum misuse_target target;
    struct misuse_field fields[MISUSE_FIELDS_MAX];
};

#define MISUSE_FIELD(type, member, right, kind) \
    { offsetof(struct type, member), sizeof(((struct type *)0)->member), \
      right, kind }

/* Each ends with a NULL. */
extern const struct misuse misuse_bo[];
extern const struct misuse misuse_sync[];
extern const struct misuse misuse_kms[];

#endif /* AGENT_MISUSE_H */
