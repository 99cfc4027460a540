/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules from a newc cpio archive on a block device.  The archive is read
 * to memory and judged there; each size is checked against what is left of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#define DEFAULT_DEVICE  "/dev/vda"
#define ARCHIVE_MAX     (256u << 20)
#define ORDER_FILE      "modules.order"
#define CPIO_MAGIC      "070701"
#define CPIO_HEADER     110
#define CPIO_FILESIZE   54      /* offsets of fields of 8 hex digits */
#define CPIO_NAMESIZE   94
#define CPIO_END        "TRAILER!!!"

struct archive {
    const char *data;
    size_t size;
};

struct member {
    const char *data;
    size_t size;
};

/* SIZE_MAX if it is no number */
static size_t cpio_field(const char *header, size_t offset)
{
    char digits[11] = "0x";
    uint64_t value;

    memcpy(digits + 2, header + offset, 8);
    return line_number(digits, &value) ? value : SIZE_MAX;
}

static size_t align4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* The member of this name; 0, -ENOENT, or -EBADMSG for a damaged archive */
static int archive_find(const struct archive *a, const char *name,
                        struct member *member)
{
    size_t pos = 0;

    while (a->size - pos > CPIO_HEADER) {
        const char *header = a->data + pos;
        size_t namesize = cpio_field(header, CPIO_NAMESIZE);
        size_t filesize = cpio_field(header, CPIO_FILESIZE);
        const char *path = header + CPIO_HEADER;
        size_t data;

        if (memcmp(header, CPIO_MAGIC, strlen(CPIO_MAGIC)) || !namesize ||
            namesize > a->size - pos - CPIO_HEADER || path[namesize - 1]) {
            return -EBADMSG;
        }
        data = pos + align4(CPIO_HEADER + namesize);
        if (data > a->size || filesize > a->size - data) {
            return -EBADMSG;
        }
        if (!strcmp(path, CPIO_END)) {
            return -ENOENT;
        }
        if (!strncmp(path, "./", 2)) {
            path += 2;
        }
        if (!strcmp(path, name)) {
            member->data = a->data + data;
            member->size = filesize;
            return 0;
        }
        pos = data + align4(filesize);
        if (pos > a->size) {
            return -EBADMSG;
        }
    }
    return -EBADMSG;
}

static void archive_close(struct archive *a)
{
    munmap((void *)a->data, a->size);
}

/*
 * Map the device.  What the kernel has cached of it is dropped first: a saved
 * guest may be resumed with another archive.  Its size is a multiple of the
 * page size, or the last page could not be read.
 */
static int archive_open(const char *path, struct archive *a)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t size = 0;
    struct stat st;
    char *data;
    int error = 0;

    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &st)) {
        error = -errno;
    } else if (S_ISBLK(st.st_mode)) {
        ioctl(fd, BLKFLSBUF);
        error = ioctl(fd, BLKGETSIZE64, &size) ? -errno : 0;
    } else {
        size = st.st_size;
    }
    if (!error && size > ARCHIVE_MAX) {
        error = -EFBIG;
    }
    if (!error) {
        data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        error = data == MAP_FAILED ? -errno : 0;
    }
    if (!error) {
        a->data = data;
        a->size = size;
    }
    close(fd);
    return error;
}

/* A line of the order file: FILE [PARAMETER...] */
static int insert_line(struct call *c, const struct archive *a, char *line,
                       unsigned int *inserted, unsigned int *present)
{
    size_t n = strcspn(line, " \t\r");
    char *params = line + n + strspn(line + n, " \t\r");
    struct member module;
    int error;

    line[n] = '\0';
    if (!n || line[0] == '#') {
        return 0;
    }
    error = archive_find(a, line, &module);
    if (error) {
        return call_fail(c, -error, "'%.80s' is not in the archive", line);
    }
    if (!syscall(SYS_init_module, module.data, module.size, params)) {
        (*inserted)++;
        return 0;
    }
    if (errno == EEXIST) {
        (*present)++;
        return 0;
    }
    return call_fail(c, errno, "%.80s; %u modules were inserted", line,
                     *inserted);
}

static int insert_all(struct call *c, const struct archive *a)
{
    unsigned int inserted = 0, present = 0;
    struct member order;
    char *text, *save = NULL, *line;
    int error = archive_find(a, ORDER_FILE, &order);

    if (error) {
        return call_fail(c, -error, "no " ORDER_FILE " in the archive");
    }
    text = strndup(order.data, order.size);
    if (!text) {
        return call_fail(c, ENOMEM, ORDER_FILE);
    }
    for (line = strtok_r(text, "\n", &save); line && !c->error;
         line = strtok_r(NULL, "\n", &save)) {
        insert_line(c, a, line, &inserted, &present);
    }
    free(text);
    if (!c->error) {
        call_add(c, "inserted=%u present=%u", inserted, present);
    }
    return c->error;
}

int cmd_insmod(struct call *c)
{
    const char *path = c->argc > 1 ? c->argv[1] : DEFAULT_DEVICE;
    struct archive a = { 0 };
    int error = archive_open(path, &a);

    if (error) {
        return call_fail(c, -error, "%s", path);
    }
    insert_all(c, &a);
    archive_close(&a);
    return c->error;
}
