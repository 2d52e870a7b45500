#include "bytes.hpp"

#include <array>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace guerdon {
namespace {

constexpr std::array<u32, 256> makeTable() {
    std::array<u32, 256> table{};
    for (u32 byte = 0; byte < 256; ++byte) {
        u32 value = byte;
        for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82F6'3B78u : 0u);
        table[byte] = value;
    }
    return table;
}

u32 portable(u32 crc, const char* bytes, std::size_t count) {
    static constexpr auto table = makeTable();
    for (std::size_t at = 0; at < count; ++at) crc = crc >> 8 ^ table[(crc ^ static_cast<u8>(bytes[at])) & 0xFF];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) u32 inHardware(u32 crc, const char* bytes, std::size_t count) {
    u64 wide = crc;
    for (; count >= 8; bytes += 8, count -= 8) wide = _mm_crc32_u64(wide, loadAs<u64>(bytes));
    crc = static_cast<u32>(wide);
    for (; count > 0; ++bytes, --count) crc = _mm_crc32_u8(crc, static_cast<u8>(*bytes));
    return crc;
}
#endif

}  // namespace

u32 checksum(u32 crc, const char* bytes, std::size_t count) {
#if defined(__x86_64__)
    static const bool hardware = __builtin_cpu_supports("sse4.2");
    if (hardware) return ~inHardware(~crc, bytes, count);
#endif
    return ~portable(~crc, bytes, count);
}

}  // namespace guerdon
