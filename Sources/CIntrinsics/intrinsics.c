#define _DEFAULT_SOURCE
#include "cintrinsics.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/// Has the system back the pages now, all at once, instead of one by one when they are first touched.
static void populate(void *address, size_t byteCount) {
#ifdef __linux__
    const int error = errno;
    // A refusal (Linux before 5.14) is no failure: the pages then come one by one.
    (void)madvise(address, byteCount, MADV_POPULATE_WRITE);
    errno = error;
#else
    (void)address;
    (void)byteCount;
#endif
}

void *cintrinsics_map_regions(size_t byteCount, size_t alignment) {
    const size_t mapped = byteCount + alignment;
    char *const all = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) {
        return NULL;
    }
    char *const start = (char *)(((uintptr_t)all + alignment - 1) & ~((uintptr_t)alignment - 1));
    if (start > all) {
        munmap(all, (size_t)(start - all));
    }
    const size_t behind = (size_t)(all + mapped - (start + byteCount));
    if (behind > 0) {
        munmap(start + byteCount, behind);
    }
#ifdef MADV_HUGEPAGE
    // A hint: without huge pages everything works, with more misses.
    (void)madvise(start, byteCount, MADV_HUGEPAGE);
#endif
    populate(start, byteCount);
    return start;
}

void cintrinsics_unmap_regions(void *address, size_t byteCount) {
    munmap(address, byteCount);
}
