// Ids to what is known about them: open addressing over 8-byte slots, the ids themselves in an arena.
#pragma once

#include "bytes.hpp"

namespace guerdon {

/// How many slots to make for so many ids: a power of two, at most two thirds of them full.
inline std::size_t slotCount(std::size_t expected) {
    std::size_t slots = 1024;
    while (slots * 2 < expected * 3) slots *= 2;
    return slots;
}

/// A table from ids (1 to 128 bytes) to a payload. The three steps of a look-up are separate, so that a caller with
/// many ids can let the memory of one arrive while it looks at the others.
template <class Payload>
class IdTable {
public:
    struct Entry {
        Payload payload;
        u8 length;
        char bytes[1];
    };

    /// - Parameter expected: how many ids to make room for now; the table grows beyond.
    explicit IdTable(std::size_t expected) : slots_(slotCount(expected)), arena_(arenaUnitsMax) {
        mask_ = slots_.capacity() - 1;
        slots_.touch(slots_.capacity());
        arena_.touch(expected * unitsFor(12));
    }

    std::size_t size() const { return count_; }

    void prefetchSlot(u64 hash) const { __builtin_prefetch(&slots_[hash & mask_]); }

    /// Asks for the bytes of the first id that may be the one.
    void prefetchEntry(u64 hash) const {
        for (u64 at = hash & mask_;; at = (at + 1) & mask_) {
            const u64 slot = slots_[at];
            if (slot == 0) return;
            if (slot >> 32 == hash >> 32) return __builtin_prefetch(&arena_[static_cast<u32>(slot)]);
        }
    }

    Payload* find(std::string_view id, u64 hash) {
        u64 at = hash & mask_;
        return locate(id, hash, at);
    }

    /// The payload of an id; `fresh` tells whether the id is new, and its payload still to be written.
    Payload* findOrInsert(std::string_view id, u64 hash, bool& fresh) {
        u64 at = hash & mask_;
        if (Payload* known = locate(id, hash, at)) {
            fresh = false;
            return known;
        }
        fresh = true;
        if ((count_ + 1) * 3 > slots_.capacity() * 2) {
            grow();
            for (at = hash & mask_; slots_[at] != 0; at = (at + 1) & mask_) {}
        }
        Entry* entry = reinterpret_cast<Entry*>(&arena_[units_]);
        entry->length = static_cast<u8>(id.size());
        std::memcpy(entry->bytes, id.data(), id.size());
        slots_[at] = (hash >> 32 << 32) | units_;
        units_ += unitsFor(id.size());
        if (units_ + unitsFor(255) > arenaUnitsMax) throw std::bad_alloc();
        ++count_;
        return &entry->payload;
    }

    /// Where a payload lies, and the id that belongs to it.
    u32 unitOf(const Payload* payload) { return static_cast<u32>(reinterpret_cast<const u64*>(payload) - arena_.data()); }
    std::string_view idAt(u32 unit) const {
        const auto* entry = reinterpret_cast<const Entry*>(&arena_[unit]);
        return {entry->bytes, entry->length};
    }

private:
    static constexpr std::size_t arenaUnitsMax = std::size_t(1) << 32;

    static std::size_t unitsFor(std::size_t idBytes) { return (offsetof(Entry, bytes) + idBytes + 7) / 8; }

    Payload* locate(std::string_view id, u64 hash, u64& at) {
        for (;; at = (at + 1) & mask_) {
            const u64 slot = slots_[at];
            if (slot == 0) return nullptr;
            if (slot >> 32 != hash >> 32) continue;
            auto* entry = reinterpret_cast<Entry*>(&arena_[static_cast<u32>(slot)]);
            if (entry->length == id.size() && equalBytes(entry->bytes, id.data(), id.size())) return &entry->payload;
        }
    }

    void grow() {
        Reserved<u64> wider(slots_.capacity() * 2);
        const u64 mask = wider.capacity() - 1;
        for (std::size_t from = 0; from < slots_.capacity(); ++from) {
            const u64 slot = slots_[from];
            if (slot == 0) continue;
            const auto* entry = reinterpret_cast<const Entry*>(&arena_[static_cast<u32>(slot)]);
            u64 at = hashed({entry->bytes, entry->length}) & mask;
            while (wider[at] != 0) at = (at + 1) & mask;
            wider[at] = slot;
        }
        slots_ = std::move(wider);
        mask_ = mask;
    }

    Reserved<u64> slots_;
    Reserved<u64> arena_;
    u64 mask_;
    std::size_t units_ = 1;
    std::size_t count_ = 0;
};

}  // namespace guerdon
