#ifndef GUERDON_CINTRINSICS_H
#define GUERDON_CINTRINSICS_H

#include <stddef.h>

/// Asks the processor to bring the cache line at `address` in for reading. Never faults, whatever the address.
static inline void cintrinsics_prefetch_read(const void *address) {
    __builtin_prefetch(address, 0, 3);
}

/// Asks the processor to bring the cache line at `address` in for writing. Never faults, whatever the address.
static inline void cintrinsics_prefetch_write(const void *address) {
    __builtin_prefetch(address, 1, 3);
}

/// Has the system back the pages under `byteCount` allocated bytes at `address` with memory now, all at once, instead
/// of page by page when they are first touched. Contents stay. Does nothing where the system cannot (Linux before 5.14).
void cintrinsics_populate(void *address, size_t byteCount);

#endif
