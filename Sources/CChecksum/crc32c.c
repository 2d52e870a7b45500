#include "CChecksum.h"

#include <string.h>

#define POLYNOMIAL 0x82F63B78u
// Three streams of this many bytes run side by side: the instruction takes three cycles but starts one every cycle.
#define LANE 1024

static uint32_t slices[8][256];

#if defined(__x86_64__)
#include <nmmintrin.h>
// shift_lane[k][b]: what byte k of a checksum contributes after LANE zero bytes were appended.
static uint32_t shift_lane[4][256];
static int has_instruction;
#endif

// Tables are filled before main runs, so that no caller pays for a check or a lock.
__attribute__((constructor)) static void fill_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
        slices[0][byte] = crc;
    }
    for (int slice = 1; slice < 8; slice++)
        for (uint32_t byte = 0; byte < 256; byte++)
            slices[slice][byte] = (slices[slice - 1][byte] >> 8) ^ slices[0][slices[slice - 1][byte] & 0xFF];
#if defined(__x86_64__)
    __builtin_cpu_init();
    has_instruction = __builtin_cpu_supports("sse4.2");
    // A checksum is linear over XOR: shift the 32 single bits, combine them for every byte value.
    uint32_t bits[32];
    for (int bit = 0; bit < 32; bit++) {
        uint32_t crc = 1u << bit;
        for (int zero = 0; zero < LANE; zero++) crc = (crc >> 8) ^ slices[0][crc & 0xFF];
        bits[bit] = crc;
    }
    for (int k = 0; k < 4; k++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t sum = 0;
            for (int bit = 0; bit < 8; bit++)
                if (byte & (1u << bit)) sum ^= bits[k * 8 + bit];
            shift_lane[k][byte] = sum;
        }
#endif
}

uint32_t guerdon_crc32c_portable(uint32_t crc, const void *bytes, size_t length) {
    const unsigned char *p = bytes;
    crc = ~crc;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; length >= 8; length -= 8, p += 8) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + 4, 4);
        low ^= crc;
        crc = slices[7][low & 0xFF] ^ slices[6][(low >> 8) & 0xFF] ^ slices[5][(low >> 16) & 0xFF] ^ slices[4][low >> 24]
            ^ slices[3][high & 0xFF] ^ slices[2][(high >> 8) & 0xFF] ^ slices[1][(high >> 16) & 0xFF] ^ slices[0][high >> 24];
    }
#endif
    for (; length > 0; length--, p++) crc = (crc >> 8) ^ slices[0][(crc ^ *p) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)
static inline uint64_t load(const unsigned char *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

static inline uint32_t after_lane(uint32_t crc) {
    return shift_lane[0][crc & 0xFF] ^ shift_lane[1][(crc >> 8) & 0xFF] ^ shift_lane[2][(crc >> 16) & 0xFF]
        ^ shift_lane[3][crc >> 24];
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(uint32_t start, const void *bytes, size_t length) {
    const unsigned char *p = bytes;
    uint64_t crc = (uint32_t)~start;
    for (; length >= 3 * LANE; length -= 3 * LANE, p += 3 * LANE) {
        uint64_t second = 0, third = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            crc = _mm_crc32_u64(crc, load(p + i));
            second = _mm_crc32_u64(second, load(p + LANE + i));
            third = _mm_crc32_u64(third, load(p + 2 * LANE + i));
        }
        crc = after_lane(after_lane((uint32_t)crc) ^ (uint32_t)second) ^ (uint32_t)third;
    }
    for (; length >= 8; length -= 8, p += 8) crc = _mm_crc32_u64(crc, load(p));
    for (; length > 0; length--, p++) crc = _mm_crc32_u8((uint32_t)crc, *p);
    return ~(uint32_t)crc;
}
#endif

uint32_t guerdon_crc32c(uint32_t crc, const void *bytes, size_t length) {
#if defined(__x86_64__)
    if (has_instruction) return crc32c_instruction(crc, bytes, length);
#endif
    return guerdon_crc32c_portable(crc, bytes, length);
}
