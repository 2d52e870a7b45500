// CRC32C (Castagnoli, reflected polynomial 0x82F63B78), the checksum of every record, block and header on disk.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Continues `crc` (0 to begin) over `length` bytes. Uses the processor's instruction where there is one.
uint32_t guerdon_crc32c(uint32_t crc, const void *bytes, size_t length);

/// The same value without special instructions: the fallback, public so that tests can compare the two.
uint32_t guerdon_crc32c_portable(uint32_t crc, const void *bytes, size_t length);
