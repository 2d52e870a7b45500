#pragma once
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// `poll` with a timeout in nanoseconds; 0 does not wait.
int cpoll_wait(struct pollfd *descriptors, nfds_t count, int64_t nanoseconds);

/// Asks that waits of the calling thread end on time, not up to 50 microseconds later.
void cpoll_be_punctual(void);

/// Accepts a connection whose calls do not wait and that programs started later do not inherit.
int cpoll_accept(int listener);

/// Raises the process's bound on open files and sockets as far as the system lets it, and says where it is then.
long cpoll_raise_descriptor_limit(void);
