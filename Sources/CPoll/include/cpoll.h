#pragma once
#include <poll.h>
#include <stdint.h>

/// `poll` with a timeout in nanoseconds; 0 does not wait.
int cpoll_wait(struct pollfd *descriptors, nfds_t count, int64_t nanoseconds);

/// Asks that waits of the calling thread end on time, not up to 50 microseconds later.
void cpoll_be_punctual(void);
