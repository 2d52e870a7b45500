#include "cintrinsics.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void cintrinsics_populate(void *address, size_t byteCount) {
#ifdef __linux__
    const uintptr_t page = 4096;
    uintptr_t start = (uintptr_t)address & ~(page - 1);
    uintptr_t end = ((uintptr_t)address + byteCount + page - 1) & ~(page - 1);
    int error = errno;
    // A refusal is no failure: the pages then come one by one, as they always did.
    (void)madvise((void *)start, end - start, MADV_POPULATE_WRITE);
    errno = error;
#else
    (void)address;
    (void)byteCount;
#endif
}
