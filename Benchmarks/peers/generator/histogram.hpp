// Waiting times in buckets of 1/64 of their size.
#pragma once

#include "job.hpp"

#include <bit>
#include <vector>

namespace peers {

class Histogram {
public:
    void record(u64 nanoseconds, u64 times) {
        counts_[bucketOf(nanoseconds)] += times;
        total_ += times;
        max_ = std::max(max_, nanoseconds);
    }

    /// The value that a share of all do not exceed, in milliseconds.
    double milliseconds(double quantile) const {
        const auto wanted = static_cast<u64>(quantile * static_cast<double>(total_));
        u64 seen = 0;
        for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
            seen += counts_[bucket];
            if (seen > wanted) return std::min(valueOf(bucket), static_cast<double>(max_)) / 1e6;
        }
        return maxMilliseconds();
    }
    double maxMilliseconds() const { return static_cast<double>(max_) / 1e6; }

private:
    static std::size_t bucketOf(u64 value) {
        const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - 7);
        return static_cast<std::size_t>(shift) * 64 + (value >> shift);
    }
    static double valueOf(std::size_t bucket) {
        if (bucket < 128) return static_cast<double>(bucket);
        const std::size_t shift = bucket / 64 - 1;
        return static_cast<double>((bucket % 64 + 64) << shift) * (1 + 1.0 / 128);
    }

    std::vector<u64> counts_ = std::vector<u64>(64 * 64);
    u64 total_ = 0;
    u64 max_ = 0;
};

}  // namespace peers
