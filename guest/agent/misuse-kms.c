/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Misuse of ioctls on framebuffers and displays.
 */
#include "misuse.h"

#define F MISUSE_FIELD

/* A client's own id as the whole argument */
struct fb_id {
    uint32_t id;
};

const struct misuse misuse_kms[] = {
    { "MODE_ADDFB", DRM_IOCTL_MODE_ADDFB, ON_FILE, {
        F(drm_mode_fb_cmd, width, V_WIDTH, COUNT),
        F(drm_mode_fb_cmd, height, V_WIDTH, COUNT),
        F(drm_mode_fb_cmd, pitch, V_PITCH, NOT_0),
        F(drm_mode_fb_cmd, bpp, V_BPP, COUNT),
        F(drm_mode_fb_cmd, depth, V_DEPTH, COUNT),
        F(drm_mode_fb_cmd, handle, V_HANDLE, HANDLE) } },
    { "MODE_ADDFB2", DRM_IOCTL_MODE_ADDFB2, ON_FILE, {
        F(drm_mode_fb_cmd2, width, V_WIDTH, COUNT),
        F(drm_mode_fb_cmd2, height, V_WIDTH, COUNT),
        F(drm_mode_fb_cmd2, pixel_format, V_FORMAT, COUNT),
        F(drm_mode_fb_cmd2, flags, V_ZERO, FLAGS),
        F(drm_mode_fb_cmd2, handles[0], V_HANDLE, HANDLE),
        F(drm_mode_fb_cmd2, pitches[0], V_PITCH, COUNT),
        F(drm_mode_fb_cmd2, offsets[0], V_ZERO, FLAGS),
        F(drm_mode_fb_cmd2, modifier[1], V_ZERO, MUST_BE_0) } },
    { "MODE_ADDFB2-with-modifiers", DRM_IOCTL_MODE_ADDFB2, ON_FILE, {
        F(drm_mode_fb_cmd2, width, V_WIDTH, ANY),
        F(drm_mode_fb_cmd2, height, V_WIDTH, ANY),
        F(drm_mode_fb_cmd2, pixel_format, V_FORMAT, ANY),
        F(drm_mode_fb_cmd2, flags, V_FB_MODIFIERS, FLAGS),
        F(drm_mode_fb_cmd2, handles[0], V_HANDLE, HANDLE),
        F(drm_mode_fb_cmd2, handles[1], V_ZERO, MUST_BE_0),
        F(drm_mode_fb_cmd2, pitches[0], V_PITCH, COUNT),
        F(drm_mode_fb_cmd2, pitches[1], V_ZERO, MUST_BE_0),
        F(drm_mode_fb_cmd2, offsets[1], V_ZERO, MUST_BE_0),
        F(drm_mode_fb_cmd2, modifier[0], V_ZERO, FLAGS) } },
    { "MODE_RMFB", DRM_IOCTL_MODE_RMFB, ON_FILE, {
        F(fb_id, id, V_ALL, FB_ID) } },
    { "MODE_CLOSEFB", DRM_IOCTL_MODE_CLOSEFB, ON_FILE, {
        F(drm_mode_closefb, fb_id, V_FB, FB_ID),
        F(drm_mode_closefb, pad, V_ZERO, MUST_BE_0) } },
    { "MODE_GETFB", DRM_IOCTL_MODE_GETFB, ON_FILE, {
        F(drm_mode_fb_cmd, fb_id, V_ALL, FB_ID) } },
    { "MODE_GETFB2", DRM_IOCTL_MODE_GETFB2, ON_FILE, {
        F(drm_mode_fb_cmd2, fb_id, V_ALL, FB_ID) } },
    { "MODE_DIRTYFB", DRM_IOCTL_MODE_DIRTYFB, ON_FILE, {
        F(drm_mode_fb_dirty_cmd, fb_id, V_FB, FB_ID),
        F(drm_mode_fb_dirty_cmd, num_clips, V_ONE, COUNT),
        F(drm_mode_fb_dirty_cmd, clips_ptr, V_DATA, POINTER) } },
    { "MODE_PAGE_FLIP", DRM_IOCTL_MODE_PAGE_FLIP, ON_FILE, {
        F(drm_mode_crtc_page_flip, crtc_id, V_CRTC, CRTC_ID),
        F(drm_mode_crtc_page_flip, fb_id, V_FB, FB_ID),
        F(drm_mode_crtc_page_flip, flags, V_ZERO, FLAGS),
        F(drm_mode_crtc_page_flip, reserved, V_ZERO, MUST_BE_0) } },
    { "MODE_CURSOR", DRM_IOCTL_MODE_CURSOR, ON_FILE, {
        F(drm_mode_cursor, flags, V_CURSOR_BO, FLAGS),
        F(drm_mode_cursor, flags, V_CURSOR_BO, NOT_0),
        F(drm_mode_cursor, crtc_id, V_CRTC, CRTC_ID),
        F(drm_mode_cursor, width, V_WIDTH, FLAGS),
        F(drm_mode_cursor, height, V_WIDTH, FLAGS),
        F(drm_mode_cursor, handle, V_HANDLE, HANDLE_OR_0) } },
    { "MODE_CURSOR2", DRM_IOCTL_MODE_CURSOR2, ON_FILE, {
        F(drm_mode_cursor2, flags, V_CURSOR_BO, FLAGS),
        F(drm_mode_cursor2, flags, V_CURSOR_BO, NOT_0),
        F(drm_mode_cursor2, crtc_id, V_CRTC, CRTC_ID),
        F(drm_mode_cursor2, width, V_WIDTH, FLAGS),
        F(drm_mode_cursor2, height, V_WIDTH, FLAGS),
        F(drm_mode_cursor2, handle, V_HANDLE, HANDLE_OR_0) } },
    { "MODE_SETCRTC", DRM_IOCTL_MODE_SETCRTC, ON_FILE, {
        F(drm_mode_crtc, crtc_id, V_CRTC, CRTC_ID),
        F(drm_mode_crtc, fb_id, V_FB, FB_ID),
        F(drm_mode_crtc, set_connectors_ptr, V_OBJECTS, OBJECT_LIST),
        F(drm_mode_crtc, count_connectors, V_ONE, FLAGS),
        F(drm_mode_crtc, mode_valid, V_ONE, ANY) } },
    { "MODE_SETPLANE", DRM_IOCTL_MODE_SETPLANE, ON_FILE, {
        F(drm_mode_set_plane, plane_id, V_PLANE, PLANE_ID),
        F(drm_mode_set_plane, crtc_id, V_CRTC, CRTC_ID),
        F(drm_mode_set_plane, fb_id, V_FB, FB_ID_OR_0),
        F(drm_mode_set_plane, crtc_w, V_WIDTH, FLAGS),
        F(drm_mode_set_plane, crtc_h, V_WIDTH, FLAGS),
        F(drm_mode_set_plane, src_w, V_PAGE, FLAGS),
        F(drm_mode_set_plane, src_h, V_PAGE, FLAGS) } },
    { "MODE_ATOMIC", DRM_IOCTL_MODE_ATOMIC, ON_FILE, {
        F(drm_mode_atomic, flags, V_TEST_ONLY, FLAGS),
        F(drm_mode_atomic, count_objs, V_ONE, ANY),
        F(drm_mode_atomic, objs_ptr, V_PLANES, PLANE_LIST),
        F(drm_mode_atomic, count_props_ptr, V_ONES, POINTER),
        F(drm_mode_atomic, props_ptr, V_FB_PROPS, PLANE_LIST),
        F(drm_mode_atomic, prop_values_ptr, V_FBS, FB_LIST),
        F(drm_mode_atomic, reserved, V_ZERO, MUST_BE_0) } },
    { "MODE_CREATEPROPBLOB", DRM_IOCTL_MODE_CREATEPROPBLOB, ON_FILE, {
        F(drm_mode_create_blob, data, V_DATA, POINTER),
        F(drm_mode_create_blob, length, V_PAGE, COUNT) } },
    { "MODE_DESTROYPROPBLOB", DRM_IOCTL_MODE_DESTROYPROPBLOB, ON_FILE, {
        F(drm_mode_destroy_blob, blob_id, V_ALL, OTHER_ID) } },
    { "MODE_GETPROPBLOB", DRM_IOCTL_MODE_GETPROPBLOB, ON_FILE, {
        F(drm_mode_get_blob, blob_id, V_ALL, OTHER_ID) } },
    { "MODE_OBJ_SETPROPERTY", DRM_IOCTL_MODE_OBJ_SETPROPERTY, ON_FILE, {
        F(drm_mode_obj_set_property, obj_id, V_PLANE, NO_PROPS_ID),
        F(drm_mode_obj_set_property, prop_id, V_FB_PROP, PROP_ID),
        F(drm_mode_obj_set_property, value, V_ALL, FLAGS) } },
    { "MODE_OBJ_GETPROPERTIES", DRM_IOCTL_MODE_OBJ_GETPROPERTIES, ON_FILE, {
        F(drm_mode_obj_get_properties, obj_id, V_ALL, NO_PROPS_ID) } },
    { "MODE_SETPROPERTY", DRM_IOCTL_MODE_SETPROPERTY, ON_FILE, {
        F(drm_mode_connector_set_property, connector_id, V_CONNECTOR,
          CONNECTOR_ID),
        F(drm_mode_connector_set_property, prop_id, V_FB_PROP, PROP_ID) } },
    { "MODE_GETPROPERTY", DRM_IOCTL_MODE_GETPROPERTY, ON_FILE, {
        F(drm_mode_get_property, prop_id, V_ALL, PROP_ID) } },
    { "MODE_GETENCODER", DRM_IOCTL_MODE_GETENCODER, ON_FILE, {
        F(drm_mode_get_encoder, encoder_id, V_ALL, OTHER_ID) } },
    { "MODE_GETPLANE", DRM_IOCTL_MODE_GETPLANE, ON_FILE, {
        F(drm_mode_get_plane, plane_id, V_ALL, PLANE_ID) } },
    { "MODE_GETGAMMA", DRM_IOCTL_MODE_GETGAMMA, ON_FILE, {
        F(drm_mode_crtc_lut, crtc_id, V_CRTC, CRTC_ID),
        F(drm_mode_crtc_lut, gamma_size, V_THREE, FLAGS) } },
    { "MODE_SETGAMMA", DRM_IOCTL_MODE_SETGAMMA, ON_FILE, {
        F(drm_mode_crtc_lut, crtc_id, V_CRTC, CRTC_ID),
        F(drm_mode_crtc_lut, gamma_size, V_THREE, FLAGS) } },
    { "MODE_GETCRTC", DRM_IOCTL_MODE_GETCRTC, ON_FILE, {
        F(drm_mode_crtc, crtc_id, V_ALL, CRTC_ID) } },
    { "MODE_GETCONNECTOR", DRM_IOCTL_MODE_GETCONNECTOR, ON_FILE, {
        F(drm_mode_get_connector, connector_id, V_ALL, CONNECTOR_ID) } },
    { "MODE_CREATE_LEASE", DRM_IOCTL_MODE_CREATE_LEASE, ON_FILE, {
        F(drm_mode_create_lease, object_ids, V_OBJECTS, OBJECT_LIST),
        F(drm_mode_create_lease, object_count, V_THREE, FLAGS),
        F(drm_mode_create_lease, flags, V_ZERO, FLAGS) } },
    { "MODE_LIST_LESSEES", DRM_IOCTL_MODE_LIST_LESSEES, ON_FILE, {
        F(drm_mode_list_lessees, pad, V_ZERO, MUST_BE_0) } },
    { "MODE_GET_LEASE", DRM_IOCTL_MODE_GET_LEASE, ON_FILE, {
        F(drm_mode_get_lease, pad, V_ZERO, MUST_BE_0) } },
    { "MODE_REVOKE_LEASE", DRM_IOCTL_MODE_REVOKE_LEASE, ON_FILE, {
        F(drm_mode_revoke_lease, lessee_id, V_ALL, ID) } },
    { "AUTH_MAGIC", DRM_IOCTL_AUTH_MAGIC, ON_FILE, {
        F(drm_auth, magic, V_ALL, ID) } },
    { "CRTC_GET_SEQUENCE", DRM_IOCTL_CRTC_GET_SEQUENCE, ON_FILE, {
        F(drm_crtc_get_sequence, crtc_id, V_ALL, CRTC_ID) } },
    { "CRTC_QUEUE_SEQUENCE", DRM_IOCTL_CRTC_QUEUE_SEQUENCE, ON_FILE, {
        F(drm_crtc_queue_sequence, crtc_id, V_CRTC, CRTC_ID),
        F(drm_crtc_queue_sequence, flags, V_ZERO, FLAGS) } },
    { "SET_CLIENT_CAP", DRM_IOCTL_SET_CLIENT_CAP, ON_FILE, {
        F(drm_set_client_cap, capability, V_ALL, FLAGS) } },
    { NULL }
};
