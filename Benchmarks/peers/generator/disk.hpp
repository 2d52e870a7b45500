// The disk alone.
#pragma once

#include "histogram.hpp"

#include <string>

namespace peers {

struct DiskResult {
    Histogram latencies;
    double seconds = 0;
};

/// Writes so many batches of so many bytes over blocks that were written before, each with an `fdatasync`.
DiskResult measureDisk(const std::string& directory, u64 batches, u64 bytesEach);

}  // namespace peers
