/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of the display, without a guest: what it costs the host to bring a
 * new frame from the GPU to the console.
 *
 * A screendump brings the console up to date before it opens its file, so one
 * that has no file to open is a look and nothing else.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqos/virtio-pci.h"
#include "standard-headers/linux/virtio_config.h"
#include "standard-headers/linux/virtio_gpu.h"
#include "primegpu-pair.h"
#include "primegpu-guest.h"
#include "primegpu-rig-bench.h"

#define WIDTH       1920
#define HEIGHT      1080
#define FB_BYTES    (WIDTH * HEIGHT * 4)
#define FRAMES      40
#define ROUNDS      5
#define VIRTIO_SLOT 6
#define VIRTIO_ID   "virtio0"
#define RESOURCE    1
/* Room for a command of virtio-gpu, and for the reply */
#define COMMAND     256

typedef struct Virtio {
    QTestState *qts;
    QVirtioPCIDevice *dev;
    QVirtQueue *vq;
    uint64_t commands;
    uint64_t fb;
} Virtio;

/* Nanoseconds of processor that QEMU has used */
static int64_t cpu_ns(QTestState *qts)
{
    struct timespec now;
    clockid_t clock;

    g_assert_cmpint(clock_getcpuclockid(qtest_pid(qts), &clock), ==, 0);
    g_assert_cmpint(clock_gettime(clock, &now), ==, 0);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void look(QTestState *qts, const char *device)
{
    qobject_unref(qtest_qmp(qts, "{ 'execute': 'screendump', 'arguments': "
                            "{ 'filename': '/', 'device': %s, 'head': 0 } }",
                            device));
}

/* Write a command where it can be sent from, again and again. */
static void virtio_put(Virtio *v, unsigned n, const void *command,
                       size_t size)
{
    g_assert_cmpuint(size, <=, COMMAND);
    qtest_memwrite(v->qts, v->commands + n * COMMAND, command, size);
}

static uint32_t virtio_add(Virtio *v, unsigned n)
{
    uint32_t head = qvirtqueue_add(v->qts, v->vq, v->commands + n * COMMAND,
                                   COMMAND / 2, false, true);

    qvirtqueue_add(v->qts, v->vq, v->commands + n * COMMAND + COMMAND / 2,
                   COMMAND / 2, true, false);
    return head;
}

/* Send what was put at @n and the @count - 1 after it; then look. */
static void virtio_send(Virtio *v, unsigned n, unsigned count)
{
    uint32_t done;
    unsigned i;

    qvirtqueue_reset_pool(v->vq);
    for (i = 0; i < count; i++) {
        qvirtqueue_kick(v->qts, &v->dev->vdev, v->vq, virtio_add(v, n + i));
    }
    look(v->qts, VIRTIO_ID);
    for (i = 0; i < count; i++) {
        uint64_t reply = v->commands + (n + i) * COMMAND + COMMAND / 2;

        g_assert_true(qvirtqueue_get_buf(v->qts, v->vq, &done, NULL));
        g_assert_cmphex(qtest_readl(v->qts, reply), ==,
                        VIRTIO_GPU_RESP_OK_NODATA);
    }
}

static struct virtio_gpu_rect whole(void)
{
    return (struct virtio_gpu_rect) {
        .width = cpu_to_le32(WIDTH), .height = cpu_to_le32(HEIGHT),
    };
}

static void virtio_set_up_scanout(Virtio *v)
{
    struct virtio_gpu_resource_create_2d create = {
        .hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_CREATE_2D),
        .resource_id = cpu_to_le32(RESOURCE),
        .format = cpu_to_le32(VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM),
        .width = cpu_to_le32(WIDTH), .height = cpu_to_le32(HEIGHT),
    };
    struct {
        struct virtio_gpu_resource_attach_backing command;
        struct virtio_gpu_mem_entry entry;
    } attach = {
        .command.hdr.type =
            cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING),
        .command.resource_id = cpu_to_le32(RESOURCE),
        .command.nr_entries = cpu_to_le32(1),
        .entry.addr = cpu_to_le64(v->fb),
        .entry.length = cpu_to_le32(FB_BYTES),
    };
    struct virtio_gpu_set_scanout scanout = {
        .hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_SET_SCANOUT),
        .r = whole(), .resource_id = cpu_to_le32(RESOURCE),
    };

    virtio_put(v, 0, &create, sizeof(create));
    virtio_put(v, 1, &attach, sizeof(attach));
    virtio_put(v, 2, &scanout, sizeof(scanout));
    virtio_send(v, 0, 3);
}

/* The two commands of a frame */
static void virtio_put_frame(Virtio *v)
{
    struct virtio_gpu_transfer_to_host_2d transfer = {
        .hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D),
        .r = whole(), .resource_id = cpu_to_le32(RESOURCE),
    };
    struct virtio_gpu_resource_flush flush = {
        .hdr.type = cpu_to_le32(VIRTIO_GPU_CMD_RESOURCE_FLUSH),
        .r = whole(), .resource_id = cpu_to_le32(RESOURCE),
    };

    virtio_put(v, 0, &transfer, sizeof(transfer));
    virtio_put(v, 1, &flush, sizeof(flush));
}

static void virtio_start(Virtio *v, PrimeGPUPair *pair)
{
    QPCIAddress addr = { .devfn = QPCI_DEVFN(VIRTIO_SLOT, 0) };

    v->qts = pair->qts;
    v->dev = virtio_pci_new(pair->bus, &addr);
    qvirtio_pci_device_enable(v->dev);
    qvirtio_start_device(&v->dev->vdev);
    qvirtio_set_features(&v->dev->vdev, 1ull << VIRTIO_F_VERSION_1);
    v->vq = qvirtqueue_setup(&v->dev->vdev, &pair->alloc, 0);
    qvirtio_set_driver_ok(&v->dev->vdev);
    v->commands = guest_alloc(&pair->alloc, PRIMEGPU_PAGE_SIZE);
    v->fb = guest_alloc(&pair->alloc, FB_BYTES);
    qtest_memset(v->qts, v->fb, 0x55, FB_BYTES);
    virtio_set_up_scanout(v);
    virtio_put_frame(v);
}

/* Milliseconds of a frame */
static double virtio_ms(Virtio *v)
{
    int64_t start = cpu_ns(v->qts);
    unsigned i;

    for (i = 0; i < FRAMES; i++) {
        virtio_send(v, 0, 2);
    }
    return (cpu_ns(v->qts) - start) / 1e6 / FRAMES;
}

static double flip_ms(QPrimeGPU *g, const char *device,
                      const uint64_t keys[2])
{
    int64_t start = cpu_ns(g->qts);
    unsigned i;

    for (i = 0; i < FRAMES; i++) {
        struct primegpu_plane plane = qprimegpu_plane(0, keys[i % 2], WIDTH,
                                                      HEIGHT);

        qprimegpu_assert_status(
            qprimegpu_commit(g, 0, &plane, 1, PRIMEGPU_COMMIT_ASYNC),
            PRIMEGPU_ST_OK);
        look(g->qts, device);
    }
    return (cpu_ns(g->qts) - start) / 1e6 / FRAMES;
}

static void new_fbs(QPrimeGPU *g, uint64_t keys[2])
{
    unsigned i;

    for (i = 0; i < 2; i++) {
        uint64_t addr;

        if (g->discrete) {
            addr = g->vram.addr + i * ROUND_UP(FB_BYTES, PRIMEGPU_PAGE_SIZE);
            keys[i] = qprimegpu_new_bo(g, ROUND_UP(FB_BYTES,
                                                   PRIMEGPU_PAGE_SIZE));
            qprimegpu_assert_status(
                qprimegpu_place(g, keys[i], PRIMEGPU_LOCATION_VRAM,
                                addr - g->vram.addr), PRIMEGPU_ST_OK);
        } else {
            keys[i] = qprimegpu_new_fb(g, WIDTH, HEIGHT, &addr);
        }
        /* Each frame differs from the one before it in every pixel. */
        qtest_memset(g->qts, addr, 0x11 + i, FB_BYTES);
    }
}

static void bench_flip(QPrimeGPU *g, Virtio *v, const char *device,
                       const char *what)
{
    double ours[ROUNDS], theirs[ROUNDS], a, b;
    uint64_t keys[2];
    unsigned i;

    new_fbs(g, keys);
    qprimegpu_set_mode(g, 0, WIDTH, HEIGHT);
    for (i = 0; i < ROUNDS; i++) {
        ours[i] = flip_ms(g, device, keys);
        theirs[i] = virtio_ms(v);
    }
    a = primegpu_bench_median(ours, ROUNDS);
    b = primegpu_bench_median(theirs, ROUNDS);
    primegpu_bench_line(what, "ms", a, b, a / b, "<= 1");
}

void primegpu_bench_display(void)
{
    PrimeGPUPair pair;
    Virtio v;

    primegpu_bench_boot(&pair, "-device virtio-gpu-pci,id=" VIRTIO_ID
                        ",bus=pcie.0,addr=" stringify(VIRTIO_SLOT));
    qprimegpu_map(&pair.discrete);
    qprimegpu_start(&pair.discrete);
    virtio_start(&v, &pair);
    bench_flip(&pair.integrated, &v, "integrated0",
               "1920x1080 in pages to the console : transfer and flush");
    bench_flip(&pair.discrete, &v, "discrete0",
               "1920x1080 in VRAM to the console : transfer and flush");
    primegpu_pair_quit(&pair);
}
