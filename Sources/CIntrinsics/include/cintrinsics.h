#ifndef GUERDON_CINTRINSICS_H
#define GUERDON_CINTRINSICS_H

/// Asks the processor to bring the cache line at `address` in for reading. Never faults, whatever the address.
static inline void cintrinsics_prefetch_read(const void *address) {
    __builtin_prefetch(address, 0, 3);
}

/// Asks the processor to bring the cache line at `address` in for writing. Never faults, whatever the address.
static inline void cintrinsics_prefetch_write(const void *address) {
    __builtin_prefetch(address, 1, 3);
}

#endif
