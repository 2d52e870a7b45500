// The log: batches with a checksum, written over blocks that were written before, synced by a thread of its own.
#pragma once

#include "bytes.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace guerdon {

/// The records of one batch, with room for the header in front.
class LogBatch {
public:
    LogBatch() : bytes_(headerBytes + 4096) {}

    /// Where to write, with room for so many bytes more.
    char* reserve(std::size_t more) {
        if (used_ + more > bytes_.size()) bytes_.resize((used_ + more) * 2);
        return bytes_.data() + used_;
    }
    void endAt(const char* end) { used_ = static_cast<std::size_t>(end - bytes_.data()); }
    void clear() { used_ = headerBytes; }
    bool empty() const { return used_ == headerBytes; }

    static constexpr std::size_t headerBytes = 24;

private:
    friend class Journal;
    std::vector<char> bytes_;
    std::size_t used_ = headerBytes;
};

class Journal {
public:
    /// Opens the log of a directory, or makes one and fills it with zeros so far ahead.
    Journal(const std::string& path, std::size_t bytesAhead);
    ~Journal();

    /// Hands every batch that was written whole to `apply`, in order, and stands behind the last one.
    void recover(const std::function<bool(const char*, std::size_t)>& apply);

    /// Writes and syncs a batch and waits for it.
    void writeNow(LogBatch& batch);

    /// Starts the thread; it adds 1 to the event descriptor for every batch that is on disk.
    void startThread(int eventDescriptor);
    /// Writes and syncs a batch meanwhile. One at a time.
    void submit(LogBatch& batch);

    u64 bytesWritten() const { return end_; }
    u64 batchesWritten() const { return batches_; }

private:
    struct Header {
        u32 magic, checksum, bytes, previous;
        u64 number;
    };
    static_assert(sizeof(Header) == LogBatch::headerBytes);
    static constexpr u32 magic = 0x726F'6F66;

    void loop();

    int file_;
    std::atomic<u64> end_ = 0;
    std::atomic<u64> batches_ = 0;
    u32 previous_ = 0;
    int event_ = -1;
    std::thread thread_;
    std::atomic<LogBatch*> waiting_{nullptr};
    std::atomic<bool> stops_{false};
};

}  // namespace guerdon
