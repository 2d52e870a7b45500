#ifndef GUERDON_CINTRINSICS_H
#define GUERDON_CINTRINSICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/// Asks the processor to bring the cache line at `address` in for reading. Never faults, whatever the address.
static inline void cintrinsics_prefetch_read(const void *address) {
    __builtin_prefetch(address, 0, 3);
}

/// Maps `byteCount` bytes on a multiple of `alignment` and asks for huge pages; NULL when there is no room. Both are multiples
/// of the page size, `alignment` a power of two.
void *cintrinsics_map_regions(size_t byteCount, size_t alignment);

/// Has the system back whole pages with memory now, all at once, instead of one by one when they are first touched. A hint.
void cintrinsics_touch_regions(void *address, size_t byteCount);

/// Gives back what `cintrinsics_map_regions` gave.
void cintrinsics_unmap_regions(void *address, size_t byteCount);

/// Copies whole cache lines that another thread may be writing, and then gives the word that says which of them it had
/// copied elsewhere before: those are not to be used as they were read. See `cintrinsics_publish_bits`.
uint64_t cintrinsics_copy_lines_beside_writer(void *to, const void *from, size_t lines, const uint64_t *word);

/// Sets bits of a word that this thread alone writes. Whoever sees what is written behind it sees the bits, and what was
/// written in front of it.
static inline void cintrinsics_publish_bits(uint64_t *word, uint64_t bits) {
    __atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) | bits, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

/// Starts to write out a range of a file, without waiting. Only a hint.
void cintrinsics_start_writing(int descriptor, int64_t offset, int64_t byteCount);

/// Waits until a range of a file is written out, and lets its cached pages go. Only a hint: it makes nothing durable.
void cintrinsics_finish_writing(int descriptor, int64_t offset, int64_t byteCount);

/// Has reads of a descriptor come from the device, into memory and from offsets that are aligned, where its file system can.
void cintrinsics_read_past_cache(int descriptor);

/// Has reads of a descriptor come through the kernel's cache again; -1 with `errno` when that fails.
int cintrinsics_read_through_cache(int descriptor);

/// Whether nobody else has the file of a descriptor open; false when the system cannot tell.
bool cintrinsics_is_only_opener(int descriptor);

/// Lets other threads go before the calling one: it gets a tenth of a processor that they want.
void cintrinsics_lower_priority(void);

// Searches over ascending keys of 64 bits, or of 128 in two columns of words.
//
// They take as long for one answer as for another: where a comparison of random keys becomes a jump, the processor
// guesses wrong half the time, which costs more than the whole search. Compilers like to make jumps of such
// comparisons, or many instructions of a few: so those that are made most often are written out, and the result of each
// other one goes through a register that they cannot see through.

static inline size_t cintrinsics_opaque(size_t value) {
    __asm__("" : "+r"(value));
    return value;
}

/// `next` if the key there is not above `key`, else `place`.
static inline size_t cintrinsics_step(const uint64_t *keys, size_t place, size_t next, uint64_t key) {
#ifdef __x86_64__
    __asm__("cmpq %[other], %[key]\n\tcmovaeq %[next], %[place]"
            : [place] "+r"(place)
            : [next] "r"(next), [key] "r"(key), [other] "m"(keys[next])
            : "cc");
    return place;
#else
    return place + ((next - place) & -cintrinsics_opaque(keys[next] <= key));
#endif
}

/// `count`, and one more if `other` is above `key`.
static inline size_t cintrinsics_count_if_above(size_t count, const uint64_t *other, uint64_t key) {
#ifdef __x86_64__
    __asm__("cmpq %[other], %[key]\n\tadcq $0, %[count]"
            : [count] "+r"(count)
            : [key] "r"(key), [other] "m"(*other)
            : "cc");
    return count;
#else
    return count + cintrinsics_opaque(*other > key);
#endif
}

/// The last of `count` keys that is not above `key`, or 0 if there is none.
static inline size_t cintrinsics_last_not_above(const uint64_t *keys, size_t count, uint64_t key) {
    size_t base = 0;
    while (count > 1) {
        const size_t half = count / 2;
        base = cintrinsics_step(keys, base, base + half, key);
        count -= half;
    }
    return base;
}

/// The same for eight keys side by side: the steps of one search wait for each other, those of several do not.
static inline void cintrinsics_last_not_above_each_8(
    const uint64_t *keys, size_t count, const uint64_t *wanted, uint32_t *found
) {
    size_t base[8] = {0};
    while (count > 1) {
        const size_t half = count / 2;
#pragma GCC unroll 8
        for (int lane = 0; lane < 8; lane++) {
            base[lane] = cintrinsics_step(keys, base[lane], base[lane] + half, wanted[lane]);
        }
        count -= half;
    }
    for (int lane = 0; lane < 8; lane++) {
        found[lane] = (uint32_t)base[lane];
    }
}

/// The same for keys of two words.
static inline size_t cintrinsics_last_not_above_wide(
    const uint64_t *highs, const uint64_t *lows, size_t count, uint64_t high, uint64_t low
) {
    size_t base = 0;
    while (count > 1) {
        const size_t half = count / 2;
        const size_t middle = base + half;
        const unsigned __int128 key = (unsigned __int128)high << 64 | low;
        const unsigned __int128 other = (unsigned __int128)highs[middle] << 64 | lows[middle];
        base += half & -cintrinsics_opaque(other <= key);
        count -= half;
    }
    return base;
}

/// Where the least of `count` keys of two words is; the first of equal ones.
static inline size_t cintrinsics_least_wide(const uint64_t *highs, const uint64_t *lows, size_t count) {
    size_t best = 0;
    uint64_t high = highs[0];
    uint64_t low = lows[0];
    for (size_t index = 1; index < count; index++) {
        const unsigned __int128 key = (unsigned __int128)highs[index] << 64 | lows[index];
        const uint64_t mask = -(uint64_t)cintrinsics_opaque(key < ((unsigned __int128)high << 64 | low));
        best ^= (best ^ index) & mask;
        high ^= (high ^ highs[index]) & mask;
        low ^= (low ^ lows[index]) & mask;
    }
    return best;
}

/// How many of eight keys are not above `key`.
static inline size_t cintrinsics_count_not_above_8(const uint64_t *keys, uint64_t key) {
    size_t above = 0;
#pragma GCC unroll 8
    for (int index = 0; index < 8; index++) {
        above = cintrinsics_count_if_above(above, keys + index, key);
    }
    return 8 - above;
}

/// How many of seven keys are not above `key`.
static inline size_t cintrinsics_count_not_above_7(const uint64_t *keys, uint64_t key) {
    size_t above = 0;
#pragma GCC unroll 7
    for (int index = 0; index < 7; index++) {
        above = cintrinsics_count_if_above(above, keys + index, key);
    }
    return 7 - above;
}

/// How many of those of 64 words, `stride` bytes apart, whose bits are set in `used` are below `key`; the upper half of the
/// result says how many equal it.
static inline uint64_t cintrinsics_count_below(const void *words, size_t stride, uint64_t used, uint64_t key) {
    const char *address = (const char *)words;
    size_t below = 0;
    size_t notAbove = 0;
    for (; used != 0; used >>= 1, address += stride) {
        uint64_t word;
        __builtin_memcpy(&word, address, sizeof word);
        below += used & cintrinsics_opaque(word < key);
        notAbove += used & cintrinsics_opaque(word <= key);
    }
    return (uint64_t)(notAbove - below) << 32 | below;
}

/// Which of 64 words, `stride` bytes apart, are not below `key`: one bit each, the first the least significant.
static inline uint64_t cintrinsics_not_below_64(const void *words, size_t stride, uint64_t key) {
    const char *const address = (const char *)words;
    uint64_t mask = 0;
    for (size_t index = 0; index < 64; index++) {
        uint64_t word;
        __builtin_memcpy(&word, address + index * stride, sizeof word);
        mask |= (uint64_t)cintrinsics_opaque(word >= key) << index;
    }
    return mask;
}

/// Which of 64 bytes equal `byte`: one bit each, the first the least significant.
static inline uint64_t cintrinsics_match_64(const uint8_t *bytes, uint8_t byte) {
    uint64_t mask = 0;
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8((char)byte);
    for (int part = 0; part < 4; part++) {
        const __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)(bytes + part * 16));
        const uint64_t bits = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(chunk, wanted));
        mask |= bits << (part * 16);
    }
#else
    for (int index = 0; index < 64; index++) {
        mask |= (uint64_t)(bytes[index] == byte) << index;
    }
#endif
    return mask;
}

/// Which of the halves of eight words of 64 bits equal `half`: two bits each, the lower half's first, the first word's least
/// significant.
static inline uint32_t cintrinsics_match_16_halves(const uint64_t *words, uint32_t half) {
#ifdef __SSE2__
    const __m128i *const pairs = (const __m128i *)(const void *)words;
    const __m128i wanted = _mm_set1_epi32((int)half);
    __m128i equal[4];
    for (int pair = 0; pair < 4; pair++) {
        equal[pair] = _mm_cmpeq_epi32(_mm_loadu_si128(pairs + pair), wanted);
    }
    return (uint32_t)_mm_movemask_epi8(
        _mm_packs_epi16(_mm_packs_epi32(equal[0], equal[1]), _mm_packs_epi32(equal[2], equal[3])));
#else
    uint32_t mask = 0;
    for (int index = 0; index < 16; index++) {
        mask |= (uint32_t)((uint32_t)(words[index / 2] >> (index % 2 * 32)) == half) << index;
    }
    return mask;
#endif
}

/// Sorts eight words, zeros last, without a jump: a network of 19 comparisons.
static inline void cintrinsics_sort_8(uint64_t *words) {
    static const uint8_t pairs[19][2] = {
        {0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6}, {3, 7}, {0, 1}, {2, 3},
        {4, 5}, {6, 7}, {2, 4}, {3, 5}, {1, 4}, {3, 6}, {1, 2}, {3, 4}, {5, 6},
    };
    // Less one, a zero is the largest.
    for (int index = 0; index < 8; index++) {
        words[index] -= 1;
    }
#pragma GCC unroll 19
    for (int pair = 0; pair < 19; pair++) {
        const uint64_t first = words[pairs[pair][0]];
        const uint64_t second = words[pairs[pair][1]];
        words[pairs[pair][0]] = first < second ? first : second;
        words[pairs[pair][1]] = first < second ? second : first;
    }
    for (int index = 0; index < 8; index++) {
        words[index] += 1;
    }
}

/// Which of the first 28 words of a line of 64 bytes equal `word`: one bit each, the first the least significant.
static inline uint32_t cintrinsics_match_28_words(const void *line, uint16_t word) {
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi16((short)word);
    const __m128i *const parts = line;
    const __m128i low = _mm_packs_epi16(
        _mm_cmpeq_epi16(_mm_load_si128(parts), wanted), _mm_cmpeq_epi16(_mm_load_si128(parts + 1), wanted));
    const __m128i high = _mm_packs_epi16(
        _mm_cmpeq_epi16(_mm_load_si128(parts + 2), wanted), _mm_cmpeq_epi16(_mm_load_si128(parts + 3), wanted));
    return ((uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16) & 0x0fffffff;
#else
    const uint16_t *const words = line;
    uint32_t mask = 0;
    for (int index = 0; index < 28; index++) {
        mask |= (uint32_t)(words[index] == word) << index;
    }
    return mask;
#endif
}

/// Feeds `count` blocks of 64 bytes to the compression function of SHA-256, with the processor's instructions if it has them.
void cintrinsics_sha256(uint32_t state[8], const void *blocks, size_t count);

/// The same without them.
void cintrinsics_sha256_plain(uint32_t state[8], const void *blocks, size_t count);

#endif
