#include "journal.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace guerdon {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void writeAll(int file, const char* bytes, std::size_t count, u64 at) {
    while (count > 0) {
        const ssize_t written = pwrite(file, bytes, count, static_cast<off_t>(at));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail("write the log");
        bytes += written;
        count -= static_cast<std::size_t>(written);
        at += static_cast<u64>(written);
    }
}

}  // namespace

Journal::Journal(const std::string& path, std::size_t bytesAhead) {
    file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) fail("open the log");
    struct stat status {};
    if (fstat(file_, &status) != 0) fail("look at the log");
    if (status.st_size > 0) return;
    const std::vector<char> zeros(std::size_t(1) << 20);
    for (u64 at = 0; at < bytesAhead; at += zeros.size()) writeAll(file_, zeros.data(), zeros.size(), at);
    if (fsync(file_) != 0) fail("sync the new log");
}

Journal::~Journal() {
    if (thread_.joinable()) {
        stops_ = true;
        LogBatch none;
        waiting_ = &none;
        waiting_.notify_one();
        thread_.join();
    }
    close(file_);
}

void Journal::recover(const std::function<bool(const char*, std::size_t)>& apply) {
    struct stat status {};
    if (fstat(file_, &status) != 0) fail("look at the log");
    const auto size = static_cast<u64>(status.st_size);
    if (size == 0) return;
    void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file_, 0);
    if (memory == MAP_FAILED) fail("map the log");
    madvise(memory, size, MADV_SEQUENTIAL);
    madvise(memory, size, MADV_WILLNEED);
    const char* bytes = static_cast<const char*>(memory);
    while (end_ + sizeof(Header) <= size) {
        const auto header = loadAs<Header>(bytes + end_);
        const char* records = bytes + end_ + sizeof(Header);
        // Anything else than the next whole batch ends the log: zeros, or what a crash left.
        if (header.magic != magic || header.previous != previous_ || header.number != batches_ + 1) break;
        if (header.bytes > size - end_ - sizeof(Header)) break;
        if (checksum(header.previous ^ static_cast<u32>(header.number), records, header.bytes) != header.checksum) break;
        if (!apply(records, header.bytes)) throw std::runtime_error("the log does not fit the state");
        end_ += sizeof(Header) + header.bytes;
        previous_ = header.checksum;
        ++batches_;
    }
    munmap(memory, size);
}

void Journal::writeNow(LogBatch& batch) {
    const std::size_t recordBytes = batch.used_ - sizeof(Header);
    Header header{magic, 0, static_cast<u32>(recordBytes), previous_, batches_ + 1};
    header.checksum = checksum(previous_ ^ static_cast<u32>(header.number), batch.bytes_.data() + sizeof header, recordBytes);
    storeAs(batch.bytes_.data(), header);
    writeAll(file_, batch.bytes_.data(), batch.used_, end_);
    if (fdatasync(file_) != 0) fail("sync the log");
    previous_ = header.checksum;
    end_ += batch.used_;
    ++batches_;
}

void Journal::startThread(int eventDescriptor) {
    event_ = eventDescriptor;
    thread_ = std::thread([this] { loop(); });
}

void Journal::submit(LogBatch& batch) {
    waiting_.store(&batch, std::memory_order_release);
    waiting_.notify_one();
}

void Journal::loop() {
    try {
        while (true) {
            waiting_.wait(nullptr, std::memory_order_acquire);
            LogBatch* batch = waiting_.load(std::memory_order_acquire);
            if (stops_) return;
            writeNow(*batch);
            waiting_.store(nullptr, std::memory_order_relaxed);
            const u64 one = 1;
            if (write(event_, &one, sizeof one) != sizeof one) fail("tell that a batch is on disk");
        }
    } catch (const std::exception& error) {
        // What is not on disk is not acknowledged: nothing to save.
        std::fprintf(stderr, "floor: %s\n", error.what());
        std::_Exit(1);
    }
}

}  // namespace guerdon
