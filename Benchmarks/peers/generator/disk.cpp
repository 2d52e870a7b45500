#include "disk.hpp"

#include "clock.hpp"

#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>
#include <vector>

namespace peers {

DiskResult measureDisk(const std::string& directory, u64 batches, u64 bytesEach) {
    const std::string path = directory + "/disk-alone";
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) throw std::runtime_error("cannot write " + path);
    unlink(path.c_str());
    const std::vector<char> zeros(u64(1) << 20), bytes(bytesEach, '*');
    bool isGood = true;
    for (u64 at = 0; at < batches * bytesEach; at += zeros.size())
        isGood &= pwrite(file, zeros.data(), zeros.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(zeros.size());
    isGood &= fsync(file) == 0;
    DiskResult result;
    const u64 start = nanoseconds();
    for (u64 batch = 0; batch < batches && isGood; ++batch) {
        const u64 before = nanoseconds();
        isGood &= pwrite(file, bytes.data(), bytesEach, static_cast<off_t>(batch * bytesEach)) == static_cast<ssize_t>(bytesEach);
        isGood &= fdatasync(file) == 0;
        result.latencies.record(nanoseconds() - before, 1);
    }
    result.seconds = static_cast<double>(nanoseconds() - start) / 1e9;
    close(file);
    if (!isGood) throw std::runtime_error("cannot write " + path);
    return result;
}

}  // namespace peers
