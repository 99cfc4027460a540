/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primegpu agent protocol: what the host may ask of the guest's init.
 *
 * Lines of text over the virtio-serial port PRIMEGPU_AGENT_PORT, at most
 * PRIMEGPU_AGENT_LINE_MAX bytes with the newline:
 *
 *     request  [@TAG] [#N] [pN] COMMAND [ARGUMENT...]
 *     reply    [@TAG] ok [KEY=VALUE...]
 *              [@TAG] err ERRNO-NAME TEXT
 *     listing  [@TAG] | TEXT      (any number, before the reply)
 *     notice   ! ready | ! exit pN status=STATUS | ! fatal TEXT
 *
 * TAG is up to PRIMEGPU_AGENT_TAG_MAX - 1 characters without a space; a reply
 * carries its request's tag.  Blank lines and lines whose first word is # are
 * ignored.  Many requests may be sent without waiting.  STATUS is a number,
 * or the name of the signal that killed the worker (SIGKILL).
 *
 * pN is the worker process that runs the command.  Without it, commands of
 * place WORKER run in p1 and those of place ADMIN in p0; both always exist
 * (one that dies is started afresh), p2 to p16 are made by spawn and fork.
 * MAIN commands run in the agent itself and take no pN.  Each worker runs its
 * commands in order, and workers run side by side, so replies of different
 * workers may come in any order.  When a worker dies, each of its unanswered
 * requests gets err EOWNERDEAD, and a new process may have its number after
 * the reply of kill or exit.
 *
 * #N writes marker N to the devices right before the command runs, in the
 * process that runs it: in a batch this is ordered, where an ADMIN command
 * without pN runs beside the workers.  pN may also name a worker for an ADMIN
 * command (p2 marker 7, p2 settle), which then runs in that worker's order.
 *
 * Files, handles, fds and maps have names that the host chooses, of at most
 * 31 bytes ([a-z][a-z0-9-]*).  Each kind has a name space of its own in each
 * worker.
 * A name that is in use is an error (EEXIST), so is one that is not (ESRCH).
 * Words in the usage: FILE a DRM file, BO a GEM handle, FD a dma-buf,
 * sync_file or other fd, MAP a mapping, SYNC a syncobj; FB is the number that
 * addfb returned, or a BO of the file for the newest framebuffer on it.
 * Numbers are decimal or 0x; sizes and offsets are bytes; [k] is optional.  A
 * command that can't be understood is err EINVAL, and tells the usage.  The
 * agent keeps nothing open that has no name.
 */
#ifndef PRIMEGPU_AGENT_H
#define PRIMEGPU_AGENT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PRIMEGPU_AGENT_PORT     "org.primegpu.agent"
#define PRIMEGPU_AGENT_LINE_MAX 1024
#define PRIMEGPU_AGENT_TAG_MAX  32
#define PRIMEGPU_AGENT_NAME_MAX 32
#define PRIMEGPU_AGENT_WORKERS  16

/* Requests of one worker that may wait for their replies (else ENOBUFS) */
#define PRIMEGPU_AGENT_QUEUE_MAX 16384

/*
 * Commands: name with _ for -, place, usage, what it does and what it returns.
 *
 * GPU is integrated, discrete, with a number from 0 for the Nth of its model
 * in the order of PCI addresses (discrete1), an address (pci:0000:01:00.0),
 * or another driver's device (vgem, vkms, virtio).  Those have no GEM_CREATE:
 * create makes a dumb buffer there, and open takes the card by default.
 *
 * OPTIONS of fill and copy: explicit (no implicit fences), wait (reply when
 * the job is done, else when it is queued), in=FD and out=FD (sync_files;
 * out names a new one), insync=SYNC[:POINT] and outsync=SYNC[:POINT]; or more
 * (nothing is queued: the next fill or copy is of the same job, and has the
 * options of it).
 *
 * HOW of mmap is ro, wo or none (what may be done, else all), private (else
 * shared), at=OFFSET (in the BO, else 0) and size=BYTES (else all of the BO).
 *
 * OUTPUT is a number from 0: that CRTC of the device and the connector of that
 * number, without write-back connectors.  A WORD of atomic is
 *
 *     output=N            the next words are about this one, in one commit
 *     primary, overlay, overlayN, cursor, planeID, crtc, connector, writeback
 *         which object of the output the next words are about (first: primary)
 *     fb=FB|off, src=X,Y,W,H, dst=X,Y,W,H, at=X,Y
 *         of a plane; without src and dst, all of the framebuffer, unscaled
 *     connector=N         put the connector of output N on this CRTC; mode= and
 *         connector are about it, and not the output's own, from here on
 *     mode=MODE|off       MODE is preferred or WIDTHxHEIGHT[@HZ]
 *     in=FD, out=NEW-FD   IN_FENCE_FD of the plane, OUT_FENCE_PTR
 *     wb=FB, wb-out=NEW-FD  write-back and its fence
 *     user=N              what the event has as user=
 *     PROPERTY=VALUE      a number, or names with + between them; _ for a blank
 *     test, async, nonblock, modeset, event, wait (for the event, of each
 *         output)
 *
 * insmod reads a newc cpio archive from DEVICE (/dev/vda).  Its modules.order
 * has a line for each module: FILE.ko [PARAMETER=VALUE...].  The kernel takes
 * the size of the device when it finds it: archives for one saved guest must
 * be padded to one size.
 */
#define PRIMEGPU_AGENT_COMMANDS(X)                                             \
    /* the agent itself */                                                     \
    X(ping, MAIN, "", "reply at once")                                         \
    X(help, MAIN, "", "list the commands")                                     \
    X(spawn, MAIN, "pN", "start a fresh worker")                               \
    X(kill, MAIN, "pN", "SIGKILL a worker and reap it; status=")               \
    X(leaks, MAIN, "[mark|first]",                                             \
      "remember what the kernel has allocated (mark), or list what has been "  \
      "allocated since then, or since the first mark, and not freed; sites= "  \
      "grown=")                                                                \
    X(poweroff, MAIN, "", "end the machine")                                   \
    /* the machine */                                                          \
    X(insmod, ADMIN, "[DEVICE]",                                               \
      "insert the modules of the archive; inserted= present=")                 \
    X(rmmod, ADMIN, "MODULE", "remove a module")                               \
    X(marker, ADMIN, "N", "tell the devices the number of the step; devices=") \
    X(settle, ADMIN, "[TIMEOUT-MS]",                                           \
      "wait so long (1) for jobs, then until all is released that can be; "    \
      "devices= ns=")                                                          \
    X(evict, ADMIN, "GPU", "move all BOs out of VRAM")                         \
    X(blank, ADMIN, "",                                                        \
      "turn all displays off, and reset what commits have set; nobody else "   \
      "may have them; cards=")                                                 \
    X(unbind, ADMIN, "GPU", "unbind the driver from the device")               \
    X(bind, ADMIN, "GPU", "bind it again")                                     \
    X(gpus, ADMIN, "", "list the GPUs: name, address, driver and nodes")       \
    X(trace, ADMIN, "off|on|stacks|list",                                      \
      "the drivers' tracepoints: record them, with the call chains of the "    \
      "kernel (stacks), or list what was recorded")                            \
    X(get, ADMIN, "PATH", "list the lines of a file of sysfs, procfs ...")     \
    X(set, ADMIN, "PATH TEXT...", "write the text to a file of sysfs ...")     \
    X(console, ADMIN, "TTY PROGRAM [ARGUMENT]...",                             \
      "run it on the terminal, again whenever it ends; pid=")                  \
    /* DRM files and GEM handles */                                            \
    X(open, WORKER, "FILE GPU [render|card]",                                  \
      "open a DRM node (default: render); node= driver= client=")              \
    X(close_file, WORKER, "FILE", "close it, with all its handles")            \
    X(create, WORKER, "FILE BO SIZE [pages|vram|any]",                         \
      "GEM_CREATE; handle= key= size=")                                        \
    X(dumb, WORKER, "FILE BO WIDTH HEIGHT BPP",                                \
      "MODE_CREATE_DUMB; handle= key= size= pitch=")                           \
    X(info, WORKER, "BO", "handle= size= key= placement= imported=")           \
    X(close, WORKER, "BO", "GEM_CLOSE; the name is gone even if it fails")     \
    X(export, WORKER, "BO FD [ro]", "PRIME_HANDLE_TO_FD; inode=")              \
    X(import, WORKER, "FILE FD BO",                                            \
      "PRIME_FD_TO_HANDLE; handle= key= size=")                                \
    X(flink, WORKER, "BO", "GEM_FLINK; name=")                                 \
    X(gem_open, WORKER, "FILE NUMBER BO",                                      \
      "GEM_OPEN of a flink name; handle= key= size=")                          \
    X(place, WORKER, "BO pages|vram|any", "GEM_PLACE")                         \
    X(bo_wait, WORKER, "BO read|write TIMEOUT-MS",                             \
      "GEM_WAIT until it may be read or written")                              \
    /* fds */                                                                  \
    X(close_fd, WORKER, "FD", "close it")                                      \
    X(dup, WORKER, "FD NEW-FD", "dup it")                                      \
    X(send, WORKER, "FD pM NEW-FD",                                            \
      "pass it to worker pM through a socket; the reply says that pM has it")  \
    X(send_file, WORKER, "FILE pM NEW-FILE", "pass a DRM file to worker pM")   \
    X(file_fd, WORKER, "FILE NEW-FD", "dup the DRM file, as an fd")            \
    X(fd_file, WORKER, "FD NEW-FILE", "dup an fd that is one, as a DRM file")  \
    X(fork, WORKER, "pM", "fork this worker; pM has all its names")            \
    X(exit, WORKER, "", "leave; the kernel closes all; reply when it has")     \
    X(cpu, WORKER, "N|any",                                                    \
      "run this worker (and those it forks) there; all start on CPU 0")        \
    X(uid, WORKER, "N", "be that user, and root no more")                      \
    X(exec, WORKER, "", "as exit, by an exec of a program that ends at once")  \
    X(limit_fds, WORKER, "N|off",                                              \
      "RLIMIT_NOFILE: so many fds more can be made, then EMFILE; limit=")      \
    X(socketpair, WORKER, "IN-FD OUT-FD", "a pair of sockets")                 \
    X(flight, WORKER, "FD IN-FD", "put it into the queue of the other socket") \
    X(land, WORKER, "OUT-FD NEW-FD", "take the first one from the queue")      \
    X(fail, WORKER, "N[+] COMMAND [ARGUMENT...]",                              \
      "run the command, and let its Nth allocation fail, or the Nth and all "  \
      "that come after it (+; failslab and fail_page_alloc are to have "       \
      "probability 100, times -1 and task-filter Y); error= (as its own "      \
      "reply) failed=1 if it had so many, fds= that are taken now and were "   \
      "not before")                                                            \
    X(unwritable, WORKER, "COMMAND [ARGUMENT...]",                             \
      "run the command, and let the kernel read the arguments of its ioctls "  \
      "but not write to them; error= (as its own reply)")                      \
    X(names, WORKER, "",                                                       \
      "files= bos= fds= maps= syncobjs= named, open= fds of the process")      \
    X(poll, WORKER, "FD in|out TIMEOUT-MS", "ready=0 or 1")                    \
    X(sync_start, WORKER, "FD read|write|rw", "DMA_BUF_IOCTL_SYNC start")      \
    X(sync_end, WORKER, "FD read|write|rw", "DMA_BUF_IOCTL_SYNC end")          \
    X(export_sync, WORKER, "FD read|write|rw NEW-FD", "EXPORT_SYNC_FILE")      \
    X(import_sync, WORKER, "FD read|write|rw SYNC-FD", "IMPORT_SYNC_FILE")     \
    X(merge_sync, WORKER, "SYNC-FD SYNC-FD NEW-FD", "SYNC_IOC_MERGE")          \
    X(sw_sync, WORKER, "NEW-FD", "a timeline of sw_sync, at 0")                \
    X(sw_fence, WORKER, "FD N NEW-FD",                                         \
      "a sync_file that is signalled when the timeline is at N")               \
    X(sw_inc, WORKER, "FD N", "move the timeline on by N")                     \
    X(set_name, WORKER, "FD TEXT", "DMA_BUF_SET_NAME")                         \
    X(udmabuf, WORKER, "NEW-FD SIZE [KIND]",                                   \
      "a dma-buf of the pages of a memfd (one), or of two; or of one that is " \
      "not to be taken (unsealed, write-sealed, future-sealed), or whose "     \
      "second is not (second-unsealed)")                                       \
    X(heap, WORKER, "NEW-FD SIZE", "a dma-buf of the system's heap")           \
    /* CPU access */                                                           \
    X(mmap, WORKER, "BO MAP [HOW]...",                                         \
      "map it through its DRM file; size= offset= there")                      \
    X(mmap_via, WORKER, "BO FILE MAP",                                         \
      "map it through another file of its device; size=")                      \
    X(mmap_fd, WORKER, "FD MAP SIZE [HOW]...",                                 \
      "map it through the dma-buf; size=")                                     \
    X(munmap, WORKER, "MAP", "unmap it")                                       \
    X(write, WORKER, "MAP OFFSET LENGTH SEED",                                 \
      "write the pattern of SEED; checksum=")                                  \
    X(read, WORKER, "MAP OFFSET LENGTH", "at most 256 bytes; hex=")            \
    X(peek, WORKER, "MAP OFFSET LENGTH",                                       \
      "read it as a debugger does; at most 256 bytes; hex=")                   \
    X(checksum, WORKER, "MAP [OFFSET LENGTH]", "checksum= of the bytes")       \
    /* jobs */                                                                 \
    X(fill, WORKER, "BO OFFSET LENGTH VALUE [OPTIONS...]",                     \
      "a job that fills with 32-bit words")                                    \
    X(copy, WORKER, "DST-BO OFFSET SRC-BO OFFSET LENGTH [OPTIONS...]",         \
      "a copy job")                                                            \
    X(fill_rect, WORKER,                                                       \
      "BO OFFSET STRIDE WIDTH HEIGHT CPP VALUE [OPTIONS...]",                  \
      "a fill of a rectangle")                                                 \
    X(copy_rect, WORKER, "DST-BO OFFSET STRIDE SRC-BO OFFSET STRIDE "          \
      "WIDTH HEIGHT CPP [OPTIONS...]", "a copy of a rectangle")                \
    X(vgem_attach, WORKER, "BO read|write",                                    \
      "a fence of vgem's on its BO, that is signalled in 10 s; fence=")        \
    X(vgem_signal, WORKER, "FILE FENCE", "signal it")                          \
    X(fence_wait, WORKER, "FD TIMEOUT-MS",                                     \
      "wait for a sync_file (else ETIME); status=1 or an error below 0")       \
    X(fence_info, WORKER, "FD",                                                \
      "look at a sync_file; status=0 if it is not signalled, else as above")   \
    X(syncobj, WORKER, "FILE SYNC", "make a syncobj; handle=")                 \
    X(syncobj_wait, WORKER, "SYNC[:POINT] TIMEOUT-MS [available]",             \
      "wait for it (else ETIME), for its fence to come as well; or only for "  \
      "the fence of its point (available)")                                    \
    X(syncobj_eventfd, WORKER, "SYNC[:POINT] NEW-FD [available]",              \
      "an eventfd that can be read from when a wait would end")                \
    X(syncobj_signal, WORKER, "SYNC[:POINT]", "signal it")                     \
    X(syncobj_export, WORKER, "SYNC NEW-FD [sync-file]",                       \
      "SYNCOBJ_HANDLE_TO_FD")                                                  \
    X(syncobj_import, WORKER, "FILE FD SYNC", "SYNCOBJ_FD_TO_HANDLE; handle=") \
    X(syncobj_load, WORKER, "SYNC SYNC-FD",                                    \
      "SYNCOBJ_FD_TO_HANDLE of a sync_file: the syncobj gets its fence")       \
    X(syncobj_transfer, WORKER,                                                \
      "DST-SYNC[:POINT] SRC-SYNC[:POINT] [submit]",                            \
      "SYNCOBJ_TRANSFER within a file; waits for the source's fence (submit)") \
    X(syncobj_reset, WORKER, "SYNC", "take its fence away")                    \
    X(syncobj_query, WORKER, "SYNC", "signalled= submitted= of a timeline")    \
    X(syncobj_destroy, WORKER, "SYNC", "destroy it")                           \
    /* framebuffers; FILE must be of a card */                                 \
    X(addfb, WORKER, "BO[,BO]... WIDTH HEIGHT PITCH [FORMAT [OFFSET]]",        \
      "MODE_ADDFB2 (format: XR24, or another fourcc), a BO for each plane, or "\
      "the last one for the rest of them; fb=")                                \
    X(rmfb, WORKER, "FILE FB", "MODE_RMFB")                                    \
    X(closefb, WORKER, "FILE FB", "MODE_CLOSEFB, which turns no plane off")    \
    X(getfb, WORKER, "FILE FB BO", "MODE_GETFB; handle= key= size=")           \
    X(getfb2, WORKER, "FILE FB BO[,BO]...",                                    \
      "MODE_GETFB2; handle= key= size= of each BO that has a name")            \
    X(await_rmfb, WORKER, "GPU FB TIMEOUT-MS",                                 \
      "wait until it is gone, as debugfs tells (else ETIME)")                  \
    X(dirtyfb, WORKER, "FILE FB [X1 Y1 X2 Y2]...", "MODE_DIRTYFB")             \
    /* displays; FILE must be of a card */                                     \
    X(kms, WORKER, "FILE", "list the outputs; outputs=")                       \
    X(modes, WORKER, "FILE OUTPUT",                                            \
      "list the modes; connected= modes= and of the preferred one width= "     \
      "height= refresh=")                                                      \
    X(props, WORKER, "FILE OUTPUT OBJECT [PROPERTY]",                          \
      "list the properties of an object, or tell one; value=")                 \
    X(atomic, WORKER, "FILE OUTPUT WORD...",                                   \
      "MODE_ATOMIC; mode=, and with wait what event tells")                    \
    X(setcrtc, WORKER, "FILE FB|off [OUTPUT [MODE [OUTPUT]]]",                 \
      "show it on the first CRTC, or nothing; on the connector of the second " \
      "output; mode=")                                                         \
    X(flip, WORKER, "FILE FB [OUTPUT] [async] [nowait]",                       \
      "MODE_PAGE_FLIP, and wait for its event; as event")                      \
    X(setplane, WORKER, "FILE OUTPUT PLANE FB|off [X Y]",                      \
      "MODE_SETPLANE of all of the framebuffer")                               \
    X(event, WORKER, "FILE TIMEOUT-MS",                                        \
      "the file's next event; type= output= user= sequence= ns=")              \
    X(misread, WORKER, "FILE short|nowhere",                                   \
      "read an event that is there into too few bytes, or no memory; bytes=")  \
    X(vblank, WORKER, "FILE OUTPUT [N]",                                       \
      "WAIT_VBLANK until the Nth from now; sequence= ns=")                     \
    X(queue_vblank, WORKER, "FILE OUTPUT N [USER]",                            \
      "WAIT_VBLANK for an event at the Nth from now")                          \
    X(queue_sequence, WORKER, "FILE OUTPUT N [USER]",                          \
      "CRTC_QUEUE_SEQUENCE for one")                                           \
    X(sequence, WORKER, "FILE OUTPUT",                                         \
      "CRTC_GET_SEQUENCE; active= sequence= ns=")                              \
    X(crc, WORKER, "FILE OUTPUT [N]",                                          \
      "CRCs of the next N frames, from debugfs; frame= crc= of the last")      \
    X(crc_open, WORKER, "FILE OUTPUT NEW-FD",                                  \
      "have CRCs computed, and read none")                                     \
    X(cursor, WORKER, "FILE OUTPUT BO|off [WIDTH HEIGHT [HOT-X HOT-Y]]",       \
      "MODE_CURSOR2")                                                          \
    X(cursor_move, WORKER, "FILE OUTPUT X Y", "MODE_CURSOR")                   \
    X(dpms, WORKER, "FILE OUTPUT on|off", "the connector's DPMS property")     \
    X(gamma, WORKER, "FILE OUTPUT linear|invert|zero", "MODE_SETGAMMA; size=") \
    X(blob_lut, WORKER, "FILE linear|invert|zero|square [SIZE]",               \
      "a table for DEGAMMA_LUT or GAMMA_LUT; blob=")                           \
    X(blob_ctm, WORKER, "FILE C0 C1 C2 C3 C4 C5 C6 C7 C8",                     \
      "a matrix for CTM; blob=")                                               \
    X(blob_clips, WORKER, "FILE X1,Y1,X2,Y2...",                               \
      "clips for FB_DAMAGE_CLIPS; blob=")                                      \
    X(blob_free, WORKER, "FILE BLOB", "MODE_DESTROYPROPBLOB")                  \
    X(master, WORKER, "FILE set|drop", "SET_MASTER, DROP_MASTER")              \
    X(magic, WORKER, "FILE", "GET_MAGIC; magic=")                              \
    X(auth, WORKER, "FILE MAGIC", "AUTH_MAGIC")                                \
    X(lease, WORKER, "FILE OUTPUT NEW-FILE [OBJECT]...",                       \
      "MODE_CREATE_LEASE of all that the output has but for write-back, or "   \
      "of what is named (as in atomic, or a number); lessee=")                 \
    X(leased, WORKER, "FILE", "MODE_GET_LEASE; objects= is their number")      \
    X(lessees, WORKER, "FILE", "MODE_LIST_LESSEES; lessees= is their number")  \
    X(revoke, WORKER, "FILE LESSEE", "MODE_REVOKE_LEASE")                      \
    X(play, WORKER,                                                            \
      "SHOW-FILE DRAW-FILE OUTPUT[,OUTPUT]... WIDTH HEIGHT N [crc] [async]",   \
      "draw N frames by jobs of one file, flip to each on outputs of the "     \
      "other; list flip OUTPUT FRAME SEQUENCE NS and crc OUTPUT SEQUENCE CRC; "\
      "ns= entries=")                                                          \
    X(uevents, WORKER, "NEW-FD", "a socket that hears the kernel's uevents")   \
    X(uevent, WORKER, "FD TIMEOUT-MS [KEY=VALUE]...",                          \
      "wait for a uevent that has all of these, and list it")                  \
    X(storm, WORKER, "SEED COUNT THREADS HANDLES FILE...",                     \
      "COUNT random calls from each of so many threads, on the same files, "   \
      "fds and first HANDLES handles; ok= of them; the files do not block "    \
      "from then on")                                                          \
    X(misuse, WORKER, "FILE BO FD SYNC-FD SYNC FB N",                          \
      "the Nth ioctl with one thing wrong, each that can be; call= refused=, " \
      "an error if one is not refused or (ERANGE) there is no Nth")            \
    /* measuring: runs N times in one go */                                    \
    X(bench_create, WORKER, "FILE SIZE N [touch|attach|job]",                  \
      "create, use (CPU, GEM_PLACE, fill job), close; ns=")                    \
    X(bench_share, WORKER, "FILE FILE SIZE N",                                 \
      "create, export, import, close-fd, close, close; then settle; "          \
      "ns= settle-ns=")                                                        \
    X(bench_flip, WORKER, "SHOW-FILE DRAW-FILE WIDTH HEIGHT N",                \
      "draw (by a job, else by the CPU), flip on the first output, wait for "  \
      "the event; ns= cpu-ns= of which a processor was busy")

/*
 * The pattern of a seed: byte i of 64-bit word w of a map, the lowest first,
 * is byte i of this.  It depends on the place in the map, so a copy to another
 * place shows.
 */
static inline uint64_t primegpu_agent_pattern_word(uint64_t seed, uint64_t w)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15ull + w;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

/* Write bytes offset to offset + length of the pattern of seed to buf. */
static inline void primegpu_agent_pattern(void *buf, uint64_t offset,
                                          size_t length, uint64_t seed)
{
    uint8_t *p = (uint8_t *)buf;
    uint64_t word = primegpu_agent_pattern_word(seed, offset / 8);
    size_t i;

    for (i = 0; i < length; i++, offset++) {
        if (offset % 8 == 0) {
            word = primegpu_agent_pattern_word(seed, offset / 8);
        }
        p[i] = word >> (offset % 8 * 8);
    }
}

/*
 * The checksum: FNV-1a with 64-bit little-endian words for bytes, and a fold
 * after each.  Zeros fill the last word.  Start with
 * PRIMEGPU_AGENT_CHECKSUM_INIT; pieces but the last must be whole words.
 */
#define PRIMEGPU_AGENT_CHECKSUM_INIT 0xcbf29ce484222325ull

static inline uint64_t primegpu_agent_checksum(uint64_t sum, const void *buf,
                                               size_t length)
{
    const uint8_t *p = (const uint8_t *)buf;

    while (length) {
        size_t n = length < 8 ? length : 8;
        uint64_t word = 0;
        size_t i;

        for (i = 0; i < n; i++) {
            word |= (uint64_t)p[i] << (i * 8);
        }
        sum = (sum ^ word) * 0x100000001b3ull;
        sum ^= sum >> 32;
        p += n;
        length -= n;
    }
    return sum;
}

/* A frame of play is one colour: its number, and that of the output. */
#define PRIMEGPU_AGENT_FRAME_FORMAT 0x34325258u     /* XRGB8888 */

static inline uint32_t primegpu_agent_frame(uint32_t output, uint32_t number)
{
    return (output << 22 | (number & 0x3fffff)) & 0xffffff;
}

#endif /* PRIMEGPU_AGENT_H */
