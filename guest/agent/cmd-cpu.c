/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU access to buffers.  All of it may fault, and goes through the guard.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drm-calls.h"

#define PIECE       4096    /* whole words, as the checksum wants them */
#define READ_MAX    256

/* How to map what is at this offset of the file */
struct how {
    uint64_t size;
    uint64_t offset;
    int prot;
    int flags;
};

static bool parse_how(struct call *c, int arg, struct how *how)
{
    uint64_t at;

    for (; arg < c->argc; arg++) {
        const char *word = c->argv[arg];

        if (!strcmp(word, "ro")) {
            how->prot = PROT_READ;
        } else if (!strcmp(word, "wo")) {
            how->prot = PROT_WRITE;
        } else if (!strcmp(word, "none")) {
            how->prot = PROT_NONE;
        } else if (!strcmp(word, "private")) {
            how->flags = MAP_PRIVATE;
        } else if (!strncmp(word, "at=", 3) && line_number(word + 3, &at)) {
            how->offset += at;
        } else if (strncmp(word, "size=", 5) ||
                   !line_number(word + 5, &how->size)) {
            call_usage(c);
            return false;
        }
    }
    return true;
}

/* The words from argument arg on tell how. */
static int do_mmap(struct call *c, const char *name, int fd, uint64_t size,
                   uint64_t offset, int arg)
{
    struct how how = {
        .size = size,
        .offset = offset,
        .prot = PROT_READ | PROT_WRITE,
        .flags = MAP_SHARED,
    };
    struct map *map;

    if (!parse_how(c, arg, &how)) {
        return c->error;
    }
    map = name_new_map(c, name);
    if (!map) {
        return c->error;
    }
    fault_on();
    map->addr = mmap(NULL, how.size, how.prot, how.flags, fd, how.offset);
    fault_off();
    if (map->addr == MAP_FAILED) {
        name_drop(map);
        return call_fail(c, errno, "mmap");
    }
    map->size = how.size;
    call_add(c, "size=%llu", (unsigned long long)how.size);
    return 0;
}

int cmd_mmap(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    uint64_t offset;
    int error;

    if (!bo) {
        return c->error;
    }
    error = drm_map_offset(bo, &offset);
    if (error) {
        return call_fail(c, -error, "no mmap offset");
    }
    if (!do_mmap(c, c->argv[2], bo->file->fd, bo->size, offset, 3)) {
        call_add(c, " offset=%llu", (unsigned long long)offset);
    }
    return c->error;
}

int cmd_mmap_via(struct call *c)
{
    struct bo *bo = name_bo(c, c->argv[1]);
    struct file *file = bo ? name_file(c, c->argv[2]) : NULL;
    uint64_t offset;
    int error;

    if (!file) {
        return c->error;
    }
    error = drm_map_offset(bo, &offset);
    if (error) {
        return call_fail(c, -error, "no mmap offset");
    }
    return do_mmap(c, c->argv[3], file->fd, bo->size, offset, c->argc);
}

int cmd_mmap_fd(struct call *c)
{
    struct fd *fd = name_fd(c, c->argv[1]);
    uint64_t size;

    if (!fd || !call_number(c, 3, SIZE_MAX, &size)) {
        return c->error;
    }
    return do_mmap(c, c->argv[2], fd->fd, size, 0, 4);
}

int cmd_munmap(struct call *c)
{
    struct map *map = name_map(c, c->argv[1]);
    int ret;

    if (!map) {
        return c->error;
    }
    fault_on();
    ret = munmap(map->addr, map->size);
    fault_off();
    if (ret) {
        return call_fail(c, errno, "munmap");
    }
    name_drop(map);
    return 0;
}

/* The range that two arguments name, inside of the map */
static bool map_range(struct call *c, const struct map *map, int arg,
                      uint64_t *offset, uint64_t *length)
{
    if (!call_number(c, arg, UINT64_MAX, offset) ||
        !call_number(c, arg + 1, UINT64_MAX, length)) {
        return false;
    }
    if (*offset > map->size || *length > map->size - *offset) {
        call_fail(c, ERANGE, "the map has %zu bytes", map->size);
        return false;
    }
    return true;
}

int cmd_write(struct call *c)
{
    struct map *map = name_map(c, c->argv[1]);
    uint64_t sum = PRIMEGPU_AGENT_CHECKSUM_INIT;
    uint64_t offset, length, seed;
    uint8_t piece[PIECE];

    if (!map || !map_range(c, map, 2, &offset, &length) ||
        !call_number(c, 4, UINT64_MAX, &seed)) {
        return c->error;
    }
    while (length) {
        size_t n = length < PIECE ? length : PIECE;

        primegpu_agent_pattern(piece, offset, n, seed);
        sum = primegpu_agent_checksum(sum, piece, n);
        if (!guard_copy(map->addr + offset, piece, n)) {
            return call_fail(c, EFAULT, "no memory at offset %llu or above",
                             (unsigned long long)offset);
        }
        offset += n;
        length -= n;
    }
    call_add(c, "checksum=0x%016llx", (unsigned long long)sum);
    return 0;
}

/* Through /proc, which asks the mapping's owner in the kernel for the bytes */
static bool debugger_copy(void *dst, const void *src, size_t length)
{
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    bool ok;

    fault_on();
    ok = pread(fd, dst, length, (uintptr_t)src) == (ssize_t)length;
    fault_off();
    close(fd);
    return ok;
}

static int read_map(struct call *c,
                    bool (*copy)(void *dst, const void *src, size_t length))
{
    struct map *map = name_map(c, c->argv[1]);
    uint8_t bytes[READ_MAX];
    uint64_t offset, length, i;

    if (!map || !map_range(c, map, 2, &offset, &length)) {
        return c->error;
    }
    if (length > READ_MAX) {
        return call_fail(c, EINVAL, "at most %d bytes", READ_MAX);
    }
    if (!copy(bytes, map->addr + offset, length)) {
        return call_fail(c, EFAULT, "no memory at offset %llu",
                         (unsigned long long)offset);
    }
    call_add(c, "hex=");
    for (i = 0; i < length; i++) {
        call_add(c, "%02x", bytes[i]);
    }
    return 0;
}

int cmd_read(struct call *c)
{
    return read_map(c, guard_copy);
}

int cmd_peek(struct call *c)
{
    return read_map(c, debugger_copy);
}

int cmd_checksum(struct call *c)
{
    struct map *map = name_map(c, c->argv[1]);
    uint64_t sum = PRIMEGPU_AGENT_CHECKSUM_INIT;
    uint64_t offset = 0, length = map ? map->size : 0;
    uint8_t piece[PIECE];

    if (!map || (c->argc > 2 && !map_range(c, map, 2, &offset, &length))) {
        return c->error;
    }
    while (length) {
        size_t n = length < PIECE ? length : PIECE;

        if (!guard_copy(piece, map->addr + offset, n)) {
            return call_fail(c, EFAULT, "no memory at offset %llu or above",
                             (unsigned long long)offset);
        }
        sum = primegpu_agent_checksum(sum, piece, n);
        offset += n;
        length -= n;
    }
    call_add(c, "checksum=0x%016llx", (unsigned long long)sum);
    return 0;
}
