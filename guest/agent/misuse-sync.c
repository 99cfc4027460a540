/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Misuse of ioctls on syncobjs and sync_files.
 */
#include <linux/sync_file.h>

#include "misuse.h"

#define F MISUSE_FIELD

const struct misuse misuse_sync[] = {
    { "SYNCOBJ_CREATE", DRM_IOCTL_SYNCOBJ_CREATE, ON_FILE, {
        F(drm_syncobj_create, flags, V_ZERO, FLAGS) } },
    { "SYNCOBJ_DESTROY", DRM_IOCTL_SYNCOBJ_DESTROY, ON_FILE, {
        F(drm_syncobj_destroy, handle, V_SYNC, SYNC),
        F(drm_syncobj_destroy, pad, V_ZERO, MUST_BE_0) } },
    { "SYNCOBJ_HANDLE_TO_FD", DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, ON_FILE, {
        F(drm_syncobj_handle, handle, V_SYNC, SYNC),
        F(drm_syncobj_handle, flags, V_ZERO, FLAGS),
        F(drm_syncobj_handle, pad, V_ZERO, MUST_BE_0) } },
    { "SYNCOBJ_HANDLE_TO_FD-of-a-fence", DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD,
      ON_FILE, {
        F(drm_syncobj_handle, handle, V_SYNC, SYNC),
        F(drm_syncobj_handle, flags, V_ONE, ANY),
        F(drm_syncobj_handle, pad, V_ZERO, MUST_BE_0) } },
    { "SYNCOBJ_FD_TO_HANDLE", DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, ON_FILE, {
        F(drm_syncobj_handle, fd, V_CLOSED_FD, FD),
        F(drm_syncobj_handle, flags, V_ZERO, FLAGS),
        F(drm_syncobj_handle, pad, V_ZERO, MUST_BE_0) } },
    { "SYNCOBJ_FD_TO_HANDLE-of-a-fence", DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE,
      ON_FILE, {
        F(drm_syncobj_handle, handle, V_SYNC, SYNC),
        F(drm_syncobj_handle, fd, V_FENCE, FD),
        F(drm_syncobj_handle, flags, V_ONE, ANY),
        F(drm_syncobj_handle, pad, V_ZERO, MUST_BE_0) } },
    { "SYNCOBJ_WAIT", DRM_IOCTL_SYNCOBJ_WAIT, ON_FILE, {
        F(drm_syncobj_wait, handles, V_SYNCS, SYNC_LIST),
        F(drm_syncobj_wait, count_handles, V_ONE, ANY),
        F(drm_syncobj_wait, flags, V_ZERO, FLAGS) } },
    { "SYNCOBJ_TIMELINE_WAIT", DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, ON_FILE, {
        F(drm_syncobj_timeline_wait, handles, V_SYNCS, SYNC_LIST),
        F(drm_syncobj_timeline_wait, points, V_DATA, POINTER),
        F(drm_syncobj_timeline_wait, count_handles, V_ONE, ANY),
        F(drm_syncobj_timeline_wait, flags, V_ZERO, FLAGS) } },
    { "SYNCOBJ_RESET", DRM_IOCTL_SYNCOBJ_RESET, ON_FILE, {
        F(drm_syncobj_array, handles, V_SYNCS, SYNC_LIST),
        F(drm_syncobj_array, count_handles, V_ONE, NOT_0),
        F(drm_syncobj_array, pad, V_ZERO, MUST_BE_0) } },
    { "SYNCOBJ_SIGNAL", DRM_IOCTL_SYNCOBJ_SIGNAL, ON_FILE, {
        F(drm_syncobj_array, handles, V_SYNCS, SYNC_LIST),
        F(drm_syncobj_array, count_handles, V_ONE, NOT_0),
        F(drm_syncobj_array, pad, V_ZERO, MUST_BE_0) } },
    { "SYNCOBJ_TIMELINE_SIGNAL", DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, ON_FILE, {
        F(drm_syncobj_timeline_array, handles, V_SYNCS, SYNC_LIST),
        F(drm_syncobj_timeline_array, points, V_ONES, POINTER),
        F(drm_syncobj_timeline_array, count_handles, V_ONE, NOT_0),
        F(drm_syncobj_timeline_array, flags, V_ZERO, FLAGS) } },
    { "SYNCOBJ_QUERY", DRM_IOCTL_SYNCOBJ_QUERY, ON_FILE, {
        F(drm_syncobj_timeline_array, handles, V_SYNCS, SYNC_LIST),
        F(drm_syncobj_timeline_array, points, V_DATA, POINTER),
        F(drm_syncobj_timeline_array, count_handles, V_ONE, NOT_0),
        F(drm_syncobj_timeline_array, flags, V_ZERO, FLAGS) } },
    { "SYNCOBJ_TRANSFER", DRM_IOCTL_SYNCOBJ_TRANSFER, ON_FILE, {
        F(drm_syncobj_transfer, src_handle, V_SYNC, SYNC),
        F(drm_syncobj_transfer, dst_handle, V_SYNC, SYNC),
        F(drm_syncobj_transfer, pad, V_ZERO, MUST_BE_0) } },
    { "SYNCOBJ_EVENTFD", DRM_IOCTL_SYNCOBJ_EVENTFD, ON_FILE, {
        F(drm_syncobj_eventfd, handle, V_SYNC, SYNC),
        F(drm_syncobj_eventfd, flags, V_ZERO, FLAGS),
        F(drm_syncobj_eventfd, fd, V_CLOSED_FD, FD),
        F(drm_syncobj_eventfd, pad, V_ZERO, MUST_BE_0) } },
    { "SYNC_IOC_MERGE", SYNC_IOC_MERGE, ON_FENCE, {
        F(sync_merge_data, fd2, V_FENCE, FD),
        F(sync_merge_data, flags, V_ZERO, FLAGS),
        F(sync_merge_data, pad, V_ZERO, MUST_BE_0) } },
    { "SYNC_IOC_FILE_INFO", SYNC_IOC_FILE_INFO, ON_FENCE, {
        F(sync_file_info, flags, V_ZERO, FLAGS),
        F(sync_file_info, pad, V_ZERO, MUST_BE_0),
        F(sync_file_info, num_fences, V_ONE, ANY),
        F(sync_file_info, sync_fence_info, V_DATA, POINTER) } },
    { NULL }
};
