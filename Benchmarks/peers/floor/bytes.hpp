// Small things that the floor does with bytes: hashing and comparing short ids, checksums, reserved memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>
#include <sys/mman.h>

namespace guerdon {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

template <class T>
inline T loadAs(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
inline void storeAs(void* to, T value) {
    std::memcpy(to, &value, sizeof value);
}

inline u64 folded(u64 a, u64 b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<u64>(product) ^ static_cast<u64>(product >> 64);
}

/// A hash of an id: overlapping loads, two multiplications for up to 16 bytes.
inline u64 hashed(std::string_view id) {
    const char* bytes = id.data();
    std::size_t rest = id.size();
    u64 state = 0x9E37'79B9'7F4A'7C15 ^ rest;
    while (rest > 16) {
        state = folded(loadAs<u64>(bytes) ^ state, loadAs<u64>(bytes + 8) ^ 0xD1B5'4A32'D192'ED03);
        bytes += 16;
        rest -= 16;
    }
    u64 low = 0, high = 0;
    if (rest >= 8) {
        low = loadAs<u64>(bytes);
        high = loadAs<u64>(bytes + rest - 8);
    } else if (rest >= 4) {
        low = loadAs<u32>(bytes);
        high = loadAs<u32>(bytes + rest - 4);
    } else if (rest > 0) {
        low = static_cast<u8>(bytes[0]);
        high = static_cast<u64>(static_cast<u8>(bytes[rest / 2])) << 8 | static_cast<u8>(bytes[rest - 1]);
    }
    return folded(folded(low ^ 0xBF58'476D'1CE4'E5B9, high ^ state) ^ state, 0x94D0'49BB'1331'11EB);
}

/// Whether two ids of the same length are equal.
inline bool equalBytes(const char* a, const char* b, std::size_t count) {
    if (count >= 8) {
        std::size_t at = 0;
        for (; at + 8 <= count; at += 8)
            if (loadAs<u64>(a + at) != loadAs<u64>(b + at)) return false;
        return loadAs<u64>(a + count - 8) == loadAs<u64>(b + count - 8);
    }
    if (count >= 4)
        return loadAs<u32>(a) == loadAs<u32>(b) && loadAs<u32>(a + count - 4) == loadAs<u32>(b + count - 4);
    for (std::size_t at = 0; at < count; ++at)
        if (a[at] != b[at]) return false;
    return true;
}

inline bool isEqual(std::string_view a, std::string_view b) {
    return a.size() == b.size() && equalBytes(a.data(), b.data(), a.size());
}

/// CRC-32C of some bytes behind those that gave `crc`.
u32 checksum(u32 crc, const char* bytes, std::size_t count);

/// An array in reserved address space: it never moves, and what is announced is touched in advance.
template <class T>
class Reserved {
public:
    explicit Reserved(std::size_t capacity) : capacity_(capacity) {
        void* memory = mmap(nullptr, capacity * sizeof(T), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        madvise(memory, capacity * sizeof(T), MADV_HUGEPAGE);
        items_ = static_cast<T*>(memory);
    }
    ~Reserved() {
        if (items_) munmap(items_, capacity_ * sizeof(T));
    }
    Reserved(Reserved&& other) noexcept : items_(other.items_), capacity_(other.capacity_) { other.items_ = nullptr; }
    Reserved& operator=(Reserved&& other) noexcept {
        std::swap(items_, other.items_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }

    /// Lets the kernel make the first `count` items real now rather than under load.
    void touch(std::size_t count) {
        if (count > 0) madvise(items_, std::min(count, capacity_) * sizeof(T), MADV_POPULATE_WRITE);
    }

    T& operator[](std::size_t at) { return items_[at]; }
    const T& operator[](std::size_t at) const { return items_[at]; }
    T* data() { return items_; }
    std::size_t capacity() const { return capacity_; }

private:
    T* items_;
    std::size_t capacity_;
};

}  // namespace guerdon
