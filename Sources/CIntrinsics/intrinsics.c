#define _DEFAULT_SOURCE
#include "cintrinsics.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void cintrinsics_touch_regions(void *address, size_t byteCount) {
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
    return start;
}

void cintrinsics_unmap_regions(void *address, size_t byteCount) {
    munmap(address, byteCount);
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// The race is meant: the word tells which lines to throw away.
__attribute__((no_sanitize("thread")))
#endif
#endif
uint64_t cintrinsics_copy_lines_beside_writer(void *to, const void *from, size_t lines, const uint64_t *word) {
    uint64_t *target = to;
    const uint64_t *source = from;
    for (size_t index = 0; index < lines * 8; index++) {
        target[index] = __atomic_load_n(source + index, __ATOMIC_RELAXED);
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}
