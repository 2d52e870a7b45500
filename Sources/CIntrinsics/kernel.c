#define _GNU_SOURCE
#include "cintrinsics.h"

#include <errno.h>
#include <fcntl.h>

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

void cintrinsics_start_writing(int descriptor, int64_t offset, int64_t byteCount) {
#ifdef __linux__
    const int error = errno;
    (void)sync_file_range(descriptor, offset, byteCount, SYNC_FILE_RANGE_WRITE);
    errno = error;
#endif
}

void cintrinsics_finish_writing(int descriptor, int64_t offset, int64_t byteCount) {
#ifdef __linux__
    const int error = errno;
    (void)sync_file_range(
        descriptor, offset, byteCount,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    (void)posix_fadvise(descriptor, offset, byteCount, POSIX_FADV_DONTNEED);
    errno = error;
#endif
}

#ifdef __linux__
static int set_flag(int descriptor, int flag, int isOn) {
    const int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, isOn ? flags | flag : flags & ~flag);
}
#endif

void cintrinsics_read_past_cache(int descriptor) {
#ifdef __linux__
    const int error = errno;
    (void)set_flag(descriptor, O_DIRECT, 1);
    errno = error;
#endif
}

int cintrinsics_read_through_cache(int descriptor) {
#ifdef __linux__
    return set_flag(descriptor, O_DIRECT, 0);
#else
    return -1;
#endif
}

bool cintrinsics_is_only_opener(int descriptor) {
#ifdef __linux__
    // A lease for writing is given to nobody else than the only one who has the file open.
    const int error = errno;
    const bool isOnly = fcntl(descriptor, F_SETLEASE, F_WRLCK) == 0;
    if (isOnly) (void)fcntl(descriptor, F_SETLEASE, F_UNLCK);
    errno = error;
    return isOnly;
#else
    return false;
#endif
}

void cintrinsics_lower_priority(void) {
#ifdef __linux__
    const int error = errno;
    // On Linux the priority of a process is that of one thread. Lowering it needs no permission.
    const id_t thread = (id_t)syscall(SYS_gettid);
    errno = 0;
    const int now = getpriority(PRIO_PROCESS, thread);
    if (errno == 0) {
        (void)setpriority(PRIO_PROCESS, thread, now + 10 < 19 ? now + 10 : 19);
    }
    errno = error;
#endif
}
